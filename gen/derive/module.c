#include "module.h"

#include "../graph/rewrite.h"

#include <string.h>

struct builder {
    struct lowering *lowering;
    struct graph *graph;
    struct arena *arena;
    const struct checked *checked;
    const struct value *symbols;
    struct module *module;
};

const char *function_kind_name(enum function_kind kind) {
    return (const char *[]){"eval", "grad", "forward", "backward", "vjp", "jvp", "hvp", "jac", "hess"}[kind];
}

const char *argument_role_name(enum argument_role role) {
    return (const char *[]){"input", "cotangent", "tangent", "output"}[role];
}

static struct argument argument_of(const char *name, enum argument_role role, struct type type, struct value value) {
    struct argument argument = {.name = name, .role = role, .rank = type.rank, .row = type.row, .value = value};
    memcpy(argument.size, type.size, sizeof type.size);
    return argument;
}

static void add_symbol_output(struct builder *b, struct function *function, uint32_t symbol) {
    const struct symbol *s = &b->checked->symbols.at[symbol];
    function_add_bounds(b->graph, b->checked, function, symbol);
    vec_push(b->arena, &function->outputs, argument_of(s->name, ROLE_OUTPUT, s->type, b->symbols[symbol]));
}

/* A function that may read every input of the program. */
static struct function new_function(struct builder *b, enum function_kind kind, const char *suffix, const char *as,
                                    struct span span) {
    struct function function = {.kind = kind, .span = span};
    function.name = as ? as : format_string(b->arena, "%s_%s", b->module->name, suffix);
    for (uint32_t i = 1; i < b->checked->symbols.len; i++) {
        const struct symbol *s = &b->checked->symbols.at[i];
        if (s->kind == SYMBOL_INPUT)
            vec_push(b->arena, &function.inputs, argument_of(s->name, ROLE_INPUT, s->type, b->symbols[i]));
    }
    return function;
}

static const char *derivative_name(struct builder *b, const char *f, const char *x) {
    return format_string(b->arena, "d%s_d%s", f, x);
}

/* The variables of a request: their symbols, and the nodes of these inputs. */
struct variables {
    uint32_t count;
    const uint32_t *symbols;
    node_id *nodes;
};

static struct variables variables_of(struct builder *b, const struct request *request) {
    struct variables v = {.count = request->variable_count,
                          .symbols = &b->checked->variables.at[request->first_variable]};
    v.nodes = NEW_ARRAY(b->arena, v.count, node_id);
    for (uint32_t i = 0; i < v.count; i++)
        v.nodes[i] = b->symbols[v.symbols[i]].node;
    return v;
}

/* A value with the axes of the node of another one, read as that one is. */
static struct value read_like(struct value like, struct value value) {
    like.node = value.node;
    for (uint8_t a = 0; a < like.rank; a++)
        if (like.axis[a] != AXIS_UNIT)
            like.axis[a] = value.axis[like.axis[a]];
    return like;
}

static void add_output(struct builder *b, struct function *function, const char *name, uint32_t symbol,
                       struct value value) {
    struct type type = b->checked->symbols.at[symbol].type;
    vec_push(b->arena, &function->outputs, argument_of(name, ROLE_OUTPUT, type, read_like(b->symbols[symbol], value)));
}

static const char *symbol_name(const struct builder *b, const char *prefix, uint32_t symbol) {
    return format_string(b->arena, "%s_%s", prefix, b->checked->symbols.at[symbol].name);
}

/* An input of a symbol's shape that brings a cotangent or tangent. */
static struct argument direction_of(struct builder *b, enum argument_role role, const char *spelled, uint32_t symbol) {
    const struct symbol *s = &b->checked->symbols.at[symbol];
    poly size[MAX_RANK];
    uint8_t rank = sizes_not_one(b->graph, s->type.size, s->type.rank, size);
    const char *name = intern(b->lowering->interner, spelled);
    node_id node = graph_fresh_input(b->graph, name, rank, size);
    return argument_of(name, role, s->type, value_over(b->graph, node, s->type.size, s->type.rank, s->type.row));
}

/* Adds the cotangents of a request's variables as outputs. */
static void add_gradients(struct builder *b, struct function *function, const struct request *request,
                          const struct value *targets, const struct value *seeds, size_t count) {
    struct variables v = variables_of(b, request);
    struct value *results = NEW_ARRAY(b->arena, v.count, struct value);
    const char *f = b->checked->symbols.at[request->target].name;
    function->derivation = NEW(b->arena, struct derivation);
    derive_vjp(b->lowering, targets, seeds, count, v.nodes, v.count, f, results, function->derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, function, derivative_name(b, f, b->checked->symbols.at[v.symbols[i]].name), v.symbols[i],
                   results[i]);
}

static struct function request_function(struct builder *b, const struct request *request, enum function_kind kind) {
    const char *target = b->checked->symbols.at[request->target].name;
    const char *suffix = format_string(b->arena, "%s_%s", function_kind_name(kind), target);
    struct function function = new_function(b, kind, suffix, request->as, request->span);
    function.derivation = NEW(b->arena, struct derivation);
    return function;
}

static void build_grad(struct builder *b, const struct request *request) {
    struct function function = request_function(b, request, FUNCTION_GRAD);
    struct value one = value_number(b->graph, 1);
    add_symbol_output(b, &function, request->target);
    add_gradients(b, &function, request, &b->symbols[request->target], &one, 1);
    vec_push(b->arena, &b->module->functions, function);
}

/* vjp_X = (dY/dX)' u_Y. */
static void build_vjp(struct builder *b, const struct request *request) {
    struct function function = request_function(b, request, FUNCTION_VJP);
    struct variables v = variables_of(b, request);
    struct value *results = NEW_ARRAY(b->arena, v.count, struct value);
    struct argument u = direction_of(b, ROLE_COTANGENT, symbol_name(b, "u", request->target), request->target);
    vec_push(b->arena, &function.inputs, u);
    add_symbol_output(b, &function, request->target);
    derive_vjp(b->lowering, &b->symbols[request->target], &u.value, 1, v.nodes, v.count, NULL, results,
               function.derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, symbol_name(b, "vjp", v.symbols[i]), v.symbols[i], results[i]);
    vec_push(b->arena, &b->module->functions, function);
}

/* <g, t>, of values with the same axes in the same order. */
static struct value inner(struct builder *b, struct value g, node_id t) {
    struct value factors[] = {g, graph_value(b->graph, t)};
    struct value product = value_multiply(b->graph, 1, factors, 2);
    return value_reduce(b->graph, OP_sum, product, (1u << product.rank) - 1, false);
}

/* sum_i <g_i, t_i>, of values with axes in the order of the variables' nodes and of inputs with the same axes. Adds the
 * inputs to the function. */
static struct value along_directions(struct builder *b, struct function *function, const struct variables *v,
                                     const struct value *g, const char *prefix) {
    struct value *products = NEW_ARRAY(b->arena, v->count, struct value);
    double *ones = NEW_ARRAY(b->arena, v->count, double);
    for (uint32_t i = 0; i < v->count; i++) {
        struct argument t = direction_of(b, ROLE_TANGENT, symbol_name(b, prefix, v->symbols[i]), v->symbols[i]);
        vec_push(b->arena, &function->inputs, t);
        products[i] = inner(b, g[i], t.value.node);
        ones[i] = 1;
    }
    return value_add(b->graph, products, ones, v->count);
}

/* jvp_Y = sum (dY/dX) t_X: the gradient in u of <(dY/dX)' u, t_X>, which is linear in u, so that u is gone from it. */
static void build_jvp(struct builder *b, const struct request *request) {
    struct function function = request_function(b, request, FUNCTION_JVP);
    struct variables v = variables_of(b, request);
    struct value *back = NEW_ARRAY(b->arena, v.count, struct value), one = value_number(b->graph, 1), result;
    struct argument u = direction_of(b, ROLE_COTANGENT, symbol_name(b, "u", request->target), request->target);
    add_symbol_output(b, &function, request->target);
    derive_vjp(b->lowering, &b->symbols[request->target], &u.value, 1, v.nodes, v.count, NULL, back,
               function.derivation);
    struct value along = along_directions(b, &function, &v, back, "t");
    derive_vjp(b->lowering, &along, &one, 1, &u.value.node, 1, NULL, &result, function.derivation);
    const struct symbol *target = &b->checked->symbols.at[request->target];
    vec_push(
        b->arena, &function.outputs,
        argument_of(symbol_name(b, "jvp", request->target), ROLE_OUTPUT, target->type, read_like(u.value, result)));
    vec_push(b->arena, &b->module->functions, function);
}

/* hvp_x = sum (d2f/dx dy) v_y: the gradient of <df/dx, v>. */
static void build_hvp(struct builder *b, const struct request *request) {
    struct function function = request_function(b, request, FUNCTION_HVP);
    struct variables v = variables_of(b, request);
    struct value *g = NEW_ARRAY(b->arena, v.count, struct value), *h = NEW_ARRAY(b->arena, v.count, struct value);
    struct value one = value_number(b->graph, 1);
    const char *f = b->checked->symbols.at[request->target].name;
    add_symbol_output(b, &function, request->target);
    derive_vjp(b->lowering, &b->symbols[request->target], &one, 1, v.nodes, v.count, f, g, function.derivation);
    struct value along = along_directions(b, &function, &v, g, "v");
    derive_vjp(b->lowering, &along, &one, 1, v.nodes, v.count, NULL, h, function.derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, derivative_name(b, f, b->checked->symbols.at[v.symbols[i]].name), v.symbols[i], g[i]);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, symbol_name(b, "hvp", v.symbols[i]), v.symbols[i], h[i]);
    vec_push(b->arena, &b->module->functions, function);
}

/* An output whose axes are those of one symbol and then those of another; value has those that are not of size 1. */
static void add_tensor(struct builder *b, struct function *function, const char *name, uint32_t first, uint32_t second,
                       struct value value) {
    struct argument argument = {.name = name, .role = ROLE_OUTPUT, .value = {.node = value.node}};
    uint8_t next = 0;
    for (int k = 0; k < 2; k++) {
        uint32_t symbol = k ? second : first;
        struct value shape = b->symbols[symbol];
        for (uint8_t a = 0; a < shape.rank; a++) {
            argument.value.axis[argument.rank] = shape.axis[a] == AXIS_UNIT ? (label)AXIS_UNIT : value.axis[next++];
            argument.size[argument.rank++] = b->checked->symbols.at[symbol].type.size[a];
        }
    }
    argument.value.rank = argument.rank;
    vec_push(b->arena, &function->outputs, argument);
}

/* dY/dX as a tensor: the coefficients of jvp_Y in the tangent t_X. */
static void build_jac(struct builder *b, const struct request *request) {
    struct function function = request_function(b, request, FUNCTION_JAC);
    struct variables v = variables_of(b, request);
    struct value *back = NEW_ARRAY(b->arena, v.count, struct value), one = value_number(b->graph, 1), tangent;
    struct argument u = direction_of(b, ROLE_COTANGENT, symbol_name(b, "u", request->target), request->target);
    const char *y = b->checked->symbols.at[request->target].name;
    add_symbol_output(b, &function, request->target);
    derive_vjp(b->lowering, &b->symbols[request->target], &u.value, 1, v.nodes, v.count, NULL, back,
               function.derivation);
    for (uint32_t i = 0; i < v.count; i++) {
        struct argument t = direction_of(b, ROLE_TANGENT, symbol_name(b, "t", v.symbols[i]), v.symbols[i]);
        struct value along = inner(b, back[i], t.value.node);
        derive_vjp(b->lowering, &along, &one, 1, &u.value.node, 1, NULL, &tangent, function.derivation);
        add_tensor(b, &function, derivative_name(b, y, b->checked->symbols.at[v.symbols[i]].name), request->target,
                   v.symbols[i], derive_coefficients(b->lowering, tangent, t.value.node));
    }
    vec_push(b->arena, &b->module->functions, function);
}

/* d2f/dx dy for every pair once: the coefficients of hvp_x in v_y. */
static void build_hess(struct builder *b, const struct request *request) {
    struct function function = request_function(b, request, FUNCTION_HESS);
    struct variables v = variables_of(b, request);
    struct value *g = NEW_ARRAY(b->arena, v.count, struct value), one = value_number(b->graph, 1);
    struct value *h = NEW_ARRAY(b->arena, (size_t)v.count * v.count, struct value); /* [i * count + j], i <= j */
    const char *f = b->checked->symbols.at[request->target].name;
    add_symbol_output(b, &function, request->target);
    derive_vjp(b->lowering, &b->symbols[request->target], &one, 1, v.nodes, v.count, f, g, function.derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, derivative_name(b, f, b->checked->symbols.at[v.symbols[i]].name), v.symbols[i], g[i]);
    for (uint32_t j = 0; j < v.count; j++) {
        struct argument t = direction_of(b, ROLE_TANGENT, symbol_name(b, "v", v.symbols[j]), v.symbols[j]);
        struct value along = inner(b, g[j], t.value.node), *column = NEW_ARRAY(b->arena, j + 1, struct value);
        derive_vjp(b->lowering, &along, &one, 1, v.nodes, j + 1, NULL, column, function.derivation);
        for (uint32_t i = 0; i <= j; i++)
            h[i * v.count + j] = derive_coefficients(b->lowering, column[i], t.value.node);
    }
    for (uint32_t i = 0; i < v.count; i++)
        for (uint32_t j = i; j < v.count; j++)
            add_tensor(b, &function,
                       format_string(b->arena, "d2%s_d%s_d%s", f, b->checked->symbols.at[v.symbols[i]].name,
                                     b->checked->symbols.at[v.symbols[j]].name),
                       v.symbols[i], v.symbols[j], h[i * v.count + j]);
    vec_push(b->arena, &b->module->functions, function);
}

static void build_forward_backward(struct builder *b, const struct request *request) {
    const char *loss = b->checked->symbols.at[request->target].name;
    const char *as_backward = request->as ? format_string(b->arena, "%s_backward", request->as) : NULL;
    const char *as_forward = request->as ? format_string(b->arena, "%s_forward", request->as) : NULL;
    struct function forward = new_function(b, FUNCTION_FORWARD, "forward", as_forward, request->span);
    struct function backward = new_function(b, FUNCTION_BACKWARD, "backward", as_backward, request->span);
    size_t count = b->checked->outputs.len;
    struct value *targets = NEW_ARRAY(b->arena, count, struct value);
    struct value *seeds = NEW_ARRAY(b->arena, count, struct value);
    for (size_t i = 0; i < count; i++) {
        add_symbol_output(b, &forward, b->checked->outputs.at[i]);
        uint32_t output = b->checked->outputs.at[i];
        const char *name = derivative_name(b, loss, b->checked->symbols.at[output].name);
        struct argument cotangent = direction_of(b, ROLE_COTANGENT, name, output);
        targets[i] = vec_last(&forward.outputs).value;
        seeds[i] = cotangent.value;
        vec_push(b->arena, &backward.inputs, cotangent);
    }
    for (size_t i = 0; i < forward.bounds.len; i++)
        vec_push(b->arena, &backward.bounds, forward.bounds.at[i]);
    add_gradients(b, &backward, request, targets, seeds, count);
    vec_push(b->arena, &b->module->functions, forward);
    vec_push(b->arena, &b->module->functions, backward);
}

static bool gives(const struct function *function, const char *name) {
    for (size_t i = 0; i < function->outputs.len; i++)
        if (function->outputs.at[i].name == name)
            return true;
    return false;
}

/* The values alone: what the program outputs, and every function that a gradient is of. */
static void build_eval(struct builder *b) {
    bool has_loss = false;
    struct function eval = new_function(b, FUNCTION_EVAL, "eval", NULL, (struct span){0});
    for (size_t r = 0; r < b->checked->requests.len; r++) {
        uint32_t target = b->checked->requests.at[r].target;
        if (b->checked->symbols.at[target].kind == SYMBOL_ABSTRACT)
            has_loss = true;
        else if (b->checked->requests.at[r].kind == REQUEST_GRAD && !gives(&eval, b->checked->symbols.at[target].name))
            add_symbol_output(b, &eval, target);
    }
    for (size_t i = 0; !has_loss && i < b->checked->outputs.len; i++)
        if (!gives(&eval, b->checked->symbols.at[b->checked->outputs.at[i]].name))
            add_symbol_output(b, &eval, b->checked->outputs.at[i]);
    if (eval.outputs.len)
        vec_push(b->arena, &b->module->functions, eval);
}

/* A name for a local of a function: its own, or with a number where the program or another call has that. */
static const char *local_name(struct builder *b, struct map *taken, const char *text) {
    const char *plain = intern(b->lowering->interner, text), *name = plain;
    uint32_t number = map_get(taken, key_of(plain));
    while (map_get(taken, key_of(name)))
        name = intern(b->lowering->interner, format_string(b->arena, "%s_%u", text, ++number));
    *map_at(taken, key_of(plain)) = number ? number : 1;
    *map_at(taken, key_of(name)) = 1;
    return name;
}

/* Nodes get the first name that the program gave them; arguments and results of functions have none of their own. */
static void name_nodes(struct builder *b) {
    struct map taken = {.arena = b->arena};
    for (uint32_t i = 1; i < b->checked->symbols.len; i++)
        if (!b->checked->symbols.at[i].hidden)
            *map_at(&taken, key_of(b->checked->symbols.at[i].name)) = 1;
    for (uint32_t i = 1; i < b->checked->symbols.len; i++) {
        const struct symbol *symbol = &b->checked->symbols.at[i];
        if (!b->symbols[i].node || symbol->kind == SYMBOL_DIM || symbol->hidden == HIDDEN_ARGUMENT ||
            symbol->hidden == HIDDEN_RESULT)
            continue;
        graph_set_name(b->graph, b->symbols[i], symbol->hidden ? local_name(b, &taken, symbol->name) : symbol->name);
    }
}

struct module *module_build(struct lowering *lowering, const struct checked *checked, const char *name) {
    struct builder b = {lowering, lowering->graph, lowering->arena, checked, NULL, NEW(lowering->arena, struct module)};
    b.module->name = name;
    b.module->checked = checked;
    b.symbols = lower_program(lowering, checked);
    name_nodes(&b);
    build_eval(&b);
    for (size_t r = 0; r < checked->requests.len; r++) {
        const struct request *request = &checked->requests.at[r];
        static void (*const builders[AST_REQUESTS])(struct builder *, const struct request *) = {
            [REQUEST_GRAD] = build_grad, [REQUEST_VJP] = build_vjp, [REQUEST_JVP] = build_jvp,
            [REQUEST_HVP] = build_hvp,   [REQUEST_JAC] = build_jac, [REQUEST_HESS] = build_hess};
        if (checked->symbols.at[request->target].kind == SYMBOL_ABSTRACT)
            build_forward_backward(&b, request);
        else
            builders[request->kind](&b, request);
    }
    return b.module;
}

enum { NARROWED = 2 }; /* a slice of a slice is narrowed when the two are one */

static bool has_selectors(const struct graph *graph) {
    for (node_id id = 1; id < graph->nodes.len; id++)
        if (graph_node(graph, id)->kind == NODE_SELECT)
            return true;
    return false;
}

static void simplify_group(struct graph *graph, struct function *functions, size_t count) {
    VEC(struct value) roots = {0};
    size_t next = 0;
    for (size_t f = 0; f < count; f++)
        for (size_t i = 0; i < functions[f].outputs.len; i++)
            vec_push(graph->arena, &roots, functions[f].outputs.at[i].value);
    graph_rewrite(graph, roots.at, roots.len, merge_rule, NULL);
    for (int pass = 0; has_selectors(graph) && pass < NARROWED; pass++) {
        graph_rewrite(graph, roots.at, roots.len, narrow_rule, NULL);
        graph_rewrite(graph, roots.at, roots.len, merge_rule, NULL);
    }
    for (size_t f = 0; f < count; f++)
        for (size_t i = 0; i < functions[f].outputs.len; i++)
            functions[f].outputs.at[i].value = roots.at[next++];
}

void module_simplify(struct graph *graph, struct module *module) {
    for (size_t f = 0; f < module->functions.len;) {
        size_t count = module->functions.at[f].kind == FUNCTION_FORWARD ? 2 : 1;
        simplify_group(graph, &module->functions.at[f], count);
        f += count;
    }
}
