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

static void print_comment(struct text *out, const struct emission *e, const struct signature *s) {
    const struct function *f = s->function;
    text_printf(out, "/* %s.\n *\n", purpose(f));
    for (size_t i = 0; i < s->inputs.len; i++)
        print_parameter(out, e, "in", s->input_name[s->inputs.at[i]], &f->inputs.at[s->inputs.at[i]]);
    for (size_t i = 0; i < f->outputs.len; i++)
        print_parameter(out, e, "out", s->output_name[i], &f->outputs.at[i]);
    text_printf(out, " *\n * Flops: %s. Workspace: %s", poly_string(e->arena, e->graph->polys, s->plan->flops),
                s->plan->work.pools.len == 0 && !body_calls(s) ? "none, NULL will do" : "see the size function");
    if (s->saves)
        text_printf(out, ". Saved: %s", s->plan->saved.pools.len == 0 ? "nothing, NULL will do" : "see savedsize");
    text_puts(out, ". */\n");
}

static void print_macro(struct text *out, const struct emission *e, const struct signature *s) {
    uint64_t bytes;
    if (body_fixed_worksize(e, s, &bytes))
        text_printf(out, "#define %s %llu\n", in_capitals(e, s->function->name, "_WORKSIZE"),
                    (unsigned long long)bytes);
}

static void print_prototypes(struct text *out, const struct emission *e, size_t function) {
    struct signature s = signature_of(e, function);
    text_putc(out, '\n');
    print_comment(out, e, &s);
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
    text_printf(out,
                "#if MX_ABI_VERSION != %d\n#error \"this file was generated for version %d of mxrt.h\"\n#endif\n\n",
                MX_ABI, MX_ABI);
    text_puts(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    text_puts(
        out,
        "/* Arrays are contiguous and row-major; outputs overlap neither inputs nor each other. Each function needs\n"
        " * a workspace of as many bytes as its _worksize function says, at any alignment (NULL where that is 0;\n"
        " * SIZE_MAX: the sizes overflow), and returns MX_OK. */\n");
    for (size_t f = 0; f < e->module->functions.len; f++)
        print_prototypes(out, e, f);
    if (e->reflect)
        text_printf(out, "\nextern const mx_module %s_module;\n", e->module->name);
    text_puts(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
