#include "vec.h"

#ifdef MX_ARENA_EACH /* every element moves the list, so that memory checkers see who holds on to one of them */
static size_t more_than(size_t cap) {
    return cap + 1;
}
#else
static size_t more_than(size_t cap) {
    return cap ? cap * 2 : 2;
}
#endif

void vec_reserve(struct arena *arena, void **at, size_t size, size_t len, size_t *cap) {
    if (len < *cap)
        return;
    const size_t more = more_than(*cap);
    *at = arena_resize(arena, *at, *cap * size, more * size);
    *cap = more;
}
