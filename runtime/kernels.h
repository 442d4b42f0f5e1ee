/* A kernel set: everything that depends on the instruction set, for one element type. */
#ifndef MX_KERNELS_H
#define MX_KERNELS_H

#include <stddef.h>

#include "real.h"

/* alpha A B + beta C: one product, its sizes known to fit ptrdiff_t. */
typedef struct MX_REAL(mx_product) {
    ptrdiff_t m, n, k;
    real alpha, beta;
    const real *a;
    ptrdiff_t rsa, csa;
    const real *b;
    ptrdiff_t rsb, csb;
    real *c;
    ptrdiff_t rsc, csc;
} product;

/* Packs a count x k matrix, element (i, p) at src[i*stride + p*stride_k], into panels of a fixed width w: element
   (i, p) goes to dst[(i/w*k + p)*w + i%w].  The last panel is filled up with zeros. */
typedef void MX_REAL(mx_pack_function)(ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride,
                                       ptrdiff_t stride_k, real *dst);

/* C = alpha A B + beta C for an m x n corner, m <= mr and n <= nr, of one register block; a and b are one panel each,
   k long. */
typedef void MX_REAL(mx_micro_function)(ptrdiff_t k, real alpha, const real *a, const real *b, real beta, real *c,
                                        ptrdiff_t rsc, ptrdiff_t csc, ptrdiff_t m, ptrdiff_t n);

/* A whole product without workspace. */
typedef void MX_REAL(mx_direct_function)(const product *f);

/* mr divides MX_MAX_MR and nr divides MX_MAX_NR, so that a workspace for the largest block fits every set. */
#define MX_MAX_MR 8
#define MX_MAX_NR (24 * 64 / MX_BITS)

typedef struct MX_REAL(mx_kernels) {
    ptrdiff_t mr, nr;
    MX_REAL(mx_pack_function) * pack_a, *pack_b;
    MX_REAL(mx_micro_function) * micro;
    MX_REAL(mx_direct_function) * vector; /* m == 1 */
    MX_REAL(mx_direct_function) * small;  /* any sizes; fast for small ones with csc == 1 */
} kernels;

#endif
