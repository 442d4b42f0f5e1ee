/* The shape rules of the operators, and the types of nodes by them and by those of the functions. */
#include "shapes.h"

#include "arrange.h"
#include "calls.h"
#include "elements.h"
#include "faults.h"
#include "report.h"
#include "sizes.h"
#include "types.h"
#include "unify.h"

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

static bool is_inverse_power(struct checker *c, const struct ast_node *node, struct type base) {
    double exponent;
    return node->op == AST_POW && base.rank == 2 &&
           literal_integer(c->ast, c->ast->children.at[node->first + 1], &exponent) && exponent == -1;
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
    if (node->op == AST_SOLVE)
        return type_solution(c, id);
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

static struct type report_string(struct checker *c, const struct ast_node *node) {
    complain(c, DIAG_E0245, node->span, node->name, "");
    return type_unknown();
}

static struct type type_value(struct checker *c, ast_id id) {
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
    case AST_INDEX:
        return type_index(c, id);
    case AST_BLOCK:
        return type_stack(c, id, 0);
    case AST_LIST:
        return type_stack(c, id, 1);
    default:
        return report_string(c, node);
    }
}

void type_node(struct checker *c, ast_id id) {
    if (c->context[id] == CONTEXT_VALUE)
        c->out->type_of[id] = type_value(c, id);
    else if (c->context[id] == CONTEXT_SIZE)
        c->size_of[id] = size_node(c, id);
}

bool assignment_fits(struct checker *c, struct type *declared) {
    const struct ast_statement *statement = &c->ast->statements.at[c->statement];
    const struct name *name = name_of(c, statement->name);
    struct fault fault;
    if (!name->declared || name->clash)
        return true;
    *declared = c->out->symbols.at[name->symbol].type;
    return types_same(c, statement->value, *declared, c->out->type_of[statement->value], &fault);
}

/* '^' with a literal integer on a square matrix could be meant as the power of the matrix. */
static bool is_doubtful_power(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    double exponent;
    if (c->context[id] != CONTEXT_VALUE || node->kind != AST_BINARY || node->op != AST_POW)
        return false;
    struct type type = c->out->type_of[ast_child(c->ast, id, 0)];
    return type.rank == 2 && type.size[0] == type.size[1] &&
           literal_integer(c->ast, ast_child(c->ast, id, 1), &exponent) && exponent != -1; /* -1 is an error */
}

static void warn_power(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    ast_id base = ast_child(c->ast, id, 0);
    double exponent;
    literal_integer(c->ast, ast_child(c->ast, id, 1), &exponent);
    const char *text = shown(c, base) ? shown(c, base) : "A";
    const char *type = type_string(c->arena, c->polys, c->out->type_of[base]);
    struct diag *diag = complain(c, DIAG_W0201, node->op_span, type, "");
    diag_help(c->diags, diag, "the power of the matrix is matpow(%s, %d)", text, (int)exponent);
}

/* A place in a function is warned of once, for the first call that gives reason to. */
void elementwise_warnings(struct checker *c) {
    struct map warned = {.arena = c->arena};
    for (uint32_t i = 0; i < c->ast->statements.len; i++) {
        const struct ast_statement *statement = &c->ast->statements.at[i];
        size_t first = c->diags->all.len;
        for (ast_id id = statement->begin; statement->kind == STATEMENT_ASSIGN && id < statement->end; id++)
            if (is_doubtful_power(c, id) && !(*map_at(&warned, ast_node(c->ast, id)->op_span.begin))++)
                warn_power(c, id);
        note_calls(c, first, statement->expansion);
    }
}
