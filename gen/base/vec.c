#include "vec.h"

#include <string.h>

void vec_reserve(struct arena *arena, void **at, size_t size, size_t len, size_t *cap) {
    if (len < *cap)
        return;
    size_t more = *cap ? *cap * arena_growth(*cap * size) : 4;
    void *moved = arena_array(arena, more, size);
    if (len)
        memcpy(moved, *at, len * size);
    *at = moved;
    *cap = more;
}
