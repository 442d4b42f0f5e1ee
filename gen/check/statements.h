/* The assignments, typed in their order. */
#ifndef MX_CHECK_STATEMENTS_H
#define MX_CHECK_STATEMENTS_H

#include "checker.h"

void type_statement(struct checker *c, uint32_t statement);

#endif
