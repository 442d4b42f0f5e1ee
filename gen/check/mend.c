/* Mends of a fault. One is offered only if the statement type-checks with it: the statement is typed again on trial,
 * and what that bound is undone. */
#include "mend.h"

#include "calls.h"
#include "faults.h"
#include "report.h"
#include "shapes.h"
#include "types.h"
#include "unify.h"

#include <string.h>

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
    c->trial = true;
    c->failed = false;
    for (ast_id id = from; id < statement->end; id++)
        type_node(c, id);
    bool fits = !c->failed && assignment_fits(c, &declared);
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

/* ---- A node with two operands -------------------------------------------------------------------------------------
 */

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

static const char *shown_transposed(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (node->kind == AST_TRANSPOSE)
        return shown_operand(c, ast_child(c->ast, id, 0));
    const char *text = shown_operand(c, id);
    return text ? format_string(c->arena, "%s'", text) : NULL;
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

/* ---- A list as a column -------------------------------------------------------------------------------------------
 */

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
    if (symbol->hidden == HIDDEN_ARGUMENT || symbol->hidden == HIDDEN_RESULT)
        return false;
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

/* ---- A name -------------------------------------------------------------------------------------------------------
 */

static const char *near_value(struct checker *c, const char *word) {
    VEC(const char *) words = {0};
    if (!is_shown(c))
        return NULL;
    for (size_t i = 1; i < c->names.len; i++) {
        const struct name *name = &c->names.at[i];
        bool hidden = name->symbol && c->out->symbols.at[name->symbol].hidden;
        if ((name->declared || name->assigned) && name->text != word && !hidden)
            vec_push(c->arena, &words, name->text);
    }
    return nearest_word(word, words.at, words.len);
}

static void help_near(struct checker *c, struct diag *diag, ast_id id) {
    const struct symbol *symbol = implicit_symbol(c, id);
    const char *near = symbol && !c->trial ? near_value(c, symbol->name) : NULL;
    if (near)
        diag_help(c->diags, diag, "%s is declared nowhere; did you mean %s ?", symbol->name, near);
}

/* ---- Faults -------------------------------------------------------------------------------------------------------
 */

void help_fault(struct checker *c, const struct reported *reported) {
    struct diag *diag = reported->diag;
    const struct pair *pair = &reported->pair;
    enum fault_kind kind = reported->kind;
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
