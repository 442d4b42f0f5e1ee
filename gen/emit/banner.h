#ifndef MX_EMIT_BANNER_H
#define MX_EMIT_BANNER_H

#include "emit.h"

/* What a generated file says of itself first: no date, no path. */
void print_banner(struct text *out, const struct emission *e, const char *file);

#endif
