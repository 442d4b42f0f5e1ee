/* Names and shapes: from the tree to the typed tree. Errors go to diags; a typed tree without errors is what lower
 * reads. */
#ifndef MX_CHECK_CHECK_H
#define MX_CHECK_CHECK_H

#include "checked.h"

struct checked *check(struct arena *arena, struct interner *interner, struct polys *polys, struct diags *diags,
                      const struct ast *ast, const struct check_options *options);

#endif
