/* The shape rules of the operators, and the types of nodes. */
#ifndef MX_CHECK_SHAPES_H
#define MX_CHECK_SHAPES_H

#include "checker.h"

/* Gives a node its type, or its size; its operands have theirs. A fault is left in c->reported. */
void type_node(struct checker *c, ast_id id);
/* Is the value of the statement in work what its name is declared as? True if nothing declares it. */
bool assignment_fits(struct checker *c, struct type *declared);
void elementwise_warnings(struct checker *c);

#endif
