/* Small products: register blocks over operands where they lie, without workspace. */
#include "simd.h"

/* Rows of B that do not serve as they lie are copied to the stack, this many bytes at most. */
#define BUFFER_BYTES 3072
#define BUFFER_REALS (BUFFER_BYTES * 8 / MX_BITS)

/* The widest strip, in vectors, and the tallest block of a strip, in rows. */
#define WIDEST (NV < 3 ? NV : 3)
#define TALLEST(vecs) (VECTOR_BYTES == 64 || (vecs) == 1 ? 8 : 4)

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
    const real *a[MX_MAX_MR], *b = s->b;
    UNROLL for (int i = 0; i < rows; i++) a[i] = s->a + (i0 + i) * f->rsa;
    vector acc[MX_MAX_MR * NV] = {{0}};
    for (ptrdiff_t p = 0; p < s->k; p++, b += s->ldb) {
        vector row[NV];
        UNROLL for (int j = 0; j < vecs - 1; j++) row[j] = *(const loose_vector *)(b + j * LANES);
        row[vecs - 1] = load_lanes(b + (vecs - 1) * LANES, last);
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int j = 0; j < vecs; j++) acc[i * vecs + j] += a[i][p * f->csa] * row[j];
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

void MX_KERNEL(mx_small_product)(const product *f) {
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
