/* Complaints, and the program as text in them. */
#include "report.h"

#include <string.h>

enum { MAX_SHOWN = 40, MAX_CALLS = 5 };

struct diag *complain(struct checker *c, enum diag_code code, struct span span, const char *a, const char *b) {
    if (!c->trial)
        return diag_report(c->diags, code, span, a, b);
    c->failed = true;
    return NEW(c->arena, struct diag);
}

void note_calls(struct checker *c, size_t first, uint32_t expansion) {
    for (size_t i = first; expansion && i < c->diags->all.len; i++) {
        uint32_t at = expansion;
        for (int shown = 0; at && shown < MAX_CALLS; shown++) {
            const struct ast_expansion *call = &c->ast->expansions.at[at];
            diag_note(c->diags, c->diags->all.at[i], (struct span){0}, "in the call of %s at %s", call->function,
                      place_string(c, call->call));
            at = call->parent;
        }
        if (at)
            diag_note(c->diags, c->diags->all.at[i], (struct span){0}, "and so on, outwards");
    }
}

bool is_shown(const struct checker *c) {
    return !c->trial && c->diags->errors <= DIAG_MAX_ERRORS;
}

/* ---- Text ---------------------------------------------------------------------------------------------------------
 */

const char *shown(struct checker *c, ast_id id) {
    struct text text = text_new(c->arena);
    struct span span = ast_node(c->ast, id)->span;
    if (span.end - span.begin > 4 * MAX_SHOWN)
        return NULL;
    ast_print_expression(&text, c->ast, id);
    return text.len <= MAX_SHOWN ? text_string(&text) : NULL;
}

const char *shown_operand(struct checker *c, ast_id id) {
    enum ast_kind kind = ast_node(c->ast, id)->kind;
    const char *text = shown(c, id);
    return text && (kind == AST_BINARY || kind == AST_NEGATE) ? format_string(c->arena, "(%s)", text) : text;
}

const char *shown_or_place(struct checker *c, ast_id id) {
    const char *text = shown(c, id);
    return text ? text : format_string(c->arena, "the value at %s", place_string(c, ast_node(c->ast, id)->span));
}

const char *place_string(struct checker *c, struct span span) {
    struct place place = source_place(c->diags->sources, span.begin);
    bool several = c->diags->sources->all.len > 1;
    return format_string(c->arena, "%s%s%u:%u", several ? place.source->name : "", several ? ":" : "",
                         (unsigned)place.line, (unsigned)place.column);
}

static const char *source_string(struct checker *c, struct span span) {
    const struct source *source = source_place(c->diags->sources, span.begin).source;
    uint32_t length = span.end - span.begin;
    if (length > MAX_SHOWN)
        return NULL;
    const char *text = arena_string(c->arena, source->text + (span.begin - source->base), length);
    return strpbrk(text, "\n\r\t") ? NULL : text;
}

const char *statement_string(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    const char *text = source_string(c, statement->span), *place = place_string(c, statement->span);
    if (!text && statement->name && statement->hidden != HIDDEN_RESULT)
        text = format_string(c->arena, statement->kind == STATEMENT_ASSIGN ? "%s = ..." : "%s: ...", statement->name);
    return text ? format_string(c->arena, "'%s' at %s", text, place) : format_string(c->arena, "at %s", place);
}
