/* The register block of the product, and the table of the kernel set. */
#include "simd.h"

typedef real row_of_a __attribute__((vector_size(MR * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));

/* acc_ij += a_i b_j over the first rows and vecs vectors.  Constant indices keep all accumulators in registers. */
INLINE void add_products(int rows, int vecs, const real *a, ptrdiff_t rsa, const real *b, vector *acc) {
    vector row[NV];
    UNROLL for (int j = 0; j < vecs; j++) row[j] = *(const panel_vector *)(b + j * LANES);
    UNROLL for (int i = 0; i < rows; i++) {
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

/* Steps to be done after a row of C is sent for, early and late. */
#define EARLY_STEPS 8
#define LATE_STEPS 4

INLINE ptrdiff_t steps_a_row(const register_block *x) {
    const ptrdiff_t steps = (x->k - x->beside.runs * x->beside.count) / MR;
    return steps < EARLY_STEPS ? steps : EARLY_STEPS;
}

/* Steps first … last - 1 of the sums, and what is done beside them. */
INLINE void accumulate(int rows, int vecs, int in_place, enum mx_beside what, const register_block *x, ptrdiff_t first,
                       ptrdiff_t last, ptrdiff_t across, vector *acc) {
    const ptrdiff_t rsa = in_place ? x->rsa : 1, csa = in_place ? 1 : MR;
    const work_beside *beside = &x->beside;
    const ptrdiff_t stride = beside->stride, ahead = beside->ahead, turned = beside->turned;
    const real *a = x->a + first * csa, *b = x->b + first * NR;
    const real *from = what == MX_NOTHING ? beside->from : beside->from + across;
    real *to = what == MX_ROWS_OF_B ? beside->to + across : beside->to;
    for (ptrdiff_t p = first; p < last; p++) {
        if (what == MX_ROWS_OF_A) {
            pack_row_of_a(from, p < beside->turn ? ahead : turned, to);
            to += MR;
        } else if (what == MX_ROWS_OF_B) {
            pack_vector_of_b(from, ahead, to);
            to += NR;
        } else if (what == MX_LINES)
            __builtin_prefetch(from, 0, 2);
        from += stride;
        add_products(rows, vecs, a, rsa, b, acc);
        a += csa;
        b += NR;
    }
}

/* The steps with work beside them, and their number. */
INLINE ptrdiff_t accumulate_runs(int rows, int vecs, int in_place, enum mx_beside what, const register_block *x,
                                 vector *acc) {
    const ptrdiff_t count = x->beside.count, runs = x->beside.runs;
    for (ptrdiff_t run = 0; run < runs; run++)
        accumulate(rows, vecs, in_place, what, x, run * count, (run + 1) * count, run * x->beside.across, acc);
    return runs * count;
}

INLINE ptrdiff_t accumulate_beside(int rows, int vecs, int in_place, const register_block *x, vector *acc) {
    const enum mx_beside what = vecs == NV ? x->beside.what : MX_NOTHING;
    if (what == MX_LINES)
        return accumulate_runs(rows, vecs, in_place, MX_LINES, x, acc);
    if (what == MX_ROWS_OF_B)
        return accumulate_runs(rows, vecs, in_place, MX_ROWS_OF_B, x, acc);
    if (what == MX_ROWS_OF_A && !in_place)
        return accumulate_runs(rows, vecs, in_place, MX_ROWS_OF_A, x, acc);
    return 0;
}

/* Some steps after each row of C that is sent for: the processor drops what it is asked for all at once. */
INLINE void accumulate_fetching(int in_place, int near, const register_block *x, ptrdiff_t first, ptrdiff_t steps,
                                vector *acc) {
    const real *c = x->c;
    for (ptrdiff_t p = first; p < first + MR * steps; p += steps, c += x->rsc) {
        fetch_row(NV, near, c);
        accumulate(MR, NV, in_place, MX_NOTHING, x, p, p + steps, 0, acc);
    }
}

/* Steps from first on: C comes to the second-level cache early, and late to the first one, which has no room for it
   while A and B pass through. */
INLINE void accumulate_last(int in_place, const register_block *x, ptrdiff_t first, vector *acc) {
    const ptrdiff_t steps = steps_a_row(x), late = x->k - MR * LATE_STEPS;
    accumulate_fetching(in_place, 0, x, first, steps, acc);
    first += MR * steps;
    if (late - first < MR * LATE_STEPS)
        accumulate(MR, NV, in_place, MX_NOTHING, x, first, x->k, 0, acc);
    else {
        accumulate(MR, NV, in_place, MX_NOTHING, x, first, late, 0, acc);
        accumulate_fetching(in_place, 1, x, late, LATE_STEPS, acc);
    }
}

/* What is asked for most often, A B, C + A B and C - A B, is stored at once.  All else is stored by one function, which
   rounds in one way. */
INLINE void store_sums(int rows, int vecs, const vector *acc, const register_block *x, ptrdiff_t m, ptrdiff_t n) {
    if (x->csc == 1 && x->alpha == 1 && x->beta == 0)
        store_rows(rows, vecs, acc, 1, 0, x->c, x->rsc, m, n);
    else if (x->csc == 1 && x->alpha == 1 && x->beta == 1)
        store_rows(rows, vecs, acc, 1, 1, x->c, x->rsc, m, n);
    else if (x->csc == 1 && x->alpha == -1 && x->beta == 1)
        store_rows(rows, vecs, acc, -1, 1, x->c, x->rsc, m, n);
    else
        store_any(rows, vecs, acc, x->alpha, x->beta, x->c, x->rsc, x->csc, m, n);
}

/* A corner of the block.  No more vectors are multiplied than hold columns, and half of the rows if these are all. */
INLINE void multiply_corner(int rows, int vecs, int in_place, const register_block *x) {
    vector acc[MR * NV] = {{0}};
    if (x->csc == 1)
        fetch_block(x->m, vecs, x->c, x->rsc);
    const ptrdiff_t done = accumulate_beside(rows, vecs, in_place, x, acc);
    accumulate(rows, vecs, in_place, MX_NOTHING, x, done, x->k, 0, acc);
    store_sums(rows, vecs, acc, x, x->m, x->n);
}

INLINE void multiply_whole(int in_place, const register_block *x) {
    vector acc[MR * NV] = {{0}};
    const int is_fetched = x->csc == 1 && steps_a_row(x) > 0;
    if (x->csc == 1 && !is_fetched)
        fetch_block(MR, NV, x->c, x->rsc);
    const ptrdiff_t done = accumulate_beside(MR, NV, in_place, x, acc);
    if (is_fetched)
        accumulate_last(in_place, x, done, acc);
    else
        accumulate(MR, NV, in_place, MX_NOTHING, x, done, x->k, 0, acc);
    store_sums(MR, NV, acc, x, MR, NR);
}

/* Functions of their own: where many blocks stand in one, gcc runs out of registers for their addresses. */
#define BLOCK(name, multiply)                                                                                          \
    static __attribute__((noinline)) void name(const register_block *x) {                                              \
        multiply;                                                                                                      \
    }
#define CORNER(vecs)                                                                                                   \
    BLOCK(corner_##vecs, multiply_corner(MR, vecs, 0, x))                                                              \
    BLOCK(half_##vecs, multiply_corner(MR / 2, vecs, 0, x))                                                            \
    BLOCK(corner_in_place_##vecs, multiply_corner(MR, vecs, 1, x))
#define CORNER_ENTRY(vecs) {corner_##vecs, half_##vecs, corner_in_place_##vecs},
#if NV == 2
#define EACH_CORNER(X) X(1) X(2)
#elif NV == 3
#define EACH_CORNER(X) X(1) X(2) X(3)
#else
#define EACH_CORNER(X) X(1) X(2) X(3) X(4)
#endif
EACH_CORNER(CORNER)
BLOCK(whole, multiply_whole(0, x))
BLOCK(whole_in_place, multiply_whole(1, x))

void MX_KERNEL(mx_micro)(const register_block *x) {
    static MX_REAL(mx_micro_function) *const corners[NV][3] = {EACH_CORNER(CORNER_ENTRY)};
    static MX_REAL(mx_micro_function) *const wholes[2] = {whole, whole_in_place};
    if (x->m == MR && x->n == NR)
        wholes[x->in_place](x);
    else
        corners[(x->n - 1) / LANES][x->in_place ? 2 : x->m <= MR / 2](x);
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
