/* The register block of the product, and the table of the kernel set. */
#include "machine.h"
#include "simd.h"

typedef real row_of_a __attribute__((vector_size(MR * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));
typedef uint64_t word __attribute__((aligned(MX_BITS / 8), may_alias));
#if MX_BITS == 64
typedef uint64_t bits __attribute__((may_alias));
#else
typedef uint32_t bits __attribute__((may_alias));
#endif

/* Whether rows are packed without vectors. */
INLINE int packs_by_words(void) {
    return HAS_WIDE_STORES && mx_has_halved_vectors();
}

INLINE void copy_words(int reals, const real *from, real *to) {
    const word *source = (const word *)from;
    word *target = (word *)to;
    UNROLL for (int i = 0; i < reals * MX_BITS / 64; i++) target[i] = source[i];
}

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
INLINE void pack_row_of_a(const real *from, ptrdiff_t ahead, int by_words, real *to) {
    __builtin_prefetch(from + ahead, 0, 2);
    if (by_words)
        copy_words(MR, from, to);
    else
        *(row_of_a *)to = *(const row_of_a *)from;
}

INLINE void pack_row_of_b(const real *from, ptrdiff_t ahead, real *to) {
    const int by_words = packs_by_words();
    UNROLL for (int j = 0; j < NR; j += LANES) {
        __builtin_prefetch(from + j + ahead, 0, 2);
        if (by_words)
            copy_words(LANES, from + j, to + j);
        else
            *(panel_vector *)(to + j) = *(const loose_vector *)(from + j);
    }
}

/* Piece of column run % w: one element after the other and through registers of integers, since every store from those
   of vectors takes the place of a multiplication. */
INLINE void pack_piece(int w, const work_beside *x, ptrdiff_t run) {
    const ptrdiff_t piece = run / w, column = run % w;
    const real *from = x->from + piece * PIECE + column * x->across;
    real *to = x->to + piece * PIECE * w + column;
    __builtin_prefetch(from + (run < x->turn ? x->ahead : x->turned), 0, 2);
    UNROLL for (int p = 0; p < PIECE; p++) * (bits *)(to + p * w) = *(const bits *)(from + p);
}

/* Steps first … last - 1 of the sums, and what is done beside each. */
INLINE void accumulate(int rows, int vecs, int in_place, enum mx_beside what, const register_block *x, ptrdiff_t first,
                       ptrdiff_t last, const real *from, vector *acc) {
    const ptrdiff_t rsa = in_place ? x->rsa : 1, csa = in_place ? 1 : MR;
    const ptrdiff_t stride = x->beside.stride, ahead = x->beside.ahead, turned = x->beside.turned;
    const int by_words = packs_by_words();
    const real *a = x->a + first * csa, *b = x->b + first * NR;
    real *to = x->beside.to + (what == MX_ROWS_OF_A ? first * MR : 0);
    for (ptrdiff_t p = first; p < last; p++) {
        if (what == MX_ROWS_OF_A) {
            pack_row_of_a(from, p < x->beside.turn ? ahead : turned, by_words, to);
            to += MR;
        } else if (what == MX_LINES)
            __builtin_prefetch(from, 0, 2);
        from += stride;
        add_products(rows, vecs, a, rsa, b, acc);
        a += csa;
        b += NR;
    }
}

/* Nothing but these steps. */
INLINE void accumulate_only(int rows, int vecs, int in_place, const register_block *x, ptrdiff_t first, ptrdiff_t last,
                            vector *acc) {
    const ptrdiff_t rsa = in_place ? x->rsa : 1, csa = in_place ? 1 : MR;
    const real *a = x->a + first * csa, *b = x->b + first * NR;
    FEW_AT_A_TIME for (ptrdiff_t p = first; p < last; p++, a += csa, b += NR) {
        add_products(rows, vecs, a, rsa, b, acc);
    }
}

/* The runs with work beside them, and the number of their steps.  Rows of C are sent for one by one: the processor
   drops what it is asked for all at once. */
INLINE ptrdiff_t accumulate_runs(int rows, int vecs, int in_place, int fetches, enum mx_beside what,
                                 const register_block *x, vector *acc) {
    const work_beside *beside = &x->beside;
    const real *from = beside->from;
    ptrdiff_t done = 0;
    for (ptrdiff_t run = 0; run < beside->runs; run++, from += beside->across) {
        const ptrdiff_t last = x->k - done < beside->count ? x->k : done + beside->count;
        if (fetches && run < MR)
            fetch_row(NV, 0, x->c + run * x->rsc);
        if (what == MX_ROWS_OF_B)
            pack_row_of_b(from, run < beside->turn ? beside->ahead : beside->turned, beside->to + run * NR);
        if (what == MX_COLUMNS_OF_B)
            pack_piece(NR, beside, run);
        if (what == MX_COLUMNS_OF_A)
            pack_piece(MR, beside, run);
        accumulate(rows, vecs, in_place, what, x, done, last, from, acc);
        done = last;
    }
    return done;
}

INLINE ptrdiff_t accumulate_beside(int rows, int vecs, int in_place, int fetches, const register_block *x,
                                   vector *acc) {
    const enum mx_beside what = vecs == NV ? x->beside.what : MX_NOTHING;
    if (what == MX_LINES)
        return accumulate_runs(rows, vecs, in_place, fetches, MX_LINES, x, acc);
    if (what == MX_ROWS_OF_B)
        return accumulate_runs(rows, vecs, in_place, fetches, MX_ROWS_OF_B, x, acc);
    if (what == MX_COLUMNS_OF_B)
        return accumulate_runs(rows, vecs, in_place, fetches, MX_COLUMNS_OF_B, x, acc);
    if (what == MX_ROWS_OF_A && !in_place)
        return accumulate_runs(rows, vecs, in_place, fetches, MX_ROWS_OF_A, x, acc);
    if (what == MX_COLUMNS_OF_A && !in_place)
        return accumulate_runs(rows, vecs, in_place, fetches, MX_COLUMNS_OF_A, x, acc);
    return 0;
}

/* Some steps after each row of C that is sent for, and their number. */
INLINE ptrdiff_t accumulate_fetching(int in_place, int near, int steps, const register_block *x, ptrdiff_t first,
                                     vector *acc) {
    const ptrdiff_t rsa = in_place ? x->rsa : 1, csa = in_place ? 1 : MR;
    const real *a = x->a + first * csa, *b = x->b + first * NR, *c = x->c;
    for (int i = 0; i < MR; i++, c += x->rsc) {
        fetch_row(NV, near, c);
        UNROLL for (int p = 0; p < steps; p++, a += csa, b += NR) add_products(MR, NV, a, rsa, b, acc);
    }
    return MR * steps;
}

/* Steps after a row of C. */
#define STEPS 4

/* C comes to the second-level cache at the beginning and to the first one at the end: it has no room for C while A and
   B pass through. */
INLINE void accumulate_whole(int in_place, const register_block *x, vector *acc) {
    ptrdiff_t done = accumulate_beside(MR, NV, in_place, 1, x, acc);
    if (done == 0 && x->k >= MR * STEPS)
        done = accumulate_fetching(in_place, 0, STEPS, x, 0, acc);
    else if (done == 0 && x->k >= MR)
        done = accumulate_fetching(in_place, 0, 1, x, 0, acc);
    const ptrdiff_t late = x->k - MR * STEPS;
    if (late < done + MR * STEPS) {
        accumulate_only(MR, NV, in_place, x, done, x->k, acc);
        return;
    }
    accumulate_only(MR, NV, in_place, x, done, late, acc);
    accumulate_fetching(in_place, 1, STEPS, x, late, acc);
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

/* A corner of the block, or C by columns.  No more vectors are multiplied than hold columns, and half of the rows if
   these are all. */
INLINE void multiply_corner(int rows, int vecs, int in_place, const register_block *x) {
    vector acc[MR * NV] = {{0}};
    if (x->csc == 1)
        fetch_block(x->m, vecs, x->c, x->rsc);
    const ptrdiff_t done = accumulate_beside(rows, vecs, in_place, 0, x, acc);
    accumulate_only(rows, vecs, in_place, x, done, x->k, acc);
    store_sums(rows, vecs, acc, x, x->m, x->n);
}

INLINE void multiply_whole(int in_place, const register_block *x) {
    vector acc[MR * NV] = {{0}};
    accumulate_whole(in_place, x, acc);
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
    if (x->m == MR && x->n == NR && x->csc == 1)
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
    STRIP_ROWS,
    CROWD,
    MX_KERNEL(mx_pack_a),
    MX_KERNEL(mx_pack_b),
    MX_KERNEL(mx_sum),
    MX_KERNEL(mx_micro),
    MX_KERNEL(mx_vector_product),
    MX_KERNEL(mx_small_product),
    MX_KERNEL(mx_lu_columns),
    MX_KERNEL(mx_cholesky_columns),
    MX_KERNEL(mx_solve_block),
    MX_KERNEL(mx_exchange_rows),
    MX_KERNEL(mx_copy),
};
