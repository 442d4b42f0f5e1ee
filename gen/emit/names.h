/* Identifiers of the generated C: never a keyword of C or C++, a macro, a function that generated code calls, or taken.
 */
#ifndef MX_EMIT_NAMES_H
#define MX_EMIT_NAMES_H

#include "../base/map.h"

struct scope {
    struct arena *arena;
    struct interner *interner;
    struct map taken;
};

/* The name itself if it is free in C and in the scope, else with '_' after it until it is; taken from then on. */
const char *scope_name(struct scope *scope, const char *wanted);

/* Is it a name that no parameter or variable may have? */
bool name_is_reserved(const char *name);

#endif
