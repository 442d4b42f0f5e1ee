/* Products of fixed sizes against the naive twin: shapes around every number of lanes, all layouts, scalars of every
   kind.  Compiled for each element type and instruction set. */
#include <stdio.h>

#include "mxrt.h"

/* Calls of the runtime from mxfixed.h are counted. */
static int calls;
#define mx_gemm_f64(...) (calls++, mx_gemm_f64(__VA_ARGS__))
#define mx_gemm_f32(...) (calls++, mx_gemm_f32(__VA_ARGS__))
#include "mxfixed.h"
#undef mx_gemm_f64
#undef mx_gemm_f32
#include "operands.h"
#include "tap.h"

#if MX_BITS == 64
#define FIXED mx_fixed_gemm_f64
#else
#define FIXED mx_fixed_gemm_f32
#endif

#define SHAPES(X)                                                                                                      \
    X(1, 1, 1)                                                                                                         \
    X(1, 1, 32)                                                                                                        \
    X(1, 8, 8)                                                                                                         \
    X(1, 13, 6)                                                                                                        \
    X(1, 31, 17)                                                                                                       \
    X(2, 2, 2)                                                                                                         \
    X(2, 3, 5)                                                                                                         \
    X(2, 17, 3)                                                                                                        \
    X(3, 1, 3)                                                                                                         \
    X(3, 3, 3)                                                                                                         \
    X(3, 6, 4)                                                                                                         \
    X(3, 7, 2)                                                                                                         \
    X(4, 1, 6)                                                                                                         \
    X(4, 4, 4)                                                                                                         \
    X(4, 15, 4)                                                                                                        \
    X(5, 5, 5)                                                                                                         \
    X(6, 2, 12)                                                                                                        \
    X(6, 6, 6)                                                                                                         \
    X(6, 11, 6)                                                                                                        \
    X(7, 9, 8)                                                                                                         \
    X(8, 1, 8)                                                                                                         \
    X(8, 8, 8)                                                                                                         \
    X(8, 16, 4)                                                                                                        \
    X(9, 5, 1)                                                                                                         \
    X(9, 9, 9)                                                                                                         \
    X(10, 12, 11)                                                                                                      \
    X(12, 1, 30)                                                                                                       \
    X(12, 12, 12)                                                                                                      \
    X(13, 6, 2)                                                                                                        \
    X(13, 13, 13)                                                                                                      \
    X(14, 10, 6)                                                                                                       \
    X(15, 31, 7)                                                                                                       \
    X(16, 16, 16)                                                                                                      \
    X(17, 4, 5)                                                                                                        \
    X(20, 1, 20)                                                                                                       \
    X(23, 29, 3)                                                                                                       \
    X(24, 24, 24)                                                                                                      \
    X(25, 11, 13)                                                                                                      \
    X(32, 1, 32)                                                                                                       \
    X(32, 2, 9)                                                                                                        \
    X(32, 32, 32)

/* A number; the layouts of A, B and C: by columns or not; scalars. */
#define LAYOUTS(X, m, n, k)                                                                                            \
    X(m, n, k, 0, 0, 0, 0, 1, 0)                                                                                       \
    X(m, n, k, 1, 0, 0, 0, 1, 1)                                                                                       \
    X(m, n, k, 2, 0, 1, 0, 1, 0)                                                                                       \
    X(m, n, k, 3, 1, 0, 0, -1, 0)                                                                                      \
    X(m, n, k, 4, 1, 1, 0, 2, 1)                                                                                       \
    X(m, n, k, 5, 0, 0, 1, 1, 0)                                                                                       \
    X(m, n, k, 6, 0, 1, 1, 0.5, -1)                                                                                    \
    X(m, n, k, 7, 1, 0, 1, 1, 1)                                                                                       \
    X(m, n, k, 8, 1, 1, 1, 1, 0)                                                                                       \
    X(m, n, k, 9, 0, 0, 0, 0, 1)

#define FUNCTION(m, n, k, number, ta, tb, tc, alpha, beta)                                                             \
    static void call_##m##_##n##_##k##_##number(const trial *t, operands *o, void *work) {                             \
        (void)t, (void)work;                                                                                           \
        FIXED(m, n, k, (real)(alpha), o->a.at, (ta) ? 1 : (k), (ta) ? (m) : 1, o->b.at, (tb) ? 1 : (n),                \
              (tb) ? (k) : 1, (real)(beta), o->c.at, (tc) ? 1 : (n), (tc) ? (m) : 1);                                  \
    }
#define FUNCTIONS(m, n, k) LAYOUTS(FUNCTION, m, n, k)
SHAPES(FUNCTIONS)

typedef struct fixed_case {
    trial t;
    product_call *call;
} fixed_case;

#define CASE(m, n, k, number, ta, tb, tc, alpha, beta)                                                                 \
    {{m, n, k, (real)(alpha), (real)(beta), (ta) ? COLUMNS : ROWS, (tb) ? COLUMNS : ROWS, (tc) ? COLUMNS : ROWS, 1},   \
     call_##m##_##n##_##k##_##number},
#define CASES(m, n, k) LAYOUTS(CASE, m, n, k)
static const fixed_case cases[] = {SHAPES(CASES)};

/* Cubes up to here are straight code, larger ones calls. */
#if defined(__AVX2__)
#define LARGEST 32
#else
#define LARGEST 5
#endif

/* A plain product of three equal sizes. */
static int is_cube(const trial *t) {
    return t->m == t->n && t->n == t->k && t->a == ROWS && t->b == ROWS && t->c == ROWS && t->alpha == 1;
}

static int can_run(void) {
#if defined(__AVX512F__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
#elif defined(__AVX2__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 1;
#endif
}

int main(void) {
    tap out = {0};
    if (!can_run()) {
        printf("1..0 # SKIP the processor lacks what this is compiled for\n");
        return 0;
    }
    tap_ok(&out, worksize(32, 32, 32) == 0, "no workspace up to 32 x 32 x 32");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const trial *t = &cases[i].t;
        called = cases[i].call;
        calls = 0;
        const char *wrong = check_trial(t);
        if (is_cube(t))
            tap_ok(&out, calls == (t->m > LARGEST), "%zu cubed is %s", t->m, t->m > LARGEST ? "a call" : "no call");
        if (!tap_ok(&out, wrong == NULL, "%zu x %zu x %zu, A %s, B %s, C %s, alpha %g, beta %g", t->m, t->n, t->k,
                    layout_names[t->a], layout_names[t->b], layout_names[t->c], (double)t->alpha, (double)t->beta))
            printf("# %s\n", wrong);
    }
    return tap_end(&out);
}
