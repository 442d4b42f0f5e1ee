/* Vectors and register blocks of the instruction set that a source is compiled for.  GNU vector types; -DMX_SET names
   the set in symbols.  Blocks hold as many accumulators as leave registers for a row of B and one element of A. */
#ifndef MX_SIMD_H
#define MX_SIMD_H

#include "kernels.h"

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
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

MX_REAL(mx_pack_function) MX_KERNEL(mx_pack_a), MX_KERNEL(mx_pack_b);
MX_REAL(mx_micro_function) MX_KERNEL(mx_micro);
MX_REAL(mx_direct_function) MX_KERNEL(mx_vector_product), MX_KERNEL(mx_small_product);
MX_REAL(mx_lu_function) MX_KERNEL(mx_lu_columns);
MX_REAL(mx_cholesky_function) MX_KERNEL(mx_cholesky_columns);
MX_REAL(mx_solve_function) MX_KERNEL(mx_solve_block);
MX_REAL(mx_exchange_function) MX_KERNEL(mx_exchange_rows);
MX_REAL(mx_copy_function) MX_KERNEL(mx_copy);

/* c = alpha x + beta c, where beta == 0 must not read c. */
INLINE void update(real *c, real x, real alpha, real beta) {
    *c = beta == 0 ? alpha * x : alpha * x + beta * *c;
}

/* rows x vecs accumulators, rows and vecs constants. */
INLINE void store_whole(int rows, int vecs, const vector *acc, real alpha, real beta, real *c, ptrdiff_t rsc) {
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vecs; j++) {
            loose_vector *to = (loose_vector *)(c + i * rsc + j * LANES);
            *to = beta == 0 ? alpha * acc[i * vecs + j] : alpha * acc[i * vecs + j] + beta * *to;
        }
    }
}

/* The accumulators go through memory first, so that only constants index them and they can stay in registers. */
INLINE void store_corner(int rows, int vecs, const vector *acc, real alpha, real beta, real *c, ptrdiff_t rsc,
                         ptrdiff_t csc, ptrdiff_t m, ptrdiff_t n) {
    panel_vector buffer[MX_MAX_MR * NV];
    UNROLL for (int i = 0; i < rows * vecs; i++) buffer[i] = acc[i];
    const real *x = (const real *)buffer;
    for (ptrdiff_t i = 0; i < m; i++)
        for (ptrdiff_t j = 0; j < n; j++)
            update(c + i * rsc + j * csc, x[i * vecs * LANES + j], alpha, beta);
}

INLINE void store_block(int rows, int vecs, const vector *acc, real alpha, real beta, real *c, ptrdiff_t rsc,
                        ptrdiff_t csc, ptrdiff_t m, ptrdiff_t n) {
    if (csc == 1 && m == rows && n == vecs * LANES)
        store_whole(rows, vecs, acc, alpha, beta, c, rsc);
    else
        store_corner(rows, vecs, acc, alpha, beta, c, rsc, csc, m, n);
}

typedef real quad __attribute__((vector_size(4 * MX_BITS / 8)));
typedef real loose_quad __attribute__((vector_size(4 * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));

/* dst[p*w + i] = src[i*stride + p] for a 4 x 4 block: halves of pairs are exchanged, then pairs. */
INLINE void transpose_4x4(const real *src, ptrdiff_t stride, real *dst, ptrdiff_t w) {
    quad r0 = *(const loose_quad *)src, r1 = *(const loose_quad *)(src + stride);
    quad r2 = *(const loose_quad *)(src + 2 * stride), r3 = *(const loose_quad *)(src + 3 * stride);
    quad s0 = __builtin_shufflevector(r0, r1, 0, 4, 2, 6), s1 = __builtin_shufflevector(r0, r1, 1, 5, 3, 7);
    quad s2 = __builtin_shufflevector(r2, r3, 0, 4, 2, 6), s3 = __builtin_shufflevector(r2, r3, 1, 5, 3, 7);
    *(loose_quad *)dst = __builtin_shufflevector(s0, s2, 0, 1, 4, 5);
    *(loose_quad *)(dst + w) = __builtin_shufflevector(s1, s3, 0, 1, 4, 5);
    *(loose_quad *)(dst + 2 * w) = __builtin_shufflevector(s0, s2, 2, 3, 6, 7);
    *(loose_quad *)(dst + 3 * w) = __builtin_shufflevector(s1, s3, 2, 3, 6, 7);
}

#endif
