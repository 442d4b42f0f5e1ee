/* The bodies of generated functions. */
#ifndef MX_EMIT_BODY_H
#define MX_EMIT_BODY_H

#include "signature.h"

/* The definition of a function, behind those of its parts if it has any. */
void body_print(struct text *out, const struct emission *e, struct signature *s);
/* Places in its table, where it is in parts. */
uint32_t body_places(const struct signature *s);
/* Everything between the braces of its …_worksize and …_savedsize. */
void body_print_worksize(struct text *out, const struct emission *e, const struct signature *s);
void body_print_savedsize(struct text *out, const struct emission *e, const struct signature *s);

/* The workspace in bytes, where it is known now: all dimensions fixed, no blocked product. */
bool body_fixed_worksize(const struct emission *e, const struct signature *s, uint64_t *bytes);
/* Does it call functions of the runtime that need work? */
bool body_calls(const struct emission *e, const struct signature *s);

#endif
