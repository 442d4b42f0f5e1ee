/* What a function does that cannot give its results: it fills its outputs with NaN and returns a status. */
#ifndef MX_EMIT_FAILURE_H
#define MX_EMIT_FAILURE_H

#include "expression.h"

/* "static int NAME_fail(int status, dimensions, outputs)", where it can. */
void print_failure_function(struct text *out, const struct body *b);
/* Leaves a function whose sizes do not have the elements that it reads, with MX_ERR_INDEX. */
void print_bounds(struct text *out, const struct body *b);
/* Leaves the function, or the part of one, if the status is not MX_OK. */
void print_failure(struct text *out, const struct body *b, const char *status, int depth);
/* The same from the function that calls the parts. */
void print_failure_of_part(struct text *out, const struct body *b, const char *status, int depth);

#endif
