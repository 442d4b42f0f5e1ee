/* The assignments in their order: each is typed node by node, and a fault gets its mends before the next node is. */
#include "statements.h"

#include "faults.h"
#include "mend.h"
#include "report.h"
#include "shapes.h"
#include "types.h"
#include "unify.h"

static void report_assignment(struct checker *c, struct type declared) {
    const struct ast_statement *statement = &c->ast->statements.at[c->statement];
    struct type value = resolve_type(c, c->out->type_of[statement->value]);
    const char *is =
        format_string(c->arena, "%s, and its value is %s", kind_string(c, declared), kind_string(c, value));
    struct diag *diag = complain(c, DIAG_E0208, statement->name_span, statement->name, is);
    diag_operand(c->diags, diag, ast_node(c->ast, statement->value)->span, "this is %s",
                 type_string(c->arena, c->polys, value));
    diag_note(c->diags, diag, (struct span){0}, "it is declared by %s",
              statement_string(c, name_of(c, statement->name)->declared - 1));
    const char *text = shown_operand(c, statement->value);
    if (text)
        help_mend(c, diag,
                  (struct mend){statement->value, format_string(c->arena, "%s = %s'", statement->name, text),
                                type_transposed(value)});
}

static void assign(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    const struct name *name = name_of(c, statement->name);
    struct type declared;
    if (name->assigned != index + 1)
        return;
    if (name->clash)
        c->out->symbols.at[name->symbol].type = type_unknown();
    else if (!name->declared)
        c->out->symbols.at[name->symbol].type = c->out->type_of[statement->value];
    else if (!assignment_fits(c, &declared))
        report_assignment(c, declared);
}

void type_statement(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    if (statement->kind != STATEMENT_ASSIGN || !statement->value)
        return;
    c->statement = index;
    c->errors_before = c->diags->errors;
    c->trail.len = 0;
    size_t first = c->diags->all.len;
    for (ast_id id = statement->begin; id < statement->end; id++) {
        c->reported.diag = NULL;
        type_node(c, id);
        if (c->reported.diag)
            help_fault(c, &c->reported);
    }
    assign(c, index);
    note_calls(c, first, statement->expansion);
}
