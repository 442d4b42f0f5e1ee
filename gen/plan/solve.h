/* Factorisations: what operators of matrices are computed by. */
#ifndef MX_PLAN_SOLVE_H
#define MX_PLAN_SOLVE_H

#include "../lower/lower.h"

/* An operator of a matrix by its factor, which all that need it share: Cholesky of a positive matrix, nothing of a
 * triangular one, else LU. An inverse is a solve of the identity. */
struct value expand_matrix(struct lowering *lowering, struct value value);

#endif
