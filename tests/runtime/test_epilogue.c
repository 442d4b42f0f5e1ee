/* Products with a prologue and an epilogue: the bits of one function, the product alone, and then the other; every
   element once, rows from left to right; and every element of A and B once where they are read, in their order; the
   runtime's sums of them; for every way through the code and several numbers of threads.  Compiled once for each
   element type; run once for each kernel set. */
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
    {.m = 0, .n = 50, .k = 60},
    {.m = 40, .n = 0, .k = 60, .a = COLUMNS},
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
    {.m = 40, .n = 4200, .k = 130, .b = COLUMNS},
    {.m = 9, .n = 4200, .k = 1040, .b = COLUMNS},
    {.m = 24, .n = 600, .k = 1040},
    {.m = 1000, .n = 30, .k = 600},
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

/* What was seen of A, or B: for each of its rows, or columns, the element that must come next. */
typedef struct read {
    const matrix *of;
    size_t m, n;
    int by_columns;
    atomic_size_t *next;
    int wrong;
} read;

static void see_line(read *s, size_t line, size_t from, size_t count) {
    if (s->next[line] != from)
        s->wrong = 1;
    atomic_fetch_add(&s->next[line], count);
}

static void read_tile(void *context, size_t i, size_t j, size_t rows, size_t columns, const real *x, ptrdiff_t rs,
                      ptrdiff_t cs) {
    read *s = context;
    if (rows == 0 || columns == 0 || i + rows > s->m || j + columns > s->n) {
        s->wrong = 1;
        return;
    }
    for (size_t p = 0; p < rows; p++)
        for (size_t q = 0; q < columns; q++)
            if (x[(ptrdiff_t)p * rs + (ptrdiff_t)q * cs] != *element(s->of, i + p, j + q))
                s->wrong = 1;
    for (size_t p = 0; p < (s->by_columns ? columns : rows); p++)
        see_line(s, p + (s->by_columns ? j : i), s->by_columns ? i : j, s->by_columns ? rows : columns);
}

static int is_all_read(const read *s) {
    int complete = !s->wrong;
    for (size_t i = 0; i < (s->by_columns ? s->n : s->m); i++)
        complete &= s->next[i] == (s->by_columns ? s->m : s->n);
    return complete;
}

static void call(const trial *t, operands *o, void *work, const MX_REAL(mx_hooks) * hooks) {
    if (hooks->a != NULL)
        MX_REAL_AND(mx_gemm, _hooked)
    (t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs, t->beta, o->c.at, o->c.rs,
     o->c.cs, work, hooks);
    else if (hooks->prologue == NULL)
        MX_REAL_AND(mx_gemm, _epilogue)(t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs,
                                        o->b.cs, t->beta, o->c.at, o->c.rs, o->c.cs, work, hooks->epilogue);
    else MX_REAL_AND(mx_gemm, _fused)(t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs,
                                      t->beta, o->c.at, o->c.rs, o->c.cs, work, hooks->prologue, hooks->epilogue);
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

/* With what sees A and B, unless next is NULL: room for rows of A, columns of B. */
static int call_reading(const trial *t, operands *o, void *work, MX_REAL(mx_hooks) hooks, atomic_size_t *next) {
    read a = {&o->a, t->m, t->k, 0, next, 0}, b = {&o->b, t->k, t->n, 1, next + t->m, 0};
    const MX_REAL(mx_reader) of_a = {read_tile, &a}, of_b = {read_tile, &b};
    if (next != NULL)
        hooks.a = &of_a, hooks.b = &of_b;
    call(t, o, work, &hooks);
    return next == NULL || (is_all_read(&a) && is_all_read(&b));
}

/* Any of them may be left out. */
static const char *compare(const trial *t, seen *first, seen *after, atomic_size_t *next, int threads) {
    operands want = operands_new(t), got = operands_new(t);
    void *work = malloc(worksize(t->m, t->n, t->k) + 1);
    const MX_REAL(mx_prologue) prologue = {tile, first};
    const MX_REAL(mx_epilogue) epilogue = {tile, after};
    mx_set_num_threads(1);
    if (first != NULL)
        change_all(t, &want, start);
    call(t, &want, work, &(MX_REAL(mx_hooks)){NULL, NULL, NULL, NULL});
    if (after != NULL)
        change_all(t, &want, square);
    mx_set_num_threads(threads);
    const MX_REAL(mx_hooks) hooks = {first == NULL ? NULL : &prologue, after == NULL ? NULL : &epilogue, NULL, NULL};
    int all_read = call_reading(t, &got, work, hooks, next);
    int same = memcmp(want.c.memory, got.c.memory, got.c.length * sizeof(real)) == 0;
    free(work);
    operands_free(&want);
    operands_free(&got);
    if ((first != NULL && !is_complete(first)) || (after != NULL && !is_complete(after)))
        return "pieces are missing, double or out of order";
    if (!all_read)
        return "pieces of A or B are missing, double, out of order or have other elements";
    return same ? NULL : "other bits";
}

static void test_one(tap *out, const trial *t, int has_first, int has_after, int has_reads, int threads) {
    seen first = {t, calloc(t->m, sizeof *first.next), 1, start, 0};
    seen after = {t, calloc(t->m, sizeof *after.next), 0, square, 0};
    atomic_size_t *reads = calloc(t->m + t->n, sizeof *reads);
    const char *wrong =
        first.next == NULL || after.next == NULL || reads == NULL
            ? "out of memory"
            : compare(t, has_first ? &first : NULL, has_after ? &after : NULL, has_reads ? reads : NULL, threads);
    if (!tap_ok(out, wrong == NULL, "%zu x %zu x %zu, alpha %g, A %s, B %s, C %s,%s%s%s threads %d", t->m, t->n, t->k,
                (double)t->alpha, layout_names[t->a], layout_names[t->b], layout_names[t->c],
                has_first ? " prologue," : "", has_after ? " epilogue," : "", has_reads ? " A and B," : "", threads))
        printf("# %s\n", wrong);
    free(reads);
    free(first.next);
    free(after.next);
}

static void test_shape(tap *out, trial t, real alpha, int threads) {
    static const layout layouts[] = {ROWS, COLUMNS, SPREAD, BACKWARDS};
    for (size_t i = 0; i < COUNT(layouts); i++) {
        const int has_first = i % 2;
        t.c = layouts[i], t.alpha = alpha, t.beta = has_first ? (real)i / 2 : 0, t.seed = i + 1;
        if (tap_due())
            test_one(out, &t, has_first, i < 2 || threads == 1, i > 0, threads);
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
            test_one(out, &t, i % 2, i % 4 != 1, i % 3 != 0, 1 + (int)(i % 5));
    }
}

/* Adds the sums of columns, one element after the other. */
static void add_columns(const matrix *x, size_t from, real *sums) {
    for (size_t j = 0; j < x->columns; j++)
        for (size_t i = 0; i < x->rows; i++)
            sums[from + j] += *element(x, i, j);
}

/* Sums as the runtime makes them, of x and of its transpose, in an array with more on either side. */
static int sums_are_right(size_t m, size_t n, layout l, uint64_t *seed) {
    const size_t from = 3, length = n + 2 * from;
    matrix x = matrix_new(m, n, l, 0, seed);
    real *want = allocate(length * sizeof *want), *columns = allocate(length * sizeof *want),
         *rows = allocate(length * sizeof *want);
    for (size_t j = 0; j < length; j++)
        want[j] = columns[j] = rows[j] = random_real(seed);
    add_columns(&x, from, want);
    MX_REAL(mx_sum_columns)(columns, 7, from, m, n, x.at, x.rs, x.cs);
    MX_REAL(mx_sum_rows)(rows, from, 7, n, m, x.at, x.cs, x.rs);
    const int right =
        memcmp(want, columns, length * sizeof *want) == 0 && memcmp(want, rows, length * sizeof *want) == 0;
    free(want), free(columns), free(rows);
    matrix_free(&x);
    return right;
}

/* Every width up to past all vectors that are held together. */
static void test_sums(tap *out) {
    uint64_t seed = 20261129;
    for (size_t n = 1; n < 300; n += n < 70 ? 1 : 13)
        for (layout l = 0; l < N_LAYOUTS; l++)
            if (tap_due()) {
                const size_t m = 1 + (size_t)(seed >> 40) % 40;
                tap_ok(out, sums_are_right(m, n, l, &seed), "sums of %zu columns of %zu, %s", n, m, layout_names[l]);
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
    test_sums(&out);
    test_random(&out, 20261128, 60, 99);
    test_random(&out, 20261129, 40, 900);
    return tap_end(&out);
}
