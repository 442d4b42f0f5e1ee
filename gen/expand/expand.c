/* Calls replaced by bodies. A stack of frames, one for each call that is being replaced, works through statements; the
 * calls of a statement come first, in the order of their ids, so that a call in an argument is done before the call
 * that it is an argument of. */
#include "copy.h"

/* A program may grow by so many nodes: enough for what people write, and what the later stages can take. */
enum { NODES_MAX = 1000000 };

struct machine {
    struct program *program;
    struct copier copier;
    VEC(struct frame) frames; /* at[0]: the program's statement */
    bool full;
};

/* ---- Statements written --------------------------------------------------------------------------------------------
 */

/* A name that no other is equal to, whatever its text. */
static const char *fresh(struct machine *m, const char *text) {
    return arena_string(m->program->arena, text, strlen(text));
}

/* An assignment of an expression of the frame's file. */
static void write_assignment(struct machine *m, const struct frame *frame, const struct ast_statement *like,
                             ast_id value) {
    struct ast *out = m->copier.out;
    struct ast_statement made = *like;
    made.kind = STATEMENT_ASSIGN;
    made.begin = (ast_id)out->nodes.len;
    made.value = copy_expression(&m->copier, frame, value);
    made.end = (ast_id)out->nodes.len;
    made.expansion = frame->expansion;
    vec_push(out->arena, &out->statements, made);
    if (made.hidden)
        copy_note_value(&m->copier, made.name, made.value);
}

/* A statement as it is, nodes and all. */
static void write_same(struct machine *m, struct origin at) {
    const struct ast *ast = origin_ast(m->program, at);
    const struct ast_statement *statement = origin_statement(m->program, at);
    struct ast *out = m->copier.out;
    struct ast_statement made = *statement;
    made.begin = (ast_id)out->nodes.len;
    ast_id shift = made.begin - statement->begin;
    copy_range(&m->copier, &m->program->files.at[at.file], statement->begin, statement->end);
    made.end = (ast_id)out->nodes.len;
    made.value = statement->value ? statement->value + shift : 0;
    made.first_size = copy_children(out, ast, statement->first_size, statement->size_count, shift);
    made.first_target = copy_children(out, ast, statement->first_target, statement->target_count, shift);
    vec_push(out->arena, &out->statements, made);
}

/* ---- Calls --------------------------------------------------------------------------------------------------------
 */

static const struct file *file_of(const struct machine *m, const struct frame *frame) {
    return &m->program->files.at[frame->file];
}

static uint32_t call_count(const struct machine *m, const struct frame *frame) {
    return file_of(m, frame)->statements[frame->statement].call_count;
}

/* Begins the frame's statement. */
static void set_statement(struct machine *m, struct frame *frame, uint32_t statement) {
    frame->statement = statement;
    frame->next_call = 0;
    frame->results = NEW_ARRAY(m->program->arena, call_count(m, frame), const char *);
}

static struct call *call_at(const struct machine *m, const struct frame *frame, uint32_t ordinal) {
    const struct file *file = file_of(m, frame);
    return &file->calls.at[file->statements[frame->statement].first_call + ordinal];
}

/* "layer(X, W, b)", cut short where it is too long to be quoted. */
static const char *call_string(struct machine *m, const struct frame *caller, struct call *call) {
    enum { MAX_SHOWN = 40 };
    const struct ast *ast = file_of(m, caller)->ast;
    const struct ast_node *node = ast_node(ast, call->id);
    struct text text = text_new(m->program->arena);
    if (!call->text) {
        if (node->span.end - node->span.begin <= 4 * MAX_SHOWN)
            ast_print_expression(&text, ast, call->id);
        bool fits = text.len && text.len <= MAX_SHOWN;
        call->text = fits ? text_string(&text) : format_string(m->program->arena, "%s(...)", node->name);
    }
    return call->text;
}

static void write_arguments(struct machine *m, const struct frame *caller, struct frame *callee, ast_id call) {
    const struct ast *ast = file_of(m, caller)->ast;
    const struct definition *definition = &m->program->definitions.at[callee->def];
    const struct ast *home = origin_ast(m->program, definition->at);
    const struct ast_statement *def = origin_statement(m->program, definition->at);
    for (uint32_t i = 0; i < def->parameter_count; i++) {
        ast_id argument = ast_child(ast, call, i);
        struct span span = ast_node(ast, argument)->span;
        const char *name = fresh(m, ast_node(home, home->children.at[def->first_parameter + i])->name);
        write_assignment(
            m, caller,
            &(struct ast_statement){.span = span, .name = name, .name_span = span, .hidden = HIDDEN_ARGUMENT},
            argument);
        callee->names[i + 1] = name;
    }
}

static uint32_t add_expansion(struct machine *m, const struct frame *caller, ast_id call) {
    const struct ast_node *node = ast_node(file_of(m, caller)->ast, call);
    struct ast *out = m->copier.out;
    vec_push(out->arena, &out->expansions, (struct ast_expansion){node->name, node->op_span, caller->expansion});
    return (uint32_t)out->expansions.len - 1;
}

static void begin_call(struct machine *m, struct frame *caller, ast_id call) {
    struct program *p = m->program;
    uint32_t def = file_of(m, caller)->nodes[call].def;
    const struct definition *definition = &p->definitions.at[def];
    struct frame callee = {.def = def, .file = definition->at.file};
    callee.names = NEW_ARRAY(p->arena, definition->slots + 1, const char *);
    write_arguments(m, caller, &callee, call);
    callee.expansion = add_expansion(m, caller, call);
    callee.call = call;
    bool has_body = definition_statement(p, def)->body_count > 0;
    set_statement(m, &callee, definition->at.statement + has_body);
    vec_push(p->arena, &m->frames, callee);
}

/* What the function in work returns. */
static void end_call(struct machine *m) {
    struct frame callee = vec_pop(&m->frames);
    struct frame *caller = &vec_last(&m->frames);
    const struct ast_statement *def = definition_statement(m->program, callee.def);
    uint32_t ordinal = file_of(m, caller)->nodes[callee.call].ordinal;
    struct span span = ast_node(file_of(m, &callee)->ast, def->value)->span;
    const char *name = fresh(m, call_string(m, caller, call_at(m, caller, ordinal)));
    write_assignment(m, &callee,
                     &(struct ast_statement){.span = span, .name = name, .name_span = span, .hidden = HIDDEN_RESULT},
                     def->value);
    caller->results[ordinal] = name;
}

/* ---- The machine --------------------------------------------------------------------------------------------------
 */

/* The statement of a body, whose calls are done. */
static void end_statement(struct machine *m, struct frame *frame) {
    const struct definition *definition = &m->program->definitions.at[frame->def];
    const struct ast_statement *def = origin_statement(m->program, definition->at);
    const struct file *file = file_of(m, frame);
    struct ast_statement like = file->ast->statements.at[frame->statement];
    uint32_t slot = file->statements[frame->statement].slot;
    like.hidden = HIDDEN_LOCAL;
    like.name = fresh(m, like.name);
    write_assignment(m, frame, &like, like.value);
    frame->names[slot] = like.name;
    bool last = frame->statement == definition->at.statement + def->body_count;
    set_statement(m, frame, last ? definition->at.statement : frame->statement + 1);
}

static bool step(struct machine *m) {
    struct frame *frame = &vec_last(&m->frames);
    const struct file *file = file_of(m, frame);
    const struct statement_fact *fact = &file->statements[frame->statement];
    while (frame->next_call < fact->call_count) {
        ast_id call = call_at(m, frame, frame->next_call++)->id;
        if (!file->nodes[call].def)
            continue;
        begin_call(m, frame, call);
        return true;
    }
    const struct ast_statement *statement = &file->ast->statements.at[frame->statement];
    if (frame->def && statement->kind == STATEMENT_DEF) {
        end_call(m);
        return true;
    }
    if (frame->def)
        end_statement(m, frame);
    else
        write_assignment(m, frame, statement, statement->value);
    return frame->def != 0;
}

static void report_full(struct machine *m) {
    const struct frame *program = &m->frames.at[0];
    const struct file *file = file_of(m, program);
    ast_id call = call_at(m, program, program->next_call - 1)->id;
    diag_report(m->program->diags, DIAG_E0508, ast_node(file->ast, call)->op_span);
    m->full = true;
}

static void expand_statement(struct machine *m, struct origin at) {
    struct frame frame = {.file = at.file};
    write_same(m, at);
    vec_last(&m->copier.out->statements).kind = STATEMENT_MENTION;
    set_statement(m, &frame, at.statement);
    m->frames.len = 0;
    vec_push(m->program->arena, &m->frames, frame);
    for (bool more = true; more && !m->full;) {
        more = step(m);
        if (m->copier.made > NODES_MAX)
            report_full(m);
    }
}

/* ---- All ----------------------------------------------------------------------------------------------------------
 */

static const struct ast *write_program(struct program *p) {
    struct ast *out = NEW(p->arena, struct ast);
    struct machine m = {.program = p};
    copier_init(&m.copier, p, out, NODES_MAX);
    for (size_t i = 0; i < p->statements.len && !m.full; i++) {
        struct origin at = p->statements.at[i];
        const struct statement_fact *fact = &p->files.at[at.file].statements[at.statement];
        if (fact->call_count)
            expand_statement(&m, at);
        else if (!fact->dropped)
            write_same(&m, at);
    }
    return m.full ? NULL : out;
}

const struct ast *expand(const struct expand_input *input, const struct ast *ast, struct included *included) {
    struct program *p = NEW(input->arena, struct program);
    p->input = input;
    p->arena = p->word_index.arena = input->arena;
    p->diags = input->diags;
    vec_push(p->arena, &p->definitions, (struct definition){0});
    if (!include_all(p, ast, included))
        return NULL;
    resolve_all(p);
    return p->files.len == 1 && p->definitions.len == 1 ? ast : write_program(p);
}
