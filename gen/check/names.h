/* Identifiers: which are declared, assigned, dimensions; what each node of an expression stands for; the symbols. */
#ifndef MX_CHECK_NAMES_H
#define MX_CHECK_NAMES_H

#include "checker.h"

void names_collect(struct checker *c); /* and c->context */
void names_make_symbols(struct checker *c);

#endif
