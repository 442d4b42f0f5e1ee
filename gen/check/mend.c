/* What messages are made of: expressions and places as text, where a size comes from, and mends. A mend is offered only
 * if the statement type-checks with it: the statement is typed again on trial, and what that bound is undone. */
#include "checker.h"

#include <string.h>

enum { MAX_SHOWN = 40 };

struct diag *complain(struct checker *c, enum diag_code code, struct span span, const char *a, const char *b) {
    if (!c->trial)
        return diag_report(c->diags, code, span, a, b);
    c->failed = true;
    return NEW(c->arena, struct diag);
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

static const char *shown_transposed(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (node->kind == AST_TRANSPOSE)
        return shown_operand(c, ast_child(c->ast, id, 0));
    const char *text = shown_operand(c, id);
    return text ? format_string(c->arena, "%s'", text) : NULL;
}

const char *place_string(struct checker *c, struct span span) {
    struct place place = source_place(c->diags->sources, span.begin);
    return format_string(c->arena, "%u:%u", (unsigned)place.line, (unsigned)place.column);
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
    if (!text && statement->name)
        text = format_string(c->arena, statement->kind == STATEMENT_ASSIGN ? "%s = ..." : "%s: ...", statement->name);
    return text ? format_string(c->arena, "'%s' at %s", text, place) : format_string(c->arena, "at %s", place);
}

const char *type_string(struct arena *arena, const struct polys *polys, struct type type) {
    const char *size[2] = {"?", "?"};
    if (type.rank == 0 || type.rank > 2)
        return type.rank == 0 ? "scalar" : "?";
    for (int i = 0; i < type.rank; i++)
        if (type.size[i])
            size[i] = poly_string(arena, polys, type.size[i]);
    if (type.rank == 2)
        return format_string(arena, "[%s, %s]", size[0], size[1]);
    return format_string(arena, "%s[%s]", type.row ? "row " : "", size[0]);
}

const char *kind_string(struct checker *c, struct type type) {
    type = resolve_type(c, type);
    const char *text = type_string(c->arena, c->polys, type);
    if (type.rank == 0)
        return "a scalar";
    if (type.rank == 1 && type.row)
        return format_string(c->arena, "a row vector %s", text + strlen("row "));
    return format_string(c->arena, "a %s %s", type.rank == 1 ? "vector" : "matrix", text);
}

static const char *named(struct checker *c, ast_id id) {
    const char *text = shown(c, id);
    return text ? text : format_string(c->arena, "the value at %s", place_string(c, ast_node(c->ast, id)->span));
}

const char *side_string(struct checker *c, ast_id id, struct type type, int axis) {
    const char *what = type.rank == 1 ? "length" : axis == 0 ? "rows" : "columns";
    return format_string(c->arena, "%s of %s", what, named(c, id));
}

void label_operand(struct checker *c, struct diag *diag, ast_id id, struct type type) {
    const char *text = shown(c, id);
    type = resolve_type(c, type);
    const char *is = type.rank == 0 ? "a scalar" : type_string(c->arena, c->polys, type);
    diag_operand(c->diags, diag, ast_node(c->ast, id)->span, "%s is %s", text ? text : "this", is);
}

/* ---- Where a size comes from --------------------------------------------------------------------------------------
 */

/* The name under transpositions, 0 if there is none; *axis is the same axis of it. */
static ast_id name_under(struct checker *c, ast_id id, int *axis) {
    while (ast_node(c->ast, id)->kind == AST_TRANSPOSE) {
        id = ast_child(c->ast, id, 0);
        if (c->out->type_of[id].rank == 2)
            *axis = 1 - *axis;
    }
    return ast_node(c->ast, id)->kind == AST_NAME && c->out->symbol_of[id] ? id : 0;
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

static const struct symbol *implicit_symbol(struct checker *c, ast_id id) {
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

static void help_near(struct checker *c, struct diag *diag, ast_id id) {
    const struct symbol *symbol = implicit_symbol(c, id);
    const char *near = symbol && !c->trial ? near_value(c, symbol->name) : NULL;
    if (near)
        diag_help(c->diags, diag, "%s is declared nowhere; did you mean %s ?", symbol->name, near);
}

/* ---- Trials -------------------------------------------------------------------------------------------------------
 */

/* Is there reason to look for mends: this is the statement's only error, and it will be shown. */
static bool may_mend(const struct checker *c) {
    return !c->trial && c->diags->errors == c->errors_before + 1 && is_shown(c);
}

/* Types the statement from a node on; the types that it had are put back. */
static bool statement_fits(struct checker *c, ast_id from) {
    const struct ast_statement *statement = &c->ast->statements.at[c->statement];
    size_t count = statement->end - statement->begin, mark = c->trail.len;
    struct type *types = c->out->type_of + statement->begin, declared;
    struct type *saved = arena_copy(c->arena, types, count * sizeof *types);
    struct fault fault;
    c->trial = true;
    c->failed = false;
    type_nodes(c, from, statement->end);
    bool fits = !c->failed && assignment_fits(c, &declared, &fault);
    c->trial = false;
    unify_undo(c, mark);
    memcpy(types, saved, count * sizeof *types);
    return fits;
}

bool help_mend(struct checker *c, struct diag *diag, struct mend mend) {
    if (!mend.text || !may_mend(c))
        return false;
    const char *type = type_string(c->arena, c->polys, resolve_type(c, mend.type));
    struct type was = c->out->type_of[mend.at];
    c->out->type_of[mend.at] = mend.type;
    bool fits = statement_fits(c, mend.at + 1);
    c->out->type_of[mend.at] = was;
    if (fits)
        diag_help(c->diags, diag, "did you mean %s ?  %s", mend.text, type);
    return fits;
}

/* The same where a name has another type in all of the statement. */
static bool help_retyped(struct checker *c, struct diag *diag, uint32_t symbol, struct type type, const char *text) {
    if (!may_mend(c))
        return false;
    c->retyped = symbol;
    c->retyped_as = type;
    bool fits = statement_fits(c, c->ast->statements.at[c->statement].begin);
    c->retyped = 0;
    if (fits)
        diag_help(c->diags, diag, "did you mean %s ?", text);
    return fits;
}

/* ---- Mends of a node with two operands ----------------------------------------------------------------------------
 */

struct pair {
    ast_id id, left, right;
    struct type a, b;
};

static bool pair_fits(struct checker *c, const struct pair *pair, struct type a, struct type b, struct type *type) {
    const struct ast_node *node = ast_node(c->ast, pair->id);
    struct fault fault;
    if (node->kind == AST_BINARY)
        return node->op == AST_MATMUL ? types_multiply(c, pair->id, a, b, type, &fault)
                                      : types_broadcast(c, pair->id, a, b, type, &fault);
    enum op_shape shape = op_records[name_of(c, node->name)->op].shape;
    if (shape == SHAPE_ELEMENTWISE)
        return types_broadcast(c, pair->id, a, b, type, &fault);
    *type = type_scalar();
    return shape == SHAPE_INNER && types_same(c, pair->id, a, b, &fault);
}

static int level(enum ast_op op) {
    return op <= AST_NE ? 0 : op <= AST_SUB ? 1 : op < AST_POW ? 2 : 3;
}

/* An operand where it stands, in brackets only if the operator asks for them. */
static const char *shown_inside(struct checker *c, const struct pair *pair, bool right) {
    const struct ast_node *node = ast_node(c->ast, pair->id);
    ast_id id = right ? pair->right : pair->left;
    const struct ast_node *operand = ast_node(c->ast, id);
    bool bare = node->kind == AST_CALL;
    if (!bare && operand->kind == AST_BINARY)
        bare = node->op != AST_POW && level(operand->op) >= level(node->op) + right;
    else if (operand->kind == AST_NEGATE)
        bare |= !right && node->op != AST_POW;
    return bare ? shown(c, id) : shown_operand(c, id);
}

static const char *pair_string(struct checker *c, const struct pair *pair, const char *left, const char *right) {
    const struct ast_node *node = ast_node(c->ast, pair->id);
    if (!left || !right)
        return NULL;
    if (node->kind == AST_CALL)
        return format_string(c->arena, "%s(%s, %s)", node->name, left, right);
    return format_string(c->arena, "%s %s %s", left, ast_op_spelling(node->op), right);
}

/* Transposing the left operand, the right one, or both. */
static bool help_transposed(struct checker *c, struct diag *diag, const struct pair *pair, bool left, bool right) {
    struct type type, a = left ? type_transposed(pair->a) : pair->a, b = right ? type_transposed(pair->b) : pair->b;
    if (!may_mend(c) || (left && pair->a.rank == 0) || (right && pair->b.rank == 0))
        return false;
    size_t mark = c->trail.len;
    const char *l = left ? shown_transposed(c, pair->left) : shown_inside(c, pair, false);
    const char *r = right ? shown_transposed(c, pair->right) : shown_inside(c, pair, true);
    bool fits = pair_fits(c, pair, a, b, &type) &&
                help_mend(c, diag, (struct mend){pair->id, pair_string(c, pair, l, r), type});
    unify_undo(c, mark);
    return fits;
}

static void help_transposes(struct checker *c, struct diag *diag, const struct pair *pair) {
    bool right = help_transposed(c, diag, pair, false, true);
    bool left = help_transposed(c, diag, pair, true, false);
    if (!right && !left)
        help_transposed(c, diag, pair, true, true);
}

static void help_scaling(struct checker *c, struct diag *diag, const struct pair *pair) {
    const char *left = shown_inside(c, pair, false), *right = shown_inside(c, pair, true);
    if (left && right)
        help_mend(c, diag,
                  (struct mend){pair->id, format_string(c->arena, "%s * %s", left, right),
                                pair->a.rank == 0 ? pair->b : pair->a});
}

static void help_outer(struct checker *c, struct diag *diag, const struct pair *pair) {
    const struct ast_node *node = ast_node(c->ast, pair->id);
    const char *left = shown(c, pair->left), *right = shown(c, pair->right);
    bool product = node->kind == AST_CALL ? name_of(c, node->name)->op == OP_hadamard : node->op == AST_MUL;
    if (product && left && right)
        help_mend(c, diag,
                  (struct mend){pair->id, format_string(c->arena, "outer(%s, %s)", left, right),
                                type_matrix(pair->a.size[0], pair->b.size[0])});
}

static bool is_reduction(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    return node->kind == AST_CALL && op_records[c->out->op_of[id]].shape == SHAPE_REDUCE && node->count == 2 &&
           call_positional(c->ast, id) == 1;
}

static const char *kept_string(struct checker *c, ast_id id) {
    const char *text = shown(c, id);
    return text ? format_string(c->arena, "%.*s, keepdims=true)", (int)strlen(text) - 1, text) : NULL;
}

/* A named list as a column: declared so if it is an input, its reduction keeping the axis if it is a value. */
static bool help_named_column(struct checker *c, struct diag *diag, uint32_t index, struct type column) {
    const struct symbol *symbol = &c->out->symbols.at[index];
    const char *shape = type_string(c->arena, c->polys, resolve_type(c, column));
    if (symbol->kind == SYMBOL_INPUT)
        return help_retyped(c, diag, index, column, format_string(c->arena, "%s: %s", symbol->name, shape));
    ast_id value = symbol->kind == SYMBOL_VALUE ? c->ast->statements.at[symbol->statement].value : 0;
    const char *kept = value && is_reduction(c, value) ? kept_string(c, value) : NULL;
    return kept && help_retyped(c, diag, index, column, format_string(c->arena, "%s = %s", symbol->name, kept));
}

/* The symbol of the only list that an expression reads, 0 if there are several or none. */
static uint32_t only_list(struct checker *c, ast_id id) {
    const struct span span = ast_node(c->ast, id)->span;
    uint32_t only = 0;
    for (ast_id i = c->ast->statements.at[c->statement].begin; i <= id; i++) {
        const struct ast_node *node = ast_node(c->ast, i);
        uint32_t symbol = c->context[i] == CONTEXT_VALUE ? c->out->symbol_of[i] : 0;
        bool inside = node->span.begin >= span.begin && node->span.end <= span.end;
        if (!symbol || !inside || c->out->type_of[i].rank != 1 || symbol == only)
            continue;
        if (only)
            return 0;
        only = symbol;
    }
    return only;
}

/* The list of the pair as a column [m, 1]. */
static bool help_column(struct checker *c, struct diag *diag, const struct pair *pair) {
    bool on_left = pair->a.rank == 1;
    ast_id list = on_left ? pair->left : pair->right;
    struct type column = type_matrix((on_left ? pair->a : pair->b).size[0], poly_number(c->polys, 1)), type;
    uint32_t only = only_list(c, list);
    if (only && help_named_column(c, diag, only, column))
        return true;
    if (!is_reduction(c, list) || !pair_fits(c, pair, on_left ? column : pair->a, on_left ? pair->b : column, &type))
        return false;
    const char *kept = kept_string(c, list), *other = shown_inside(c, pair, on_left);
    const char *text = pair_string(c, pair, on_left ? kept : other, on_left ? other : kept);
    return help_mend(c, diag, (struct mend){pair->id, text, type});
}

/* ---- Faults -------------------------------------------------------------------------------------------------------
 */

static const char *operator_string(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    return format_string(c->arena, "'%s'", node->kind == AST_BINARY ? ast_op_spelling(node->op) : node->name);
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
    return complain(c, DIAG_E0207, span, named(c, list),
                    format_string(c->arena, "%s: a vector goes along the last axis, a column is declared %s",
                                  named(c, matrix), column));
}

static struct diag *fault_diag(struct checker *c, const struct pair *pair, const struct fault *fault) {
    struct span span = ast_node(c->ast, pair->id)->op_span;
    const char *op = operator_string(c, pair->id), *a = kind_string(c, pair->a), *b = kind_string(c, pair->b);
    const char *left = named(c, pair->left), *right = named(c, pair->right);
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

static void help_fault(struct checker *c, struct diag *diag, const struct pair *pair, enum fault_kind kind) {
    bool scalar = pair->a.rank == 0 || pair->b.rank == 0;
    if (kind == FAULT_PRODUCT && scalar)
        help_scaling(c, diag, pair);
    if (kind == FAULT_ROW)
        help_outer(c, diag, pair);
    bool column = kind == FAULT_FITS_ROWS && help_column(c, diag, pair);
    if (!scalar && !column)
        help_transposes(c, diag, pair);
    help_near(c, diag, pair->left);
    help_near(c, diag, pair->right);
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

void report_fault(struct checker *c, ast_id id, ast_id left, ast_id right, const struct fault *fault) {
    struct pair pair = {id, left, right, resolve_type(c, c->out->type_of[left]),
                        resolve_type(c, c->out->type_of[right])};
    ast_id ids[2] = {left, right};
    if (c->trial) {
        c->failed = true;
        return;
    }
    struct diag *diag = fault_diag(c, &pair, fault);
    if (!is_shown(c))
        return;
    label_operands(c, diag, &pair);
    if (fault->kind == FAULT_INNER || fault->kind == FAULT_SIZES || fault->kind == FAULT_FITS_ROWS)
        note_origins(c, diag, ids, fault);
    if (fault->kind == FAULT_PRODUCT || fault->kind == FAULT_ROW) {
        note_implicit(c, diag, left);
        note_implicit(c, diag, right);
    }
    help_fault(c, diag, &pair, fault->kind);
}
