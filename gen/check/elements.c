/* Elements and slices. Whether a bound is right is looked at when all sizes are known; what then still depends on the
 * sizes is left for the generated function to check. */
#include "elements.h"

#include "faults.h"
#include "report.h"
#include "sizes.h"
#include "types.h"
#include "unify.h"

/* ---- Types --------------------------------------------------------------------------------------------------------
 */

static struct type report_index_count(struct checker *c, ast_id id, struct type type) {
    const struct ast_node *node = ast_node(c->ast, id);
    ast_id value = ast_child(c->ast, id, 0);
    const char *given =
        node->count == 2 ? "an index" : format_string(c->arena, "%u indices", (unsigned)node->count - 1);
    struct diag *diag = complain(c, DIAG_E0240, node->span, kind_string(c, type), given);
    label_operand(c, diag, value, type);
    note_implicit(c, diag, value);
    return type_unknown();
}

/* A bound as a number from the beginning: a negative literal counts from the end. */
static poly bound_from_begin(struct checker *c, ast_id id, poly size) {
    const struct ast_node *node = ast_node(c->ast, id);
    bool from_end = node->kind == AST_NEGATE && ast_node(c->ast, ast_child(c->ast, id, 0))->kind == AST_NUMBER &&
                    c->size_of[id] != poly_number(c->polys, 0);
    if (!c->size_of[id] || !size)
        return POLY_NONE;
    return from_end ? size_bounded(c, id, poly_add(c->polys, size, c->size_of[id])) : c->size_of[id];
}

static struct extent slice_extent(struct checker *c, ast_id id, poly size) {
    ast_id begin = ast_child(c->ast, id, 0), end = ast_child(c->ast, id, 1);
    struct extent extent = {.begin = poly_number(c->polys, 0)};
    poly stop = end ? bound_from_begin(c, end, size) : size;
    if (begin)
        extent.begin = bound_from_begin(c, begin, size);
    if (extent.begin && stop)
        extent.size = size_bounded(c, id, poly_sub(c->polys, stop, extent.begin));
    return extent;
}

struct type type_index(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    struct type type = resolve_type(c, c->out->type_of[ast_child(c->ast, id, 0)]), result = {0};
    if (type.rank == RANK_UNKNOWN)
        return type_unknown();
    if (node->count - 1 > type.rank)
        return report_index_count(c, id, type);
    for (uint32_t axis = 0; axis < type.rank; axis++) {
        ast_id index = axis + 1 < node->count ? ast_child(c->ast, id, axis + 1) : 0;
        struct extent *extent = &c->out->extent_of[index];
        if (!index) {
            result.size[result.rank++] = type.size[axis];
        } else if (ast_node(c->ast, index)->kind == AST_SLICE) {
            *extent = slice_extent(c, index, type.size[axis]);
            result.size[result.rank++] = extent->size;
        } else {
            *extent = (struct extent){bound_from_begin(c, index, type.size[axis]), poly_number(c->polys, 1), true};
        }
    }
    result.row = type.row && result.rank == 1 && type.rank == 1;
    return result;
}

/* ---- Bounds -------------------------------------------------------------------------------------------------------
 */

enum verdict { NEVER, ALWAYS, SOMETIMES };

/* Is p >= 0? Never, if there is no term with a plus, and it is below 0 even where all names are 0 (strict), or is not
 * 0. */
static enum verdict is_nonnegative(struct checker *c, poly p, bool strict) {
    struct poly_terms terms = poly_terms(c->polys, p);
    bool positive = false, constant = false;
    for (uint32_t i = 0; i < terms.count; i++) {
        positive |= terms.at[i].coefficient > 0;
        constant |= terms.at[i].degree == 0;
    }
    if (poly_is_nonnegative(c->polys, p))
        return ALWAYS;
    return !positive && (constant || !strict) ? NEVER : SOMETIMES;
}

/* Notes what a function has to check; false if it never holds. */
static bool require(struct checker *c, uint32_t statement, poly p, bool strict) {
    enum verdict verdict = is_nonnegative(c, p, strict);
    if (verdict == SOMETIMES)
        vec_push(c->arena, &c->out->bounds, (struct bound){statement, p});
    return verdict != NEVER;
}

/* "x, which has 3 elements" */
static const char *extent_string(struct checker *c, ast_id value, uint32_t axis) {
    struct type type = c->out->type_of[value];
    const char *what = type.rank == 1 ? "element" : axis == 0 ? "row" : "column";
    bool one = type.size[axis] == poly_number(c->polys, 1);
    return format_string(c->arena, "%s, which has %s %s%s", shown_or_place(c, value),
                         poly_string(c->arena, c->polys, type.size[axis]), what, one ? "" : "s");
}

static void report_index(struct checker *c, ast_id id, ast_id index, uint32_t axis, poly begin) {
    ast_id value = ast_child(c->ast, id, 0);
    poly size = c->out->type_of[value].size[axis];
    struct diag *diag =
        complain(c, DIAG_E0241, ast_node(c->ast, index)->span, shown_or_place(c, index), extent_string(c, value, axis));
    int64_t number;
    label_operand(c, diag, value, c->out->type_of[value]);
    if (begin == size)
        diag_help(c->diags, diag, "indices begin at 0: the last is %s, or -1",
                  poly_string(c->arena, c->polys, poly_sub(c->polys, size, poly_number(c->polys, 1))));
    else if (!poly_is_number(c->polys, begin, &number) && is_nonnegative(c, begin, false) == NEVER)
        diag_help(c->diags, diag, "only a literal counts from the end; did you mean %s ?",
                  poly_string(c->arena, c->polys, poly_add(c->polys, size, begin)));
}

static void report_slice(struct checker *c, ast_id id, ast_id slice, uint32_t axis, const char *wrong) {
    ast_id value = ast_child(c->ast, id, 0);
    const char *text = format_string(c->arena, "%s %s", wrong, extent_string(c, value, axis));
    struct diag *diag = complain(c, DIAG_E0242, ast_node(c->ast, slice)->span, shown_or_place(c, slice), text);
    label_operand(c, diag, value, c->out->type_of[value]);
}

static void check_index(struct checker *c, uint32_t statement, ast_id id, ast_id index, uint32_t axis) {
    const struct extent *extent = &c->out->extent_of[index];
    poly size = c->out->type_of[ast_child(c->ast, id, 0)].size[axis];
    poly room = poly_sub(c->polys, poly_sub(c->polys, size, extent->begin), poly_number(c->polys, 1));
    if (!require(c, statement, extent->begin, false) || !require(c, statement, room, true))
        report_index(c, id, index, axis, extent->begin);
}

static void check_slice(struct checker *c, uint32_t statement, ast_id id, ast_id slice, uint32_t axis) {
    const struct extent *extent = &c->out->extent_of[slice];
    poly size = c->out->type_of[ast_child(c->ast, id, 0)].size[axis];
    poly room = poly_sub(c->polys, poly_sub(c->polys, size, extent->begin), extent->size);
    if (!require(c, statement, extent->begin, false))
        report_slice(c, id, slice, axis, "begins before the first element of");
    else if (!require(c, statement, room, true))
        report_slice(c, id, slice, axis, "ends behind the last element of");
    else if (extent->size == poly_number(c->polys, 0) || !require(c, statement, extent->size, true))
        report_slice(c, id, slice, axis, "takes nothing of");
}

static void check_bounds(struct checker *c, uint32_t statement, ast_id id) {
    for (uint32_t i = 1; i < ast_node(c->ast, id)->count; i++) {
        ast_id index = ast_child(c->ast, id, i);
        struct extent *extent = &c->out->extent_of[index];
        if (!extent->begin || !extent->size)
            continue;
        extent->begin = resolve(c, extent->begin);
        extent->size = resolve(c, extent->size);
        if (extent->index)
            check_index(c, statement, id, index, i - 1);
        else
            check_slice(c, statement, id, index, i - 1);
    }
}

void bounds_check(struct checker *c) {
    for (uint32_t s = 0; s < c->ast->statements.len; s++) {
        const struct ast_statement *statement = &c->ast->statements.at[s];
        size_t first = c->diags->all.len;
        for (ast_id id = statement->begin; statement->kind == STATEMENT_ASSIGN && id < statement->end; id++)
            if (c->context[id] == CONTEXT_VALUE && ast_node(c->ast, id)->kind == AST_INDEX)
                check_bounds(c, s, id);
        note_calls(c, first, statement->expansion);
    }
}
