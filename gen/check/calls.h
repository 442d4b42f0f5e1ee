/* The shape rules of the functions. */
#ifndef MX_CHECK_CALLS_H
#define MX_CHECK_CALLS_H

#include "checker.h"

struct type type_call(struct checker *c, ast_id id);
struct type type_solution(struct checker *c, ast_id id); /* of A \ B or solve(A, B) */
bool literal_integer(const struct ast *ast, ast_id id, double *value);
uint32_t call_positional(const struct ast *ast, ast_id id); /* arguments without a name */

#endif
