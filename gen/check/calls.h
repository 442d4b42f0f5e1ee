/* The shape rules of the functions. */
#ifndef MX_CHECK_CALLS_H
#define MX_CHECK_CALLS_H

#include "checker.h"

struct type type_call(struct checker *c, ast_id id);
uint32_t call_positional(const struct ast *ast, ast_id id); /* arguments without a name */

#endif
