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
    return (const char *[]){"eval", "grad", "forward", "backward"}[kind];
}

const char *argument_role_name(enum argument_role role) {
    return (const char *[]){"input", "cotangent", "output"}[role];
}

static struct argument argument_of(const char *name, enum argument_role role, struct type type, struct value value) {
    struct argument argument = {.name = name, .role = role, .rank = type.rank, .row = type.row, .value = value};
    memcpy(argument.size, type.size, sizeof type.size);
    return argument;
}

static void add_symbol_output(struct builder *b, struct function *function, uint32_t symbol) {
    const struct symbol *s = &b->checked->symbols.at[symbol];
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

/* Adds the cotangents of a request's variables as outputs. */
static void add_gradients(struct builder *b, struct function *function, const struct request *request,
                          const struct value *targets, const struct value *seeds, size_t count) {
    node_id *variables = NEW_ARRAY(b->arena, request->variable_count, node_id);
    struct value *results = NEW_ARRAY(b->arena, request->variable_count, struct value);
    const char *f = b->checked->symbols.at[request->target].name;
    const uint32_t *symbol = &b->checked->variables.at[request->first_variable];
    for (uint32_t i = 0; i < request->variable_count; i++)
        variables[i] = b->symbols[symbol[i]].node;
    function->derivation = NEW(b->arena, struct derivation);
    derive_vjp(b->lowering, targets, seeds, count, variables, request->variable_count, f, results,
               function->derivation);
    for (uint32_t i = 0; i < request->variable_count; i++) {
        const struct symbol *s = &b->checked->symbols.at[symbol[i]];
        struct value gradient = b->symbols[symbol[i]];
        gradient.node = results[i].node;
        for (uint8_t a = 0; a < gradient.rank; a++)
            if (gradient.axis[a] != AXIS_UNIT)
                gradient.axis[a] = results[i].axis[gradient.axis[a]];
        vec_push(b->arena, &function->outputs,
                 argument_of(derivative_name(b, f, s->name), ROLE_OUTPUT, s->type, gradient));
    }
}

static void build_grad(struct builder *b, const struct request *request) {
    const char *f = b->checked->symbols.at[request->target].name;
    struct function function =
        new_function(b, FUNCTION_GRAD, format_string(b->arena, "grad_%s", f), request->as, request->span);
    struct value one = value_number(b->graph, 1);
    add_symbol_output(b, &function, request->target);
    add_gradients(b, &function, request, &b->symbols[request->target], &one, 1);
    vec_push(b->arena, &b->module->functions, function);
}

/* The input of a backward function that brings the cotangent of an output. */
static struct argument cotangent_of(struct builder *b, const char *loss, const struct argument *output) {
    struct argument cotangent = *output;
    poly size[MAX_RANK];
    uint8_t rank = sizes_not_one(b->graph, output->size, output->rank, size);
    cotangent.name = intern(b->lowering->interner, derivative_name(b, loss, output->name));
    cotangent.role = ROLE_COTANGENT;
    cotangent.value = value_over(b->graph, graph_fresh_input(b->graph, cotangent.name, rank, size), output->size,
                                 output->rank, output->row);
    return cotangent;
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
        struct argument cotangent = cotangent_of(b, loss, &vec_last(&forward.outputs));
        targets[i] = vec_last(&forward.outputs).value;
        seeds[i] = cotangent.value;
        vec_push(b->arena, &backward.inputs, cotangent);
    }
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
        else if (!gives(&eval, b->checked->symbols.at[target].name))
            add_symbol_output(b, &eval, target);
    }
    for (size_t i = 0; !has_loss && i < b->checked->outputs.len; i++)
        if (!gives(&eval, b->checked->symbols.at[b->checked->outputs.at[i]].name))
            add_symbol_output(b, &eval, b->checked->outputs.at[i]);
    if (eval.outputs.len)
        vec_push(b->arena, &b->module->functions, eval);
}

/* Nodes get the first name that the program gave them. */
static void name_nodes(struct builder *b) {
    for (uint32_t i = 1; i < b->checked->symbols.len; i++)
        if (b->symbols[i].node && b->checked->symbols.at[i].kind != SYMBOL_DIM)
            graph_set_name(b->graph, b->symbols[i], b->checked->symbols.at[i].name);
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
        if (checked->symbols.at[request->target].kind == SYMBOL_ABSTRACT)
            build_forward_backward(&b, request);
        else
            build_grad(&b, request);
    }
    return b.module;
}

static void simplify_group(struct graph *graph, struct function *functions, size_t count) {
    VEC(struct value) roots = {0};
    size_t next = 0;
    for (size_t f = 0; f < count; f++)
        for (size_t i = 0; i < functions[f].outputs.len; i++)
            vec_push(graph->arena, &roots, functions[f].outputs.at[i].value);
    graph_rewrite(graph, roots.at, roots.len, merge_rule, NULL);
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
