/* Packing: operands with any strides become panels that the register block reads in order.  Panels are long, so that
   hardly any time goes into what squares as large as a vector leave over. */
#define MX_WIDE_SQUARES
#include "simd.h"

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

/* Whole lines of a whole panel whose k direction is contiguous, few rows at a time: processors foresee few streams.
   Where strides are powers of two, lines that are left half read would be gone when their turn comes again. */
INLINE void pack_lines(int w, ptrdiff_t k, const real *src, ptrdiff_t stride, real *dst) {
    for (int i = 0; i < w; i += LINE_REALS)
        for (ptrdiff_t p = 0; p < k; p += LINE_REALS) {
            UNROLL for (int r = 0; r < LINE_REALS; r += SIDE)
                transpose_rows(SIDE, LINE_REALS, src + p + (i + r) * stride, stride, dst + p * w + i + r, w);
        }
}

/* A panel whose k direction is contiguous, SIDE <= k. */
INLINE void pack_columns(int w, ptrdiff_t width, ptrdiff_t k, const real *restrict src, ptrdiff_t stride,
                         real *restrict dst) {
    ptrdiff_t whole = k - k % LINE_REALS;
    if (width == w && w % LINE_REALS == 0)
        pack_lines(w, whole, src, stride, dst);
    else
        for (ptrdiff_t p = 0; p < whole; p += LINE_REALS)
            transpose(width, LINE_REALS, src + p, stride, dst + p * w, w);
    if (whole < k) {
        ptrdiff_t from = k - whole < SIDE ? k - SIDE : whole;
        transpose(width, k - from, src + from, stride, dst + from * w, w);
    }
}

INLINE void pack(int w, ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, ptrdiff_t stride_k,
                 real *dst) {
    ptrdiff_t done = stride == 1 ? count - count % w : 0;
    if (stride == 1)
        pack_rows(w, done / w, k, src, stride_k, dst);
    for (ptrdiff_t i = done; i < count; i += w) {
        ptrdiff_t width = count - i < w ? count - i : w;
        if (stride_k == 1 && k >= SIDE && w % SIDE == 0)
            pack_columns(w, width, k, src + i * stride, stride, dst + i * k);
        else
            pack_any(w, width, k, src + i * stride, stride, stride_k, dst + i * k);
    }
}

void MX_KERNEL(mx_pack_a)(ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, ptrdiff_t stride_k,
                          real *dst) {
    pack(MR, count, k, src, stride, stride_k, dst);
}

void MX_KERNEL(mx_pack_b)(ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, ptrdiff_t stride_k,
                          real *dst) {
    pack(NR, count, k, src, stride, stride_k, dst);
}
