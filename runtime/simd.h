/* Vectors and register blocks of the instruction set that a source is compiled for.  GNU vector types; -DMX_SET names
   the set in symbols; -DMX_NARROW: half as wide as they could be.  Blocks hold as many accumulators as leave registers
   for a row of B and one element of A. */
#ifndef MX_SIMD_H
#define MX_SIMD_H

#include "kernels.h"

#if defined(__AVX2__)
#include <immintrin.h> /* masked loads and stores, which GNU vectors do not have */
#elif defined(__aarch64__)
#include <arm_neon.h> /* products added without rounding them, by name */
#endif

#if defined(__AVX512F__)
#if defined(MX_NARROW)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 64
#endif
#define MR 8
#define NV 3
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#define MR 4
#define NV 3
#elif defined(__aarch64__)
#define VECTOR_BYTES 16
#define MR 4
#define NV 4
#else
#define VECTOR_BYTES 16
#define MR 4
#define NV 2
#endif

/* 32 of them, where there are 16 otherwise. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define MANY_REGISTERS 1
#else
#define MANY_REGISTERS 0
#endif

/* Wide strips of B come from the second-level cache fast enough.  Narrow ones of this many bytes stay in the
   first-level cache if their rows are not crowded. */
#define STRIP_BYTES 24576
#if MANY_REGISTERS
#define STRIP_ROWS PTRDIFF_MAX
#define CROWD PTRDIFF_MAX
#else
#define STRIP_ROWS (STRIP_BYTES / (3 * VECTOR_BYTES))
#define CROWD 65536
#endif

/* Where vectors are halved, stores of so wide ones take the place of multiplications. */
#define HAS_WIDE_STORES (VECTOR_BYTES == 64)

/* The most accumulators of any block. */
#define MAX_ACCUMULATORS 24

#define LANES (VECTOR_BYTES * 8 / MX_BITS)
#define NR (NV * LANES)

#define MX_JOIN_(name, set) name##_##set
#define MX_JOIN(name, set) MX_JOIN_(name, set)
#define MX_KERNEL(name) MX_JOIN(MX_REAL(name), MX_SET)

typedef real vector __attribute__((vector_size(VECTOR_BYTES)));

/* What memory of elements is read and written as: aligned in panels, anywhere in operands. */
typedef real panel_vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef real loose_vector __attribute__((vector_size(VECTOR_BYTES), aligned(MX_BITS / 8), may_alias));

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 24")
#endif

/* Small register blocks: counting the steps takes a fifth of all instructions, which is what another thread of the
   core competes for. */
#if MANY_REGISTERS
#define FEW_AT_A_TIME
#elif defined(__clang__)
#define FEW_AT_A_TIME _Pragma("clang loop unroll_count(4)")
#else
#define FEW_AT_A_TIME _Pragma("GCC unroll 4")
#endif

MX_REAL(mx_pack_function) MX_KERNEL(mx_pack_a), MX_KERNEL(mx_pack_b);
MX_REAL(mx_sum_function) MX_KERNEL(mx_sum);
MX_REAL(mx_micro_function) MX_KERNEL(mx_micro);
MX_REAL(mx_direct_function) MX_KERNEL(mx_vector_product), MX_KERNEL(mx_small_product);
MX_REAL(mx_lu_function) MX_KERNEL(mx_lu_columns);
MX_REAL(mx_cholesky_function) MX_KERNEL(mx_cholesky_columns);
MX_REAL(mx_solve_function) MX_KERNEL(mx_solve_block);
MX_REAL(mx_exchange_function) MX_KERNEL(mx_exchange_rows);
MX_REAL(mx_copy_function) MX_KERNEL(mx_copy);

/* The first n lanes of a vector, 1 <= n <= LANES: memory of the others is neither read nor written; they load as 0.
   Sets without masked instructions read whole vectors only. */
#if defined(__AVX512F__)
#define HAS_LANES 1
#if LANES == 16
typedef __mmask16 lanes;
#else
typedef __mmask8 lanes;
#endif
#endif
#if defined(__AVX512F__) && VECTOR_BYTES == 32 && MX_BITS == 64
INLINE vector load_lanes(const real *p, lanes which) {
    return (vector)_mm256_maskz_loadu_pd(which, p);
}
INLINE void store_lanes(real *p, vector x, lanes which) {
    _mm256_mask_storeu_pd(p, which, (__m256d)x);
}
#elif defined(__AVX512F__) && VECTOR_BYTES == 32
INLINE vector load_lanes(const real *p, lanes which) {
    return (vector)_mm256_maskz_loadu_ps(which, p);
}
INLINE void store_lanes(real *p, vector x, lanes which) {
    _mm256_mask_storeu_ps(p, which, (__m256)x);
}
#elif defined(__AVX512F__) && MX_BITS == 64
INLINE vector load_lanes(const real *p, lanes which) {
    return (vector)_mm512_maskz_loadu_pd(which, p);
}
INLINE void store_lanes(real *p, vector x, lanes which) {
    _mm512_mask_storeu_pd(p, which, (__m512d)x);
}
#elif defined(__AVX512F__)
INLINE vector load_lanes(const real *p, lanes which) {
    return (vector)_mm512_maskz_loadu_ps(which, p);
}
INLINE void store_lanes(real *p, vector x, lanes which) {
    _mm512_mask_storeu_ps(p, which, (__m512)x);
}
#elif defined(__AVX2__) && MX_BITS == 64
#define HAS_LANES 1
typedef __m256i lanes;
INLINE vector load_lanes(const real *p, lanes which) {
    return (vector)_mm256_maskload_pd(p, which);
}
INLINE void store_lanes(real *p, vector x, lanes which) {
    _mm256_maskstore_pd(p, which, (__m256d)x);
}
#elif defined(__AVX2__)
#define HAS_LANES 1
typedef __m256i lanes;
INLINE vector load_lanes(const real *p, lanes which) {
    return (vector)_mm256_maskload_ps(p, which);
}
INLINE void store_lanes(real *p, vector x, lanes which) {
    _mm256_maskstore_ps(p, which, (__m256)x);
}
#else
#define HAS_LANES 0
typedef ptrdiff_t lanes;
INLINE vector load_lanes(const real *p, lanes which) {
    (void)which;
    return *(const loose_vector *)p;
}
INLINE void store_lanes(real *p, vector x, lanes which) {
    for (ptrdiff_t i = 0; i < which; i++)
        p[i] = x[i];
}
#endif

INLINE lanes first_lanes(ptrdiff_t n) {
#if defined(__AVX512F__)
    return (lanes)((1u << n) - 1);
#elif defined(__AVX2__) && MX_BITS == 64
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
#elif defined(__AVX2__)
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#else
    return n;
#endif
}

/* The first count elements, and zeros; nothing is read beside, in sets without masks either. */
INLINE vector load_first(const real *p, ptrdiff_t count) {
    if (HAS_LANES)
        return load_lanes(p, first_lanes(count));
    vector x = {0};
    UNROLL for (int i = 0; i < LANES - 1; i++) x[i] = i < count ? p[i] : 0;
    return x;
}

/* x y + z, rounded once where the set has an instruction for it. */
#if defined(__aarch64__) && MX_BITS == 64
INLINE vector fused(real x, vector y, vector z) {
    return (vector)vfmaq_n_f64((float64x2_t)z, (float64x2_t)y, x);
}
#elif defined(__aarch64__)
INLINE vector fused(real x, vector y, vector z) {
    return (vector)vfmaq_n_f32((float32x4_t)z, (float32x4_t)y, x);
}
#elif !defined(__FMA__) || VECTOR_BYTES < 32
INLINE vector fused(real x, vector y, vector z) {
    return x * y + z;
}
#elif VECTOR_BYTES == 64 && MX_BITS == 64
INLINE vector fused(real x, vector y, vector z) {
    return (vector)_mm512_fmadd_pd(_mm512_set1_pd(x), (__m512d)y, (__m512d)z);
}
#elif VECTOR_BYTES == 64
INLINE vector fused(real x, vector y, vector z) {
    return (vector)_mm512_fmadd_ps(_mm512_set1_ps(x), (__m512)y, (__m512)z);
}
#elif MX_BITS == 64
INLINE vector fused(real x, vector y, vector z) {
    return (vector)_mm256_fmadd_pd(_mm256_set1_pd(x), (__m256d)y, (__m256d)z);
}
#else
INLINE vector fused(real x, vector y, vector z) {
    return (vector)_mm256_fmadd_ps(_mm256_set1_ps(x), (__m256)y, (__m256)z);
}
#endif

/* Squares of SIDE x SIDE elements are transposed in registers.  Halves of rows i and i + SIDE/2 are read into one
   vector, so that all that is left to do happens within halves, which is what processors do fastest. */
#if (MX_BITS == 32 && VECTOR_BYTES >= 32) || (defined(MX_WIDE_SQUARES) && VECTOR_BYTES == 64)
#define SIDE 8
#if MX_BITS == 64 /* from memory, without a shuffle */
#define JOIN_HALVES(x, y) (side) _mm512_insertf64x4(_mm512_castpd256_pd512((__m256d)(x)), (__m256d)(y), 1)
#else
#define JOIN_HALVES(x, y) __builtin_shufflevector(x, y, 0, 1, 2, 3, 4, 5, 6, 7)
#endif
#define EVEN_PAIRS(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 4, 12, 5, 13)
#define ODD_PAIRS(x, y) __builtin_shufflevector(x, y, 2, 10, 3, 11, 6, 14, 7, 15)
#define EVEN_QUADS(x, y) __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13)
#define ODD_QUADS(x, y) __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15)
#else
#define SIDE 4
#define JOIN_HALVES(x, y) __builtin_shufflevector(x, y, 0, 1, 2, 3)
#define EVEN_PAIRS(x, y) __builtin_shufflevector(x, y, 0, 4, 2, 6)
#define ODD_PAIRS(x, y) __builtin_shufflevector(x, y, 1, 5, 3, 7)
#endif
typedef real side __attribute__((vector_size(SIDE * MX_BITS / 8)));
typedef real half __attribute__((vector_size(SIDE * MX_BITS / 16)));
typedef real loose_side __attribute__((vector_size(SIDE * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));
typedef real loose_half __attribute__((vector_size(SIDE * MX_BITS / 16), aligned(MX_BITS / 8), may_alias));

/* Columns of SIDE/2 rows of pairs of halves. */
INLINE void transpose_halves(const side *x, real *dst, ptrdiff_t w) {
    side y[SIDE / 2];
#if SIDE == 8
    const side p = EVEN_PAIRS(x[0], x[1]), q = ODD_PAIRS(x[0], x[1]), r = EVEN_PAIRS(x[2], x[3]),
               s = ODD_PAIRS(x[2], x[3]);
    y[0] = EVEN_QUADS(p, r);
    y[1] = ODD_QUADS(p, r);
    y[2] = EVEN_QUADS(q, s);
    y[3] = ODD_QUADS(q, s);
#else
    y[0] = EVEN_PAIRS(x[0], x[1]);
    y[1] = ODD_PAIRS(x[0], x[1]);
#endif
    UNROLL for (int i = 0; i < SIDE / 2; i++) * (loose_side *)(dst + i * w) = y[i];
}

/* dst[p*w + i] = src[i*stride + p], 0 for i >= rows. */
INLINE void transpose_square(ptrdiff_t rows, const real *src, ptrdiff_t stride, real *dst, ptrdiff_t w) {
    UNROLL for (int p = 0; p < SIDE; p += SIDE / 2) {
        side x[SIDE / 2];
        UNROLL for (int i = 0; i < SIDE / 2; i++) {
            half low = {0}, high = {0};
            if (i < rows)
                low = *(const loose_half *)(src + i * stride + p);
            if (i + SIDE / 2 < rows)
                high = *(const loose_half *)(src + (i + SIDE / 2) * stride + p);
            x[i] = JOIN_HALVES(low, high);
        }
        transpose_halves(x, dst + p * w, w);
    }
}

/* The same for all p < k, SIDE <= k.  The last square overlaps the one before it. */
INLINE void transpose_rows(ptrdiff_t rows, ptrdiff_t k, const real *src, ptrdiff_t stride, real *dst, ptrdiff_t w) {
    for (ptrdiff_t p = 0; p + SIDE <= k; p += SIDE)
        transpose_square(rows, src + p, stride, dst + p * w, w);
    if (k % SIDE != 0)
        transpose_square(rows, src + k - SIDE, stride, dst + (k - SIDE) * w, w);
}

/* dst[p*w + i] = src[i*stride + p] for i < count and p < k, and 0 for count <= i < w; SIDE <= k, and SIDE divides w. */
INLINE void transpose(ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, real *dst, ptrdiff_t w) {
    ptrdiff_t i = 0;
    for (; i + SIDE <= count; i += SIDE)
        transpose_rows(SIDE, k, src + i * stride, stride, dst + i, w);
    for (; i < w; i += SIDE)
        transpose_rows(count - i, k, src + (i < count ? i * stride : 0), stride, dst + i, w);
}

/* Neighbours of x, then of y. */
#if VECTOR_BYTES * 8 == 4 * MX_BITS
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6)
#define ODD(x, y) __builtin_shufflevector(x, y, 1, 3, 5, 7)
#elif VECTOR_BYTES * 8 == 8 * MX_BITS
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD(x, y) __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15)
#elif VECTOR_BYTES * 8 == 16 * MX_BITS
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD(x, y) __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#endif

/* Elements of two vectors of half as many as LANES, in turn. */
typedef real half_vector __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef real loose_half_vector __attribute__((vector_size(VECTOR_BYTES / 2), aligned(MX_BITS / 8), may_alias));
#if VECTOR_BYTES * 8 == 4 * MX_BITS
#define ALTERNATE(x, y) __builtin_shufflevector(x, y, 0, 2, 1, 3)
#elif VECTOR_BYTES * 8 == 8 * MX_BITS
#define ALTERNATE(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5, 2, 6, 3, 7)
#elif VECTOR_BYTES * 8 == 16 * MX_BITS
#define ALTERNATE(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15)
#endif

/* p[0], p[1], p[0], p[1], … */
#if HAS_LANES
typedef double loose_double __attribute__((aligned(MX_BITS / 8), may_alias));
INLINE vector repeat_pair(const real *p) {
#if MX_BITS == 32 && VECTOR_BYTES == 64
    return (vector)_mm512_set1_pd(*(const loose_double *)p);
#elif MX_BITS == 32
    return (vector)_mm256_set1_pd(*(const loose_double *)p);
#elif VECTOR_BYTES == 64
    return (vector)_mm512_broadcast_f64x2(_mm_loadu_pd(p));
#else
    return (vector)_mm256_broadcast_pd((const __m128d *)p);
#endif
}
#endif

/* In turn, of x and y: elements of the first or the second halves of each 16 bytes; or every other 16 bytes.  What
   happens within 16 bytes is what processors do fastest. */
typedef double doubles __attribute__((vector_size(VECTOR_BYTES)));
#if VECTOR_BYTES == 16
#define FIRST_DOUBLES(x, y) __builtin_shufflevector(x, y, 0, 2)
#define SECOND_DOUBLES(x, y) __builtin_shufflevector(x, y, 1, 3)
#define FIRST_FLOATS(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define SECOND_FLOATS(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)
#elif VECTOR_BYTES == 32
#define FIRST_DOUBLES(x, y) __builtin_shufflevector(x, y, 0, 4, 2, 6)
#define SECOND_DOUBLES(x, y) __builtin_shufflevector(x, y, 1, 5, 3, 7)
#define FIRST_FLOATS(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 4, 12, 5, 13)
#define SECOND_FLOATS(x, y) __builtin_shufflevector(x, y, 2, 10, 3, 11, 6, 14, 7, 15)
#define EVEN_PARTS(x, y) __builtin_shufflevector(x, y, 0, 1, 4, 5)
#define ODD_PARTS(x, y) __builtin_shufflevector(x, y, 2, 3, 6, 7)
#else
#define FIRST_DOUBLES(x, y) __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14)
#define SECOND_DOUBLES(x, y) __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15)
#define FIRST_FLOATS(x, y) __builtin_shufflevector(x, y, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define SECOND_FLOATS(x, y) __builtin_shufflevector(x, y, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define EVEN_PARTS(x, y) __builtin_shufflevector(x, y, 0, 1, 4, 5, 8, 9, 12, 13)
#define ODD_PARTS(x, y) __builtin_shufflevector(x, y, 2, 3, 6, 7, 10, 11, 14, 15)
#endif

/* Half as many vectors, where each sum is left in half as many lanes. */
#define ADD_HALVES(count, x, type, ONE, OTHER)                                                                         \
    UNROLL for (int i = 0; i < (count); i++) {                                                                         \
        const type even = (type)(x)[2 * i], odd = (type)(x)[2 * i + 1];                                                \
        (x)[i] = (vector)ONE(even, odd) + (vector)OTHER(even, odd);                                                    \
    }

/* Lane v: the sum of the lanes of x[v]; x has LANES vectors and is used up. */
INLINE vector sums_of_lanes(vector *x) {
    int count = LANES;
#if MX_BITS == 32
    count /= 2;
    ADD_HALVES(count, x, vector, FIRST_FLOATS, SECOND_FLOATS)
#endif
    count /= 2;
    ADD_HALVES(count, x, doubles, FIRST_DOUBLES, SECOND_DOUBLES)
#if VECTOR_BYTES >= 32
    for (count /= 2; count > 0; count /= 2)
        ADD_HALVES(count, x, doubles, EVEN_PARTS, ODD_PARTS)
#endif
    return x[0];
}

/* count sums of lanes, LANES at a time. */
INLINE void sum_each(int count, const vector *acc, real *sums) {
    UNROLL for (int i = 0; i < count; i += LANES) {
        vector x[LANES];
        UNROLL for (int v = 0; v < LANES; v++) x[v] = i + v < count ? acc[i + v] : (vector){0};
        *(loose_vector *)(sums + i) = sums_of_lanes(x);
    }
}

INLINE void fetch_line(int near, const char *p) {
    if (near)
        __builtin_prefetch(p, 1, 3);
    else
        __builtin_prefetch(p, 1, 2);
}

/* Sends for a row of C that will be stored once its sums are done: to the first-level cache, or to the second one,
   where it waits.  It may begin and end within lines. */
INLINE void fetch_row(int vecs, int near, const real *c) {
    const char *p = (const char *)c;
    for (int byte = 0; byte < vecs * VECTOR_BYTES; byte += 64)
        fetch_line(near, p + byte);
    fetch_line(near, p + vecs * VECTOR_BYTES - 1);
}

/* Its rows all at once. */
INLINE void fetch_block(ptrdiff_t m, int vecs, const real *c, ptrdiff_t rsc) {
    for (ptrdiff_t i = 0; i < m; i++)
        fetch_row(vecs, 0, c + i * rsc);
}

/* c = alpha x + beta c, where beta == 0 must not read c.  beta c is rounded, and then the sum, by vectors and by
   elements: left to itself, a compiler rounds either product, and not the same one everywhere. */
INLINE void update(real *c, real x, real alpha, real beta) {
#if !defined(__FMA__) && !defined(__aarch64__)
    *c = beta == 0 ? alpha * x : alpha * x + beta * *c;
#elif MX_BITS == 64
    *c = beta == 0 ? alpha * x : __builtin_fma(alpha, x, beta * *c);
#else
    *c = beta == 0 ? alpha * x : __builtin_fmaf(alpha, x, beta * *c);
#endif
}

INLINE vector updated(vector x, real alpha, real beta, vector c) {
    return fused(alpha, x, beta * c);
}

INLINE void update_vector(real *c, vector x, real alpha, real beta) {
    loose_vector *to = (loose_vector *)c;
    *to = beta == 0 ? alpha * x : updated(x, alpha, beta, *to);
}

INLINE void update_lanes(real *c, vector x, real alpha, real beta, ptrdiff_t n) {
#if HAS_LANES
    const lanes which = first_lanes(n);
    store_lanes(c, beta == 0 ? alpha * x : updated(x, alpha, beta, load_lanes(c, which)), which);
#else
    for (ptrdiff_t i = 0; i < n; i++)
        update(c + i, x[i], alpha, beta);
#endif
}

/* m rows of n elements of rows x vecs accumulators, rows and vecs constants; vecs vectors are what n elements need. */
INLINE void store_rows(int rows, int vecs, const vector *acc, real alpha, real beta, real *c, ptrdiff_t rsc,
                       ptrdiff_t m, ptrdiff_t n) {
    const ptrdiff_t last = (vecs - 1) * LANES;
    UNROLL for (int i = 0; i < rows; i++) {
        if (i < m) {
            UNROLL for (int j = 0; j < vecs - 1; j++)
                update_vector(c + i * rsc + j * LANES, acc[i * vecs + j], alpha, beta);
            if (n == last + LANES)
                update_vector(c + i * rsc + last, acc[i * vecs + vecs - 1], alpha, beta);
            else
                update_lanes(c + i * rsc + last, acc[i * vecs + vecs - 1], alpha, beta, n - last);
        }
    }
}

typedef real quad __attribute__((vector_size(4 * MX_BITS / 8)));
typedef real loose_quad __attribute__((vector_size(4 * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));

/* Columns of a 4 x 4 block: halves of pairs are exchanged, then pairs. */
INLINE void columns_4x4(const real *src, ptrdiff_t stride, quad *column) {
    quad r0 = *(const loose_quad *)src, r1 = *(const loose_quad *)(src + stride);
    quad r2 = *(const loose_quad *)(src + 2 * stride), r3 = *(const loose_quad *)(src + 3 * stride);
    quad s0 = __builtin_shufflevector(r0, r1, 0, 4, 2, 6), s1 = __builtin_shufflevector(r0, r1, 1, 5, 3, 7);
    quad s2 = __builtin_shufflevector(r2, r3, 0, 4, 2, 6), s3 = __builtin_shufflevector(r2, r3, 1, 5, 3, 7);
    column[0] = __builtin_shufflevector(s0, s2, 0, 1, 4, 5);
    column[1] = __builtin_shufflevector(s1, s3, 0, 1, 4, 5);
    column[2] = __builtin_shufflevector(s0, s2, 2, 3, 6, 7);
    column[3] = __builtin_shufflevector(s1, s3, 2, 3, 6, 7);
}

/* dst[p*w + i] = src[i*stride + p] for a 4 x 4 block. */
INLINE void transpose_4x4(const real *src, ptrdiff_t stride, real *dst, ptrdiff_t w) {
    quad column[4];
    columns_4x4(src, stride, column);
    UNROLL for (int p = 0; p < 4; p++) * (loose_quad *)(dst + p * w) = column[p];
}

/* c[i + j*csc] = alpha x[i*width + j], 4 <= m; the last four rows may have some of those before them. */
INLINE void store_columns(const real *x, ptrdiff_t width, real alpha, real *c, ptrdiff_t csc, ptrdiff_t m,
                          ptrdiff_t n) {
    for (ptrdiff_t from = 0; from < m; from += 4) {
        const ptrdiff_t i = from + 4 <= m ? from : m - 4;
        ptrdiff_t j = 0;
        for (; j + 4 <= n; j += 4) {
            quad column[4];
            columns_4x4(x + i * width + j, width, column);
            UNROLL for (int p = 0; p < 4; p++) * (loose_quad *)(c + i + (j + p) * csc) = alpha * column[p];
        }
        for (; j < n; j++)
            for (ptrdiff_t r = i; r < i + 4; r++)
                c[r + j * csc] = alpha * x[r * width + j];
    }
}

/* m rows of n elements from x, where each row is width elements, whole vectors. */
static __attribute__((noinline, unused)) void store_copy(const real *x, ptrdiff_t width, real alpha, real beta, real *c,
                                                         ptrdiff_t rsc, ptrdiff_t csc, ptrdiff_t m, ptrdiff_t n) {
    const ptrdiff_t whole = csc == 1 ? n - n % LANES : 0;
    if (csc != 1 && rsc == 1 && beta == 0 && m >= 4) {
        store_columns(x, width, alpha, c, csc, m, n);
        return;
    }
    for (ptrdiff_t i = 0; i < m; i++, x += width, c += rsc) {
        for (ptrdiff_t j = 0; j < whole; j += LANES)
            update_vector(c + j, *(const panel_vector *)(x + j), alpha, beta);
        if (csc == 1 && whole < n)
            update_lanes(c + whole, *(const panel_vector *)(x + whole), alpha, beta, n - whole);
        for (ptrdiff_t j = 0; csc != 1 && j < n; j++)
            update(c + j * csc, x[j], alpha, beta);
    }
}

/* The accumulators go through memory first, so that only constants index them and they can stay in registers. */
INLINE void store_any(int rows, int vecs, const vector *acc, real alpha, real beta, real *c, ptrdiff_t rsc,
                      ptrdiff_t csc, ptrdiff_t m, ptrdiff_t n) {
    panel_vector copy[MAX_ACCUMULATORS];
    UNROLL for (int i = 0; i < rows * vecs; i++) copy[i] = acc[i];
    store_copy((const real *)copy, vecs * LANES, alpha, beta, c, rsc, csc, m, n);
}

#endif
