#include "cuts.h"

#include "../graph/arrange.h"

/* An argument of a function stands for what the caller names; 0 if the symbol is none, or not given by a name. */
static uint32_t alias_of(const struct checked *checked, uint32_t symbol) {
    const struct symbol *s = &checked->symbols.at[symbol];
    if (s->kind != SYMBOL_VALUE || s->hidden != HIDDEN_ARGUMENT)
        return 0;
    ast_id value = checked->ast->statements.at[s->statement].value;
    uint32_t named = ast_node(checked->ast, value)->kind == AST_NAME ? checked->symbol_of[value] : 0;
    enum symbol_kind kind = checked->symbols.at[named].kind;
    return named && (kind == SYMBOL_INPUT || kind == SYMBOL_VALUE) ? named : 0;
}

static void want(struct cuts *cuts, uint32_t symbol) {
    for (; symbol && !cuts->wanted[symbol]; symbol = alias_of(cuts->checked, symbol))
        cuts->wanted[symbol] = cuts->checked->symbols.at[symbol].kind == SYMBOL_VALUE;
}

void cuts_init(struct cuts *cuts, struct lowering *lowering, const struct checked *checked,
               const struct value *symbols) {
    *cuts = (struct cuts){.lowering = lowering, .checked = checked, .symbols = symbols};
    cuts->wanted = NEW_ARRAY(lowering->arena, checked->symbols.len, bool);
    for (ast_id id = 1; id < checked->ast->nodes.len; id++)
        if (ast_node(checked->ast, id)->kind == AST_CALL && op_records[checked->op_of[id]].kind == KIND_DERIVATIVE)
            want(cuts, checked->symbol_of[ast_child(checked->ast, id, 1)]);
}

struct value cuts_assign(struct cuts *cuts, uint32_t symbol, struct value value) {
    const struct symbol *s = &cuts->checked->symbols.at[symbol];
    if (!cuts->wanted[symbol])
        return value;
    struct value input = value_fresh_input(cuts->lowering->graph, s->name, value);
    vec_push(cuts->lowering->arena, &cuts->list, (struct cut){input, value});
    return input;
}

static void mark_users(const struct graph *graph, node_id id, bool *varies) {
    const struct node *node = graph_node(graph, id);
    for (uint32_t k = 0; k < node->count && !varies[id]; k++)
        varies[id] = varies[node->operands[k].node];
}

/* By node: is it computed from the variable, also through cuts? A cut has a larger id than what it is. */
static bool *find_varying(const struct cuts *cuts, node_id variable) {
    const struct graph *graph = cuts->lowering->graph;
    bool *varies = NEW_ARRAY(graph->arena, graph->nodes.len, bool);
    size_t next = 0;
    varies[variable] = true;
    for (node_id id = variable + 1; id < graph->nodes.len; id++) {
        mark_users(graph, id, varies);
        while (next < cuts->list.len && cuts->list.at[next].input.node < id)
            next++;
        if (next < cuts->list.len && cuts->list.at[next].input.node == id)
            varies[id] = varies[cuts->list.at[next].by.node];
    }
    return varies;
}

/* By node: is y computed from it, also through cuts other than the variable? */
static bool *find_needed(const struct cuts *cuts, node_id y, node_id variable) {
    const struct graph *graph = cuts->lowering->graph;
    bool *needed = NEW_ARRAY(graph->arena, graph->nodes.len, bool);
    size_t next = cuts->list.len;
    needed[y] = true;
    for (node_id id = y; id > variable; id--) {
        const struct node *node = graph_node(graph, id);
        for (uint32_t k = 0; needed[id] && k < node->count; k++)
            needed[node->operands[k].node] = true;
        while (next && cuts->list.at[next - 1].input.node > id)
            next--;
        if (needed[id] && next && cuts->list.at[next - 1].input.node == id)
            needed[cuts->list.at[next - 1].by.node] = true;
    }
    return needed;
}

/* The cuts on the way from the variable to y. */
struct way {
    bool depends; /* is there a way? */
    VEC(struct cut) cuts;
};

static struct way find_way(const struct cuts *cuts, node_id y, node_id variable) {
    struct way way = {0};
    const bool *varies = find_varying(cuts, variable);
    way.depends = varies[y];
    if (!way.depends)
        return way;
    const bool *needed = find_needed(cuts, y, variable);
    for (size_t i = 0; i < cuts->list.len; i++) {
        node_id input = cuts->list.at[i].input.node;
        if (input != variable && varies[input] && needed[input])
            vec_push(cuts->lowering->arena, &way.cuts, cuts->list.at[i]);
    }
    return way;
}

/* ---- The space of a variable ---------------------------------------------------------------------------------------
 */

static uint8_t structure_of(const struct cuts *cuts, uint32_t symbol) {
    return structure_named(cuts->checked->symbols.at[symbol].structure);
}

static bool is_input(const struct cuts *cuts, uint32_t symbol) {
    return cuts->checked->symbols.at[symbol].kind == SYMBOL_INPUT;
}

/* What is differentiated by: an input as it is stored, a diagonal one as its n numbers. */
static struct value variable_of(const struct cuts *cuts, uint32_t symbol) {
    return is_input(cuts, symbol) ? lower_input(cuts->lowering->graph, &cuts->checked->symbols.at[symbol])
                                  : cuts->symbols[symbol];
}

/* A tangent of the variable's shape as one of what is differentiated by. */
static struct value to_stored(const struct cuts *cuts, uint32_t symbol, struct value tangent) {
    struct graph *graph = cuts->lowering->graph;
    if (is_input(cuts, symbol) && structure_of(cuts, symbol) == STRUCTURE_DIAGONAL)
        return value_einsum(graph, "ii->i", &tangent, 1);
    return value_projected(graph, structure_of(cuts, symbol), tangent);
}

/* A gradient by what is differentiated by as one of the variable's shape. */
static struct value from_stored(const struct cuts *cuts, uint32_t symbol, struct value gradient) {
    struct graph *graph = cuts->lowering->graph;
    if (is_input(cuts, symbol) && structure_of(cuts, symbol) == STRUCTURE_DIAGONAL)
        return value_einsum(graph, "i->ii", &gradient, 1);
    return value_projected(graph, structure_of(cuts, symbol), gradient);
}

struct value cuts_derive(struct cuts *cuts, enum op op, struct value y, uint32_t symbol, struct value along) {
    uint32_t by = symbol, alias = alias_of(cuts->checked, by);
    struct graph *graph = cuts->lowering->graph;
    struct span span = graph->span; /* derivation has that of what it passes */
    node_id first = (node_id)graph->nodes.len;
    struct way way = find_way(cuts, y.node, variable_of(cuts, by).node);
    for (; !way.depends && alias; way = find_way(cuts, y.node, variable_of(cuts, by).node)) {
        by = alias;
        alias = alias_of(cuts->checked, by);
    }
    if (op == OP_jvp)
        along = to_stored(cuts, by, along);
    struct value derivative =
        cuts->lowering->derive(cuts->lowering, op, y, variable_of(cuts, by), along, way.cuts.at, way.cuts.len);
    if (op != OP_jvp)
        derivative = from_stored(cuts, by, derivative);
    graph->span = span;
    if (derivative.node >= first)
        graph->spans.at[derivative.node] = span;
    return derivative;
}

void cuts_close(struct cuts *cuts, struct value *symbols) {
    struct graph *graph = cuts->lowering->graph;
    struct substitution *all = NEW_ARRAY(graph->arena, cuts->list.len, struct substitution);
    for (size_t i = 0; i < cuts->list.len; i++)
        all[i] = (struct substitution){cuts->list.at[i].input.node, cuts->list.at[i].by};
    if (cuts->list.len)
        graph_substitute(graph, symbols, cuts->checked->symbols.len, all, cuts->list.len);
}
