/* Products with what is done beside them in other pieces than the runtime's, and in an order that its header allows
 * as well: what generated code does with pieces must not depend on them. Built with these names in the place of the
 * runtime's (mx.py). */
#include <mxrt.h>

enum { ROWS = 3, COLUMNS = 2 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Rows from the last on; of each of them the prologue from right to left, the epilogue from left to right.  Of A and B
 * rows from the last on and columns from the last on, each in its order. */
#define TILED(real, suffix)                                                                                            \
    static void read_lines_##suffix(const mx_reader_##suffix *of, size_t rows, size_t columns, const real *x,          \
                                    ptrdiff_t rs, ptrdiff_t cs, int by_columns) {                                      \
        const size_t lines = by_columns ? columns : rows, length = by_columns ? rows : columns;                        \
        for (size_t l = lines; of && l-- > 0;)                                                                         \
            for (size_t p = 0, count; p < length; p += count) {                                                        \
                const size_t i = by_columns ? p : l, j = by_columns ? l : p;                                           \
                count = least(length - p, ROWS);                                                                       \
                of->tile(of->context, i, j, by_columns ? count : 1, by_columns ? 1 : count,                            \
                         x + (ptrdiff_t)i * rs + (ptrdiff_t)j * cs, rs, cs);                                           \
            }                                                                                                          \
    }                                                                                                                  \
    void tiled_gemm_##suffix##_hooked(size_t m, size_t n, size_t k, real alpha, const real *a, ptrdiff_t rsa,          \
                                      ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta, real *c,  \
                                      ptrdiff_t rsc, ptrdiff_t csc, void *work, const mx_hooks_##suffix *hooks) {      \
        const mx_epilogue_##suffix *first = hooks->prologue, *after = hooks->epilogue;                                 \
        read_lines_##suffix(hooks->a, m, k, a, rsa, csa, 0);                                                           \
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
        read_lines_##suffix(hooks->b, k, n, b, rsb, csb, 1);                                                           \
    }
TILED(double, f64)
TILED(float, f32)
