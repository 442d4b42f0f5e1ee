/* What a function must check: the bounds of every index in what its values are computed from. */
#include "module.h"

struct search {
    struct arena *arena;
    struct polys *polys;
    const struct checked *checked;
    struct function *function;
    bool *seen; /* by symbol */
    VEC(uint32_t) open;
};

/* Is b >= 0 where a >= 0? */
static bool implies(struct polys *polys, poly a, poly b) {
    return poly_is_nonnegative(polys, poly_sub(polys, b, a));
}

static void add_bound(struct search *s, poly bound) {
    size_t kept = 0;
    for (size_t i = 0; i < s->function->bounds.len; i++) {
        poly other = s->function->bounds.at[i];
        if (implies(s->polys, other, bound))
            return;
        if (!implies(s->polys, bound, other))
            s->function->bounds.at[kept++] = other;
    }
    s->function->bounds.len = kept;
    vec_push(s->arena, &s->function->bounds, bound);
}

static void visit(struct search *s, uint32_t symbol) {
    if (!s->seen[symbol])
        vec_push(s->arena, &s->open, symbol);
    s->seen[symbol] = true;
}

static void add_statement(struct search *s, uint32_t index) {
    const struct ast_statement *statement = &s->checked->ast->statements.at[index];
    for (size_t i = 0; i < s->checked->bounds.len; i++)
        if (s->checked->bounds.at[i].statement == index)
            add_bound(s, s->checked->bounds.at[i].nonnegative);
    for (ast_id id = statement->begin; id < statement->end; id++)
        visit(s, s->checked->symbol_of[id]);
}

void function_add_bounds(struct graph *graph, const struct checked *checked, struct function *function,
                         uint32_t symbol) {
    struct search s = {.arena = graph->arena, .polys = graph->polys, .checked = checked, .function = function};
    if (!checked->bounds.len)
        return;
    s.seen = NEW_ARRAY(graph->arena, checked->symbols.len, bool);
    s.seen[0] = true; /* none */
    visit(&s, symbol);
    while (s.open.len) {
        const struct symbol *next = &checked->symbols.at[vec_pop(&s.open)];
        if (next->kind == SYMBOL_VALUE)
            add_statement(&s, next->statement);
    }
}
