/* Matrices of every layout, guarded workspaces, and one checked call of the product. */
#ifndef OPERANDS_H
#define OPERANDS_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>

#include "real.h"

#if MX_BITS == 64
#define EPSILON DBL_EPSILON
#else
#define EPSILON FLT_EPSILON
#endif

/* Elements on either side of a matrix that no call may write. */
#define GUARD 16

/* Elements between padded rows. */
#define GAP 3

typedef enum layout {
    ROWS,        /* row-major */
    COLUMNS,     /* column-major: the transpose of a row-major matrix */
    PADDED_ROWS, /* with a gap after every row */
    PADDED_COLUMNS,
    SPREAD,    /* neither stride is 1 */
    BACKWARDS, /* both strides negative */
    REPEATED,  /* row stride 0: one row for all; for inputs only */
    N_LAYOUTS
} layout;

extern const char *const layout_names[N_LAYOUTS];

/* Element (i, j) is at[i*rs + j*cs]; memory is all that was allocated for it. */
typedef struct matrix {
    size_t rows, columns;
    ptrdiff_t rs, cs;
    real *at, *memory;
    size_t length;
} matrix;

/* A product to try. */
typedef struct trial {
    size_t m, n, k;
    real alpha, beta;
    layout a, b, c;
    uint64_t seed;
} trial;

typedef struct operands {
    matrix a, b, c;
} operands;

/* Uniform in [-1, 1]. */
real random_real(uint64_t *state);

/* Random elements; whatever lies between them is NaN, so that reading it shows.  guard more elements lie on either
   side. */
matrix matrix_new(size_t rows, size_t columns, layout l, size_t guard, uint64_t *state);
matrix matrix_copy(const matrix *x); /* gaps and guards, too */
void matrix_free(matrix *x);
real *element(const matrix *x, size_t i, size_t j);

/* A workspace at an odd address between bytes that must stay, filled as seed says; work is NULL where size is 0. */
typedef struct workspace {
    unsigned char *memory, *work;
    size_t offset, size;
} workspace;

workspace workspace_new(size_t size, uint64_t seed);
int workspace_end(workspace *w); /* frees it; 0: memory beside it was written */

/* Never NULL: ends the program where memory is short. */
void *allocate(size_t bytes);

operands operands_new(const trial *t);
void operands_free(operands *o);

/* What the two functions below call: mx_gemm, unless another one is named here. */
typedef void product_call(const trial *t, operands *o, void *work);
extern product_call *called;

/* One call with the workspace at an odd address.  NULL when all is well, otherwise what is wrong, in static memory:
   an input written, memory beside C's elements or past the workspace written. */
const char *call_guarded(const trial *t, operands *o);

/* A whole trial: call_guarded on random operands and every element of C within the error bound of the reference. */
const char *check_trial(const trial *t);

/* The reference on the same operands; C is replaced. */
void call_reference(const trial *t, operands *o);

size_t worksize(size_t m, size_t n, size_t k);

#endif
