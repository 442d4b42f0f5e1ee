#include "rewrite.h"

#include "intern.h"

#include <string.h>

/* As many as the search for an order can take; fewer where the outer product does not sum, since little is to be won
 * there. */
enum { MERGED_FACTORS = 10, MERGED_POINTWISE = 4, MERGED_TERMS = 64 };

/* A reduction or along-operator of an operand whose axes may have changed places. */
static struct value rebuild_over_axes(struct graph *graph, struct node node, const struct operand *operand) {
    uint8_t rank = graph_node(graph, operand->node)->rank;
    uint32_t axes = 0;
    struct value value = {.rank = node.rank};
    for (label a = 0, kept = 0; a < rank; a++) {
        label l = operand->at[a];
        bool over = node.kind == NODE_REDUCE ? l >= node.rank : node.along >> l & 1;
        axes |= (uint32_t)over << a;
        if (node.kind == NODE_ALONG || !over)
            value.axis[l] = kept++;
    }
    value.node = node.kind == NODE_REDUCE ? graph_reduce(graph, node.op, operand->node, axes)
                                          : graph_along(graph, node.op, operand->node, axes);
    return value;
}

/* The operand as a value whose axes follow the labels in ascending order. */
static struct value by_labels(const struct graph *graph, const struct operand *operand) {
    struct value value = {.node = operand->node, .rank = graph_node(graph, operand->node)->rank};
    for (uint8_t a = 0; a < value.rank; a++) {
        uint8_t place = 0;
        for (uint8_t b = 0; b < value.rank; b++)
            place = (uint8_t)(place + (operand->at[b] < operand->at[a]));
        value.axis[place] = a;
    }
    return value;
}

/* A triangle is told of the matrix as its node has it: of one that has become its transpose it is the other. */
static struct value rebuild_matrix(struct graph *graph, struct node node, const struct index_form *form) {
    struct value operands[2] = {{0}};
    for (uint32_t i = 0; i < node.count; i++)
        operands[i] = by_labels(graph, &form->operands.at[i]);
    bool turned = node.op == OP_triangular_solve && operands[0].rank == 2 && operands[0].axis[0] == 1;
    return graph_matrix(graph, node.op, operands, node.count, node.along ^ (turned ? SOLVE_LOWER : 0));
}

/* What constructors go by beside the operands; 0 is no such state. */
static uint32_t graph_knowledge(const struct graph *graph) {
    return 2 * graph->promises + graph->nested + 1;
}

static bool is_as_it_was(const struct graph *graph, const struct node *node, const struct index_form *form,
                         double number) {
    return form->operands.len == node->count && form->labels == node->labels &&
           memcmp(&number, &node->number, sizeof number) == 0 &&
           same_operands(graph, form->operands.at, node->operands, node->count);
}

static struct value reconstruct(struct graph *graph, node_id id, const struct index_form *form, double number) {
    struct node node = *graph_node(graph, id);
    struct axis_order order = graph->orders.at[id];
    switch (node.kind) {
    case NODE_PRODUCT:
        return in_axis_order(graph_product(graph, number, form, order.at, node.rank), order.at);
    case NODE_SUM:
        return in_axis_order(graph_sum(graph, form, order.at, node.rank), order.at);
    case NODE_MAP:
        return in_axis_order(graph_map(graph, node.op, form, order.at, node.rank), order.at);
    case NODE_MATRIX:
        return rebuild_matrix(graph, node, form);
    case NODE_REDUCE:
    case NODE_ALONG:
        return rebuild_over_axes(graph, node, &form->operands.at[0]);
    default:
        return graph_value(graph, id);
    }
}

/* Most nodes are what they were after most rules: a constructor that gave the node once need not be asked again. */
struct value graph_rebuild(struct graph *graph, node_id id, const struct index_form *form, double number) {
    const struct value itself = graph_value(graph, id);
    if (!is_as_it_was(graph, graph_node(graph, id), form, number))
        return reconstruct(graph, id, form, number);
    if (graph->settled.at[id] == graph_knowledge(graph))
        return itself;
    const struct value made = reconstruct(graph, id, form, number);
    if (made.node == id && memcmp(made.axis, itself.axis, itself.rank) == 0)
        graph->settled.at[id] = graph_knowledge(graph);
    return made;
}

static void count_uses(const struct graph *graph, const struct value *roots, size_t count, const bool *needed,
                       uint32_t *uses) {
    for (size_t i = 0; i < count; i++)
        uses[roots[i].node]++;
    for (node_id id = 1; id < graph->nodes.len; id++)
        for (uint32_t k = 0; needed[id] && k < graph_node(graph, id)->count; k++)
            uses[graph_node(graph, id)->operands[k].node]++;
}

/* The node's operands as they are now, in a form whose room is used again for every node. */
static void operands_of(struct graph *graph, node_id id, const struct value *made, struct index_form *form) {
    const struct node node = *graph_node(graph, id);
    form->labels = node.labels;
    form->operands.len = 0;
    if (node.labels)
        memcpy(form->size, node.size, node.labels * sizeof *node.size);
    for (uint32_t k = 0; k < node.count; k++) {
        struct operand operand = node.operands[k];
        struct value now = made[operand.node];
        operand.node = now.node;
        for (uint8_t a = 0; a < now.rank; a++)
            operand.at[now.axis[a]] = node.operands[k].at[a];
        vec_push(graph->arena, &form->operands, operand);
    }
}

/* The name goes along, read in the axes' new order. */
static void keep_name(struct graph *graph, node_id id, struct value now) {
    label order[MAX_RANK];
    const char *name = now.node != id ? graph_name(graph, id, order) : NULL;
    struct value named = now;
    for (uint8_t i = 0; name && i < now.rank; i++)
        named.axis[i] = now.axis[order[i]];
    if (name)
        graph_set_name(graph, named, name);
}

/* What was promised of a node holds for what takes its place, if it is read the same way round. */
static void keep_structure(struct graph *graph, node_id id, struct value now) {
    if (now.node != id && now.rank == 2 && now.axis[0] != AXIS_UNIT) {
        uint8_t structure = graph_structure(graph, id), zeros = structure & STRUCTURE_DIAGONAL;
        if (now.axis[0] == 1 && zeros && zeros != STRUCTURE_DIAGONAL)
            structure ^= STRUCTURE_DIAGONAL;
        graph_promise(graph, now.node, structure);
    }
}

void graph_rewrite(struct graph *graph, struct value *roots, size_t count, rewrite_rule *rule, void *context) {
    const size_t nodes = graph->nodes.len;
    bool *needed = NEW_ARRAY(graph->arena, nodes, bool);
    uint32_t *uses = NEW_ARRAY(graph->arena, nodes, uint32_t);
    struct value *made = NEW_ARRAY(graph->arena, nodes, struct value);
    node_id *ids = NEW_ARRAY(graph->arena, count, node_id);
    struct rewriting rewriting = {graph, uses, made, context};
    struct index_form form = {.labels = 0};
    for (size_t i = 0; i < count; i++)
        ids[i] = roots[i].node;
    graph_mark(graph, ids, count, needed);
    count_uses(graph, roots, count, needed, uses);
    for (node_id id = 1; id < nodes; id++) {
        if (!needed[id])
            continue;
        operands_of(graph, id, made, &form);
        graph->span = graph->spans.at[id];
        made[id] = form.operands.len ? rule(&rewriting, id, &form) : graph_value(graph, id);
        keep_name(graph, id, made[id]);
        keep_structure(graph, id, made[id]);
    }
    for (size_t i = 0; i < count; i++)
        roots[i] = read_as(roots[i], made[roots[i].node]);
    vec_free(graph->arena, &form.operands);
    RELEASE_ARRAY(graph->arena, count, ids);
    RELEASE_ARRAY(graph->arena, nodes, made);
    RELEASE_ARRAY(graph->arena, nodes, uses);
    RELEASE_ARRAY(graph->arena, nodes, needed);
}

/* The node's axes where the value with sizes that are 1 has them. */
static struct value without_units(struct value value) {
    struct value kept = {.node = value.node};
    for (uint8_t i = 0; i < value.rank; i++)
        if (value.axis[i] != AXIS_UNIT)
            kept.axis[kept.rank++] = value.axis[i];
    return kept;
}

/* Marks what the roots and the replacements of what they need come from. */
static void mark_substituted(const struct graph *graph, const struct value *roots, size_t count,
                             const struct substitution *replaced, size_t replaced_count, bool *needed) {
    for (size_t i = 0; i < count; i++)
        needed[roots[i].node] = true;
    for (node_id id = (node_id)graph->nodes.len - 1; id > 0; id--) {
        while (replaced_count && replaced[replaced_count - 1].input > id)
            replaced_count--;
        if (needed[id] && replaced_count && replaced[replaced_count - 1].input == id)
            needed[replaced[replaced_count - 1].by.node] = true;
        for (uint32_t i = 0; needed[id] && i < graph_node(graph, id)->count; i++)
            needed[graph_node(graph, id)->operands[i].node] = true;
    }
}

void graph_substitute(struct graph *graph, struct value *roots, size_t count, const struct substitution *replaced,
                      size_t replaced_count) {
    size_t nodes = graph->nodes.len, next = 0;
    bool *needed = NEW_ARRAY(graph->arena, nodes, bool);
    struct value *made = NEW_ARRAY(graph->arena, nodes, struct value);
    struct span span = graph->span;
    struct index_form form = {.labels = 0};
    mark_substituted(graph, roots, count, replaced, replaced_count, needed);
    for (node_id id = 1; id < nodes; id++) {
        if (!needed[id])
            continue;
        while (next < replaced_count && replaced[next].input < id)
            next++;
        graph->span = graph->spans.at[id];
        if (next < replaced_count && replaced[next].input == id) {
            struct value by = without_units(replaced[next].by);
            made[id] = read_as(by, made[by.node]);
        } else {
            operands_of(graph, id, made, &form);
            made[id] = form.operands.len ? graph_rebuild(graph, id, &form, graph_node(graph, id)->number)
                                         : graph_value(graph, id);
        }
    }
    for (size_t i = 0; i < count; i++)
        if (roots[i].node)
            roots[i] = read_as(roots[i], made[roots[i].node]);
    graph->span = span;
    vec_free(graph->arena, &form.operands);
    RELEASE_ARRAY(graph->arena, nodes, needed);
    RELEASE_ARRAY(graph->arena, nodes, made);
}

bool form_splice(struct graph *graph, struct index_form *form, size_t i) {
    struct operand outer = form->operands.at[i];
    const struct node inner = *graph_node(graph, outer.node);
    label of[MAX_LABELS];
    if (form->labels + inner.labels - inner.rank > MAX_LABELS)
        return false;
    for (label l = 0; l < inner.labels; l++)
        of[l] = l < inner.rank ? outer.at[l] : form_label(form, inner.size[l]);
    form->operands.at[i] = vec_pop(&form->operands);
    for (uint32_t k = 0; k < inner.count; k++) {
        struct operand operand = inner.operands[k];
        for (uint8_t a = 0; a < graph_node(graph, operand.node)->rank; a++)
            operand.at[a] = of[operand.at[a]];
        if (inner.kind == NODE_SUM)
            operand.coefficient *= outer.coefficient;
        vec_push(graph->arena, &form->operands, operand);
    }
    return true;
}

uint64_t product_connected(const struct graph *graph, const struct node *node, label from) {
    uint64_t reached = (uint64_t)1 << from, before = 0;
    while (before != reached) {
        before = reached;
        for (uint32_t i = 0; i < node->count; i++) {
            uint64_t labels = 0;
            for (uint8_t a = 0; a < graph_node(graph, node->operands[i].node)->rank; a++)
                labels |= (uint64_t)1 << node->operands[i].at[a];
            reached |= labels & reached ? labels : 0;
        }
    }
    return reached;
}

bool is_outer_product(const struct graph *graph, const struct node *node) {
    uint64_t axes = ((uint64_t)1 << node->rank) - 1;
    if (node->kind != NODE_PRODUCT || node->rank < 2)
        return false;
    for (label l = 0; l < node->rank; l++)
        if (__builtin_popcountll(product_connected(graph, node, l) & axes) != 1)
            return false;
    return true;
}

static uint32_t count_selectors(const struct graph *graph, const struct operand *operands, size_t count) {
    uint32_t selectors = 0;
    for (size_t i = 0; i < count; i++)
        selectors += graph_node(graph, operands[i].node)->kind == NODE_SELECT;
    return selectors;
}

static uint32_t selectors_of(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    return node->kind == NODE_PRODUCT ? count_selectors(graph, node->operands, node->count) : node->kind == NODE_SELECT;
}

bool product_shares_index(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    for (uint32_t i = 0; node->kind == NODE_PRODUCT && i < node->count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (graph_node(graph, node->operands[i].node)->kind == NODE_SELECT &&
                graph_node(graph, node->operands[k].node)->kind == NODE_SELECT &&
                node->operands[i].at[0] == node->operands[k].at[0])
                return true;
    return false;
}

/* Two products that both have selectors merge only where some selectors go, or each keeps an index of its own: else an
 * index would have to follow from others in two ways. */
static bool selectors_meet(const struct rewriting *rewriting, node_id id, const struct index_form *form, size_t k) {
    struct graph *graph = rewriting->graph;
    uint32_t inner = selectors_of(graph, form->operands.at[k].node);
    uint32_t outer = count_selectors(graph, form->operands.at, form->operands.len);
    struct index_form trial = *form;
    if (inner == 0 || outer == 0)
        return true;
    memset(&trial.operands, 0, sizeof trial.operands);
    for (size_t i = 0; i < form->operands.len; i++)
        vec_push(graph->arena, &trial.operands, form->operands.at[i]);
    if (!form_splice(graph, &trial, k))
        return false;
    node_id merged = graph_rebuild(graph, id, &trial, 1).node;
    return selectors_of(graph, merged) < inner + outer || !product_shares_index(graph, merged);
}

struct value merge_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    struct graph *graph = rewriting->graph;
    const struct node node = *graph_node(graph, id);
    bool product = node.kind == NODE_PRODUCT;
    size_t most = !product ? MERGED_TERMS : node.labels > node.rank ? MERGED_FACTORS : MERGED_POINTWISE;
    double number = node.number;
    if (product || node.kind == NODE_SUM)
        for (size_t k = node.count; k-- > 0;) {
            const struct node *inner = graph_node(graph, form->operands.at[k].node);
            size_t merged = form->operands.len - 1 + inner->count;
            double inner_number = inner->number;
            bool once = rewriting->uses[node.operands[k].node] == 1 ||
                        (node.labels > node.rank && is_outer_product(graph, inner));
            if (inner->kind == node.kind && inner->count && once && merged <= most &&
                (!product || selectors_meet(rewriting, id, form, k)) && form_splice(graph, form, k) && product)
                number *= inner_number;
        }
    return graph_rebuild(graph, id, form, number);
}
