/* The state of the checker, which every file of this folder works on. The files stand on floors, and each calls only
 * those below it:
 *
 *     check.c                              the stages in order
 *     requests.c  statements.c  names.c    what is asked for; assignments; what each identifier is
 *     variables.c                          what requests differentiate by
 *     mend.c                               helps of a fault, by typing its statement again
 *     shapes.c                             operators, and the type of a node
 *     calls.c  derivatives.c               functions
 *     arrange.c  pattern.c  elements.c     what is put together from elements; einsum; elements and slices
 *     faults.c    sizes.c                  messages about operands; declared shapes
 *     types.c                              products and broadcasts of types
 *     unify.c                              sizes made equal
 *     report.c                             complaints, and the program as text in them
 *     checker.c                            this state
 *     checked.c                            the typed tree */
#ifndef MX_CHECK_CHECKER_H
#define MX_CHECK_CHECKER_H

#include "checked.h"

/* The rank of a value whose expression had an error: it agrees with everything, so that one error is told once. */
enum { RANK_UNKNOWN = 3 };

/* What a node of an expression stands for. */
enum context {
    CONTEXT_NONE, /* part of no expression */
    CONTEXT_VALUE,
    CONTEXT_SIZE,  /* part of a dimension: in a declared shape, in eye(n), an index */
    CONTEXT_SIZES, /* a slice, a list of sizes: its parts are sizes */
    CONTEXT_OPTION /* a named argument, the second argument of norm */
};

/* An identifier of the program. Statement numbers count from 1, so that 0 is none. */
struct name {
    const char *text;
    uint32_t declared, assigned, symbol;
    enum op op;
    struct span dim;        /* where it is first used as a dimension */
    poly fixed;             /* the number that fixes it, or POLY_NONE */
    struct span fixed_span; /* of its 'dim n = 128'; no place if by -D */
    bool is_dim, clash, told_late;
};

/* A variable of the polynomials: a declared dimension or an unknown one, by its index there. */
struct variable {
    uint32_t unknown;   /* 0: declared; else its number, counted in the order of the source */
    poly bound;         /* what an unknown was found to be, or POLY_NONE */
    ast_id bound_at;    /* the node that said so */
    uint32_t statement; /* a declared one: the statement where it occurs first */
};

struct binding {
    uint32_t variable;
    poly bound;
    ast_id bound_at;
};

struct equation {
    poly left, right;
    ast_id at;
    uint32_t expansion; /* of the statement that it is in */
};

enum fault_kind {
    FAULT_NONE,
    FAULT_INNER,     /* inner dimensions of '@' */
    FAULT_PRODUCT,   /* kinds that '@' does not multiply */
    FAULT_SIZES,     /* elementwise, on an axis */
    FAULT_ROW,       /* a vector beside a row vector */
    FAULT_FITS_ROWS, /* a list that fits only the rows of a matrix */
    FAULT_RANKS      /* of two values that must have one shape */
};

/* A binary node, or a call with two arguments. */
struct pair {
    ast_id id, left, right;
    struct type a, b;
};

/* A fault of a node whose message still lacks its helps. */
struct reported {
    struct diag *diag; /* NULL: there is none */
    enum fault_kind kind;
    struct pair pair;
};

struct checker {
    struct arena *arena;
    struct interner *interner;
    struct polys *polys;
    struct diags *diags;
    const struct ast *ast;
    const struct check_options *options;
    struct checked *out;

    VEC(struct name) names; /* at[0] unused */
    struct map name_index;
    uint8_t *context; /* by ast_id */
    poly *size_of;    /* by ast_id, for CONTEXT_SIZE; POLY_NONE after an error */

    VEC(struct variable) variables;
    uint32_t unknowns;
    VEC(struct binding) trail; /* what bindings were before, to undo them */
    VEC(struct equation) deferred;

    uint32_t statement;       /* the one in work */
    int errors_before;        /* how many errors there were when it began */
    struct reported reported; /* by the node typed last */
    bool trial;               /* typing for a mend: nothing is reported, and any fault sets failed */
    bool failed;
    uint32_t retyped; /* in a trial: this symbol has another type */
    struct type retyped_as;
};

struct checker *checker_new(struct arena *arena, const struct ast *ast);
struct name *name_of(struct checker *c, const char *interned);   /* made if new; valid until the next call */
struct name *name_find(struct checker *c, const char *interned); /* NULL if the program has none */

#endif
