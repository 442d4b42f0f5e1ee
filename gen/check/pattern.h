/* einsum: its pattern of letters. */
#ifndef MX_CHECK_PATTERN_H
#define MX_CHECK_PATTERN_H

#include "checker.h"

/* The type of a call of einsum; every way in which a pattern can be wrong is an error. */
struct type type_einsum(struct checker *c, ast_id id);

#endif
