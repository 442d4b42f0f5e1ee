/* A kernel set: everything that depends on the instruction set, for one element type. */
#ifndef MX_KERNELS_H
#define MX_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "real.h"

struct MX_REAL(mx_hooks);

/* What of the hooks is not this part's to do. */
enum mx_without { MX_PROLOGUE = 1, MX_EPILOGUE = 2, MX_OF_A = 4, MX_OF_B = 8 };

/* alpha A B + beta C: one product, its sizes known to fit ptrdiff_t.  Beside it comes what hooks (NULL: nothing) say. C
   begins at (row, column) of the C that the caller gave, or of its transpose if swapped (then A and B are exchanged,
   too); and what is summed, at deep. */
typedef struct MX_REAL(mx_product) {
    ptrdiff_t m, n, k;
    real alpha, beta;
    const real *a;
    ptrdiff_t rsa, csa;
    const real *b;
    ptrdiff_t rsb, csb;
    real *c;
    ptrdiff_t rsc, csc;
    const struct MX_REAL(mx_hooks) * hooks;
    ptrdiff_t row, column, deep;
    int swapped;
    int ending;
    int without;
} product;

/* C' = alpha B' A' + beta C', of a product that is not a part. */
static inline product transposed_product(const product *f) {
    return (product){f->n,     f->m,      f->k,   f->alpha, f->beta,     f->b,      f->csb,
                     f->rsb,   f->a,      f->csa, f->rsa,   f->c,        f->csc,    f->rsc,
                     f->hooks, f->column, f->row, f->deep,  !f->swapped, f->ending, f->without};
}

/* Packs a count x k matrix, element (i, p) at src[i*stride + p*stride_k], into panels of a fixed width w: element
   (i, p) goes to dst[(i/w*k + p)*w + i%w].  The last panel is filled up with zeros. */
typedef void MX_REAL(mx_pack_function)(ptrdiff_t count, ptrdiff_t k, const real *src, ptrdiff_t stride,
                                       ptrdiff_t stride_k, real *dst);

/* sums[j] += x_0j + … + x_{m-1, j}, one after the other. */
typedef void MX_REAL(mx_sum_function)(ptrdiff_t m, ptrdiff_t n, const real *x, ptrdiff_t rs, ptrdiff_t cs, real *sums);

/* What is done beside the multiplications for a block that comes later, in runs of count steps: with each step a row of
   a panel of A is packed, whose elements lie side by side, or a line is sent for; or with each run a row of a panel of
   B is packed, or a piece of a column of either, whose elements lie side by side, the first piece of every column
   before the second ones.  What belongs to the steps of a run is stride apart, what belongs to the runs, or columns,
   across.  ahead: how far behind is what the cache is told to fetch when it is packed; from step, or run, turn on it is
   turned. */
enum mx_beside { MX_NOTHING, MX_ROWS_OF_A, MX_COLUMNS_OF_A, MX_ROWS_OF_B, MX_COLUMNS_OF_B, MX_LINES };
typedef struct MX_REAL(mx_work_beside) {
    enum mx_beside what;
    ptrdiff_t runs, count;
    const real *from;
    ptrdiff_t stride, across, ahead, turn, turned;
    real *to;
} work_beside;

/* Elements of a column that are packed at a time: as many as hide beside the multiplications of one step. */
#define PIECE 8

/* C = alpha A B + beta C for an m x n corner, m <= mr and n <= nr, of one register block; b is a panel, k long, and so
   is a, unless it is in place: mr rows, rsa apart.  Beside it, where n == nr: at most k steps, and nothing of an A in
   place. */
typedef struct MX_REAL(mx_block) {
    ptrdiff_t m, n, k;
    real alpha, beta;
    const real *a;
    ptrdiff_t rsa;
    int in_place;
    const real *b;
    real *c;
    ptrdiff_t rsc, csc;
    work_beside beside;
} register_block;
typedef void MX_REAL(mx_micro_function)(const register_block *x);

/* A whole product without workspace. */
typedef void MX_REAL(mx_direct_function)(const product *f);

/* An n x n triangular matrix; the diagonal is not read if unit, the other triangle never. */
typedef struct MX_REAL(mx_triangle) {
    int lower, unit;
    ptrdiff_t n;
    const real *at;
    ptrdiff_t rs, cs;
} triangle;

/* The largest triangle that is solved with in one piece. */
#define MX_SOLVE 16

/* Elements after the last row of every column that the factorisations below may read and change: 0 or NaN before and
   after. */
#define MX_MARGIN (512 / MX_BITS)

/* A = P L U for m x n, n <= m, with contiguous columns ld apart.  Status and pivots as for mx_lu. */
typedef int MX_REAL(mx_lu_function)(ptrdiff_t m, ptrdiff_t n, real *a, ptrdiff_t ld, size_t *pivots);

/* A = L L' in the lower triangle, with contiguous columns ld apart.  Status as for mx_cholesky.  The upper triangle
   changes. */
typedef int MX_REAL(mx_cholesky_function)(ptrdiff_t n, real *a, ptrdiff_t ld);

/* T X = B for 1 <= n <= MX_SOLVE, X in the place of B. */
typedef void MX_REAL(mx_solve_function)(const triangle *t, ptrdiff_t columns, real *b, ptrdiff_t rs, ptrdiff_t cs);

/* Row i is exchanged with row pivots[i], i from 0 to count - 1, or from count - 1 to 0 if inverse. */
typedef void MX_REAL(mx_exchange_function)(ptrdiff_t count, const size_t *pivots, int inverse, ptrdiff_t columns,
                                           real *b, ptrdiff_t rs, ptrdiff_t cs);

/* An m x n matrix from one place to another. */
typedef void MX_REAL(mx_copy_function)(ptrdiff_t m, ptrdiff_t n, const real *src, ptrdiff_t rs, ptrdiff_t cs, real *dst,
                                       ptrdiff_t rd, ptrdiff_t cd);

/* mr divides MX_MAX_MR and nr divides MX_MAX_NR, so that a workspace for the largest block fits every set. */
#define MX_MAX_MR 8
#define MX_MAX_NR (24 * 64 / MX_BITS)

/* Bytes: addresses that agree modulo it compete for the same lines of the first-level cache, and loads wait for stores
   to such addresses. */
#define PAGE 4096

/* How many rows of B there are times the power of two, up to a page, that they lie a multiple of apart: the larger, the
   fewer places of a cache their lines share. */
static inline ptrdiff_t crowd_of_rows(const product *f) {
    const ptrdiff_t page = PAGE, distance = f->rsb * (ptrdiff_t)sizeof(real), power = distance & -distance;
    return (f->k < page ? f->k : page) * (power < page ? power : page);
}

/* strip: rows of a strip of B that the first-level cache holds; crowd: of rows that it does not hold if they stay where
   they are. */
typedef struct MX_REAL(mx_kernels) {
    ptrdiff_t lanes, mr, nr, strip, crowd;
    MX_REAL(mx_pack_function) * pack_a, *pack_b;
    MX_REAL(mx_sum_function) * sum;
    MX_REAL(mx_micro_function) * micro;
    MX_REAL(mx_direct_function) * vector; /* m == 1 */
    MX_REAL(mx_direct_function) * small;  /* any sizes; fast for small ones with csc == 1 */
    MX_REAL(mx_lu_function) * lu;
    MX_REAL(mx_cholesky_function) * cholesky;
    MX_REAL(mx_solve_function) * solve;
    MX_REAL(mx_exchange_function) * exchange;
    MX_REAL(mx_copy_function) * copy;
} kernels;

#endif
