/* The machine's caches, for the choice of cache blocks. */
#ifndef MX_CACHE_H
#define MX_CACHE_H

#include <stddef.h>

/* Bytes of the second-level cache of a processor; a common size where the system does not tell.  Found out once. */
ptrdiff_t mx_near_cache(void);

#endif
