/* Sizes made equal. */
#ifndef MX_CHECK_UNIFY_H
#define MX_CHECK_UNIFY_H

#include "checker.h"

struct variable *variable_at(struct checker *c, uint32_t index);
poly unknown_new(struct checker *c, const char *interned_name);
poly resolve(struct checker *c, poly p); /* what is bound put in */
struct type resolve_type(struct checker *c, struct type type);
/* Makes two sizes one; false if they can never be. at: the node that says so. */
bool unify(struct checker *c, poly a, poly b, ast_id at);
void unify_undo(struct checker *c, size_t trail_length); /* back to when c->trail had this length */
void unify_rest(struct checker *c);                      /* equations that had to wait; errors for those that fail */

#endif
