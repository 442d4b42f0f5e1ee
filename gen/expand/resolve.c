/* What names are: functions, their parameters and locals, calls. All that can be wrong with a function, whatever it is
 * called with, is told here, and once. */
#include "program.h"

#include <string.h>

/* A parameter, or a value that the body assigns. */
struct local {
    const char *name;
    struct span span;
    uint32_t statement; /* the one that assigns it; of a parameter the 'def' */
    bool told_late;
};

struct resolver {
    struct program *program;
    struct file *file;
    uint32_t statement;       /* the one in work */
    uint32_t def;             /* the function that it belongs to, or 0 */
    VEC(struct local) locals; /* of that function, by slot; at[0] unused */
};

static const char *place_string(const struct program *p, struct span span) {
    struct place place = source_place(p->diags->sources, span.begin);
    bool several = p->files.len > 1;
    return format_string(p->arena, "%s%s%u:%u", several ? place.source->name : "", several ? ":" : "",
                         (unsigned)place.line, (unsigned)place.column);
}

static bool is_shown(const struct program *p) {
    return p->diags->errors <= DIAG_MAX_ERRORS;
}

/* ---- Words --------------------------------------------------------------------------------------------------------
 */

static struct word *word_find(const struct program *p, const char *interned) {
    uint32_t index = map_get(&p->word_index, key_of(interned));
    return index ? &p->words.at[index] : NULL;
}

/* Made if new; valid until the next call. */
static struct word *word_of(struct program *p, const char *interned) {
    uint32_t *index = map_at(&p->word_index, key_of(interned));
    if (!*index) {
        *index = (uint32_t)p->words.len;
        vec_push(p->arena, &p->words, (struct word){.text = interned, .op = op_find(interned, NULL, false)});
    }
    return &p->words.at[*index];
}

/* ---- Functions ----------------------------------------------------------------------------------------------------
 */

static void register_function(struct program *p, uint32_t def) {
    const struct ast_statement *statement = definition_statement(p, def);
    struct word *word = word_of(p, statement->name);
    if (word->op) {
        diag_report(p->diags, DIAG_E0501, statement->name_span, statement->name);
    } else if (word->def) {
        struct diag *diag = diag_report(p->diags, DIAG_E0502, statement->name_span, statement->name);
        diag_note(p->diags, diag, (struct span){0}, "the first is at %s",
                  place_string(p, definition_statement(p, word->def)->name_span));
    } else {
        word->def = def;
    }
}

static void register_value(struct program *p, struct origin at) {
    const struct ast_statement *statement = origin_statement(p, at);
    if (statement->kind == STATEMENT_DECLARE || statement->kind == STATEMENT_ASSIGN || statement->kind == STATEMENT_DIM)
        word_of(p, statement->name)->value = true;
}

/* ---- Calls --------------------------------------------------------------------------------------------------------
 */

/* Does the program, or the function in work, have a value of this name? */
static bool is_value(const struct resolver *r, const char *name) {
    const struct program *p = r->program;
    const struct word *word = word_find(p, name);
    if (word && (word->value || word->slot))
        return true;
    for (size_t i = 0; i < p->statements.len; i++) {
        const struct ast_statement *statement = origin_statement(p, p->statements.at[i]);
        const struct ast *ast = origin_ast(p, p->statements.at[i]);
        bool expressions = statement->kind == STATEMENT_ASSIGN || statement->kind == STATEMENT_DECLARE;
        for (ast_id id = statement->begin; expressions && id < statement->end; id++)
            if (ast_node(ast, id)->kind == AST_NAME && ast_node(ast, id)->name == name)
                return true;
    }
    return false;
}

static const char *near_function(const struct program *p, const char *name) {
    VEC(const char *) words = {0};
    for (enum op op = 1; op < OPS; op++)
        if (!(op_records[op].flags & OP_HIDDEN) && !op_records[op].call)
            vec_push(p->arena, &words, op_records[op].name);
    for (uint32_t def = 1; def < p->definitions.len; def++)
        vec_push(p->arena, &words, definition_statement(p, def)->name);
    return nearest_word(name, words.at, words.len);
}

static void report_unknown(struct resolver *r, const struct ast_node *call) {
    struct program *p = r->program;
    struct diag *diag = diag_report(p->diags, DIAG_E0217, call->op_span, call->name);
    if (!is_shown(p))
        return;
    const char *near = near_function(p, call->name);
    if (is_value(r, call->name))
        diag_note(p->diags, diag, (struct span){0}, "%s is a value; a product is written with '*' or '@'", call->name);
    else if (near)
        diag_help(p->diags, diag, "did you mean %s ?", near);
}

/* "3 arguments (X, W, b)" */
static const char *takes_string(const struct program *p, uint32_t def) {
    const struct ast_statement *statement = definition_statement(p, def);
    const struct ast *ast = origin_ast(p, p->definitions.at[def].at);
    uint32_t count = statement->parameter_count;
    struct text text = text_new(p->arena);
    text_printf(&text, "%u argument%s (", (unsigned)count, count == 1 ? "" : "s");
    for (uint32_t i = 0; i < count && i < 8; i++)
        text_printf(&text, "%s%s", i ? ", " : "",
                    ast_node(ast, ast->children.at[statement->first_parameter + i])->name);
    text_puts(&text, count > 8 ? ", ...)" : ")");
    return text_string(&text);
}

static bool check_arguments(struct resolver *r, const struct ast_node *call, uint32_t def) {
    struct program *p = r->program;
    const struct ast *ast = r->file->ast;
    for (uint32_t i = 0; i < call->count; i++) {
        const struct ast_node *argument = ast_node(ast, ast->children.at[call->first + i]);
        if (argument->kind != AST_NAMED)
            continue;
        diag_report(p->diags, DIAG_E0505, argument->span, call->name, argument->name);
        return false;
    }
    if (call->count == definition_statement(p, def)->parameter_count)
        return true;
    struct diag *diag = diag_report(p->diags, DIAG_E0504, call->op_span, call->name,
                                    format_string(p->arena, "%s, not %u", takes_string(p, def), (unsigned)call->count));
    diag_note(p->diags, diag, (struct span){0}, "it is defined at %s",
              place_string(p, definition_statement(p, def)->name_span));
    return false;
}

static void resolve_call(struct resolver *r, ast_id id) {
    struct program *p = r->program;
    const struct ast_node *call = ast_node(r->file->ast, id);
    struct node_fact *fact = &r->file->nodes[id];
    struct statement_fact *statement = &r->file->statements[r->statement];
    const struct word *word = word_of(p, call->name);
    if (!word->op && !word->def && !fact->verbatim)
        report_unknown(r, call);
    if (!word->def || !check_arguments(r, call, word->def))
        return;
    fact->def = word->def;
    fact->ordinal = statement->call_count++;
    vec_push(p->arena, &r->file->calls, (struct call){id, NULL});
    if (r->def)
        vec_push(p->arena, &p->edges, (struct edge){(uint32_t)(r->file - p->files.at), id, word->def});
}

/* ---- Names --------------------------------------------------------------------------------------------------------
 */

static void report_function(struct program *p, struct span span, const char *name) {
    const struct ast_statement *def = definition_statement(p, word_find(p, name)->def);
    struct diag *diag = diag_report(p->diags, DIAG_E0507, span, name);
    diag_note(p->diags, diag, (struct span){0}, "it is defined at %s", place_string(p, def->name_span));
}

/* Is it only a function's name, where a value should stand? */
static bool names_function(const struct program *p, const char *name) {
    const struct word *word = word_find(p, name);
    return word && word->def && !word->value && !word->slot;
}

static void check_order(struct resolver *r, const struct ast_node *node, struct local *local) {
    struct program *p = r->program;
    const struct statement_fact *statement = &r->file->statements[r->statement];
    uint32_t here = r->file->ast->statements.at[r->statement].kind == STATEMENT_DEF ? UINT32_MAX : r->statement;
    if (local->statement < here || local->told_late)
        return;
    local->told_late = true;
    const char *how = statement->slot == (uint32_t)(local - r->locals.at)
                          ? "in the statement that assigns it"
                          : format_string(p->arena, "before it is assigned, at %s", place_string(p, local->span));
    diag_report(p->diags, DIAG_E0209, node->span, node->name, how);
}

static void resolve_name(struct resolver *r, ast_id id) {
    const struct ast_node *node = ast_node(r->file->ast, id);
    const struct word *word = word_find(r->program, node->name);
    r->file->nodes[id].slot = word ? word->slot : 0;
    if (word && word->slot) {
        check_order(r, node, &r->locals.at[word->slot]);
    } else if (names_function(r->program, node->name)) {
        r->file->nodes[id].function = true;
        report_function(r->program, node->span, node->name);
    }
}

/* ---- Statements ---------------------------------------------------------------------------------------------------
 */

/* Is the child no value, but something that is read as it is written? */
static bool takes_text(enum op op, const struct ast_node *parent, uint32_t i) {
    switch (parent->kind) {
    case AST_NAMED:
    case AST_SLICE:
        return true;
    case AST_INDEX:
        return i > 0;
    case AST_CALL:
        return op_records[op].shape == SHAPE_EYE || op_records[op].shape == SHAPE_FILL ||
               (i > 0 && (op == OP_norm || op_records[op].shape == SHAPE_POWER || op == OP_reshape));
    default:
        return false;
    }
}

/* Operands have smaller ids than what they are part of, so going down the ids every node is met after its parent. */
static void mark_verbatim(struct resolver *r, const struct ast_statement *statement) {
    const struct ast *ast = r->file->ast;
    for (ast_id id = statement->end; id-- > statement->begin;) {
        const struct ast_node *node = ast_node(ast, id);
        enum op op = node->kind == AST_CALL ? word_of(r->program, node->name)->op : OP_NONE;
        for (uint32_t i = 0; i < node->count; i++) {
            ast_id child = ast->children.at[node->first + i];
            if (child)
                r->file->nodes[child].verbatim = r->file->nodes[id].verbatim || takes_text(op, node, i);
        }
    }
}

static void resolve_statement(struct resolver *r, uint32_t index) {
    const struct ast *ast = r->file->ast;
    const struct ast_statement *statement = &ast->statements.at[index];
    r->statement = index;
    r->file->statements[index].first_call = (uint32_t)r->file->calls.len;
    mark_verbatim(r, statement);
    for (ast_id id = statement->begin; id < statement->end; id++) {
        enum ast_kind kind = ast_node(ast, id)->kind;
        if (kind == AST_CALL)
            resolve_call(r, id);
        else if (kind == AST_NAME)
            resolve_name(r, id);
    }
}

/* Outputs and requests take values: a function's name there asks for what nothing computes. */
static void resolve_targets(struct resolver *r, uint32_t index) {
    const struct ast *ast = r->file->ast;
    const struct ast_statement *statement = &ast->statements.at[index];
    for (uint32_t i = 0; i < statement->target_count; i++) {
        const struct ast_node *target = ast_node(ast, ast->children.at[statement->first_target + i]);
        if (target->kind != AST_NAME || !names_function(r->program, target->name))
            continue;
        report_function(r->program, target->span, target->name);
        r->file->statements[index].dropped = true;
    }
}

static void resolve_origin(struct program *p, struct origin at) {
    struct resolver r = {.program = p, .file = &p->files.at[at.file]};
    enum ast_statement_kind kind = origin_statement(p, at)->kind;
    if (kind == STATEMENT_ASSIGN)
        resolve_statement(&r, at.statement);
    else if (kind == STATEMENT_OUTPUT || kind == STATEMENT_REQUEST)
        resolve_targets(&r, at.statement);
}

/* ---- Functions' bodies --------------------------------------------------------------------------------------------
 */

static void add_parameter(struct resolver *r, const char *function, const struct ast_node *node) {
    struct program *p = r->program;
    struct word *word = word_of(p, node->name);
    if (word->slot)
        diag_report(p->diags, DIAG_E0506, node->span, node->name, function);
    word->slot = (uint32_t)r->locals.len;
    vec_push(p->arena, &r->locals, (struct local){.name = node->name, .span = node->span});
}

static void add_local(struct resolver *r, uint32_t index) {
    struct program *p = r->program;
    const struct ast_statement *statement = &r->file->ast->statements.at[index];
    struct word *word = word_of(p, statement->name);
    if (word->slot) {
        const struct local *first = &r->locals.at[word->slot];
        struct diag *diag = diag_report(p->diags, DIAG_E0202, statement->name_span, statement->name);
        diag_note(p->diags, diag, (struct span){0},
                  first->statement ? "the first is at %s" : "it is the parameter at %s", place_string(p, first->span));
    } else {
        word->slot = (uint32_t)r->locals.len;
        vec_push(p->arena, &r->locals, (struct local){statement->name, statement->name_span, index, false});
    }
    r->file->statements[index].slot = word->slot;
}

static void add_locals(struct resolver *r, uint32_t index) {
    const struct ast *ast = r->file->ast;
    const struct ast_statement *def = &ast->statements.at[index];
    vec_push(r->program->arena, &r->locals, (struct local){0});
    for (uint32_t i = 0; i < def->parameter_count; i++)
        add_parameter(r, def->name, ast_node(ast, ast->children.at[def->first_parameter + i]));
    for (uint32_t i = 1; i <= def->body_count; i++)
        add_local(r, index + i);
}

static void resolve_definition(struct program *p, uint32_t def) {
    struct definition *definition = &p->definitions.at[def];
    struct resolver r = {.program = p, .file = &p->files.at[definition->at.file], .def = def};
    uint32_t index = definition->at.statement, body = definition_statement(p, def)->body_count;
    definition->first_edge = (uint32_t)p->edges.len;
    add_locals(&r, index);
    for (uint32_t i = 1; i <= body; i++)
        resolve_statement(&r, index + i);
    resolve_statement(&r, index);
    definition->slots = (uint32_t)r.locals.len - 1;
    definition->edge_count = (uint32_t)p->edges.len - definition->first_edge;
    for (size_t i = 1; i < r.locals.len; i++)
        word_of(p, r.locals.at[i].name)->slot = 0;
}

/* ---- Recursion ----------------------------------------------------------------------------------------------------
 */

enum colour { UNSEEN, OPEN, DONE };

struct visit {
    uint32_t def, next; /* the next edge to follow, counted from the function's first */
};

struct visits {
    struct program *program;
    uint8_t *colour; /* of each function */
    VEC(struct visit) open;
};

static const struct edge *edge_of(const struct program *p, const struct visit *visit) {
    return &p->edges.at[p->definitions.at[visit->def].first_edge + visit->next - 1];
}

static const char *function_name(const struct program *p, uint32_t def) {
    return definition_statement(p, def)->name;
}

static struct span edge_span(const struct program *p, const struct edge *edge) {
    return ast_node(p->files.at[edge->file].ast, edge->call)->op_span;
}

/* The call leads back to the open function at `first`; the ways between are told, the last one is the place. */
static void report_recursion(struct visits *v, const struct edge *edge, size_t first) {
    enum { SHOWN = 6 };
    struct program *p = v->program;
    VEC(const char *) names = {0};
    bool shown = p->diags->errors < DIAG_MAX_ERRORS; /* else the first name will do */
    for (size_t i = first; i < (shown ? v->open.len : first + 1); i++)
        vec_push(p->arena, &names, function_name(p, v->open.at[i].def));
    struct diag *diag =
        diag_report(p->diags, DIAG_E0503, edge_span(p, edge), names.at[0], cycle_string(p->arena, names.at, names.len));
    for (size_t i = 0; i + 1 < names.len && i < SHOWN; i++)
        diag_note(p->diags, diag, (struct span){0}, "%s calls %s at %s", names.at[i], names.at[i + 1],
                  place_string(p, edge_span(p, edge_of(p, &v->open.at[first + i]))));
}

static void enter(struct visits *v, uint32_t def) {
    v->colour[def] = OPEN;
    vec_push(v->program->arena, &v->open, (struct visit){def, 0});
}

static void cut(struct visits *v, const struct edge *edge) {
    size_t first = v->open.len - 1;
    while (v->open.at[first].def != edge->to)
        first--;
    report_recursion(v, edge, first);
    v->program->files.at[edge->file].nodes[edge->call].def = 0;
}

static void follow(struct visits *v) {
    struct program *p = v->program;
    struct visit *visit = &vec_last(&v->open);
    if (visit->next++ == p->definitions.at[visit->def].edge_count) {
        v->colour[visit->def] = DONE;
        v->open.len--;
        return;
    }
    const struct edge *edge = edge_of(p, visit);
    if (v->colour[edge->to] == UNSEEN)
        enter(v, edge->to);
    else if (v->colour[edge->to] == OPEN)
        cut(v, edge);
}

static void cut_recursion(struct program *p) {
    struct visits v = {.program = p, .colour = NEW_ARRAY(p->arena, p->definitions.len, uint8_t)};
    for (uint32_t def = 1; def < p->definitions.len; def++) {
        if (v.colour[def] == UNSEEN)
            enter(&v, def);
        while (v.open.len)
            follow(&v);
    }
}

void resolve_all(struct program *p) {
    vec_push(p->arena, &p->words, (struct word){0});
    for (size_t i = 0; i < p->statements.len; i++)
        register_value(p, p->statements.at[i]);
    for (uint32_t def = 1; def < p->definitions.len; def++)
        register_function(p, def);
    for (size_t i = 0; i < p->statements.len; i++)
        resolve_origin(p, p->statements.at[i]);
    for (uint32_t def = 1; def < p->definitions.len; def++)
        resolve_definition(p, def);
    cut_recursion(p);
}
