/* Derivatives, as more nodes of the same graph.
 *
 * Reverse accumulation: cotangents go from the targets to the variables, node by node. A product's cotangents follow
 * from the product rule read backwards; every other operator states its differential (ops.def), an expression linear in
 * da, which is transposed by the same rule. See Magnus and Neudecker, Matrix Differential Calculus (differentials) and
 * Laue, Mitterreiter, Giesen, Computing Higher Order Derivatives of Matrix and Tensor Expressions, NeurIPS 2018. */
#ifndef MX_DERIVE_DERIVE_H
#define MX_DERIVE_DERIVE_H

#include "../lower/lower.h"

/* One node passed on the way back: its cotangent, and what it gave to its operands. */
struct derive_step {
    node_id node;
    const char *rule;       /* "product rule", or the operator's differential */
    struct value cotangent; /* axes in the node's order */
    uint32_t first, count;  /* in derivation.gifts */
};

struct derive_gift {
    node_id to;
    struct value cotangent; /* axes in the order of the receiver */
};

struct derivation {
    VEC(struct derive_step) steps;
    VEC(struct derive_gift) gifts;
};

/* Cotangents of the variables (inputs), axes in their nodes' order, zero where no target depends on one, given those of
 * the targets, each read as its target is. loss: what is differentiated, for the names of cotangents;
 * NULL: they get none. */
void derive_vjp(struct lowering *lowering, const struct value *targets, const struct value *cotangents, size_t count,
                const node_id *variables, size_t variable_count, const char *loss, struct value *results,
                struct derivation *record);

/* A linear map as a tensor: value, which is linear in the input direction, with the direction's axes behind its own;
 * the result for every basis vector, without their ever being formed. */
struct value derive_coefficients(struct lowering *lowering, struct value value, node_id direction);

/* A derivative as an expression: grad, jac (y's axes, then x's), hess, jvp or vjp of y by the input x, in whatever
 * order both are read. along: the tangent of x's shape (jvp) or the cotangent of y's (vjp). */
struct value derive_expression(struct lowering *lowering, enum op op, struct value y, struct value x,
                               struct value along);

#endif
