#include "operands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mxrt.h"

#define CANARY 64
#define UNIT_ROUNDOFF (EPSILON / 2)

const char *const layout_names[N_LAYOUTS] = {"rows",   "columns",   "padded rows", "padded columns",
                                             "spread", "backwards", "repeated"};

static char complaint[256];

real random_real(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (real)((double)(*state >> 11) / (double)((uint64_t)1 << 52) - 1);
}

void *allocate(size_t bytes) {
    void *memory = malloc(bytes + (bytes == 0));
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return memory;
}

real *element(const matrix *x, size_t i, size_t j) {
    return x->at + (ptrdiff_t)i * x->rs + (ptrdiff_t)j * x->cs;
}

static void set_strides(matrix *x, layout l) {
    ptrdiff_t rows = (ptrdiff_t)x->rows, columns = (ptrdiff_t)x->columns;
    switch (l) {
    case ROWS:
        x->rs = columns, x->cs = 1;
        break;
    case COLUMNS:
        x->rs = 1, x->cs = rows;
        break;
    case PADDED_ROWS:
        x->rs = columns + GAP, x->cs = 1;
        break;
    case PADDED_COLUMNS:
        x->rs = 1, x->cs = rows + 5;
        break;
    case SPREAD:
        x->rs = 2 * columns + 1, x->cs = 2;
        break;
    case BACKWARDS:
        x->rs = -columns - 1, x->cs = -1;
        break;
    default:
        x->rs = 0, x->cs = 1;
        break;
    }
}

matrix matrix_new(size_t rows, size_t columns, layout l, size_t guard, uint64_t *state) {
    matrix x = {.rows = rows, .columns = columns};
    set_strides(&x, l);
    size_t reach = rows && columns ? (rows - 1) * (size_t)llabs(x.rs) + (columns - 1) * (size_t)llabs(x.cs) + 1 : 0;
    x.length = reach + 2 * guard;
    x.memory = allocate(x.length * sizeof(real));
    x.at = x.memory + guard + (x.rs < 0 && reach > 0 ? reach - 1 : 0);
    for (size_t i = 0; i < x.length; i++)
        x.memory[i] = (real)NAN;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            *element(&x, i, j) = random_real(state);
    return x;
}

matrix matrix_copy(const matrix *x) {
    matrix y = *x;
    y.memory = memcpy(allocate(x->length * sizeof(real)), x->memory, x->length * sizeof(real));
    y.at = y.memory + (x->at - x->memory);
    return y;
}

void matrix_free(matrix *x) {
    free(x->memory);
}

workspace workspace_new(size_t size, uint64_t seed) {
    size_t offset = 1 + (size_t)(seed % 71);
    workspace w = {.memory = allocate(offset + size + CANARY), .size = size};
    memset(w.memory, 0xa5, offset + size + CANARY);
    memset(w.memory + offset, (int)(seed % 256), size);
    w.offset = offset;
    w.work = size == 0 ? NULL : w.memory + offset;
    return w;
}

int workspace_end(workspace *w) {
    int alive = 1;
    for (size_t i = 0; i < w->offset; i++)
        alive &= w->memory[i] == 0xa5;
    for (size_t i = 0; i < CANARY; i++)
        alive &= w->memory[w->offset + w->size + i] == 0xa5;
    free(w->memory);
    return alive;
}

operands operands_new(const trial *t) {
    uint64_t state = t->seed;
    matrix a = matrix_new(t->m, t->k, t->a, 0, &state), b = matrix_new(t->k, t->n, t->b, 0, &state);
    return (operands){a, b, matrix_new(t->m, t->n, t->c, GUARD, &state)};
}

void operands_free(operands *o) {
    matrix_free(&o->a);
    matrix_free(&o->b);
    matrix_free(&o->c);
}

size_t worksize(size_t m, size_t n, size_t k) {
    return MX_REAL_AND(mx_gemm, _worksize)(m, n, k);
}

/* Whether a call wrote nothing of x, but for its elements where they may be; before is freed. */
static int unchanged(const matrix *x, matrix before, int elements) {
    for (size_t i = 0; !elements && i < x->rows; i++)
        for (size_t j = 0; j < x->columns; j++)
            *element(&before, i, j) = *element(x, i, j);
    int same = memcmp(x->memory, before.memory, x->length * sizeof(real)) == 0;
    matrix_free(&before);
    return same;
}

static void call_product(const trial *t, operands *o, void *work) {
    MX_REAL(mx_gemm)
    (t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs, t->beta, o->c.at, o->c.rs,
     o->c.cs, work);
}

product_call *called = call_product;

void call_reference(const trial *t, operands *o) {
    MX_REAL(mx_ref_gemm)
    (t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs, t->beta, o->c.at, o->c.rs,
     o->c.cs, NULL);
}

const char *call_guarded(const trial *t, operands *o) {
    matrix a = matrix_copy(&o->a), b = matrix_copy(&o->b), c = matrix_copy(&o->c);
    workspace w = workspace_new(worksize(t->m, t->n, t->k), t->seed);
    called(t, o, w.work);
    int work_kept = workspace_end(&w);
    int a_kept = unchanged(&o->a, a, 1), b_kept = unchanged(&o->b, b, 1), c_kept = unchanged(&o->c, c, 0);
    if (!a_kept || !b_kept)
        return a_kept ? "B was written" : "A was written";
    if (!work_kept)
        return "memory beside the workspace was written";
    return c_kept ? NULL : "memory beside the elements of C was written";
}

/* Absolute values of x, row-major. */
static matrix magnitudes(const matrix *x) {
    uint64_t state = 0;
    matrix y = matrix_new(x->rows, x->columns, ROWS, 0, &state);
    for (size_t i = 0; i < x->rows; i++)
        for (size_t j = 0; j < x->columns; j++)
            *element(&y, i, j) = (real)fabs((double)*element(x, i, j));
    return y;
}

/* |alpha| |A| |B| + |beta| |C|, in the place of C. */
static operands error_scale(const trial *t, const operands *o) {
    operands s = {magnitudes(&o->a), magnitudes(&o->b), magnitudes(&o->c)};
    trial u = *t;
    u.alpha = (real)fabs((double)t->alpha);
    u.beta = (real)fabs((double)t->beta);
    call_reference(&u, &s);
    return s;
}

/* Element by element |got - want| <= (k + 4) u scale: k + 2 roundings of the contract's formula, with u half of its
   eps, and one each for beta C and for the reference. */
static const char *compare(const trial *t, const matrix *got, const matrix *want, const matrix *scale) {
    double worst = 0;
    const char *result = NULL;
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++) {
            double x = (double)*element(got, i, j);
            double y = (double)*element(want, i, j);
            double s = (double)*element(scale, i, j);
            double error = fabs(x - y), bound = ((double)t->k + 4) * UNIT_ROUNDOFF * s;
            double excess = error <= bound ? 0 : error / bound;
            if (!(excess <= worst)) {
                worst = isnan(excess) ? INFINITY : excess;
                snprintf(complaint, sizeof complaint, "C[%zu, %zu] is %.17g, should be %.17g, %.3g times the bound", i,
                         j, x, y, excess);
                result = complaint;
            }
        }
    return result;
}

/* With beta == 0 what C holds must not matter: NaN. */
static void spoil(const matrix *c) {
    for (size_t i = 0; i < c->rows; i++)
        for (size_t j = 0; j < c->columns; j++)
            *element(c, i, j) = (real)NAN;
}

const char *check_trial(const trial *t) {
    operands got = operands_new(t), want = operands_new(t), scale = error_scale(t, &want);
    if (t->beta == 0)
        spoil(&got.c);
    const char *wrong = call_guarded(t, &got);
    if (wrong == NULL) {
        call_reference(t, &want);
        wrong = compare(t, &got.c, &want.c, &scale.c);
    }
    operands_free(&got);
    operands_free(&want);
    operands_free(&scale);
    return wrong;
}
