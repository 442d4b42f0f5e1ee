/* Types as text. */
#include "checked.h"

const char *type_string(struct arena *arena, const struct polys *polys, struct type type) {
    const char *size[2] = {"?", "?"};
    if (type.rank == 0 || type.rank > 2)
        return type.rank == 0 ? "scalar" : "?";
    for (int i = 0; i < type.rank; i++)
        if (type.size[i])
            size[i] = poly_string(arena, polys, type.size[i]);
    if (type.rank == 2)
        return format_string(arena, "[%s, %s]", size[0], size[1]);
    return format_string(arena, "%s[%s]", type.row ? "row " : "", size[0]);
}

void checked_sources(struct arena *arena, const struct checked *checked, uint32_t symbol, bool *reached) {
    VEC(uint32_t) open = {0};
    reached[symbol] = true;
    vec_push(arena, &open, symbol);
    while (open.len) {
        const struct symbol *s = &checked->symbols.at[vec_pop(&open)];
        if (s->kind != SYMBOL_VALUE)
            continue;
        const struct ast_statement *statement = &checked->ast->statements.at[s->statement];
        for (ast_id id = statement->begin; id < statement->end; id++) {
            uint32_t read = checked->symbol_of[id];
            if (!read || reached[read])
                continue;
            reached[read] = true;
            vec_push(arena, &open, read);
        }
    }
}
