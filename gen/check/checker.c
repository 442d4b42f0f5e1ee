/* The state of the checker, and its names. */
#include "checker.h"

struct checker *checker_new(struct arena *arena, const struct ast *ast) {
    struct checker *c = NEW(arena, struct checker);
    struct checked *out = NEW(arena, struct checked);
    size_t nodes = ast->nodes.len + 1;
    c->arena = c->name_index.arena = arena;
    c->ast = out->ast = ast;
    c->out = out;
    c->context = NEW_ARRAY(arena, nodes, uint8_t);
    c->size_of = NEW_ARRAY(arena, nodes, poly);
    out->symbol_of = NEW_ARRAY(arena, nodes, uint32_t);
    out->op_of = NEW_ARRAY(arena, nodes, enum op);
    out->extent_of = NEW_ARRAY(arena, nodes, struct extent);
    out->type_of = NEW_ARRAY(arena, nodes, struct type);
    return c;
}

struct name *name_find(struct checker *c, const char *interned) {
    uint32_t index = map_get(&c->name_index, key_of(interned));
    return index ? &c->names.at[index] : NULL;
}

struct name *name_of(struct checker *c, const char *interned) {
    uint32_t *index = map_at(&c->name_index, key_of(interned));
    if (!*index) {
        *index = (uint32_t)c->names.len;
        vec_push(c->arena, &c->names, (struct name){.text = interned, .op = op_find(interned, NULL, false)});
    }
    return &c->names.at[*index];
}
