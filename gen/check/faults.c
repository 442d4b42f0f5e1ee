/* Messages about operands: what they are, where their sizes come from, how they do not fit each other. */
#include "faults.h"

#include "report.h"
#include "types.h"
#include "unify.h"

#include <string.h>

const char *kind_string(struct checker *c, struct type type) {
    type = resolve_type(c, type);
    const char *text = type_string(c->arena, c->polys, type);
    if (type.rank == 0)
        return "a scalar";
    if (type.rank == 1 && type.row)
        return format_string(c->arena, "a row vector %s", text + strlen("row "));
    return format_string(c->arena, "a %s %s", type.rank == 1 ? "vector" : "matrix", text);
}

void label_operand(struct checker *c, struct diag *diag, ast_id id, struct type type) {
    const char *text = shown(c, id);
    type = resolve_type(c, type);
    const char *is = type.rank == 0 ? "a scalar" : type_string(c->arena, c->polys, type);
    diag_operand(c->diags, diag, ast_node(c->ast, id)->span, "%s is %s", text ? text : "this", is);
}

/* ---- Where a size comes from --------------------------------------------------------------------------------------
 */

/* What the parameter, or the call's result, that a node names stands for; 0 if it names none. */
static ast_id value_under(struct checker *c, ast_id id) {
    const struct symbol *symbol = &c->out->symbols.at[c->out->symbol_of[id]];
    return symbol->hidden == HIDDEN_ARGUMENT || symbol->hidden == HIDDEN_RESULT
               ? c->ast->statements.at[symbol->statement].value
               : 0;
}

/* The name under transpositions, parameters and results, 0 if there is none; *axis is the same axis of it. Where a
 * parameter stands for no name, it is the parameter. */
static ast_id name_under(struct checker *c, ast_id id, int *axis) {
    ast_id name = 0;
    int name_axis = *axis;
    while (id) {
        enum ast_kind kind = ast_node(c->ast, id)->kind;
        if (kind == AST_NAME && c->out->symbol_of[id]) {
            name = id;
            *axis = name_axis;
            id = value_under(c, id);
            continue;
        }
        id = kind == AST_TRANSPOSE ? ast_child(c->ast, id, 0) : 0;
        if (id && c->out->type_of[id].rank == 2)
            name_axis = 1 - name_axis;
    }
    return name;
}

static const char *inferred_string(struct checker *c, const struct symbol *symbol, int axis) {
    uint32_t index = 0;
    if (symbol->type.rank == RANK_UNKNOWN || axis >= symbol->type.rank ||
        !poly_is_name(c->polys, symbol->type.size[axis], &index))
        return NULL;
    ast_id at = variable_at(c, index)->bound_at;
    if (!at)
        return NULL;
    const char *text = shown(c, at), *place = place_string(c, ast_node(c->ast, at)->span);
    return text ? format_string(c->arena, "'%s' at %s", text, place)
                : format_string(c->arena, "the value at %s", place);
}

/* "'Z: [m, k]' at 2:1", NULL if nothing is known; *verb says how the size comes from it. */
static const char *origin(struct checker *c, ast_id id, int axis, poly size, const char **verb) {
    static const char comes[] = " comes", inferred[] = " is inferred";
    uint32_t index = 0;
    ast_id under = name_under(c, id, &axis);
    *verb = comes;
    if (under) {
        const struct symbol *symbol = &c->out->symbols.at[c->out->symbol_of[under]];
        const struct name *name = name_of(c, symbol->name);
        if (name->declared || name->assigned)
            return statement_string(c, (name->declared ? name->declared : name->assigned) - 1);
        *verb = inferred;
        return inferred_string(c, symbol, axis);
    }
    if (!poly_is_name(c->polys, resolve(c, size), &index) || !variable_at(c, index)->statement)
        return NULL;
    return statement_string(c, variable_at(c, index)->statement - 1);
}

void note_origins(struct checker *c, struct diag *diag, const ast_id ids[2], const struct fault *fault) {
    const char *size[2], *from[2], *verb[2];
    for (int i = 0; i < 2; i++) {
        size[i] = poly_string(c->arena, c->polys, resolve(c, fault->size[i]));
        from[i] = origin(c, ids[i], fault->axis[i], fault->size[i], &verb[i]);
    }
    struct span nowhere = {0};
    if (from[0] && from[1] && strcmp(from[0], from[1]) == 0)
        diag_note(c->diags, diag, nowhere, "%s and %s come from %s", size[0], size[1], from[0]);
    else if (from[0] && from[1])
        diag_note(c->diags, diag, nowhere, "%s%s from %s, %s%s from %s", size[0], verb[0], from[0], size[1],
                  verb[1] == verb[0] ? "" : verb[1], from[1]);
    else if (from[0] || from[1])
        diag_note(c->diags, diag, nowhere, "%s%s from %s", size[!from[0]], verb[!from[0]], from[!from[0]]);
}

const struct symbol *implicit_symbol(struct checker *c, ast_id id) {
    int axis = 0;
    ast_id under = name_under(c, id, &axis);
    if (!under)
        return NULL;
    const struct symbol *symbol = &c->out->symbols.at[c->out->symbol_of[under]];
    return symbol->kind == SYMBOL_INPUT && !symbol->declared ? symbol : NULL;
}

void note_implicit(struct checker *c, struct diag *diag, ast_id id) {
    const struct symbol *symbol = implicit_symbol(c, id);
    if (!symbol)
        return;
    bool matrix = symbol->type.rank == 2;
    diag_note(c->diags, diag, (struct span){0}, "%s is declared nowhere: an input, %s because its first letter is %s",
              symbol->name, matrix ? "a matrix" : "a vector", matrix ? "a capital" : "small");
}

/* ---- Faults -------------------------------------------------------------------------------------------------------
 */

static const char *operator_string(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    return format_string(c->arena, "'%s'", node->kind == AST_BINARY ? ast_op_spelling(node->op) : node->name);
}

const char *side_string(struct checker *c, ast_id id, struct type type, int axis) {
    const char *what = type.rank == 1 ? "length" : axis == 0 ? "rows" : "columns";
    return format_string(c->arena, "%s of %s", what, shown_or_place(c, id));
}

static const char *sides_string(struct checker *c, const struct pair *pair, const struct fault *fault) {
    return format_string(c->arena, "%s (%s) and %s (%s)", poly_string(c->arena, c->polys, resolve(c, fault->size[0])),
                         side_string(c, pair->left, pair->a, fault->axis[0]),
                         poly_string(c->arena, c->polys, resolve(c, fault->size[1])),
                         side_string(c, pair->right, pair->b, fault->axis[1]));
}

static struct diag *rows_diag(struct checker *c, const struct pair *pair, struct span span) {
    bool on_left = pair->a.rank == 1;
    ast_id list = on_left ? pair->left : pair->right, matrix = on_left ? pair->right : pair->left;
    poly size = (on_left ? pair->a : pair->b).size[0];
    const char *column = type_string(c->arena, c->polys, type_matrix(size, poly_number(c->polys, 1)));
    return complain(c, DIAG_E0207, span, shown_or_place(c, list),
                    format_string(c->arena, "%s: a vector goes along the last axis, a column is declared %s",
                                  shown_or_place(c, matrix), column));
}

static struct diag *fault_diag(struct checker *c, const struct pair *pair, const struct fault *fault) {
    struct span span = ast_node(c->ast, pair->id)->op_span;
    const char *op = operator_string(c, pair->id), *a = kind_string(c, pair->a), *b = kind_string(c, pair->b);
    const char *left = shown_or_place(c, pair->left), *right = shown_or_place(c, pair->right);
    bool scalar = pair->a.rank == 0 || pair->b.rank == 0;
    switch (fault->kind) {
    case FAULT_INNER:
        return complain(c, DIAG_E0203, span, sides_string(c, pair, fault), "");
    case FAULT_PRODUCT:
        b = scalar ? format_string(c->arena, "%s: a scalar multiplies with '*'", b) : b;
        return complain(c, DIAG_E0204, span, a, b);
    case FAULT_ROW:
        b = format_string(c->arena, "%s and %s: all products of their elements are outer(%s, %s)", a, b, left, right);
        return complain(c, DIAG_E0206, span, op, b);
    case FAULT_FITS_ROWS:
        return rows_diag(c, pair, span);
    default:
        return complain(c, DIAG_E0205, span, op, sides_string(c, pair, fault));
    }
}

/* One value on both sides is told once. */
static void label_operands(struct checker *c, struct diag *diag, const struct pair *pair) {
    const char *left = shown(c, pair->left), *right = shown(c, pair->right);
    if (left && right && strcmp(left, right) == 0)
        diag_operand(c->diags, diag, ast_node(c->ast, pair->left)->span, NULL);
    else
        label_operand(c, diag, pair->left, pair->a);
    label_operand(c, diag, pair->right, pair->b);
}

static void note_fault(struct checker *c, struct diag *diag, const struct pair *pair, const struct fault *fault) {
    ast_id ids[2] = {pair->left, pair->right};
    if (fault->kind == FAULT_INNER || fault->kind == FAULT_SIZES || fault->kind == FAULT_FITS_ROWS)
        note_origins(c, diag, ids, fault);
    if (fault->kind == FAULT_PRODUCT || fault->kind == FAULT_ROW) {
        note_implicit(c, diag, pair->left);
        note_implicit(c, diag, pair->right);
    }
}

void report_fault(struct checker *c, ast_id id, ast_id left, ast_id right, const struct fault *fault) {
    struct pair pair = {id, left, right, resolve_type(c, c->out->type_of[left]),
                        resolve_type(c, c->out->type_of[right])};
    if (c->trial) {
        c->failed = true;
        return;
    }
    struct diag *diag = fault_diag(c, &pair, fault);
    if (!is_shown(c))
        return;
    c->reported = (struct reported){diag, fault->kind, pair};
    label_operands(c, diag, &pair);
    note_fault(c, diag, &pair, fault);
}
