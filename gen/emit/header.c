/* The header: prototypes, and for each function what it computes, from what, and at what cost. */
#include "banner.h"
#include "body.h"

#include <string.h>

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static const char *in_capitals(const struct emission *e, const char *name, const char *suffix) {
    char *text = format_string(e->arena, "%s%s", name, suffix);
    for (char *c = text; *c; c++)
        *c = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ? upper(*c) : '_';
    return text;
}

static const char *purpose(const struct function *f) {
    switch (f->kind) {
    case FUNCTION_EVAL:
        return "The values";
    case FUNCTION_GRAD:
        return "The value and its gradient";
    case FUNCTION_FORWARD:
        return "The values, and in saved what the backward function needs of them";
    case FUNCTION_BACKWARD:
        return "The cotangents of the inputs, from those of the outputs and what forward saved";
    case FUNCTION_VJP:
        return "The value, and the transposed Jacobian times a cotangent";
    case FUNCTION_JVP:
        return "The value, and the Jacobian times tangents";
    case FUNCTION_HVP:
        return "The value, its gradient, and the Hessian times tangents";
    case FUNCTION_JAC:
        return "The value and its Jacobian: the value's axes first, then the input's";
    default:
        return "The value, its gradient, and its Hessian: the axes of the first input, then those of the second";
    }
}

static void print_parameter(struct text *out, const struct emission *e, const char *direction, const char *name,
                            const struct argument *argument) {
    text_printf(out, " *   %-3s %-12s %s", direction, name, argument_shape(e, argument));
    if (argument_declared(argument).rank != argument->rank)
        text_puts(out, ", its diagonal alone");
    if (argument->role == ROLE_OUTPUT) {
        const char *formula = argument_formula(e, argument, FORMULA_LONGEST);
        text_printf(out, "  = %s", formula ? formula : "(a long formula; see the C file)");
    } else if (argument->role == ROLE_COTANGENT) {
        text_puts(out, "  the cotangent of that output");
    } else if (argument->role == ROLE_TANGENT) {
        text_puts(out, "  the tangent of that input");
    }
    text_putc(out, '\n');
}

static void print_indices(struct text *out, const struct signature *s) {
    for (size_t i = 0; i < s->indices.len; i++)
        text_printf(out, " *   in  %-12s an index\n", s->dim_name[s->indices.at[i]]);
}

/* Where the function is not defined: "k <= i". */
static void print_bounds(struct text *out, const struct emission *e, const struct signature *s) {
    const struct function *f = s->function;
    for (size_t i = 0; i < f->bounds.len; i++) {
        text_puts(out, i ? ", or " : " *   MX_ERR_INDEX, and NaN in every output, if ");
        signature_negative(out, e, s, f->bounds.at[i]);
    }
    text_puts(out, f->bounds.len ? "\n" : "");
}

/* What a tensor is, and how the factors that are given make it. */
static void print_note(struct text *out, const struct tensor_note *note) {
    text_printf(out, " *   %s is %s", note->name,
                note->structure ? note->structure : "given whole: it has no such factors");
    if (note->layout)
        text_printf(out, ": %s%s", note->name, note->layout);
    text_putc(out, '\n');
}

/* Independence ---------------------------------------------------------------------------------------------------- */

/* The inputs, by index, that some of these outputs depend on. */
static bool *inputs_of(const struct emission *e, const struct function *f, const struct argument *outputs,
                       size_t count) {
    bool *needed = NEW_ARRAY(e->arena, e->graph->nodes.len, bool);
    bool *found = NEW_ARRAY(e->arena, f->inputs.len, bool);
    node_id *roots = NEW_ARRAY(e->arena, count, node_id);
    for (size_t i = 0; i < count; i++)
        roots[i] = outputs[i].value.node;
    graph_mark(e->graph, roots, count, needed);
    for (size_t i = 0; i < f->inputs.len; i++)
        found[i] = needed[f->inputs.at[i].value.node];
    RELEASE_ARRAY(e->arena, count, roots);
    RELEASE_ARRAY(e->arena, e->graph->nodes.len, needed);
    return found;
}

/* Inputs that the statements of an output, and those that they read, mention. */
static bool *inputs_mentioned(const struct emission *e, const struct function *f, const char *output) {
    const struct checked *checked = e->module->checked;
    bool *reached = NEW_ARRAY(e->arena, checked->symbols.len, bool);
    bool *found = NEW_ARRAY(e->arena, f->inputs.len, bool);
    for (uint32_t i = 1; i < checked->symbols.len; i++)
        if (strcmp(checked->symbols.at[i].name, output) == 0)
            checked_sources(e->arena, checked, i, reached);
    for (uint32_t i = 1; i < checked->symbols.len; i++)
        for (size_t k = 0; reached[i] && k < f->inputs.len; k++)
            found[k] = found[k] || f->inputs.at[k].name == checked->symbols.at[i].name;
    return found;
}

static bool has_derivatives(const struct checked *checked) {
    for (ast_id id = 1; id < checked->ast->nodes.len; id++)
        if (op_records[checked->op_of[id]].kind == KIND_DERIVATIVE)
            return true;
    return false;
}

/* Inputs, by index, on which a reader of the program expects the outputs to depend: those that the values do. */
static bool *expected_inputs(const struct emission *e, size_t function) {
    const struct function *f = &e->module->functions.at[function];
    if (f->kind == FUNCTION_BACKWARD)
        return inputs_of(e, f, f[-1].outputs.at, f[-1].outputs.len);
    return inputs_of(e, f, f->outputs.at, 1);
}

static uint32_t list_names(struct text *list, const struct function *f, const bool *chosen) {
    uint32_t count = 0;
    for (size_t i = 0; i < f->inputs.len; i++)
        if (chosen[i])
            text_printf(list, "%s%s", count++ ? ", " : "", f->inputs.at[i].name);
    return count;
}

/* What an output does not depend on. */
static void print_independent(struct text *out, const struct emission *e, const struct function *f, size_t i,
                              const bool *expected) {
    struct text list = text_new(e->arena);
    bool *missing = inputs_of(e, f, &f->outputs.at[i], 1);
    for (size_t k = 0; k < f->inputs.len; k++)
        missing[k] = expected[k] && !missing[k];
    if (list_names(&list, f, missing))
        text_printf(out, " *   %s does not depend on %s\n", f->outputs.at[i].name, text_string(&list));
}

static void print_no_arguments(struct text *out, const struct emission *e, const struct signature *s,
                               const bool *expected) {
    struct text list = text_new(e->arena);
    bool *missing = NEW_ARRAY(e->arena, s->function->inputs.len, bool);
    for (size_t k = 0; k < s->function->inputs.len; k++)
        missing[k] = expected[k] && !s->plan->reads[k];
    uint32_t count = list_names(&list, s->function, missing);
    if (count)
        text_printf(out, " *   %s %s: no output depends on %s\n", text_string(&list),
                    count == 1 ? "is no argument" : "are no arguments", count == 1 ? "it" : "them");
}

/* Of values in which derivatives stand as expressions, and of whole Jacobians and Hessians, each is looked at. */
static void print_independence(struct text *out, const struct emission *e, const struct signature *s, size_t function) {
    const struct function *f = s->function;
    bool values = f->kind == FUNCTION_EVAL && has_derivatives(e->module->checked);
    bool tensors = f->kind == FUNCTION_JAC || f->kind == FUNCTION_HESS;
    if (f->kind == FUNCTION_FORWARD || (f->kind == FUNCTION_EVAL && !values))
        return;
    bool *all = values ? NEW_ARRAY(e->arena, f->inputs.len, bool) : expected_inputs(e, function);
    for (size_t i = tensors; (values || tensors) && i < f->outputs.len; i++) {
        bool *expected = values ? inputs_mentioned(e, f, f->outputs.at[i].name) : all;
        print_independent(out, e, f, i, expected);
        for (size_t k = 0; k < f->inputs.len; k++)
            all[k] = all[k] || expected[k];
    }
    print_no_arguments(out, e, s, all);
}

/* Solves by a factor that has been found cannot fail. */
static bool gives_status(const struct emission *e, const struct kernel *kernel, const char *status) {
    const struct node *node = graph_node(e->graph, kernel->node);
    if (kernel->kind != KERNEL_MATRIX || !op_records[node->op].status ||
        graph_node(e->graph, node->operands[0].node)->op == OP_cholesky_factor)
        return false;
    return strcmp(op_records[node->op].status, status) == 0;
}

static void print_statuses(struct text *out, const struct emission *e, const struct signature *s) {
    static const char *const statuses[][2] = {{"MX_ERR_SINGULAR", "singular"},
                                              {"MX_ERR_NOT_SPD", "not positive definite"}};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        for (size_t k = 0; k < s->plan->kernels.len; k++)
            if (gives_status(e, &s->plan->kernels.at[k], statuses[i][0])) {
                text_printf(out, " *   %s, and NaN in every output, if a matrix that it factors or divides by is %s\n",
                            statuses[i][0], statuses[i][1]);
                break;
            }
}

static void print_comment(struct text *out, const struct emission *e, const struct signature *s, size_t function) {
    const struct function *f = s->function;
    text_printf(out, "/* %s.\n *\n", purpose(f));
    print_indices(out, s);
    for (size_t i = 0; i < s->inputs.len; i++)
        print_parameter(out, e, "in", s->input_name[s->inputs.at[i]], &f->inputs.at[s->inputs.at[i]]);
    for (size_t i = 0; i < f->outputs.len; i++)
        print_parameter(out, e, "out", s->output_name[i], &f->outputs.at[i]);
    for (size_t i = 0; i < f->notes.len; i++)
        print_note(out, &f->notes.at[i]);
    print_independence(out, e, s, function);
    print_bounds(out, e, s);
    print_statuses(out, e, s);
    text_printf(out, " *\n * Flops: %s. Workspace: %s", poly_string(e->arena, e->graph->polys, s->plan->flops),
                s->plan->work.pools.len == 0 && !body_calls(e, s) ? "none, NULL will do" : "see the size function");
    if (s->saves)
        text_printf(out, ". Saved: %s", s->plan->saved.pools.len == 0 ? "nothing, NULL will do" : "see savedsize");
    text_puts(out, ". */\n");
}

static void print_macro(struct text *out, const struct emission *e, const struct signature *s) {
    uint64_t bytes;
    if (body_fixed_worksize(e, s, &bytes))
        text_printf(out, bytes == UINT64_MAX ? "#define %s ((size_t)-1)\n" : "#define %s %llu\n",
                    in_capitals(e, s->function->name, "_WORKSIZE"), (unsigned long long)bytes);
}

static void print_prototypes(struct text *out, const struct emission *e, size_t function) {
    struct signature s = signature_of(e, function);
    text_putc(out, '\n');
    print_comment(out, e, &s, function);
    print_macro(out, e, &s);
    signature_print_size(out, e, &s, "worksize");
    text_puts(out, ";\n");
    if (signature_has_savedsize(&s)) {
        signature_print_size(out, e, &s, "savedsize");
        text_puts(out, ";\n");
    }
    signature_print(out, e, &s, false);
    text_puts(out, ";\n");
}

void emit_header(struct text *out, const struct emission *e) {
    const char *guard = in_capitals(e, e->header, "_INCLUDED");
    print_banner(out, e, e->header);
    text_printf(out, "#ifndef MX_%s\n#define MX_%s\n\n#include <mxrt.h>\n#include <stddef.h>\n\n", guard, guard);
    text_printf(
        out,
        "#if MX_ABI_VERSION != %d\n#error \"this file was generated for version %d of mxrt.h\"\n"
        "#elif MX_ABI_REVISION < %d\n#error \"this file was generated for a later mxrt.h: install that of mxc %s\"\n"
        "#endif\n\n",
        MX_ABI_VERSION, MX_ABI_VERSION, MX_ABI_REVISION, e->version);
    text_puts(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    text_puts(
        out,
        "/* Arrays are contiguous and row-major; outputs overlap neither inputs nor each other. Each function needs\n"
        " * a workspace of as many bytes as its _worksize function says, at any alignment (NULL where that is 0;\n"
        " * SIZE_MAX: the sizes overflow), and returns MX_OK unless its comment names another status. */\n");
    for (size_t f = 0; f < e->module->functions.len; f++)
        print_prototypes(out, e, f);
    if (e->reflect)
        text_printf(out, "\nextern const mx_module %s_module;\n", e->module->name);
    text_puts(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
