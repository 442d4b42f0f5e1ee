/* Elements and slices: their types, and their bounds. */
#ifndef MX_CHECK_ELEMENTS_H
#define MX_CHECK_ELEMENTS_H

#include "checker.h"

/* The type of an AST_INDEX node; fills the extents of its indices. */
struct type type_index(struct checker *c, ast_id id);
/* Once all types are final: errors for bounds that are never right; those that may be wrong for some sizes are listed
 * in the typed tree. */
void bounds_check(struct checker *c);

#endif
