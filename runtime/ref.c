/* The naive twin of every entry point: plain loops, sums in a wider type, one rounding.  Compiled once for each element
   type. */
#include <math.h>

#include "mxrt.h"
#include "real.h"

static wide_real row_times_column(ptrdiff_t k, const real *a, ptrdiff_t csa, const real *b, ptrdiff_t rsb) {
    wide_real sum = 0;
    for (ptrdiff_t p = 0; p < k; p++)
        sum += (wide_real)a[p * csa] * b[p * rsb];
    return sum;
}

void MX_REAL(mx_ref_gemm)(size_t m, size_t n, size_t k, real alpha, const real *a, ptrdiff_t rsa, ptrdiff_t csa,
                          const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta, real *c, ptrdiff_t rsc, ptrdiff_t csc,
                          void *work) {
    (void)work;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)m; i++)
        for (ptrdiff_t j = 0; j < (ptrdiff_t)n; j++) {
            real *to = c + i * rsc + j * csc;
            wide_real value = beta == 0 ? 0 : (wide_real)beta * *to;
            if (alpha != 0 && k != 0)
                value += alpha * row_times_column((ptrdiff_t)k, a + i * rsa, csa, b + j * csb, rsb);
            *to = (real)value;
        }
}

/* a_ij - Σ_{p<k} a_ip a_pj. */
static real reduced(const real *a, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t i, ptrdiff_t j, ptrdiff_t k) {
    return (real)((wide_real)a[i * rs + j * cs] - row_times_column(k, a + i * rs, cs, a + j * cs, rs));
}

static void swap_rows(ptrdiff_t n, real *x, real *y, ptrdiff_t stride) {
    for (ptrdiff_t j = 0; j < n; j++) {
        real t = x[j * stride];
        x[j * stride] = y[j * stride];
        y[j * stride] = t;
    }
}

/* The first row from j on with the largest number in column j; j if there is none. */
static ptrdiff_t pivot_row(ptrdiff_t n, const real *a, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t j) {
    ptrdiff_t best = -1;
    for (ptrdiff_t i = j; i < n; i++) {
        double x = fabs((double)a[i * rs + j * cs]);
        if (!isnan(x) && (best < 0 || x > fabs((double)a[best * rs + j * cs])))
            best = i;
    }
    return best < 0 ? j : best;
}

/* Crout: column j of L and U from the columns before it. */
int MX_REAL(mx_ref_lu)(size_t size, real *a, ptrdiff_t rsa, ptrdiff_t csa, size_t *pivots, void *work) {
    ptrdiff_t n = (ptrdiff_t)size;
    int status = MX_OK;
    (void)work;
    for (ptrdiff_t j = 0; j < n; j++) {
        for (ptrdiff_t i = 0; i < n; i++)
            a[i * rsa + j * csa] = reduced(a, rsa, csa, i, j, i < j ? i : j);
        ptrdiff_t best = pivot_row(n, a, rsa, csa, j);
        pivots[j] = (size_t)best;
        if (best != j)
            swap_rows(n, a + j * rsa, a + best * rsa, csa);
        real pivot = a[j * (rsa + csa)];
        for (ptrdiff_t i = j + 1; i < n && pivot != 0; i++)
            a[i * rsa + j * csa] /= pivot;
        if (pivot == 0 || !isfinite(pivot))
            status = MX_ERR_SINGULAR;
    }
    return status;
}

int MX_REAL(mx_ref_cholesky)(size_t size, real *a, ptrdiff_t rsa, ptrdiff_t csa, void *work) {
    ptrdiff_t n = (ptrdiff_t)size;
    (void)work;
    for (ptrdiff_t j = 0; j < n; j++)
        for (ptrdiff_t i = j; i < n; i++) {
            real *to = a + i * rsa + j * csa;
            wide_real x = (wide_real)*to - row_times_column(j, a + i * rsa, csa, a + j * rsa, csa);
            if (i == j && (!(x > 0) || !isfinite(x)))
                return MX_ERR_NOT_SPD;
            *to = (real)(i == j ? sqrtl(x) : x / a[j * (rsa + csa)]);
        }
    return MX_OK;
}

void MX_REAL(mx_ref_trsm)(int lower, int unit, size_t size, size_t columns, const real *t, ptrdiff_t rst, ptrdiff_t cst,
                          real *b, ptrdiff_t rsb, ptrdiff_t csb, void *work) {
    ptrdiff_t n = (ptrdiff_t)size;
    (void)work;
    for (ptrdiff_t j = 0; j < (ptrdiff_t)columns; j++)
        for (ptrdiff_t step = 0; step < n; step++) {
            ptrdiff_t i = lower ? step : n - 1 - step, from = lower || step == 0 ? 0 : i + 1;
            real *to = b + i * rsb + j * csb;
            wide_real x = *to - row_times_column(step, t + i * rst + from * cst, cst, b + from * rsb + j * csb, rsb);
            *to = (real)(unit ? x : x / t[i * (rst + cst)]);
        }
}

void MX_REAL(mx_ref_permute_rows)(size_t n, size_t columns, const size_t *pivots, int inverse, real *b, ptrdiff_t rsb,
                                  ptrdiff_t csb) {
    for (size_t step = 0; step < n; step++) {
        size_t i = inverse ? n - 1 - step : step;
        swap_rows((ptrdiff_t)columns, b + (ptrdiff_t)i * rsb, b + (ptrdiff_t)pivots[i] * rsb, csb);
    }
}

real MX_REAL(mx_ref_lu_logabsdet)(size_t n, const real *lu, ptrdiff_t rs, ptrdiff_t cs) {
    long double sum = 0;
    for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
        sum += logl(fabsl((long double)lu[i * (rs + cs)]));
    return (real)sum;
}

/* The powers of two are multiplied apart from the rest. */
real MX_REAL(mx_ref_lu_det)(size_t n, const real *lu, ptrdiff_t rs, ptrdiff_t cs, const size_t *pivots) {
    long double det = 1;
    long exponent = 0;
    for (size_t i = 0; i < n; i++) {
        int shift = 0;
        det = frexpl(det * lu[(ptrdiff_t)i * (rs + cs)], &shift);
        exponent += det != 0 && isfinite(det) ? shift : 0;
        det = pivots[i] == i ? det : -det;
    }
    return (real)scalbln((double)det, exponent);
}
