/* Matrices factored into arrays of the caller, and systems solved by these factors: factor.c as generated code calls
   it. An LU factor is one array: n pivots, and behind them, at the element 2n, L and U by columns.  Compiled once for
   each element type. */
#include <math.h>
#include <string.h>

#include "dispatch.h"
#include "kernels.h"
#include "mxrt.h"

_Static_assert(sizeof(size_t) <= 2 * sizeof(real), "a pivot takes at most two elements");

static size_t *pivots_of(real *factor) {
    return (size_t *)(void *)factor;
}

static const size_t *const_pivots_of(const real *factor) {
    return (const size_t *)(const void *)factor;
}

void MX_REAL(mx_factor_lu)(size_t n, const real *a, ptrdiff_t rsa, ptrdiff_t csa, real *factor, void *work) {
    if (n == 0)
        return;
    ptrdiff_t rows = (ptrdiff_t)n;
    real *lu = factor + 2 * n;
    MX_REAL(mx_dispatch)()->copy(rows, rows, a, rsa, csa, lu, 1, rows);
    (void)MX_REAL(mx_lu)(n, lu, 1, rows, pivots_of(factor), work);
}

int MX_REAL(mx_factor_cholesky)(size_t n, const real *a, ptrdiff_t rsa, ptrdiff_t csa, real *l, ptrdiff_t rsl,
                                ptrdiff_t csl, void *work) {
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++) {
        for (ptrdiff_t j = 0; j <= i; j++)
            l[i * rsl + j * csl] = a[i * rsa + j * csa];
        for (ptrdiff_t j = i + 1; j < (ptrdiff_t)n; j++)
            l[i * rsl + j * csl] = 0;
    }
    return n == 0 ? MX_OK : MX_REAL(mx_cholesky)(n, l, rsl, csl, work);
}

static int is_regular(size_t n, const real *diagonal, ptrdiff_t stride) {
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
        if (diagonal[i * stride] == 0 || !isfinite(diagonal[i * stride]))
            return 0;
    return 1;
}

int MX_REAL(mx_check_regular)(size_t n, const real *d) {
    return is_regular(n, d, 1) ? MX_OK : MX_ERR_SINGULAR;
}

int MX_REAL(mx_check_positive)(size_t n, const real *d) {
    for (size_t i = 0; i < n; i++)
        if (!(d[i] > 0 && isfinite(d[i])))
            return MX_ERR_NOT_SPD;
    return MX_OK;
}

int MX_REAL(mx_solve_triangular)(size_t n, size_t columns, int lower, const real *t, ptrdiff_t rst, ptrdiff_t cst,
                                 real *b, ptrdiff_t rsb, ptrdiff_t csb, void *work) {
    if (!is_regular(n, t, rst + cst))
        return MX_ERR_SINGULAR;
    MX_REAL(mx_trsm)(lower, 0, n, columns, t, rst, cst, b, rsb, csb, work);
    return MX_OK;
}

int MX_REAL(mx_solve_lu)(size_t n, size_t columns, int transposed, const real *factor, real *b, ptrdiff_t rsb,
                         ptrdiff_t csb, void *work) {
    ptrdiff_t rows = (ptrdiff_t)n;
    const real *lu = factor + 2 * n;
    const size_t *pivots = const_pivots_of(factor);
    if (n == 0)
        return MX_OK;
    if (!is_regular(n, lu, rows + 1))
        return MX_ERR_SINGULAR;
    if (transposed) {
        MX_REAL(mx_trsm)(1, 0, n, columns, lu, rows, 1, b, rsb, csb, work);
        MX_REAL(mx_trsm)(0, 1, n, columns, lu, rows, 1, b, rsb, csb, work);
        MX_REAL(mx_permute_rows)(n, columns, pivots, 1, b, rsb, csb);
    } else {
        MX_REAL(mx_permute_rows)(n, columns, pivots, 0, b, rsb, csb);
        MX_REAL(mx_trsm)(1, 1, n, columns, lu, 1, rows, b, rsb, csb, work);
        MX_REAL(mx_trsm)(0, 0, n, columns, lu, 1, rows, b, rsb, csb, work);
    }
    return MX_OK;
}

real MX_REAL(mx_factor_det)(size_t n, const real *factor) {
    return MX_REAL(mx_lu_det)(n, factor + 2 * n, 1, (ptrdiff_t)n, const_pivots_of(factor));
}

int MX_REAL(mx_factor_logabsdet)(size_t n, const real *factor, real *y) {
    const real *lu = factor + 2 * n;
    if (!is_regular(n, lu, (ptrdiff_t)n + 1))
        return MX_ERR_SINGULAR;
    *y = MX_REAL(mx_lu_logabsdet)(n, lu, 1, (ptrdiff_t)n);
    return MX_OK;
}
