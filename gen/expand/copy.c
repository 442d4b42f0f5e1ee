#include "copy.h"

void copier_init(struct copier *copier, const struct program *program, struct ast *out, uint32_t most) {
    *copier = (struct copier){.program = program, .out = out, .most = most};
    out->arena = copier->value_of.arena = program->arena;
    vec_push(out->arena, &out->nodes, (struct ast_node){.kind = AST_NONE});
    vec_push(out->arena, &out->expansions, (struct ast_expansion){0});
}

void copy_note_value(struct copier *copier, const char *hidden, ast_id value) {
    *map_at(&copier->value_of, key_of(hidden)) = value;
}

/* ---- As they are --------------------------------------------------------------------------------------------------
 */

uint32_t copy_children(struct ast *out, const struct ast *from, uint32_t first, uint32_t count, ast_id shift) {
    uint32_t begin = (uint32_t)out->children.len;
    for (uint32_t i = 0; i < count; i++) {
        ast_id child = from->children.at[first + i];
        vec_push(out->arena, &out->children, child ? child + shift : 0);
    }
    return begin;
}

/* A name that was reported: a call of no function, which later stages know to be told of. */
static void excuse(struct ast_node *node) {
    node->kind = AST_CALL;
    node->count = 0;
}

void copy_range(struct copier *copier, const struct file *file, ast_id begin, ast_id end) {
    struct ast *out = copier->out;
    ast_id shift = (ast_id)out->nodes.len - begin;
    for (ast_id id = begin; id < end; id++) {
        struct ast_node node = *ast_node(file->ast, id);
        node.first = copy_children(out, file->ast, node.first, node.count, shift);
        if (file->nodes[id].function)
            excuse(&node);
        vec_push(out->arena, &out->nodes, node);
    }
}

/* ---- For one call -------------------------------------------------------------------------------------------------
 */

static void push(struct copier *c, struct copy_item item) {
    vec_push(c->out->arena, &c->stack, item);
}

/* Writes a node whose operands are the last ones written. */
static void write(struct copier *c, struct ast_node node) {
    struct ast *out = c->out;
    node.first = (uint32_t)out->children.len;
    c->written.len -= node.count;
    for (uint32_t i = 0; i < node.count; i++)
        vec_push(out->arena, &out->children, c->written.at[c->written.len + i]);
    vec_push(out->arena, &out->nodes, node);
    vec_push(out->arena, &c->written, (ast_id)out->nodes.len - 1);
    c->made++;
}

static void push_operands(struct copier *c, const struct ast *ast, struct copy_item item) {
    item.done = true;
    push(c, item);
    const struct ast_node *node = ast_node(ast, item.id);
    for (uint32_t i = node->count; i-- > 0;)
        push(c, (struct copy_item){ast_child(ast, item.id, i), false, item.expanded, item.span});
}

/* The name of a hidden value, or where names are read as they are written, what it stands for. */
static void write_hidden(struct copier *c, const char *name, struct span span, bool verbatim) {
    if (verbatim)
        push(c, (struct copy_item){map_get(&c->value_of, key_of(name)), false, true, span});
    else
        write(c, (struct ast_node){.kind = AST_NAME, .name = name, .span = span, .op_span = span});
}

static void copy_parsed(struct copier *c, const struct frame *frame, struct copy_item item) {
    const struct file *file = &c->program->files.at[frame->file];
    const struct node_fact *fact = &file->nodes[item.id];
    struct ast_node node = *ast_node(file->ast, item.id);
    if (fact->def) {
        write_hidden(c, frame->results[fact->ordinal], node.span, fact->verbatim);
    } else if (node.kind == AST_NAME && fact->slot && frame->names[fact->slot]) {
        write_hidden(c, frame->names[fact->slot], node.span, fact->verbatim);
    } else if (node.count && !item.done) {
        push_operands(c, file->ast, item);
    } else {
        if (fact->function || fact->slot)
            excuse(&node);
        write(c, node);
    }
}

static void copy_expanded(struct copier *c, struct copy_item item) {
    struct ast_node node = *ast_node(c->out, item.id);
    ast_id value = node.kind == AST_NAME ? map_get(&c->value_of, key_of(node.name)) : 0;
    if (value) {
        push(c, (struct copy_item){value, false, true, item.span});
    } else if (node.count && !item.done) {
        push_operands(c, c->out, item);
    } else {
        node.span = node.op_span = item.span;
        write(c, node);
    }
}

ast_id copy_expression(struct copier *c, const struct frame *frame, ast_id id) {
    c->stack.len = c->written.len = 0;
    push(c, (struct copy_item){.id = id});
    while (c->stack.len && c->made <= c->most) {
        struct copy_item item = vec_pop(&c->stack);
        if (!item.id)
            vec_push(c->out->arena, &c->written, 0);
        else if (item.expanded)
            copy_expanded(c, item);
        else
            copy_parsed(c, frame, item);
    }
    return c->written.len ? c->written.at[0] : 0;
}
