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
    vec_push(cuts->lowering->arena, &cuts->lowering->cuts, (struct cut){input, value});
    return input;
}

/* A cut has a larger id than what it is. */
void mark_varying(const struct lowering *lowering, bool *varies) {
    const struct graph *graph = lowering->graph;
    size_t next = 0;
    for (node_id id = 1; id < graph->nodes.len; id++) {
        const struct node *node = graph_node(graph, id);
        for (uint32_t k = 0; k < node->count && !varies[id]; k++)
            varies[id] = varies[node->operands[k].node];
        if (next == lowering->cuts.len || lowering->cuts.at[next].input.node != id)
            continue;
        varies[id] = varies[id] || varies[lowering->cuts.at[next].by.node];
        next++;
    }
}

static bool depends(const struct cuts *cuts, struct value y, struct value variable) {
    const size_t nodes = cuts->lowering->graph->nodes.len;
    bool *varies = NEW_ARRAY(cuts->lowering->arena, nodes, bool);
    varies[variable.node] = true;
    mark_varying(cuts->lowering, varies);
    const bool found = varies[y.node];
    RELEASE_ARRAY(cuts->lowering->arena, nodes, varies);
    return found;
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
    while (!depends(cuts, y, variable_of(cuts, by)) && alias) {
        by = alias;
        alias = alias_of(cuts->checked, by);
    }
    if (op == OP_jvp)
        along = to_stored(cuts, by, along);
    struct value derivative = cuts->lowering->derive(cuts->lowering, op, y, variable_of(cuts, by), along);
    if (op != OP_jvp)
        derivative = from_stored(cuts, by, derivative);
    graph->span = span;
    if (derivative.node >= first)
        graph->spans.at[derivative.node] = span;
    return derivative;
}

void cuts_close(struct cuts *cuts, struct value *symbols) {
    struct lowering *lowering = cuts->lowering;
    struct substitution *all = NEW_ARRAY(lowering->arena, lowering->cuts.len, struct substitution);
    for (size_t i = 0; i < lowering->cuts.len; i++)
        all[i] = (struct substitution){lowering->cuts.at[i].input.node, lowering->cuts.at[i].by};
    if (lowering->cuts.len)
        graph_substitute(lowering->graph, symbols, cuts->checked->symbols.len, all, lowering->cuts.len);
    lowering->cuts.len = 0;
}
