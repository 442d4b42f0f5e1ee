/* Derivatives as expressions: grad(f, x), jac(y, x), hess(f, x), jvp(y, x, v), vjp(y, x, u). */
#ifndef MX_CHECK_DERIVATIVES_H
#define MX_CHECK_DERIVATIVES_H

#include "checker.h"

/* The type of a call whose arguments have known types. */
struct type type_derivative(struct checker *c, ast_id id, enum op op);

#endif
