/* The reference manual of the language: the sections of manual.def, and an entry for each function of ops.def. */
#ifndef MX_MANUAL_H
#define MX_MANUAL_H

#include "base/text.h"

/* Text of at most 92 columns; the man page mxc-language(7); the same facts for programs: every function with its call
 * forms, definition, differential, kinks and example, and every example program of the sections. */
enum manual_format { MANUAL_TEXT, MANUAL_MAN, MANUAL_JSON };

void manual_print(struct text *out, enum manual_format format);

#endif
