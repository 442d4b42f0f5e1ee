/* Selectors, delta(p, offset + sum of step_k l_k): slices, stacks, Kronecker products and reshapes are products with
 * them, so that the product rule differentiates them all. Here are their constructor and the rules by which products
 * lose them. */
#include "intern.h"

#include <string.h>

/* ---- Making them --------------------------------------------------------------------------------------------------
 */

/* One label as it is selected by. */
struct arm {
    label from;
    poly step, size;
};

static bool arm_before(const struct arm *a, const struct arm *b) {
    return a->step != b->step ? a->step > b->step : a->size < b->size;
}

/* One order of the arms for every way to say the same map. A label that comes twice counts with both steps. */
static uint8_t sort_arms(struct graph *graph, struct arm *arms, uint8_t count) {
    uint8_t kept = 0;
    for (uint8_t i = 0; i < count; i++) {
        uint8_t same = 0;
        while (same < kept && arms[same].from != arms[i].from)
            same++;
        if (same < kept)
            arms[same].step = poly_add(graph->polys, arms[same].step, arms[i].step);
        else
            arms[kept++] = arms[i];
    }
    for (uint8_t i = 1; i < kept; i++)
        for (uint8_t k = i; k > 0 && arm_before(&arms[k], &arms[k - 1]); k--) {
            struct arm swap = arms[k];
            arms[k] = arms[k - 1];
            arms[k - 1] = swap;
        }
    return kept;
}

void form_select(struct index_form *form, struct graph *graph, label p, poly offset, const label *from,
                 const poly *step, uint8_t count) {
    poly zero = poly_number(graph->polys, 0), one = poly_number(graph->polys, 1);
    poly size[MAX_RANK] = {form->size[p]}, steps[MAX_RANK] = {zero};
    label at[MAX_RANK] = {p};
    struct arm arms[MAX_RANK];
    for (uint8_t i = 0; i < count; i++)
        arms[i] = (struct arm){from[i], step[i], form->size[from[i]]};
    count = sort_arms(graph, arms, count);
    for (uint8_t i = 0; i < count; i++) {
        size[i + 1] = arms[i].size;
        steps[i + 1] = arms[i].step;
        at[i + 1] = arms[i].from;
    }
    struct node select = {.kind = NODE_SELECT,
                          .rank = (uint8_t)(count + 1),
                          .labels = (uint8_t)(count + 1),
                          .size = size,
                          .step = steps,
                          .dim = offset};
    bool identity = count == 1 && offset == zero && steps[1] == one && size[0] == size[1];
    form_operand(form, graph, identity ? graph_delta(graph, size[0]) : graph_intern(graph, &select, NULL), at, 1);
}

/* ---- Products with them -------------------------------------------------------------------------------------------
 */

struct selecting {
    struct graph *graph;
    struct index_form *form;
    const bool *in_result;
    bool *alive;
    double *number;
    uint32_t uses[MAX_LABELS]; /* of each label, by axes of operands */
};

static const struct node *node_at(const struct selecting *s, size_t i) {
    return graph_node(s->graph, s->form->operands.at[i].node);
}

static bool is_select(const struct selecting *s, size_t i) {
    return node_at(s, i)->kind == NODE_SELECT;
}

static void drop(struct selecting *s, size_t i) {
    s->form->operands.at[i] = vec_pop(&s->form->operands);
}

/* Puts another selector in the place of operand i. */
static void replace(struct selecting *s, size_t i, label p, poly offset, const label *from, const poly *step,
                    uint8_t count) {
    form_select(s->form, s->graph, p, offset, from, step, count);
    s->form->operands.at[i] = vec_pop(&s->form->operands);
}

/* delta(p, o + c l + d l) = delta(p, o + (c + d) l). */
static bool join_twins(struct selecting *s, size_t i) {
    const struct node node = *node_at(s, i);
    struct operand operand = s->form->operands.at[i];
    for (uint8_t a = 1; a < node.rank; a++)
        for (uint8_t k = 1; k < a; k++)
            if (operand.at[a] == operand.at[k]) {
                replace(s, i, operand.at[0], node.dim, operand.at + 1, node.step + 1, (uint8_t)(node.rank - 1));
                return true;
            }
    return false;
}

/* sum_p delta(p, …) = 1. */
static bool drop_if_free(struct selecting *s, size_t i) {
    label p = s->form->operands.at[i].at[0];
    if (s->in_result[p] || s->uses[p] != 1)
        return false;
    drop(s, i);
    s->alive[p] = false;
    return true;
}

/* The largest index that is selected, where no label is empty: offset + sum of step * (size - 1). */
static poly last_selected(struct graph *graph, const struct node *node) {
    poly last = node->dim, one = poly_number(graph->polys, 1);
    for (uint8_t a = 1; a < node->rank; a++)
        last = poly_add(graph->polys, last,
                        poly_mul(graph->polys, node->step[a], poly_sub(graph->polys, node->size[a], one)));
    return last;
}

/* Is a < b for all sizes? */
static bool is_below(struct graph *graph, poly a, poly b) {
    poly gap = poly_sub(graph->polys, poly_sub(graph->polys, b, a), poly_number(graph->polys, 1));
    return poly_is_nonnegative(graph->polys, gap);
}

bool select_disjoint(struct graph *graph, node_id a, node_id b) {
    const struct node *x = graph_node(graph, a), *y = graph_node(graph, b);
    return is_below(graph, last_selected(graph, x), y->dim) || is_below(graph, last_selected(graph, y), x->dim);
}

/* delta(p, f(l)) delta(p, f(m)) = delta(p, f(l)) delta(l, m), since f tells the indices apart. */
static void meet_equal(struct selecting *s, size_t i, size_t k) {
    struct operand first = s->form->operands.at[i], second = s->form->operands.at[k];
    const struct node node = *node_at(s, i);
    drop(s, k);
    for (uint8_t a = 1; a < node.rank; a++)
        form_operand(s->form, s->graph, graph_delta(s->graph, node.size[a]), (label[]){first.at[a], second.at[a]}, 1);
}

/* delta(p, o + l) delta(p, f(m)) = delta(l, f(m) - o) delta(p, f(m)), if f stays within the range of o + l. */
static bool meet_within(struct selecting *s, size_t i, size_t k) {
    struct graph *graph = s->graph;
    const struct node outer = *node_at(s, i), inner = *node_at(s, k);
    struct operand range = s->form->operands.at[i], by = s->form->operands.at[k];
    if (outer.rank != 2 || outer.step[1] != poly_number(graph->polys, 1) || range.at[1] == range.at[0])
        return false;
    poly offset = poly_sub(graph->polys, inner.dim, outer.dim);
    poly end = poly_add(graph->polys, outer.dim, outer.size[1]);
    if (!poly_is_nonnegative(graph->polys, offset) || !is_below(graph, last_selected(graph, &inner), end))
        return false;
    replace(s, i, range.at[1], offset, by.at + 1, inner.step + 1, (uint8_t)(inner.rank - 1));
    return true;
}

static bool meet(struct selecting *s, size_t i, size_t k) {
    if (s->form->operands.at[i].node == s->form->operands.at[k].node)
        meet_equal(s, i, k);
    else if (select_disjoint(s->graph, s->form->operands.at[i].node, s->form->operands.at[k].node))
        *s->number = 0;
    else
        return meet_within(s, i, k) || meet_within(s, k, i);
    return *s->number != 0;
}

/* sum_l delta(p, o + c l + …) delta(l, f(m)) = delta(p, o + c f(m) + …). */
static bool compose(struct selecting *s, size_t i, size_t k) {
    struct graph *graph = s->graph;
    const struct node outer = *node_at(s, i), inner = *node_at(s, k);
    struct operand to = s->form->operands.at[i], by = s->form->operands.at[k];
    label l = by.at[0], from[2 * MAX_RANK];
    poly step[2 * MAX_RANK], offset = outer.dim;
    uint8_t count = 0;
    if (to.at[0] == l || s->in_result[l] || s->uses[l] != 2 || outer.rank + inner.rank > MAX_RANK)
        return false;
    for (uint8_t a = 1; a < outer.rank; a++) {
        if (to.at[a] != l) {
            from[count] = to.at[a];
            step[count++] = outer.step[a];
            continue;
        }
        offset = poly_add(graph->polys, offset, poly_mul(graph->polys, outer.step[a], inner.dim));
        for (uint8_t b = 1; b < inner.rank; b++) {
            from[count] = by.at[b];
            step[count++] = poly_mul(graph->polys, outer.step[a], inner.step[b]);
        }
    }
    replace(s, i, to.at[0], offset, from, step, count);
    drop(s, k);
    s->alive[l] = false;
    return true;
}

static bool reads(const struct operand *operand, uint8_t rank, label l) {
    for (uint8_t a = 1; a < rank; a++)
        if (operand->at[a] == l)
            return true;
    return false;
}

/* A triangle of one index twice is 1, and so is a second one of the same two beside the first. */
static bool drop_triangle(struct selecting *s, size_t i) {
    const struct operand *a = &s->form->operands.at[i];
    if (node_at(s, i)->kind != NODE_LOWER || node_at(s, i)->rank != 2)
        return false;
    bool idle = a->at[0] == a->at[1];
    for (size_t k = 0; k < i && !idle; k++)
        idle = s->form->operands.at[k].node == a->node && memcmp(s->form->operands.at[k].at, a->at, 2) == 0;
    if (idle)
        drop(s, i);
    return idle;
}

static bool rule_of_pair(struct selecting *s, size_t i, size_t k) {
    const struct operand *a = &s->form->operands.at[i], *b = &s->form->operands.at[k];
    if (a->at[0] == b->at[0])
        return i < k && meet(s, i, k);
    return reads(a, node_at(s, i)->rank, b->at[0]) && compose(s, i, k);
}

bool select_rule(struct graph *graph, struct index_form *form, const bool *in_result, bool *alive, double *number) {
    struct selecting s = {.graph = graph, .form = form, .in_result = in_result, .alive = alive, .number = number};
    for (size_t i = 0; i < form->operands.len; i++)
        for (uint8_t a = 0; a < node_at(&s, i)->rank; a++)
            s.uses[form->operands.at[i].at[a]]++;
    for (size_t i = 0; i < form->operands.len && *number != 0; i++)
        if (drop_triangle(&s, i) || (is_select(&s, i) && (join_twins(&s, i) || drop_if_free(&s, i))))
            return true;
    for (size_t i = 0; i < form->operands.len; i++)
        for (size_t k = 0; k < form->operands.len && is_select(&s, i) && *number != 0; k++)
            if (i != k && is_select(&s, k) && rule_of_pair(&s, i, k))
                return true;
    return false;
}
