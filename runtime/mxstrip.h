/* mxstrip.h - included by mxfixed.h, once for each element type and number of lanes: C = alpha A B + beta C in register
   blocks of a few rows and up to MX_FIXED_VECTORS vectors of columns, with constants for all sizes and strides.  The
   last vector of a block ends with its last column: where it is not filled by what is left, it has columns in common
   with the one before it, whose sums are the same in both.  So have the halves of the only one, if the compiler can
   join them (MX_FIXED_HALVES). */
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

/* The first column of vector v of n columns; the column of lane j of a vector of n columns from its first one on. Where
   these are fewer than lanes, its halves have some in common. */
#define MX_FIXED_COLUMN(v, n)                                                                                          \
    ((ptrdiff_t)((v) > 0 && (v) == MX_FIXED_PARTS(n, MX_FIXED_LANES) - 1 ? (n)-MX_FIXED_LANES : (v)*MX_FIXED_LANES))
#define MX_FIXED_PLACE(j, n)                                                                                           \
    ((ptrdiff_t)((n) < MX_FIXED_LANES && 2 * (j) >= MX_FIXED_LANES ? (j) + (n)-MX_FIXED_LANES : (j)))

MX_FIXED_INLINE MX_FIXED_NAME(mx_fixed_vector)
    MX_FIXED_NAME(mx_fixed_load)(size_t n, const MX_FIXED_REAL *from, ptrdiff_t stride) {
    MX_FIXED_NAME(mx_fixed_vector) x = {0};
    if (stride == 1 && n >= MX_FIXED_LANES)
        return *(const MX_FIXED_NAME(mx_fixed_memory) *)from;
#if defined(MX_FIXED_HALF)
    if (stride == 1) {
        const MX_FIXED_HALF(mx_fixed_vector)
            low = *(const MX_FIXED_HALF(mx_fixed_memory) *)from,
            high = *(const MX_FIXED_HALF(mx_fixed_memory) *)(from + n - MX_FIXED_LANES / 2);
        return __builtin_shufflevector(low, high, MX_FIXED_LOW, MX_FIXED_HIGH);
    }
#endif
    MX_FIXED_UNROLL for (size_t j = 0; j < MX_FIXED_LANES; j++) MX_FIXED_LANE(x, j) =
        from[MX_FIXED_PLACE(j, n) * stride];
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
        *(MX_FIXED_HALF(mx_fixed_memory) *)to = __builtin_shufflevector(x, x, MX_FIXED_LOW);
        *(MX_FIXED_HALF(mx_fixed_memory) *)(to + n - MX_FIXED_LANES / 2) = __builtin_shufflevector(x, x, MX_FIXED_HIGH);
        return;
    }
#endif
    MX_FIXED_UNROLL for (size_t j = 0; j < MX_FIXED_LANES; j++) to[MX_FIXED_PLACE(j, n) * stride] = MX_FIXED_LANE(x, j);
}

/* A row of C.  All of it is read before any of it is written, because vectors may share elements. */
MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_row)(size_t n, MX_FIXED_NAME(mx_fixed_vector) * sum, MX_FIXED_REAL alpha,
                                                 MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t csc) {
    const size_t vectors = MX_FIXED_PARTS(n, MX_FIXED_LANES);
    MX_FIXED_UNROLL for (size_t v = 0; v < vectors; v++) {
        if (alpha != 1)
            sum[v] *= alpha;
        if (beta != 0)
            sum[v] += beta * MX_FIXED_NAME(mx_fixed_load)(n, c + MX_FIXED_COLUMN(v, n) * csc, csc);
    }
    MX_FIXED_UNROLL for (size_t v = 0; v < vectors; v++)
        MX_FIXED_NAME(mx_fixed_store)(n, sum[v], c + MX_FIXED_COLUMN(v, n) * csc, csc);
}

MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_block)(size_t rows, size_t n, size_t k, MX_FIXED_REAL alpha,
                                                   const MX_FIXED_REAL *a, ptrdiff_t rsa, ptrdiff_t csa,
                                                   const MX_FIXED_REAL *b, ptrdiff_t rsb, ptrdiff_t csb,
                                                   MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t rsc, ptrdiff_t csc) {
    const size_t vectors = MX_FIXED_PARTS(n, MX_FIXED_LANES);
    MX_FIXED_NAME(mx_fixed_vector) sum[MX_FIXED_SUMS], row[MX_FIXED_VECTORS];
    MX_FIXED_UNROLL for (size_t i = 0; i < rows * vectors; i++) sum[i] = (MX_FIXED_NAME(mx_fixed_vector)){0};
    for (size_t p = 0; p < k; p++) {
        const MX_FIXED_REAL *x = a + (ptrdiff_t)p * csa, *y = b + (ptrdiff_t)p * rsb;
        MX_FIXED_UNROLL for (size_t v = 0; v < vectors; v++) row[v] =
            MX_FIXED_NAME(mx_fixed_load)(n, y + MX_FIXED_COLUMN(v, n) * csb, csb);
        MX_FIXED_UNROLL for (size_t i = 0; i < rows; i++) {
            MX_FIXED_UNROLL for (size_t v = 0; v < vectors; v++) sum[i * vectors + v] += x[(ptrdiff_t)i * rsa] * row[v];
        }
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

/* All columns, in strips that differ by one vector at most, the widest ones first. */
MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_strips)(size_t m, size_t n, size_t k, MX_FIXED_REAL alpha,
                                                    const MX_FIXED_REAL *a, ptrdiff_t rsa, ptrdiff_t csa,
                                                    const MX_FIXED_REAL *b, ptrdiff_t rsb, ptrdiff_t csb,
                                                    MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t rsc,
                                                    ptrdiff_t csc) {
    const size_t vectors = MX_FIXED_PARTS(n, MX_FIXED_LANES), strips = MX_FIXED_PARTS(vectors, MX_FIXED_VECTORS);
    const size_t narrow = vectors / strips * MX_FIXED_LANES, wide = narrow + MX_FIXED_LANES;
    const size_t wider = vectors % strips * wide, last = wider + (strips - vectors % strips - 1) * narrow;
    for (size_t j = 0; j < wider; j += wide)
        MX_FIXED_NAME(mx_fixed_strip)
    (m, wide, k, alpha, a, rsa, csa, b + (ptrdiff_t)j * csb, rsb, csb, beta, c + (ptrdiff_t)j * csc, rsc, csc);
    for (size_t j = wider; j < last; j += narrow)
        MX_FIXED_NAME(mx_fixed_strip)
    (m, narrow, k, alpha, a, rsa, csa, b + (ptrdiff_t)j * csb, rsb, csb, beta, c + (ptrdiff_t)j * csc, rsc, csc);
    MX_FIXED_NAME(mx_fixed_strip)
    (m, n - last, k, alpha, a, rsa, csa, b + (ptrdiff_t)last * csb, rsb, csb, beta, c + (ptrdiff_t)last * csc, rsc,
     csc);
}

#undef MX_FIXED_COLUMN
#undef MX_FIXED_PLACE
#undef MX_FIXED_LANE
#undef MX_FIXED_LANES
#undef MX_FIXED_HALF
#undef MX_FIXED_LOW
#undef MX_FIXED_HIGH
