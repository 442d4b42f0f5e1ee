/* Derivations say (A + A') x, which is the fewest operations. To compute it so, the sum of the matrices would have to
 * be written and read again; two products with a vector read each matrix once. */
#include "order.h"
#include "planning.h"

enum { MOST_TERMS = 4 };

static bool is_array(const struct graph *graph, node_id id) {
    enum node_class class = class_of(graph, id);
    return graph_node(graph, id)->rank == 2 && class != CLASS_POINTWISE &&
           (class != CLASS_LEAF || graph_node(graph, id)->kind == NODE_INPUT);
}

/* A sum of whole arrays that nothing else uses. */
static bool is_sum_of_arrays(const struct rewriting *rewriting, node_id id, const struct operand *factor,
                             uint32_t place) {
    const struct graph *graph = rewriting->graph;
    const struct node *sum = graph_node(graph, factor->node);
    if (sum->kind != NODE_SUM || sum->count > MOST_TERMS ||
        rewriting->uses[graph_node(graph, id)->operands[place].node] != 1)
        return false;
    for (uint32_t i = 0; i < sum->count; i++)
        if (!is_array(graph, sum->operands[i].node))
            return false;
    return true;
}

struct value distribute_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    struct graph *graph = rewriting->graph;
    const struct node node = *graph_node(graph, id);
    struct axis_order order = graph->orders.at[id];
    bool vector = node.kind == NODE_PRODUCT && node.rank == 1 && node.labels == 2 && node.count == form->operands.len;
    for (uint32_t k = 0; vector && k < node.count; k++)
        if (is_sum_of_arrays(rewriting, id, &form->operands.at[k], k))
            return in_axis_order(product_over_terms(graph, &node, form, k, order.at), order.at);
    return graph_rebuild(graph, id, form, node.number);
}
