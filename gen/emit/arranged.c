/* Selectors and triangles read back: slices, stacks, Kronecker products, reshapes. */
#include "pieces.h"

/* ---- Slices and triangles of parts --------------------------------------------------------------------------------
 */

static bool has_label(const struct part *part, label l) {
    return (part->rank > 0 && part->at[0] == l) || (part->rank == 2 && part->at[1] == l);
}

/* Does another selector or triangle of the product have the label? */
static bool is_shared(const struct printer *p, const struct node *product, uint32_t except, label l) {
    for (uint32_t i = 0; i < product->count; i++) {
        const struct node *factor = factor_of(p, product, i);
        bool index =
            factor->kind == NODE_SELECT || factor->kind == NODE_LOWER || factor->kind == NODE_DELTA || factor->rank > 2;
        for (uint8_t a = 0; i != except && index && a < factor->rank; a++)
            if (product->operands[i].at[a] == l)
                return true;
    }
    return false;
}

static poly poly_one(const struct printer *p) {
    return poly_number(p->graph->polys, 1);
}

/* "1:3", or the index alone; one arm at most, of step 1. */
static const char *range_text(struct printer *p, const struct node *select) {
    const char *begin = poly_string(p->arena, p->graph->polys, select->dim);
    if (select->rank == 1)
        return begin;
    poly end = poly_add(p->graph->polys, select->dim, select->size[1]);
    return format_string(p->arena, "%s:%s", strcmp(begin, "0") == 0 ? "" : begin,
                         end == select->size[0] ? "" : poly_string(p->arena, p->graph->polys, end));
}

static bool is_range(const struct printer *p, const struct node *select) {
    return select->kind == NODE_SELECT && (select->rank == 1 || (select->rank == 2 && select->step[1] == poly_one(p)));
}

/* The part with its label p selected: X[1:3, :], X[:, k], x[2]. */
static void slice_part(struct printer *p, struct part *part, const struct node *select, const struct operand *by) {
    uint8_t which = part->at[0] != by->at[0];
    if (!part->sliced) {
        part->sliced = at_level(p, part->piece, LEVEL_POSTFIX);
        part->range[0] = ":";
        part->range[1] = part->rank == 2 ? ":" : NULL;
        part->axis[0] = 0;
        part->axis[1] = 1;
    }
    part->range[part->axis[which]] = range_text(p, select);
    part->piece = make(p, LEVEL_POSTFIX,
                       format_string(p->arena, part->range[1] ? "%s[%s, %s]" : "%s[%s]", part->sliced, part->range[0],
                                     part->range[1]));
    if (select->rank == 2) {
        part->at[which] = by->at[1];
    } else {
        part->at[0] = part->at[!which];
        part->axis[0] = part->axis[!which];
        part->rank--;
    }
}

/* A list at p = i*n + k as a matrix at i, k. */
static bool reshape_part(struct printer *p, struct part *part, const struct node *select, const struct operand *by) {
    if (select->rank != 3 || part->rank != 1 || select->dim != poly_number(p->graph->polys, 0))
        return false;
    uint8_t row = select->step[1] == poly_one(p) ? 2 : 1, column = (uint8_t)(3 - row);
    if (select->step[column] != poly_one(p) || select->step[row] != select->size[column])
        return false;
    const char *text = format_string(p->arena, "reshape(%s, [%s, %s])", part->piece.text,
                                     poly_piece(p, select->size[row]).text, poly_piece(p, select->size[column]).text);
    *part = (struct part){.at = {by->at[row], by->at[column]}, .rank = 2, .piece = make(p, LEVEL_POSTFIX, text)};
    return true;
}

/* Writes a selector of a summed label onto the parts that have that label; false if it must be a factor. */
static bool apply_selector(struct printer *p, struct parts *parts, const struct node *product, uint32_t i) {
    const struct operand *by = &product->operands[i];
    const struct node *select = factor_of(p, product, i);
    uint32_t found = 0;
    if (select->kind != NODE_SELECT || by->at[0] < product->rank || is_shared(p, product, i, by->at[0]))
        return false;
    for (uint32_t k = 0; k < parts->count; k++) {
        struct part *part = &parts->at[k];
        if (!has_label(part, by->at[0]))
            continue;
        if (part->divides || (!is_range(p, select) && (found || !reshape_part(p, part, select, by))))
            return false;
        if (is_range(p, select))
            slice_part(p, part, select, by);
        found++;
    }
    return found > 0;
}

/* Writes a triangle onto a matrix at the same labels. */
static bool apply_triangle(struct printer *p, struct parts *parts, const struct node *product, uint32_t i) {
    const struct operand *by = &product->operands[i];
    const struct node *lower = factor_of(p, product, i);
    for (uint32_t k = 0; lower->kind == NODE_LOWER && lower->rank == 2 && k < parts->count; k++) {
        struct part *part = &parts->at[k];
        bool same = part->rank == 2 && part->at[0] == by->at[0] && part->at[1] == by->at[1];
        bool swapped = part->rank == 2 && part->at[0] == by->at[1] && part->at[1] == by->at[0];
        if (same || swapped) {
            part->piece = call(p, same ? "tril" : "triu", part->piece);
            return true;
        }
    }
    return false;
}

/* ---- What programs write as one call ------------------------------------------------------------------------------
 */

/* A product without its factor i, and with other axes: label l of it is now[l], AXIS_UNIT where it is gone. */
static struct node without(struct printer *p, const struct node *node, uint32_t i, const label *now, uint8_t rank,
                           label labels) {
    struct node rest = *node;
    struct operand *operands = NEW_ARRAY(p->arena, node->count, struct operand);
    poly *size = NEW_ARRAY(p->arena, MAX_LABELS, poly);
    rest.count = 0;
    for (uint32_t k = 0; k < node->count; k++) {
        if (k == i)
            continue;
        operands[rest.count] = node->operands[k];
        for (uint8_t a = 0; a < factor_of(p, node, k)->rank; a++)
            operands[rest.count].at[a] = now[node->operands[k].at[a]];
        rest.count++;
    }
    for (label l = 0; l < node->labels; l++)
        if (now[l] != AXIS_UNIT)
            size[now[l]] = node->size[l];
    rest.operands = operands;
    rest.size = size;
    rest.rank = rank;
    rest.labels = labels;
    return rest;
}

/* The axis of the result that factor i alone selects, from summed labels; AXIS_UNIT if it is not so. */
static label placed_axis(const struct printer *p, const struct node *node, uint32_t i) {
    const struct operand *by = &node->operands[i];
    const struct node *select = factor_of(p, node, i);
    if (select->kind != NODE_SELECT || by->at[0] >= node->rank)
        return AXIS_UNIT;
    for (uint8_t a = 1; a < select->rank; a++)
        if (by->at[a] < node->rank)
            return AXIS_UNIT;
    for (uint32_t k = 0; k < node->count; k++)
        for (uint8_t a = 0; k != i && a < factor_of(p, node, k)->rank; a++)
            if (node->operands[k].at[a] == by->at[0])
                return AXIS_UNIT;
    return by->at[0];
}

/* The product without selector i of axis p: the axes that it is selected by take the place of p. *order: how the rest
 * is read, those axes by falling steps. */
static struct node unplaced(struct printer *p, const struct node *node, uint32_t i, const label *order,
                            label *rest_order) {
    const struct operand *by = &node->operands[i];
    const struct node *select = factor_of(p, node, i);
    uint8_t arms = (uint8_t)(select->rank - 1), rank = 0, at = 0;
    label now[MAX_LABELS], next;
    memset(now, AXIS_UNIT, sizeof now);
    for (label l = 0; l < node->rank; l++)
        if (l != by->at[0])
            now[l] = rank++;
    bool one_first = arms == 2 && select->step[1] == poly_one(p);
    for (uint8_t a = 0; a < arms; a++)
        now[by->at[one_first ? arms - a : a + 1]] = (label)(rank + a);
    next = (label)(rank + arms);
    for (label l = node->rank; l < node->labels; l++)
        if (now[l] == AXIS_UNIT)
            now[l] = next++;
    for (label l = 0; l < node->rank; l++) {
        if (order[l] != by->at[0])
            rest_order[at++] = now[order[l]];
        for (uint8_t a = 0; order[l] == by->at[0] && a < arms; a++)
            rest_order[at++] = (label)(rank + a);
    }
    return without(p, node, i, now, (uint8_t)(rank + arms), next);
}

/* vec(X), reshape(X, [m*n]): a list at p = i*n + k of a matrix. */
static bool vec_piece(struct printer *p, const struct node *node, struct piece *piece) {
    label order[MAX_RANK], none[MAX_RANK] = {0};
    for (uint32_t i = 0; node->rank == 1 && i < node->count; i++) {
        const struct node *select = factor_of(p, node, i);
        if (placed_axis(p, node, i) == AXIS_UNIT || select->rank != 3)
            continue;
        bool one_first = select->step[1] == poly_one(p);
        uint8_t small = one_first ? 1 : 2, large = one_first ? 2 : 1;
        if (select->step[small] != poly_one(p) || select->step[large] != select->size[small])
            return false;
        struct node rest = unplaced(p, node, i, none, order);
        label columns[MAX_RANK] = {order[1], order[0]};
        rest.number = 1;
        struct piece by_columns = piece_of_product(p, &rest, columns), by_rows = piece_of_product(p, &rest, order);
        *piece =
            strlen(by_columns.text) <= strlen(by_rows.text)
                ? call(p, "vec", by_columns)
                : make(p, LEVEL_POSTFIX,
                       format_string(p->arena, "reshape(%s, [%s])", by_rows.text, poly_piece(p, node->size[0]).text));
        *piece = piece_scaled(p, node->number, *piece);
        return true;
    }
    return false;
}

/* Does the factor select p = i * size of k + k? Then i is at[*large]. */
static bool joins(const struct printer *p, const struct node *select, uint8_t *large) {
    if (select->kind != NODE_SELECT || select->rank != 3 || select->dim != poly_number(p->graph->polys, 0))
        return false;
    *large = select->step[1] == poly_one(p) ? 2 : 1;
    return select->step[3 - *large] == poly_one(p) && select->step[*large] == select->size[3 - *large];
}

/* kron(A, B), of nothing but two matrices and the selectors of both axes. */
static bool kron_piece(struct printer *p, const struct node *node, const label *order, struct piece *piece) {
    const struct operand *axis[2] = {NULL, NULL}, *matrix[2] = {NULL, NULL};
    uint8_t large[2], matrices = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        uint8_t which;
        if (joins(p, factor_of(p, node, i), &which) && operand->at[0] < 2 && !axis[operand->at[0] != order[0]]) {
            axis[operand->at[0] != order[0]] = operand;
            large[operand->at[0] != order[0]] = which;
        } else if (factor_of(p, node, i)->rank == 2 && factor_of(p, node, i)->kind != NODE_LOWER && matrices < 2) {
            matrix[matrices++] = operand;
        } else {
            return false;
        }
    }
    if (node->rank != 2 || matrices != 2 || !axis[0] || !axis[1] || axis[0]->at[0] == axis[1]->at[0])
        return false;
    const char *text[2] = {NULL, NULL};
    for (int k = 0; k < 2; k++) {
        label rows = axis[0]->at[k ? 3 - large[0] : large[0]], columns = axis[1]->at[k ? 3 - large[1] : large[1]];
        for (int m = 0; m < 2; m++) {
            bool straight = matrix[m]->at[0] == rows && matrix[m]->at[1] == columns;
            bool turned = matrix[m]->at[1] == rows && matrix[m]->at[0] == columns;
            if (straight || turned)
                text[k] = piece_of_node(p, matrix[m]->node, (label[]){turned, straight}).text;
        }
    }
    if (!text[0] || !text[1])
        return false;
    *piece = make(p, LEVEL_POSTFIX, format_string(p->arena, "kron(%s, %s)", text[0], text[1]));
    *piece = piece_scaled(p, node->number, *piece);
    return true;
}

/* tril(…) of all the other factors. */
static bool triangle_piece(struct printer *p, const struct node *node, const label *order, struct piece *piece) {
    for (uint32_t i = 0; node->rank == 2 && node->count > 1 && i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        if (factor_of(p, node, i)->kind != NODE_LOWER || factor_of(p, node, i)->rank != 2 || operand->at[0] > 1 ||
            operand->at[1] > 1)
            continue;
        label same[MAX_LABELS];
        for (label l = 0; l < MAX_LABELS; l++)
            same[l] = l;
        struct node rest = without(p, node, i, same, node->rank, node->labels);
        *piece = call(p, operand->at[0] == order[0] ? "tril" : "triu", piece_of_product(p, &rest, order));
        return true;
    }
    return false;
}

/* ---- Stacks -------------------------------------------------------------------------------------------------------
 */

/* One term that is a stack's piece: which factor of it selects the axis of the stack. */
struct stacked {
    const struct operand *term;
    uint32_t selector;
    poly begin, end;
};

/* A node as a product; a selector alone is a product of it. */
static const struct node *as_product(struct printer *p, node_id id) {
    const struct node *node = graph_node(p->graph, id);
    if (node->kind != NODE_SELECT)
        return node;
    struct operand *self = NEW(p->arena, struct operand);
    struct node *product = NEW(p->arena, struct node);
    *self = (struct operand){.node = id, .coefficient = 1, .at = {0, 1, 2, 3, 4, 5, 6, 7}};
    *product = *node;
    product->kind = NODE_PRODUCT;
    product->number = 1;
    product->count = 1;
    product->operands = self;
    return product;
}

/* The piece of a sum's term along an axis of the sum; false if it is none. */
static bool is_stacked(struct printer *p, const struct node *sum, const struct operand *term, label axis,
                       struct stacked *piece) {
    const struct node *of = as_product(p, term->node);
    for (uint32_t i = 0; of->kind == NODE_PRODUCT && of->rank == sum->rank && i < of->count; i++) {
        const struct node *select = factor_of(p, of, i);
        if (!is_range(p, select) || placed_axis(p, of, i) == AXIS_UNIT || term->at[of->operands[i].at[0]] != axis)
            continue;
        poly size = select->rank == 2 ? select->size[1] : poly_one(p);
        *piece = (struct stacked){term, i, select->dim, poly_add(p->graph->polys, select->dim, size)};
        return true;
    }
    return false;
}

/* A piece of a stack along the second axis (beside) or the first, as a value that the stack takes. */
static const char *stacked_text(struct printer *p, const struct stacked *piece, const label *order, bool beside) {
    const struct node *of = as_product(p, piece->term->node);
    label own[MAX_RANK] = {0}, rest_order[MAX_RANK] = {0};
    for (uint8_t i = 0; i < of->rank; i++)
        for (label a = 0; a < of->rank; a++)
            if (piece->term->at[a] == order[i])
                own[i] = a;
    struct node rest = unplaced(p, of, piece->selector, own, rest_order);
    rest.number *= piece->term->coefficient;
    if (rest.count == 0 && rest.rank == 0)
        return number_piece(p, rest.number).text;
    struct piece text = piece_of_product(p, &rest, rest_order);
    return rest.rank == 1 && of->rank == 2 && !beside ? transposed(p, text).text : text.text;
}

enum { MOST_STACKED = 16 };

/* hcat(A, B), vcat(A, B): the terms of a sum that fill an axis one behind the other. */
static bool stack_piece(struct printer *p, const struct node *sum, const label *order, uint8_t place,
                        struct piece *stack) {
    struct text text = text_new(p->arena);
    poly at = poly_number(p->graph->polys, 0);
    bool beside = place == 1;
    if (sum->rank < 1 || sum->rank > 2 || sum->count < 2 || sum->count > MOST_STACKED)
        return false;
    for (uint32_t turn = 0; turn < sum->count; turn++) {
        struct stacked piece = {0};
        uint32_t i = 0;
        while (i < sum->count &&
               !(is_stacked(p, sum, &sum->operands[i], order[place], &piece) && piece.begin == at && piece.end != at))
            i++;
        if (i == sum->count)
            return false;
        text_printf(&text, "%s%s", turn ? ", " : "", stacked_text(p, &piece, order, beside));
        at = piece.end;
    }
    *stack = make(p, LEVEL_POSTFIX, format_string(p->arena, "%s(%s)", beside ? "hcat" : "vcat", text_string(&text)));
    return at == sum->size[order[place]];
}

/* Takes the selectors of ranges from the result; place gets "[1:3, :]". */
struct node piece_take_ranges(struct printer *p, struct node node, label *order, const char **place) {
    const char *range[MAX_RANK] = {NULL};
    uint8_t rank = node.rank, left[MAX_RANK]; /* the axes of the result that are still there */
    struct text text = text_new(p->arena);
    for (uint8_t i = 0; i < rank; i++)
        left[i] = i;
    for (uint32_t i = 0; i < node.count;) {
        const struct node *select = factor_of(p, &node, i);
        label axis = is_range(p, select) && node.count > 1 ? placed_axis(p, &node, i) : (label)AXIS_UNIT,
              rest[MAX_RANK];
        if (axis == AXIS_UNIT) {
            i++;
            continue;
        }
        uint8_t at = 0;
        while (order[at] != axis)
            at++;
        range[left[at]] = range_text(p, select);
        if (select->rank == 1)
            memmove(&left[at], &left[at + 1], (size_t)(node.rank - at - 1));
        node = unplaced(p, &node, i, order, rest);
        memcpy(order, rest, node.rank);
    }
    for (uint8_t i = 0; i < rank; i++)
        text_printf(&text, "%s%s", i ? ", " : "[", range[i] ? range[i] : ":");
    text_putc(&text, ']');
    *place = strchr(text_string(&text), ':') == NULL || strspn(text_string(&text), "[:, ]") != text.len
                 ? text_string(&text)
                 : "";
    return node;
}

bool piece_apply_index(struct printer *p, struct parts *parts, const struct node *product, uint32_t i) {
    return apply_selector(p, parts, product, i) || apply_triangle(p, parts, product, i);
}

bool piece_of_call(struct printer *p, const struct node *product, const label *order, struct piece *piece) {
    return vec_piece(p, product, piece) || kron_piece(p, product, order, piece) ||
           triangle_piece(p, product, order, piece);
}

bool piece_of_stack(struct printer *p, const struct node *sum, const label *order, struct piece *piece) {
    return stack_piece(p, sum, order, 0, piece) || (sum->rank == 2 && stack_piece(p, sum, order, 1, piece));
}
