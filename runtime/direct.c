/* Small products: register blocks over operands where they lie, without workspace. */
#include "simd.h"

/* Rows of B that do not serve as they lie are copied to the stack, this many bytes at most. */
#define BUFFER_BYTES 3072
#define BUFFER_REALS (BUFFER_BYTES * 8 / MX_BITS)

/* The widest strip, in vectors, and the tallest block of a strip, in rows. */
#define WIDEST (NV < 3 ? NV : 3)
#define TALLEST(vecs) (MANY_REGISTERS || (vecs) == 1 ? 8 : 4)

/* Rows and columns of a block of dot products; when those are taken: this deep, and at most this many rows or
   columns. */
#define DOT_ROWS (MANY_REGISTERS ? 4 : 3)
#define DOT_COLUMNS (MANY_REGISTERS ? 6 : 3)
#define LONG (3 * LANES)
#define FEW 12

/* Up to this many rows of B are summed without a block. */
#define SHALLOW 4

/* A strip of C: m rows and n <= vecs*LANES columns.  b has rows ldb apart: of whole vectors where the set has no masks,
   else of n elements. */
typedef struct strip {
    const product *f;
    ptrdiff_t n, k;
    const real *a; /* A from the strip's first column of A on */
    const real *b;
    ptrdiff_t ldb;
    real *c;
    real beta;
} strip;

/* rows x vecs block from row i0 on. */
INLINE void block(int rows, int vecs, const strip *s, ptrdiff_t i0) {
    const product *f = s->f;
    const lanes last = first_lanes(s->n - (vecs - 1) * LANES);
    const ptrdiff_t rsa = f->rsa, csa = f->csa, ldb = s->ldb;
    const real *a = s->a + i0 * rsa, *b = s->b;
    vector acc[MX_MAX_MR * NV] = {{0}};
    for (ptrdiff_t p = s->k; p > 0; p--, b += ldb, a += csa) {
        vector row[8];
        UNROLL for (int j = 0; j < vecs - 1; j++) row[j] = *(const loose_vector *)(b + j * LANES);
        row[vecs - 1] = load_lanes(b + (vecs - 1) * LANES, last);
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int j = 0; j < vecs; j++) acc[i * vecs + j] += a[i * rsa] * row[j];
        }
    }
    store_block(rows, vecs, acc, f->alpha, s->beta, s->c + i0 * f->rsc, f->rsc, f->csc, rows, s->n);
}

/* The next part of what is left: the largest, or two nearly equal ones at the end. */
INLINE ptrdiff_t next_part(ptrdiff_t left, ptrdiff_t largest) {
    return left <= largest ? left : left < 2 * largest ? (left + 1) / 2 : largest;
}

#define BLOCK(rows)                                                                                                    \
    case rows:                                                                                                         \
        block(rows <= TALLEST(vecs) ? rows : 1, vecs, s, i);                                                           \
        break;

INLINE void multiply_blocks(int vecs, const strip *s) {
    for (ptrdiff_t i = 0, rows; i < s->f->m; i += rows) {
        rows = next_part(s->f->m - i, TALLEST(vecs));
        switch (rows) { BLOCK(1) BLOCK(2) BLOCK(3) BLOCK(4) BLOCK(5) BLOCK(6) BLOCK(7) BLOCK(8) }
    }
}

static void multiply_strip(const strip *s) {
    if (s->n <= LANES)
        multiply_blocks(1, s);
    else if (s->n <= 2 * LANES)
        multiply_blocks(2, s);
#if NV > 2
    else
        multiply_blocks(3, s);
#endif
}

#if HAS_LANES
/* Strips for one or two rows: wide, so that enough sums run side by side and B is read along its rows. */
#define WIDE_VECTORS(rows) ((rows) == 1 ? 8 : 6)

INLINE void wide_strips(int rows, const product *f) {
    const ptrdiff_t width = WIDE_VECTORS(rows) * LANES;
    ptrdiff_t j = 0;
    for (; j + width <= f->n; j += width) {
        strip s = {f, width, f->k, f->a, f->b + j, f->rsb, f->c + j * f->csc, f->beta};
        block(rows, WIDE_VECTORS(rows), &s, 0);
    }
    for (ptrdiff_t n; j < f->n; j += n) {
        n = f->n - j < 2 * LANES ? f->n - j : 2 * LANES;
        strip s = {f, n, f->k, f->a, f->b + j, f->rsb, f->c + j * f->csc, f->beta};
        if (n <= LANES)
            block(rows, 1, &s, 0);
        else
            block(rows, 2, &s, 0);
    }
}

static void one_row(const product *f) {
    wide_strips(1, f);
}

static void two_rows(const product *f) {
    wide_strips(2, f);
}
#endif

/* Rows of C one after the other, each a sum of depth (a constant) rows of B: what counts is to write C in order. */
INLINE void flat_rows(int depth, const product *f) {
    const ptrdiff_t whole = f->n - f->n % LANES;
    for (ptrdiff_t i = 0; i < f->m; i++) {
        const real *a = f->a + i * f->rsa;
        real *c = f->c + i * f->rsc, x[SHALLOW];
        UNROLL for (int p = 0; p < depth; p++) x[p] = a[p * f->csa];
        for (ptrdiff_t j = 0; j < whole; j += LANES) {
            vector sum = x[0] * *(const loose_vector *)(f->b + j);
            UNROLL for (int p = 1; p < depth; p++) sum += x[p] * *(const loose_vector *)(f->b + p * f->rsb + j);
            update_vector(c + j, sum, f->alpha, f->beta);
        }
        for (ptrdiff_t j = whole; j < f->n; j++) {
            real sum = x[0] * f->b[j];
            UNROLL for (int p = 1; p < depth; p++) sum += x[p] * f->b[p * f->rsb + j];
            update(c + j, sum, f->alpha, f->beta);
        }
    }
}

static void flat_product(const product *f) {
    if (f->k == 1)
        flat_rows(1, f);
    else if (f->k == 2)
        flat_rows(2, f);
    else if (f->k == 3)
        flat_rows(3, f);
    else
        flat_rows(4, f);
}

/* buffer[p*width + j] = b[p*rsb + j*csb], with zeros up to whole vectors. */
static void copy_rows(real *buffer, ptrdiff_t width, const real *b, const product *f, ptrdiff_t k, ptrdiff_t n) {
    if (f->rsb == 1 && k >= SIDE && width % SIDE == 0) {
        transpose(n, k, b, f->csb, buffer, width);
        return;
    }
    for (ptrdiff_t p = 0; p < k; p++) {
        for (ptrdiff_t j = 0; j < n; j++)
            buffer[p * width + j] = b[p * f->rsb + j * f->csb];
        for (ptrdiff_t j = n; j < width; j++)
            buffer[p * width + j] = 0;
    }
}

static void copied_strip(strip s, const real *b) {
    panel_vector buffer[BUFFER_BYTES / VECTOR_BYTES];
    const product *f = s.f;
    s.b = (const real *)buffer;
    s.ldb = (s.n + LANES - 1) / LANES * LANES;
    const ptrdiff_t most = BUFFER_REALS / s.ldb;
    for (ptrdiff_t p = 0; p < f->k; p += s.k) {
        s.k = next_part(f->k - p, most);
        s.a = f->a + p * f->csa;
        s.beta = p == 0 ? f->beta : 1;
        copy_rows((real *)buffer, s.ldb, b + p * f->rsb, f, s.k, s.n);
        multiply_strip(&s);
    }
}

/* Columns of the next strip.  Sets without masks leave what is no whole vector to a strip of its own. */
static ptrdiff_t next_strip(const product *f, ptrdiff_t left) {
    ptrdiff_t n = next_part((left + LANES - 1) / LANES, WIDEST) * LANES;
    if (!HAS_LANES && f->csb == 1 && n > left && left > LANES)
        return left - left % LANES;
    return n < left ? n : left;
}

/* count sums of lanes, LANES at a time. */
INLINE void sum_each(int count, const vector *acc, real *sums) {
    UNROLL for (int i = 0; i < count; i += LANES) {
        vector x[LANES];
        UNROLL for (int v = 0; v < LANES; v++) x[v] = i + v < count ? acc[i + v] : (vector){0};
        *(loose_vector *)(sums + i) = sums_of_lanes(x);
    }
}

INLINE vector load(const real *p, int whole, lanes which) {
    if (whole)
        return *(const loose_vector *)p;
    return load_lanes(p, which);
}

/* acc_ij += Σ a_i b_j over one vector of both; all its lanes, or those of which. */
INLINE void dot_step(int rows, int cols, const product *f, const real *a, const real *b, int whole, lanes which,
                     vector *acc) {
    vector x[DOT_ROWS];
    UNROLL for (int i = 0; i < rows; i++) x[i] = load(a + i * f->rsa, whole, which);
    UNROLL for (int j = 0; j < cols; j++) {
        const vector y = load(b + j * f->csb, whole, which);
        UNROLL for (int i = 0; i < rows; i++) acc[i * cols + j] += x[i] * y;
    }
}

/* rows x cols dot products of rows of A with columns of B, both contiguous. */
INLINE void dot_block(int rows, int cols, const product *f, ptrdiff_t i0, ptrdiff_t j0) {
    const real *a = f->a + i0 * f->rsa, *b = f->b + j0 * f->csb;
    vector acc[DOT_ROWS * DOT_COLUMNS] = {{0}};
    real sums[DOT_ROWS * DOT_COLUMNS + LANES];
    ptrdiff_t p = 0;
    for (; p + LANES <= f->k; p += LANES)
        dot_step(rows, cols, f, a + p, b + p, 1, first_lanes(1), acc);
    if (HAS_LANES && p < f->k) {
        dot_step(rows, cols, f, a + p, b + p, 0, first_lanes(f->k - p), acc);
        p = f->k;
    }
    sum_each(rows * cols, acc, sums);
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < cols; j++) {
            real sum = sums[i * cols + j];
            for (ptrdiff_t q = p; q < f->k; q++)
                sum += a[i * f->rsa + q] * b[j * f->csb + q];
            update(f->c + (i0 + i) * f->rsc + (j0 + j) * f->csc, sum, f->alpha, f->beta);
        }
    }
}

#define DOT_BLOCK(cols)                                                                                                \
    case cols:                                                                                                         \
        dot_block(rows, cols <= DOT_COLUMNS ? cols : 1, f, i, j);                                                      \
        break;

INLINE void dot_rows(int rows, const product *f, ptrdiff_t i) {
    for (ptrdiff_t j = 0, cols; j < f->n; j += cols) {
        cols = next_part(f->n - j, DOT_COLUMNS);
        switch (cols) { DOT_BLOCK(1) DOT_BLOCK(2) DOT_BLOCK(3) DOT_BLOCK(4) DOT_BLOCK(5) DOT_BLOCK(6) }
    }
}

#define DOT_ROWS_OF(rows)                                                                                              \
    case rows:                                                                                                         \
        dot_rows(rows <= DOT_ROWS ? rows : 1, f, i);                                                                   \
        break;

/* Long dot products, where columns of C are too few to be vectors. */
static void dot_products(const product *f) {
    for (ptrdiff_t i = 0, rows; i < f->m; i += rows) {
        rows = next_part(f->m - i, DOT_ROWS);
        switch (rows) { DOT_ROWS_OF(1) DOT_ROWS_OF(2) DOT_ROWS_OF(3) DOT_ROWS_OF(4) }
    }
}

static void multiply_strips(const product *f) {
    for (ptrdiff_t j = 0, n; j < f->n; j += n) {
        n = next_strip(f, f->n - j);
        const real *b = f->b + j * f->csb;
        strip s = {f, n, f->k, f->a, b, f->rsb, f->c + j * f->csc, f->beta};
        if (f->csb == 1 && (HAS_LANES || n % LANES == 0))
            multiply_strip(&s);
        else
            copied_strip(s, b);
    }
}

#if VECTOR_BYTES == 64
/* Processors that split wide vectors do a last vector of few columns in half the time where it is narrow. */
MX_REAL(mx_direct_function) MX_JOIN(MX_REAL(mx_small_product), avx512_narrow);
static void multiply_last(const product *f, ptrdiff_t few) {
    product wide = *f, narrow = *f;
    wide.n = f->n - few;
    narrow.n = few;
    narrow.b += wide.n;
    narrow.c += wide.n * f->csc;
    multiply_strips(&wide);
    MX_JOIN(MX_REAL(mx_small_product), avx512_narrow)(&narrow);
}

static void multiply_columns(const product *f) {
    const ptrdiff_t few = f->n % LANES;
    if (few == 0 || few > LANES / 2 || f->csb != 1)
        multiply_strips(f);
    else if (few == f->n)
        MX_JOIN(MX_REAL(mx_small_product), avx512_narrow)(f);
    else
        multiply_last(f, few);
}
#else
static void multiply_columns(const product *f) {
    multiply_strips(f);
}
#endif

void MX_KERNEL(mx_small_product)(const product *f) {
    if (f->k <= SHALLOW && f->csb == 1 && f->csc == 1 && f->n > WIDEST * LANES) {
        flat_product(f);
        return;
    }
#if HAS_LANES
    if (f->csb == 1 && f->m <= 2 && f->n > WIDEST * LANES) {
        (f->m == 1 ? one_row : two_rows)(f);
        return;
    }
#endif
    if (f->csa == 1 && f->rsb == 1 && f->csb != 1 && f->k >= LONG && (f->m <= FEW || f->n <= FEW)) {
        dot_products(f);
        return;
    }
    multiply_columns(f);
}
