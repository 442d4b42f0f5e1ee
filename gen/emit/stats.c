/* What each function costs: --stats. Polynomials in the dimensions, numbers where all are fixed. */
#include "body.h"

static void print_fact(struct text *out, const struct emission *e, const char *name, poly p, const char *unit) {
    text_printf(out, "  %-10s %s%s", name, poly_string(e->arena, e->graph->polys, p), unit);
}

static poly in_bytes(const struct emission *e, poly elements) {
    return poly_mul(e->graph->polys, elements, poly_number(e->graph->polys, e->f32 ? 4 : 8));
}

/* Before each array is rounded up to a cache line. */
static poly layout_bytes(const struct emission *e, const struct layout *layout) {
    poly sum = poly_number(e->graph->polys, 0);
    for (size_t i = 0; i < layout->pools.len; i++) {
        poly slots = poly_number(e->graph->polys, layout->pools.at[i].slots);
        sum = poly_add(e->graph->polys, sum, poly_mul(e->graph->polys, slots, layout->pools.at[i].elements));
    }
    return in_bytes(e, sum);
}

static void print_kernels(struct text *out, const struct plan *plan) {
    static const struct {
        enum kernel_kind kind;
        const char *one, *more;
    } kinds[] = {{KERNEL_GEMM, "product", "products"},
                 {KERNEL_LOOP, "loop nest", "loop nests"},
                 {KERNEL_ALONG, "call along lines", "calls along lines"},
                 {KERNEL_MATRIX, "call for a whole matrix", "calls for whole matrices"}};
    const char *sign = ":";
    text_printf(out, "  %-10s %zu", "kernels", plan->kernels.len);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t count = 0;
        for (size_t k = 0; k < plan->kernels.len; k++)
            count += plan->kernels.at[k].kind == kinds[i].kind;
        if (count)
            text_printf(out, "%s %zu %s", sign, count, count == 1 ? kinds[i].one : kinds[i].more);
        sign = count ? "," : sign;
    }
    text_putc(out, '\n');
}

static void print_function(struct text *out, const struct emission *e, size_t function) {
    struct signature s = signature_of(e, function);
    uint64_t bytes;
    text_printf(out, "%s\n", s.function->name);
    print_fact(out, e, "flops", s.plan->flops, "\n");
    print_fact(out, e, "moved", in_bytes(e, s.plan->traffic), " bytes\n");
    if (body_fixed_worksize(e, &s, &bytes))
        text_printf(out, "  %-10s %llu bytes\n", "workspace", (unsigned long long)bytes);
    else
        print_fact(out, e, "workspace", layout_bytes(e, &s.plan->work),
                   body_calls(e, &s) ? " bytes, and what its calls ask for\n" : " bytes\n");
    if (s.saves)
        print_fact(out, e, "saved", layout_bytes(e, &s.plan->saved), " bytes\n");
    text_printf(out, "  %-10s %u\n", "nodes", s.plan->nodes);
    print_kernels(out, s.plan);
}

void emit_stats(struct text *out, const struct emission *e) {
    for (size_t f = 0; f < e->module->functions.len; f++)
        print_function(out, e, f);
}
