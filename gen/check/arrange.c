/* The types of what is put together from elements of other values: blocks and stacks, kron, vec, reshape. */
#include "arrange.h"

#include "faults.h"
#include "report.h"
#include "sizes.h"
#include "unify.h"

static struct type child_type(struct checker *c, ast_id id, uint32_t i) {
    return resolve_type(c, c->out->type_of[ast_child(c->ast, id, i)]);
}

/* A scalar is 1x1, a vector a column, a row a row. */
static struct type as_matrix(struct checker *c, struct type type) {
    poly one = poly_number(c->polys, 1);
    if (type.rank == 2)
        return type;
    poly size = type.rank == 1 ? type.size[0] : one;
    return type.row ? type_matrix(one, size) : type_matrix(size, one);
}

/* ---- Stacks -------------------------------------------------------------------------------------------------------
 */

static const char *stack_name(const struct ast_node *node) {
    return node->kind == AST_LIST ? "a row of blocks" : node->kind == AST_BLOCK ? "a column of blocks" : NULL;
}

/* "m (rows of A)" */
static const char *side_of(struct checker *c, ast_id id, struct type type, int axis) {
    const char *what = type.rank == 1 && type.row == (axis == 1) ? "length" : axis == 0 ? "rows" : "columns";
    const char *size = poly_string(c->arena, c->polys, resolve(c, as_matrix(c, type).size[axis]));
    return format_string(c->arena, "%s (%s of %s)", size, what, shown_or_place(c, id));
}

/* Pieces 0 and k differ in the size that all share, that of this axis. */
static struct type report_pieces(struct checker *c, ast_id id, uint32_t k, int axis) {
    const struct ast_node *node = ast_node(c->ast, id);
    ast_id first = ast_child(c->ast, id, 0), other = ast_child(c->ast, id, k);
    const char *name = stack_name(node) ? stack_name(node) : format_string(c->arena, "'%s'", node->name);
    const char *sides = format_string(c->arena, "%s and %s", side_of(c, first, child_type(c, id, 0), axis),
                                      side_of(c, other, child_type(c, id, k), axis));
    struct diag *diag = complain(c, DIAG_E0205, node->op_span, name, sides);
    label_operand(c, diag, first, child_type(c, id, 0));
    label_operand(c, diag, other, child_type(c, id, k));
    note_implicit(c, diag, first);
    note_implicit(c, diag, other);
    return type_unknown();
}

/* Is every piece a scalar, or a list along the axis? */
static bool gives_list(struct checker *c, ast_id id, int axis) {
    bool list = true;
    for (uint32_t i = 0; i < ast_node(c->ast, id)->count; i++) {
        struct type type = child_type(c, id, i);
        list = list && (type.rank == 0 || (type.rank == 1 && type.row == (axis == 1)));
    }
    return list;
}

struct type type_stack(struct checker *c, ast_id id, int axis) {
    const struct ast_node *node = ast_node(c->ast, id);
    poly total = poly_number(c->polys, 0);
    for (uint32_t i = 0; i < node->count; i++)
        if (child_type(c, id, i).rank == RANK_UNKNOWN)
            return type_unknown();
    for (uint32_t i = 0; i < node->count; i++) {
        struct type first = as_matrix(c, child_type(c, id, 0)), piece = as_matrix(c, child_type(c, id, i));
        if (!unify(c, first.size[1 - axis], piece.size[1 - axis], id))
            return report_pieces(c, id, i, 1 - axis);
        if (total && piece.size[axis])
            total = size_bounded(c, id, poly_add(c->polys, total, piece.size[axis]));
    }
    struct type result = as_matrix(c, child_type(c, id, 0));
    result.size[axis] = total;
    if (node->count == 1)
        return child_type(c, id, 0);
    return gives_list(c, id, axis) ? type_list(total, axis == 1) : result;
}

/* ---- The others ---------------------------------------------------------------------------------------------------
 */

static poly times(struct checker *c, ast_id id, poly a, poly b) {
    return a && b ? size_bounded(c, id, poly_mul(c->polys, a, b)) : POLY_NONE;
}

static poly elements(struct checker *c, ast_id id, struct type type) {
    poly count = poly_number(c->polys, 1);
    for (uint8_t i = 0; i < type.rank; i++)
        count = times(c, id, count, type.size[i]);
    return count;
}

struct type type_kron(struct checker *c, ast_id id) {
    struct type a = child_type(c, id, 0), b = child_type(c, id, 1), x = as_matrix(c, a), y = as_matrix(c, b);
    poly rows = times(c, id, x.size[0], y.size[0]);
    struct type result = type_matrix(rows, rows ? times(c, id, x.size[1], y.size[1]) : POLY_NONE);
    if (a.rank == 2 || b.rank == 2 || (a.rank && b.rank && a.row != b.row))
        return result;
    bool row = a.rank ? a.row : b.row;
    return a.rank || b.rank ? type_list(result.size[row], row) : type_scalar();
}

struct type type_vec(struct checker *c, ast_id id) {
    return type_list(elements(c, id, child_type(c, id, 0)), false);
}

static struct type report_sizes(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    struct diag *diag = complain(c, DIAG_E0222, node->op_span, node->name,
                                 "a value and its new sizes, one or two in brackets: reshape(X, [p, q])");
    const char *value = shown(c, ast_child(c->ast, id, 0)), *size = shown(c, ast_child(c->ast, id, 1));
    if (value && size && ast_node(c->ast, ast_child(c->ast, id, 1))->kind != AST_BLOCK)
        diag_help(c->diags, diag, "did you mean reshape(%s, [%s]) ?", value, size);
    return type_unknown();
}

static struct type report_elements(struct checker *c, ast_id id, poly had, poly gets) {
    ast_id value = ast_child(c->ast, id, 0), sizes = ast_child(c->ast, id, 1);
    const char *has = format_string(c->arena, "%s has %s", shown_or_place(c, value),
                                    poly_string(c->arena, c->polys, resolve(c, had)));
    struct diag *diag = complain(c, DIAG_E0243, ast_node(c->ast, id)->op_span, has,
                                 format_string(c->arena, "%s has %s", shown_or_place(c, sizes),
                                               poly_string(c->arena, c->polys, resolve(c, gets))));
    label_operand(c, diag, value, child_type(c, id, 0));
    note_implicit(c, diag, value);
    return type_unknown();
}

struct type type_reshape(struct checker *c, ast_id id) {
    struct type type = child_type(c, id, 0), result = {0};
    ast_id sizes = ast_child(c->ast, id, 1);
    if (ast_node(c->ast, sizes)->kind != AST_BLOCK || ast_node(c->ast, sizes)->count != 1)
        return report_sizes(c, id);
    const struct ast_node *list = ast_node(c->ast, ast_child(c->ast, sizes, 0));
    if (list->count > 2)
        return report_sizes(c, id);
    for (uint32_t i = 0; i < list->count; i++)
        result.size[result.rank++] = size_checked(c, c->ast->children.at[list->first + i]);
    poly had = elements(c, id, type), gets = elements(c, id, result);
    return unify(c, had, gets, id) ? result : report_elements(c, id, had, gets);
}
