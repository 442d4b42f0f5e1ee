/* Dimensions: what fixes them, and the polynomials of declared shapes. */
#ifndef MX_CHECK_SIZES_H
#define MX_CHECK_SIZES_H

#include "checker.h"

void sizes_fix(struct checker *c);     /* what 'dim' statements and -D fix */
void sizes_declare(struct checker *c); /* types of all symbols except values that no declaration types */
poly option_value(struct checker *c, const char *option, const char **name); /* of -D; POLY_NONE after an error */
poly size_node(struct checker *c, ast_id id);                                /* its operands are in size_of already */
poly size_checked(struct checker *c, ast_id id); /* the size at a root; an error if it is always below 1 */

/* p, or an error if it is too large to compute with. */
poly size_bounded(struct checker *c, ast_id id, poly p);

#endif
