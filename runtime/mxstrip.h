/* mxstrip.h - included by mxfixed.h, once for each element type and number of lanes: C = alpha A B + beta C for as many
   columns as a vector has lanes, in blocks of MX_FIXED_ROWS rows, with constants for all sizes and strides. */
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

#define MX_FIXED_ROWS 8

MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_block)(size_t rows, size_t k, MX_FIXED_REAL alpha, const MX_FIXED_REAL *a,
                                                   ptrdiff_t rsa, ptrdiff_t csa, const MX_FIXED_REAL *b, ptrdiff_t rsb,
                                                   ptrdiff_t csb, MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t rsc,
                                                   ptrdiff_t csc) {
    typedef MX_FIXED_NAME(mx_fixed_vector) vector;
    typedef MX_FIXED_NAME(mx_fixed_memory) memory;
    vector acc[MX_FIXED_ROWS];
    MX_FIXED_UNROLL for (size_t i = 0; i < rows; i++) acc[i] = (vector){0};
    for (size_t p = 0; p < k; p++) {
        const MX_FIXED_REAL *x = a + (ptrdiff_t)p * csa, *y = b + (ptrdiff_t)p * rsb;
        vector row = {0};
        if (csb == 1) {
            row = *(const memory *)y;
        } else {
            MX_FIXED_UNROLL for (size_t j = 0; j < MX_FIXED_LANES; j++) MX_FIXED_LANE(row, j) = y[(ptrdiff_t)j * csb];
        }
        MX_FIXED_UNROLL for (size_t i = 0; i < rows; i++) acc[i] += x[(ptrdiff_t)i * rsa] * row;
    }
    MX_FIXED_UNROLL for (size_t i = 0; i < rows; i++) {
        MX_FIXED_REAL *to = c + (ptrdiff_t)i * rsc;
        if (alpha != 1)
            acc[i] *= alpha;
        if (csc == 1) {
            if (beta != 0)
                acc[i] += beta * *(const memory *)to;
            *(memory *)to = acc[i];
        } else {
            MX_FIXED_UNROLL for (size_t j = 0; j < MX_FIXED_LANES; j++) {
                MX_FIXED_REAL *one = to + (ptrdiff_t)j * csc;
                *one = MX_FIXED_LANE(acc[i], j) + (beta != 0 ? beta * *one : 0);
            }
        }
    }
}

MX_FIXED_INLINE void MX_FIXED_NAME(mx_fixed_strip)(size_t m, size_t k, MX_FIXED_REAL alpha, const MX_FIXED_REAL *a,
                                                   ptrdiff_t rsa, ptrdiff_t csa, const MX_FIXED_REAL *b, ptrdiff_t rsb,
                                                   ptrdiff_t csb, MX_FIXED_REAL beta, MX_FIXED_REAL *c, ptrdiff_t rsc,
                                                   ptrdiff_t csc) {
    const ptrdiff_t whole = (ptrdiff_t)(m / MX_FIXED_ROWS * MX_FIXED_ROWS);
    for (ptrdiff_t i = 0; i < whole; i += MX_FIXED_ROWS)
        MX_FIXED_NAME(mx_fixed_block)
    (MX_FIXED_ROWS, k, alpha, a + i * rsa, rsa, csa, b, rsb, csb, beta, c + i * rsc, rsc, csc);
    if (m % MX_FIXED_ROWS > 0)
        MX_FIXED_NAME(mx_fixed_block)
    (m % MX_FIXED_ROWS, k, alpha, a + whole * rsa, rsa, csa, b, rsb, csb, beta, c + whole * rsc, rsc, csc);
}

#undef MX_FIXED_LANE
#undef MX_FIXED_LANES
