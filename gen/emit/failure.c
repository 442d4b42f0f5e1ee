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

/* How many elements an output has: "n * p", "mx_size_less(b, a) * n". A size that is negative counts as 0. */
static void print_elements(struct text *out, const struct body *b, const struct argument *output) {
    struct polys *polys = b->e->graph->polys;
    poly elements = poly_number(polys, 1);
    bool nonnegative = true;
    for (uint8_t a = 0; a < output->rank; a++) {
        elements = poly_mul(polys, elements, output->size[a]);
        nonnegative = nonnegative && poly_is_nonnegative(polys, output->size[a]);
    }
    if (nonnegative) {
        signature_poly(out, b->e, b->s, elements, false);
        return;
    }
    for (uint8_t a = 0; a < output->rank; a++) {
        bool sum = poly_terms(polys, output->size[a]).count > 1 && poly_is_nonnegative(polys, output->size[a]);
        text_puts(out, a ? " * " : "");
        text_puts(out, sum ? "(" : "");
        signature_size(out, b->e, b->s, output->size[a]);
        text_puts(out, sum ? ")" : "");
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

void print_failed(struct text *out, const struct body *b, const char *status, int depth) {
    print_list(out, b, status, false, depth);
    text_puts(out, ";\n");
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
