/* The stages in order. */
#include "compile.h"

#include "check/check.h"
#include "derive/module.h"
#include "derive/structure.h"
#include "emit/emit.h"
#include "expand/expand.h"
#include "plan/plan.h"

#include <setjmp.h>
#include <string.h>

struct compilation {
    const struct compile_options *options;
    struct arena *arena;
    struct interner interner;
    struct sources sources;
    struct diags diags;
    struct polys polys;
    struct graph graph;
    struct lowering lowering;
    struct included included;
    struct text main, header, statistics;
};

static void prepare(struct compilation *c, const struct compile_options *options, struct arena *arena) {
    memset(c, 0, sizeof *c);
    c->options = options;
    c->arena = c->interner.arena = c->sources.arena = c->diags.arena = arena;
    c->diags.sources = &c->sources;
    c->diags.warnings_are_errors = options->warnings_are_errors;
    for (size_t i = 0; i < options->silenced_count; i++)
        c->diags.silenced[diag_warning_named(options->silenced[i])] = true;
    c->main = text_new(arena);
    c->header = text_new(arena);
    c->statistics = text_new(arena);
    polys_init(&c->polys, arena);
    graph_init(&c->graph, arena, &c->polys);
    lowering_init(&c->lowering, arena, &c->interner, &c->graph);
}

static const struct ast *parse(struct compilation *c, const char *text, size_t length) {
    const struct source *source = sources_add(&c->sources, c->options->source_name, text, length);
    if (source)
        return ast_parse(c->arena, &c->interner, &c->diags, source);
    diag_report(&c->diags, DIAG_E0901, (struct span){0, 0}, "more than 4 GiB");
    return NULL;
}

/* NULL after an error that leaves nothing to check. */
static const struct ast *expand_program(struct compilation *c, const struct ast *ast) {
    struct expand_input input = {.arena = c->arena,
                                 .interner = &c->interner,
                                 .diags = &c->diags,
                                 .sources = &c->sources,
                                 .reading = c->options->reading};
    return expand(&input, ast, &c->included);
}

static const struct checked *check_program(struct compilation *c, const struct ast *ast) {
    struct check_options options = {c->options->module, c->options->fixed, c->options->fixed_count, c->options->real};
    return check(c->arena, &c->interner, &c->polys, &c->diags, ast, &options);
}

/* Internal invariants, checked between stages; a defect is ours, never the program's. */
static bool sound(struct compilation *c) {
    const char *wrong = graph_verify(&c->graph);
    if (wrong && !c->lowering.defect)
        c->lowering.defect = wrong;
    return !c->lowering.defect;
}

static void emit(struct compilation *c, const struct module *module, struct plan **plans, bool f32) {
    struct emission e = {.arena = c->arena,
                         .interner = &c->interner,
                         .graph = &c->graph,
                         .sources = &c->sources,
                         .module = module,
                         .plans = plans,
                         .version = MXC_VERSION,
                         .f32 = f32};
    e.source = base_name(c->options->source_name);
    e.header = base_name(c->options->header_name);
    e.spelled = c->options->spelled;
    e.reflect = c->options->reflect;
    if (c->options->statistics)
        emit_stats(&c->statistics, &e);
    switch (c->options->emit) {
    case EMIT_GRAPH:
        emit_graph(&c->main, &e);
        break;
    case EMIT_DERIVATION:
        emit_derivation(&c->main, &e);
        break;
    case EMIT_JSON:
        emit_json(&c->main, &e);
        break;
    default:
        emit_c(&c->main, &e);
        emit_header(&c->header, &e);
    }
}

static void run(struct compilation *c, const char *text, size_t length) {
    const struct ast *ast = parse(c, text, length);
    if (c->options->emit == EMIT_AST) {
        if (ast)
            ast_print(&c->main, ast, &c->sources);
        return;
    }
    const struct ast *expanded = c->diags.errors ? NULL : expand_program(c, ast);
    const struct checked *checked = expanded ? check_program(c, expanded) : NULL;
    if (c->diags.errors)
        return;
    struct module *module = module_build(&c->lowering, checked, c->options->module);
    if (c->lowering.too_many_axes.end)
        diag_report(&c->diags, DIAG_E0902, c->lowering.too_many_axes, format_string(c->arena, "%d", (int)MAX_RANK));
    if (c->diags.errors)
        return;
    module_simplify(&c->graph, module);
    module_structure(&c->graph, module);
    if (!sound(c))
        return;
    struct plan **plans = plan_module(&c->lowering, module, c->options->effort);
    module_show(&c->graph, module);
    if (sound(c))
        emit(c, module, plans, checked->f32);
}

static struct compile_text taken(struct text *text) {
    return (struct compile_text){text_string(text), text->len};
}

static void finish(struct compile_result *result, struct compilation *c) {
    struct text messages = text_new(c->arena);
    if (c->options->diagnostics == DIAGNOSTICS_JSON)
        diags_print_json(&messages, &c->diags);
    else
        diags_print_text(&messages, &c->diags, c->options->colour);
    if (c->lowering.defect)
        text_printf(&messages, "mxc: internal error: %s\n", c->lowering.defect);
    result->messages = taken(&messages);
    result->status = c->lowering.defect ? MXC_INTERNAL : c->diags.errors ? MXC_ERRORS : MXC_DONE;
    if (result->status != MXC_DONE)
        return;
    result->main = taken(&c->main);
    result->header = taken(&c->header);
    result->statistics = taken(&c->statistics);
    result->included = c->included.names.at;
    result->included_count = c->included.names.len;
}

static void compile_in(struct arena *arena, struct compile_result *result, const struct compile_options *options,
                       const char *text, size_t length) {
    struct compilation *c = NEW(arena, struct compilation);
    prepare(c, options, arena);
    run(c, text, length);
    finish(result, c);
}

void compile(struct compile_result *result, const struct compile_options *options, const char *text, size_t length) {
    static const char exhausted[] = "mxc: error[E0900]: memory ran out\n";
    jmp_buf failure;
    memset(result, 0, sizeof *result);
    struct arena *arena = arena_new(&failure);
    result->memory = arena;
    if (arena && setjmp(failure) == 0) {
        compile_in(arena, result, options, text, length);
        return;
    }
    result->status = MXC_ERRORS;
    result->main = result->header = result->statistics = (struct compile_text){"", 0};
    result->messages = (struct compile_text){exhausted, sizeof exhausted - 1};
}

void compile_free(struct compile_result *result) {
    arena_free(result->memory);
    result->memory = NULL;
}

bool compile_knows_warning(const char *name) {
    return diag_warning_named(name) != DIAG_CODES;
}

const char *compile_explanation(const char *code) {
    return diag_explanation(code);
}
