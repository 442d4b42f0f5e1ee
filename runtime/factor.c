/* LU and Cholesky factorisations and triangular solves: recursive, so that nearly all of their work is products.
   F. Gustavson, Recursion leads to automatic variable blocking for dense linear-algebra algorithms, IBM J. Res. Dev.
   41(6), 1997; S. Toledo, Locality of reference in LU decomposition with partial pivoting, SIAM J. Matrix Anal. Appl.
   18(4), 1997.  Compiled once for each element type. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "dispatch.h"
#include "kernels.h"
#include "mxrt.h"

/* Columns that LU eliminates in one piece. */
#define LEAF 8

/* Columns that LU copies together, so that what is eliminated lies contiguous. */
#define PANEL 32

/* Up to this size no workspace is needed: what is copied lies on the stack, in columns of STACK_LINES lines. */
#define ON_STACK 16
#define STACK_LINES 3

/* Rows of the diagonal blocks of a Cholesky factorisation. */
#define BLOCK 32

typedef struct view {
    real *at;
    ptrdiff_t rs, cs;
} view;

static view part(view a, ptrdiff_t i, ptrdiff_t j) {
    return (view){a.at + i * a.rs + j * a.cs, a.rs, a.cs};
}

static view transposed(view a) {
    return (view){a.at, a.cs, a.rs};
}

/* At least one half of n > unit, a multiple of unit, less than n. */
static ptrdiff_t half(ptrdiff_t n, ptrdiff_t unit) {
    return ((n + 1) / 2 + unit - 1) / unit * unit;
}

static char *aligned(void *work) {
    size_t past = (uintptr_t)work % LINE;
    return (char *)work + (past == 0 ? 0 : LINE - past);
}

/* From one copied column to the next: rows and margin in an odd number of lines, which spreads the columns over the
   sets of a cache. */
static ptrdiff_t copied_stride(ptrdiff_t rows) {
    return ((rows + MX_MARGIN + LINE_REALS - 1) / LINE_REALS | 1) * LINE_REALS;
}

static void clear_margins(ptrdiff_t m, ptrdiff_t n, real *copy, ptrdiff_t ld) {
    for (ptrdiff_t j = 0; j < n; j++)
        for (ptrdiff_t i = m; i < m + MX_MARGIN; i++)
            copy[j * ld + i] = 0;
}

/* What a factorisation works with. */
typedef struct elimination {
    const kernels *set;
    real *copied; /* columns that are copied together, ld apart: PANEL for LU, BLOCK for Cholesky */
    ptrdiff_t ld;
    void *work; /* of the products */
} elimination;

/* C -= A B with A m x k, B k x n. */
static void subtract_product(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const real *a, ptrdiff_t rs, ptrdiff_t cs, view b,
                             view c, void *work) {
    MX_REAL(mx_gemm)
    ((size_t)m, (size_t)n, (size_t)k, -1, a, rs, cs, b.at, b.rs, b.cs, 1, c.at, c.rs, c.cs, work);
}

/* ---- Triangular solves ---- */

/* With T and B in halves, T11 X1 = B1 and T22 X2 = B2 - T21 X1; for upper T from the bottom up. */
static void solve(const kernels *set, const triangle *t, ptrdiff_t columns, view b, void *work) {
    if (t->n <= MX_SOLVE) {
        set->solve(t, columns, b.at, b.rs, b.cs);
        return;
    }
    ptrdiff_t h = half(t->n, MX_SOLVE), rest = t->n - h;
    triangle top = *t, bottom = *t;
    top.n = h;
    bottom.n = rest;
    bottom.at += h * (t->rs + t->cs);
    view lower_b = part(b, h, 0);
    if (t->lower) {
        solve(set, &top, columns, b, work);
        subtract_product(rest, columns, h, t->at + h * t->rs, t->rs, t->cs, b, lower_b, work);
        solve(set, &bottom, columns, lower_b, work);
    } else {
        solve(set, &bottom, columns, lower_b, work);
        subtract_product(h, columns, rest, t->at + h * t->cs, t->rs, t->cs, lower_b, b, work);
        solve(set, &top, columns, b, work);
    }
}

void MX_REAL(mx_trsm)(int lower, int unit, size_t n, size_t columns, const real *t, ptrdiff_t rst, ptrdiff_t cst,
                      real *b, ptrdiff_t rsb, ptrdiff_t csb, void *work) {
    if (n == 0 || columns == 0)
        return;
    triangle given = {lower, unit, (ptrdiff_t)n, t, rst, cst};
    solve(MX_REAL(mx_dispatch)(), &given, (ptrdiff_t)columns, (view){b, rsb, csb}, work);
}

static size_t product_bytes(size_t m, size_t n, size_t k) {
    return MX_REAL_AND(mx_gemm, _worksize)(m, n, k);
}

size_t MX_REAL_AND(mx_trsm, _worksize)(size_t n, size_t columns) {
    if (product_bytes(n, columns, n) == SIZE_MAX)
        return SIZE_MAX;
    size_t h = (size_t)half((ptrdiff_t)n, MX_SOLVE);
    return n <= MX_SOLVE ? 0 : product_bytes(h, columns, h);
}

/* ---- LU ---- */

/* A = P L U for m x n, n <= m, in place; pivots count from the first row of A. */
typedef int factor_function(const elimination *e, ptrdiff_t m, ptrdiff_t n, view a, size_t *pivots);

/* With columns in halves, the first one h wide: A1 = P1 L1 U11, (U12; A22) = P1' A2, A22 -= L21 U12, and A22 itself. */
static int factor_halves(factor_function *factor, const elimination *e, ptrdiff_t m, ptrdiff_t n, ptrdiff_t h, view a,
                         size_t *pivots) {
    ptrdiff_t rest = n - h;
    view right = part(a, 0, h), below = part(a, h, 0), corner = part(a, h, h);
    int status = factor(e, m, h, a, pivots);
    e->set->exchange(h, pivots, 0, rest, right.at, a.rs, a.cs);
    triangle l = {1, 1, h, a.at, a.rs, a.cs};
    solve(e->set, &l, rest, right, e->work);
    subtract_product(m - h, rest, h, below.at, a.rs, a.cs, right, corner, e->work);
    int later = factor(e, m - h, rest, corner, pivots + h);
    e->set->exchange(rest, pivots + h, 0, h, below.at, a.rs, a.cs);
    for (ptrdiff_t i = h; i < n; i++)
        pivots[i] += (size_t)h;
    return status == MX_OK ? later : status;
}

static int factor_panel(const elimination *e, ptrdiff_t m, ptrdiff_t n, view a, size_t *pivots) {
    if (n > LEAF)
        return factor_halves(factor_panel, e, m, n, half(n, LEAF), a, pivots);
    return e->set->lu(m, n, a.at, a.cs, pivots);
}

static int factor_columns(const elimination *e, ptrdiff_t m, ptrdiff_t n, view a, size_t *pivots) {
    if (n > PANEL)
        return factor_halves(factor_columns, e, m, n, half(n, PANEL), a, pivots);
    e->set->copy(m, n, a.at, a.rs, a.cs, e->copied, 1, e->ld);
    clear_margins(m, n, e->copied, e->ld);
    int status = factor_panel(e, m, n, (view){e->copied, 1, e->ld}, pivots);
    e->set->copy(m, n, e->copied, 1, e->ld, a.at, a.rs, a.cs);
    return status;
}

static int factor_on_stack(const kernels *set, ptrdiff_t n, view a, size_t *pivots) {
    _Alignas(LINE) real panel[STACK_LINES * ON_STACK * LINE_REALS];
    elimination e = {set, panel, STACK_LINES * LINE_REALS, NULL};
    return factor_columns(&e, n, n, a, pivots);
}

int MX_REAL(mx_lu)(size_t size, real *a, ptrdiff_t rsa, ptrdiff_t csa, size_t *pivots, void *work) {
    ptrdiff_t n = (ptrdiff_t)size;
    view all = {a, rsa, csa};
    if (n == 0)
        return MX_OK;
    if (n <= ON_STACK)
        return factor_on_stack(MX_REAL(mx_dispatch)(), n, all, pivots);
    real *panel = (real *)(void *)aligned(work);
    elimination e = {MX_REAL(mx_dispatch)(), panel, copied_stride(n),
                     panel + copied_stride(n) * (n < PANEL ? n : PANEL)};
    return factor_columns(&e, n, n, all, pivots);
}

/* No product has more rows than A, nor more columns or depth than one half, and mx_gemm_*_worksize grows with all. */
size_t MX_REAL_AND(mx_lu, _worksize)(size_t n) {
    if (product_bytes(n, n, n) == SIZE_MAX)
        return SIZE_MAX;
    if (n <= ON_STACK)
        return 0;
    size_t h = (size_t)half((ptrdiff_t)n, n > PANEL ? PANEL : LEAF);
    size_t panel = (size_t)copied_stride((ptrdiff_t)n) * (n < PANEL ? n : PANEL) * sizeof(real);
    return LINE + panel + product_bytes(n, h, h);
}

void MX_REAL(mx_permute_rows)(size_t n, size_t columns, const size_t *pivots, int inverse, real *b, ptrdiff_t rsb,
                              ptrdiff_t csb) {
    MX_REAL(mx_dispatch)()->exchange((ptrdiff_t)n, pivots, inverse, (ptrdiff_t)columns, b, rsb, csb);
}

/* ---- Determinants ---- */

/* mantissa 2^exponent, the mantissa from sqrt(1/2) to sqrt(2), or 0, infinite or NaN. */
typedef struct scaled {
    double mantissa;
    ptrdiff_t exponent;
} scaled;

static scaled times(scaled x, double factor) {
    int shift = 0;
    double next = x.mantissa * frexp(factor, &shift);
    if (next == 0 || !isfinite(next))
        return (scaled){next, 0};
    x.exponent += shift;
    x.mantissa = frexp(next, &shift);
    x.exponent += shift;
    if (fabs(x.mantissa) < 0.70710678118654752)
        return (scaled){2 * x.mantissa, x.exponent - 1};
    return x;
}

static scaled diagonal_product(ptrdiff_t n, const real *lu, ptrdiff_t rs, ptrdiff_t cs) {
    scaled det = {1, 0};
    for (ptrdiff_t i = 0; i < n; i++)
        det = times(det, lu[i * (rs + cs)]);
    return det;
}

real MX_REAL(mx_lu_logabsdet)(size_t n, const real *lu, ptrdiff_t rs, ptrdiff_t cs) {
    scaled det = diagonal_product((ptrdiff_t)n, lu, rs, cs);
    return (real)(log(fabs(det.mantissa)) + (double)det.exponent * 0.69314718055994531);
}

real MX_REAL(mx_lu_det)(size_t n, const real *lu, ptrdiff_t rs, ptrdiff_t cs, const size_t *pivots) {
    scaled det = diagonal_product((ptrdiff_t)n, lu, rs, cs);
    for (size_t i = 0; i < n; i++)
        if (pivots[i] != i)
            det.mantissa = -det.mantissa;
    ptrdiff_t beyond = 5000, e = det.exponent;
    return (real)ldexp(det.mantissa, (int)(e > beyond ? beyond : e < -beyond ? -beyond : e));
}

/* ---- Cholesky ---- */

/* The lower triangle, in strips of rows. */
static void copy_strips(const kernels *set, ptrdiff_t n, view from, view to) {
    const ptrdiff_t strip = 4;
    for (ptrdiff_t i = 0; i < n; i += strip) {
        ptrdiff_t rows = n - i < strip ? n - i : strip;
        set->copy(rows, i, from.at + i * from.rs, from.rs, from.cs, to.at + i * to.rs, to.rs, to.cs);
        for (ptrdiff_t r = 0; r < rows; r++)
            for (ptrdiff_t j = i; j <= i + r; j++)
                to.at[(i + r) * to.rs + j * to.cs] = from.at[(i + r) * from.rs + j * from.cs];
    }
}

static void copy_lower(const kernels *set, ptrdiff_t n, view from, view to) {
    if (from.rs != 1 || to.rs != 1)
        copy_strips(set, n, from, to);
    else
        for (ptrdiff_t j = 0; j < n; j++)
            memcpy(part(to, j, j).at, part(from, j, j).at, (size_t)(n - j) * sizeof(real));
}

static int cholesky_copied(const elimination *e, ptrdiff_t n, view a) {
    view copy = {e->copied, 1, e->ld};
    memset(e->copied, 0, (size_t)(n * e->ld) * sizeof(real));
    copy_lower(e->set, n, a, copy);
    int status = e->set->cholesky(n, e->copied, e->ld);
    copy_lower(e->set, n, copy, a);
    return status;
}

/* C -= A A' for the lower triangle of C, n <= BLOCK; the upper one is found and thrown away. */
static void subtract_block(const elimination *e, ptrdiff_t n, ptrdiff_t k, view a, view c) {
    MX_REAL(mx_gemm)
    ((size_t)n, (size_t)n, (size_t)k, 1, a.at, a.rs, a.cs, a.at, a.cs, a.rs, 0, e->copied, n, 1, e->work);
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = 0; j <= i; j++)
            c.at[i * c.rs + j * c.cs] -= e->copied[i * n + j];
}

/* The same for any n: two triangles and the rectangle under the first one. */
static void subtract_square(const elimination *e, ptrdiff_t n, ptrdiff_t k, view a, view c) {
    if (n <= BLOCK) {
        subtract_block(e, n, k, a, c);
        return;
    }
    ptrdiff_t h = half(n, BLOCK);
    view below = part(a, h, 0);
    subtract_square(e, h, k, a, c);
    subtract_product(n - h, h, k, below.at, a.rs, a.cs, transposed(a), part(c, h, 0), e->work);
    subtract_square(e, n - h, k, below, part(c, h, h));
}

/* A11 = L11 L11', L11 L21' = A21', A22 -= L21 L21', and A22 itself. */
static int cholesky(const elimination *e, ptrdiff_t n, view a) {
    if (n <= BLOCK)
        return cholesky_copied(e, n, a);
    ptrdiff_t h = half(n, BLOCK);
    int status = cholesky(e, h, a);
    if (status != MX_OK)
        return status;
    view below = part(a, h, 0), corner = part(a, h, h);
    triangle l = {1, 0, h, a.at, a.rs, a.cs};
    solve(e->set, &l, n - h, transposed(below), e->work);
    subtract_square(e, n - h, h, below, corner);
    return cholesky(e, n - h, corner);
}

static int cholesky_on_stack(const kernels *set, ptrdiff_t n, view a) {
    _Alignas(LINE) real block[STACK_LINES * ON_STACK * LINE_REALS];
    elimination e = {set, block, STACK_LINES * LINE_REALS, NULL};
    return cholesky_copied(&e, n, a);
}

int MX_REAL(mx_cholesky)(size_t n, real *a, ptrdiff_t rsa, ptrdiff_t csa, void *work) {
    view all = {a, rsa, csa};
    const kernels *set = MX_REAL(mx_dispatch)();
    if (n <= ON_STACK)
        return cholesky_on_stack(set, (ptrdiff_t)n, all);
    elimination e = {set, (real *)(void *)aligned(work), copied_stride(BLOCK), NULL};
    e.work = e.copied + BLOCK * e.ld;
    return cholesky(&e, (ptrdiff_t)n, all);
}

size_t MX_REAL_AND(mx_cholesky, _worksize)(size_t n) {
    if (product_bytes(n, n, n) == SIZE_MAX)
        return SIZE_MAX;
    if (n <= ON_STACK)
        return 0;
    size_t h = n <= BLOCK ? 0 : (size_t)half((ptrdiff_t)n, BLOCK);
    return LINE + BLOCK * (size_t)copied_stride(BLOCK) * sizeof(real) + product_bytes(h, h, h);
}
