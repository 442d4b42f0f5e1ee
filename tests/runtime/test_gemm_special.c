/* mx_gemm beyond ordinary numbers: NaN and Inf, operands that may not be read, the workspace, repeatability.  Compiled
   once for each element type; run once for each kernel set. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const trial shapes[] = {
    {.m = 3, .n = 4, .k = 5},
    {.m = 9, .n = 10, .k = 7, .b = COLUMNS},
    {.m = 7, .n = 9, .k = 3, .c = COLUMNS},
    {.m = 1, .n = 9, .k = 17},
    {.m = 1, .n = 9, .k = 67, .b = COLUMNS},
    {.m = 11, .n = 1, .k = 20},
    {.m = 26, .n = 27, .k = 29, .a = COLUMNS, .b = COLUMNS},
    {.m = 26, .n = 27, .k = 29, .b = PADDED_ROWS, .c = SPREAD},
    {.m = 5, .n = 29, .k = 3},
    {.m = 2, .n = 51, .k = 7},
    {.m = 5, .n = 6, .k = 131, .b = COLUMNS},
    {.m = 9, .n = 10, .k = 2060, .a = REPEATED, .b = COLUMNS},
    {.m = 41, .n = 29, .k = 33, .a = PADDED_COLUMNS, .b = PADDED_COLUMNS, .c = COLUMNS},
    {.m = 4, .n = 10, .k = 6},
    {.m = 31, .n = 3, .k = 200},
    {.m = 26, .n = 5, .k = 1100, .b = PADDED_ROWS},
    {.m = 30, .n = 4, .k = 131, .a = COLUMNS},
    {.m = 5, .n = 8, .k = 25},
    {.m = 3, .n = 4, .k = 27, .b = PADDED_ROWS},
    {.m = 9, .n = 2, .k = 25, .a = PADDED_ROWS, .c = COLUMNS},
};

/* Finite, NaN, +Inf or -Inf. */
static int class_of(real x) {
    return isnan(x) ? 1 : !isinf(x) ? 0 : x > 0 ? 2 : 3;
}

static int same_classes(const matrix *x, const matrix *y) {
    for (size_t i = 0; i < x->rows; i++)
        for (size_t j = 0; j < x->columns; j++)
            if (class_of(*element(x, i, j)) != class_of(*element(y, i, j))) {
                printf("# C[%zu, %zu] is %g, should be %g\n", i, j, (double)*element(x, i, j),
                       (double)*element(y, i, j));
                return 0;
            }
    return 1;
}

/* Some exact zeros, which must turn Inf into NaN. */
static void add_zeros(const matrix *x, size_t from) {
    for (size_t i = from; i < x->rows * x->columns; i += 3)
        *element(x, i / x->columns, i % x->columns) = 0;
}

static matrix *operand(operands *o, int which) {
    return which == 0 ? &o->a : which == 1 ? &o->b : &o->c;
}

/* The special value at one place of one operand, and at a second place of A when second is set. */
static int try_special(const trial *t, int which, size_t place, real value, int second) {
    operands got = operands_new(t), want = operands_new(t), *both[] = {&got, &want};
    for (int i = 0; i < 2; i++) {
        add_zeros(&both[i]->a, 1);
        add_zeros(&both[i]->b, 0);
        matrix *x = operand(both[i], which);
        *element(x, place / x->columns, place % x->columns) = value;
        if (second)
            *element(&both[i]->a, 0, t->k - 1) = -value;
    }
    const char *wrong = call_guarded(t, &got);
    call_reference(t, &want);
    if (wrong != NULL)
        printf("# %s\n", wrong);
    int passed = wrong == NULL && same_classes(&got.c, &want.c);
    operands_free(&got);
    operands_free(&want);
    return passed;
}

/* Every place, or some of many. */
static int try_places(const trial *t, int which, real value, int second) {
    size_t places = which == 0 ? t->m * t->k : which == 1 ? t->k * t->n : t->m * t->n;
    size_t step = places > 9000 ? places / 5 : places > 100 ? places / 23 : 1;
    for (size_t place = 0; place < places; place += step)
        if (!try_special(t, which, place, value, second)) {
            printf("# place %zu of %c\n", place, "ABC"[which]);
            return 0;
        }
    return try_special(t, which, places - 1, value, second);
}

static void test_specials(tap *out) {
    static const real betas[] = {0, 1, (real)-0.5};
    const real values[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (int which = 0; which < 3; which++)
            for (int v = 0; v < 3; v++)
                for (int b = 0; b < 3; b++) {
                    if (!tap_due())
                        continue;
                    trial t = shapes[s];
                    t.alpha = v == 2 ? (real)-2 : 1;
                    t.beta = betas[b];
                    t.seed = s + 1;
                    int passed = try_places(&t, which, values[v], 0) && try_places(&t, which, values[v], 1);
                    tap_ok(out, passed, "%g in %c, %zu x %zu x %zu, beta %g", (double)values[v], "ABC"[which], t.m, t.n,
                           t.k, (double)t.beta);
                }
}

static void test_special_scalars(tap *out) {
    const real values[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (int v = 0; v < 3; v++)
            for (int which = 0; which < 2; which++) {
                trial t = shapes[s];
                t.alpha = which == 0 ? values[v] : 1;
                t.beta = which == 1 ? values[v] : 1;
                t.seed = s + 1;
                tap_ok(out, try_special(&t, 0, 0, 0, 0), "%s %g, %zu x %zu x %zu", which == 0 ? "alpha" : "beta",
                       (double)values[v], t.m, t.n, t.k);
            }
}

/* ---- Numbers near the smallest ---- */

/* The least power of two that is a normal number, and that of which all others are multiples. */
#if MX_BITS == 64
#define LEAST_NORMAL DBL_MIN
#else
#define LEAST_NORMAL FLT_MIN
#endif
#define LEAST ((double)LEAST_NORMAL * (MX_BITS == 64 ? DBL_EPSILON : FLT_EPSILON))

static void multiply_by(const matrix *x, double factor) {
    for (size_t i = 0; i < x->rows; i++)
        for (size_t j = 0; j < x->columns; j++)
            *element(x, i, j) = (real)((double)*element(x, i, j) * factor);
}

/* Within k + 4 roundings of the largest possible |C|, k, times unit, and half a LEAST for each product. */
static int close_to(const trial *t, const matrix *got, const matrix *want, double unit) {
    const double eps = MX_BITS == 64 ? DBL_EPSILON : FLT_EPSILON, k = (double)t->k;
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++) {
            double x = (double)*element(got, i, j), y = (double)*element(want, i, j);
            if (!(fabs(x - y) <= (k + 4) * eps * k * unit + (k + 1) * LEAST)) {
                printf("# C[%zu, %zu] is %g, should be %g\n", i, j, x, y);
                return 0;
            }
        }
    return 1;
}

/* A times a and B times b, where nothing may be taken for zero because it is small. */
static int try_small(trial t, double a, double b) {
    operands got = operands_new(&t), want = operands_new(&t), *both[] = {&got, &want};
    for (int i = 0; i < 2; i++)
        multiply_by(&both[i]->a, a), multiply_by(&both[i]->b, b);
    const char *wrong = call_guarded(&t, &got);
    call_reference(&t, &want);
    int passed = wrong == NULL && close_to(&t, &got.c, &want.c, a * b);
    operands_free(&got);
    operands_free(&want);
    return passed;
}

static void test_denormals(tap *out) {
    const double tiny = (double)LEAST_NORMAL / 8, root = sqrt((double)LEAST_NORMAL) / 4;
    const double factors[][2] = {{tiny, 1}, {1, tiny}, {tiny, 0.5 / (double)LEAST_NORMAL}, {root, root}};
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (size_t f = 0; f < COUNT(factors); f++) {
            trial t = shapes[s];
            t.alpha = 1, t.beta = 0, t.seed = s + 11;
            tap_ok(out, try_small(t, factors[f][0], factors[f][1]),
                   "denormal numbers, %zu x %zu x %zu, A times %g, B %g", t.m, t.n, t.k, factors[f][0], factors[f][1]);
        }
}

/* alpha == 0 or k == 0: NULL for what may not be read, and C scaled exactly. */
static void test_unread(tap *out) {
    static const real betas[] = {0, 1, (real)0.5, (real)-1};
    for (int c = 0; c < REPEATED; c++)
        for (int b = 0; b < 4; b++)
            for (size_t k = 0; k < 40; k += 39) {
                trial t = {.m = 21, .n = 22, .k = k, .alpha = k == 0, .beta = betas[b], .c = (layout)c, .seed = 3};
                operands got = operands_new(&t), want = operands_new(&t);
                matrix *x = &got.c;
                MX_REAL(mx_gemm)(t.m, t.n, k, t.alpha, NULL, 1, 1, NULL, 1, 1, t.beta, x->at, x->rs, x->cs, NULL);
                int same = 1;
                for (size_t i = 0; i < t.m; i++)
                    for (size_t j = 0; j < t.n; j++)
                        same &= *element(x, i, j) == t.beta * *element(&want.c, i, j);
                tap_ok(out, same, "A and B unread, k %zu, beta %g, C %s", k, (double)t.beta, layout_names[c]);
                operands_free(&got);
                operands_free(&want);
            }
}

static void test_empty(tap *out) {
    real guard = 42;
    MX_REAL(mx_gemm)(0, 5, 3, 1, NULL, 3, 1, &guard, 5, 1, 0, NULL, 5, 1, NULL);
    MX_REAL(mx_gemm)(5, 0, 3, 1, &guard, 3, 1, NULL, 0, 1, 0, &guard, 0, 1, NULL);
    MX_REAL(mx_gemm)(0, 0, 0, 1, NULL, 0, 0, NULL, 0, 0, 0, NULL, 0, 0, NULL);
    tap_ok(out, guard == 42, "empty results write nothing");
}

static void test_zero_worksizes(tap *out) {
    static const size_t none[][3] = {{0, 9, 9},    {9, 0, 9},       {9, 9, 0},        {0, 0, 0},
                                     {1, 1, 1},    {1, 5000, 5000}, {5000, 1, 5000},  {16, 16, 16},
                                     {24, 24, 24}, {2, 3, 1000},    {0, 1, SIZE_MAX}, {0, SIZE_MAX, 1}};
    for (size_t i = 0; i < COUNT(none); i++) {
        size_t m = none[i][0], n = none[i][1], k = none[i][2];
        int huge = k == SIZE_MAX || n == SIZE_MAX;
        tap_ok(out, worksize(m, n, k) == (huge ? SIZE_MAX : 0), "worksize of %zu x %zu x %zu", m, n, k);
    }
}

static void test_worksizes(tap *out) {
    static const size_t big = SIZE_MAX / 4, root = (size_t)1 << (sizeof(size_t) * 4);
    const size_t overflowing[][3] = {
        {SIZE_MAX, 2, 2}, {2, SIZE_MAX, 2}, {2, 2, SIZE_MAX}, {big, 1, 1},     {1, big, 1},
        {1, 1, big},      {root, root, 1},  {root, 1, root},  {1, root, root}, {SIZE_MAX, SIZE_MAX, SIZE_MAX}};
    for (size_t i = 0; i < COUNT(overflowing); i++)
        tap_ok(out, worksize(overflowing[i][0], overflowing[i][1], overflowing[i][2]) == SIZE_MAX,
               "worksize overflows, %zu", i);
    size_t large = worksize(100000, 100000, 100000);
    tap_ok(out, large > 0 && large < ((size_t)1 << 26), "worksize is bounded");
    tap_ok(out, worksize(1000, 30, 200) == worksize(30, 1000, 200), "worksize does not depend on which side is long");
}

/* The same bits whatever the workspace's alignment and content. */
static void test_repeatable(tap *out) {
    for (size_t s = 0; s < COUNT(shapes); s++) {
        trial t = shapes[s];
        t.alpha = (real)0.3, t.beta = (real)0.7, t.seed = 5;
        operands first = operands_new(&t);
        int same = call_guarded(&t, &first) == NULL;
        for (int i = 0; i < 8; i++) {
            t.seed = 5;
            operands again = operands_new(&t);
            t.seed = 5 + 9 * (uint64_t)i;
            same &= call_guarded(&t, &again) == NULL;
            same &= memcmp(first.c.memory, again.c.memory, first.c.length * sizeof(real)) == 0;
            operands_free(&again);
        }
        tap_ok(out, same, "repeatable, %zu x %zu x %zu", t.m, t.n, t.k);
        operands_free(&first);
    }
}

/* A small integer product by hand, so that both twins cannot be wrong alike. */
static void test_by_hand(tap *out) {
    const real a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12};
    const real want[] = {2 * 58 - 1, 2 * 64 - 1, 2 * 139 - 1, 2 * 154 - 1};
    real c[] = {1, 1, 1, 1}, r[] = {1, 1, 1, 1};
    MX_REAL(mx_gemm)(2, 2, 3, 2, a, 3, 1, b, 2, 1, -1, c, 2, 1, NULL);
    MX_REAL(mx_ref_gemm)(2, 2, 3, 2, a, 3, 1, b, 2, 1, -1, r, 2, 1, NULL);
    tap_ok(out, memcmp(c, want, sizeof c) == 0, "2 A B - C by hand");
    tap_ok(out, memcmp(r, want, sizeof r) == 0, "2 A B - C by hand, reference");
    real aa[4], gram[] = {14, 32, 32, 77};
    MX_REAL(mx_gemm)(2, 2, 3, 1, a, 3, 1, a, 1, 3, 0, aa, 2, 1, NULL);
    tap_ok(out, memcmp(aa, gram, sizeof aa) == 0, "A A' by hand");
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    test_by_hand(&out);
    test_specials(&out);
    test_special_scalars(&out);
    test_denormals(&out);
    test_unread(&out);
    test_empty(&out);
    test_zero_worksizes(&out);
    test_worksizes(&out);
    test_repeatable(&out);
    return tap_end(&out);
}
