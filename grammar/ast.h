/* The tree: what the parser makes and nothing else. Flat arrays; an expression's operands always have smaller ids than
 * the expression, and the nodes of one statement are one range of ids, so that every later stage is a loop and depth
 * of nesting costs no stack. */
#ifndef MX_GRAMMAR_AST_H
#define MX_GRAMMAR_AST_H

#include "../gen/base/diag.h"
#include "../gen/base/map.h"
#include "../gen/base/source.h"
#include "../gen/base/text.h"
#include "../gen/base/vec.h"

typedef uint32_t ast_id; /* 0: none */

enum ast_kind {
    AST_NONE,
    AST_NUMBER,    /* number; its spelling in name */
    AST_NAME,      /* name */
    AST_STRING,    /* name: the text without quotes */
    AST_NEGATE,    /* -x */
    AST_TRANSPOSE, /* x' and x.T */
    AST_BINARY,    /* x op y */
    AST_CALL,      /* name(arguments); a named argument is an AST_NAMED */
    AST_NAMED,     /* name=value, in calls only */
    AST_INDEX,     /* x[i], X[i, j]: operand, then one child per index (an expression, AST_SLICE) */
    AST_SLICE,     /* a:b, with children begin and end, either 0 where left out */
    AST_BLOCK,     /* [A, B; C, D]: one AST_LIST a row */
    AST_LIST       /* a row of a block; [p, q] as an argument is an AST_BLOCK of one AST_LIST */
};

enum ast_op {
    AST_LT,
    AST_LE,
    AST_GT,
    AST_GE,
    AST_EQ,
    AST_NE,
    AST_ADD,
    AST_SUB,
    AST_MUL,
    AST_DIV,
    AST_MATMUL,
    AST_SOLVE,
    AST_POW,
    AST_OPS
};

struct ast_node {
    enum ast_kind kind;
    enum ast_op op;      /* of AST_BINARY */
    struct span span;    /* all of it, brackets around it not counted */
    struct span op_span; /* the operator, the function's name, the quote */
    const char *name;    /* interned */
    double number;
    uint32_t first, count; /* children: ast->children.at[first .. first + count) */
};

enum ast_statement_kind {
    STATEMENT_DECLARE, /* name: attribute shape */
    STATEMENT_ASSIGN,  /* name = expression */
    STATEMENT_DIM,     /* dim name [= expression]; one statement for each name of a list */
    STATEMENT_REAL,    /* real f32: name is "f32" */
    STATEMENT_OUTPUT,  /* output A, B: targets */
    STATEMENT_REQUEST, /* grad f wrt x, Y as name: targets[0] is f, the rest the variables */
    STATEMENT_DEF,     /* def f(x, y) = expression, or with a body in { } */
    STATEMENT_INCLUDE, /* include "other.mx": name is the path */

    /* After expansion there are no DEF and INCLUDE, but: */
    STATEMENT_MENTION /* value: an assignment's before its calls were expanded. Says in which order names occur. */
};

/* Values that expansion made. Their names are no interned ones, so that they equal no name but themselves. */
enum ast_hidden {
    HIDDEN_NOT,
    HIDDEN_ARGUMENT, /* what a parameter stands for, and is called like */
    HIDDEN_LOCAL,    /* a value that a function's body names */
    HIDDEN_RESULT    /* what a call gives; the name is the call as text */
};

enum ast_request { REQUEST_GRAD, REQUEST_VJP, REQUEST_JVP, REQUEST_JAC, REQUEST_HESS, REQUEST_HVP, AST_REQUESTS };

struct ast_statement {
    enum ast_statement_kind kind;
    struct span span; /* from its first token to its last */
    const char *name; /* declared, assigned, fixed or defined; interned */
    struct span name_span;
    ast_id begin, end; /* its expression nodes are the ids in [begin, end) */
    ast_id value;      /* ASSIGN, DIM, DEF in the form '=': the expression; DEF with a body: what it returns */

    /* DECLARE */
    const char *attribute; /* "scalar", "row", "symmetric" …, or NULL */
    struct span attribute_span;
    bool has_shape;
    uint32_t first_size, size_count; /* the shape's expressions, in children */

    /* OUTPUT, REQUEST */
    enum ast_request request;
    uint32_t first_target, target_count; /* in children: AST_NAME, or AST_INDEX of a name */
    const char *as;                      /* NULL if not given */
    struct span as_span;
    bool compressed; /* the word stood after the request */

    /* DEF */
    uint32_t first_parameter, parameter_count; /* in children: AST_NAME */
    uint32_t body_count;                       /* how many of the statements that FOLLOW this one are its body */

    /* After expansion */
    enum ast_hidden hidden; /* of ASSIGN */
    uint32_t expansion;     /* whose text this is: index in ast->expansions, or 0 for the program's own */
};

/* A function's body in the place of a call. */
struct ast_expansion {
    const char *function;
    struct span call;
    uint32_t parent; /* the expansion whose text the call is, or 0 */
};

struct ast {
    struct arena *arena;
    VEC(struct ast_node) nodes; /* at[0] is AST_NONE */
    VEC(ast_id) children;
    VEC(struct ast_statement) statements;
    VEC(struct ast_expansion) expansions; /* at[0] unused; empty in a tree as parsed */
};

/* Parses one source that was added to the sources; syntax errors go to diags, and what could be read is in the tree. */
struct ast *ast_parse(struct arena *arena, struct interner *interner, struct diags *diags, const struct source *source);
/* Parses a single expression (operator tables state differentials this way); 0 in *value after an error. */
struct ast *ast_parse_expression(struct arena *arena, struct interner *interner, struct diags *diags,
                                 const struct source *source, ast_id *value);

static inline const struct ast_node *ast_node(const struct ast *ast, ast_id id) {
    return &ast->nodes.at[id];
}
static inline ast_id ast_child(const struct ast *ast, ast_id id, uint32_t i) {
    return ast->children.at[ast->nodes.at[id].first + i];
}
const char *ast_op_spelling(enum ast_op op);                /* "@" */
const char *ast_request_spelling(enum ast_request request); /* "grad" */

/* One expression in the language's own notation, brackets only where needed. */
void ast_print_expression(struct text *text, const struct ast *ast, ast_id id);
/* The whole tree, a line a node, indented, with line:column ranges: --emit=ast. */
void ast_print(struct text *text, const struct ast *ast, const struct sources *sources);

#endif
