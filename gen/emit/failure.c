#include "failure.h"

#include "kernels.h"

/* The dimensions that the outputs' sizes have, in the order of the function's parameters, and the outputs. */
static void print_list(struct text *out, const struct body *b, const char *status, bool definition, int depth) {
    const struct signature *s = b->s;
    const char *name = s->function->name;
    struct list list =
        list_begin(out, definition ? format_string(b->e->arena, "static int %s_fail", name)
                                   : format_string(b->e->arena, "%*sreturn %s_fail", 4 * depth, "", name));
    list_add(&list, format_string(b->e->arena, "%s%s", definition ? "int " : "", status));
    for (size_t i = 0; i < s->dims.len; i++)
        if (s->sizes_outputs[s->dims.at[i]])
            list_add(&list, format_string(b->e->arena, "%s%s", definition ? "size_t " : "",
                                          signature_dim(b->e, s, s->dims.at[i])));
    for (size_t i = 0; i < s->function->outputs.len; i++)
        list_add(&list, format_string(b->e->arena, "%s%s%s", definition ? real_name(b->e) : "", definition ? " *" : "",
                                      s->output_name[i]));
    text_putc(out, ')');
}

/* Sizes that would be negative are 0: there is nothing to fill. */
static void print_elements(struct text *out, const struct body *b, const struct argument *argument) {
    text_puts(out, argument->rank ? "" : "1");
    for (uint8_t a = 0; a < argument->rank; a++) {
        text_puts(out, a ? " * " : "");
        signature_size(out, b->e, b->s, argument->size[a]);
    }
}

void print_failure_function(struct text *out, const struct body *b) {
    const struct function *f = b->s->function;
    if (!b->s->plan->fails && !f->bounds.len)
        return;
    print_list(out, b, "status", true, 0);
    text_puts(out, " {\n");
    for (size_t i = 0; i < f->outputs.len; i++) {
        text_printf(out, "    mx_nan_%s(%s, ", real_suffix(b->e), b->s->output_name[i]);
        print_elements(out, b, &f->outputs.at[i]);
        text_puts(out, ");\n");
    }
    text_puts(out, "    return status;\n}\n\n");
}

static void print_failed(struct text *out, const struct body *b, const char *status, int depth) {
    print_list(out, b, status, false, depth);
    text_puts(out, ";\n");
}

void print_bounds(struct text *out, const struct body *b) {
    const struct function *f = b->s->function;
    if (!f->bounds.len)
        return;
    text_puts(out, "    if (");
    for (size_t i = 0; i < f->bounds.len; i++) {
        text_puts(out, i ? " ||\n        " : "");
        signature_negative(out, b->e, b->s, f->bounds.at[i]);
    }
    text_puts(out, ")\n");
    print_failed(out, b, "MX_ERR_INDEX", 2);
}

static void print_exit(struct text *out, const struct body *b, const char *status, int depth, bool in_part) {
    indent(out, depth);
    text_printf(out, "if (%s != MX_OK)\n", status);
    if (in_part)
        text_printf(out, "%*sreturn %s;\n", 4 * (depth + 1), "", status);
    else
        print_failed(out, b, status, depth + 1);
}

void print_failure(struct text *out, const struct body *b, const char *status, int depth) {
    print_exit(out, b, status, depth, b->in_parts);
}

void print_failure_of_part(struct text *out, const struct body *b, const char *status, int depth) {
    print_exit(out, b, status, depth, false);
}
