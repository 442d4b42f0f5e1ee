/* mxrt.h - the runtime library under the C that mxc generates.

   Link with -lmxrt -lm.  Nothing here allocates, prints, locks, aborts or reads the locale.  Every function may be
   called from several threads at once.  The only state is which kernel set fits this processor: chosen at the first
   call and never changed afterwards.

   Matrices are a pointer to element (0, 0) and two strides, counted in elements: element (i, j) of A is
   a[i*rsa + j*csa].  A row-major m x n matrix has strides (n, 1), its transpose (1, n), a submatrix the strides of the
   whole; strides may be negative, and those of an input may be 0. */
#ifndef MXRT_H
#define MXRT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Generated code compares this number with the one it was made for and refuses to compile when they differ. */
#define MX_ABI_VERSION 1

#if defined(__GNUC__)
#define MX_API __attribute__((visibility("default")))
#else
#define MX_API
#endif

/* ---- Results of generated functions -------------------------------------------------------------------------- */

enum mx_status {
    MX_OK = 0,
    MX_ERR_ARGUMENT, /* a null pointer or an impossible size */
    MX_ERR_SINGULAR, /* a matrix that had to be inverted is singular to working precision */
    MX_ERR_NOT_SPD,  /* a matrix promised symmetric positive definite is not */
    MX_ERR_INDEX     /* an index lies outside of its dimension */
};

/* One English phrase without a full stop; never NULL, also for numbers that are no status. */
MX_API const char *mx_status_string(int status);

/* ---- The product ---------------------------------------------------------------------------------------------- */

/* C = alpha A B + beta C, with A m x k, B k x n, C m x n.

   - beta == 0 never reads C: what it held, NaN too, does not matter.
   - alpha == 0 or k == 0 gives C = beta C and reads neither A nor B.
   - Otherwise NaN and Inf propagate as IEEE arithmetic of the formula would: no zero is skipped.
   - Every element obeys |C - fl(C)| <= (k + 2) eps |A||B| (alpha = 1, beta = 0; eps is DBL_EPSILON or FLT_EPSILON).
   - A and B are never written.  C must not overlap them, and its own elements must lie apart.  Only the m x n elements
     of C are written: whatever lies between its rows stays as it was.
   - work is at least mx_gemm_*_worksize(m, n, k) bytes at any alignment, NULL where that is 0; its content before and
     after means nothing.
   - The same arguments and kernel set give the same bits.

   Five loops around a register block: K. Goto and R. van de Geijn, Anatomy of high-performance matrix multiplication,
   ACM TOMS 34(3), 2008; F. Van Zee and R. van de Geijn, BLIS, ACM TOMS 41(3), 2015.  Matrix-vector products and small
   products work on the operands in place.  Error bound: N. Higham, Accuracy and Stability of Numerical Algorithms,
   section 3.5. */
MX_API void mx_gemm_f64(size_t m, size_t n, size_t k, double alpha, const double *a, ptrdiff_t rsa, ptrdiff_t csa,
                        const double *b, ptrdiff_t rsb, ptrdiff_t csb, double beta, double *c, ptrdiff_t rsc,
                        ptrdiff_t csc, void *work);
MX_API void mx_gemm_f32(size_t m, size_t n, size_t k, float alpha, const float *a, ptrdiff_t rsa, ptrdiff_t csa,
                        const float *b, ptrdiff_t rsb, ptrdiff_t csb, float beta, float *c, ptrdiff_t rsc,
                        ptrdiff_t csc, void *work);

/* Bytes of work for a product of these sizes, whatever its strides, scalars, processor or environment; grows no
   further once the sizes pass the cache blocks.  SIZE_MAX: m x k, k x n or m x n elements exceed PTRDIFF_MAX bytes, so
   that no such product can be asked for. */
MX_API size_t mx_gemm_f64_worksize(size_t m, size_t n, size_t k);
MX_API size_t mx_gemm_f32_worksize(size_t m, size_t n, size_t k);

/* The kernel set in use: "generic", "avx2", "avx512" or "neon".  It is the best that the processor supports, unless
   the environment variable MXRT_CPU, read once at the first call of any function of the runtime that needs a kernel,
   names another one that it supports; any other value of MXRT_CPU is ignored. */
MX_API const char *mx_cpu_name(void);

/* ---- Naive twins ---------------------------------------------------------------------------------------------- */

/* The same contracts by three plain loops, accumulated in a wider type and rounded once: what tests compare with.
   work is not used. */
MX_API void mx_ref_gemm_f64(size_t m, size_t n, size_t k, double alpha, const double *a, ptrdiff_t rsa, ptrdiff_t csa,
                            const double *b, ptrdiff_t rsb, ptrdiff_t csb, double beta, double *c, ptrdiff_t rsc,
                            ptrdiff_t csc, void *work);
MX_API void mx_ref_gemm_f32(size_t m, size_t n, size_t k, float alpha, const float *a, ptrdiff_t rsa, ptrdiff_t csa,
                            const float *b, ptrdiff_t rsb, ptrdiff_t csb, float beta, float *c, ptrdiff_t rsc,
                            ptrdiff_t csc, void *work);

/* ---- Along a line ----------------------------------------------------------------------------------------------- */

/* Operators on n elements, a stride apart in a and in y, which do not overlap.  first_max: 1 at the first largest
   element (the first NaN, if there is one), else 0.  others: the product of all other elements, right at zeros too. */
MX_API void mx_first_max_f64(size_t n, const double *a, ptrdiff_t stride_a, double *y, ptrdiff_t stride_y);
MX_API void mx_first_max_f32(size_t n, const float *a, ptrdiff_t stride_a, float *y, ptrdiff_t stride_y);
MX_API void mx_others_f64(size_t n, const double *a, ptrdiff_t stride_a, double *y, ptrdiff_t stride_y);
MX_API void mx_others_f32(size_t n, const float *a, ptrdiff_t stride_a, float *y, ptrdiff_t stride_y);

/* ---- What generated code says about itself (mxc --reflect) ---------------------------------------------------- */

/* One argument.  An array is contiguous and row-major; rank 0 is a scalar and has no shape. */
typedef struct mx_argument {
    const char *name;
    const char *role;      /* "input", "cotangent", "tangent" or "output" */
    const char *structure; /* "dense", "diagonal", "symmetric", "spd", "lower", "upper" */
    int rank;
    const char *const *shape; /* rank strings: expressions in the dimensions, such as "m", "m*n", "4" */
} mx_argument;

/* One function.  dims holds n_dims names; call takes their values in that order, then one pointer for each input and
   output in the order of the tables (scalars, too, are passed by pointer), and returns an mx_status. */
typedef struct mx_function {
    const char *name;
    const char *kind; /* "eval", "grad", "forward", "backward", "vjp", "jvp", "jac", "hess" or "hvp" */
    int n_dims;
    const char *const *dims;
    int n_inputs;
    const mx_argument *inputs;
    int n_outputs;
    const mx_argument *outputs;
    size_t (*worksize)(const size_t *dims);
    size_t (*savedsize)(const size_t *dims); /* NULL where there is no saved argument */
    int (*call)(const size_t *dims, const void *const *in, void *const *out, void *saved, void *work);
} mx_function;

typedef struct mx_module {
    const char *name;
    const char *source; /* base name of the .mx file */
    const char *real;   /* "f64" or "f32" */
    int abi;            /* MX_ABI_VERSION of the runtime that it was made for */
    int n_functions;
    const mx_function *functions;
} mx_module;

#ifdef __cplusplus
}
#endif

#endif
