/* The shape rules of the functions. */
#include "calls.h"

#include "arrange.h"
#include "faults.h"
#include "pattern.h"
#include "report.h"
#include "sizes.h"
#include "types.h"
#include "unify.h"

#include <string.h>

struct options {
    bool has_axis, keepdims, has_keepdims;
    int axis;
    ast_id axis_id;
};

uint32_t call_positional(const struct ast *ast, ast_id id) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < ast_node(ast, id)->count; i++)
        count += ast_node(ast, ast_child(ast, id, i))->kind != AST_NAMED;
    return count;
}

static struct type argument(struct checker *c, ast_id id, uint32_t i) {
    return resolve_type(c, c->out->type_of[ast_child(c->ast, id, i)]);
}

/* ---- Which function -----------------------------------------------------------------------------------------------
 */

static bool report_count(struct checker *c, ast_id id, const char *takes) {
    const struct ast_node *node = ast_node(c->ast, id);
    uint32_t given = call_positional(c->ast, id);
    const char *counts = format_string(c->arena, "%s, not %u", takes, (unsigned)given);
    struct diag *diag = complain(c, DIAG_E0218, node->op_span, node->name, counts);
    enum op_shape shape = op_records[name_of(c, node->name)->op].shape;
    if ((shape != SHAPE_REDUCE && shape != SHAPE_ALONG) || given != 2)
        return false;
    const char *value = shown(c, ast_child(c->ast, id, 0));
    const struct ast_node *axis = ast_node(c->ast, ast_child(c->ast, id, 1));
    if (value && axis->kind == AST_NUMBER)
        diag_help(c->diags, diag, "did you mean %s(%s, axis=%s) ?", node->name, value, axis->name);
    return false;
}

static bool check_count(struct checker *c, ast_id id, enum op op) {
    uint32_t given = call_positional(c->ast, id), arity = (uint32_t)op_records[op].arity;
    if (op_records[op].shape == SHAPE_FILL)
        return (given == 1 || given == 2) || report_count(c, id, "1 or 2 arguments");
    if (op == OP_norm)
        return (given == 1 || given == 2) || report_count(c, id, "1 or 2 arguments");
    if (arity == ANY_ARGUMENTS)
        return given > (op == OP_einsum) ||
               report_count(c, id, op == OP_einsum ? "a pattern and at least 1 value" : "at least 1 argument");
    bool pair = op_overload(op, (int)arity + 1) != op; /* max(x) and max(a, b) */
    const char *takes = pair ? format_string(c->arena, "%u or %u arguments", (unsigned)arity, (unsigned)arity + 1)
                             : format_string(c->arena, "%u argument%s", (unsigned)arity, arity == 1 ? "" : "s");
    return given == arity || report_count(c, id, takes);
}

/* norm(x, 1) and norm(x, inf) are functions of their own. */
static enum op norm_of(struct checker *c, ast_id id) {
    if (call_positional(c->ast, id) < 2)
        return OP_norm;
    const struct ast_node *which = ast_node(c->ast, ast_child(c->ast, id, 1));
    const char *parameter = which->kind == AST_NUMBER && which->number == 1 ? "1"
                            : which->kind == AST_NAME                       ? which->name
                                                                            : "";
    enum op op = op_find("norm", parameter, false);
    if (!op)
        complain(c, DIAG_E0229, which->span, "", "");
    return op;
}

/* ---- Named arguments ----------------------------------------------------------------------------------------------
 */

static bool read_axis(struct checker *c, ast_id id, struct options *options) {
    ast_id value_id = ast_child(c->ast, id, 0);
    const struct ast_node *value = ast_node(c->ast, value_id);
    bool negative = value->kind == AST_NEGATE;
    if (negative)
        value = ast_node(c->ast, ast_child(c->ast, value_id, 0));
    options->has_axis = true;
    options->axis_id = id;
    if (value->kind == AST_NUMBER && (value->number == 1 || (value->number == 0 && !negative))) {
        options->axis = negative ? -1 : (int)value->number;
        return true;
    }
    complain(c, DIAG_E0220, ast_node(c->ast, id)->span, "axis is 0, 1 or -1 (the last), a literal number", "");
    return false;
}

static bool read_keepdims(struct checker *c, ast_id id, struct options *options) {
    const struct ast_node *value = ast_node(c->ast, ast_child(c->ast, id, 0));
    bool yes = value->kind == AST_NAME && strcmp(value->name, "true") == 0;
    bool no = value->kind == AST_NAME && strcmp(value->name, "false") == 0;
    options->has_keepdims = true;
    options->keepdims = yes;
    if (yes || no)
        return true;
    complain(c, DIAG_E0221, value->span, "keepdims is true or false", "");
    return false;
}

static bool report_named(struct checker *c, ast_id id, ast_id call) {
    static const char *const words[] = {"axis", "keepdims"};
    const struct ast_node *node = ast_node(c->ast, id);
    enum op_shape shape = op_records[name_of(c, ast_node(c->ast, call)->name)->op].shape;
    struct diag *diag = complain(c, DIAG_E0219, node->span, ast_node(c->ast, call)->name, node->name);
    size_t count = shape == SHAPE_REDUCE ? 2 : shape == SHAPE_ALONG ? 1 : 0;
    const char *near = nearest_word(node->name, words, count);
    if (near)
        diag_help(c->diags, diag, "did you mean %s ?", near);
    return false;
}

static bool read_named(struct checker *c, ast_id call, ast_id id, enum op_shape shape, struct options *options) {
    const char *name = ast_node(c->ast, id)->name;
    bool axis = strcmp(name, "axis") == 0, keepdims = strcmp(name, "keepdims") == 0;
    if (axis && (shape == SHAPE_REDUCE || shape == SHAPE_ALONG) && !options->has_axis)
        return read_axis(c, id, options);
    if (keepdims && shape == SHAPE_REDUCE && !options->has_keepdims)
        return read_keepdims(c, id, options);
    if (!options->has_axis || !axis)
        return report_named(c, id, call);
    complain(c, DIAG_E0220, ast_node(c->ast, id)->span, "axis is given twice", "");
    return false;
}

static bool read_options(struct checker *c, ast_id id, enum op op, struct options *options) {
    bool good = true;
    for (uint32_t i = 0; i < ast_node(c->ast, id)->count; i++) {
        ast_id child = ast_child(c->ast, id, i);
        if (ast_node(c->ast, child)->kind == AST_NAMED)
            good &= read_named(c, id, child, op_records[op].shape, options);
    }
    if (!good || !options->has_keepdims || options->has_axis)
        return good;
    complain(c, DIAG_E0221, ast_node(c->ast, id)->op_span, "keepdims needs an axis: without one the result is a scalar",
             "");
    return false;
}

/* ---- Shapes -------------------------------------------------------------------------------------------------------
 */

static struct type report_kind(struct checker *c, ast_id id, const char *takes) {
    const struct ast_node *node = ast_node(c->ast, id);
    uint32_t count = call_positional(c->ast, id);
    struct text kinds = text_new(c->arena);
    for (uint32_t i = 0; i < count; i++)
        text_printf(&kinds, "%s%s", i ? " and " : "", kind_string(c, argument(c, id, i)));
    const char *rule = format_string(c->arena, "%s, not %s", takes, text_string(&kinds));
    struct diag *diag = complain(c, DIAG_E0222, node->op_span, node->name, rule);
    for (uint32_t i = 0; i < count; i++) {
        label_operand(c, diag, ast_child(c->ast, id, i), argument(c, id, i));
        note_implicit(c, diag, ast_child(c->ast, id, i));
    }
    return type_unknown();
}

/* The axis counted from the first, or -1 after an error. */
static int axis_of(struct checker *c, const struct options *options, struct type type) {
    int axis = options->axis < 0 ? type.rank - 1 : options->axis;
    if (axis >= 0 && axis < type.rank)
        return axis;
    const char *text =
        type.rank == 0 ? "a scalar has no axis" : format_string(c->arena, "%s has axis 0 only", kind_string(c, type));
    complain(c, DIAG_E0220, ast_node(c->ast, options->axis_id)->span, text, "");
    return -1;
}

static struct type reduced(struct checker *c, struct type type, const struct options *options) {
    poly one = poly_number(c->polys, 1);
    if (!options->has_axis)
        return type_scalar();
    int axis = axis_of(c, options, type);
    if (axis < 0)
        return type_unknown();
    if (type.rank == 1)
        return options->keepdims ? type_list(one, type.row) : type_scalar();
    if (!options->keepdims)
        return type_list(type.size[1 - axis], false);
    type.size[axis] = one;
    return type;
}

static struct type along(struct checker *c, ast_id id, struct type type, const struct options *options) {
    if (type.rank == 0)
        return report_kind(c, id, "a vector, a row or a matrix");
    return options->has_axis && axis_of(c, options, type) < 0 ? type_unknown() : type;
}

/* All arguments broadcast together, from left to right. */
static struct type elementwise(struct checker *c, ast_id id, enum op op) {
    struct type type = argument(c, id, 0);
    struct fault fault = {0};
    for (uint32_t i = 1; i < (uint32_t)op_records[op].arity; i++) {
        size_t mark = c->trail.len;
        if (types_broadcast(c, id, type, argument(c, id, i), &type, &fault))
            continue;
        unify_undo(c, mark);
        report_fault(c, id, ast_child(c->ast, id, i - 1), ast_child(c->ast, id, i), &fault);
        return type_unknown();
    }
    return type;
}

static struct type two_lists(struct checker *c, ast_id id, enum op op) {
    struct type a = argument(c, id, 0), b = argument(c, id, 1);
    bool matrices = op == OP_dot && a.rank == 2 && b.rank == 2;
    if (a.rank != 1 || b.rank != 1)
        return report_kind(c, id,
                           matrices ? "two vectors or rows (of matrices there is inner)" : "two vectors or rows");
    if (op_records[op].shape == SHAPE_OUTER)
        return type_matrix(a.size[0], b.size[0]);
    if (unify(c, a.size[0], b.size[0], id))
        return type_scalar();
    struct fault fault = {.kind = FAULT_SIZES, .size = {a.size[0], b.size[0]}};
    report_fault(c, id, ast_child(c->ast, id, 0), ast_child(c->ast, id, 1), &fault);
    return type_unknown();
}

static struct type two_alike(struct checker *c, ast_id id) {
    struct type a = argument(c, id, 0), b = argument(c, id, 1);
    struct fault fault = {0};
    size_t mark = c->trail.len;
    if (types_same(c, id, a, b, &fault))
        return type_scalar();
    unify_undo(c, mark);
    if (fault.kind == FAULT_RANKS)
        return report_kind(c, id, "two values of one shape");
    report_fault(c, id, ast_child(c->ast, id, 0), ast_child(c->ast, id, 1), &fault);
    return type_unknown();
}

static bool check_square(struct checker *c, ast_id id, struct type type) {
    ast_id ids[2] = {ast_child(c->ast, id, 0), ast_child(c->ast, id, 0)};
    struct fault fault = {.kind = FAULT_SIZES, .size = {type.size[0], type.size[1]}, .axis = {0, 1}};
    if (unify(c, type.size[0], type.size[1], id))
        return true;
    const struct ast_node *node = ast_node(c->ast, id);
    struct diag *diag = complain(c, DIAG_E0224, node->op_span, node->name, kind_string(c, type));
    label_operand(c, diag, ids[0], type);
    note_origins(c, diag, ids, &fault);
    return false;
}

static struct type of_square(struct checker *c, ast_id id, enum op op) {
    struct type type = argument(c, id, 0);
    bool diag = op_records[op].shape == SHAPE_DIAG;
    if (type.rank == 1 && diag)
        return type_matrix(type.size[0], type.size[0]);
    if (type.rank != 2)
        return report_kind(c, id, diag ? "a vector or a square matrix" : "a square matrix");
    if (!check_square(c, id, type))
        return type_unknown();
    if (op_records[op].shape == SHAPE_SQUARE)
        return type;
    return diag ? type_list(type.size[0], false) : type_scalar();
}

static struct type filled(struct checker *c, ast_id id, enum op op) {
    poly size[2] = {POLY_NONE, POLY_NONE};
    uint32_t count = call_positional(c->ast, id);
    for (uint32_t i = 0; i < count; i++)
        size[i] = size_checked(c, ast_child(c->ast, id, i));
    if (op_records[op].shape == SHAPE_EYE)
        return type_matrix(size[0], size[0]);
    return count == 2 ? type_matrix(size[0], size[1]) : type_list(size[0], false);
}

static bool has_unknown(struct checker *c, ast_id id) {
    for (uint32_t i = 0; i < ast_node(c->ast, id)->count; i++) {
        ast_id child = ast_child(c->ast, id, i);
        if (c->context[child] == CONTEXT_VALUE && c->out->type_of[child].rank == RANK_UNKNOWN)
            return true;
    }
    return false;
}

static struct type type_known(struct checker *c, ast_id id, enum op op, const struct options *options) {
    switch (op_records[op].shape) {
    case SHAPE_ELEMENTWISE:
        return elementwise(c, id, op);
    case SHAPE_REDUCE:
        return reduced(c, argument(c, id, 0), options);
    case SHAPE_ALONG:
        return along(c, id, argument(c, id, 0), options);
    case SHAPE_DOT:
    case SHAPE_OUTER:
        return two_lists(c, id, op);
    case SHAPE_INNER:
        return two_alike(c, id);
    case SHAPE_TRACE:
    case SHAPE_SQUARE:
    case SHAPE_DIAG:
        return of_square(c, id, op);
    case SHAPE_EYE:
    case SHAPE_FILL:
        return filled(c, id, op);
    case SHAPE_MATRIX:
        return argument(c, id, 0).rank == 2 ? argument(c, id, 0) : report_kind(c, id, "a matrix");
    case SHAPE_KRON:
        return type_kron(c, id);
    case SHAPE_VEC:
        return type_vec(c, id);
    case SHAPE_RESHAPE:
        return type_reshape(c, id);
    case SHAPE_BESIDE:
    case SHAPE_BELOW:
        return type_stack(c, id, op_records[op].shape == SHAPE_BESIDE);
    case SHAPE_PATTERN:
        return type_einsum(c, id);
    default:
        return type_scalar();
    }
}

/* What this version does not have yet; NULL if it has the function. */
static const char *later_function(struct checker *c, enum op op) {
    return op_records[op].kind == KIND_LATER ? format_string(c->arena, "the function '%s'", op_records[op].name) : NULL;
}

struct type type_call(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    enum op op = name_of(c, node->name)->op;
    struct options options = {0};
    if (op == OP_NONE)
        return type_unknown(); /* expansion has told what is wrong with the call */
    const char *later = later_function(c, op);
    if (later) {
        report_later(c, node->op_span, later);
        return type_unknown();
    }
    op = op_overload(op, (int)call_positional(c->ast, id));
    if (!check_count(c, id, op) || !read_options(c, id, op, &options))
        return type_unknown();
    if (op == OP_norm)
        op = norm_of(c, id);
    c->out->op_of[id] = op;
    return op == OP_NONE || has_unknown(c, id) ? type_unknown() : type_known(c, id, op, &options);
}
