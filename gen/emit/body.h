/* The bodies of generated functions. */
#ifndef MX_EMIT_BODY_H
#define MX_EMIT_BODY_H

#include "signature.h"

/* Everything between the braces of a function. */
void body_print(struct text *out, const struct emission *e, struct signature *s);
/* The same for its …_worksize and …_savedsize. */
void body_print_worksize(struct text *out, const struct emission *e, const struct signature *s);
void body_print_savedsize(struct text *out, const struct emission *e, const struct signature *s);

/* The workspace in bytes, where it is known now: all dimensions fixed, no blocked product. */
bool body_fixed_worksize(const struct emission *e, const struct signature *s, uint64_t *bytes);
bool body_uses_gemm(const struct signature *s);

#endif
