/* The files of a program: each is read once, and its statements stand where it is included first. */
#include "program.h"

/* A file whose statements are being listed; the last one is read, those before it wait at an 'include'. */
struct open_file {
    uint32_t file;
    uint32_t next; /* the statement to come */
};

struct inclusion {
    struct program *program;
    struct included *included;
    VEC(struct open_file) open;
    VEC(uint32_t) file_of; /* by the reader's number: 1 + index in files */
    bool failed;
};

static void add_file(struct inclusion *in, const char *name, const struct ast *ast) {
    struct program *p = in->program;
    struct file file = {.name = name, .ast = ast};
    file.nodes = NEW_ARRAY(p->arena, ast->nodes.len, struct node_fact);
    file.statements = NEW_ARRAY(p->arena, ast->statements.len + 1, struct statement_fact);
    vec_push(p->arena, &p->files, file);
    vec_push(p->arena, &in->file_of, (uint32_t)p->files.len);
    vec_push(p->arena, &in->open, (struct open_file){(uint32_t)p->files.len - 1, 0});
}

static void report_missing(struct inclusion *in, const struct ast_statement *statement, const char *why) {
    in->failed = true;
    diag_report(in->program->diags, DIAG_E0509, statement->span, statement->name, why);
}

const char *cycle_string(struct arena *arena, const char *const *names, size_t count) {
    enum { SHOWN = 6 };
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++)
        if (i < SHOWN || i + 1 == count)
            text_printf(&text, "%s -> ", names[i]);
        else if (i == SHOWN)
            text_puts(&text, "... -> ");
    text_puts(&text, names[0]);
    return text_string(&text);
}

/* The file stands among the open ones from `first` on. */
static void report_cycle(struct inclusion *in, const struct ast_statement *statement, size_t first) {
    struct program *p = in->program;
    VEC(const char *) names = {0};
    for (size_t i = first; i < in->open.len; i++)
        vec_push(p->arena, &names, p->files.at[in->open.at[i].file].name);
    diag_report(p->diags, DIAG_E0510, statement->span, names.at[0], cycle_string(p->arena, names.at, names.len));
    in->failed = true;
}

static void parse_file(struct inclusion *in, const struct ast_statement *statement, const struct reading_file *read) {
    struct program *p = in->program;
    int errors = p->diags->errors;
    const struct source *source = sources_add(p->input->sources, read->name, read->text, read->length);
    if (!source) {
        report_missing(in, statement, "all files together are larger than 4 GiB");
        return;
    }
    vec_push(p->arena, &in->included->names, read->name);
    add_file(in, read->name, ast_parse(p->arena, p->input->interner, p->diags, source));
    in->failed |= p->diags->errors != errors;
}

static void check_open(struct inclusion *in, const struct ast_statement *statement, uint32_t file) {
    for (size_t i = 0; i < in->open.len; i++)
        if (in->open.at[i].file == file)
            report_cycle(in, statement, i);
}

static void include(struct inclusion *in, const struct ast_statement *statement, const char *from) {
    const struct reading *reading = in->program->input->reading;
    struct reading_file read = {.complaint = "no file can be read here"};
    if (!reading || !reading->read(reading->context, statement->name, from, &read))
        report_missing(in, statement, read.complaint);
    else if (read.number < in->file_of.len)
        check_open(in, statement, in->file_of.at[read.number] - 1);
    else if (read.text)
        parse_file(in, statement, &read);
}

static void define(struct program *p, struct origin at) {
    vec_push(p->arena, &p->definitions, (struct definition){.at = at});
}

/* The next statement of the innermost file. */
static void step(struct inclusion *in) {
    struct program *p = in->program;
    struct open_file *open = &vec_last(&in->open);
    const struct file *file = &p->files.at[open->file];
    struct origin at = {open->file, open->next};
    if (open->next == file->ast->statements.len) {
        in->open.len--;
        return;
    }
    const struct ast_statement *statement = &file->ast->statements.at[open->next++];
    if (statement->kind == STATEMENT_DEF) {
        open->next += statement->body_count;
        define(p, at);
    } else if (statement->kind == STATEMENT_INCLUDE) {
        include(in, statement, file->name);
    } else {
        vec_push(p->arena, &p->statements, at);
    }
}

bool include_all(struct program *p, const struct ast *ast, struct included *included) {
    struct inclusion in = {.program = p, .included = included};
    add_file(&in, p->input->sources->all.at[0].name, ast);
    while (in.open.len)
        step(&in);
    return !in.failed;
}
