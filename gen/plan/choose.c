/* Which values are stored. A value that costs little is computed again in each loop that uses it; one that costs more,
 * or that a product reads, or that would be computed once for every element of a larger loop, gets a buffer. */
#include "planning.h"

#include <string.h>

enum { CHEAP = 2, LARGEST_INLINE = 64, TRANSCENDENTAL = 8 };

static enum node_class class_of_product(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    struct gemm_form form;
    if (node->labels == node->rank)
        return CLASS_POINTWISE;
    if (gemm_form_of(graph, id, &form))
        return CLASS_GEMM;
    if (!derived_labels(graph, id, false).any_sums)
        return CLASS_POINTWISE;
    return derived_labels(graph, id, true).scatters ? CLASS_SCATTER : CLASS_REDUCTION;
}

bool is_scattered(const struct graph *graph, node_id id) {
    enum node_kind kind = graph_node(graph, id)->kind;
    return (kind == NODE_PRODUCT || kind == NODE_DELTA || kind == NODE_SELECT) &&
           derived_labels(graph, id, true).scatters;
}

/* Loops of a node that gets its own, or stands inline. */
static label loops_of(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    return node->kind == NODE_PRODUCT && node->labels > node->rank
               ? derived_labels(graph, id, class_of(graph, id) == CLASS_SCATTER).loops
               : node->labels;
}

enum node_class class_of(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    switch (node->kind) {
    case NODE_PRODUCT:
        return class_of_product(graph, id);
    case NODE_SUM:
    case NODE_MAP:
        return CLASS_POINTWISE;
    case NODE_REDUCE:
        return CLASS_REDUCTION;
    case NODE_ALONG:
        return CLASS_ALONG;
    case NODE_MATRIX:
        return CLASS_MATRIX;
    default:
        return CLASS_LEAF;
    }
}

static bool is_sign(double number) {
    return number == 1 || number == -1;
}

/* Operations of the node itself. */
static uint32_t own_flops(const struct node *node) {
    uint32_t flops = node->kind == NODE_MAP ? 1 : node->count ? node->count - 1 : 0;
    if (node->kind == NODE_PRODUCT && node->count)
        flops += !is_sign(node->number);
    for (uint32_t i = 0; node->kind == NODE_SUM && i < node->count; i++)
        flops += !is_sign(node->operands[i].coefficient);
    return flops;
}

/* How the nodes that use a node use it. */
struct use {
    uint32_t users;
    bool as_array; /* an output, or read by a kernel that takes arrays */
    bool wide;     /* by loops over more labels than its own */
    bool lined;    /* read along lines, an output, saved: it needs an array of its own */
};

/* Does a node's kernel read this operand as an array? What it replaces is first written into its target. */
static bool reads_array(const struct node *node, enum node_class class, uint32_t operand) {
    return class == CLASS_GEMM || class == CLASS_ALONG ||
           (class == CLASS_MATRIX && (int)operand != replaced_operand(node));
}

static void note_uses(const struct planning *p, node_id id, struct use *uses) {
    const struct node *node = graph_node(p->graph, id);
    enum node_class class = class_of(p->graph, id);
    label loops = loops_of(p->graph, id);
    for (uint32_t i = 0; i < node->count; i++) {
        struct use *use = &uses[node->operands[i].node];
        use->users++;
        use->as_array = use->as_array || reads_array(node, class, i);
        use->lined = use->lined || class == CLASS_ALONG;
        use->wide = use->wide || loops > graph_node(p->graph, node->operands[i].node)->rank;
    }
}

static uint32_t own_weight(const struct node *node) {
    bool slow = node->kind == NODE_MAP && !(op_records[node->op].flags & OP_CHEAP);
    bool divides = node->kind == NODE_MAP && op_records[node->op].flags & OP_RECIPROCAL;
    uint32_t flops = own_flops(node);
    return slow ? TRANSCENDENTAL : divides ? CHEAP + 1 : flops ? flops : 1;
}

static bool gets_buffer(const struct graph *graph, node_id id, const struct use *use, uint32_t weight) {
    bool scalar = graph_node(graph, id)->rank == 0;
    if (use->as_array || weight > LARGEST_INLINE)
        return true;
    if (use->wide)
        return scalar || weight > CHEAP;
    return use->users > 1 && weight > CHEAP;
}

/* A sum of terms that are written in place is written in place, too. */
static bool takes_scatters(const struct planning *p, node_id id, const struct use *uses) {
    const struct node *node = graph_node(p->graph, id);
    for (uint32_t i = 0; p->effort > 1 && node->kind == NODE_SUM && i < node->count; i++) {
        node_id term = node->operands[i].node;
        if (class_of(p->graph, term) == CLASS_SCATTER && uses[term].users == 1 &&
            graph_node(p->graph, term)->rank == node->rank)
            return true;
    }
    return false;
}

static void choose_inline(struct planning *p, const struct use *uses) {
    uint32_t *weight = NEW_ARRAY(p->arena, p->nodes, uint32_t);
    for (node_id id = 1; id < p->nodes; id++) {
        if (!p->needed[id] || (p->loaded && p->loaded[id]))
            continue;
        const enum node_class class = class_of(p->graph, id);
        if (class == CLASS_LEAF)
            continue;
        const struct node *node = graph_node(p->graph, id);
        weight[id] = own_weight(node);
        for (uint32_t i = 0; i < node->count; i++)
            if (!p->materialised[node->operands[i].node])
                weight[id] += weight[node->operands[i].node];
        p->materialised[id] = class != CLASS_POINTWISE || p->effort == 0 ||
                              gets_buffer(p->graph, id, &uses[id], weight[id]) || takes_scatters(p, id, uses);
    }
    RELEASE_ARRAY(p->arena, p->nodes, weight);
}

/* Can a term of a sum be added to the sum's array where it is not 0, so that it needs no array of its own? */
static bool is_added_in_place(const struct planning *p, node_id term, const struct use *use) {
    bool inline_term = !p->materialised[term];
    return is_scattered(p->graph, term) && (inline_term || use->users == 1);
}

/* C = A B + D: the sum's buffer is set to D, and the product adds to it. Its labels must all be the sum's axes. */
static void absorb_products(struct planning *p, const struct use *uses) {
    for (node_id id = 1; id < p->nodes; id++) {
        const struct node *node = graph_node(p->graph, id);
        if (!p->materialised[id] || node->kind != NODE_SUM)
            continue;
        for (uint32_t i = 0; i < node->count; i++) {
            node_id term = node->operands[i].node;
            bool product = p->materialised[term] && class_of(p->graph, term) == CLASS_GEMM && uses[term].users == 1;
            if ((product || is_added_in_place(p, term, &uses[term])) &&
                graph_node(p->graph, term)->rank == node->rank && !(p->kept && p->kept[term]))
                p->absorbed[term] = true;
        }
    }
}

void choose_materialised(struct planning *p) {
    struct use *uses = NEW_ARRAY(p->arena, p->nodes, struct use);
    for (node_id id = 1; id < p->nodes; id++)
        if (p->needed[id] && !(p->loaded && p->loaded[id]))
            note_uses(p, id, uses);
    for (size_t i = 0; i < p->function->outputs.len; i++) {
        uses[p->outputs[i].node].as_array = uses[p->outputs[i].node].lined = true;
        uses[p->outputs[i].node].users++;
    }
    for (node_id id = 1; p->kept && id < p->nodes; id++) {
        uses[id].as_array = uses[id].as_array || p->kept[id];
        uses[id].lined = uses[id].lined || p->kept[id];
    }
    choose_inline(p, uses);
    if (p->effort > 1)
        absorb_products(p, uses);
    for (node_id id = 1; p->effort > 1 && id < p->nodes; id++)
        p->viewed[id] = p->materialised[id] && !p->absorbed[id] && !uses[id].lined &&
                        graph_node(p->graph, id)->kind == NODE_PRODUCT && graph_node(p->graph, id)->rank > 0;
    RELEASE_ARRAY(p->arena, p->nodes, uses);
}
