/* The coefficients of a linear expression: the direction is replaced by Kronecker deltas, one for each of its axes, and
 * every node that depends on it gets those axes behind its own. Deltas go as products are made again. */
#include "derive.h"

#include <string.h>

struct lifting {
    struct lowering *lowering;
    struct graph *graph;
    node_id direction;
    uint8_t extra;        /* axes of the direction */
    struct value *lifted; /* by node: its value with the extra axes last; node 0: does not depend on the direction */
};

static bool is_lifted(const struct lifting *l, node_id id) {
    return l->lifted[id].node != 0;
}

/* The direction itself: delta_{a a'} delta_{b b'} …; a scalar direction is 1. */
static struct value basis(struct lifting *l) {
    const struct node node = *graph_node(l->graph, l->direction);
    struct index_form form = {0};
    label result[MAX_RANK * 2];
    for (uint8_t a = 0; a < node.rank; a++) {
        label here = form_label(&form, node.size[a]), there = form_label(&form, node.size[a]);
        form_operand(&form, l->graph, graph_delta(l->graph, node.size[a]), (label[]){here, there}, 1);
        result[a] = here;
        result[node.rank + a] = there;
    }
    return graph_product(l->graph, 1, &form, result, (uint8_t)(2 * node.rank));
}

/* Adds an operand of a node: as it is, or with the extra axes at the labels from `extra` on. */
static void add_lifted(struct lifting *l, struct index_form *form, const struct operand *operand, label extra) {
    struct value value = is_lifted(l, operand->node) ? l->lifted[operand->node] : graph_value(l->graph, operand->node);
    uint8_t own = graph_node(l->graph, operand->node)->rank;
    label at[MAX_RANK];
    for (uint8_t i = 0; i < value.rank; i++)
        at[value.axis[i]] = i < own ? operand->at[i] : (label)(extra + i - own);
    form_operand(form, l->graph, value.node, at, operand->coefficient);
}

static struct value lift(struct lifting *l, node_id id) {
    const struct node node = *graph_node(l->graph, id);
    struct axis_order order = l->graph->orders.at[id];
    struct index_form form = {.labels = node.labels};
    label result[MAX_RANK], extra = node.labels;
    memcpy(form.size, node.size, node.labels * sizeof *node.size);
    for (uint8_t a = 0; a < l->extra; a++)
        form_label(&form, graph_node(l->graph, l->direction)->size[a]);
    for (uint32_t i = 0; i < node.count; i++)
        add_lifted(l, &form, &node.operands[i], extra);
    uint8_t rank = (uint8_t)(node.rank + l->extra);
    for (uint8_t i = 0; i < rank; i++)
        result[i] = i < node.rank ? order.at[i] : (label)(extra + i - node.rank);
    struct value read = node.kind == NODE_PRODUCT ? graph_product(l->graph, node.number, &form, result, rank)
                                                  : graph_sum(l->graph, &form, result, rank);
    for (uint8_t i = 0; i < MAX_RANK; i++)
        order.at[i] = i < node.rank ? order.at[i] : i;
    return in_axis_order(read, order.at);
}

/* Are there axes and labels enough for the node with the extra ones? */
static bool has_room(const struct lifting *l, node_id id) {
    const struct node *node = graph_node(l->graph, id);
    bool fits = node->rank + l->extra <= MAX_RANK && node->labels + l->extra <= MAX_LABELS;
    if (!fits)
        l->lowering->too_many_axes = l->graph->spans.at[id];
    return fits;
}

static struct value zero(struct graph *graph, struct value value, node_id direction) {
    poly size[MAX_RANK * 2];
    uint8_t rank = 0;
    for (uint8_t i = 0; i < value.rank; i++)
        size[rank++] = graph_node(graph, value.node)->size[value.axis[i]];
    for (uint8_t a = 0; a < graph_node(graph, direction)->rank; a++)
        size[rank++] = graph_node(graph, direction)->size[a];
    return graph_fill(graph, 0, size, rank);
}

/* Lifts what is needed between the direction and the value; false where there is no room. */
static bool lift_all(struct lifting *l, node_id last, const bool *needed) {
    struct graph *graph = l->graph;
    l->lifted[l->direction] = basis(l);
    for (node_id id = l->direction + 1; id <= last; id++) {
        const struct node node = *graph_node(graph, id);
        bool depends = false;
        for (uint32_t i = 0; i < node.count; i++)
            depends = depends || is_lifted(l, node.operands[i].node);
        if (!depends || !needed[id])
            continue;
        if (!has_room(l, id))
            return false;
        if (node.kind == NODE_PRODUCT || node.kind == NODE_SUM)
            l->lifted[id] = lift(l, id);
        else
            l->lowering->defect =
                format_string(l->lowering->arena, "derive: node %%%u is not linear in its direction", id);
    }
    return true;
}

struct value derive_coefficients(struct lowering *lowering, struct value value, node_id direction) {
    struct graph *graph = lowering->graph;
    node_id nodes = (node_id)graph->nodes.len;
    struct lifting l = {lowering, graph, direction, graph_node(graph, direction)->rank,
                        NEW_ARRAY(lowering->arena, nodes, struct value)};
    bool *needed = NEW_ARRAY(lowering->arena, nodes, bool);
    graph_mark(graph, &value.node, 1, needed);
    const struct value lifted = lift_all(&l, value.node, needed) ? l.lifted[value.node] : (struct value){0};
    RELEASE_ARRAY(lowering->arena, nodes, needed);
    RELEASE_ARRAY(lowering->arena, nodes, l.lifted);
    if (!lifted.node)
        return zero(graph, value, direction);
    struct value result = {.node = lifted.node, .rank = (uint8_t)(value.rank + l.extra)};
    for (uint8_t i = 0; i < result.rank; i++)
        result.axis[i] = lifted.axis[i < value.rank ? value.axis[i] : i];
    return result;
}
