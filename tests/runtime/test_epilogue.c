/* Products with a prologue and an epilogue: the bits of one function, the product alone, and then the other; every
   element once, rows from left to right; for every way through the code and several numbers of threads.  Compiled once
   for each element type; run once for each kernel set. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* In place, also in several pieces; few columns; packed, past KC and NC; vectors; each with C by rows, by columns, and
   spread. */
static const trial shapes[] = {
    {.m = 4, .n = 5, .k = 6},
    {.m = 1, .n = 1, .k = 1},
    {.m = 40, .n = 50, .k = 0},
    {.m = 130, .n = 131, .k = 129},
    {.m = 250, .n = 250, .k = 70},
    {.m = 2001, .n = 17, .k = 19},
    {.m = 17, .n = 2001, .k = 19, .a = COLUMNS},
    {.m = 503, .n = 511, .k = 3},
    {.m = 201, .n = 5, .k = 1300},
    {.m = 201, .n = 5, .k = 300, .a = COLUMNS},
    {.m = 5, .n = 801, .k = 300, .b = COLUMNS},
    {.m = 150, .n = 151, .k = 152, .b = COLUMNS},
    {.m = 157, .n = 97, .k = 1101, .a = PADDED_COLUMNS, .b = SPREAD},
    {.m = 20, .n = 4200, .k = 33, .b = COLUMNS},
    {.m = 9, .n = 4200, .k = 1040, .b = COLUMNS},
    {.m = 1, .n = 1501, .k = 701},
    {.m = 1501, .n = 1, .k = 701},
};

typedef struct seen {
    const trial *t;
    atomic_size_t *next; /* for each row, the column that must come next */
    int any_order;
    void (*change)(size_t i, size_t j, real *c);
    int wrong;
} seen;

/* c_ij = c_ij^2 + j - i/2. */
static void square(size_t i, size_t j, real *c) {
    *c = *c * *c + (real)j - (real)i / 2;
}

/* c_ij = i - 2 j, whatever it was. */
static void start(size_t i, size_t j, real *c) {
    *c = (real)i - 2 * (real)j;
}

static void tile(void *context, size_t i, size_t j, size_t rows, size_t columns, real *c, ptrdiff_t rsc,
                 ptrdiff_t csc) {
    seen *s = context;
    if (rows == 0 || columns == 0 || i + rows > s->t->m || j + columns > s->t->n) {
        s->wrong = 1;
        return;
    }
    for (size_t p = 0; p < rows; p++) {
        if (s->next[i + p] != j && !s->any_order)
            s->wrong = 1;
        atomic_fetch_add(&s->next[i + p], columns);
        for (size_t q = 0; q < columns; q++)
            s->change(i + p, j + q, c + (ptrdiff_t)p * rsc + (ptrdiff_t)q * csc);
    }
}

static void call(const trial *t, operands *o, void *work, const MX_REAL(mx_prologue) * prologue,
                 const MX_REAL(mx_epilogue) * epilogue) {
    if (prologue == NULL)
        MX_REAL_AND(mx_gemm, _epilogue)
    (t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs, t->beta, o->c.at, o->c.rs,
     o->c.cs, work, epilogue);
    else MX_REAL_AND(mx_gemm, _fused)(t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs,
                                      t->beta, o->c.at, o->c.rs, o->c.cs, work, prologue, epilogue);
}

static void change_all(const trial *t, operands *o, void (*change)(size_t i, size_t j, real *c)) {
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++)
            change(i, j, element(&o->c, i, j));
}

static int is_complete(const seen *s) {
    int complete = !s->wrong;
    for (size_t i = 0; i < s->t->m; i++)
        complete &= s->next[i] == s->t->n;
    return complete;
}

/* Either of them may be left out. */
static const char *compare(const trial *t, seen *first, seen *after, int threads) {
    operands want = operands_new(t), got = operands_new(t);
    void *work = malloc(worksize(t->m, t->n, t->k) + 1);
    const MX_REAL(mx_prologue) prologue = {tile, first};
    const MX_REAL(mx_epilogue) epilogue = {tile, after};
    mx_set_num_threads(1);
    if (first != NULL)
        change_all(t, &want, start);
    call(t, &want, work, NULL, NULL);
    if (after != NULL)
        change_all(t, &want, square);
    mx_set_num_threads(threads);
    call(t, &got, work, first == NULL ? NULL : &prologue, after == NULL ? NULL : &epilogue);
    int same = memcmp(want.c.memory, got.c.memory, got.c.length * sizeof(real)) == 0;
    free(work);
    operands_free(&want);
    operands_free(&got);
    if ((first != NULL && !is_complete(first)) || (after != NULL && !is_complete(after)))
        return "pieces are missing, double or out of order";
    return same ? NULL : "other bits";
}

static void test_one(tap *out, const trial *t, int has_first, int has_after, int threads) {
    seen first = {t, calloc(t->m, sizeof *first.next), 1, start, 0};
    seen after = {t, calloc(t->m, sizeof *after.next), 0, square, 0};
    const char *wrong = first.next == NULL || after.next == NULL
                            ? "out of memory"
                            : compare(t, has_first ? &first : NULL, has_after ? &after : NULL, threads);
    if (!tap_ok(out, wrong == NULL, "%zu x %zu x %zu, alpha %g, A %s, B %s, C %s,%s%s threads %d", t->m, t->n, t->k,
                (double)t->alpha, layout_names[t->a], layout_names[t->b], layout_names[t->c],
                has_first ? " prologue," : "", has_after ? " epilogue," : "", threads))
        printf("# %s\n", wrong);
    free(first.next);
    free(after.next);
}

static void test_shape(tap *out, trial t, real alpha, int threads) {
    static const layout layouts[] = {ROWS, COLUMNS, SPREAD, BACKWARDS};
    for (size_t i = 0; i < COUNT(layouts); i++) {
        const int has_first = i % 2;
        t.c = layouts[i], t.alpha = alpha, t.beta = has_first ? (real)i / 2 : 0, t.seed = i + 1;
        if (tap_due())
            test_one(out, &t, has_first, i < 2 || threads == 1, threads);
    }
}

/* Sizes up to most, small ones more often. */
static void test_random(tap *out, uint64_t seed, unsigned trials, double most) {
    static const layout layouts[] = {ROWS, COLUMNS, ROWS, PADDED_COLUMNS};
    printf("# random sizes from seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < trials; i++) {
        trial t = {.alpha = 1, .beta = (real)(i % 2), .seed = i};
        size_t *size[] = {&t.m, &t.n, &t.k};
        for (int d = 0; d < 3; d++) {
            double x = ((double)random_real(&seed) + 1) / 2;
            *size[d] = 1 + (size_t)(most * x * x);
        }
        t.a = layouts[seed >> 40 & 3], t.b = layouts[seed >> 44 & 3], t.c = layouts[seed >> 48 & 3];
        if (tap_due())
            test_one(out, &t, i % 2, i % 4 != 1, 1 + (int)(i % 5));
    }
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    for (int threads = 1; threads <= 4; threads *= 2)
        for (size_t i = 0; i < COUNT(shapes); i++) {
            test_shape(&out, shapes[i], (real)0.75, threads);
            test_shape(&out, shapes[i], 0, threads);
            if (shapes[i].m * shapes[i].n < 100)
                test_shape(&out, shapes[i], INFINITY, threads);
        }
    test_random(&out, 20261128, 60, 99);
    test_random(&out, 20261129, 40, 900);
    return tap_end(&out);
}
