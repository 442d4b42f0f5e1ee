/* What products are fitted to beside the instruction set.  No result depends on it. */
#ifndef MX_MACHINE_H
#define MX_MACHINE_H

#include <stdatomic.h>
#include <stddef.h>

typedef struct mx_machine {
    _Atomic ptrdiff_t near_cache;   /* bytes of a processor's second-level cache */
    _Atomic int has_halved_vectors; /* the widest vectors take twice the time of those half as wide */
} mx_machine;

/* This one: found out before the first kernel set is given out (dispatch.c), and not changed afterwards. */
extern mx_machine mx_this_machine;
void mx_find_machine(void);

static inline ptrdiff_t mx_near_cache(void) {
    return atomic_load_explicit(&mx_this_machine.near_cache, memory_order_relaxed);
}

static inline int mx_has_halved_vectors(void) {
    return atomic_load_explicit(&mx_this_machine.has_halved_vectors, memory_order_relaxed);
}

#endif
