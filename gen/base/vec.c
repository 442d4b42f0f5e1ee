#include "vec.h"

#ifdef MX_ARENA_EACH /* every element moves a short list, so that memory checkers see who holds on to one of them */
enum { ONE_BY_ONE = 256 };
#else
enum { ONE_BY_ONE = 2 };
#endif

void vec_reserve(struct arena *arena, void **at, size_t size, size_t len, size_t *cap) {
    if (len < *cap)
        return;
    const size_t more = *cap < ONE_BY_ONE ? *cap + 1 : *cap * 2;
    *at = arena_resize(arena, *at, *cap * size, more * size);
    *cap = more;
}
