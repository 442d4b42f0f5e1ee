/* The ends of the recursions in factor.c: factorisations and triangular solves of few columns, and row exchanges.
   What does not lie as the vectors need it is copied, here to the stack, there to panels with a margin. */
#include <math.h>
#include <stdint.h>

#include "mxrt.h"
#include "simd.h"

#if MX_BITS == 64
typedef int64_t integer;
#define ROOT sqrt
#else
typedef int32_t integer;
#define ROOT sqrtf
#endif

/* What a comparison of two vectors gives: all bits set where it holds. */
typedef integer mask __attribute__((vector_size(VECTOR_BYTES)));

/* Vectors of columns that are solved side by side. */
#define WIDE 4

INLINE vector choose(mask which, vector yes, vector no) {
    return (vector)((which & (mask)yes) | (~which & (mask)no));
}

/* Rows of a column from some row on.  Vectors start at multiples of LANES, so that what one step stored the next one
   loads in the same pieces; which tells the lanes of the first vector that belong to the span.  The last vector may
   reach into the margin. */
typedef struct span {
    ptrdiff_t start, end;
    mask which;
} span;

INLINE mask lane_numbers(void) {
    mask lane = {0};
    UNROLL for (int v = 0; v < LANES; v++) lane[v] = v;
    return lane;
}

INLINE span span_from(ptrdiff_t row, ptrdiff_t end) {
    ptrdiff_t start = row - row % LANES;
    return (span){start, end, lane_numbers() >= (integer)(row - start)};
}

/* c -= l u from row start on. */
INLINE void subtract_column(ptrdiff_t start, ptrdiff_t rows, const real *l, real u, real *c) {
    for (ptrdiff_t i = start; i < rows; i += LANES)
        *(loose_vector *)(c + i) -= *(const loose_vector *)(l + i) * u;
}

INLINE void subtract_span(const span *s, const real *l, real u, real *c) {
    loose_vector *x = (loose_vector *)(c + s->start);
    *x = choose(s->which, *x - *(const loose_vector *)(l + s->start) * u, *x);
    subtract_column(s->start + LANES, s->end, l, u, c);
}

INLINE void divide(const span *s, real *c, real by) {
    loose_vector *x = (loose_vector *)(c + s->start);
    *x = choose(s->which, *x / by, *x);
    for (ptrdiff_t i = s->start + LANES; i < s->end; i += LANES)
        *(loose_vector *)(c + i) /= by;
}

/* The first row with the largest of all lanes, where lane v found best[v] at row at[v]; -1 if none found any. */
INLINE ptrdiff_t first_best(vector best, mask at) {
    real top = best[0];
    integer row = at[0];
    UNROLL for (int v = 1; v < LANES; v++) {
        int better = (best[v] > top) | ((best[v] == top) & (at[v] < row));
        top = better ? best[v] : top;
        row = better ? at[v] : row;
    }
    return top < 0 ? -1 : row;
}

/* The row of the largest |c_i|, the first at a tie, and the first of all if none is a number.  What follows the last
   row is 0 or NaN. */
static ptrdiff_t largest(const span *s, const real *c, ptrdiff_t first) {
    const mask sign = (mask)(-(vector){0});
    vector best = (vector){0} - 1;
    mask now = lane_numbers() + (integer)s->start, at = now, which = s->which;
    for (ptrdiff_t i = s->start; i < s->end; i += LANES) {
        vector signed_x = *(const loose_vector *)(c + i), x = (vector)(~sign & (mask)signed_x);
        mask better = (x > best) & which;
        best = choose(better, x, best);
        at = (better & now) | (~better & at);
        now += LANES;
        which = ~(mask){0};
    }
    ptrdiff_t row = first_best(best, at);
    return row < 0 || row >= s->end ? first : row;
}

INLINE void copy_any(ptrdiff_t m, ptrdiff_t n, const real *src, ptrdiff_t rs, ptrdiff_t cs, real *dst, ptrdiff_t rd,
                     ptrdiff_t cd) {
    for (ptrdiff_t i = 0; i < m; i++)
        for (ptrdiff_t j = 0; j < n; j++)
            dst[i * rd + j * cd] = src[i * rs + j * cs];
}

/* From contiguous columns to contiguous rows.  The outer loop is the long one: it passes through memory once. */
static void copy_transposed(ptrdiff_t m, ptrdiff_t n, const real *src, ptrdiff_t cs, real *dst, ptrdiff_t rd) {
    ptrdiff_t rows = m - m % 4, columns = n - n % 4;
    if (m > n)
        for (ptrdiff_t i = 0; i < rows; i += 4)
            for (ptrdiff_t j = 0; j < columns; j += 4)
                transpose_4x4(src + i + j * cs, cs, dst + i * rd + j, rd);
    else
        for (ptrdiff_t j = 0; j < columns; j += 4)
            for (ptrdiff_t i = 0; i < rows; i += 4)
                transpose_4x4(src + i + j * cs, cs, dst + i * rd + j, rd);
    copy_any(m - rows, n, src + rows, 1, cs, dst + rows * rd, rd, 1);
    copy_any(rows, n - columns, src + columns * cs, 1, cs, dst + columns, rd, 1);
}

void MX_KERNEL(mx_copy)(ptrdiff_t m, ptrdiff_t n, const real *src, ptrdiff_t rs, ptrdiff_t cs, real *dst, ptrdiff_t rd,
                        ptrdiff_t cd) {
    if (rs == 1 && cd == 1)
        copy_transposed(m, n, src, cs, dst, rd);
    else if (cs == 1 && rd == 1)
        copy_transposed(n, m, src, rs, dst, cd);
    else if (rs == 1 && rd == 1)
        copy_any(n, m, src, cs, 1, dst, cd, 1);
    else
        copy_any(m, n, src, rs, cs, dst, rd, cd);
}

static void exchange(ptrdiff_t n, real *restrict x, real *restrict y, ptrdiff_t stride) {
    for (ptrdiff_t j = 0; j < n; j++) {
        real t = x[j * stride];
        x[j * stride] = y[j * stride];
        y[j * stride] = t;
    }
}

static void exchange_two(ptrdiff_t i, ptrdiff_t other, ptrdiff_t columns, real *b, ptrdiff_t rs, ptrdiff_t cs) {
    if (i == other)
        return;
    if (cs == 1)
        exchange(columns, b + i * rs, b + other * rs, 1);
    else
        exchange(columns, b + i * rs, b + other * rs, cs);
}

static void exchange_all(ptrdiff_t count, const size_t *pivots, int inverse, ptrdiff_t columns, real *b, ptrdiff_t rs,
                         ptrdiff_t cs) {
    for (ptrdiff_t k = 0; k < count; k++) {
        ptrdiff_t i = inverse ? count - 1 - k : k;
        exchange_two(i, (ptrdiff_t)pivots[i], columns, b, rs, cs);
    }
}

static ptrdiff_t magnitude(ptrdiff_t stride) {
    return stride < 0 ? -stride : stride;
}

/* Column by column where columns are what lies together. */
void MX_KERNEL(mx_exchange_rows)(ptrdiff_t count, const size_t *pivots, int inverse, ptrdiff_t columns, real *b,
                                 ptrdiff_t rs, ptrdiff_t cs) {
    if (magnitude(rs) < magnitude(cs))
        for (ptrdiff_t j = 0; j < columns; j++)
            exchange_all(count, pivots, inverse, 1, b + j * cs, rs, cs);
    else
        exchange_all(count, pivots, inverse, columns, b, rs, cs);
}

/* Right-looking: every column is subtracted from those after it when it is done. */
int MX_KERNEL(mx_lu_columns)(ptrdiff_t m, ptrdiff_t n, real *a, ptrdiff_t ld, size_t *pivots) {
    int status = MX_OK;
    for (ptrdiff_t j = 0; j < n; j++) {
        real *c = a + j * ld;
        span left = span_from(j, m), below = span_from(j + 1, m);
        ptrdiff_t pivot = largest(&left, c, j);
        pivots[j] = (size_t)pivot;
        exchange_two(j, pivot, n, a, 1, ld);
        if (c[j] != 0)
            divide(&below, c, c[j]);
        if (c[j] == 0 || !isfinite(c[j]))
            status = MX_ERR_SINGULAR;
        for (ptrdiff_t k = j + 1; k < n; k++)
            subtract_span(&below, c, a[k * ld + j], a + k * ld);
    }
    return status;
}

/* The same for A = L L'.  Elements above the diagonal change to what does not matter.  The root is stored last: a
   vector that holds an element just stored alone is slow to load. */
int MX_KERNEL(mx_cholesky_columns)(ptrdiff_t n, real *a, ptrdiff_t ld) {
    for (ptrdiff_t j = 0; j < n; j++) {
        real *c = a + j * ld, root = ROOT(c[j]);
        if (!(c[j] > 0) || !isfinite(c[j]))
            return MX_ERR_NOT_SPD;
        span below = span_from(j + 1, n);
        divide(&below, c, root);
        for (ptrdiff_t k = j + 1; k < n; k++)
            subtract_column(k - k % LANES, n, c, c[k], a + k * ld);
        c[j] = root;
    }
    return MX_OK;
}

/* vecs vectors of the rows of X, ld apart, for lower T. */
INLINE void solve_strip(int vecs, const triangle *t, real *x, ptrdiff_t ld) {
    for (ptrdiff_t i = 0; i < t->n; i++) {
        const real *row = t->at + i * t->rs;
        vector acc[WIDE];
        UNROLL for (int v = 0; v < vecs; v++) acc[v] = *(const loose_vector *)(x + i * ld + v * LANES);
        for (ptrdiff_t p = 0; p < i; p++) {
            UNROLL for (int v = 0; v < vecs; v++) acc[v] -=
                row[p * t->cs] * *(const loose_vector *)(x + p * ld + v * LANES);
        }
        if (!t->unit) {
            UNROLL for (int v = 0; v < vecs; v++) acc[v] /= row[i * t->cs];
        }
        UNROLL for (int v = 0; v < vecs; v++) * (loose_vector *)(x + i * ld + v * LANES) = acc[v];
    }
}

/* One column, for lower T. */
static void solve_column(const triangle *t, real *x, ptrdiff_t stride) {
    for (ptrdiff_t p = 0; p < t->n; p++) {
        const real *column = t->at + p * (t->rs + t->cs);
        if (!t->unit)
            x[p * stride] /= *column;
        for (ptrdiff_t i = 1; i < t->n - p; i++)
            x[(p + i) * stride] -= column[i * t->rs] * x[p * stride];
    }
}

/* columns <= WIDE*LANES columns that do not lie as whole vectors. */
static void solve_copied(const triangle *t, ptrdiff_t columns, real *b, ptrdiff_t rs, ptrdiff_t cs) {
    panel_vector buffer[MX_SOLVE * WIDE];
    real *x = (real *)buffer;
    const ptrdiff_t vecs = (columns + LANES - 1) / LANES;
    for (ptrdiff_t i = 0; i < t->n; i++)
        buffer[i * WIDE + vecs - 1] = (vector){0};
    MX_KERNEL(mx_copy)(t->n, columns, b, rs, cs, x, WIDE * LANES, 1);
    if (vecs == WIDE)
        solve_strip(WIDE, t, x, WIDE * LANES);
    else
        for (ptrdiff_t v = 0; v < vecs; v++)
            solve_strip(1, t, x + v * LANES, WIDE * LANES);
    MX_KERNEL(mx_copy)(t->n, columns, x, WIDE * LANES, 1, b, rs, cs);
}

static void solve_lower(const triangle *t, ptrdiff_t columns, real *b, ptrdiff_t rs, ptrdiff_t cs) {
    ptrdiff_t j = 0;
    for (; cs == 1 && j + WIDE * LANES <= columns; j += WIDE * LANES)
        solve_strip(WIDE, t, b + j, rs);
    for (; cs == 1 && j + LANES <= columns; j += LANES)
        solve_strip(1, t, b + j, rs);
    for (; j < columns; j += WIDE * LANES)
        solve_copied(t, columns - j < WIDE * LANES ? columns - j : WIDE * LANES, b + j * cs, rs, cs);
}

/* An upper triangle read backwards is a lower one. */
void MX_KERNEL(mx_solve_block)(const triangle *given, ptrdiff_t columns, real *b, ptrdiff_t rs, ptrdiff_t cs) {
    triangle t = *given;
    if (!t.lower) {
        t.at += (t.n - 1) * (t.rs + t.cs);
        t.rs = -t.rs;
        t.cs = -t.cs;
        b += (t.n - 1) * rs;
        rs = -rs;
    }
    if (columns == 1)
        solve_column(&t, b, rs);
    else
        solve_lower(&t, columns, b, rs, cs);
}
