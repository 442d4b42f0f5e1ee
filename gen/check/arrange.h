/* The types of what is put together from elements of other values. */
#ifndef MX_CHECK_ARRANGE_H
#define MX_CHECK_ARRANGE_H

#include "types.h"

/* Of an AST_LIST, or a call of hcat (axis 1); of an AST_BLOCK, or a call of vcat (axis 0). */
struct type type_stack(struct checker *c, ast_id id, int axis);
struct type type_kron(struct checker *c, ast_id id);
struct type type_vec(struct checker *c, ast_id id);
struct type type_reshape(struct checker *c, ast_id id);

#endif
