/* The register block of the product, and the table of the kernel set. */
#include "simd.h"

typedef real row_of_a __attribute__((vector_size(MR * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));

/* acc_ij += a_i b_j over the first vecs vectors of a row of B.  Constant indices keep all accumulators in registers. */
INLINE void add_products(int vecs, const real *a, ptrdiff_t rsa, const real *b, vector *acc) {
    vector row[NV];
    UNROLL for (int j = 0; j < vecs; j++) row[j] = *(const panel_vector *)(b + j * LANES);
    UNROLL for (int i = 0; i < MR; i++) {
        UNROLL for (int j = 0; j < vecs; j++) acc[i * vecs + j] += a[i * rsa] * row[j];
    }
}

/* What comes later is sent for to the second-level cache: the first one has no room for many rows that lie at the same
   place of each page. */
INLINE void pack_row_of_a(const real *from, ptrdiff_t ahead, real *to) {
    __builtin_prefetch(from + ahead, 0, 2);
    *(row_of_a *)to = *(const row_of_a *)from;
}

INLINE void pack_vector_of_b(const real *from, ptrdiff_t ahead, real *to) {
    __builtin_prefetch(from + ahead, 0, 2);
    *(panel_vector *)to = *(const loose_vector *)from;
}

/* Steps first … last - 1 of the sums, and what is done beside them. */
INLINE void accumulate(int vecs, int in_place, enum mx_beside what, const register_block *x, ptrdiff_t first,
                       ptrdiff_t last, vector *acc) {
    const ptrdiff_t rsa = in_place ? x->rsa : 1, csa = in_place ? 1 : MR;
    const ptrdiff_t stride = x->beside.stride, ahead = x->beside.ahead;
    const ptrdiff_t column = what == MX_ROWS_OF_B ? first / x->beside.count * LANES : 0;
    const real *a = x->a + first * csa, *b = x->b + first * NR, *from = x->beside.from + column;
    real *to = x->beside.to + column;
    for (ptrdiff_t p = first; p < last; p++) {
        if (what == MX_ROWS_OF_A) {
            pack_row_of_a(from, ahead, to);
            to += MR;
        } else if (what == MX_ROWS_OF_B) {
            pack_vector_of_b(from, ahead, to);
            to += NR;
        } else if (what == MX_LINES)
            __builtin_prefetch(from, 0, 2);
        from += stride;
        add_products(vecs, a, rsa, b, acc);
        a += csa;
        b += NR;
    }
}

INLINE void accumulate_all(int vecs, int in_place, const register_block *x, vector *acc) {
    const enum mx_beside what = vecs == NV ? x->beside.what : MX_NOTHING;
    const ptrdiff_t count = x->beside.count;
    ptrdiff_t done = 0;
    if (what == MX_LINES)
        accumulate(vecs, in_place, MX_LINES, x, 0, done = count, acc);
    else if (what == MX_ROWS_OF_B)
        for (; done < NV * count; done += count)
            accumulate(vecs, in_place, MX_ROWS_OF_B, x, done, done + count, acc);
    else if (what == MX_ROWS_OF_A && !in_place)
        accumulate(vecs, in_place, MX_ROWS_OF_A, x, 0, done = count, acc);
    accumulate(vecs, in_place, MX_NOTHING, x, done, x->k, acc);
}

/* What is asked for most often, A B, C + A B and C - A B, is stored at once.  All else is stored by one function, which
   rounds in one way. */
INLINE void store_sums(int vecs, const vector *acc, const register_block *x, ptrdiff_t m, ptrdiff_t n) {
    if (x->csc == 1 && x->alpha == 1 && x->beta == 0)
        store_rows(MR, vecs, acc, 1, 0, x->c, x->rsc, m, n);
    else if (x->csc == 1 && x->alpha == 1 && x->beta == 1)
        store_rows(MR, vecs, acc, 1, 1, x->c, x->rsc, m, n);
    else if (x->csc == 1 && x->alpha == -1 && x->beta == 1)
        store_rows(MR, vecs, acc, -1, 1, x->c, x->rsc, m, n);
    else
        store_any(MR, vecs, acc, x->alpha, x->beta, x->c, x->rsc, x->csc, m, n);
}

/* A corner of the block.  At the right edge of C no more vectors are multiplied than hold columns. */
INLINE void multiply_corner(int vecs, int in_place, const register_block *x) {
    vector acc[MR * NV] = {{0}};
    if (x->csc == 1)
        fetch_block(x->m, vecs, x->c, x->rsc);
    accumulate_all(vecs, in_place, x, acc);
    store_sums(vecs, acc, x, x->m, x->n);
}

INLINE void multiply_whole(int in_place, const register_block *x) {
    vector acc[MR * NV] = {{0}};
    if (x->csc == 1)
        fetch_block(MR, NV, x->c, x->rsc);
    accumulate_all(NV, in_place, x, acc);
    store_sums(NV, acc, x, MR, NR);
}

/* Functions of their own: where many blocks stand in one, gcc runs out of registers for their addresses. */
#define CORNER(vecs, in_place)                                                                                         \
    static __attribute__((noinline)) void corner_##vecs##_##in_place(const register_block *x) {                        \
        multiply_corner((vecs) < NV ? vecs : NV, in_place, x);                                                         \
    }
#define WHOLE(in_place)                                                                                                \
    static __attribute__((noinline)) void whole_##in_place(const register_block *x) {                                  \
        multiply_whole(in_place, x);                                                                                   \
    }
CORNER(1, 0)
CORNER(2, 0)
CORNER(3, 0)
CORNER(4, 0)
CORNER(1, 1)
CORNER(2, 1)
CORNER(3, 1)
CORNER(4, 1) WHOLE(0) WHOLE(1)

    void MX_KERNEL(mx_micro)(const register_block *x) {
    static MX_REAL(mx_micro_function) *const corners[2][4] = {{corner_1_0, corner_2_0, corner_3_0, corner_4_0},
                                                              {corner_1_1, corner_2_1, corner_3_1, corner_4_1}};
    static MX_REAL(mx_micro_function) *const whole[2] = {whole_0, whole_1};
    if (x->m == MR && x->n == NR)
        whole[x->in_place](x);
    else
        corners[x->in_place][(x->n - 1) / LANES](x);
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
    MX_KERNEL(mx_lu_columns),
    MX_KERNEL(mx_cholesky_columns),
    MX_KERNEL(mx_solve_block),
    MX_KERNEL(mx_exchange_rows),
    MX_KERNEL(mx_copy),
};
