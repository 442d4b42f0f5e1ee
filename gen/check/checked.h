/* What the checker is told, and what it gives: the typed tree. */
#ifndef MX_CHECK_CHECKED_H
#define MX_CHECK_CHECKED_H

#include "../../grammar/ast.h"
#include "../base/poly.h"
#include "../graph/ops.h"

struct check_options {
    const char *module;       /* prefix of the functions */
    const char *const *fixed; /* "n=128" as -D gives them, well-formed */
    size_t fixed_count;
    int real; /* 0: as the program says; 32 or 64 from --real */
};

struct type {
    uint8_t rank; /* 0 scalar, 1 vector or row, 2 matrix */
    bool row;     /* rank 1 only */
    poly size[2];
};

enum symbol_kind {
    SYMBOL_INPUT,   /* declared or read before any assignment, never assigned */
    SYMBOL_VALUE,   /* assigned */
    SYMBOL_DIM,     /* a dimension's name; read as a scalar in expressions */
    SYMBOL_ABSTRACT /* a loss defined nowhere: L of grad L wrt … */
};

struct symbol {
    const char *name; /* interned */
    enum symbol_kind kind;
    struct type type;      /* INPUT, VALUE: sizes hold declared and inferred dimensions only, no unknowns */
    const char *structure; /* "dense"; attributes other than scalar and row are not supported yet */
    struct span span;      /* declaration, or first occurrence */
    uint32_t statement;    /* VALUE: index of its STATEMENT_ASSIGN in ast->statements */
    enum ast_hidden hidden;
    bool declared, read; /* read: some expression or request uses it */
    poly fixed;          /* DIM: the number it is fixed to by 'dim' or -D, else POLY_NONE */
};

struct request {
    enum ast_request kind;
    struct span span;
    uint32_t target;                         /* symbol index */
    uint32_t first_variable, variable_count; /* in checked->variables */
    const char *as;                          /* or NULL */
};

/* What an index takes of its axis: size elements from begin on; one that is no slice takes one, and the axis is gone.
 */
struct extent {
    poly begin, size;
    bool index;
};

/* A value of the statement is right only if this is not negative, which depends on the sizes. */
struct bound {
    uint32_t statement;
    poly nonnegative;
};

struct checked {
    const struct ast *ast;
    VEC(struct symbol) symbols; /* at[0] unused; inputs in order of declaration or first occurrence in the source */
    uint32_t *symbol_of;      /* by ast_id, for AST_NAME nodes that are values, inputs or dims: symbol index, else 0 */
    enum op *op_of;           /* by ast_id, for AST_CALL nodes */
    struct type *type_of;     /* by ast_id, for expression nodes; no unknowns left */
    struct extent *extent_of; /* by ast_id, for the indices of AST_INDEX nodes */
    VEC(struct bound) bounds; /* what functions check when they are called */
    VEC(struct request) requests;
    VEC(uint32_t) variables; /* symbol indices */
    VEC(uint32_t)
    outputs; /* symbol indices: 'output' statements, else (no request or output at all) every value nothing reads */
    VEC(poly) dims; /* free dimensions (single names), in order of first occurrence in the source */
    bool f32;
};

/* "[m, k]", "row [n]", "scalar": as messages show a type. */
const char *type_string(struct arena *arena, const struct polys *polys, struct type type);

#endif
