/* What requests differentiate by: inputs, and elements of them. */
#ifndef MX_CHECK_VARIABLES_H
#define MX_CHECK_VARIABLES_H

#include "checker.h"

/* One operand after 'wrt'; false after an error. Adds to the program's variables, their elements, and the indices that
 * the request, which is not in the list of requests yet, takes as arguments. stamps: see is_new. */
bool add_variable(struct checker *c, struct request *request, ast_id id, uint32_t *stamps, uint32_t list);

/* Whether the symbol is new in this list; stamps hold the number of the last list in which each symbol stood. */
bool is_new(struct checker *c, uint32_t *stamps, uint32_t list, uint32_t symbol, ast_id id);
void report_no_such(struct checker *c, ast_id id, const struct name *name);

#endif
