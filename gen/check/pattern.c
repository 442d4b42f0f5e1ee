/* einsum: the letters of the pattern, in the order in which they stand, against the axes of the operands. */
#include "pattern.h"

#include "faults.h"
#include "report.h"
#include "types.h"
#include "unify.h"

#include <ctype.h>
#include <string.h>

struct pattern {
    struct checker *c;
    ast_id id;
    const char *text;
    poly size[256];    /* of each letter, POLY_NONE: not met yet */
    ast_id first[256]; /* the operand that has it first */
    bool seen[256], in_result[256];
};

static struct type report_pattern(struct pattern *p, const char *wrong) {
    ast_id text = ast_child(p->c->ast, p->id, 0);
    struct diag *diag = complain(p->c, DIAG_E0244, ast_node(p->c->ast, text)->span, p->text, wrong);
    diag_operand(p->c->diags, diag, ast_node(p->c->ast, p->id)->op_span, NULL);
    return type_unknown();
}

static bool report_letters(struct pattern *p, ast_id operand, struct type type, size_t letters) {
    struct checker *c = p->c;
    const char *wrong = format_string(c->arena, "it has %zu letter%s for %s, which is %s", letters,
                                      letters == 1 ? "" : "s", shown_or_place(c, operand), kind_string(c, type));
    report_pattern(p, wrong);
    return false;
}

static bool report_letter_sizes(struct pattern *p, char letter, ast_id operand, poly size) {
    struct checker *c = p->c;
    ast_id first = p->first[(unsigned char)letter];
    const char *sizes = format_string(c->arena, "'%c' is %s in %s and %s in %s", letter,
                                      poly_string(c->arena, c->polys, resolve(c, p->size[(unsigned char)letter])),
                                      shown_or_place(c, first), poly_string(c->arena, c->polys, resolve(c, size)),
                                      shown_or_place(c, operand));
    struct diag *diag = complain(c, DIAG_E0205, ast_node(c->ast, p->id)->op_span, "'einsum'", sizes);
    label_operand(c, diag, first, c->out->type_of[first]);
    if (operand != first)
        label_operand(c, diag, operand, c->out->type_of[operand]);
    return false;
}

/* One operand's letters; *at goes behind them. */
static bool read_operand(struct pattern *p, uint32_t number, const char **at) {
    struct checker *c = p->c;
    ast_id operand = ast_child(c->ast, p->id, number);
    struct type type = resolve_type(c, c->out->type_of[operand]);
    size_t letters = strcspn(*at, ",-");
    if (letters != type.rank)
        return report_letters(p, operand, type, letters);
    for (uint8_t axis = 0; axis < type.rank; axis++) {
        unsigned char letter = (unsigned char)(*at)[axis];
        if (p->seen[letter] && !unify(c, p->size[letter], type.size[axis], p->id))
            return report_letter_sizes(p, (char)letter, operand, type.size[axis]);
        if (p->seen[letter])
            continue;
        p->seen[letter] = true;
        p->size[letter] = type.size[axis];
        p->first[letter] = operand;
    }
    *at += letters;
    return true;
}

static struct type read_result(struct pattern *p, const char *letters) {
    struct type type = {0};
    if (strlen(letters) > 2)
        return report_pattern(p, "a result has at most two axes");
    for (; *letters; letters++) {
        unsigned char letter = (unsigned char)*letters;
        if (!p->seen[letter])
            return report_pattern(p, format_string(p->c->arena, "no operand has the letter '%c'", letter));
        if (p->in_result[letter])
            return report_pattern(p, format_string(p->c->arena, "the result has the letter '%c' twice", letter));
        p->in_result[letter] = true;
        type.size[type.rank++] = p->size[letter];
    }
    return type;
}

/* What is wrong with the text alone; NULL if nothing is. */
static const char *text_fault(struct pattern *p) {
    const char *arrow = strstr(p->text, "->");
    for (const char *at = p->text; *at; at++)
        if (!isalpha((unsigned char)*at) && !(*at == ',' && (!arrow || at < arrow)) && at != arrow && at != arrow + 1)
            return *at == '.' ? "'...' is not known: name every axis"
                              : format_string(p->c->arena, "'%c' cannot stand %s", *at,
                                              arrow && at > arrow ? "behind '->'" : "here");
    if (!arrow)
        return "the result is missing: write '->' and its letters behind it";
    uint32_t operands = 1, given = ast_node(p->c->ast, p->id)->count - 1;
    for (const char *at = p->text; at < arrow; at++)
        operands += *at == ',';
    if (operands == given)
        return NULL;
    return format_string(p->c->arena, "it is for %u operand%s, not %u", (unsigned)operands, operands == 1 ? "" : "s",
                         (unsigned)given);
}

struct type type_einsum(struct checker *c, ast_id id) {
    const struct ast_node *first = ast_node(c->ast, ast_child(c->ast, id, 0));
    struct pattern *p = NEW(c->arena, struct pattern);
    *p = (struct pattern){.c = c, .id = id, .text = first->name};
    if (first->kind != AST_STRING) {
        complain(c, DIAG_E0222, first->span, "einsum", "a pattern in quotation marks first, such as \"ik,kj->ij\"");
        return type_unknown();
    }
    const char *wrong = text_fault(p), *at = p->text;
    if (wrong)
        return report_pattern(p, wrong);
    for (uint32_t i = 1; i < ast_node(c->ast, id)->count; i++, at += *at == ',')
        if (!read_operand(p, i, &at))
            return type_unknown();
    return read_result(p, at + 2);
}
