/* Identifiers: which are declared, assigned, dimensions; what each node of an expression stands for; the symbols. */
#include "names.h"

#include "report.h"

#include <string.h>

/* ---- What a node stands for ---------------------------------------------------------------------------------------
 */

static bool takes_sizes(enum op op) {
    return op_records[op].shape == SHAPE_EYE || op_records[op].shape == SHAPE_FILL;
}

/* What an index, or the second argument of reshape, is. */
static enum context sizes_context(const struct ast_node *child) {
    return child->kind == AST_SLICE || child->kind == AST_BLOCK || child->kind == AST_LIST ? CONTEXT_SIZES
                                                                                           : CONTEXT_SIZE;
}

static enum context call_context(enum op op, const struct ast_node *child, uint32_t i) {
    if (takes_sizes(op))
        return CONTEXT_SIZE;
    if (op == OP_reshape && i > 0)
        return sizes_context(child);
    bool option = ((op == OP_norm || op_records[op].shape == SHAPE_POWER) && i > 0) ||
                  (op == OP_einsum && i == 0 && child->kind == AST_STRING);
    return option ? CONTEXT_OPTION : CONTEXT_VALUE;
}

static enum context child_context(struct checker *c, const struct ast_node *node, enum context context, uint32_t i) {
    const struct ast_node *child = ast_node(c->ast, c->ast->children.at[node->first + i]);
    if (context == CONTEXT_SIZES)
        return sizes_context(child);
    if (context != CONTEXT_VALUE)
        return context;
    if (child->kind == AST_NAMED)
        return CONTEXT_OPTION;
    if (node->kind == AST_INDEX && i > 0)
        return sizes_context(child);
    return node->kind == AST_CALL ? call_context(name_of(c, node->name)->op, child, i) : CONTEXT_VALUE;
}

/* Operands have smaller ids than what they are part of, so going down the ids every node is met after its parent. */
static void mark_contexts(struct checker *c, const struct ast_statement *statement) {
    for (ast_id id = statement->end; id-- > statement->begin;) {
        const struct ast_node *node = ast_node(c->ast, id);
        for (uint32_t i = 0; c->context[id] != CONTEXT_NONE && i < node->count; i++) {
            ast_id child = ast_child(c->ast, id, i);
            if (child)
                c->context[child] = (uint8_t)child_context(c, node, (enum context)c->context[id], i);
        }
    }
}

static void mark_roots(struct checker *c, const struct ast_statement *statement) {
    for (uint32_t i = 0; i < statement->size_count; i++)
        c->context[c->ast->children.at[statement->first_size + i]] = CONTEXT_SIZE;
    if (statement->value)
        c->context[statement->value] = statement->kind == STATEMENT_DIM ? CONTEXT_SIZE : CONTEXT_VALUE;
}

/* ---- Collecting ---------------------------------------------------------------------------------------------------
 */

/* *first: the statement that declares, or assigns, the same name. */
static void collect_once(struct checker *c, uint32_t index, uint32_t *first, enum diag_code code) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    if (!*first) {
        *first = index + 1;
        return;
    }
    struct diag *diag = complain(c, code, statement->name_span, statement->name, "");
    diag_note(c->diags, diag, (struct span){0}, "the first is %s", statement_string(c, *first - 1));
}

static void note_dimension(struct checker *c, const char *text, struct span span) {
    struct name *name = name_of(c, text);
    if (!name->is_dim)
        name->dim = span;
    name->is_dim = true;
}

static void collect_nodes(struct checker *c, const struct ast_statement *statement) {
    for (ast_id id = statement->begin; id < statement->end; id++) {
        const struct ast_node *node = ast_node(c->ast, id);
        if (node->kind != AST_NAME && node->kind != AST_CALL && node->kind != AST_NAMED)
            continue;
        name_of(c, node->name);
        if (node->kind == AST_NAME && c->context[id] == CONTEXT_SIZE)
            note_dimension(c, node->name, node->span);
    }
}

static void collect_statement(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    mark_roots(c, statement);
    mark_contexts(c, statement);
    collect_nodes(c, statement);
    if (statement->as)
        name_of(c, statement->as);
    if (statement->kind == STATEMENT_DIM)
        note_dimension(c, statement->name, statement->name_span);
    if (statement->kind == STATEMENT_DECLARE)
        collect_once(c, index, &name_of(c, statement->name)->declared, DIAG_E0201);
    if (statement->kind == STATEMENT_ASSIGN)
        collect_once(c, index, &name_of(c, statement->name)->assigned, DIAG_E0202);
}

void names_collect(struct checker *c) {
    vec_push(c->arena, &c->names, (struct name){0});
    for (uint32_t i = 0; i < c->ast->statements.len; i++)
        collect_statement(c, i);
}

/* ---- Symbols ------------------------------------------------------------------------------------------------------
 */

static struct symbol *add_symbol(struct checker *c, struct name *name, enum symbol_kind kind, struct span span) {
    name->symbol = (uint32_t)c->out->symbols.len;
    vec_push(c->arena, &c->out->symbols,
             (struct symbol){.name = name->text, .kind = kind, .structure = "dense", .span = span});
    return &vec_last(&c->out->symbols);
}

/* Told at the later of the two places. */
static void report_clash(struct checker *c, struct name *name, uint32_t statement, struct span span) {
    bool dim_later = name->dim.begin > span.begin;
    if (name->clash)
        return;
    name->clash = true;
    struct diag *diag = complain(c, DIAG_E0210, dim_later ? name->dim : span, name->text, "");
    if (dim_later)
        diag_note(c->diags, diag, (struct span){0}, "%s is a value by %s", name->text, statement_string(c, statement));
    else
        diag_note(c->diags, diag, (struct span){0}, "%s is a dimension at %s", name->text, place_string(c, name->dim));
}

/* A declared or assigned name has one symbol, made where it is declared if it is. */
static void add_variable(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    struct name *name = name_of(c, statement->name);
    bool declares = statement->kind == STATEMENT_DECLARE;
    if (name->is_dim)
        report_clash(c, name, index, statement->name_span);
    if (name->symbol || (!declares && name->declared))
        return;
    struct symbol *symbol = add_symbol(c, name, name->assigned ? SYMBOL_VALUE : SYMBOL_INPUT, statement->name_span);
    symbol->declared = declares;
    symbol->hidden = statement->hidden;
    symbol->statement = name->assigned ? name->assigned - 1 : 0;
}

static bool is_pi(const struct name *name) {
    return strcmp(name->text, "pi") == 0;
}

/* Names in an expression: a dimension where it is one, an input where nothing else says what it is. */
static void add_node_symbols(struct checker *c, const struct ast_statement *statement) {
    for (ast_id id = statement->begin; id < statement->end; id++) {
        const struct ast_node *node = ast_node(c->ast, id);
        enum context context = (enum context)c->context[id];
        if (node->kind != AST_NAME || context == CONTEXT_NONE || context == CONTEXT_OPTION)
            continue;
        struct name *name = name_of(c, node->name);
        if (name->symbol || name->declared || name->assigned)
            continue;
        if (context == CONTEXT_SIZE)
            add_symbol(c, name, SYMBOL_DIM, node->span);
        else if (!name->is_dim && !is_pi(name))
            add_symbol(c, name, SYMBOL_INPUT, node->span);
    }
}

static void add_statement_symbols(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    if (statement->kind == STATEMENT_DECLARE || statement->kind == STATEMENT_ASSIGN)
        add_variable(c, index);
    if (statement->kind == STATEMENT_DIM) {
        struct name *name = name_of(c, statement->name);
        if (!name->symbol && !name->declared && !name->assigned)
            add_symbol(c, name, SYMBOL_DIM, statement->name_span);
    }
    add_node_symbols(c, statement);
}

void names_make_symbols(struct checker *c) {
    vec_push(c->arena, &c->out->symbols, (struct symbol){0});
    for (uint32_t i = 0; i < c->ast->statements.len; i++)
        add_statement_symbols(c, i);
}
