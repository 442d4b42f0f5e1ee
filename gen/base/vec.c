#include "vec.h"

void vec_reserve(struct arena *arena, void **at, size_t size, size_t len, size_t *cap) {
    if (len < *cap)
        return;
    size_t more = *cap ? *cap * 2 : 2;
    *at = arena_resize(arena, *at, *cap * size, more * size);
    *cap = more;
}
