/* The naive twin of every entry point: plain loops, sums in a wider type, one rounding.  Compiled once for each element
   type. */
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
