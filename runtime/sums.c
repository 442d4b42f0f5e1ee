/* Sums of columns, added up one element after the other, whatever stands in vectors. */
#include "simd.h"

/* Vectors of sums that are held while all rows pass by: enough that none waits for the sum before. */
#define HELD 8
#define LINES 8

INLINE void sum_vectors(int vecs, ptrdiff_t m, const real *x, ptrdiff_t rs, real *sums) {
    vector acc[HELD];
    UNROLL for (int v = 0; v < vecs; v++) acc[v] = *(const loose_vector *)(sums + v * LANES);
    for (ptrdiff_t i = 0; i < m; i++, x += rs) {
        UNROLL for (int v = 0; v < vecs; v++) acc[v] += *(const loose_vector *)(x + v * LANES);
    }
    UNROLL for (int v = 0; v < vecs; v++) * (loose_vector *)(sums + v * LANES) = acc[v];
}

INLINE void sum_lines(int lines, ptrdiff_t m, const real *x, ptrdiff_t rs, ptrdiff_t cs, real *sums) {
    real acc[LINES];
    UNROLL for (int l = 0; l < lines; l++) acc[l] = sums[l];
    for (ptrdiff_t i = 0; i < m; i++, x += rs) {
        UNROLL for (int l = 0; l < lines; l++) acc[l] += x[l * cs];
    }
    UNROLL for (int l = 0; l < lines; l++) sums[l] = acc[l];
}

/* As many lines at a time as there are; with stride 1 told apart, for vectors of those that fill none. */
INLINE void sum_rest(ptrdiff_t j, ptrdiff_t m, ptrdiff_t n, const real *x, ptrdiff_t rs, ptrdiff_t cs, real *sums) {
    for (; j + LINES <= n; j += LINES)
        sum_lines(LINES, m, x + j * cs, rs, cs, sums + j);
    for (; j < n; j++)
        sum_lines(1, m, x + j * cs, rs, cs, sums + j);
}

void MX_KERNEL(mx_sum)(ptrdiff_t m, ptrdiff_t n, const real *x, ptrdiff_t rs, ptrdiff_t cs, real *sums) {
    ptrdiff_t j = 0;
    if (cs != 1) {
        sum_rest(0, m, n, x, rs, cs, sums);
        return;
    }
    UNROLL for (int vecs = HELD; vecs > 0; vecs /= 2) {
        for (; j + vecs * LANES <= n; j += vecs * LANES)
            sum_vectors(vecs, m, x + j, rs, sums + j);
    }
    sum_rest(j, m, n, x, rs, 1, sums);
}
