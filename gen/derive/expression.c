/* Derivatives as expressions. */
#include "derive.h"

/* The cotangent of x, with the axes of its node in their order, given those of the targets. */
static struct value pull_from(struct lowering *lowering, const struct value *targets, const struct value *seeds,
                              size_t count, struct value x) {
    struct derivation record = {0};
    struct value result;
    derive_vjp(lowering, targets, seeds, count, &x.node, 1, NULL, &result, &record);
    return result;
}

/* What is differentiated by, and the cuts on the way to it. */
struct way {
    struct lowering *lowering;
    struct value x;
    const struct cut *cuts;
    size_t count;
};

/* (dy/dx)' u with the axes of x's node in their order: by the chain rule through the cuts, the last one first. */
static struct value pull(const struct way *way, struct value y, struct value u) {
    struct value *targets = NEW_ARRAY(way->lowering->arena, way->count + 1, struct value);
    struct value *seeds = NEW_ARRAY(way->lowering->arena, way->count + 1, struct value);
    size_t known = 0;
    targets[known] = y;
    seeds[known++] = u;
    for (size_t i = way->count; i-- > 0;) {
        struct value back =
            read_as(way->cuts[i].input, pull_from(way->lowering, targets, seeds, known, way->cuts[i].input));
        targets[known] = way->cuts[i].by;
        seeds[known++] = back;
    }
    return pull_from(way->lowering, targets, seeds, known, way->x);
}

static struct value pull_one(const struct way *way, struct value y) {
    return pull(way, y, value_number(way->lowering->graph, 1));
}

static struct value fresh(struct lowering *lowering, const char *name, struct value like) {
    return value_fresh_input(lowering->graph, intern(lowering->interner, name), like);
}

/* dy/dx t with the axes of u's node, u being a new input of y's shape: the gradient in u of <(dy/dx)' u, t>, which is
 * linear in u, so that u is gone from it. */
static struct value push(const struct way *way, struct value y, struct value u, struct value t) {
    struct value back = read_as(way->x, pull(way, y, u));
    return pull_one(&(struct way){way->lowering, u, NULL, 0}, value_inner(way->lowering->graph, back, t));
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

static struct value jacobian(const struct way *way, struct value y) {
    if (y.rank == 0)
        return read_as(way->x, pull_one(way, y));
    struct value u = fresh(way->lowering, "u", y), t = fresh(way->lowering, "t", way->x);
    return tensor(way->lowering, push(way, y, u, t), u, t);
}

static struct value hessian(const struct way *way, struct value f) {
    struct value gradient = read_as(way->x, pull_one(way, f)), t = fresh(way->lowering, "t", way->x);
    struct value product = pull_one(way, value_inner(way->lowering->graph, gradient, t));
    return tensor(way->lowering, product, way->x, t);
}

struct value derive_expression(struct lowering *lowering, enum op op, struct value y, struct value x,
                               struct value along, const struct cut *cuts, size_t count) {
    const struct way way = {lowering, x, cuts, count};
    switch (op) {
    case OP_jac:
        return jacobian(&way, y);
    case OP_hess:
        return hessian(&way, y);
    case OP_jvp: {
        struct value u = fresh(lowering, "u", y);
        return read_as(u, push(&way, y, u, along));
    }
    case OP_vjp:
        return read_as(x, pull(&way, y, along));
    default:
        return read_as(x, pull_one(&way, y));
    }
}
