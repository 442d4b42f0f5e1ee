#include "plan.h"

#include "order.h"
#include "planning.h"

#include <string.h>

/* Functions whose values are rewritten together, because one leaves values for the other. */
struct group {
    int effort;
    struct lowering *lowering;
    struct graph *graph;
    const struct function *functions;
    size_t count;
    struct value **outputs; /* of each function, as rewritten */
    bool *kept;             /* by node: saved by the first function for the second */
    struct buffer *saved;
    struct layout layout;
};

static bool has_matrices(const struct graph *graph) {
    for (node_id id = 1; id < graph->nodes.len; id++)
        if (graph_node(graph, id)->kind == NODE_MATRIX)
            return true;
    return false;
}

/* Is there an operator that is computed by others? */
static bool has_definitions(const struct graph *graph) {
    for (node_id id = 1; id < graph->nodes.len; id++) {
        const struct node *node = graph_node(graph, id);
        bool over = node->kind == NODE_REDUCE || node->kind == NODE_ALONG;
        if (node->kind == NODE_MATRIX || (over && op_records[node->op].definition))
            return true;
    }
    return false;
}

static void rewrite_group(struct group *g) {
    VEC(struct value) roots = {0};
    struct arena *arena = g->graph->arena;
    for (size_t f = 0; f < g->count; f++)
        for (size_t i = 0; i < g->functions[f].outputs.len; i++)
            vec_push(arena, &roots, g->functions[f].outputs.at[i].value);
    bool expands = has_definitions(g->graph);
    if (expands)
        graph_rewrite(g->graph, roots.at, roots.len, expand_rule, g->lowering);
    if (expands && g->effort > 0)
        graph_rewrite(g->graph, roots.at, roots.len, merge_rule, NULL);
    g->graph->nested = true;
    if (g->effort > 0)
        graph_rewrite(g->graph, roots.at, roots.len, order_rule, &(struct map){.arena = arena});
    else
        graph_rewrite(g->graph, roots.at, roots.len, order_as_written_rule, NULL);
    if (has_matrices(g->graph))
        graph_rewrite(g->graph, roots.at, roots.len, solve_rule, NULL);
    if (g->effort > 0 && graph_has_sums(g->graph))
        graph_rewrite(g->graph, roots.at, roots.len, distribute_rule, NULL);
    g->graph->nested = false;
    g->outputs = NEW_ARRAY(arena, g->count, struct value *);
    for (size_t f = 0, next = 0; f < g->count; next += g->functions[f++].outputs.len)
        g->outputs[f] = roots.at + next;
}

/* needed, going no further than what is loaded. */
static void mark_needed(const struct graph *graph, const struct value *outputs, size_t count, const bool *loaded,
                        bool *needed, node_id nodes) {
    for (size_t i = 0; i < count; i++)
        needed[outputs[i].node] = true;
    for (node_id id = nodes - 1; id > 0; id--)
        for (uint32_t i = 0; needed[id] && !(loaded && loaded[id]) && i < graph_node(graph, id)->count; i++)
            needed[graph_node(graph, id)->operands[i].node] = true;
}

/* Is a value no dearer to compute again than to load, given what backward has anyway? */
static bool recomputed(const struct graph *graph, node_id id, const bool *available) {
    const struct node *node = graph_node(graph, id);
    if (class_of(graph, id) == CLASS_LEAF)
        return true;
    if (class_of(graph, id) != CLASS_POINTWISE || (node->kind == NODE_MAP && !(op_records[node->op].flags & OP_CHEAP)))
        return false;
    for (uint32_t i = 0; i < node->count; i++)
        if (!available[node->operands[i].node])
            return false;
    return true;
}

/* What forward saves: values of its own that backward's other nodes read directly, unless they are quickly made again
 * from inputs and from what is saved. */
static void choose_saved(struct group *g, node_id nodes) {
    struct arena *arena = g->graph->arena;
    bool *primal = NEW_ARRAY(arena, nodes, bool), *backward = NEW_ARRAY(arena, nodes, bool);
    bool *read = NEW_ARRAY(arena, nodes, bool), *available = NEW_ARRAY(arena, nodes, bool);
    g->kept = NEW_ARRAY(arena, nodes, bool);
    g->saved = NEW_ARRAY(arena, nodes, struct buffer);
    mark_needed(g->graph, g->outputs[0], g->functions[0].outputs.len, NULL, primal, nodes);
    mark_needed(g->graph, g->outputs[1], g->functions[1].outputs.len, primal, backward, nodes);
    for (size_t i = 0; i < g->functions[1].outputs.len; i++)
        read[g->outputs[1][i].node] = true;
    for (node_id id = 1; id < nodes; id++)
        for (uint32_t i = 0; backward[id] && !primal[id] && i < graph_node(g->graph, id)->count; i++)
            read[graph_node(g->graph, id)->operands[i].node] = true;
    for (node_id id = 1; id < nodes; id++) {
        available[id] = class_of(g->graph, id) == CLASS_LEAF;
        if (!primal[id] || !read[id] || available[id])
            continue;
        available[id] = true;
        if (recomputed(g->graph, id, available))
            continue;
        g->kept[id] = true;
        g->saved[id] = (struct buffer){.node = id, .storage = STORE_SAVED};
        memcpy(g->saved[id].order, graph_order(g->graph, id), sizeof g->saved[id].order);
        layout_append(arena, &g->layout, &g->saved[id], node_elements(g->graph, id));
    }
    RELEASE_ARRAY(arena, nodes, primal);
    RELEASE_ARRAY(arena, nodes, backward);
    RELEASE_ARRAY(arena, nodes, read);
    RELEASE_ARRAY(arena, nodes, available);
}

static struct plan *plan_function(struct group *g, size_t f, node_id nodes) {
    struct arena *arena = g->graph->arena;
    struct planning p = {.effort = g->effort,
                         .arena = arena,
                         .graph = g->graph,
                         .function = &g->functions[f],
                         .plan = NEW(arena, struct plan),
                         .outputs = g->outputs[f],
                         .saved = g->saved,
                         .nodes = nodes};
    p.loaded = f == 1 ? g->kept : NULL;
    p.kept = f == 0 && g->count > 1 ? g->kept : NULL;
    p.needed = NEW_ARRAY(arena, nodes, bool);
    p.materialised = NEW_ARRAY(arena, nodes, bool);
    p.absorbed = NEW_ARRAY(arena, nodes, bool);
    p.viewed = NEW_ARRAY(arena, nodes, bool);
    p.plan->buffer_of.arena = p.input_of.arena = arena;
    for (uint32_t i = 0; i < p.function->inputs.len; i++)
        *sparse_at(&p.input_of, p.function->inputs.at[i].value.node) = i + 1;
    p.plan->saved = g->layout;
    p.plan->reads = NEW_ARRAY(arena, p.function->inputs.len, bool);
    vec_push(arena, &p.plan->buffers, (struct buffer){0});
    mark_needed(g->graph, p.outputs, p.function->outputs.len, p.loaded, p.needed, nodes);
    choose_materialised(&p);
    build_kernels(&p);
    if (p.effort > 1)
        join_sums_of_factors(&p);
    assign_memory(&p);
    p.plan->flops = poly_sum_total(&p.flops, g->graph->polys);
    count_traffic(&p);
    RELEASE_ARRAY(arena, nodes, p.needed);
    RELEASE_ARRAY(arena, nodes, p.materialised);
    RELEASE_ARRAY(arena, nodes, p.absorbed);
    RELEASE_ARRAY(arena, nodes, p.viewed);
    RELEASE_ARRAY(arena, p.ready_size, p.ready);
    return p.plan;
}

static void plan_group(struct lowering *lowering, const struct function *functions, size_t count, int effort,
                       struct plan **plans) {
    struct group g = {
        .effort = effort, .lowering = lowering, .graph = lowering->graph, .functions = functions, .count = count};
    rewrite_group(&g);
    node_id nodes = (node_id)g.graph->nodes.len;
    if (count > 1)
        choose_saved(&g, nodes);
    g.graph->nested = true; /* what is made now keeps the factors that were planned */
    for (size_t f = 0; f < count; f++)
        plans[f] = plan_function(&g, f, nodes);
    g.graph->nested = false;
    RELEASE_ARRAY(g.graph->arena, nodes, g.kept);
    RELEASE_ARRAY(g.graph->arena, nodes, g.saved);
}

struct plan **plan_module(struct lowering *lowering, const struct module *module, int effort) {
    struct plan **plans = NEW_ARRAY(lowering->arena, module->functions.len, struct plan *);
    for (size_t f = 0; f < module->functions.len;) {
        size_t count = module->functions.at[f].kind == FUNCTION_FORWARD ? 2 : 1;
        plan_group(lowering, &module->functions.at[f], count, effort, plans + f);
        f += count;
    }
    return plans;
}
