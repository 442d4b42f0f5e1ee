#include "module.h"

#include "../graph/arrange.h"
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
    struct argument argument = {
        .name = name, .role = role, .structure = "dense", .rank = type.rank, .row = type.row, .value = value};
    memcpy(argument.size, type.size, sizeof type.size);
    return argument;
}

/* Of what lies in the tangent space at a matrix of this structure. */
static const char *tangent_structure(const char *structure) {
    return strcmp(structure, "spd") == 0 ? "symmetric" : strcmp(structure, "orthogonal") == 0 ? "dense" : structure;
}

/* An array of a symbol's shape: an input's as it is stored. */
static struct argument argument_like(struct builder *b, const char *name, enum argument_role role, uint32_t symbol,
                                     struct value value) {
    const struct symbol *s = &b->checked->symbols.at[symbol];
    struct argument argument = argument_of(name, role, stored_type(s), value);
    if (s->kind == SYMBOL_INPUT)
        argument.structure = role == ROLE_INPUT ? s->structure : tangent_structure(s->structure);
    return argument;
}

/* A symbol's value, an input's as it is stored. */
static struct value stored_value(struct builder *b, uint32_t symbol) {
    const struct symbol *s = &b->checked->symbols.at[symbol];
    return s->kind == SYMBOL_INPUT ? lower_input(b->graph, s) : b->symbols[symbol];
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
            vec_push(b->arena, &function.inputs, argument_like(b, s->name, ROLE_INPUT, i, stored_value(b, i)));
    }
    return function;
}

static const char *derivative_name(struct builder *b, const char *f, const char *x) {
    return format_string(b->arena, "d%s_d%s", f, x);
}

/* The variables of a request: their symbols, the elements of them that are meant, and the nodes of these inputs. */
struct variables {
    uint32_t count;
    const uint32_t *symbols;
    const struct element *elements;
    node_id *nodes;
};

static struct variables variables_of(struct builder *b, const struct request *request) {
    struct variables v = {.count = request->variable_count,
                          .symbols = &b->checked->variables.at[request->first_variable],
                          .elements = &b->checked->elements.at[request->first_variable]};
    v.nodes = NEW_ARRAY(b->arena, v.count, node_id);
    for (uint32_t i = 0; i < v.count; i++)
        v.nodes[i] = stored_value(b, v.symbols[i]).node;
    return v;
}

static void add_output(struct builder *b, struct function *function, const char *name, uint32_t symbol,
                       struct value value) {
    vec_push(b->arena, &function->outputs,
             argument_like(b, name, ROLE_OUTPUT, symbol, read_as(stored_value(b, symbol), value)));
}

static const char *symbol_name(const struct builder *b, const char *prefix, uint32_t symbol) {
    return format_string(b->arena, "%s_%s", prefix, b->checked->symbols.at[symbol].name);
}

/* An input of a symbol's shape that brings a cotangent or tangent. */
static struct argument direction_of(struct builder *b, enum argument_role role, const char *spelled, uint32_t symbol) {
    const char *name = intern(b->lowering->interner, spelled);
    return argument_like(b, name, role, symbol, value_fresh_input(b->graph, name, stored_value(b, symbol)));
}

static bool is_symmetric(const struct builder *b, uint32_t symbol) {
    return structure_named(b->checked->symbols.at[symbol].structure) & STRUCTURE_SYMMETRIC;
}

/* The derivative in the space of symmetric matrices is sym(G); other structures' zeros are zeros of G already. */
static struct value projected(struct builder *b, uint32_t symbol, struct value g) {
    if (!is_symmetric(b, symbol) || g.rank != 2)
        return g;
    return value_projected(b->graph, STRUCTURE_SYMMETRIC, g);
}

/* derive_vjp for variables that are inputs of the program, in the space of each. */
static void derive_inputs(struct builder *b, const struct value *targets, const struct value *seeds, size_t count,
                          const struct variables *v, const char *loss, struct value *results,
                          struct derivation *derivation) {
    derive_vjp(b->lowering, targets, seeds, count, v->nodes, v->count, loss, results, derivation);
    for (uint32_t i = 0; i < v->count; i++)
        results[i] = projected(b, v->symbols[i], results[i]);
}

/* Adds the cotangents of a request's variables as outputs. */
static void add_gradients(struct builder *b, struct function *function, const struct request *request,
                          const struct value *targets, const struct value *seeds, size_t count) {
    struct variables v = variables_of(b, request);
    struct value *results = NEW_ARRAY(b->arena, v.count, struct value);
    const char *f = b->checked->symbols.at[request->target].name;
    function->derivation = NEW(b->arena, struct derivation);
    derive_inputs(b, targets, seeds, count, &v, f, results, function->derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, function, derivative_name(b, f, b->checked->symbols.at[v.symbols[i]].name), v.symbols[i],
                   results[i]);
}

static struct function request_function(struct builder *b, const struct request *request, enum function_kind kind) {
    const char *target = b->checked->symbols.at[request->target].name;
    const char *suffix = format_string(b->arena, "%s_%s", function_kind_name(kind), target);
    struct function function = new_function(b, kind, suffix, request->as, request->span);
    function.derivation = NEW(b->arena, struct derivation);
    function.compressed = request->compressed;
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
    derive_inputs(b, &b->symbols[request->target], &u.value, 1, &v, NULL, results, function.derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, symbol_name(b, "vjp", v.symbols[i]), v.symbols[i], results[i]);
    vec_push(b->arena, &b->module->functions, function);
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
        if (is_symmetric(b, v->symbols[i]))
            graph_promise(b->graph, t.value.node, STRUCTURE_SYMMETRIC);
        products[i] = value_inner(b->graph, g[i], graph_value(b->graph, t.value.node));
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
    derive_inputs(b, &b->symbols[request->target], &u.value, 1, &v, NULL, back, function.derivation);
    struct value along = along_directions(b, &function, &v, back, "t");
    derive_vjp(b->lowering, &along, &one, 1, &u.value.node, 1, NULL, &result, function.derivation);
    vec_push(b->arena, &function.outputs,
             argument_like(b, symbol_name(b, "jvp", request->target), ROLE_OUTPUT, request->target,
                           read_as(u.value, result)));
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
    derive_inputs(b, &b->symbols[request->target], &one, 1, &v, f, g, function.derivation);
    struct value along = along_directions(b, &function, &v, g, "v");
    derive_inputs(b, &along, &one, 1, &v, NULL, h, function.derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, derivative_name(b, f, b->checked->symbols.at[v.symbols[i]].name), v.symbols[i], g[i]);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, symbol_name(b, "hvp", v.symbols[i]), v.symbols[i], h[i]);
    vec_push(b->arena, &b->module->functions, function);
}

/* An output whose axes are those of one symbol and then those of another; value has those that are not of size 1. */
static void add_tensor(struct builder *b, struct function *function, const char *name, uint32_t first, uint32_t second,
                       struct value value) {
    struct argument argument = {
        .name = name, .role = ROLE_OUTPUT, .structure = "dense", .value = {.node = value.node}, .tensor = true};
    argument.rows = stored_value(b, first).rank;
    uint8_t next = 0;
    for (int k = 0; k < 2; k++) {
        uint32_t symbol = k ? second : first;
        struct value shape = stored_value(b, symbol);
        struct type type = stored_type(&b->checked->symbols.at[symbol]);
        for (uint8_t a = 0; a < shape.rank; a++) {
            argument.value.axis[argument.rank] = shape.axis[a] == AXIS_UNIT ? (label)AXIS_UNIT : value.axis[next++];
            argument.size[argument.rank++] = type.size[a];
        }
    }
    argument.value.rank = argument.rank;
    vec_push(b->arena, &function->outputs, argument);
}

/* dY/dX as a tensor: the coefficients of jvp_Y in the tangent t_X; back: (dY/dX)' u. */
static void add_jacobian(struct builder *b, struct function *function, uint32_t target, uint32_t variable,
                         struct value u, struct value back) {
    struct value one = value_number(b->graph, 1), tangent;
    struct argument t = direction_of(b, ROLE_TANGENT, symbol_name(b, "t", variable), variable);
    struct value along = value_inner(b->graph, back, graph_value(b->graph, t.value.node));
    derive_vjp(b->lowering, &along, &one, 1, &u.node, 1, NULL, &tangent, function->derivation);
    const char *y = b->checked->symbols.at[target].name;
    add_tensor(b, function, derivative_name(b, y, b->checked->symbols.at[variable].name), target, variable,
               derive_coefficients(b->lowering, tangent, t.value.node));
}

static void add_index_bounds(struct builder *b, struct function *function, uint32_t variable,
                             const struct element *element) {
    struct polys *polys = b->graph->polys;
    for (uint8_t a = 0; a < element->rank; a++) {
        poly room = poly_sub(polys, b->checked->symbols.at[variable].type.size[a], element->index[a]);
        room = poly_sub(polys, room, poly_number(polys, 1));
        if (!poly_is_nonnegative(polys, room))
            vec_push(b->arena, &function->bounds, room);
    }
}

static const char *element_name(struct builder *b, const char *y, uint32_t variable, const struct element *element) {
    struct text text = text_new(b->arena);
    text_puts(&text, derivative_name(b, y, b->checked->symbols.at[variable].name));
    for (uint8_t a = 0; a < element->rank; a++)
        text_printf(&text, "_%s", element->spelled[a]);
    return text_string(&text);
}

/* 1 at that element of a variable and 0 elsewhere, with the axes of its node: delta(p, i) delta(q, j). Of a diagonal
 * matrix both indices choose along its one axis. */
static struct value basis_vector(struct builder *b, uint32_t variable, const struct element *element) {
    struct value stored = stored_value(b, variable);
    const struct node node = *graph_node(b->graph, stored.node);
    struct index_form form = {0};
    label result[MAX_RANK];
    for (uint8_t a = 0; a < node.rank; a++)
        result[a] = form_label(&form, node.size[a]);
    for (uint8_t i = 0; i < element->rank; i++) {
        label axis = stored.axis[i < stored.rank ? i : 0];
        if (axis != AXIS_UNIT)
            form_select(&form, b->graph, result[axis], element->index[i], NULL, NULL, 0);
    }
    return graph_product(b->graph, 1, &form, result, node.rank);
}

/* dY/dw of one element w of X: jvp_Y in the direction that is 1 there and 0 elsewhere. */
static void add_element(struct builder *b, struct function *function, uint32_t target, uint32_t variable,
                        const struct element *element, struct value u, struct value back) {
    struct value one = value_number(b->graph, 1), tangent;
    struct value along = value_inner(b->graph, back, basis_vector(b, variable, element));
    derive_vjp(b->lowering, &along, &one, 1, &u.node, 1, NULL, &tangent, function->derivation);
    const struct symbol *y = &b->checked->symbols.at[target];
    vec_push(b->arena, &function->outputs,
             argument_of(element_name(b, y->name, variable, element), ROLE_OUTPUT, y->type, read_as(u, tangent)));
    add_index_bounds(b, function, variable, element);
}

static void build_jac(struct builder *b, const struct request *request) {
    struct function function = request_function(b, request, FUNCTION_JAC);
    struct variables v = variables_of(b, request);
    struct value *back = NEW_ARRAY(b->arena, v.count, struct value);
    struct argument u = direction_of(b, ROLE_COTANGENT, symbol_name(b, "u", request->target), request->target);
    for (uint32_t i = 0; i < request->index_count; i++)
        vec_push(b->arena, &function.indices, b->checked->indices.at[request->first_index + i]);
    add_symbol_output(b, &function, request->target);
    derive_inputs(b, &b->symbols[request->target], &u.value, 1, &v, NULL, back, function.derivation);
    for (uint32_t i = 0; i < v.count; i++)
        if (v.elements[i].rank)
            add_element(b, &function, request->target, v.symbols[i], &v.elements[i], u.value, back[i]);
        else
            add_jacobian(b, &function, request->target, v.symbols[i], u.value, back[i]);
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
    derive_inputs(b, &b->symbols[request->target], &one, 1, &v, f, g, function.derivation);
    for (uint32_t i = 0; i < v.count; i++)
        add_output(b, &function, derivative_name(b, f, b->checked->symbols.at[v.symbols[i]].name), v.symbols[i], g[i]);
    for (uint32_t j = 0; j < v.count; j++) {
        struct argument t = direction_of(b, ROLE_TANGENT, symbol_name(b, "v", v.symbols[j]), v.symbols[j]);
        struct value along = value_inner(b->graph, g[j], graph_value(b->graph, t.value.node)),
                     *column = NEW_ARRAY(b->arena, j + 1, struct value);
        struct variables first = {.count = j + 1, .symbols = v.symbols, .nodes = v.nodes};
        derive_inputs(b, &along, &one, 1, &first, NULL, column, function.derivation);
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
    lowering->derive = derive_expression;
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
    lower_symmetries(b.graph, checked, b.symbols);
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
    if (graph_has_sums(graph)) {
        graph_rewrite(graph, roots.at, roots.len, spread_rule, NULL);
        graph_rewrite(graph, roots.at, roots.len, merge_rule, NULL);
        graph_rewrite(graph, roots.at, roots.len, factor_rule, NULL);
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

enum { MOST_SHOWN = 64, LARGEST_SHOWN = 8192 };

void module_show(struct graph *graph, struct module *module) {
    size_t outputs = 0;
    for (size_t f = 0; f < module->functions.len; f++)
        outputs += module->functions.at[f].outputs.len;
    if (outputs > MOST_SHOWN || graph->nodes.len > LARGEST_SHOWN)
        return;
    for (size_t f = 0; f < module->functions.len; f++)
        for (size_t i = 0; i < module->functions.at[f].outputs.len; i++) {
            struct argument *output = &module->functions.at[f].outputs.at[i];
            output->shown = output->value;
            graph_rewrite(graph, &output->shown, 1, merge_rule, NULL);
            graph_rewrite(graph, &output->shown, 1, factor_rule, NULL);
        }
}
