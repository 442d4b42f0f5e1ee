/* mxfixed.h - products whose small sizes the C compiler knows: straight code in registers in the place of a call.

   mx_fixed_gemm_f64 and _f32 are mx_gemm_f64 and _f32 (mxrt.h) for sizes from 1 to 32, strides and scalars that are
   constants where they stand, and without a workspace: such small ones need none.  What would take longer than by a
   call, with the instruction set that the C file is compiled for, is a call of the runtime; so is everything where the
   compiler does not optimise or has no vectors of GNU C, and where MX_CALL_PRODUCTS is defined.  The error bound is
   that of mx_gemm; bits may differ from it, as they do from one kernel set to another. */
#ifndef MXFIXED_H
#define MXFIXED_H

#include <stddef.h>

#include "mxrt.h"

/* Bytes of a vector, and so many multiplications as take no longer than by a call. */
#if !defined(__GNUC__) || !defined(__OPTIMIZE__) || defined(MX_CALL_PRODUCTS)
#define MX_FIXED_VOLUME 0
#elif defined(__AVX512F__)
#define MX_FIXED_BYTES 64
#define MX_FIXED_VOLUME (32 * 32 * 32)
#elif defined(__AVX__) && defined(__FMA__)
#define MX_FIXED_BYTES 32
#define MX_FIXED_VOLUME (32 * 32 * 32)
#else
#define MX_FIXED_BYTES 16
#define MX_FIXED_VOLUME (6 * 6 * 5)
#endif

#if MX_FIXED_VOLUME > 0

/* The same where there is but one column, and elements that may be gathered one by one. */
#define MX_FIXED_ONE_COLUMN (MX_FIXED_VOLUME < 512 ? MX_FIXED_VOLUME : 512)
#define MX_FIXED_GATHERED 128

#define MX_FIXED_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define MX_FIXED_UNROLL _Pragma("clang loop unroll(full)")
#else
#define MX_FIXED_UNROLL _Pragma("GCC unroll 24")
#endif

/* The most sums in registers, vectors of a register block, and rows of one with so many vectors. */
#if MX_FIXED_BYTES >= 64
#define MX_FIXED_SUMS 24
#else
#define MX_FIXED_SUMS 12
#endif
#define MX_FIXED_VECTORS 3
#define MX_FIXED_ROWS(vectors) ((vectors) == 1 && MX_FIXED_SUMS > 12 ? 16 : MX_FIXED_SUMS / (vectors))

/* Sets of so few sums for k steps that processors can add to all of them at once. */
#define MX_FIXED_SETS(sums, k) ((sums) <= 2 && (k) >= 8 ? 4 : (sums) <= 6 && (k) >= 4 ? 2 : 1)

#define MX_FIXED_PARTS(size, most) (((size) + (most)-1) / (most))
#define MX_FIXED_JOIN_(name, type, lanes) name##_##type##x##lanes
#define MX_FIXED_JOIN(name, type, lanes) MX_FIXED_JOIN_(name, type, lanes)
#define MX_FIXED_NAME(name) MX_FIXED_JOIN(name, MX_FIXED_TYPE, MX_FIXED_LANES)

/* Can the compiler join two vectors? */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define MX_FIXED_HALVES 1
#endif
#endif
#if !defined(MX_FIXED_HALVES)
#define MX_FIXED_HALVES 0
#endif

/* Register blocks for every number of lanes that a vector may have. */
#define MX_FIXED_REAL double
#define MX_FIXED_TYPE f64
#define MX_FIXED_LANES 1
#include "mxstrip.h"
#define MX_FIXED_LANES 2
#include "mxstrip.h"
#if MX_FIXED_BYTES >= 32
#define MX_FIXED_LANES 4
#include "mxstrip.h"
#endif
#if MX_FIXED_BYTES >= 64
#define MX_FIXED_LANES 8
#include "mxstrip.h"
#endif
#undef MX_FIXED_REAL
#undef MX_FIXED_TYPE

#define MX_FIXED_REAL float
#define MX_FIXED_TYPE f32
#define MX_FIXED_LANES 1
#include "mxstrip.h"
#define MX_FIXED_LANES 2
#include "mxstrip.h"
#define MX_FIXED_LANES 4
#include "mxstrip.h"
#if MX_FIXED_BYTES >= 32
#define MX_FIXED_LANES 8
#include "mxstrip.h"
#endif
#if MX_FIXED_BYTES >= 64
#define MX_FIXED_LANES 16
#include "mxstrip.h"
#endif
#undef MX_FIXED_REAL
#undef MX_FIXED_TYPE

/* Rows of B that are no vectors are gathered for every block. */
#define MX_FIXED_MOST(m, n, k, rsa, csb)                                                                               \
    ((n) == 1 ? ((rsa) == 1 ? MX_FIXED_VOLUME : MX_FIXED_ONE_COLUMN)                                                   \
     : (csb) == 1 || ((m) + 7) / 8 * (n) * (k) <= MX_FIXED_GATHERED ? MX_FIXED_VOLUME                                  \
                                                                    : 0)

/* Vectors as wide as there are columns for, or for well over half of their lanes; one column is C' = B' A'. */
#define MX_FIXED_WIDTH(type, lanes)                                                                                    \
    if (n >= (MX_FIXED_HALVES && (lanes) > 4 ? (lanes) / 2 + 2 : (lanes))) {                                           \
        mx_fixed_strips_##type##x##lanes(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc);                 \
        return;                                                                                                        \
    }
#define MX_FIXED_STRIPS(type, real, EACH)                                                                              \
    MX_FIXED_INLINE void mx_fixed_strips_##type(size_t m, size_t n, size_t k, real alpha, const real *a,               \
                                                ptrdiff_t rsa, ptrdiff_t csa, const real *b, ptrdiff_t rsb,            \
                                                ptrdiff_t csb, real beta, real *c, ptrdiff_t rsc, ptrdiff_t csc) {     \
        EACH;                                                                                                          \
    }

/* An alpha of 0 reads neither A nor B. */
#define MX_FIXED_GEMM(type, real)                                                                                      \
    MX_FIXED_INLINE void mx_fixed_gemm_##type(size_t m, size_t n, size_t k, real alpha, const real *a, ptrdiff_t rsa,  \
                                              ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta,   \
                                              real *c, ptrdiff_t rsc, ptrdiff_t csc) {                                 \
        if (alpha == 0 || m * n * k > MX_FIXED_MOST(m, n, k, rsa, csb))                                                \
            mx_gemm_##type(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc, NULL);                         \
        else if (n == 1 && rsa == 1)                                                                                   \
            mx_fixed_strips_##type(n, m, k, alpha, b, csb, rsb, a, csa, rsa, beta, c, csc, rsc);                       \
        else                                                                                                           \
            mx_fixed_strips_##type(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc);                       \
    }

#if MX_FIXED_BYTES >= 64
#define MX_FIXED_WIDE_64 MX_FIXED_WIDTH(f64, 8) MX_FIXED_WIDTH(f64, 4)
#define MX_FIXED_WIDE_32 MX_FIXED_WIDTH(f32, 16) MX_FIXED_WIDTH(f32, 8)
#elif MX_FIXED_BYTES >= 32
#define MX_FIXED_WIDE_64 MX_FIXED_WIDTH(f64, 4)
#define MX_FIXED_WIDE_32 MX_FIXED_WIDTH(f32, 8)
#else
#define MX_FIXED_WIDE_64
#define MX_FIXED_WIDE_32
#endif
MX_FIXED_STRIPS(f64, double, MX_FIXED_WIDE_64 MX_FIXED_WIDTH(f64, 2) MX_FIXED_WIDTH(f64, 1))
MX_FIXED_STRIPS(f32, float, MX_FIXED_WIDE_32 MX_FIXED_WIDTH(f32, 4) MX_FIXED_WIDTH(f32, 2) MX_FIXED_WIDTH(f32, 1))
MX_FIXED_GEMM(f64, double)
MX_FIXED_GEMM(f32, float)

#else
#define mx_fixed_gemm_f64(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc)                                 \
    mx_gemm_f64(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc, NULL)
#define mx_fixed_gemm_f32(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc)                                 \
    mx_gemm_f32(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc, NULL)
#endif

#endif
