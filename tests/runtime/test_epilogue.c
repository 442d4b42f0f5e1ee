/* Products with an epilogue: the bits of the product alone and then the function; every element once, rows from left
   to right; for every way through the code and several numbers of threads.  Compiled once for each element type; run
   once for each kernel set. */
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
    size_t *next; /* for each row, the column that must come next */
    int wrong;
} seen;

/* c_ij = c_ij^2 + j - i/2. */
static void square(size_t i, size_t j, real *c) {
    *c = *c * *c + (real)j - (real)i / 2;
}

static void tile(void *context, size_t i, size_t j, size_t rows, size_t columns, real *c, ptrdiff_t rsc,
                 ptrdiff_t csc) {
    seen *s = context;
    if (rows == 0 || columns == 0 || i + rows > s->t->m || j + columns > s->t->n) {
        s->wrong = 1;
        return;
    }
    for (size_t p = 0; p < rows; p++) {
        if (s->next[i + p] != j)
            s->wrong = 1;
        s->next[i + p] = j + columns;
        for (size_t q = 0; q < columns; q++)
            square(i + p, j + q, c + (ptrdiff_t)p * rsc + (ptrdiff_t)q * csc);
    }
}

static void call(const trial *t, operands *o, void *work, const MX_REAL(mx_epilogue) * epilogue) {
    MX_REAL_AND(mx_gemm, _epilogue)
    (t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs, t->beta, o->c.at, o->c.rs,
     o->c.cs, work, epilogue);
}

static const char *compare(const trial *t, seen *s, int threads) {
    operands want = operands_new(t), got = operands_new(t);
    void *work = malloc(worksize(t->m, t->n, t->k) + 1);
    const MX_REAL(mx_epilogue) epilogue = {tile, s};
    mx_set_num_threads(1);
    call(t, &want, work, NULL);
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++)
            square(i, j, element(&want.c, i, j));
    mx_set_num_threads(threads);
    call(t, &got, work, &epilogue);
    for (size_t i = 0; i < t->m; i++)
        s->wrong |= s->next[i] != t->n;
    int same = memcmp(want.c.memory, got.c.memory, got.c.length * sizeof(real)) == 0;
    free(work);
    operands_free(&want);
    operands_free(&got);
    return s->wrong ? "pieces are missing, double or out of order" : same ? NULL : "other bits";
}

static void test_shape(tap *out, trial t, real alpha, int threads) {
    static const layout layouts[] = {ROWS, COLUMNS, SPREAD, BACKWARDS};
    for (size_t i = 0; i < COUNT(layouts); i++) {
        if (!tap_due())
            continue;
        seen s = {&t, calloc(t.m, sizeof *s.next), 0};
        t.c = layouts[i], t.alpha = alpha, t.beta = (real)(i % 2) / 2, t.seed = i + 1;
        const char *wrong = s.next == NULL ? "out of memory" : compare(&t, &s, threads);
        if (!tap_ok(out, wrong == NULL, "%zu x %zu x %zu, alpha %g, C %s, threads %d", t.m, t.n, t.k, (double)alpha,
                    layout_names[t.c], threads))
            printf("# %s\n", wrong);
        free(s.next);
    }
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    for (int threads = 1; threads <= 4; threads *= 2)
        for (size_t i = 0; i < COUNT(shapes); i++) {
            test_shape(&out, shapes[i], (real)0.75, threads);
            test_shape(&out, shapes[i], 0, threads);
        }
    return tap_end(&out);
}
