/* The blocked product: five loops around the register block, after Goto and van de Geijn (ACM TOMS 34(3), 2008) and
   BLIS (ACM TOMS 41(3), 2015).  Compiled once for each element type. */
#include <math.h>
#include <stdint.h>

#include "dispatch.h"
#include "kernels.h"
#include "mxrt.h"

/* Cache blocks, the same for every kernel set because the workspace may not depend on it: an MC x KC block of A lies
   in the second-level cache, a KC x NC panel of B in the third. */
#define MC 144
#define KC (512 * 64 / MX_BITS)
#define NC 4032
_Static_assert(MC % MX_MAX_MR == 0 && NC % MX_MAX_NR == 0, "blocks are whole numbers of register blocks");

#define LINE 64

/* Up to this many multiplications packing costs more than it saves, and the product needs no workspace. */
#define SMALL (24 * 24 * 24)

/* The same where the rows of B are contiguous, so that it serves as it lies. */
#define SMALL_IN_PLACE (256 * 256 * 256)

/* The same where less than FLAT products are summed: strips of C, columns of few elements, are what costs then. */
#define SMALL_FLAT (96 * 96 * 96)
#define FLAT 64

/* Few rows use each element of B too seldom to pay for its packing: where columns of B are copied, and where rows of B
   serve as they lie, unless it is too deep for a strip to stay in the second-level cache.  Few columns: sums of
   products along contiguous operands. */
#define FEW_ROWS 16
#define FEW_ROWS_IN_PLACE 128
#define FEW_COLUMNS 8
#define DEEP 1024

/* Little to sum; bytes of a B that stays in the first-level cache. */
#define SHALLOW 4
#define NEAR 12288

static ptrdiff_t min(ptrdiff_t a, ptrdiff_t b) {
    return a < b ? a : b;
}

static ptrdiff_t round_up(ptrdiff_t x, ptrdiff_t unit) {
    return (x + unit - 1) / unit * unit;
}

/* The largest blocks of equal size, up to unit, that are at most limit: a short last block would waste its packing. */
static ptrdiff_t balanced(ptrdiff_t size, ptrdiff_t limit, ptrdiff_t unit) {
    ptrdiff_t blocks = (size + limit - 1) / limit;
    return min(limit, round_up((size + blocks - 1) / blocks, unit));
}

static int fits(size_t rows, size_t columns) {
    return rows == 0 || columns <= PTRDIFF_MAX / sizeof(real) / rows;
}

/* m n k <= limit, without overflow; exact for limits below 2^53. */
static int volume_within(ptrdiff_t limit, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
    return (double)m * (double)n * (double)k <= (double)limit;
}

static ptrdiff_t bytes_of_a(ptrdiff_t m, ptrdiff_t k) {
    return round_up(min(round_up(m, MX_MAX_MR), MC) * min(k, KC) * (ptrdiff_t)sizeof(real), LINE);
}

static ptrdiff_t bytes_of_b(ptrdiff_t n, ptrdiff_t k) {
    return round_up(min(round_up(n, MX_MAX_NR), NC) * min(k, KC) * (ptrdiff_t)sizeof(real), LINE);
}

/* Either operand may become the left one, depending on the strides of C. */
size_t MX_REAL_AND(mx_gemm, _worksize)(size_t rows, size_t columns, size_t depth) {
    if (!fits(rows, columns) || !fits(rows, depth) || !fits(depth, columns))
        return SIZE_MAX;
    ptrdiff_t m = (ptrdiff_t)rows, n = (ptrdiff_t)columns, k = (ptrdiff_t)depth;
    if (m <= 1 || n <= 1 || k == 0 || volume_within(SMALL, m, n, k))
        return 0;
    ptrdiff_t as_given = bytes_of_a(m, k) + bytes_of_b(n, k);
    ptrdiff_t swapped = bytes_of_a(n, k) + bytes_of_b(m, k);
    return (size_t)(as_given > swapped ? as_given : swapped) + LINE;
}

/* C = beta C. */
static void scale(const product *f) {
    if (f->beta == 1)
        return;
    for (ptrdiff_t i = 0; i < f->m; i++)
        for (ptrdiff_t j = 0; j < f->n; j++) {
            real *c = f->c + i * f->rsc + j * f->csc;
            *c = f->beta == 0 ? 0 : f->beta * *c;
        }
}

/* C' = alpha B' A' + beta C'. */
static product transposed(const product *f) {
    return (product){f->n,   f->m, f->k,   f->alpha, f->beta, f->b,   f->csb,
                     f->rsb, f->a, f->csa, f->rsa,   f->c,    f->csc, f->rsc};
}

/* One cache block of A against one of B, both packed.  The panel of B stays in the first-level cache while the panels
   of A pass by. */
static void multiply_blocks(const kernels *set, const product *f, const real *a, const real *b) {
    for (ptrdiff_t j = 0; j < f->n; j += set->nr)
        for (ptrdiff_t i = 0; i < f->m; i += set->mr)
            set->micro(f->k, f->alpha, a + i * f->k, b + j * f->k, f->beta, f->c + i * f->rsc + j * f->csc, f->rsc,
                       f->csc, min(f->m - i, set->mr), min(f->n - j, set->nr));
}

/* Blocks of rows of A against a packed panel of B. */
static void multiply_panel(const kernels *set, const product *f, real *a, const real *b) {
    ptrdiff_t mc = balanced(f->m, MC, MX_MAX_MR);
    for (ptrdiff_t i = 0; i < f->m; i += mc) {
        product part = *f;
        part.m = min(f->m - i, mc);
        part.c += i * f->rsc;
        set->pack_a(part.m, f->k, f->a + i * f->rsa, f->rsa, f->csa, a);
        multiply_blocks(set, &part, a, b);
    }
}

static void multiply(const kernels *set, const product *f, real *a, real *b) {
    ptrdiff_t nc = balanced(f->n, NC, MX_MAX_NR), kc = balanced(f->k, KC, 1);
    for (ptrdiff_t j = 0; j < f->n; j += nc)
        for (ptrdiff_t p = 0; p < f->k; p += kc) {
            product part = *f;
            part.n = min(f->n - j, nc);
            part.k = min(f->k - p, kc);
            part.beta = p == 0 ? f->beta : 1;
            part.a += p * f->csa;
            part.c += j * f->csc;
            set->pack_b(part.n, part.k, f->b + p * f->rsb + j * f->csb, f->csb, f->rsb, b);
            multiply_panel(set, &part, a, b);
        }
}

static void blocked(const kernels *set, const product *f, void *work) {
    size_t past = (uintptr_t)work % LINE;
    char *a = (char *)work + (past == 0 ? 0 : LINE - past);
    char *b = a + bytes_of_a(f->m, f->k);
    multiply(set, f, (real *)(void *)a, (real *)(void *)b);
}

/* The other ways multiply partial sums by alpha, and Inf times them could give Inf - Inf where Inf times the whole sum
   is Inf. */
static void row_by_row(const kernels *set, const product *f) {
    for (ptrdiff_t i = 0; i < f->m; i++) {
        product row = *f;
        row.m = 1;
        row.a += i * f->rsa;
        row.c += i * f->rsc;
        set->vector(&row);
    }
}

/* Vectors of C run along its rows. */
static int wants_transposition(const product *f) {
    if (f->m == 1 || f->n == 1)
        return f->m != 1;
    return f->csc != 1 && f->rsc == 1;
}

static int wants_no_copy(const product *f) {
    return volume_within(f->k < FLAT ? SMALL_FLAT : SMALL_IN_PLACE, f->m, f->n, f->k) || f->m <= FEW_ROWS ||
           f->k <= SHALLOW || (f->m <= FEW_ROWS_IN_PLACE && f->k <= DEEP) ||
           volume_within(NEAR / (ptrdiff_t)sizeof(real), 1, f->n, f->k);
}

static int wants_no_packing(const product *f) {
    if (f->csb == 1)
        return wants_no_copy(f);
    return volume_within(SMALL, f->m, f->n, f->k) ||
           (f->rsb == 1 && (f->m <= FEW_ROWS || (f->csa == 1 && f->n <= FEW_COLUMNS)));
}

void MX_REAL(mx_gemm)(size_t rows, size_t columns, size_t depth, real alpha, const real *a, ptrdiff_t rsa,
                      ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta, real *c, ptrdiff_t rsc,
                      ptrdiff_t csc, void *work) {
    product f = {
        (ptrdiff_t)rows, (ptrdiff_t)columns, (ptrdiff_t)depth, alpha, beta, a, rsa, csa, b, rsb, csb, c, rsc, csc};
    if (f.m == 0 || f.n == 0)
        return;
    if (f.k == 0 || alpha == 0) {
        scale(&f);
        return;
    }
    const kernels *set = MX_REAL(mx_dispatch)();
    if (wants_transposition(&f))
        f = transposed(&f);
    if (f.m == 1 || !isfinite(alpha))
        row_by_row(set, &f);
    else if (wants_no_packing(&f))
        set->small(&f);
    else
        blocked(set, &f, work);
}
