/* Typed growing arrays in an arena: VEC(int) v = {0}; vec_push(arena, &v, 3); v.at[0]; v.len. */
#ifndef MX_BASE_VEC_H
#define MX_BASE_VEC_H

#include "arena.h"

#define VEC(T)                                                                                                         \
    struct {                                                                                                           \
        T *at;                                                                                                         \
        size_t len, cap;                                                                                               \
    }

#define vec_push(arena, v, ...)                                                                                        \
    (vec_reserve((arena), (void **)&(v)->at, sizeof *(v)->at, (v)->len, &(v)->cap), (v)->at[(v)->len++] = (__VA_ARGS__))

#define vec_pop(v) ((v)->at[--(v)->len])
#define vec_last(v) ((v)->at[(v)->len - 1])
/* Gives back the room of a list, which is empty then. */
#define vec_free(arena, v)                                                                                             \
    (arena_release((arena), (v)->at, (v)->cap * sizeof *(v)->at), (v)->at = NULL, (v)->len = (v)->cap = 0)

/* Makes room for one element more. */
void vec_reserve(struct arena *arena, void **at, size_t size, size_t len, size_t *cap);

#endif
