/* What the system says of the caches. */
#include "cache.h"

#include <stdatomic.h>

#if defined(__unix__)
#include <unistd.h>
#endif

/* Where the system does not tell, and what it may be taken for if it tells wonders. */
#define USUAL (1 << 20)
#define LEAST (1 << 18)
#define MOST (1 << 22)

static ptrdiff_t second_level(void) {
#if defined(_SC_LEVEL2_CACHE_SIZE)
    const long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (size > 0)
        return size < LEAST ? LEAST : size < MOST ? size : MOST;
#endif
    return USUAL;
}

/* Threads that ask together may all find it out, the same for all. */
ptrdiff_t mx_near_cache(void) {
    static _Atomic ptrdiff_t found;
    ptrdiff_t size = atomic_load_explicit(&found, memory_order_relaxed);
    if (size == 0) {
        size = second_level();
        atomic_store_explicit(&found, size, memory_order_relaxed);
    }
    return size;
}
