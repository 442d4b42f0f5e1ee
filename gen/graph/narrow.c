/* Selections move towards the leaves: of a sum, an elementwise operator or a product only what is selected is computed.
 * tanh(A @ B)[1:3, :] becomes tanh(A[1:3, :] @ B), and a slice of a stack is made of slices of its pieces. */
#include "rewrite.h"

#include <string.h>

enum { DEEPEST = 100 };

/* What is kept of each axis of a node: all of it, or offset + step * l with l below size; of an index one element. */
struct cut {
    bool cut, index;
    poly offset, step, size;
};

struct narrowing {
    const struct rewriting *rewriting;
    struct graph *graph;
    int depth;
    bool unresolved; /* a selection met a selector, and neither goes */
};

static struct value narrowed(struct narrowing *n, node_id id, const struct cut *cuts);
static struct value gathered(struct narrowing *n, node_id id, const struct cut *cuts);

static bool any_cut(const struct cut *cuts, uint8_t rank) {
    for (uint8_t a = 0; a < rank; a++)
        if (cuts[a].cut)
            return true;
    return false;
}

/* Is the node one factor in its place, 0 elsewhere? To cut it again is no work. */
static bool is_placed(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    uint32_t placing = 0, others = 0;
    for (uint32_t k = 0; node->kind == NODE_PRODUCT && k < node->count; k++) {
        const struct operand *factor = &node->operands[k];
        bool places = graph_node(graph, factor->node)->kind == NODE_SELECT && factor->at[0] < node->rank;
        placing += places;
        others += !places;
    }
    return node->kind == NODE_SELECT || (placing > 0 && others <= 1);
}

/* Is it, or is it a sum of such (a stack)? */
static bool is_free(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    bool placed = is_placed(graph, id);
    for (uint32_t i = 0; node->kind == NODE_SUM && i < node->count; i++) {
        placed = is_placed(graph, node->operands[i].node);
        if (!placed)
            return false;
    }
    return placed;
}

/* A value whose axes are those that are left of a node, as the node is read, with them in the node's own order. */
static struct value by_axes(const struct narrowing *n, node_id id, const struct cut *cuts, struct value read) {
    struct value value = {.node = read.node, .rank = read.rank};
    uint8_t rank = graph_node(n->graph, id)->rank, at = 0, place[MAX_RANK] = {0};
    for (uint8_t i = 0; i < rank; i++) {
        label a = n->graph->orders.at[id].at[i];
        if (!cuts[a].cut || !cuts[a].index)
            place[a] = at++;
    }
    for (label a = 0, next = 0; a < rank; a++)
        if (!cuts[a].cut || !cuts[a].index)
            value.axis[next++] = read.axis[place[a]];
    return value;
}

/* The form with the labels that its operands or the result have, and no others: those would count as summed. */
static struct index_form compacted(struct narrowing *n, const struct index_form *form, label *result, uint8_t rank) {
    struct index_form compact = {.labels = 0};
    label now[MAX_LABELS];
    memset(now, AXIS_UNIT, sizeof now);
    for (uint8_t i = 0; i < rank; i++)
        result[i] = now[result[i]] = form_label(&compact, form->size[result[i]]);
    for (size_t i = 0; i < form->operands.len; i++) {
        struct operand operand = form->operands.at[i];
        for (uint8_t a = 0; a < graph_node(n->graph, operand.node)->rank; a++) {
            if (now[operand.at[a]] == AXIS_UNIT)
                now[operand.at[a]] = form_label(&compact, form->size[operand.at[a]]);
            operand.at[a] = now[operand.at[a]];
        }
        vec_push(n->graph->arena, &compact.operands, operand);
    }
    return compact;
}

/* The labels of a node's form with its axes cut: sizes of what is kept; result lists the axes that are left. */
static uint8_t cut_labels(const struct node *node, const label *order, const struct cut *cuts, struct index_form *form,
                          label *result) {
    uint8_t rank = 0;
    form->labels = node->labels;
    memcpy(form->size, node->size, node->labels * sizeof *node->size);
    for (label a = 0; a < node->rank; a++) {
        if (cuts[a].cut)
            form->size[a] = cuts[a].size;
        if (!cuts[order[a]].cut || !cuts[order[a]].index)
            result[rank++] = order[a];
    }
    return rank;
}

/* Adds an operand of a node, cut where the node's axes are. */
static void add_cut(struct narrowing *n, const struct operand *operand, uint8_t node_rank, const struct cut *cuts,
                    struct index_form *form) {
    struct cut own[MAX_RANK] = {{false}};
    label at[MAX_RANK];
    uint8_t rank = graph_node(n->graph, operand->node)->rank, next = 0;
    for (uint8_t a = 0; a < rank; a++)
        own[a] = operand->at[a] < node_rank ? cuts[operand->at[a]] : (struct cut){.cut = false};
    struct value value = narrowed(n, operand->node, own);
    for (uint8_t a = 0; a < rank; a++)
        if (!own[a].cut || !own[a].index)
            at[value.axis[next++]] = operand->at[a];
    form_operand(form, n->graph, value.node, at, operand->coefficient);
}

/* A node with axes that nothing is summed over, element by element. */
static struct value narrow_elementwise(struct narrowing *n, node_id id, const struct cut *cuts) {
    const struct node node = *graph_node(n->graph, id);
    struct index_form form = {.labels = 0};
    label result[MAX_RANK];
    struct axis_order order = n->graph->orders.at[id];
    uint8_t rank = cut_labels(&node, order.at, cuts, &form, result);
    for (uint32_t i = 0; i < node.count; i++) {
        add_cut(n, &node.operands[i], node.rank, cuts, &form);
    }
    if (n->unresolved && node.kind == NODE_SUM) {
        n->unresolved = false;
        return gathered(n, id, cuts); /* of the stack as a whole, not piece by piece */
    }
    struct index_form compact = compacted(n, &form, result, rank);
    return by_axes(n, id, cuts,
                   node.kind == NODE_SUM ? graph_sum(n->graph, &compact, result, rank)
                                         : graph_map(n->graph, node.op, &compact, result, rank));
}

static bool is_index_factor(const struct graph *graph, node_id id) {
    enum node_kind kind = graph_node(graph, id)->kind;
    return kind == NODE_DELTA || kind == NODE_SELECT || kind == NODE_LOWER;
}

/* A product whose factors with elements are cut; deltas and selectors keep the index, which a selector ties to what is
 * left of it. Labels from node.labels on are what is left. */
static struct value narrow_product(struct narrowing *n, node_id id, const struct cut *cuts) {
    const struct node node = *graph_node(n->graph, id);
    struct index_form form = {.labels = node.labels};
    label result[MAX_RANK], left[MAX_RANK];
    bool tied[MAX_RANK] = {false};
    uint8_t rank = 0;
    memcpy(form.size, node.size, node.labels * sizeof *node.size);
    for (label a = 0; a < node.rank; a++) {
        left[a] = !cuts[a].cut ? a : cuts[a].index ? (label)AXIS_UNIT : form_label(&form, cuts[a].size);
    }
    for (uint8_t i = 0; i < node.rank; i++)
        if (left[n->graph->orders.at[id].at[i]] != AXIS_UNIT)
            result[rank++] = left[n->graph->orders.at[id].at[i]];
    for (uint32_t i = 0; i < node.count; i++) {
        struct operand operand = node.operands[i];
        uint8_t own = graph_node(n->graph, operand.node)->rank;
        if (is_index_factor(n->graph, operand.node)) {
            vec_push(n->graph->arena, &form.operands, operand);
            for (uint8_t a = 0; a < own; a++)
                if (operand.at[a] < node.rank)
                    tied[operand.at[a]] = true;
            continue;
        }
        add_cut(n, &operand, node.rank, cuts, &form);
        struct operand *added = &vec_last(&form.operands);
        for (uint8_t a = 0; a < graph_node(n->graph, added->node)->rank; a++)
            if (added->at[a] < node.rank)
                added->at[a] = left[added->at[a]];
    }
    for (label a = 0; a < node.rank; a++)
        if (cuts[a].cut && tied[a])
            form_select(&form, n->graph, a, cuts[a].offset, &left[a], &cuts[a].step, !cuts[a].index);
    struct index_form compact = compacted(n, &form, result, rank);
    struct value value = graph_product(n->graph, node.number, &compact, result, rank);
    if (!product_shares_index(n->graph, value.node))
        return by_axes(n, id, cuts, value);
    n->unresolved = true;
    return gathered(n, id, cuts);
}

/* The value itself, read at its selected places. */
static struct value gathered(struct narrowing *n, node_id id, const struct cut *cuts) {
    const struct value made = n->rewriting->made[id];
    const struct node node = *graph_node(n->graph, id);
    struct index_form form = {.labels = node.rank};
    label at[MAX_RANK] = {0}, result[MAX_RANK], left[MAX_RANK];
    uint8_t rank = 0;
    if (node.rank)
        memcpy(form.size, node.size, node.rank * sizeof *node.size);
    for (label a = 0; a < node.rank; a++) {
        label l = a;
        at[made.axis[a]] = a;
        if (cuts[a].cut) {
            l = cuts[a].index ? a : form_label(&form, cuts[a].size);
            form_select(&form, n->graph, a, cuts[a].offset, &l, &cuts[a].step, !cuts[a].index);
        }
        left[a] = cuts[a].cut && cuts[a].index ? (label)AXIS_UNIT : l;
    }
    form_operand(&form, n->graph, made.node, at, 1);
    for (uint8_t i = 0; i < node.rank; i++)
        if (left[n->graph->orders.at[id].at[i]] != AXIS_UNIT)
            result[rank++] = left[n->graph->orders.at[id].at[i]];
    return by_axes(n, id, cuts, graph_product(n->graph, 1, &form, result, rank));
}

/* A node cut as its axes say: the axes that are left, in their order. Work is never done twice: what others use too is
 * computed whole. */
static struct value narrowed(struct narrowing *n, node_id id, const struct cut *cuts) {
    const struct node *node = graph_node(n->graph, id);
    bool alone = n->rewriting->uses[id] == 1 || is_free(n->graph, id);
    if (!any_cut(cuts, node->rank))
        return n->rewriting->made[id];
    if (!alone || n->depth >= DEEPEST || node->labels + node->rank > MAX_LABELS ||
        (node->kind != NODE_SUM && node->kind != NODE_MAP && node->kind != NODE_PRODUCT))
        return gathered(n, id, cuts);
    n->depth++;
    struct value value = node->kind == NODE_PRODUCT ? narrow_product(n, id, cuts) : narrow_elementwise(n, id, cuts);
    n->depth--;
    return value;
}

/* The cut that a selector makes along label p of operand k: p is summed, and has no other factor. *selector: which. */
static bool cut_of(const struct graph *graph, const struct node *node, uint32_t k, label p, struct cut *cut,
                   uint32_t *selector) {
    uint32_t uses = 0;
    *cut = (struct cut){.cut = false};
    for (uint32_t i = 0; i < node->count; i++)
        for (uint8_t a = 0; a < graph_node(graph, node->operands[i].node)->rank; a++) {
            if (node->operands[i].at[a] != p)
                continue;
            uses++;
            const struct node *factor = graph_node(graph, node->operands[i].node);
            if (i == k || factor->kind != NODE_SELECT || a > 0 || factor->rank > 2)
                continue;
            *selector = i;
            *cut = (struct cut){true, factor->rank == 1, factor->dim, factor->rank > 1 ? factor->step[1] : POLY_NONE,
                                factor->rank > 1 ? factor->size[1] : poly_number(graph->polys, 1)};
        }
    cut->cut = cut->cut && uses == 2 && p >= node->rank;
    return cut->cut;
}

/* Cuts operand k of a product along every axis that a selector cuts; the selectors are marked as used up. */
static void narrow_operand(struct narrowing *n, const struct node *node, uint32_t k, struct index_form *form,
                           bool *used) {
    const struct operand *operand = &node->operands[k];
    struct cut cuts[MAX_RANK];
    label at[MAX_RANK] = {0}, left[MAX_RANK], count = 0;
    uint8_t rank = graph_node(n->graph, operand->node)->rank;
    for (uint8_t a = 0; a < rank; a++) {
        uint32_t selector = 0;
        left[a] = operand->at[a];
        if (!cut_of(n->graph, node, k, operand->at[a], &cuts[a], &selector))
            continue;
        used[selector] = true;
        left[a] = cuts[a].index ? (label)AXIS_UNIT : node->operands[selector].at[1];
    }
    struct value value = narrowed(n, operand->node, cuts);
    n->unresolved = false;
    for (uint8_t a = 0; a < rank; a++)
        if (left[a] != AXIS_UNIT)
            at[value.axis[count++]] = left[a];
    struct operand now = {.node = value.node, .coefficient = 1};
    memcpy(now.at, at, count);
    form->operands.at[k] = now;
}

struct value narrow_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    struct graph *graph = rewriting->graph;
    const struct node node = *graph_node(graph, id);
    struct narrowing n = {.rewriting = rewriting, .graph = graph};
    bool *used = NEW_ARRAY(graph->arena, node.count + 1, bool), any = false;
    for (uint32_t k = 0; node.kind == NODE_PRODUCT && k < node.count; k++) {
        enum node_kind kind = graph_node(graph, node.operands[k].node)->kind;
        bool cut = false;
        struct cut one;
        uint32_t selector;
        for (uint8_t a = 0; a < graph_node(graph, node.operands[k].node)->rank; a++)
            cut = cut || cut_of(graph, &node, k, node.operands[k].at[a], &one, &selector);
        if (!cut || (kind != NODE_SUM && kind != NODE_MAP && kind != NODE_PRODUCT))
            continue;
        narrow_operand(&n, &node, k, form, used);
        any = true;
    }
    if (!any)
        return graph_rebuild(graph, id, form, node.number);
    struct axis_order order = graph->orders.at[id];
    struct index_form rest = {.labels = form->labels};
    memcpy(rest.size, form->size, form->labels * sizeof *form->size);
    for (uint32_t k = 0; k < node.count; k++)
        if (!used[k])
            vec_push(graph->arena, &rest.operands, form->operands.at[k]);
    label read[MAX_RANK];
    memcpy(read, order.at, sizeof read);
    struct index_form compact = compacted(&n, &rest, read, node.rank);
    return in_axis_order(graph_product(graph, node.number, &compact, read, node.rank), order.at);
}
