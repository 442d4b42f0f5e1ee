/* mxrt.h - the runtime library under the C that mxc generates.

   Link with -lmxrt -lm.  Nothing here allocates, prints, locks, aborts or reads the locale, except that a program may
   ask for threads (mx_set_num_threads).  Every function may be called from several threads at once, but for that one.
   The only state is which kernel set fits this processor and how large its cache is, found out at the first call and
   never changed afterwards, and the threads that were asked for; none of it changes a result.

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

/* What later compilers need of the same version raises this one; generated code refuses an earlier header. */
#define MX_ABI_REVISION 2

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
   - The same arguments and kernel set give the same bits, whatever the number of threads.

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

/* Bytes of work for a product of these sizes, whatever its strides, scalars, processor, threads or environment; 0 up to
   32 x 32 x 32, and no more once the sizes pass the cache blocks.  SIZE_MAX: m x k, k x n or m x n elements exceed
   PTRDIFF_MAX bytes, so that no such product can be asked for. */
MX_API size_t mx_gemm_f64_worksize(size_t m, size_t n, size_t k);
MX_API size_t mx_gemm_f32_worksize(size_t m, size_t n, size_t k);

/* The same, and epilogue->tile once for each piece of C, when it has its final value and is still in a near cache: to
   apply a function to every element, or sum up rows; and prologue->tile once for each piece before the product reads
   it (so that beta is not 0): to give C the values that the product adds to, as a bias.  Its elements are those from
   (i, j) on, as many rows and columns as it says, which it may read and write; all pieces together are C, and none is
   empty.  Those of the prologue and of the epilogue may be others.  Pieces may come on several threads at once, but
   those of the epilogue that share a row come one after the other, those further left first.  So sums of rows can be
   added up as pieces come (sums of columns: of C' = alpha B' A' + beta C').  The results have the same bits as with all
   of C in one piece, for any function of single elements, and for sums that are added up one element after the other;
   the pieces depend on the kernel set, the size of the cache and the number of threads.

   The structs are read during the call only; NULL does nothing.  tile does not call mx_set_num_threads, which would
   wait for the product that calls it. */
typedef struct mx_epilogue_f64 {
    void (*tile)(void *context, size_t i, size_t j, size_t rows, size_t columns, double *c, ptrdiff_t rsc,
                 ptrdiff_t csc);
    void *context;
} mx_epilogue_f64, mx_prologue_f64;

typedef struct mx_epilogue_f32 {
    void (*tile)(void *context, size_t i, size_t j, size_t rows, size_t columns, float *c, ptrdiff_t rsc,
                 ptrdiff_t csc);
    void *context;
} mx_epilogue_f32, mx_prologue_f32;

MX_API void mx_gemm_f64_fused(size_t m, size_t n, size_t k, double alpha, const double *a, ptrdiff_t rsa, ptrdiff_t csa,
                              const double *b, ptrdiff_t rsb, ptrdiff_t csb, double beta, double *c, ptrdiff_t rsc,
                              ptrdiff_t csc, void *work, const mx_prologue_f64 *prologue,
                              const mx_epilogue_f64 *epilogue);
MX_API void mx_gemm_f32_fused(size_t m, size_t n, size_t k, float alpha, const float *a, ptrdiff_t rsa, ptrdiff_t csa,
                              const float *b, ptrdiff_t rsb, ptrdiff_t csb, float beta, float *c, ptrdiff_t rsc,
                              ptrdiff_t csc, void *work, const mx_prologue_f32 *prologue,
                              const mx_epilogue_f32 *epilogue);

/* The same, and tile of hooks->a and hooks->b once for each piece of A and of B, shortly before the product reads it:
   to sum it up while it comes to the cache.  x with its strides is the piece, or a copy of it that is there during the
   call only.  All pieces together are the whole matrix, also where the product needs nothing of it, as where alpha is 0
   or C empty; none is empty.  Pieces may come on several threads at once, but those of A that share a row come one
   after the other, those further left first; and those of B that share a column, those further up first.  So sums of
   rows of A and of columns of B can be added up as pieces come.  Those of C come as above.  What hooks points to is
   read during the call only. */
typedef struct mx_reader_f64 {
    void (*tile)(void *context, size_t i, size_t j, size_t rows, size_t columns, const double *x, ptrdiff_t rs,
                 ptrdiff_t cs);
    void *context;
} mx_reader_f64;

typedef struct mx_reader_f32 {
    void (*tile)(void *context, size_t i, size_t j, size_t rows, size_t columns, const float *x, ptrdiff_t rs,
                 ptrdiff_t cs);
    void *context;
} mx_reader_f32;

typedef struct mx_hooks_f64 {
    const mx_prologue_f64 *prologue;
    const mx_epilogue_f64 *epilogue;
    const mx_reader_f64 *a, *b;
} mx_hooks_f64;

typedef struct mx_hooks_f32 {
    const mx_prologue_f32 *prologue;
    const mx_epilogue_f32 *epilogue;
    const mx_reader_f32 *a, *b;
} mx_hooks_f32;

MX_API void mx_gemm_f64_hooked(size_t m, size_t n, size_t k, double alpha, const double *a, ptrdiff_t rsa,
                               ptrdiff_t csa, const double *b, ptrdiff_t rsb, ptrdiff_t csb, double beta, double *c,
                               ptrdiff_t rsc, ptrdiff_t csc, void *work, const mx_hooks_f64 *hooks);
MX_API void mx_gemm_f32_hooked(size_t m, size_t n, size_t k, float alpha, const float *a, ptrdiff_t rsa, ptrdiff_t csa,
                               const float *b, ptrdiff_t rsb, ptrdiff_t csb, float beta, float *c, ptrdiff_t rsc,
                               ptrdiff_t csc, void *work, const mx_hooks_f32 *hooks);

/* Made to be tile: context points to sums, of which sums[i] += row i of the piece, added up from left to right; or
   sums[j] += column j, from top to bottom. */
MX_API void mx_sum_rows_f64(void *sums, size_t i, size_t j, size_t rows, size_t columns, const double *x, ptrdiff_t rs,
                            ptrdiff_t cs);
MX_API void mx_sum_rows_f32(void *sums, size_t i, size_t j, size_t rows, size_t columns, const float *x, ptrdiff_t rs,
                            ptrdiff_t cs);
MX_API void mx_sum_columns_f64(void *sums, size_t i, size_t j, size_t rows, size_t columns, const double *x,
                               ptrdiff_t rs, ptrdiff_t cs);
MX_API void mx_sum_columns_f32(void *sums, size_t i, size_t j, size_t rows, size_t columns, const float *x,
                               ptrdiff_t rs, ptrdiff_t cs);

/* Without a prologue, A and B. */
MX_API void mx_gemm_f64_epilogue(size_t m, size_t n, size_t k, double alpha, const double *a, ptrdiff_t rsa,
                                 ptrdiff_t csa, const double *b, ptrdiff_t rsb, ptrdiff_t csb, double beta, double *c,
                                 ptrdiff_t rsc, ptrdiff_t csc, void *work, const mx_epilogue_f64 *epilogue);
MX_API void mx_gemm_f32_epilogue(size_t m, size_t n, size_t k, float alpha, const float *a, ptrdiff_t rsa,
                                 ptrdiff_t csa, const float *b, ptrdiff_t rsb, ptrdiff_t csb, float beta, float *c,
                                 ptrdiff_t rsc, ptrdiff_t csc, void *work, const mx_epilogue_f32 *epilogue);

/* The kernel set in use: "generic", "avx2", "avx512" or "neon".  It is the best that the processor supports, unless
   the environment variable MXRT_CPU, read once at the first call of any function of the runtime that needs a kernel,
   names another one that it supports; any other value of MXRT_CPU is ignored. */
MX_API const char *mx_cpu_name(void);

/* ---- Threads --------------------------------------------------------------------------------------------------- */

/* Products share their work among so many threads, the caller's among them; 0 or less: as many as there are processors
   that the process may use; more than 64 are taken as 64.  Returns how many there are now, which is less than asked for
   where the system refuses more.  Until the first call it is 1: a library must not take processors unasked.

   This call makes the other threads, or ends those that are too many; between products they sleep.  They run on the
   processors that the thread that makes this call may use, and where there are enough (and the system is Linux), not
   on the one that the caller of a product is on.  A product still stays on its caller's thread where it is too small
   to gain, where another product is under way (so that the parallel region of a caller is not multiplied by ours),
   inside a parallel region of OpenMP, and in a child process until the child calls this function.  Not to be called
   from two threads at a time, nor from a signal handler.

   With -lmxrt from the archive and a C library that keeps POSIX threads apart (glibc before 2.34), programs that call
   this function link with -pthread, too. */
MX_API int mx_set_num_threads(int wanted);
MX_API int mx_num_threads(void);

/* ---- Factorisations ------------------------------------------------------------------------------------------- */

/* Square matrices of size n with any nonzero strides, elements apart; n == 0 and columns == 0 are legal and touch
   nothing.  work is at least mx_*_worksize(...) bytes at any alignment, NULL where that is 0; its content before and
   after means nothing.  Only what is named is read or written.  The same arguments and kernel set give the same bits.
   Error bounds are componentwise, with c a small constant (N. Higham, Accuracy and Stability of Numerical Algorithms,
   chapters 8 to 10).

   Recursive, so that nearly all work is mx_gemm: F. Gustavson, IBM J. Res. Dev. 41(6), 1997; S. Toledo, SIAM J. Matrix
   Anal. Appl. 18(4), 1997. */

/* A = P L U: U replaces the upper triangle of A, L, whose diagonal is 1, what is below.  pivots has n elements;
   i <= pivots[i] < n is the row that step i exchanged with row i, the first one with the largest |a| of those left in
   column i (NaN counts as less than every number), so that |L| <= 1.  |A - P L U| <= c n eps P |L||U|.

   MX_ERR_SINGULAR: a pivot, that is a diagonal element of U, is 0, infinite or NaN; so it is whenever A holds NaN or
   Inf. The factorisation is still completed and pivots are all valid: under a pivot of 0, L holds the zeros (or NaN)
   that are there, and A = P L U holds for an A of finite numbers that do not overflow. */
MX_API int mx_lu_f64(size_t n, double *a, ptrdiff_t rsa, ptrdiff_t csa, size_t *pivots, void *work);
MX_API int mx_lu_f32(size_t n, float *a, ptrdiff_t rsa, ptrdiff_t csa, size_t *pivots, void *work);

/* A = L L' for symmetric positive definite A: L replaces the lower triangle; the strict upper triangle is neither read
   nor written.  For A = U' U in the upper triangle swap the strides.  |A - L L'| <= c n eps |L||L'|.

   MX_ERR_NOT_SPD: a pivot is not a positive finite number, which is so whenever the lower triangle holds NaN or Inf.
   What the lower triangle holds then means nothing. */
MX_API int mx_cholesky_f64(size_t n, double *a, ptrdiff_t rsa, ptrdiff_t csa, void *work);
MX_API int mx_cholesky_f32(size_t n, float *a, ptrdiff_t rsa, ptrdiff_t csa, void *work);

/* T X = B for X, which replaces B: T is n x n, lower triangular (lower != 0) or upper triangular (lower == 0); B is
   n x columns and does not overlap T, whose strides may be 0.  The other triangle is never read, nor the diagonal,
   taken as 1, if unit != 0.  Every column obeys |B - T X| <= c n eps |T||X|; a 0 on the diagonal divides as IEEE
   arithmetic says.

   T' X = B: swap the strides of T and negate lower.  X T = B: T' X' = B', so the strides of B, too. */
MX_API void mx_trsm_f64(int lower, int unit, size_t n, size_t columns, const double *t, ptrdiff_t rst, ptrdiff_t cst,
                        double *b, ptrdiff_t rsb, ptrdiff_t csb, void *work);
MX_API void mx_trsm_f32(int lower, int unit, size_t n, size_t columns, const float *t, ptrdiff_t rst, ptrdiff_t cst,
                        float *b, ptrdiff_t rsb, ptrdiff_t csb, void *work);

/* B = P' B, or B = P B if inverse != 0, with the pivots of mx_lu; B is n x columns.  A X = B is then solved by P' B, L
   and U; A' X = B by U', L' and P. */
MX_API void mx_permute_rows_f64(size_t n, size_t columns, const size_t *pivots, int inverse, double *b, ptrdiff_t rsb,
                                ptrdiff_t csb);
MX_API void mx_permute_rows_f32(size_t n, size_t columns, const size_t *pivots, int inverse, float *b, ptrdiff_t rsb,
                                ptrdiff_t csb);

/* log |det A| and det A from what mx_lu left; reads the diagonal of U.  Products on the way cannot overflow or
   underflow. A pivot of 0 gives -Inf and 0; n == 0 gives 0 and 1.  The relative error of the determinant, and the
   absolute one of its logarithm, is at most that of n roundings in double, beside the rounding of the result. */
MX_API double mx_lu_logabsdet_f64(size_t n, const double *lu, ptrdiff_t rs, ptrdiff_t cs);
MX_API float mx_lu_logabsdet_f32(size_t n, const float *lu, ptrdiff_t rs, ptrdiff_t cs);
MX_API double mx_lu_det_f64(size_t n, const double *lu, ptrdiff_t rs, ptrdiff_t cs, const size_t *pivots);
MX_API float mx_lu_det_f32(size_t n, const float *lu, ptrdiff_t rs, ptrdiff_t cs, const size_t *pivots);

/* Bytes of work for these sizes, whatever the strides, processor or environment; 0 up to n = 16.  SIZE_MAX: n x n or
   n x columns elements exceed PTRDIFF_MAX bytes. */
MX_API size_t mx_lu_f64_worksize(size_t n);
MX_API size_t mx_lu_f32_worksize(size_t n);
MX_API size_t mx_cholesky_f64_worksize(size_t n);
MX_API size_t mx_cholesky_f32_worksize(size_t n);
MX_API size_t mx_trsm_f64_worksize(size_t n, size_t columns);
MX_API size_t mx_trsm_f32_worksize(size_t n, size_t columns);

/* ---- Factors as generated code keeps them --------------------------------------------------------------------------
 */

/* An LU factor of A in one array of n * n + 2 * n elements, aligned as size_t: the pivots of mx_lu, and behind them, at
   the element 2 * n, L and U by columns.  A singular A has one, too.  work: mx_lu_*_worksize(n). */
MX_API void mx_factor_lu_f64(size_t n, const double *a, ptrdiff_t rsa, ptrdiff_t csa, double *factor, void *work);
MX_API void mx_factor_lu_f32(size_t n, const float *a, ptrdiff_t rsa, ptrdiff_t csa, float *factor, void *work);

/* L with A = L L', zero above its diagonal; reads the lower triangle of A, which L does not overlap.  MX_ERR_NOT_SPD as
   for mx_cholesky.  work: mx_cholesky_*_worksize(n). */
MX_API int mx_factor_cholesky_f64(size_t n, const double *a, ptrdiff_t rsa, ptrdiff_t csa, double *l, ptrdiff_t rsl,
                                  ptrdiff_t csl, void *work);
MX_API int mx_factor_cholesky_f32(size_t n, const float *a, ptrdiff_t rsa, ptrdiff_t csa, float *l, ptrdiff_t rsl,
                                  ptrdiff_t csl, void *work);

/* X with A X = B, or A' X = B, by the LU factor of A, and X with T X = B for a triangular T; X replaces B, which is
   n x columns.  MX_ERR_SINGULAR, with B as it was: a diagonal element of U, or of T, is 0, infinite or NaN.
   work: mx_trsm_*_worksize(n, columns). */
MX_API int mx_solve_lu_f64(size_t n, size_t columns, int transposed, const double *factor, double *b, ptrdiff_t rsb,
                           ptrdiff_t csb, void *work);
MX_API int mx_solve_lu_f32(size_t n, size_t columns, int transposed, const float *factor, float *b, ptrdiff_t rsb,
                           ptrdiff_t csb, void *work);
MX_API int mx_solve_triangular_f64(size_t n, size_t columns, int lower, const double *t, ptrdiff_t rst, ptrdiff_t cst,
                                   double *b, ptrdiff_t rsb, ptrdiff_t csb, void *work);
MX_API int mx_solve_triangular_f32(size_t n, size_t columns, int lower, const float *t, ptrdiff_t rst, ptrdiff_t cst,
                                   float *b, ptrdiff_t rsb, ptrdiff_t csb, void *work);

/* Pivots of a diagonal matrix.  MX_ERR_SINGULAR: one is 0, infinite or NaN; MX_ERR_NOT_SPD: one is not a positive
   finite number. */
MX_API int mx_check_regular_f64(size_t n, const double *d);
MX_API int mx_check_regular_f32(size_t n, const float *d);
MX_API int mx_check_positive_f64(size_t n, const double *d);
MX_API int mx_check_positive_f32(size_t n, const float *d);

/* det A, and *y = log |det A|, by the LU factor of A.  MX_ERR_SINGULAR, with *y as it was: A is singular, or not
   finite. */
MX_API double mx_factor_det_f64(size_t n, const double *factor);
MX_API float mx_factor_det_f32(size_t n, const float *factor);
MX_API int mx_factor_logabsdet_f64(size_t n, const double *factor, double *y);
MX_API int mx_factor_logabsdet_f32(size_t n, const float *factor, float *y);

/* ---- Naive twins ---------------------------------------------------------------------------------------------- */

/* The same contracts by three plain loops, accumulated in a wider type and rounded once: what tests compare with.
   work is not used. */
MX_API void mx_ref_gemm_f64(size_t m, size_t n, size_t k, double alpha, const double *a, ptrdiff_t rsa, ptrdiff_t csa,
                            const double *b, ptrdiff_t rsb, ptrdiff_t csb, double beta, double *c, ptrdiff_t rsc,
                            ptrdiff_t csc, void *work);
MX_API void mx_ref_gemm_f32(size_t m, size_t n, size_t k, float alpha, const float *a, ptrdiff_t rsa, ptrdiff_t csa,
                            const float *b, ptrdiff_t rsb, ptrdiff_t csb, float beta, float *c, ptrdiff_t rsc,
                            ptrdiff_t csc, void *work);

MX_API int mx_ref_lu_f64(size_t n, double *a, ptrdiff_t rsa, ptrdiff_t csa, size_t *pivots, void *work);
MX_API int mx_ref_lu_f32(size_t n, float *a, ptrdiff_t rsa, ptrdiff_t csa, size_t *pivots, void *work);
MX_API int mx_ref_cholesky_f64(size_t n, double *a, ptrdiff_t rsa, ptrdiff_t csa, void *work);
MX_API int mx_ref_cholesky_f32(size_t n, float *a, ptrdiff_t rsa, ptrdiff_t csa, void *work);
MX_API void mx_ref_trsm_f64(int lower, int unit, size_t n, size_t columns, const double *t, ptrdiff_t rst,
                            ptrdiff_t cst, double *b, ptrdiff_t rsb, ptrdiff_t csb, void *work);
MX_API void mx_ref_trsm_f32(int lower, int unit, size_t n, size_t columns, const float *t, ptrdiff_t rst, ptrdiff_t cst,
                            float *b, ptrdiff_t rsb, ptrdiff_t csb, void *work);
MX_API void mx_ref_permute_rows_f64(size_t n, size_t columns, const size_t *pivots, int inverse, double *b,
                                    ptrdiff_t rsb, ptrdiff_t csb);
MX_API void mx_ref_permute_rows_f32(size_t n, size_t columns, const size_t *pivots, int inverse, float *b,
                                    ptrdiff_t rsb, ptrdiff_t csb);
MX_API double mx_ref_lu_logabsdet_f64(size_t n, const double *lu, ptrdiff_t rs, ptrdiff_t cs);
MX_API float mx_ref_lu_logabsdet_f32(size_t n, const float *lu, ptrdiff_t rs, ptrdiff_t cs);
MX_API double mx_ref_lu_det_f64(size_t n, const double *lu, ptrdiff_t rs, ptrdiff_t cs, const size_t *pivots);
MX_API float mx_ref_lu_det_f32(size_t n, const float *lu, ptrdiff_t rs, ptrdiff_t cs, const size_t *pivots);

/* ---- Along a line ----------------------------------------------------------------------------------------------- */

/* Operators on n elements, a stride apart in a and in y, which do not overlap.  first_max: 1 at the first largest
   element (the first NaN, if there is one), else 0.  others: the product of all other elements, right at zeros too. */
MX_API void mx_first_max_f64(size_t n, const double *a, ptrdiff_t stride_a, double *y, ptrdiff_t stride_y);
MX_API void mx_first_max_f32(size_t n, const float *a, ptrdiff_t stride_a, float *y, ptrdiff_t stride_y);
MX_API void mx_others_f64(size_t n, const double *a, ptrdiff_t stride_a, double *y, ptrdiff_t stride_y);
MX_API void mx_others_f32(size_t n, const float *a, ptrdiff_t stride_a, float *y, ptrdiff_t stride_y);

/* ---- What generated code says about itself (mxc --reflect) ---------------------------------------------------- */

/* One argument.  An array is contiguous and row-major; rank 0 is a scalar and has no shape; a diagonal n x n matrix is
   an array of n elements. */
typedef struct mx_argument {
    const char *name;
    const char *role;      /* "input", "cotangent", "tangent" or "output" */
    const char *structure; /* "dense", "diagonal", "symmetric", "spd", "lower", "upper", "orthogonal" */
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
    int n_indices; /* arguments that choose an element: call takes them behind the dimensions, in dims */
    const char *const *indices;
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
