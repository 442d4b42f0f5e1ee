/* mx_gemm against its naive twin: sizes around every block, all layouts, all scalars.  Compiled once for each element
   type; run once for each kernel set (MXRT_CPU). */
#include <stdio.h>

#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const real alphas[] = {1, (real)-1, (real)0.5, 0}, betas[] = {0, 1, (real)0.5, (real)-1};

/* Tries t with count pairs of scalars, starting at a place that the seed decides. */
static const char *try_scalars(trial *t, size_t count) {
    for (size_t s = 0; s < count; s++) {
        size_t pair = (size_t)t->seed + s * 5;
        t->alpha = alphas[pair % 4];
        t->beta = betas[pair / 4 % 4];
        const char *wrong = check_trial(t);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static void report(tap *out, const char *what, const trial *t, const char *wrong) {
    if (!tap_ok(out, wrong == NULL, "%s %zu x %zu x %zu, A %s, B %s, C %s", what, t->m, t->n, t->k, layout_names[t->a],
                layout_names[t->b], layout_names[t->c]))
        printf("# alpha %g beta %g seed %llu: %s\n", (double)t->alpha, (double)t->beta, (unsigned long long)t->seed,
               wrong);
}

static void attempt(tap *out, const char *what, trial *t, size_t scalars) {
    if (tap_due())
        report(out, what, t, try_scalars(t, scalars));
}

/* Layouts that change from case to case and meet in all combinations. */
static void vary_layouts(trial *t, unsigned number) {
    t->a = (layout)(number % N_LAYOUTS);
    t->b = (layout)(number / N_LAYOUTS % N_LAYOUTS);
    t->c = (layout)(number % REPEATED);
    t->seed = number + 1;
}

static void test_sizes(tap *out, const char *what, const size_t *m, size_t n_m, const size_t *n, size_t n_n,
                       const size_t *k, size_t n_k, size_t scalars) {
    unsigned number = 0;
    for (size_t i = 0; i < n_m; i++)
        for (size_t j = 0; j < n_n; j++)
            for (size_t p = 0; p < n_k; p++) {
                trial t = {.m = m[i], .n = n[j], .k = k[p]};
                vary_layouts(&t, number += 11);
                attempt(out, what, &t, scalars);
            }
}

#define TEST_SIZES(out, what, m, n, k, scalars) test_sizes(out, what, m, COUNT(m), n, COUNT(n), k, COUNT(k), scalars)

static void test_tiny(tap *out) {
    static const size_t sizes[] = {0, 1, 2, 3, 5, 8, 9, 17};
    TEST_SIZES(out, "tiny", sizes, sizes, sizes, 16);
}

/* Register blocks hold 4 or 8 rows and 4 to 48 columns. */
static void test_register_blocks(tap *out) {
    static const size_t rows[] = {3, 4, 5, 7, 8, 9, 39, 40, 41};
    static const size_t columns[] = {3,  4,  5,  7,  8,  9,  11, 12, 13, 15, 16, 17,
                                     23, 24, 25, 31, 32, 33, 47, 48, 49, 73, 97};
    static const size_t depths[] = {4, 33};
    TEST_SIZES(out, "register block", rows, columns, depths, 4);
    TEST_SIZES(out, "register block", columns, rows, depths, 4);
}

/* The blocks of gemm.c: up to 192 rows, 512 (f64) or 1024 (f32) deep, 4032 columns. */
static void test_cache_blocks(tap *out) {
    static const size_t rows[] = {143, 144, 145, 289}, some[] = {26, 50}, depth[] = {30};
    static const size_t depths[] = {511, 512, 513, 1023, 1024, 1025, 2049}, few[] = {9, 13};
    static const size_t columns[] = {4031, 4032, 4033}, shallow[] = {29, 130};
    TEST_SIZES(out, "cache block", rows, some, depth, 4);
    TEST_SIZES(out, "cache block", some, rows, depth, 4);
    TEST_SIZES(out, "cache block", few, few, depths, 4);
    TEST_SIZES(out, "cache block", few, columns, shallow, 2);
    TEST_SIZES(out, "cache block", columns, few, shallow, 2);
}

/* The sizes of gemm.c and direct.c at which another way is taken, and those around them. */
static void test_thresholds(tap *out) {
    static const size_t few[] = {1, 2, 3, 8, 9, 16, 17},
                        wide[] = {23, 25, 48, 49, 63, 64, 65, 95, 97, 127, 128, 129, 193};
    static const size_t shallow[] = {1, 2, 3, 4, 5}, deep[] = {31, 63, 64, 65, 127, 128, 129, 200};
    static const size_t rows[] = {127, 128, 129}, deepest[] = {1023, 1024, 1025}, narrow[] = {7, 8, 9, 130};
    TEST_SIZES(out, "shallow", few, wide, shallow, 2);
    TEST_SIZES(out, "few rows", few, wide, deep, 2);
    TEST_SIZES(out, "few columns", wide, few, deep, 2);
    TEST_SIZES(out, "few rows in place", rows, narrow, deepest, 1);
}

/* Few columns, whose B is copied, and few rows of A transposed; what is left over of vectors. */
static void test_few_columns(tap *out) {
    static const size_t rows[] = {23, 24, 25, 49, 131}, columns[] = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    static const size_t depths[] = {63, 64, 65, 203, 513, 1025}, wide[] = {17, 18, 20, 21, 33, 36, 41, 52};
    TEST_SIZES(out, "few columns", rows, columns, depths, 1);
    TEST_SIZES(out, "few columns, transposed", columns, rows, depths, 1);
    TEST_SIZES(out, "left over", wide, wide, columns, 1);
}

/* Long dot products, where both operands are contiguous along them. */
static void test_dots(tap *out) {
    static const size_t sizes[] = {2, 3, 4, 5, 7, 8, 9, 13}, depths[] = {63, 64, 65, 128, 131, 700};
    unsigned number = 0;
    for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes) * COUNT(depths); i++) {
        trial t = {.m = sizes[i % COUNT(sizes)],
                   .n = sizes[i / COUNT(sizes) % COUNT(sizes)],
                   .k = depths[i / COUNT(sizes) / COUNT(sizes)]};
        vary_layouts(&t, number += 11);
        t.a = number % 2 ? ROWS : PADDED_ROWS;
        t.b = number % 3 ? COLUMNS : PADDED_COLUMNS;
        attempt(out, "dots", &t, 2);
    }
}

/* Products in place up to 256 cubed, and packed ones past it and where B is transposed. */
static void test_in_place(tap *out) {
    static const layout kinds[][3] = {{ROWS, ROWS, ROWS}, {COLUMNS, PADDED_ROWS, ROWS}, {ROWS, COLUMNS, PADDED_ROWS}};
    static const size_t sizes[] = {99, 100, 101, 255, 256, 257};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t kind = 0; kind < COUNT(kinds); kind++) {
            trial t = {.m = sizes[i],
                       .n = sizes[i],
                       .k = sizes[i],
                       .a = kinds[kind][0],
                       .b = kinds[kind][1],
                       .c = kinds[kind][2],
                       .seed = i + 1};
            attempt(out, "in place", &t, 1);
        }
}

/* Rows of B a power of two of bytes apart, whose lines share few places of a cache, whole and without the last columns;
   and so deep that only some steps at a time are in place. */
static void test_crowded(tap *out) {
    static const size_t rows[] = {5, 8, 9, 16, 24, 25, 60}, columns[] = {128, 512 - GAP, 1024},
                        depths[] = {63, 64, 130, 256, 257, 700};
    for (size_t i = 0; i < COUNT(rows) * COUNT(columns) * COUNT(depths); i++) {
        trial t = {.m = rows[i % COUNT(rows)],
                   .n = columns[i / COUNT(rows) % COUNT(columns)],
                   .k = depths[i / COUNT(rows) / COUNT(columns)],
                   .a = i % 2 ? COLUMNS : ROWS,
                   .seed = i + 1};
        t.b = t.n == 512 - GAP ? PADDED_ROWS : ROWS;
        attempt(out, "crowded", &t, 1);
    }
}

/* Too large to be done in place: rows of A and of B that lie side by side are packed beside the multiplications, and A
   by rows is not packed but for the last of them. */
static void test_packed(tap *out) {
    static const layout kinds[][3] = {{ROWS, ROWS, ROWS},
                                      {COLUMNS, PADDED_ROWS, ROWS},
                                      {PADDED_ROWS, COLUMNS, ROWS},
                                      {COLUMNS, COLUMNS, PADDED_ROWS}};
    static const size_t rows[] = {137, 144}, columns[] = {241, 264, 313}, depths[] = {185, 515, 1030};
    for (size_t i = 0; i < COUNT(rows) * COUNT(columns) * COUNT(depths) * COUNT(kinds); i++) {
        const layout *kind = kinds[i % COUNT(kinds)];
        const size_t size = i / COUNT(kinds);
        trial t = {.m = rows[size % COUNT(rows)],
                   .n = columns[size / COUNT(rows) % COUNT(columns)],
                   .k = depths[size / COUNT(rows) / COUNT(columns)],
                   .a = kind[0],
                   .b = kind[1],
                   .c = kind[2],
                   .seed = i + 1};
        attempt(out, "packed", &t, 1);
    }
}

/* One block of A, the last strip of which is not whole, beside all of which B is packed. */
static void test_packed_ragged(tap *out) {
    static const layout kinds[][3] = {{ROWS, ROWS, ROWS}, {COLUMNS, PADDED_ROWS, ROWS}};
    static const size_t rows[] = {41, 67, 90, 93};
    for (size_t i = 0; i < COUNT(rows) * COUNT(kinds); i++) {
        const layout *kind = kinds[i % COUNT(kinds)];
        trial t = {
            .m = rows[i / COUNT(kinds)], .n = 350, .k = 1531, .a = kind[0], .b = kind[1], .c = kind[2], .seed = i + 1};
        attempt(out, "packed, ragged", &t, 1);
    }
}

/* Every combination of layouts, on each way through the code. */
static void test_layouts(tap *out, size_t m, size_t n, size_t k) {
    uint64_t seed = 1;
    for (int a = 0; a < N_LAYOUTS; a++)
        for (int b = 0; b < N_LAYOUTS; b++)
            for (int c = 0; c < REPEATED; c++) {
                trial t = {.m = m, .n = n, .k = k, .a = (layout)a, .b = (layout)b, .c = (layout)c, .seed = seed++};
                attempt(out, "layouts", &t, 2);
            }
}

static void test_vectors(tap *out) {
    static const size_t one[] = {1}, sizes[] = {1, 2, 3, 4, 5, 7, 9, 33, 64, 255, 256, 257, 600};
    TEST_SIZES(out, "row vector", one, sizes, sizes, 4);
    TEST_SIZES(out, "column vector", sizes, one, sizes, 4);
    TEST_SIZES(out, "outer product", sizes, sizes, one, 2);
}

static void test_scalars(tap *out, size_t m, size_t n, size_t k) {
    for (size_t i = 0; i < 16; i++)
        for (int c = 0; c < REPEATED; c++) {
            trial t = {.m = m, .n = n, .k = k, .alpha = alphas[i % 4], .beta = betas[i / 4], .c = (layout)c, .seed = 7};
            const char *wrong = check_trial(&t);
            if (!tap_ok(out, wrong == NULL, "scalars %zu x %zu x %zu, alpha %g, beta %g, C %s", m, n, k,
                        (double)t.alpha, (double)t.beta, layout_names[c]))
                printf("# %s\n", wrong);
        }
}

/* Of sizes below most, small ones more often. */
static void test_random(tap *out, uint64_t seed, unsigned trials, double most) {
    printf("# random sizes from seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < trials; i++) {
        trial t = {0};
        size_t *size[] = {&t.m, &t.n, &t.k};
        for (int d = 0; d < 3; d++) {
            double x = ((double)random_real(&seed) + 1) / 2;
            *size[d] = 1 + (size_t)(most * x * x);
        }
        vary_layouts(&t, (unsigned)(seed >> 40));
        attempt(out, "random", &t, most < 100 ? 3 : 1);
    }
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    test_tiny(&out);
    test_register_blocks(&out);
    test_cache_blocks(&out);
    test_thresholds(&out);
    test_few_columns(&out);
    test_dots(&out);
    test_in_place(&out);
    test_crowded(&out);
    test_packed(&out);
    test_packed_ragged(&out);
    test_layouts(&out, 5, 7, 6);
    test_layouts(&out, 9, 33, 3);
    test_layouts(&out, 6, 9, 133);
    test_layouts(&out, 2, 70, 21);
    test_layouts(&out, 26, 27, 29);
    test_layouts(&out, 1, 21, 19);
    test_layouts(&out, 22, 1, 35);
    test_vectors(&out);
    test_scalars(&out, 6, 9, 5);
    test_scalars(&out, 30, 51, 29);
    test_scalars(&out, 1, 40, 33);
    test_scalars(&out, 40, 1, 33);
    test_random(&out, 20240229, 100, 99);
    test_random(&out, 20240229, 40, 700);
    return tap_end(&out);
}
