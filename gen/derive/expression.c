/* Derivatives as expressions. */
#include "derive.h"

/* (dy/dx)' u with the axes of x's node in their order. */
static struct value pull(struct lowering *lowering, struct value y, struct value u, struct value x) {
    struct derivation record = {0};
    struct value result;
    derive_vjp(lowering, &y, &u, 1, &x.node, 1, NULL, &result, &record);
    return result;
}

static struct value pull_one(struct lowering *lowering, struct value y, struct value x) {
    return pull(lowering, y, value_number(lowering->graph, 1), x);
}

static struct value fresh(struct lowering *lowering, const char *name, struct value like) {
    return value_fresh_input(lowering->graph, intern(lowering->interner, name), like);
}

/* dy/dx t with the axes of u's node, u being a new input of y's shape: the gradient in u of <(dy/dx)' u, t>, which is
 * linear in u, so that u is gone from it. */
static struct value push(struct lowering *lowering, struct value y, struct value u, struct value x, struct value t) {
    struct value back = read_as(x, pull(lowering, y, u, x));
    return pull_one(lowering, value_inner(lowering->graph, back, t), u);
}

/* The coefficients in t of a value that is linear in it, as a tensor: y's axes, then t's; value has the axes of y's
 * node in their order. */
static struct value tensor(struct lowering *lowering, struct value value, struct value y, struct value t) {
    struct value lifted = derive_coefficients(lowering, value, t.node), result = {.node = lifted.node};
    for (uint8_t a = 0; a < y.rank; a++)
        result.axis[result.rank++] = y.axis[a] == AXIS_UNIT ? (label)AXIS_UNIT : lifted.axis[y.axis[a]];
    for (uint8_t a = 0; a < t.rank; a++)
        result.axis[result.rank++] = t.axis[a] == AXIS_UNIT ? (label)AXIS_UNIT : lifted.axis[value.rank + t.axis[a]];
    result.row = result.rank == 1 && (y.rank ? y.row : t.row);
    return result;
}

static struct value jacobian(struct lowering *lowering, struct value y, struct value x) {
    if (y.rank == 0)
        return read_as(x, pull_one(lowering, y, x));
    struct value u = fresh(lowering, "u", y), t = fresh(lowering, "t", x);
    return tensor(lowering, push(lowering, y, u, x, t), u, t);
}

static struct value hessian(struct lowering *lowering, struct value f, struct value x) {
    struct value gradient = read_as(x, pull_one(lowering, f, x)), t = fresh(lowering, "t", x);
    struct value product = pull_one(lowering, value_inner(lowering->graph, gradient, t), x);
    return tensor(lowering, product, x, t);
}

struct value derive_expression(struct lowering *lowering, enum op op, struct value y, struct value x,
                               struct value along) {
    switch (op) {
    case OP_jac:
        return jacobian(lowering, y, x);
    case OP_hess:
        return hessian(lowering, y, x);
    case OP_jvp: {
        struct value u = fresh(lowering, "u", y);
        return read_as(u, push(lowering, y, u, x, along));
    }
    case OP_vjp:
        return read_as(x, pull(lowering, y, along, x));
    default:
        return read_as(x, pull_one(lowering, y, x));
    }
}
