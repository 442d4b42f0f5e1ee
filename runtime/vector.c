/* A row vector times a matrix: y = alpha x B + beta y, B read once, in the order in which it lies.  Here x is the row
   of A and y that of C. */
#include "machine.h"
#include "simd.h"

/* Columns of B that the axpy form sums at a time, on the stack: many, so that a B from far away comes in long runs. */
#define STRIP (16384 * 8 / MX_BITS)

/* From this many columns on there are enough for sums in registers. */
#define WIDE (4 * LANES)

/* t_j += Σ_p x_p B_pj for some rows of B, up to four.  One is added after the other, as direct.c does, for the same
   bits. */
INLINE void add_rows(int rows, ptrdiff_t n, real *restrict t, const real *x, ptrdiff_t incx, const real *restrict b,
                     ptrdiff_t rsb, ptrdiff_t csb) {
    real factor[4];
    UNROLL for (int r = 0; r < rows; r++) factor[r] = x[r * incx];
    for (ptrdiff_t j = 0; j < n; j++) {
        real sum = t[j];
        UNROLL for (int r = 0; r < rows; r++) sum += factor[r] * b[r * rsb + j * csb];
        t[j] = sum;
    }
}

INLINE void finish_strip(const product *f, ptrdiff_t j, ptrdiff_t n, const real *restrict t) {
    const ptrdiff_t whole = f->csc == 1 ? n - n % LANES : 0;
    real *restrict c = f->c + j * f->csc;
    for (ptrdiff_t i = 0; i < whole; i += LANES)
        update_vector(c + i, *(const loose_vector *)(t + i), f->alpha, f->beta);
    for (ptrdiff_t i = whole; i < n; i++)
        update(c + i * f->csc, t[i], f->alpha, f->beta);
}

/* A quarter of a page behind b, modulo pages, so that no load of B waits for a store just before it. */
INLINE real *place_apart(real *room, const real *b) {
    const uintptr_t apart = (uintptr_t)b + PAGE / 4 - (uintptr_t)room;
    return room + apart % PAGE / VECTOR_BYTES * LANES;
}

/* The axpy form: sums of rows of B, so many at a time. */
INLINE void sum_rows_by(int rows, const product *f, ptrdiff_t csb) {
    real room[STRIP + PAGE / sizeof(real)] __attribute__((aligned(64)));
    for (ptrdiff_t j = 0; j < f->n; j += STRIP) {
        ptrdiff_t n = f->n - j < STRIP ? f->n - j : STRIP, p = 0;
        const real *b = f->b + j * csb;
        real *t = place_apart(room, b);
        for (ptrdiff_t i = 0; i < n; i++)
            t[i] = 0;
        for (; p + rows <= f->k; p += rows)
            add_rows(rows, n, t, f->a + p * f->csa, f->csa, b + p * f->rsb, f->rsb, csb);
        for (; p < f->k; p++)
            add_rows(1, n, t, f->a + p * f->csa, 0, b + p * f->rsb, 0, csb);
        finish_strip(f, j, n, t);
    }
}

/* Four at a time: more would compete for the same lines where the row stride is a power of two.  Rows that are a page
   each come faster by twos. */
INLINE void sum_rows(const product *f, ptrdiff_t csb) {
    if (f->rsb * (ptrdiff_t)sizeof(real) == PAGE)
        sum_rows_by(2, f, csb);
    else
        sum_rows_by(4, f, csb);
}

/* acc_c += Σ x_p B_pc from p on, by lanes. */
INLINE void add_rest(int cols, const product *f, const real *b, ptrdiff_t p, vector *acc) {
    for (; p + LANES <= f->k; p += LANES) {
        UNROLL for (int c = 0; c < cols; c++) acc[c] +=
            *(const loose_vector *)(f->a + p) * *(const loose_vector *)(b + c * f->csb + p);
    }
    if (p < f->k) {
        const vector x = load_first(f->a + p, f->k - p);
        UNROLL for (int c = 0; c < cols; c++) acc[c] += x * load_first(b + c * f->csb + p, f->k - p);
    }
}

/* Stores y_j for cols columns from j on: the lanes of vecs accumulators each, and the steps from done on. */
INLINE void finish_dots(int cols, int vecs, const product *f, ptrdiff_t j, ptrdiff_t done, vector *acc) {
    real sums[4 + LANES];
    UNROLL for (int c = 0; c < cols; c++) {
        acc[c] = acc[c * vecs];
        UNROLL for (int v = 1; v < vecs; v++) acc[c] += acc[c * vecs + v];
    }
    add_rest(cols, f, f->b + j * f->csb, done, acc);
    sum_each(cols, acc, sums);
    UNROLL for (int c = 0; c < cols; c++) update(f->c + (j + c) * f->csc, sums[c], f->alpha, f->beta);
}

/* By vecs accumulators a column, up to 4 columns; x and the columns are contiguous. */
INLINE void dot_columns(int cols, int vecs, const product *f, ptrdiff_t j) {
    const real *x = f->a, *b = f->b + j * f->csb;
    vector acc[8] = {{0}};
    ptrdiff_t step = vecs * LANES, whole = f->k - f->k % step;
    for (ptrdiff_t p = 0; p < whole; p += step) {
        UNROLL for (int c = 0; c < cols; c++) {
            UNROLL for (int v = 0; v < vecs; v++) acc[c * vecs + v] +=
                *(const loose_vector *)(x + p + v * LANES) * *(const loose_vector *)(b + c * f->csb + p + v * LANES);
        }
    }
    finish_dots(cols, vecs, f, j, whole, acc);
}

/* The dot form for any strides, four sums side by side. */
static real strided_dot(ptrdiff_t k, const real *x, ptrdiff_t incx, const real *b, ptrdiff_t incb) {
    real s[4] = {0, 0, 0, 0};
    ptrdiff_t p = 0;
    for (; p + 4 <= k; p += 4)
        for (int i = 0; i < 4; i++)
            s[i] += x[(p + i) * incx] * b[(p + i) * incb];
    for (; p < k; p++)
        s[0] += x[p * incx] * b[p * incb];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static void dots(const product *f) {
    ptrdiff_t j = 0;
    if (f->csa == 1 && f->rsb == 1) {
        for (; j + 4 <= f->n; j += 4)
            dot_columns(4, 2, f, j);
        for (; j < f->n; j++)
            dot_columns(1, 8, f, j);
    }
    for (; j < f->n; j++)
        update(f->c + j * f->csc, strided_dot(f->k, f->a, f->csa, f->b + j * f->csb, f->rsb), f->alpha, f->beta);
}

static ptrdiff_t magnitude(ptrdiff_t stride) {
    return stride < 0 ? -stride : stride;
}

void MX_KERNEL(mx_vector_product)(const product *f) {
    if (HAS_LANES && f->csb == 1 && f->n > WIDE && f->n * f->k * (ptrdiff_t)sizeof(real) <= mx_near_cache())
        MX_KERNEL(mx_small_product)(f);
    else if (f->csb == 1 && f->n > 1)
        sum_rows(f, 1);
    else if (f->n > 1 && f->rsb != 1 && magnitude(f->csb) < magnitude(f->rsb))
        sum_rows(f, f->csb);
    else
        dots(f);
}
