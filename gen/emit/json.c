/* The facts of the header for programs: --emit=json. */
#include "signature.h"

#include <string.h>

static void print_sizes(struct text *out, const struct emission *e, const struct argument *argument) {
    text_puts(out, "[");
    for (uint8_t i = 0; i < argument->rank; i++) {
        int64_t number;
        text_puts(out, i ? ", " : "");
        if (poly_is_number(e->graph->polys, argument->size[i], &number))
            text_printf(out, "%lld", (long long)number);
        else
            text_json(out, poly_string(e->arena, e->graph->polys, argument->size[i]));
    }
    text_puts(out, "]");
}

static void print_argument(struct text *out, const struct emission *e, const struct argument *argument) {
    text_puts(out, "{\"name\": ");
    text_json(out, argument->name);
    text_puts(out, ", \"shape\": ");
    struct argument declared = argument_declared(argument);
    print_sizes(out, e, &declared);
    if (argument->role == ROLE_OUTPUT) {
        const char *formula = argument_formula(e, argument, 4096);
        text_puts(out, ", \"formula\": ");
        if (formula)
            text_json(out, formula);
        else
            text_puts(out, "null");
    }
    if (argument->role != ROLE_OUTPUT || strcmp(argument->structure, "dense") != 0)
        text_printf(out, ", \"structure\": \"%s\"", argument->structure);
    if (argument->role == ROLE_COTANGENT || argument->role == ROLE_TANGENT)
        text_printf(out, ", \"role\": \"%s\"", argument_role_name(argument->role));
    text_puts(out, "}");
}

/* What is known of the tensors, and the layout of those that are given by factors. */
static void print_notes(struct text *out, const struct function *f) {
    for (size_t i = 0; i < f->notes.len; i++) {
        const struct tensor_note *note = &f->notes.at[i];
        text_puts(out, i ? ",\n               {\"name\": " : "   \"tensors\": [{\"name\": ");
        text_json(out, note->name);
        text_puts(out, ", \"structure\": ");
        text_json(out, note->structure ? note->structure : "dense");
        if (note->layout) {
            text_puts(out, ", \"layout\": ");
            text_json(out, format_string(out->arena, "%s%s", note->name, note->layout));
        }
        text_putc(out, '}');
    }
    text_puts(out, f->notes.len ? "],\n" : "");
}

static void print_function(struct text *out, const struct emission *e, size_t function) {
    struct signature s = signature_of(e, function);
    const struct function *f = s.function;
    text_printf(out, "  {\"name\": \"%s\", \"kind\": \"%s\", \"dims\": [", f->name, function_kind_name(f->kind));
    for (size_t i = 0; i < s.dims.len; i++)
        text_printf(out, "%s\"%s\"", i ? ", " : "", e->graph->polys->names.at[s.dims.at[i]]);
    text_puts(out, "], \"indices\": [");
    for (size_t i = 0; i < s.indices.len; i++)
        text_printf(out, "%s\"%s\"", i ? ", " : "", e->graph->polys->names.at[s.indices.at[i]]);
    text_puts(out, "],\n   \"inputs\": [");
    for (size_t i = 0; i < s.inputs.len; i++) {
        text_puts(out, i ? ",\n              " : "");
        print_argument(out, e, &f->inputs.at[s.inputs.at[i]]);
    }
    text_puts(out, "],\n   \"outputs\": [");
    for (size_t i = 0; i < f->outputs.len; i++) {
        text_puts(out, i ? ",\n               " : "");
        print_argument(out, e, &f->outputs.at[i]);
    }
    text_puts(out, "],\n");
    print_notes(out, f);
    text_printf(out, "   \"saved\": %s, \"flops\": \"%s\"}", s.saves ? "true" : "false",
                poly_string(e->arena, e->graph->polys, s.plan->flops));
}

void emit_json(struct text *out, const struct emission *e) {
    text_printf(out, "{\"mxc\": \"%s\", \"abi\": %d, \"module\": \"%s\", \"source\": ", e->version, MX_ABI_VERSION,
                e->module->name);
    text_json(out, e->source);
    text_printf(out, ", \"real\": \"%s\",\n \"functions\": [\n", real_suffix(e));
    for (size_t f = 0; f < e->module->functions.len; f++) {
        print_function(out, e, f);
        text_puts(out, f + 1 < e->module->functions.len ? ",\n" : "\n");
    }
    text_puts(out, " ]}\n");
}
