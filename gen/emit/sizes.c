/* What a function says of its workspace. */
#include "body.h"
#include "kernels.h"

#include <string.h>

static void print_pools(struct text *out, const struct emission *e, const struct signature *s,
                        const struct layout *layout) {
    for (size_t i = 0; i < layout->pools.len; i++) {
        text_printf(out, "    bytes = mx_size_slots(bytes, %u, ", layout->pools.at[i].slots);
        signature_measured(out, e, s, layout->pools.at[i].elements);
        text_printf(out, ", sizeof(%s));\n", real_name(e));
    }
}

/* What a call of the runtime needs; false: nothing. */
static bool print_call_worksize(struct text *out, const struct body *b, const struct kernel *kernel) {
    if (kernel->kind == KERNEL_MATRIX)
        return print_matrix_worksize(out, b, kernel);
    if (!kernel_calls(b->e->graph, kernel))
        return false;
    text_printf(out, "mx_gemm_%s_worksize(", real_suffix(b->e));
    print_gemm_sizes(out, b, kernel);
    text_putc(out, ')');
    return true;
}

/* The workspace of the largest call; each size is asked once. */
static void print_products(struct text *out, const struct emission *e, const struct signature *s) {
    struct body b = {.e = e, .s = (struct signature *)(uintptr_t)s, .measures = true};
    struct map seen = {.arena = e->arena};
    for (size_t k = 0; k < s->plan->kernels.len; k++) {
        struct text sizes = text_new(e->arena);
        if (!print_call_worksize(&sizes, &b, &s->plan->kernels.at[k]))
            continue;
        uint32_t *known = map_at(&seen, key_of(intern(e->interner, text_string(&sizes))));
        if (!(*known)++)
            text_printf(out, "    product = mx_size_max(product, %s);\n", text_string(&sizes));
    }
}

static void print_size_body(struct text *out, const struct emission *e, const struct signature *s,
                            const struct layout *layout, bool gemm_and_table) {
    signature_forget_dims(s);
    bool table = gemm_and_table && s->plan->in_parts, area = table || layout->pools.len;
    if (table)
        text_printf(out, "    size_t bytes = mx_size_slots(0, 1, %u, sizeof(size_t));\n", body_places(s));
    else if (area)
        text_puts(out, "    size_t bytes = 0;\n");
    bool gemm = gemm_and_table && body_calls(e, s);
    text_puts(out, gemm ? "    size_t product = 0;\n" : "");
    print_pools(out, e, s, layout);
    if (gemm)
        print_products(out, e, s);
    for (size_t i = 0; i < s->dims.len; i++)
        if (!s->use->printed[s->dims.at[i]])
            text_printf(out, "    (void)%s;\n", s->dim_name[s->dims.at[i]]);
    text_printf(out, "    return %s;\n",
                area ? (gemm ? "mx_size_add(mx_size_area(bytes), product)" : "mx_size_area(bytes)")
                     : (gemm ? "product" : "0"));
}

void body_print_worksize(struct text *out, const struct emission *e, const struct signature *s) {
    print_size_body(out, e, s, &s->plan->work, true);
}

void body_print_savedsize(struct text *out, const struct emission *e, const struct signature *s) {
    print_size_body(out, e, s, &s->plan->saved, false);
}

bool body_fixed_worksize(const struct emission *e, const struct signature *s, uint64_t *bytes) {
    uint64_t real = e->f32 ? 4 : 8;
    bool overflows = false;
    *bytes = 0;
    if (!s->fixed || body_calls(e, s) || s->plan->in_parts)
        return false;
    for (size_t i = 0; i < s->plan->work.pools.len; i++) {
        int64_t elements = 0;
        poly_is_number(e->graph->polys, s->plan->work.pools.at[i].elements, &elements);
        uint64_t slot;
        overflows = overflows || __builtin_mul_overflow((uint64_t)elements, real, &slot) ||
                    __builtin_add_overflow(slot, 63, &slot) ||
                    __builtin_mul_overflow(slot / 64 * 64, s->plan->work.pools.at[i].slots, &slot) ||
                    __builtin_add_overflow(*bytes, slot, bytes);
    }
    overflows = overflows || __builtin_add_overflow(*bytes, s->plan->work.pools.len ? 63 : 0, bytes);
    *bytes = overflows ? UINT64_MAX : *bytes;
    return true;
}
