/* What a function must check: the bounds of every index in what its values are computed from. */
#include "module.h"

struct search {
    struct arena *arena;
    const struct checked *checked;
    struct function *function;
    bool *seen; /* by symbol */
    VEC(uint32_t) open;
};

static void add_bound(struct search *s, poly bound) {
    for (size_t i = 0; i < s->function->bounds.len; i++)
        if (s->function->bounds.at[i] == bound)
            return;
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

void function_add_bounds(struct arena *arena, const struct checked *checked, struct function *function,
                         uint32_t symbol) {
    struct search s = {.arena = arena, .checked = checked, .function = function};
    if (!checked->bounds.len)
        return;
    s.seen = NEW_ARRAY(arena, checked->symbols.len, bool);
    s.seen[0] = true; /* none */
    visit(&s, symbol);
    while (s.open.len) {
        const struct symbol *next = &checked->symbols.at[vec_pop(&s.open)];
        if (next->kind == SYMBOL_VALUE)
            add_statement(&s, next->statement);
    }
}
