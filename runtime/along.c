/* Operators along one line of elements, stride apart, and sums along many.  Compiled once for each element type. */
#include "dispatch.h"
#include "kernels.h"
#include "mxrt.h"

#include <math.h>

/* The place of the first largest element, or of the first NaN. */
static size_t first_largest(size_t n, const real *a, ptrdiff_t stride) {
    real largest = (real)-INFINITY;
    size_t first = 0;
    for (size_t i = 0; i < n; i++) {
        const real x = a[(ptrdiff_t)i * stride];
        if (x > largest || (x != x && largest == largest)) {
            largest = x;
            first = i;
        }
    }
    return first;
}

void MX_REAL(mx_first_max)(size_t n, const real *a, ptrdiff_t stride_a, real *y, ptrdiff_t stride_y) {
    const size_t first = first_largest(n, a, stride_a);
    for (size_t i = 0; i < n; i++)
        y[(ptrdiff_t)i * stride_y] = i == first;
}

/* y_i = (a_0 … a_{i-1}) (a_{i+1} … a_{n-1}): once up, once down. */
void MX_REAL(mx_others)(size_t n, const real *a, ptrdiff_t stride_a, real *y, ptrdiff_t stride_y) {
    real others = 1;
    for (size_t i = 0; i < n; i++) {
        y[(ptrdiff_t)i * stride_y] = others;
        others *= a[(ptrdiff_t)i * stride_a];
    }
    others = 1;
    for (size_t i = n; i-- > 0;) {
        y[(ptrdiff_t)i * stride_y] *= others;
        others *= a[(ptrdiff_t)i * stride_a];
    }
}

void MX_REAL(mx_sum_columns)(void *sums, size_t i, size_t j, size_t rows, size_t columns, const real *x, ptrdiff_t rs,
                             ptrdiff_t cs) {
    (void)i;
    MX_REAL(mx_dispatch)()->sum((ptrdiff_t)rows, (ptrdiff_t)columns, x, rs, cs, (real *)sums + j);
}

void MX_REAL(mx_sum_rows)(void *sums, size_t i, size_t j, size_t rows, size_t columns, const real *x, ptrdiff_t rs,
                          ptrdiff_t cs) {
    (void)j;
    MX_REAL(mx_dispatch)()->sum((ptrdiff_t)columns, (ptrdiff_t)rows, x, cs, rs, (real *)sums + i);
}
