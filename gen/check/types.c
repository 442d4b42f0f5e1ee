/* The arithmetic of types: what a product, a broadcast and two values of one shape ask of their operands. */
#include "types.h"

#include "unify.h"

struct type type_unknown(void) {
    return (struct type){.rank = RANK_UNKNOWN};
}

struct type type_scalar(void) {
    return (struct type){0};
}

struct type type_list(poly size, bool row) {
    return (struct type){.rank = 1, .row = row, .size = {size, POLY_NONE}};
}

struct type type_matrix(poly rows, poly columns) {
    return (struct type){.rank = 2, .size = {rows, columns}};
}

struct type type_transposed(struct type type) {
    if (type.rank == 1)
        return type_list(type.size[0], !type.row);
    return type.rank == 2 ? type_matrix(type.size[1], type.size[0]) : type;
}

static bool either_unknown(struct type a, struct type b) {
    return a.rank == RANK_UNKNOWN || b.rank == RANK_UNKNOWN;
}

static bool set_fault(struct fault *fault, enum fault_kind kind, struct type a, int a_axis, struct type b, int b_axis) {
    *fault = (struct fault){.kind = kind, .size = {a.size[a_axis], b.size[b_axis]}, .axis = {a_axis, b_axis}};
    return false;
}

/* ---- '@' ----------------------------------------------------------------------------------------------------------
 */

/* The table of products; the axes that are summed over, -1 where none is. */
static bool product_kind(struct type a, struct type b, int axis[2], struct type *type) {
    bool left_row = a.rank == 1 && a.row, right_row = b.rank == 1 && b.row;
    axis[0] = a.rank == 2 ? 1 : 0;
    axis[1] = 0;
    if (a.rank == 0 || b.rank == 0 || (right_row && (a.rank == 2 || left_row)))
        return false;
    if (right_row) {
        axis[0] = -1;
        *type = type_matrix(a.size[0], b.size[0]);
    } else if (a.rank == 2) {
        *type = b.rank == 2 ? type_matrix(a.size[0], b.size[1]) : type_list(a.size[0], false);
    } else {
        *type = b.rank == 2 ? type_list(b.size[1], left_row) : type_scalar();
    }
    return true;
}

bool types_multiply(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                    struct fault *fault) {
    int axis[2];
    *type = type_unknown();
    if (either_unknown(a, b))
        return true;
    struct type product = type_unknown();
    if (!product_kind(a, b, axis, &product))
        return set_fault(fault, FAULT_PRODUCT, a, 0, b, 0);
    if (axis[0] >= 0 && !unify(c, a.size[axis[0]], b.size[axis[1]], at))
        return set_fault(fault, FAULT_INNER, a, axis[0], b, axis[1]);
    *type = product;
    return true;
}

/* ---- Elementwise --------------------------------------------------------------------------------------------------
 */

static bool is_literal_one(struct checker *c, poly size) {
    int64_t number;
    return poly_is_number(c->polys, resolve(c, size), &number) && number == 1;
}

/* A literal 1 stretches; an unknown size is made equal to the other, unless that is 1. */
static bool broadcast_size(struct checker *c, ast_id at, poly a, poly b, poly *size) {
    *size = is_literal_one(c, a) ? b : a;
    return is_literal_one(c, a) || is_literal_one(c, b) || unify(c, a, b, at);
}

static bool broadcast_matrices(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                               struct fault *fault) {
    *type = type_matrix(POLY_NONE, POLY_NONE);
    for (int axis = 0; axis < 2; axis++)
        if (!broadcast_size(c, at, a.size[axis], b.size[axis], &type->size[axis]))
            return set_fault(fault, FAULT_SIZES, a, axis, b, axis);
    return true;
}

/* A vector or row beside a matrix, in either order, goes along the last axis. */
static bool broadcast_along(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                            struct fault *fault) {
    int a_axis = a.rank - 1, b_axis = b.rank - 1;
    struct type list = a.rank == 1 ? a : b, matrix = a.rank == 1 ? b : a;
    *type = matrix;
    if (broadcast_size(c, at, a.size[a_axis], b.size[b_axis], &type->size[1]))
        return true;
    bool fits_rows = resolve(c, list.size[0]) == resolve(c, matrix.size[0]);
    return set_fault(fault, fits_rows ? FAULT_FITS_ROWS : FAULT_SIZES, a, a_axis, b, b_axis);
}

static bool broadcast_lists(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                            struct fault *fault) {
    if (a.row != b.row)
        return set_fault(fault, FAULT_ROW, a, 0, b, 0);
    *type = a;
    return broadcast_size(c, at, a.size[0], b.size[0], &type->size[0]) || set_fault(fault, FAULT_SIZES, a, 0, b, 0);
}

bool types_broadcast(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                     struct fault *fault) {
    *type = type_unknown();
    if (either_unknown(a, b))
        return true;
    *type = a.rank == 0 ? b : a;
    if (a.rank == 0 || b.rank == 0)
        return true;
    if (a.rank == 1 && b.rank == 1)
        return broadcast_lists(c, at, a, b, type, fault);
    if (a.rank == 2 && b.rank == 2)
        return broadcast_matrices(c, at, a, b, type, fault);
    return broadcast_along(c, at, a, b, type, fault);
}

/* ---- Two of one shape ---------------------------------------------------------------------------------------------
 */

bool types_same(struct checker *c, ast_id at, struct type a, struct type b, struct fault *fault) {
    if (either_unknown(a, b))
        return true;
    if (a.rank != b.rank || a.row != b.row)
        return set_fault(fault, FAULT_RANKS, a, 0, b, 0);
    for (int axis = 0; axis < a.rank; axis++)
        if (!unify(c, a.size[axis], b.size[axis], at))
            return set_fault(fault, FAULT_SIZES, a, axis, b, axis);
    return true;
}
