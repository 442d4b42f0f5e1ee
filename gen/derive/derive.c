#include "derive.h"

#include <string.h>

struct contribution {
    struct value value;
    struct contribution *next;
};

struct sweep {
    struct lowering *lowering;
    struct graph *graph;
    struct arena *arena;
    struct contribution **to; /* by node; newest first */
    bool *varies;             /* by node: depends on a variable */
    struct derivation *record;
    const char *loss;
};

static void contribute(struct sweep *s, node_id to, struct value value) {
    struct contribution *contribution = NEW(s->arena, struct contribution);
    *contribution = (struct contribution){value, s->to[to]};
    s->to[to] = contribution;
    vec_push(s->arena, &s->record->gifts, (struct derive_gift){to, value});
}

/* Reads cotangent u of a node's axes at the labels that are the axes' numbers. */
static void add_cotangent(struct index_form *form, const struct graph *graph, struct value u) {
    label at[MAX_RANK];
    for (uint8_t i = 0; i < u.rank; i++)
        at[u.axis[i]] = i;
    form_operand(form, graph, u.node, at, 1);
}

/* The labels of operand, as result labels; where one comes twice (a diagonal), a new label and a delta. */
static uint8_t operand_labels(struct graph *graph, struct index_form *form, const struct operand *operand,
                              label result[MAX_RANK]) {
    uint8_t rank = graph_node(graph, operand->node)->rank;
    for (uint8_t a = 0; a < rank; a++) {
        result[a] = operand->at[a];
        for (uint8_t before = 0; before < a; before++)
            if (operand->at[before] == operand->at[a]) {
                poly size = form->size[operand->at[a]];
                result[a] = form_label(form, size);
                form_operand(form, graph, graph_delta(graph, size), (label[]){operand->at[a], result[a]}, 1);
                break;
            }
    }
    return rank;
}

/* The cotangent of operand k of a product or sum whose cotangent is u: with y_R = c sum x_K F, it is c sum u_R F at the
 * labels K. In a sum there are no other factors F. */
static struct value pull_back(struct graph *graph, node_id id, uint32_t k, struct value u) {
    const struct node node = *graph_node(graph, id);
    struct index_form form = {.labels = node.labels};
    label result[MAX_RANK];
    memcpy(form.size, node.size, node.labels * sizeof *node.size);
    add_cotangent(&form, graph, u);
    for (uint32_t i = 0; node.kind == NODE_PRODUCT && i < node.count; i++)
        if (i != k)
            vec_push(graph->arena, &form.operands, node.operands[i]);
    uint8_t rank = operand_labels(graph, &form, &node.operands[k], result);
    double number = node.kind == NODE_PRODUCT ? node.number : node.operands[k].coefficient;
    struct axis_order order = graph->orders.at[node.operands[k].node];
    label read[MAX_RANK];
    for (uint8_t i = 0; i < rank; i++)
        read[i] = result[order.at[i]];
    return in_axis_order(graph_product(graph, number, &form, read, rank), order.at);
}

/* The axis that stands for each label of an operator's node in its differential: in the order in which its operand is
 * read, if that has all labels, else in which the node is. Matrices keep their own. */
static void axes_of_labels(const struct graph *graph, const struct node *node, node_id id, label axis[MAX_RANK]) {
    const struct operand *operand = &node->operands[0];
    bool whole = graph_node(graph, operand->node)->rank == node->labels && node->kind != NODE_MATRIX;
    const label *order = graph_order(graph, whole ? operand->node : id);
    for (label i = 0; i < node->labels; i++)
        axis[whole ? operand->at[order[i]] : order[i]] = i;
}

/* An operand of a node read along those axes; axes that it does not have are of size 1. */
static struct value along_labels(const struct graph *graph, const struct node *node, const struct operand *operand,
                                 node_id read, const label *axis) {
    struct value value = {.node = read, .rank = node->labels};
    memset(value.axis, AXIS_UNIT, sizeof value.axis);
    for (label a = 0; a < graph_node(graph, operand->node)->rank; a++)
        value.axis[axis[operand->at[a]]] = a;
    return value;
}

static struct bindings bind(const struct graph *graph, node_id id, const label *axis) {
    const struct node *node = graph_node(graph, id);
    struct bindings bindings = {.y = {.node = id, .rank = node->labels}};
    for (label l = 0; l < node->labels; l++) {
        bindings.y.axis[axis[l]] = l < node->rank ? l : AXIS_UNIT;
        if (node->kind == NODE_ALONG ? node->along >> l & 1 : l >= node->rank)
            bindings.axes |= 1u << axis[l];
    }
    for (uint32_t i = 0; i < node->count; i++)
        bindings.argument[i] = along_labels(graph, node, &node->operands[i], node->operands[i].node, axis);
    return bindings;
}

/* The differential of node with only operand k moving, by the new input da. */
static struct value differential(struct sweep *s, node_id id, uint32_t k, node_id da, const label *axis) {
    struct bindings bindings = bind(s->graph, id, axis);
    const struct node *node = graph_node(s->graph, id);
    struct value moving = along_labels(s->graph, node, &node->operands[k], da, axis);
    for (uint32_t i = 0; i < MAX_ARGUMENTS; i++)
        bindings.differential[i] = i == k ? moving : value_number(s->graph, 0);
    return lower_op_text(s->lowering, graph_node(s->graph, id)->op, TEXT_DIFFERENTIAL, &bindings);
}

/* Everything that depends on da came after it. */
static bool depends(const struct graph *graph, node_id id, node_id da) {
    if (id <= da)
        return id == da;
    const struct node *node = graph_node(graph, id);
    for (uint32_t i = 0; i < node->count; i++)
        if (depends(graph, node->operands[i].node, da))
            return true;
    return false;
}

/* Transposes a linear expression: cotangent u of node id becomes contributions to `to`, which da stands for. Depth is
 * that of a text in ops.def. */
static void transpose(struct sweep *s, node_id id, node_id da, struct value u, node_id to) {
    if (id == da) {
        contribute(s, to, u);
        return;
    }
    const struct node node = *graph_node(s->graph, id);
    if (node.kind != NODE_PRODUCT && node.kind != NODE_SUM) {
        s->lowering->defect = format_string(s->arena, "derive: node %%%u is not linear in its differential", id);
        return;
    }
    for (uint32_t k = 0; k < node.count; k++)
        if (depends(s->graph, node.operands[k].node, da))
            transpose(s, node.operands[k].node, da, pull_back(s->graph, id, k, u), to);
}

/* The cotangent of a differential's node from that of the result: summed over the axes that the differential does not
 * have. */
static struct value onto_differential(struct graph *graph, node_id id, struct value d, struct value u,
                                      const label *axis) {
    const struct node node = *graph_node(graph, id);
    struct index_form form = {.labels = node.rank};
    label result[MAX_RANK];
    uint8_t rank = 0;
    memcpy(form.size, node.size, node.rank * sizeof *node.size);
    add_cotangent(&form, graph, u);
    for (label l = 0; l < node.rank; l++)
        if (d.axis[axis[l]] != AXIS_UNIT) {
            result[d.axis[axis[l]]] = l;
            rank++;
        }
    return graph_product(graph, 1, &form, result, rank);
}

static void pass_operator(struct sweep *s, node_id id, uint32_t k, struct value u) {
    node_id operand = graph_node(s->graph, id)->operands[k].node;
    const struct node of = *graph_node(s->graph, operand);
    node_id da = graph_fresh_input(s->graph, intern(s->lowering->interner, "da"), of.rank, of.size);
    label axis[MAX_RANK];
    s->graph->orders.at[da] = s->graph->orders.at[operand];
    axes_of_labels(s->graph, graph_node(s->graph, id), id, axis);
    struct value d = differential(s, id, k, da, axis);
    if (depends(s->graph, d.node, da))
        transpose(s, d.node, da, onto_differential(s->graph, id, d, u, axis), operand);
}

static struct value total(struct sweep *s, node_id id) {
    struct contribution *first = s->to[id];
    if (!first->next)
        return first->value;
    const struct node node = *graph_node(s->graph, id);
    struct index_form form = {.labels = node.rank};
    struct axis_order order = s->graph->orders.at[id];
    memcpy(form.size, node.size, node.rank * sizeof *node.size);
    for (struct contribution *c = first; c; c = c->next)
        add_cotangent(&form, s->graph, c->value);
    return in_axis_order(graph_sum(s->graph, &form, order.at, node.rank), order.at);
}

/* The cotangent of a named value H is called dL_dH. */
static void name_cotangent(struct sweep *s, node_id id, struct value u) {
    label order[MAX_RANK];
    const char *name = graph_name(s->graph, id, order);
    struct value named = u;
    for (uint8_t i = 0; name && i < u.rank; i++)
        named.axis[i] = u.axis[order[i]];
    if (name && s->loss)
        graph_set_name(s->graph, named,
                       intern(s->lowering->interner, format_string(s->arena, "d%s_d%s", s->loss, name)));
}

static const char *rule_of(const struct node *node) {
    switch (node->kind) {
    case NODE_PRODUCT:
        return "product rule";
    case NODE_SUM:
        return "sum rule";
    case NODE_INPUT:
        return "variable";
    default:
        return op_records[node->op].differential;
    }
}

/* A target's cotangent with axes in the order of the target's node. */
static struct value in_node_order(struct value target, struct value u) {
    struct value ordered = {.node = u.node};
    for (uint8_t i = 0; i < target.rank; i++)
        if (target.axis[i] != AXIS_UNIT) {
            ordered.axis[target.axis[i]] = u.axis[i];
            ordered.rank++;
        }
    return ordered;
}

/* A cut's cotangent is that of what it is. */
static void pass_cut(struct sweep *s, const struct cut *cut) {
    struct value u = read_as(cut->input, s->to[cut->input.node]->value);
    if (s->varies[cut->by.node])
        contribute(s, cut->by.node, in_node_order(cut->by, u));
}

static void pass(struct sweep *s, node_id id) {
    s->graph->span = s->graph->spans.at[id];
    struct value u = total(s, id);
    const struct node node = *graph_node(s->graph, id);
    s->to[id]->value = u;
    s->to[id]->next = NULL;
    name_cotangent(s, id, u);
    uint32_t first = (uint32_t)s->record->gifts.len;
    for (uint32_t k = 0; k < node.count; k++) {
        if (!s->varies[node.operands[k].node])
            continue;
        if (node.kind == NODE_PRODUCT || node.kind == NODE_SUM)
            contribute(s, node.operands[k].node, pull_back(s->graph, id, k, u));
        else
            pass_operator(s, id, k, u);
    }
    vec_push(s->arena, &s->record->steps,
             (struct derive_step){id, rule_of(&node), u, first, (uint32_t)s->record->gifts.len - first});
}

void derive_vjp(struct lowering *lowering, const struct value *targets, const struct value *cotangents, size_t count,
                const node_id *variables, size_t variable_count, const char *loss, struct value *results,
                struct derivation *record) {
    struct graph *graph = lowering->graph;
    node_id last = 0, nodes = (node_id)graph->nodes.len;
    struct sweep s = {.lowering = lowering,
                      .graph = graph,
                      .arena = lowering->arena,
                      .record = record,
                      .loss = loss,
                      .to = NEW_ARRAY(lowering->arena, nodes, struct contribution *),
                      .varies = NEW_ARRAY(lowering->arena, nodes, bool)};
    for (size_t i = 0; i < variable_count; i++)
        s.varies[variables[i]] = true;
    mark_varying(lowering, s.varies);
    for (size_t i = 0; i < count; i++) {
        contribute(&s, targets[i].node, in_node_order(targets[i], cotangents[i]));
        last = targets[i].node > last ? targets[i].node : last;
    }
    size_t cuts = lowering->cuts.len;
    for (node_id id = last; id > 0; id--) {
        while (cuts && lowering->cuts.at[cuts - 1].input.node > id)
            cuts--;
        if (!s.to[id] || !s.varies[id])
            continue;
        pass(&s, id);
        if (cuts && lowering->cuts.at[cuts - 1].input.node == id)
            pass_cut(&s, &lowering->cuts.at[cuts - 1]);
    }
    for (size_t i = 0; i < variable_count; i++) {
        const struct node node = *graph_node(graph, variables[i]);
        results[i] = s.to[variables[i]] ? s.to[variables[i]]->value : graph_fill(graph, 0, node.size, node.rank);
    }
    RELEASE_ARRAY(s.arena, nodes, s.to);
    RELEASE_ARRAY(s.arena, nodes, s.varies);
}
