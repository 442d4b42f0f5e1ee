/* The shape rules of the operators, and the typing of statements over them. */
#include "checker.h"

#include <string.h>

struct type type_unknown(void) {
    return (struct type){.rank = RANK_UNKNOWN};
}

struct type type_scalar(void) {
    return (struct type){0};
}

struct type type_list(poly size, bool row) {
    return (struct type){.rank = 1, .row = row, .size = {size, POLY_NONE}};
}

struct type type_matrix(poly rows, poly columns) {
    return (struct type){.rank = 2, .size = {rows, columns}};
}

struct type type_transposed(struct type type) {
    if (type.rank == 1)
        return type_list(type.size[0], !type.row);
    return type.rank == 2 ? type_matrix(type.size[1], type.size[0]) : type;
}

bool is_literal_one(struct checker *c, poly size) {
    int64_t number;
    return poly_is_number(c->polys, resolve(c, size), &number) && number == 1;
}

static bool either_unknown(struct type a, struct type b) {
    return a.rank == RANK_UNKNOWN || b.rank == RANK_UNKNOWN;
}

static bool set_fault(struct fault *fault, enum fault_kind kind, struct type a, int a_axis, struct type b, int b_axis) {
    *fault = (struct fault){.kind = kind, .size = {a.size[a_axis], b.size[b_axis]}, .axis = {a_axis, b_axis}};
    return false;
}

/* ---- '@' ----------------------------------------------------------------------------------------------------------
 */

/* The table of products; the axes that are summed over, -1 where none is. */
static bool product_kind(struct type a, struct type b, int axis[2], struct type *type) {
    bool left_row = a.rank == 1 && a.row, right_row = b.rank == 1 && b.row;
    axis[0] = a.rank == 2 ? 1 : 0;
    axis[1] = 0;
    if (a.rank == 0 || b.rank == 0 || (right_row && (a.rank == 2 || left_row)))
        return false;
    if (right_row) {
        axis[0] = -1;
        *type = type_matrix(a.size[0], b.size[0]);
    } else if (a.rank == 2) {
        *type = b.rank == 2 ? type_matrix(a.size[0], b.size[1]) : type_list(a.size[0], false);
    } else {
        *type = b.rank == 2 ? type_list(b.size[1], left_row) : type_scalar();
    }
    return true;
}

bool types_multiply(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                    struct fault *fault) {
    int axis[2];
    *type = type_unknown();
    if (either_unknown(a, b))
        return true;
    struct type product = type_unknown();
    if (!product_kind(a, b, axis, &product))
        return set_fault(fault, FAULT_PRODUCT, a, 0, b, 0);
    if (axis[0] >= 0 && !unify(c, a.size[axis[0]], b.size[axis[1]], at))
        return set_fault(fault, FAULT_INNER, a, axis[0], b, axis[1]);
    *type = product;
    return true;
}

/* ---- Elementwise --------------------------------------------------------------------------------------------------
 */

/* A literal 1 stretches; an unknown size is made equal to the other, unless that is 1. */
static bool broadcast_size(struct checker *c, ast_id at, poly a, poly b, poly *size) {
    *size = is_literal_one(c, a) ? b : a;
    return is_literal_one(c, a) || is_literal_one(c, b) || unify(c, a, b, at);
}

static bool broadcast_matrices(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                               struct fault *fault) {
    *type = type_matrix(POLY_NONE, POLY_NONE);
    for (int axis = 0; axis < 2; axis++)
        if (!broadcast_size(c, at, a.size[axis], b.size[axis], &type->size[axis]))
            return set_fault(fault, FAULT_SIZES, a, axis, b, axis);
    return true;
}

/* A vector or row beside a matrix, in either order, goes along the last axis. */
static bool broadcast_along(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                            struct fault *fault) {
    int a_axis = a.rank - 1, b_axis = b.rank - 1;
    struct type list = a.rank == 1 ? a : b, matrix = a.rank == 1 ? b : a;
    *type = matrix;
    if (broadcast_size(c, at, a.size[a_axis], b.size[b_axis], &type->size[1]))
        return true;
    bool fits_rows = resolve(c, list.size[0]) == resolve(c, matrix.size[0]);
    return set_fault(fault, fits_rows ? FAULT_FITS_ROWS : FAULT_SIZES, a, a_axis, b, b_axis);
}

static bool broadcast_lists(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                            struct fault *fault) {
    if (a.row != b.row)
        return set_fault(fault, FAULT_ROW, a, 0, b, 0);
    *type = a;
    return broadcast_size(c, at, a.size[0], b.size[0], &type->size[0]) || set_fault(fault, FAULT_SIZES, a, 0, b, 0);
}

bool types_broadcast(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                     struct fault *fault) {
    *type = type_unknown();
    if (either_unknown(a, b))
        return true;
    *type = a.rank == 0 ? b : a;
    if (a.rank == 0 || b.rank == 0)
        return true;
    if (a.rank == 1 && b.rank == 1)
        return broadcast_lists(c, at, a, b, type, fault);
    if (a.rank == 2 && b.rank == 2)
        return broadcast_matrices(c, at, a, b, type, fault);
    return broadcast_along(c, at, a, b, type, fault);
}

bool types_same(struct checker *c, ast_id at, struct type a, struct type b, struct fault *fault) {
    if (either_unknown(a, b))
        return true;
    if (a.rank != b.rank || a.row != b.row)
        return set_fault(fault, FAULT_RANKS, a, 0, b, 0);
    for (int axis = 0; axis < a.rank; axis++)
        if (!unify(c, a.size[axis], b.size[axis], at))
            return set_fault(fault, FAULT_SIZES, a, axis, b, axis);
    return true;
}

/* ---- Nodes --------------------------------------------------------------------------------------------------------
 */

static struct type report_late(struct checker *c, ast_id id, struct name *name) {
    const struct ast_node *node = ast_node(c->ast, id);
    bool declared = name->declared != 0;
    struct type type = declared ? c->out->symbols.at[name->symbol].type : type_unknown();
    if (name->told_late && !c->trial)
        return type;
    name->told_late |= !c->trial;
    const char *place = place_string(c, c->ast->statements.at[name->assigned - 1].name_span);
    const char *how = name->assigned - 1 == c->statement
                          ? "in the statement that assigns it"
                          : format_string(c->arena, "before it is assigned, at %s", place);
    complain(c, DIAG_E0209, node->span, node->name, how);
    return type;
}

static struct type type_name(struct checker *c, ast_id id) {
    struct name *name = name_of(c, ast_node(c->ast, id)->name);
    struct symbol *symbol = &c->out->symbols.at[name->symbol];
    if (!name->symbol)
        return type_scalar(); /* pi */
    if (c->trial && name->symbol == c->retyped)
        return c->retyped_as;
    c->out->symbol_of[id] = name->symbol;
    symbol->read = true;
    if (name->clash)
        return type_unknown();
    if (symbol->kind == SYMBOL_VALUE && symbol->statement >= c->statement)
        return report_late(c, id, name);
    return symbol->type;
}

static bool is_literal_integer(const struct ast *ast, ast_id id, double *value) {
    const struct ast_node *node = ast_node(ast, id);
    double sign = 1;
    if (node->kind == AST_NEGATE) {
        sign = -1;
        node = ast_node(ast, ast->children.at[node->first]);
    }
    *value = sign * node->number;
    return node->kind == AST_NUMBER && node->number < 1e9 && node->number == (double)(int)node->number;
}

static bool is_inverse_power(struct checker *c, const struct ast_node *node, struct type base) {
    double exponent;
    return node->op == AST_POW && base.rank == 2 &&
           is_literal_integer(c->ast, c->ast->children.at[node->first + 1], &exponent) && exponent == -1;
}

static struct type report_inverse(struct checker *c, const struct ast_node *node) {
    ast_id base = c->ast->children.at[node->first];
    struct diag *diag = complain(c, DIAG_E0216, node->op_span, "", "");
    label_operand(c, diag, base, c->out->type_of[base]);
    const char *text = shown(c, base), *operand = shown_operand(c, base);
    if (text)
        diag_help(c->diags, diag, "inv(%s) is the inverse of the matrix, 1 / %s the reciprocal of each element", text,
                  operand);
    return type_unknown();
}

static struct type type_binary(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    ast_id left = ast_child(c->ast, id, 0), right = ast_child(c->ast, id, 1);
    struct type a = c->out->type_of[left], b = c->out->type_of[right], type;
    struct fault fault = {0};
    if (node->op <= AST_NE || node->op == AST_SOLVE) {
        const char *what = node->op == AST_SOLVE ? "the operator '\\'" : "comparisons";
        report_later(c, node->op_span, what);
        return type_unknown();
    }
    if (is_inverse_power(c, node, a))
        return report_inverse(c, node);
    size_t mark = c->trail.len;
    bool fits = node->op == AST_MATMUL ? types_multiply(c, id, a, b, &type, &fault)
                                       : types_broadcast(c, id, a, b, &type, &fault);
    if (fits)
        return type;
    unify_undo(c, mark);
    report_fault(c, id, left, right, &fault);
    return type_unknown();
}

static struct type type_later(struct checker *c, const struct ast_node *node) {
    const char *what = node->kind == AST_INDEX    ? "elements and slices"
                       : node->kind == AST_STRING ? "strings"
                                                  : "block matrices";
    report_later(c, node->span, what);
    return type_unknown();
}

static struct type type_node(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    switch (node->kind) {
    case AST_NUMBER:
        return type_scalar();
    case AST_NAME:
        return type_name(c, id);
    case AST_NEGATE:
        return c->out->type_of[ast_child(c->ast, id, 0)];
    case AST_TRANSPOSE:
        return type_transposed(c->out->type_of[ast_child(c->ast, id, 0)]);
    case AST_BINARY:
        return type_binary(c, id);
    case AST_CALL:
        return type_call(c, id);
    default:
        return type_later(c, node);
    }
}

void type_nodes(struct checker *c, ast_id begin, ast_id end) {
    for (ast_id id = begin; id < end; id++) {
        if (c->context[id] == CONTEXT_VALUE)
            c->out->type_of[id] = type_node(c, id);
        else if (c->context[id] == CONTEXT_SIZE)
            c->size_of[id] = size_node(c, id);
    }
}

/* ---- Statements ---------------------------------------------------------------------------------------------------
 */

bool assignment_fits(struct checker *c, struct type *declared, struct fault *fault) {
    const struct ast_statement *statement = &c->ast->statements.at[c->statement];
    const struct name *name = name_of(c, statement->name);
    if (!name->declared || name->clash)
        return true;
    *declared = c->out->symbols.at[name->symbol].type;
    return types_same(c, statement->value, *declared, c->out->type_of[statement->value], fault);
}

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
    struct fault fault;
    if (name->assigned != index + 1)
        return;
    if (name->clash)
        c->out->symbols.at[name->symbol].type = type_unknown();
    else if (!name->declared)
        c->out->symbols.at[name->symbol].type = c->out->type_of[statement->value];
    else if (!assignment_fits(c, &declared, &fault))
        report_assignment(c, declared);
}

void type_statement(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    if (statement->kind != STATEMENT_ASSIGN || !statement->value)
        return;
    c->statement = index;
    c->errors_before = c->diags->errors;
    c->trail.len = 0;
    type_nodes(c, statement->begin, statement->end);
    assign(c, index);
}

/* '^' with a literal integer on a square matrix could be meant as the power of the matrix. */
void elementwise_warnings(struct checker *c) {
    double exponent;
    for (ast_id id = 1; id < c->ast->nodes.len; id++) {
        const struct ast_node *node = ast_node(c->ast, id);
        if (c->context[id] != CONTEXT_VALUE || node->kind != AST_BINARY || node->op != AST_POW)
            continue;
        ast_id base = ast_child(c->ast, id, 0);
        struct type type = c->out->type_of[base];
        if (type.rank != 2 || type.size[0] != type.size[1] ||
            !is_literal_integer(c->ast, ast_child(c->ast, id, 1), &exponent) || exponent == -1)
            continue; /* -1 is an error */
        const char *text = shown(c, base) ? shown(c, base) : "A";
        struct diag *diag = complain(c, DIAG_W0201, node->op_span, type_string(c->arena, c->polys, type), "");
        diag_help(c->diags, diag, "the power of the matrix is matpow(%s, %d)", text, (int)exponent);
    }
}
