/* The register block of the product, and the table of the kernel set. */
#include "simd.h"

/* acc_ij += Σ_p a_pi b_pj over the first vecs vectors of a panel of B.  Constant trip counts and indices keep all
   accumulators in registers; the panels advance by constants so that no address is computed inside. */
INLINE void accumulate(int vecs, ptrdiff_t k, const real *restrict a, const real *restrict b, vector *acc) {
    for (ptrdiff_t p = 0; p < k; p++) {
        vector row[NV];
        UNROLL for (int j = 0; j < vecs; j++) row[j] = *(const panel_vector *)(b + j * LANES);
        UNROLL for (int i = 0; i < MR; i++) {
            UNROLL for (int j = 0; j < vecs; j++) acc[i * vecs + j] += a[i] * row[j];
        }
        a += MR;
        b += NR;
    }
}

INLINE void block(int vecs, ptrdiff_t k, real alpha, const real *a, const real *b, real beta, real *c, ptrdiff_t rsc,
                  ptrdiff_t csc, ptrdiff_t m, ptrdiff_t n) {
    vector acc[MR * NV] = {{0}};
    if (csc == 1)
        fetch_block(m, vecs, c, rsc);
    accumulate(vecs, k, a, b, acc);
    if (csc != 1)
        store_any(MR, vecs, acc, alpha, beta, c, rsc, csc, m, n);
    else if (m == MR && n == vecs * LANES)
        store_rows(MR, vecs, acc, alpha, beta, c, rsc, MR, vecs * LANES);
    else
        store_rows(MR, vecs, acc, alpha, beta, c, rsc, m, n);
}

/* At the right edge of C no more vectors are multiplied than hold columns. */
void MX_KERNEL(mx_micro)(ptrdiff_t k, real alpha, const real *a, const real *b, real beta, real *c, ptrdiff_t rsc,
                         ptrdiff_t csc, ptrdiff_t m, ptrdiff_t n) {
    if (n <= LANES)
        block(1, k, alpha, a, b, beta, c, rsc, csc, m, n);
#if NV > 2
    else if (n <= 2 * LANES)
        block(2, k, alpha, a, b, beta, c, rsc, csc, m, n);
#endif
#if NV > 3
    else if (n <= 3 * LANES)
        block(3, k, alpha, a, b, beta, c, rsc, csc, m, n);
#endif
    else
        block(NV, k, alpha, a, b, beta, c, rsc, csc, m, n);
}

_Static_assert(MX_MAX_MR % MR == 0 && MX_MAX_NR % NR == 0, "a workspace must fit every kernel set");

extern const kernels MX_KERNEL(mx_kernels);
const kernels MX_KERNEL(mx_kernels) = {
    LANES,
    MR,
    NR,
    MX_KERNEL(mx_pack_a),
    MX_KERNEL(mx_pack_b),
    MX_KERNEL(mx_micro),
    MX_KERNEL(mx_vector_product),
    MX_KERNEL(mx_small_product),
    MX_KERNEL(mx_panel_product),
    MX_KERNEL(mx_lu_columns),
    MX_KERNEL(mx_cholesky_columns),
    MX_KERNEL(mx_solve_block),
    MX_KERNEL(mx_exchange_rows),
    MX_KERNEL(mx_copy),
};
