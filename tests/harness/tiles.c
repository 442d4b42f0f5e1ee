/* Products with a prologue and an epilogue in other pieces than the runtime's, and in an order that its header allows
 * as well: what generated code does with pieces must not depend on them. Built with these names in the place of the
 * runtime's (mx.py). */
#include <mxrt.h>

enum { ROWS = 3, COLUMNS = 2 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Rows from the last on; of each of them the prologue from right to left, the epilogue from left to right. */
#define TILED(real, suffix)                                                                                            \
    void tiled_gemm_##suffix##_fused(size_t m, size_t n, size_t k, real alpha, const real *a, ptrdiff_t rsa,           \
                                     ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta, real *c,   \
                                     ptrdiff_t rsc, ptrdiff_t csc, void *work, const mx_prologue_##suffix *first,      \
                                     const mx_epilogue_##suffix *after) {                                              \
        for (size_t i = (m + ROWS - 1) / ROWS * ROWS; i > 0; i -= ROWS) {                                              \
            const size_t row = i - ROWS, rows = least(m - row, ROWS);                                                  \
            real *const at = c + (ptrdiff_t)row * rsc;                                                                 \
            for (size_t j = (n + COLUMNS - 1) / COLUMNS * COLUMNS; j > 0 && first; j -= COLUMNS)                       \
                first->tile(first->context, row, j - COLUMNS, rows, least(n - (j - COLUMNS), COLUMNS),                 \
                            at + (ptrdiff_t)(j - COLUMNS) * csc, rsc, csc);                                            \
            mx_gemm_##suffix(rows, n, k, alpha, a + (ptrdiff_t)row * rsa, rsa, csa, b, rsb, csb, beta, at, rsc, csc,   \
                             work);                                                                                    \
            for (size_t j = 0; j < n && after; j += COLUMNS)                                                           \
                after->tile(after->context, row, j, rows, least(n - j, COLUMNS), at + (ptrdiff_t)j * csc, rsc, csc);   \
        }                                                                                                              \
    }
TILED(double, f64)
TILED(float, f32)
