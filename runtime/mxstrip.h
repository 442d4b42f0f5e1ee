/* mxstrip.h - included by mxfixed.h, once for each element type and number of lanes, the least first: C = alpha A B +
   beta C in register blocks of a few rows and up to MX_FIXED_VECTORS vectors of columns, with constants for all sizes
   and strides.  The last vector may have fewer columns than lanes. */
#if MX_FIXED_LANES > 1
typedef MX_FIXED_REAL MX_FIXED_NAME(mx_fixed_vector)
    __attribute__((vector_size(MX_FIXED_LANES * sizeof(MX_FIXED_REAL))));
typedef MX_FIXED_REAL MX_FIXED_NAME(mx_fixed_memory)
    __attribute__((vector_size(MX_FIXED_LANES * sizeof(MX_FIXED_REAL)), aligned(sizeof(MX_FIXED_REAL)), may_alias));
#define MX_FIXED_LANE(x, j) (x)[j]
#else
typedef MX_FIXED_REAL MX_FIXED_NAME(mx_fixed_vector), MX_FIXED_NAME(mx_fixed_memory);
#define MX_FIXED_LANE(x, j) (x)
#endif

/* Vectors of half as many lanes, and which lanes they are of the whole. */
#if MX_FIXED_HALVES && MX_FIXED_LANES == 4
#define MX_FIXED_HALF(name) MX_FIXED_JOIN(name, MX_FIXED_TYPE, 2)
#define MX_FIXED_LOW 0, 1
#define MX_FIXED_HIGH 2, 3
#elif MX_FIXED_HALVES && MX_FIXED_LANES == 8
#define MX_FIXED_HALF(name) MX_FIXED_JOIN(name, MX_FIXED_TYPE, 4)
#define MX_FIXED_LOW 0, 1, 2, 3
#define MX_FIXED_HIGH 4, 5, 6, 7
#elif MX_FIXED_HALVES && MX_FIXED_LANES == 16
#define MX_FIXED_HALF(name) MX_FIXED_JOIN(name, MX_FIXED_TYPE, 8)
#define MX_FIXED_LOW 0, 1, 2, 3, 4, 5, 6, 7
#define MX_FIXED_HIGH 8, 9, 10, 11, 12, 13, 14, 15
#endif

/* All lanes, or the first n; then the others hold some of these elements again.  Pieces are read as they are written,
   because processors hand on what was just written only if it is read so. */
MX_FIXED_INLINE MX_FIXED_NAME(mx_fixed_vector)
    MX_FIXED_NAME(mx_fixed_load)(size_t n, const MX_FIXED_REAL *from, ptrdiff_t stride) {
    MX_FIXED_NAME(mx_fixed_vector) x = {0};
    if (stride == 1 && n >= MX_FIXED_LANES)
        return *(const MX_FIXED_NAME(mx_fixed_memory) *)from;
#if defined(MX_FIXED_HALF)
    if (stride == 1) {
        const size_t half = MX_FIXED_LANES / 2;
        const MX_FIXED_HALF(mx_fixed_vector) low = MX_FIXED_HALF(mx_fixed_load)(n, from, 1),
                                             high = n > half ? MX_FIXED_HALF(mx_fixed_load)(n - half, from + half, 1)
                                                             : low;
        return __builtin_shufflevector(low, high, MX_FIXED_LOW, MX_FIXED_HIGH);
    }
#endif
    MX_FIXED_UNROLL for (size_t j = 0; j < MX_FIXED_LANES; j++) MX_FIXED_LANE(x, j) =
        from[(ptrdiff_t)(j < n ? j : n - 1) * stride];
    return x;
}

MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_store)(size_t n, MX_FIXED_NAME(mx_fixed_vector) x, MX_FIXED_REAL *to,
                                                   ptrdiff_t stride) {
    if (stride == 1 && n >= MX_FIXED_LANES) {
        *(MX_FIXED_NAME(mx_fixed_memory) *)to = x;
        return;
    }
#if defined(MX_FIXED_HALF)
    if (stride == 1) {
        const size_t half = MX_FIXED_LANES / 2;
        MX_FIXED_HALF(mx_fixed_store)(n, __builtin_shufflevector(x, x, MX_FIXED_LOW), to, 1);
        if (n > half)
            MX_FIXED_HALF(mx_fixed_store)(n - half, __builtin_shufflevector(x, x, MX_FIXED_HIGH), to + half, 1);
        return;
    }
#endif
    MX_FIXED_UNROLL for (size_t j = 0; j < MX_FIXED_LANES; j++) {
        if (j < n)
            to[(ptrdiff_t)j * stride] = MX_FIXED_LANE(x, j);
    }
}

MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_row)(size_t n, MX_FIXED_NAME(mx_fixed_vector) * sum, MX_FIXED_REAL alpha,
                                                 MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t csc) {
    const size_t vectors = MX_FIXED_PARTS(n, MX_FIXED_LANES);
    MX_FIXED_UNROLL for (size_t v = 0; v < vectors; v++) {
        const size_t left = n - v * MX_FIXED_LANES;
        MX_FIXED_REAL *to = c + (ptrdiff_t)(v * MX_FIXED_LANES) * csc;
        if (alpha != 1)
            sum[v] *= alpha;
        if (beta != 0)
            sum[v] += beta * MX_FIXED_NAME(mx_fixed_load)(left, to, csc);
        MX_FIXED_NAME(mx_fixed_store)(left, sum[v], to, csc);
    }
}

/* sum_iv += x_i y_v */
MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_step)(size_t rows, size_t n, const MX_FIXED_REAL *x, ptrdiff_t rsa,
                                                  const MX_FIXED_REAL *y, ptrdiff_t csb,
                                                  MX_FIXED_NAME(mx_fixed_vector) * sum) {
    const size_t vectors = MX_FIXED_PARTS(n, MX_FIXED_LANES);
    MX_FIXED_NAME(mx_fixed_vector) row[MX_FIXED_VECTORS];
    MX_FIXED_UNROLL for (size_t v = 0; v < vectors; v++) row[v] =
        MX_FIXED_NAME(mx_fixed_load)(n - v * MX_FIXED_LANES, y + (ptrdiff_t)(v * MX_FIXED_LANES) * csb, csb);
    MX_FIXED_UNROLL for (size_t i = 0; i < rows; i++) {
        MX_FIXED_UNROLL for (size_t v = 0; v < vectors; v++) sum[i * vectors + v] += x[(ptrdiff_t)i * rsa] * row[v];
    }
}

/* Few sums would each wait for the one before: there are several sets of them, for steps one after the other. */
MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_block)(size_t rows, size_t n, size_t k, MX_FIXED_REAL alpha,
                                                   const MX_FIXED_REAL *a, ptrdiff_t rsa, ptrdiff_t csa,
                                                   const MX_FIXED_REAL *b, ptrdiff_t rsb, ptrdiff_t csb,
                                                   MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t rsc, ptrdiff_t csc) {
    const size_t vectors = MX_FIXED_PARTS(n, MX_FIXED_LANES), sums = rows * vectors,
                 sets = MX_FIXED_LANES > 1 ? MX_FIXED_SETS(sums, k) : 1;
    MX_FIXED_NAME(mx_fixed_vector) sum[MX_FIXED_SUMS];
    MX_FIXED_UNROLL for (size_t i = 0; i < sets * sums; i++) sum[i] = (MX_FIXED_NAME(mx_fixed_vector)){0};
    const size_t whole = k - k % sets;
    for (size_t p = 0; p < whole; p += sets) {
        MX_FIXED_UNROLL for (size_t s = 0; s < sets; s++) MX_FIXED_NAME(mx_fixed_step)(
            rows, n, a + (ptrdiff_t)(p + s) * csa, rsa, b + (ptrdiff_t)(p + s) * rsb, csb, sum + s * sums);
    }
    for (size_t p = whole; p < k; p++)
        MX_FIXED_NAME(mx_fixed_step)(rows, n, a + (ptrdiff_t)p * csa, rsa, b + (ptrdiff_t)p * rsb, csb, sum);
    MX_FIXED_UNROLL for (size_t half = sets / 2; half > 0; half /= 2) {
        MX_FIXED_UNROLL for (size_t i = 0; i < half * sums; i++) sum[i] += sum[half * sums + i];
    }
    MX_FIXED_UNROLL for (size_t i = 0; i < rows; i++)
        MX_FIXED_NAME(mx_fixed_row)(n, sum + i * vectors, alpha, beta, c + (ptrdiff_t)i * rsc, csc);
}

/* All rows, in blocks that differ by one row at most. */
MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_strip)(size_t m, size_t n, size_t k, MX_FIXED_REAL alpha,
                                                   const MX_FIXED_REAL *a, ptrdiff_t rsa, ptrdiff_t csa,
                                                   const MX_FIXED_REAL *b, ptrdiff_t rsb, ptrdiff_t csb,
                                                   MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t rsc, ptrdiff_t csc) {
    const size_t blocks = MX_FIXED_PARTS(m, MX_FIXED_ROWS(MX_FIXED_PARTS(n, MX_FIXED_LANES)));
    const size_t rows = m / blocks, taller = m % blocks * (rows + 1);
    for (size_t i = 0; i < taller; i += rows + 1)
        MX_FIXED_NAME(mx_fixed_block)
    (rows + 1, n, k, alpha, a + (ptrdiff_t)i * rsa, rsa, csa, b, rsb, csb, beta, c + (ptrdiff_t)i * rsc, rsc, csc);
    for (size_t i = taller; i < m; i += rows)
        MX_FIXED_NAME(mx_fixed_block)
    (rows, n, k, alpha, a + (ptrdiff_t)i * rsa, rsa, csa, b, rsb, csb, beta, c + (ptrdiff_t)i * rsc, rsc, csc);
}

/* All columns, in strips of so many vectors that few are left for the last one. */
MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_strips)(size_t m, size_t n, size_t k, MX_FIXED_REAL alpha,
                                                    const MX_FIXED_REAL *a, ptrdiff_t rsa, ptrdiff_t csa,
                                                    const MX_FIXED_REAL *b, ptrdiff_t rsb, ptrdiff_t csb,
                                                    MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t rsc,
                                                    ptrdiff_t csc) {
    const size_t vectors = MX_FIXED_PARTS(n, MX_FIXED_LANES), strips = MX_FIXED_PARTS(vectors, MX_FIXED_VECTORS);
    const size_t columns = MX_FIXED_PARTS(vectors, strips) * MX_FIXED_LANES, last = (n - 1) / columns * columns;
    for (size_t j = 0; j < last; j += columns)
        MX_FIXED_NAME(mx_fixed_strip)
    (m, columns, k, alpha, a, rsa, csa, b + (ptrdiff_t)j * csb, rsb, csb, beta, c + (ptrdiff_t)j * csc, rsc, csc);
    MX_FIXED_NAME(mx_fixed_strip)
    (m, n - last, k, alpha, a, rsa, csa, b + (ptrdiff_t)last * csb, rsb, csb, beta, c + (ptrdiff_t)last * csc, rsc,
     csc);
}

#undef MX_FIXED_LANE
#undef MX_FIXED_LANES
#undef MX_FIXED_HALF
#undef MX_FIXED_LOW
#undef MX_FIXED_HIGH
