/* The checker's stages in order. */
#include "check.h"

#include "elements.h"
#include "names.h"
#include "report.h"
#include "requests.h"
#include "shapes.h"
#include "sizes.h"
#include "statements.h"
#include "unify.h"

#include <string.h>

/* ---- The element type ---------------------------------------------------------------------------------------------
 */

static void check_real(struct checker *c) {
    const struct ast_statement *first = NULL;
    for (uint32_t i = 0; i < c->ast->statements.len; i++) {
        const struct ast_statement *statement = &c->ast->statements.at[i];
        if (statement->kind != STATEMENT_REAL)
            continue;
        if (first && statement->name != first->name)
            complain(c, DIAG_E0227, statement->span, first->name, place_string(c, first->span));
        first = first ? first : statement;
    }
    c->out->f32 = c->options->real ? c->options->real == 32 : first && strcmp(first->name, "f32") == 0;
}

/* ---- Dimensions that nothing declares -----------------------------------------------------------------------------
 */

static bool is_open(struct checker *c, poly size) {
    uint32_t index;
    return poly_is_name(c->polys, size, &index) && variable_at(c, index)->unknown && !variable_at(c, index)->bound;
}

/* Free dimensions in the order of the source, which is the order of the symbols. */
static void list_dims(struct checker *c) {
    c->out->dims.len = 0;
    for (uint32_t i = 1; i < c->out->symbols.len; i++) {
        const struct symbol *symbol = &c->out->symbols.at[i];
        if (symbol->kind == SYMBOL_DIM && !symbol->fixed)
            vec_push(c->arena, &c->out->dims, poly_name(c->polys, symbol->name));
        bool implicit = symbol->kind == SYMBOL_INPUT && !symbol->declared && symbol->type.rank != RANK_UNKNOWN;
        for (int axis = 0; implicit && axis < symbol->type.rank; axis++)
            if (is_open(c, symbol->type.size[axis]))
                vec_push(c->arena, &c->out->dims, symbol->type.size[axis]);
    }
}

static void report_no_dimension(struct checker *c, const char *name) {
    VEC(const char *) words = {0};
    for (size_t i = 0; i < c->out->dims.len; i++)
        vec_push(c->arena, &words, poly_string(c->arena, c->polys, c->out->dims.at[i]));
    struct diag *diag = complain(c, DIAG_E0214, (struct span){0}, name, "");
    const char *near = nearest_word(name, words.at, words.len);
    if (near)
        diag_help(c->diags, diag, "did you mean -D %s=... ?", near);
}

/* -D of a name that no declaration made a dimension: one that inference named, or an error. */
static void fix_inferred(struct checker *c, const char *option) {
    size_t length = strcspn(option, "=");
    const char *text = intern_n(c->interner, option, length);
    const struct name *name = name_find(c, text);
    if (name && name->is_dim)
        return;
    for (size_t i = 0; i < c->out->dims.len; i++)
        if (strcmp(poly_string(c->arena, c->polys, c->out->dims.at[i]), text) == 0) {
            poly value = option_value(c, option, &text);
            if (value)
                unify(c, c->out->dims.at[i], value, 0);
            return;
        }
    report_no_dimension(c, text);
}

static void fix_all_inferred(struct checker *c) {
    list_dims(c);
    for (size_t i = 0; i < c->options->fixed_count; i++)
        fix_inferred(c, c->options->fixed[i]);
}

/* ---- The end ------------------------------------------------------------------------------------------------------
 */

static void finish_types(struct checker *c) {
    list_dims(c);
    for (uint32_t i = 1; i < c->out->symbols.len; i++)
        c->out->symbols.at[i].type = resolve_type(c, c->out->symbols.at[i].type);
    for (ast_id id = 1; id < c->ast->nodes.len; id++)
        c->out->type_of[id] = resolve_type(c, c->out->type_of[id]);
}

struct checked *check(struct arena *arena, struct interner *interner, struct polys *polys, struct diags *diags,
                      const struct ast *ast, const struct check_options *options) {
    struct checker *c = checker_new(arena, ast);
    c->interner = interner;
    c->polys = polys;
    c->diags = diags;
    c->options = options;
    names_collect(c);
    names_make_symbols(c);
    sizes_fix(c);
    sizes_declare(c);
    check_real(c);
    for (uint32_t i = 0; i < ast->statements.len; i++)
        type_statement(c, i);
    fix_all_inferred(c);
    unify_rest(c);
    finish_types(c);
    bounds_check(c);
    requests_check(c);
    elementwise_warnings(c);
    return c->out;
}
