#include "lower.h"

#include "../graph/arrange.h"
#include "cuts.h"
#include "logarithm.h"

#include <math.h>
#include <string.h>

/* An expression being lowered: in a program (checked set) or in a text of ops.def (bindings set). */
struct context {
    struct lowering *lowering;
    struct graph *graph;
    const struct ast *ast;
    const struct checked *checked;
    const struct value *symbols;
    struct cuts *cuts;
    const struct bindings *bindings;
    ast_id begin;
    struct value *values; /* of the nodes from begin on */
};

void lowering_init(struct lowering *lowering, struct arena *arena, struct interner *interner, struct graph *graph) {
    memset(lowering, 0, sizeof *lowering);
    lowering->arena = arena;
    lowering->interner = interner;
    lowering->graph = graph;
}

static struct value value_at(const struct context *c, ast_id id) {
    return c->values[id - c->begin];
}

static struct value bound_name(const struct context *c, const char *name) {
    for (int i = 0; i < MAX_ARGUMENTS; i++) {
        if (name[0] == 'a' + i && name[1] == '\0')
            return c->bindings->argument[i];
        if (name[0] == 'd' && name[1] == 'a' + i && name[2] == '\0')
            return c->bindings->differential[i];
    }
    return strcmp(name, "y") == 0 ? c->bindings->y
                                  : (struct value){0}; /* axis, keepdims, true: arguments, not values */
}

static struct value lower_name(const struct context *c, ast_id id) {
    const char *name = ast_node(c->ast, id)->name;
    if (c->bindings)
        return bound_name(c, name);
    uint32_t symbol = c->checked->symbol_of[id];
    if (symbol)
        return c->symbols[symbol];
    return strcmp(name, "pi") == 0 ? value_number(c->graph, 3.14159265358979323846) : (struct value){0};
}

/* The identity matrix of a square matrix's size. */
static struct value identity_like(struct graph *graph, struct value matrix) {
    if (matrix.axis[0] == AXIS_UNIT) {
        matrix.node = graph_number(graph, 1);
        return matrix;
    }
    return graph_value(graph, graph_delta(graph, value_size(graph, matrix, 0)));
}

struct value lower_matrix_text(struct lowering *lowering, enum op op, enum op_text which, struct value matrix) {
    struct bindings bindings = {.argument = {matrix, identity_like(lowering->graph, matrix)}};
    return lower_op_text(lowering, op, which, &bindings);
}

/* What an operator is of a matrix with this structure, where that is simpler; OP_TEXTS: nothing is known. */
static enum op_text simpler_text(const struct graph *graph, enum op op, struct value matrix) {
    uint8_t structure = graph_structure(graph, matrix.node);
    if (matrix.axis[0] == AXIS_UNIT)
        return TEXT_SINGLE;
    if (op_records[op].diagonal && (structure & STRUCTURE_DIAGONAL) == STRUCTURE_DIAGONAL)
        return TEXT_DIAGONAL;
    return op_records[op].orthogonal && structure & STRUCTURE_ORTHOGONAL ? TEXT_ORTHOGONAL : OP_TEXTS;
}

static struct value lower_matrix(struct context *c, enum op op, const struct value *arguments) {
    enum op_text text = simpler_text(c->graph, op, arguments[0]);
    if (arguments[0].rank == 2 && text != OP_TEXTS)
        return lower_matrix_text(c->lowering, op, text, arguments[0]);
    return value_matrix(c->graph, op, arguments, (uint32_t)op_records[op].arity);
}

static struct value constant_power(struct context *c, struct value base, int exponent) {
    struct value factors[4] = {base, base, base, base};
    return value_multiply(c->graph, 1, factors, (uint32_t)exponent);
}

/* y^2 where the operator that gave y knows a simpler form of it. */
static bool lower_square(struct context *c, struct value y, struct value *square) {
    struct node node = *graph_node(c->graph, y.node);
    if ((node.kind != NODE_MAP && node.kind != NODE_REDUCE) || !op_records[node.op].squared)
        return false;
    struct bindings bindings = {.argument = {graph_value(c->graph, node.operands[0].node)}};
    struct value made = lower_op_text(c->lowering, node.op, TEXT_SQUARED, &bindings);
    for (uint8_t i = 0; i < y.rank; i++)
        if (y.axis[i] != AXIS_UNIT)
            y.axis[i] = made.axis[y.axis[i]];
    y.node = made.node;
    *square = y;
    return true;
}

/* Small integer powers are products, so that equal powers meet; roots and reciprocals are their own operators. */
static struct value lower_power(struct context *c, struct value base, struct value exponent) {
    double k;
    bool literal = graph_is_fill(c->graph, exponent.node, &k) && graph_node(c->graph, exponent.node)->rank == 0;
    struct value power;
    if (literal && k == 2 && lower_square(c, base, &power))
        return power;
    if (literal && k < 0 && (k == -0.5 || (k >= -4 && k == floor(k)))) {
        power = lower_power(c, base, value_number(c->graph, -k));
        return value_map(c->graph, OP_reciprocal, &power, 1);
    }
    if (literal && k == 0.5)
        return value_map(c->graph, OP_sqrt, &base, 1);
    if (literal && k >= 1 && k <= 4 && k == floor(k))
        return constant_power(c, base, (int)k);
    return value_map(c->graph, OP_pow, (struct value[]){base, exponent}, 2);
}

static struct value lower_binary(struct context *c, const struct ast_node *node, ast_id id) {
    static const enum op comparisons[] = {
        [AST_LT] = OP_lt, [AST_LE] = OP_le, [AST_GT] = OP_gt, [AST_GE] = OP_ge, [AST_EQ] = OP_eq, [AST_NE] = OP_ne};
    struct value a = value_at(c, ast_child(c->ast, id, 0)), b = value_at(c, ast_child(c->ast, id, 1));
    struct value operands[] = {a, b};
    switch (node->op) {
    case AST_ADD:
        return value_add(c->graph, operands, (double[]){1, 1}, 2);
    case AST_SUB:
        return value_add(c->graph, operands, (double[]){1, -1}, 2);
    case AST_DIV:
        operands[1] = value_map(c->graph, OP_reciprocal, &b, 1);
        return value_multiply(c->graph, 1, operands, 2);
    case AST_MATMUL:
        return value_matmul(c->graph, a, b);
    case AST_SOLVE:
        return value_matmul(c->graph, lower_matrix(c, OP_inv, &a), b);
    case AST_POW:
        return lower_power(c, a, b);
    case AST_MUL:
        return value_multiply(c->graph, 1, operands, 2);
    default:
        return value_map(c->graph, comparisons[node->op], operands, 2);
    }
}

/* The axes that a call names; all of them where it names none, but the last for what goes along an axis. */
struct axes {
    uint32_t mask;
    bool keepdims;
};

static uint32_t all_axes(struct value value) {
    return (1u << value.rank) - 1;
}

static uint32_t axis_argument(const struct context *c, ast_id id, struct value of) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (node->kind == AST_NAME)
        return c->bindings->axes;
    if (node->kind == AST_NEGATE)
        return 1u << (of.rank - (int)ast_node(c->ast, ast_child(c->ast, id, 0))->number);
    return 1u << (int)node->number;
}

static struct axes call_axes(const struct context *c, const struct ast_node *call, enum op op, struct value of) {
    struct axes axes = {all_axes(of), false};
    if (op_records[op].shape == SHAPE_ALONG && of.rank > 0)
        axes.mask = 1u << (of.rank - 1);
    for (uint32_t i = 0; i < call->count; i++) {
        const struct ast_node *argument = ast_node(c->ast, c->ast->children.at[call->first + i]);
        if (argument->kind != AST_NAMED)
            continue;
        ast_id value = c->ast->children.at[argument->first];
        const struct ast_node *given = ast_node(c->ast, value);
        if (strcmp(argument->name, "axis") == 0)
            axes.mask = axis_argument(c, value, of);
        else
            axes.keepdims =
                strcmp(given->name, "keepdims") == 0 ? c->bindings->keepdims : strcmp(given->name, "true") == 0;
    }
    return axes;
}

/* The pattern among "ii->i; i->ii" whose first operand has this rank. */
static void choose_pattern(const char *patterns, uint8_t rank, char chosen[32]) {
    for (;;) {
        patterns += strspn(patterns, "; ");
        size_t length = strcspn(patterns, ";");
        if (strcspn(patterns, ",-") == rank || patterns[length] == '\0') {
            memcpy(chosen, patterns, length);
            chosen[length] = '\0';
            return;
        }
        patterns += length;
    }
}

static struct value lower_einsum(struct context *c, enum op op, const struct value *arguments) {
    char pattern[32];
    choose_pattern(op_records[op].pattern, arguments[0].rank, pattern);
    struct value made = value_einsum(c->graph, pattern, arguments, (uint32_t)op_records[op].arity);
    made.row = false;
    return made;
}

static struct value lower_constant(struct context *c, enum op op, ast_id id) {
    struct type type = c->checked->type_of[id];
    poly size[MAX_RANK];
    uint8_t rank = sizes_not_one(c->graph, type.size, type.rank, size);
    node_id node;
    if (op_records[op].kind == KIND_FILL)
        node = graph_fill(c->graph, op_records[op].fill, size, rank).node;
    else
        node = rank ? graph_delta(c->graph, size[0]) : graph_number(c->graph, 1);
    return value_over(c->graph, node, type.size, type.rank, type.row);
}

static struct value lower_text(struct context *c, enum op op, const struct value *arguments, struct axes axes) {
    struct bindings bindings = {.axes = axes.mask, .keepdims = axes.keepdims};
    memcpy(bindings.argument, arguments, sizeof bindings.argument);
    return lower_op_text(c->lowering, op, TEXT_DEFINITION, &bindings);
}

/* A reduction, or an operator along axes; where those have one element, a simpler expression. */
static struct value lower_over_axes(struct context *c, enum op op, struct value value, struct axes axes) {
    bool reduces = op_records[op].kind != KIND_ALONG;
    if (op != OP_sum && value_is_single(value, axes.mask)) {
        struct bindings bindings = {.argument = {value}};
        struct value single = lower_op_text(c->lowering, op, TEXT_SINGLE, &bindings);
        return reduces ? value_squeeze(single, axes.mask, axes.keepdims) : single;
    }
    return reduces ? value_reduce(c->graph, op, value, axes.mask, axes.keepdims)
                   : value_along(c->graph, op, value, axes.mask);
}

enum { MOST_FLAT = 8 };

/* As one product, so that equal factors of a derivative meet. */
static struct value flat_power(struct context *c, struct value base, int exponent) {
    struct value factors[MOST_FLAT];
    struct text pattern = text_new(c->lowering->arena);
    for (int i = 0; i < exponent; i++) {
        factors[i] = base;
        text_printf(&pattern, "%s%c%c", i ? "," : "", 'a' + i, 'b' + i);
    }
    text_printf(&pattern, "->a%c", 'a' + exponent);
    return value_einsum(c->graph, text_string(&pattern), factors, (uint32_t)exponent);
}

/* Large powers by repeated squaring. */
static struct value lower_matrix_power(struct context *c, struct value base, int exponent) {
    bool inverse = exponent < 0;
    unsigned left = inverse ? 0u - (unsigned)exponent : (unsigned)exponent, top = left;
    if (left == 0)
        return identity_like(c->graph, base);
    if (inverse)
        base = lower_matrix(c, OP_inv, &base);
    int below = 0;
    for (; top > MOST_FLAT; top >>= 1)
        below++;
    struct value power = flat_power(c, base, (int)top);
    for (int bit = below - 1; bit >= 0; bit--) {
        power = value_matmul(c->graph, power, power);
        if (left >> bit & 1)
            power = value_matmul(c->graph, power, base);
    }
    return power;
}

static double literal_number(const struct context *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    return node->kind == AST_NEGATE ? -ast_node(c->ast, ast_child(c->ast, id, 0))->number : node->number;
}

/* A value with the axes that its type has: a stack of lists may be a list. */
static struct value of_type(struct value value, struct type type) {
    struct value made = value;
    if (value.rank == 2 && type.rank < 2) {
        made.rank = type.rank;
        made.axis[0] = value.axis[type.row];
    }
    made.row = type.rank == 1 && type.row;
    return made;
}

static struct value lower_stack(struct context *c, ast_id id, int axis) {
    uint32_t count = ast_node(c->ast, id)->count;
    struct value *values = NEW_ARRAY(c->lowering->arena, count, struct value);
    for (uint32_t i = 0; i < count; i++)
        values[i] = value_at(c, ast_child(c->ast, id, i));
    return of_type(value_stack(c->graph, values, count, axis), c->checked->type_of[id]);
}

static struct value lower_pattern(struct context *c, ast_id id) {
    uint32_t count = ast_node(c->ast, id)->count - 1;
    struct value *values = NEW_ARRAY(c->lowering->arena, count, struct value);
    for (uint32_t i = 0; i < count; i++)
        values[i] = value_at(c, ast_child(c->ast, id, i + 1));
    struct value made = value_einsum(c->graph, ast_node(c->ast, ast_child(c->ast, id, 0))->name, values, count);
    made.row = false;
    return made;
}

static struct value lower_arrangement(struct context *c, enum op op, const struct value *arguments, ast_id id) {
    struct type type = c->checked ? c->checked->type_of[id] : (struct type){0}; /* texts only take triangles */
    switch (op_records[op].shape) {
    case SHAPE_KRON:
        return of_type(value_kron(c->graph, arguments[0], arguments[1]), type);
    case SHAPE_VEC:
        return value_vec(c->graph, arguments[0]);
    case SHAPE_RESHAPE:
        return value_reshape(c->graph, arguments[0], type.size, type.rank);
    case SHAPE_MATRIX:
        return value_triangle(c->graph, arguments[0], op == OP_tril);
    case SHAPE_PATTERN:
        return lower_pattern(c, id);
    default:
        return lower_stack(c, id, op_records[op].shape == SHAPE_BESIDE);
    }
}

/* An element or a slice: axes without an index are taken whole. */
static struct value lower_index(struct context *c, const struct ast_node *node, ast_id id) {
    struct value value = value_at(c, ast_child(c->ast, id, 0));
    struct range ranges[MAX_RANK];
    for (uint8_t i = 0; i < value.rank; i++) {
        ranges[i] = (struct range){poly_number(c->graph->polys, 0), value_size(c->graph, value, i), false};
        if (i + 1u >= node->count)
            continue;
        struct extent extent = c->checked->extent_of[ast_child(c->ast, id, i + 1u)];
        ranges[i] = (struct range){extent.begin, extent.size, extent.index};
    }
    return value_slice(c->graph, value, ranges);
}

/* Texts of ops.def say what they mean. */
static struct value lower_map(struct context *c, enum op op, const struct value *arguments) {
    if (c->checked && op == OP_log)
        return logarithm_of(c->lowering, arguments[0]);
    if (c->checked && op == OP_log1p)
        return logarithm_of_1_plus(c->lowering, arguments[0]);
    return value_map(c->graph, op, arguments, (uint32_t)op_records[op].arity);
}

static struct value lower_call(struct context *c, const struct ast_node *node, ast_id id) {
    struct value arguments[MAX_ARGUMENTS] = {{0}};
    int count = 0;
    for (uint32_t i = 0; i < node->count && count < MAX_ARGUMENTS; i++)
        if (ast_node(c->ast, ast_child(c->ast, id, i))->kind != AST_NAMED)
            arguments[count++] = value_at(c, ast_child(c->ast, id, i));
    enum op op = c->checked ? c->checked->op_of[id] : op_overload(op_find(node->name, NULL, true), count);
    struct axes axes = call_axes(c, node, op, arguments[0]);
    switch (op_records[op].kind) {
    case KIND_MAP:
        return lower_map(c, op, arguments);
    case KIND_SUM:
    case KIND_REDUCE:
    case KIND_ALONG:
        return lower_over_axes(c, op, arguments[0], axes);
    case KIND_COUNT:
        return graph_value(c->graph, graph_dim(c->graph, value_count(c->graph, arguments[0], axes.mask)));
    case KIND_EINSUM:
        return lower_einsum(c, op, arguments);
    case KIND_MATRIX:
        return lower_matrix(c, op, arguments);
    case KIND_POWER:
        return lower_matrix_power(c, arguments[0], (int)literal_number(c, ast_child(c->ast, id, 1)));
    case KIND_ARRANGE:
        return lower_arrangement(c, op, arguments, id);
    case KIND_TEXT:
        return lower_text(c, op, arguments, axes);
    case KIND_DERIVATIVE:
        return cuts_derive(c->cuts, op, arguments[0], c->checked->symbol_of[ast_child(c->ast, id, 1)], arguments[2]);
    default:
        return lower_constant(c, op, id);
    }
}

static struct value lower_node(struct context *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    struct value operand;
    switch (node->kind) {
    case AST_NUMBER:
        return value_number(c->graph, node->number);
    case AST_NAME:
        return lower_name(c, id);
    case AST_NEGATE:
        operand = value_at(c, ast_child(c->ast, id, 0));
        return value_multiply(c->graph, -1, &operand, 1);
    case AST_TRANSPOSE:
        return value_transpose(value_at(c, ast_child(c->ast, id, 0)));
    case AST_BINARY:
        return lower_binary(c, node, id);
    case AST_CALL:
        return lower_call(c, node, id);
    case AST_INDEX:
        return lower_index(c, node, id);
    case AST_BLOCK:
        return lower_stack(c, id, 0);
    case AST_LIST:
        return lower_stack(c, id, 1);
    default:
        return (struct value){0}; /* named arguments: read by their call */
    }
}

static struct value lower_range(struct context *c, ast_id begin, ast_id end, ast_id value) {
    c->begin = begin;
    c->values = NEW_ARRAY(c->lowering->arena, end - begin, struct value);
    for (ast_id id = begin; id < end; id++)
        c->values[id - begin] = lower_node(c, id);
    return value_at(c, value);
}

static const char *text_of(enum op op, enum op_text which) {
    const struct op_record *record = &op_records[op];
    const char *const texts[OP_TEXTS] = {
        record->differential, record->definition, record->squared,    record->logarithm, record->single,
        record->diagonal,     record->orthogonal, record->triangular, record->positive,
    };
    return texts[which];
}

static const struct parsed_text *parsed(struct lowering *lowering, enum op op, enum op_text which) {
    struct parsed_text *text = &lowering->texts[op][which];
    if (!text->ast) {
        const char *source = text_of(op, which);
        struct sources sources = {.arena = lowering->arena};
        struct diags diags = {.arena = lowering->arena, .sources = &sources};
        text->ast =
            ast_parse_expression(lowering->arena, lowering->interner, &diags,
                                 sources_add(&sources, op_records[op].name, source, strlen(source)), &text->value);
    }
    return text;
}

struct value lower_op_text(struct lowering *lowering, enum op op, enum op_text which, const struct bindings *bindings) {
    const struct parsed_text *text = parsed(lowering, op, which);
    if (!text->value) {
        lowering->defect =
            format_string(lowering->arena, "lower: a text of operator %s does not parse", op_records[op].name);
        return bindings->argument[0];
    }
    struct context context = {.lowering = lowering, .graph = lowering->graph, .ast = text->ast, .bindings = bindings};
    return lower_range(&context, 1, (ast_id)text->ast->nodes.len, text->value);
}

/* What declarations promise. */
uint8_t structure_named(const char *name) {
    static const struct {
        const char *name;
        uint8_t structure;
    } all[] = {{"symmetric", STRUCTURE_SYMMETRIC}, {"spd", STRUCTURE_SYMMETRIC | STRUCTURE_POSITIVE},
               {"diagonal", STRUCTURE_DIAGONAL},   {"lower", STRUCTURE_LOWER},
               {"upper", STRUCTURE_UPPER},         {"orthogonal", STRUCTURE_ORTHOGONAL}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].structure;
    return 0;
}

struct type stored_type(const struct symbol *symbol) {
    bool diagonal = symbol->kind == SYMBOL_INPUT && structure_named(symbol->structure) == STRUCTURE_DIAGONAL;
    return diagonal ? (struct type){.rank = 1, .size = {symbol->type.size[0]}} : symbol->type;
}

struct value lower_input(struct graph *graph, const struct symbol *symbol) {
    struct type type = stored_type(symbol);
    poly size[MAX_RANK];
    uint8_t rank = sizes_not_one(graph, type.size, type.rank, size);
    node_id node = graph_input(graph, symbol->name, rank, size);
    if (type.rank < symbol->type.rank && rank)
        graph_promise(graph, node, STRUCTURE_STORED);
    return value_over(graph, node, type.size, type.rank, type.row);
}

/* Which of two equal elements a formula reads does not matter to its value, but it does to its derivative. */
enum { SYMMETRIES = STRUCTURE_SYMMETRIC | STRUCTURE_POSITIVE };

/* Promises what is declared of a value; triangles as the value is read. */
static void promise(struct graph *graph, struct value value, uint8_t structure) {
    uint8_t zeros = structure & STRUCTURE_DIAGONAL;
    if (value.rank != 2 || value.axis[0] == AXIS_UNIT)
        return;
    if (value.axis[0] == 1 && zeros && zeros != STRUCTURE_DIAGONAL)
        structure ^= STRUCTURE_DIAGONAL;
    graph_promise(graph, value.node, structure);
}

/* An input as the program reads it: a diagonal one is n numbers, of a triangular one half is never read. */
static struct value input_value(struct graph *graph, const struct symbol *symbol) {
    struct value stored = lower_input(graph, symbol);
    uint8_t structure = structure_named(symbol->structure);
    if (structure == STRUCTURE_DIAGONAL)
        return value_einsum(graph, "i->ii", &stored, 1);
    if (structure == STRUCTURE_LOWER || structure == STRUCTURE_UPPER)
        return stored.axis[0] == AXIS_UNIT ? stored : value_triangle(graph, stored, structure == STRUCTURE_LOWER);
    promise(graph, stored, structure);
    return stored;
}

static poly dim_value(struct polys *polys, const struct symbol *symbol) {
    return symbol->fixed ? symbol->fixed : poly_name(polys, symbol->name);
}

struct value *lower_program(struct lowering *lowering, const struct checked *checked) {
    struct graph *graph = lowering->graph;
    struct value *symbols = NEW_ARRAY(lowering->arena, checked->symbols.len, struct value);
    struct cuts cuts;
    struct context context = {.lowering = lowering,
                              .graph = graph,
                              .ast = checked->ast,
                              .checked = checked,
                              .symbols = symbols,
                              .cuts = &cuts};
    uint32_t *assigned = NEW_ARRAY(lowering->arena, checked->ast->statements.len + 1, uint32_t);
    for (uint32_t i = 1; i < checked->symbols.len; i++) {
        const struct symbol *symbol = &checked->symbols.at[i];
        graph->span = symbol->span;
        if (symbol->kind == SYMBOL_INPUT)
            symbols[i] = input_value(graph, symbol);
        else if (symbol->kind == SYMBOL_DIM)
            symbols[i] = graph_value(graph, graph_dim(graph, dim_value(graph->polys, symbol)));
        else if (symbol->kind == SYMBOL_VALUE)
            assigned[symbol->statement] = i;
    }
    cuts_init(&cuts, lowering, checked, symbols);
    for (uint32_t s = 0; s < checked->ast->statements.len; s++) {
        const struct ast_statement *statement = &checked->ast->statements.at[s];
        graph->span = statement->span;
        if (!assigned[s])
            continue;
        struct value value = lower_range(&context, statement->begin, statement->end, statement->value);
        promise(graph, value, (uint8_t)(structure_named(checked->symbols.at[assigned[s]].structure) & ~SYMMETRIES));
        symbols[assigned[s]] = cuts_assign(&cuts, assigned[s], value);
    }
    cuts_close(&cuts, symbols);
    return symbols;
}

void lower_symmetries(struct graph *graph, const struct checked *checked, const struct value *symbols) {
    for (uint32_t i = 1; i < checked->symbols.len; i++)
        if (checked->symbols.at[i].kind == SYMBOL_VALUE && symbols[i].node)
            promise(graph, symbols[i], structure_named(checked->symbols.at[i].structure) & SYMMETRIES);
}
