/* What mxc puts in the place of calls for products of fixed sizes, compiled for the processor at hand. */
#include "bench.h"
#include "mxfixed.h"

/* Sizes of the classes tiny and small up to where straight code ends. */
#define EACH_SIZE(X) X(4) X(5) X(8) X(12) X(16) X(24) X(25) X(32)

#define FUNCTIONS(n)                                                                                                   \
    static void nn_##n(const operands *x) {                                                                            \
        if (x->f32)                                                                                                    \
            mx_fixed_gemm_f32(n, n, n, 1, x->a, n, 1, x->b, n, 1, 0, x->c, n, 1);                                      \
        else                                                                                                           \
            mx_fixed_gemm_f64(n, n, n, 1, x->a, n, 1, x->b, n, 1, 0, x->c, n, 1);                                      \
    }                                                                                                                  \
    static void nt_##n(const operands *x) {                                                                            \
        if (x->f32)                                                                                                    \
            mx_fixed_gemm_f32(n, n, n, 1, x->a, n, 1, x->b, 1, n, 0, x->c, n, 1);                                      \
        else                                                                                                           \
            mx_fixed_gemm_f64(n, n, n, 1, x->a, n, 1, x->b, 1, n, 0, x->c, n, 1);                                      \
    }                                                                                                                  \
    static void tn_##n(const operands *x) {                                                                            \
        if (x->f32)                                                                                                    \
            mx_fixed_gemm_f32(n, n, n, 1, x->a, 1, n, x->b, n, 1, 0, x->c, n, 1);                                      \
        else                                                                                                           \
            mx_fixed_gemm_f64(n, n, n, 1, x->a, 1, n, x->b, n, 1, 0, x->c, n, 1);                                      \
    }
EACH_SIZE(FUNCTIONS)

static const struct {
    int n;
    fixed_product *nn, *nt, *tn;
} products[] = {
#define ENTRY(n) {n, nn_##n, nt_##n, tn_##n},
    EACH_SIZE(ENTRY)};

fixed_product *find_fixed(const shape *s) {
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (s->m == products[i].n && s->n == s->m && s->k == s->m && !(s->ta && s->tb))
            return s->ta ? products[i].tn : s->tb ? products[i].nt : products[i].nn;
    return NULL;
}
