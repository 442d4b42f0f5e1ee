#include "derivatives.h"

#include "faults.h"
#include "report.h"
#include "types.h"
#include "unify.h"

static struct type argument(struct checker *c, ast_id id, uint32_t i) {
    return resolve_type(c, c->out->type_of[ast_child(c->ast, id, i)]);
}

/* ---- The variable -------------------------------------------------------------------------------------------------
 */

static const char *constant_kind(struct checker *c, uint32_t symbol) {
    if (symbol == 0)
        return "a constant"; /* pi */
    return c->out->symbols.at[symbol].kind == SYMBOL_DIM ? "a dimension" : NULL;
}

/* Does the second argument name a value? */
static bool check_variable(struct checker *c, ast_id id) {
    ast_id variable = ast_child(c->ast, id, 1);
    const struct ast_node *node = ast_node(c->ast, variable);
    uint32_t symbol = c->out->symbol_of[variable];
    if (node->kind != AST_NAME || c->out->symbols.at[symbol].hidden == HIDDEN_RESULT) {
        struct diag *diag = complain(c, DIAG_E0310, node->span, ast_node(c->ast, id)->name, "");
        const char *text = shown(c, variable);
        if (text && node->kind != AST_NUMBER)
            diag_help(c->diags, diag, "give it a name first, compute with that name, and write the name here: z = %s",
                      text);
        return false;
    }
    const char *kind = constant_kind(c, symbol);
    if (kind)
        complain(c, DIAG_E0302, node->span, node->name, kind);
    return !kind;
}

/* ---- Types --------------------------------------------------------------------------------------------------------
 */

/* A name that inference gives such a shape: v, V or, of a row, v'. */
static const char *direction_name(struct checker *c, char letter, struct type like) {
    char name = like.rank == 2 ? (char)(letter - 'a' + 'A') : letter;
    return format_string(c->arena, "%c%s", name, like.row ? "'" : "");
}

static struct type report_no_scalar(struct checker *c, ast_id id, struct type type) {
    ast_id value = ast_child(c->ast, id, 0);
    const char *y = shown(c, value), *x = ast_node(c->ast, ast_child(c->ast, id, 1))->name;
    struct diag *diag = complain(c, DIAG_E0301, ast_node(c->ast, value)->span, y ? y : "this", kind_string(c, type));
    label_operand(c, diag, value, type);
    if (!y)
        return type_unknown();
    const char *u = direction_name(c, 'u', type);
    diag_help(c->diags, diag, "vjp(%s, %s, %s) takes a cotangent %s of its shape", y, x, u, u);
    diag_help(c->diags, diag, "grad(sum(%s), %s) differentiates the sum of its elements", y, x);
    return type_unknown();
}

static void help_products(struct checker *c, ast_id id, enum op op, struct diag *diag, struct type y, struct type x) {
    const char *value = shown(c, ast_child(c->ast, id, 0)), *by = ast_node(c->ast, ast_child(c->ast, id, 1))->name;
    const char *u = direction_name(c, 'u', y), *v = direction_name(c, 'v', x);
    if (value && op == OP_hess)
        diag_help(c->diags, diag, "vjp(grad(%s, %s), %s, %s) is its product with a direction %s", value, by, by, v, v);
    else if (value)
        diag_help(c->diags, diag, "jvp(%s, %s, %s) and vjp(%s, %s, %s) are its products with a direction", value, by, v,
                  value, by, u);
}

/* A tensor is no value of the language; as the output of a request it may be asked for. */
static struct type report_axes(struct checker *c, ast_id id, enum op op, struct type y, struct type x) {
    const struct ast_node *node = ast_node(c->ast, id), *value = ast_node(c->ast, ast_child(c->ast, id, 0));
    ast_id variable = ast_child(c->ast, id, 1);
    uint32_t symbol = c->out->symbol_of[variable];
    const char *by = ast_node(c->ast, variable)->name;
    bool computed =
        value->kind == AST_NAME && c->out->symbols.at[c->out->symbol_of[ast_child(c->ast, id, 0)]].kind == SYMBOL_VALUE;
    const char *axes = format_string(c->arena, "%d axes", (op == OP_hess ? x.rank : y.rank) + x.rank);
    struct diag *diag = complain(c, DIAG_E0311, node->op_span, node->name, axes);
    label_operand(c, diag, ast_child(c->ast, id, 0), y);
    label_operand(c, diag, variable, x);
    if (computed && c->out->symbols.at[symbol].kind == SYMBOL_INPUT)
        diag_help(c->diags, diag, "as a statement, %s %s wrt %s gives it as an output", node->name, value->name, by);
    help_products(c, id, op, diag, y, x);
    return type_unknown();
}

static struct type type_tensor(struct checker *c, ast_id id, enum op op, struct type y, struct type x) {
    struct type rows = op == OP_hess ? x : y;
    if (rows.rank + x.rank > 2)
        return report_axes(c, id, op, y, x);
    if (rows.rank == 0 || x.rank == 0)
        return rows.rank ? rows : x;
    return type_matrix(rows.size[0], x.size[0]);
}

/* The direction has the shape of x (jvp) or of y (vjp). */
static bool check_direction(struct checker *c, ast_id id, enum op op, struct type like) {
    ast_id direction = ast_child(c->ast, id, 2), other = ast_child(c->ast, id, op == OP_vjp ? 0 : 1);
    struct type type = argument(c, id, 2);
    struct fault fault = {0};
    size_t mark = c->trail.len;
    if (types_same(c, id, like, type, &fault))
        return true;
    unify_undo(c, mark);
    if (fault.kind != FAULT_RANKS) {
        report_fault(c, id, other, direction, &fault);
        return false;
    }
    const struct ast_node *node = ast_node(c->ast, id);
    const char *rule =
        format_string(c->arena, "a %s of the shape of %s, %s, not %s", op == OP_vjp ? "cotangent" : "tangent",
                      shown_or_place(c, other), kind_string(c, like), kind_string(c, type));
    struct diag *diag = complain(c, DIAG_E0222, node->op_span, node->name, rule);
    label_operand(c, diag, other, like);
    label_operand(c, diag, direction, type);
    return false;
}

struct type type_derivative(struct checker *c, ast_id id, enum op op) {
    struct type y = argument(c, id, 0), x = argument(c, id, 1);
    if (!check_variable(c, id))
        return type_unknown();
    if ((op == OP_grad || op == OP_hess) && y.rank != 0)
        return report_no_scalar(c, id, y);
    switch (op) {
    case OP_jvp:
        return check_direction(c, id, op, x) ? y : type_unknown();
    case OP_vjp:
        return check_direction(c, id, op, y) ? x : type_unknown();
    case OP_grad:
        return x;
    default:
        return type_tensor(c, id, op, y, x);
    }
}
