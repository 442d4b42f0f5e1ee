/* Small products: register blocks over operands where they lie, without workspace. */
#include "simd.h"

/* Rows of B that do not come as whole vectors are copied to the stack, this many bytes at most. */
#define BUFFER_BYTES 3072
#define BUFFER_ROWS (BUFFER_BYTES * 8 / MX_BITS / NR)

/* A strip of C: m rows and n <= vecs*LANES columns.  b has rows of whole vectors, ldb apart. */
typedef struct strip {
    const product *f;
    ptrdiff_t n, k;
    const real *a; /* A from the strip's first column of A on */
    const real *b;
    ptrdiff_t ldb;
    real *c;
    real beta;
} strip;

/* rows x vecs block from row i0 on.  Rows past the last one repeat it and are not stored. */
INLINE void block(int rows, int vecs, const strip *s, ptrdiff_t i0) {
    const product *f = s->f;
    ptrdiff_t m = f->m - i0 < rows ? f->m - i0 : rows;
    const real *a[MX_MAX_MR];
    UNROLL for (int i = 0; i < rows; i++) a[i] = s->a + (i0 + (i < m ? i : m - 1)) * f->rsa;
    vector acc[MX_MAX_MR * NV] = {{0}};
    for (ptrdiff_t p = 0; p < s->k; p++) {
        const real *b = s->b + p * s->ldb;
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int j = 0; j < vecs; j++) acc[i * vecs + j] +=
                a[i][p * f->csa] * *(const loose_vector *)(b + j * LANES);
        }
    }
    store_block(rows, vecs, acc, f->alpha, s->beta, s->c + i0 * f->rsc, f->rsc, f->csc, m, s->n);
}

/* Tall blocks where a row has one vector, so that enough sums run side by side. */
static void multiply_strip(const strip *s) {
    ptrdiff_t m = s->f->m;
    if (s->n <= LANES)
        for (ptrdiff_t i = 0; i < m; i += 8)
            block(8, 1, s, i);
    else if (s->n <= 2 * LANES)
        for (ptrdiff_t i = 0; i < m; i += 4)
            block(4, 2, s, i);
#if NV > 2
    else
        for (ptrdiff_t i = 0; i < m; i += 4)
            block(4, 3, s, i);
#endif
}

/* buffer[p*NR + j] = b[p*rsb + j*csb], with zeros up to whole vectors. */
static void copy_rows(real *buffer, const real *b, const product *f, ptrdiff_t k, ptrdiff_t n) {
    ptrdiff_t width = (n + LANES - 1) / LANES * LANES;
    for (ptrdiff_t p = 0; p < k; p++) {
        for (ptrdiff_t j = 0; j < n; j++)
            buffer[p * NR + j] = b[p * f->rsb + j * f->csb];
        for (ptrdiff_t j = n; j < width; j++)
            buffer[p * NR + j] = 0;
    }
}

static void copied_strip(strip s, const real *b) {
    panel_vector buffer[BUFFER_ROWS * NV];
    const product *f = s.f;
    s.b = (const real *)buffer;
    s.ldb = NR;
    for (ptrdiff_t p = 0; p < f->k; p += BUFFER_ROWS) {
        s.k = f->k - p < BUFFER_ROWS ? f->k - p : BUFFER_ROWS;
        s.a = f->a + p * f->csa;
        s.beta = p == 0 ? f->beta : 1;
        copy_rows((real *)buffer, b + p * f->rsb, f, s.k, s.n);
        multiply_strip(&s);
    }
}

void MX_KERNEL(mx_small_product)(const product *f) {
    const ptrdiff_t width = (NV < 3 ? NV : 3) * LANES;
    for (ptrdiff_t j = 0; j < f->n;) {
        ptrdiff_t rest = f->n - j, whole = rest - rest % LANES;
        ptrdiff_t n = f->csb == 1 && whole > 0 ? whole : rest;
        n = n < width ? n : width;
        const real *b = f->b + j * f->csb;
        strip s = {f, n, f->k, f->a, b, f->rsb, f->c + j * f->csc, f->beta};
        if (f->csb == 1 && n % LANES == 0)
            multiply_strip(&s);
        else
            copied_strip(s, b);
        j += n;
    }
}
