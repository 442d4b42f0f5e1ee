/* Values that are a part of an array, or the same array in another shape: they are read where they are. */
#include "planning.h"

uint32_t buffer_base(const struct plan *plan, uint32_t index) {
    uint32_t base = plan->buffers.at[index].base;
    return base ? base : index;
}

/* A view being laid out over the array of its one factor with elements. */
struct layer {
    struct planning *p;
    node_id id;
    struct derived derived;
    struct buffer view;
    bool sums; /* a label of the array is summed: it is no view */
};

/* Elements along the array's axis with this stride are read at label l. Depth: labels follow from each other without a
 * circle. */
static void lay(struct layer *layer, label l, poly stride) {
    struct graph *graph = layer->p->graph;
    const struct node *node = graph_node(graph, layer->id);
    uint32_t by = layer->derived.by[l];
    if (by == NOT_DERIVED) {
        layer->sums = layer->sums || l >= node->rank;
        if (l < node->rank)
            layer->view.stride[l] = poly_add(graph->polys, layer->view.stride[l], stride);
        return;
    }
    struct operand factor = node->operands[by];
    const struct node select = *graph_node(graph, factor.node);
    layer->view.offset = poly_add(graph->polys, layer->view.offset, poly_mul(graph->polys, stride, select.dim));
    for (uint8_t a = 1; a < select.rank; a++)
        lay(layer, factor.at[a], poly_mul(graph->polys, stride, select.step[a]));
}

/* The factor with elements of a product of it and selectors only; NULL if it is none. */
static const struct operand *selected_factor(const struct graph *graph, const struct node *product) {
    const struct operand *only = NULL;
    for (uint32_t i = 0; i < product->count; i++) {
        if (graph_node(graph, product->operands[i].node)->kind == NODE_SELECT)
            continue;
        if (only)
            return NULL;
        only = &product->operands[i];
    }
    return product->number == 1 ? only : NULL;
}

/* Is every selector one that a label follows from? Another one would be a condition. */
static bool all_derive(const struct layer *layer) {
    const struct node *node = graph_node(layer->p->graph, layer->id);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        if (graph_node(layer->p->graph, operand->node)->kind == NODE_SELECT && layer->derived.by[operand->at[0]] != i)
            return false;
    }
    return true;
}

/* sum_p x_p delta(p, o + c l): the array from o on, with stride c. */
static bool is_part(struct layer *layer, const struct operand *factor, uint32_t source) {
    struct graph *graph = layer->p->graph;
    uint8_t rank = graph_node(graph, layer->id)->rank, own = graph_node(graph, factor->node)->rank;
    layer->derived = derived_labels(graph, layer->id, false);
    if (!all_derive(layer))
        return false;
    for (uint8_t a = 0; a < own; a++)
        lay(layer, factor->at[a], buffer_stride(graph, &layer->p->plan->buffers.at[source], a));
    for (label l = 0; l < rank; l++)
        if (layer->view.stride[l] == poly_number(graph->polys, 0))
            return false;
    return !layer->sums;
}

/* sum_ij x_ij delta(p, c i + d j): the array as a list, if its strides are as the steps. */
static bool is_list(struct layer *layer, const struct operand *factor, uint32_t source) {
    struct graph *graph = layer->p->graph;
    const struct node *node = graph_node(graph, layer->id);
    const struct buffer *buffer = &layer->p->plan->buffers.at[source];
    uint8_t own = graph_node(graph, factor->node)->rank;
    if (node->rank != 1 || node->count != 2)
        return false;
    const struct operand *by = &node->operands[factor == &node->operands[0]];
    const struct node *select = graph_node(graph, by->node);
    if (select->rank != own + 1 || node->labels != own + 1 || by->at[0] != 0 ||
        select->dim != poly_number(graph->polys, 0) || node_elements(graph, factor->node) != node->size[0])
        return false;
    poly unit = POLY_NONE; /* the stride of the axis whose step is 1 */
    for (int pass = 0; pass < 2; pass++)
        for (uint8_t arm = 1; arm < select->rank; arm++)
            for (uint8_t a = 0; a < own; a++) {
                if (factor->at[a] != by->at[arm])
                    continue;
                poly stride = buffer_stride(graph, buffer, a);
                if (pass == 0 && select->step[arm] == poly_number(graph->polys, 1))
                    unit = stride;
                if (pass == 1 && (!unit || stride != poly_mul(graph->polys, unit, select->step[arm])))
                    return false;
            }
    layer->view.stride[0] = unit;
    return unit != POLY_NONE;
}

bool view_of(struct planning *p, node_id id, struct buffer *view) {
    const struct node *node = graph_node(p->graph, id);
    const struct operand *factor = selected_factor(p->graph, node);
    uint32_t source = p->viewed[id] && factor ? source_of(p, factor->node) : 0;
    struct layer layer = {.p = p, .id = id, .view = {.node = id, .storage = STORE_VIEW}};
    poly zero = poly_number(p->graph->polys, 0);
    if (!source)
        return false;
    for (label l = 0; l < MAX_RANK; l++) {
        layer.view.stride[l] = zero;
        layer.view.order[l] = graph_order(p->graph, id)[l];
    }
    layer.view.offset = p->plan->buffers.at[source].base ? p->plan->buffers.at[source].offset : zero;
    layer.view.base = buffer_base(p->plan, source);
    bool good = is_part(&layer, factor, source) || is_list(&layer, factor, source);
    *view = layer.view;
    return good;
}
