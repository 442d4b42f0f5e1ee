/* Workspaces: what generated code needs to measure and divide them. C99; sizes saturate at SIZE_MAX, which says that
 * they overflow. */
#ifndef MXWORK_H
#define MXWORK_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Every array in a workspace begins at a multiple of this many bytes: a cache line. */
#define MX_ALIGNMENT 64

/* Elements, rounded up to whole cache lines. */
#define MX_PAD_F64(elements) (((elements) + 7) / 8 * 8)
#define MX_PAD_F32(elements) (((elements) + 15) / 16 * 16)

static inline size_t mx_size_add(size_t a, size_t b) {
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t mx_size_mul(size_t a, size_t b) {
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

/* a - b, but 0 where that is negative: the size of a slice whose bounds are wrong. */
static inline size_t mx_size_sub(size_t a, size_t b) {
    return a > b ? a - b : 0;
}

/* The same where SIZE_MAX says that a overflowed: then so does the difference. */
static inline size_t mx_size_less(size_t a, size_t b) {
    return a == SIZE_MAX ? SIZE_MAX : mx_size_sub(a, b);
}

static inline size_t mx_size_max(size_t a, size_t b) {
    return a > b ? a : b;
}

/* bytes, and behind them that many arrays of elements of size bytes each. */
static inline size_t mx_size_slots(size_t bytes, size_t slots, size_t elements, size_t size) {
    const size_t padded = mx_size_add(mx_size_mul(elements, size), MX_ALIGNMENT - 1);
    const size_t slot = padded == SIZE_MAX ? SIZE_MAX : padded / MX_ALIGNMENT * MX_ALIGNMENT;
    return mx_size_add(bytes, mx_size_mul(slots, slot));
}

/* A workspace of that many bytes that may begin anywhere. */
static inline size_t mx_size_area(size_t bytes) {
    return mx_size_add(bytes, MX_ALIGNMENT - 1);
}

/* The first multiple of MX_ALIGNMENT at or behind p. */
static inline void *mx_align(void *p) {
    return (char *)p + (MX_ALIGNMENT - (uintptr_t)p % MX_ALIGNMENT) % MX_ALIGNMENT;
}

static inline const void *mx_align_const(const void *p) {
    return (const char *)p + (MX_ALIGNMENT - (uintptr_t)p % MX_ALIGNMENT) % MX_ALIGNMENT;
}

/* What a product calls for each of its tiles (mx_prologue_*, mx_epilogue_*): name_loops with what is said of the struct
 * mx_in, of that name, and the tile's place; of the transposed product with the tile's place in its transpose. */
#define MX_TILE(real, name, ...) MX_TILE_AT(real, name, mx_row, mx_column, mx_rows, mx_columns, __VA_ARGS__)
#define MX_TILE_TRANSPOSED(real, name, ...) MX_TILE_AT(real, name, mx_column, mx_row, mx_columns, mx_rows, __VA_ARGS__)
#define MX_TILE_AT(real, name, row, column, rows, columns, ...)                                                        \
    static void name(void *mx_context, size_t row, size_t column, size_t rows, size_t columns, real *mx_tile,          \
                     ptrdiff_t mx_row_stride, ptrdiff_t mx_column_stride) {                                            \
        const struct name *const mx_in = (const struct name *)mx_context;                                              \
        (void)mx_tile, (void)mx_row_stride, (void)mx_column_stride;                                                    \
        name##_loops(__VA_ARGS__, mx_row, mx_column, mx_rows, mx_columns);                                             \
    }

/* What a function gives after an error. */
static inline void mx_nan_f64(double *x, size_t elements) {
    for (size_t i = 0; i < elements; i++)
        x[i] = (double)NAN;
}

static inline void mx_nan_f32(float *x, size_t elements) {
    for (size_t i = 0; i < elements; i++)
        x[i] = NAN;
}

/* Long functions are written in parts, each on a stack of its own. Where each group of arrays begins, counted in
 * elements, stands in a table at the head of the workspace; the arrays follow. */
#if defined(__GNUC__)
#define MX_NOINLINE __attribute__((noinline))
#else
#define MX_NOINLINE
#endif

static inline size_t mx_place(const void *table, size_t i) {
    size_t place;
    memcpy(&place, (const char *)table + i * sizeof place, sizeof place);
    return place;
}

static inline void mx_set_place(void *table, size_t i, size_t place) {
    memcpy((char *)table + i * sizeof place, &place, sizeof place);
}

/* What follows a table of that many places. */
static inline void *mx_behind(void *table, size_t places) {
    return (char *)table + (places * sizeof(size_t) + MX_ALIGNMENT - 1) / MX_ALIGNMENT * MX_ALIGNMENT;
}

#endif
