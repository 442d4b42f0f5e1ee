/* From expressions to the graph: a program's statements, and the texts of ops.def. */
#ifndef MX_LOWER_LOWER_H
#define MX_LOWER_LOWER_H

#include "../check/check.h"
#include "../graph/value.h"

/* What the texts of ops.def read. */
struct bindings {
    struct value argument[MAX_ARGUMENTS], differential[MAX_ARGUMENTS]; /* a, b, c and da, db, dc */
    struct value y;
    uint32_t axes; /* of 'axis' */
    bool keepdims;
};

enum op_text {
    TEXT_DIFFERENTIAL,
    TEXT_DEFINITION,
    TEXT_SQUARED,
    TEXT_LOGARITHM,
    TEXT_SINGLE,
    TEXT_DIAGONAL,
    TEXT_ORTHOGONAL,
    TEXT_TRIANGULAR,
    TEXT_POSITIVE,
    OP_TEXTS
};

/* A value as an input of its own, so that what is computed from it keeps hold of it, and what it is. */
struct cut {
    struct value input, by; /* by: in inputs and earlier cuts */
};

struct lowering {
    struct arena *arena;
    struct interner *interner;
    struct graph *graph;
    struct parsed_text {
        struct ast *ast;
        ast_id value;
    } texts[OPS][OP_TEXTS]; /* parsed when first needed */
    VEC(struct cut) cuts;   /* while a program is lowered; derivatives go through them */
    /* A derivative of y by the input x: grad, jac, hess, jvp and vjp as expressions; along: the direction that the last
     * two take. Set by the stage above, which knows derivatives. */
    struct value (*derive)(struct lowering *lowering, enum op op, struct value y, struct value x, struct value along);
    struct span too_many_axes; /* of a statement that needs a tensor of more than MAX_RANK axes; end 0: none */
    const char *defect;        /* a record of ops.def is wrong: which stage found what; NULL: none */
};

/* By node, in ascending order: does it vary, because an operand does, or because what a cut is does? Those that vary by
 * themselves are marked already. */
void mark_varying(const struct lowering *lowering, bool *varies);

void lowering_init(struct lowering *lowering, struct arena *arena, struct interner *interner, struct graph *graph);

/* The value of every symbol of a program without errors, by symbol index; symbols without a value have node 0. */
struct value *lower_program(struct lowering *lowering, const struct checked *checked);

/* Promises the symmetry that is declared of assigned values: after all differentiation, since derivatives by what a
 * value is computed from are those of its formula as it stands. */
void lower_symmetries(struct graph *graph, const struct checked *checked, const struct value *symbols);

/* What a declared structure promises of a matrix: bits of enum structure. */
uint8_t structure_named(const char *name);
/* The shape of an input's array, and the input itself in that shape: a diagonal matrix is n numbers. */
struct type stored_type(const struct symbol *symbol);
struct value lower_input(struct graph *graph, const struct symbol *symbol);

/* One of the texts of an operator of one square matrix. */
struct value lower_matrix_text(struct lowering *lowering, enum op op, enum op_text which, struct value matrix);

/* One of an operator's texts with its names bound. */
struct value lower_op_text(struct lowering *lowering, enum op op, enum op_text which, const struct bindings *bindings);

#endif
