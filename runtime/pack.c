/* Packing: operands with any strides become panels that the register block reads in order. */
#include "simd.h"

/* A whole panel of width w (a constant, a multiple of 4) that lies w side by side. */
INLINE void pack_rows(int w, ptrdiff_t k, const real *restrict src, ptrdiff_t stride_k, real *restrict dst) {
    for (ptrdiff_t p = 0; p < k; p++)
        for (int i = 0; i < w; i++)
            dst[p * w + i] = src[p * stride_k + i];
}

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

/* A whole panel whose k direction is contiguous. */
INLINE void pack_columns(int w, ptrdiff_t k, const real *restrict src, ptrdiff_t stride, real *restrict dst) {
    ptrdiff_t whole = k - k % 4;
    for (ptrdiff_t p = 0; p < whole; p += 4)
        for (int i = 0; i < w; i += 4)
            transpose_4x4(src + i * stride + p, stride, dst + p * w + i, w);
    pack_any(w, w, k - whole, src + whole, stride, 1, dst + whole * w);
}

INLINE void pack(int w, ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride, ptrdiff_t stride_k,
                 real *dst) {
    for (ptrdiff_t i = 0; i < count; i += w, dst += w * k) {
        const real *panel = src + i * stride;
        if (count - i >= w && stride == 1)
            pack_rows(w, k, panel, stride_k, dst);
        else if (count - i >= w && stride_k == 1)
            pack_columns(w, k, panel, stride, dst);
        else
            pack_any(w, count - i < w ? count - i : w, k, panel, stride, stride_k, dst);
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
