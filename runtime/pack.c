/* Packing: operands with any strides become panels that the register block reads in order. */
#include "simd.h"

/* Rows of an operand, or columns, are read by whole lines of the cache: where strides are powers of two, lines that
   are left half read would be gone when their turn comes again. */
#define LINE_REALS (64 * 8 / MX_BITS)

/* Squares that are transposed in registers: SIDE vectors of SIDE elements. */
#if MX_BITS == 32 && VECTOR_BYTES >= 32
#define SIDE 8
#else
#define SIDE 4
#endif
typedef real side __attribute__((vector_size(SIDE * MX_BITS / 8)));
typedef real loose_side __attribute__((vector_size(SIDE * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));

#if SIDE == 8
#define LOWER(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define UPPER(x, y) __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#define ROUNDS 3
#else
#define LOWER(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define UPPER(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)
#define ROUNDS 2
#endif

/* dst[p*w + i] = src[i*stride + p] for a square: a perfect shuffle of rows i and i + SIDE/2, log SIDE times. */
INLINE void transpose_square(const real *src, ptrdiff_t stride, real *dst, ptrdiff_t w) {
    side x[SIDE], y[SIDE];
    UNROLL for (int i = 0; i < SIDE; i++) x[i] = *(const loose_side *)(src + i * stride);
    UNROLL for (int round = 0; round < ROUNDS; round++) {
        UNROLL for (int i = 0; i < SIDE / 2; i++) {
            y[2 * i] = LOWER(x[i], x[i + SIDE / 2]);
            y[2 * i + 1] = UPPER(x[i], x[i + SIDE / 2]);
        }
        UNROLL for (int i = 0; i < SIDE; i++) x[i] = y[i];
    }
    UNROLL for (int i = 0; i < SIDE; i++) * (loose_side *)(dst + i * w) = x[i];
}

typedef real loose_four __attribute__((vector_size(4 * MX_BITS / 8), aligned(MX_BITS / 8), may_alias));
#define ROWS_AT_A_TIME 8

/* A panel of any width and strides. */
INLINE void pack_any(int w, ptrdiff_t width, ptrdiff_t k, const real *restrict src, ptrdiff_t stride,
                     ptrdiff_t stride_k, real *restrict dst) {
    for (ptrdiff_t p = 0; p < k; p++) {
        for (ptrdiff_t i = 0; i < width; i++)
            dst[p * w + i] = src[i * stride + p * stride_k];
        for (ptrdiff_t i = width; i < w; i++)
            dst[p * w + i] = 0;
    }
}

/* Whole panels (w constant) whose rows lie side by side: some rows of all panels, so that memory is read along them. */
INLINE void pack_rows(int w, ptrdiff_t panels, ptrdiff_t k, const real *src, ptrdiff_t stride_k, real *dst) {
    for (ptrdiff_t p = 0; p < k; p += ROWS_AT_A_TIME)
        for (ptrdiff_t panel = 0; panel < panels; panel++)
            for (ptrdiff_t q = p; q < p + ROWS_AT_A_TIME && q < k; q++) {
                const real *from = src + q * stride_k + panel * w;
                real *to = dst + (panel * k + q) * w;
                UNROLL for (int i = 0; i < w / 4; i++) * (loose_four *)(to + 4 * i) =
                    *(const loose_four *)(from + 4 * i);
            }
}

/* A whole panel whose k direction is contiguous. */
INLINE void pack_columns(int w, ptrdiff_t k, const real *src, ptrdiff_t stride, real *dst) {
    ptrdiff_t whole = k - k % LINE_REALS;
    for (ptrdiff_t p = 0; p < whole; p += LINE_REALS)
        for (int i = 0; i < w; i += SIDE)
            for (int q = 0; q < LINE_REALS; q += SIDE)
                transpose_square(src + i * stride + p + q, stride, dst + (p + q) * w + i, w);
    pack_any(w, w, k - whole, src + whole, stride, 1, dst + whole * w);
}

INLINE void pack(int w, ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, ptrdiff_t stride_k,
                 real *dst) {
    ptrdiff_t whole = stride == 1 || (stride_k == 1 && w % SIDE == 0) ? count - count % w : 0;
    if (stride == 1)
        pack_rows(w, whole / w, k, src, stride_k, dst);
    else
        for (ptrdiff_t i = 0; i < whole; i += w)
            pack_columns(w, k, src + i * stride, stride, dst + i * k);
    for (ptrdiff_t i = whole; i < count; i += w)
        pack_any(w, count - i < w ? count - i : w, k, src + i * stride, stride, stride_k, dst + i * k);
}

void MX_KERNEL(mx_pack_a)(ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, ptrdiff_t stride_k,
                          real *dst) {
    pack(MR, count, k, src, stride, stride_k, dst);
}

void MX_KERNEL(mx_pack_b)(ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, ptrdiff_t stride_k,
                          real *dst) {
    pack(NR, count, k, src, stride, stride_k, dst);
}
