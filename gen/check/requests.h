/* What is asked for: outputs and derivatives. */
#ifndef MX_CHECK_REQUESTS_H
#define MX_CHECK_REQUESTS_H

#include "checker.h"

/* Once all statements are typed, so that a request may stand anywhere. */
void requests_check(struct checker *c);

#endif
