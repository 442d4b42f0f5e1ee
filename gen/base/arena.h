/* Memory by lifetime: everything allocated from an arena is freed with it, at once.
 *
 * There is no NULL to test for: where memory runs out, arena_alloc jumps to the place that the owner of the
 * compilation set up (compile.c), which frees the arenas and reports the failure. */
#ifndef MX_BASE_ARENA_H
#define MX_BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>

struct arena;

/* A new arena that jumps to *failure (value 1) when memory runs out; NULL if there is none even for the arena itself.
 */
struct arena *arena_new(jmp_buf *failure);
void arena_free(struct arena *arena);

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* The same for `count` objects of `size` bytes; a product that overflows counts as memory run out. */
void *arena_array(struct arena *arena, size_t count, size_t size);
void *arena_copy(struct arena *arena, const void *from, size_t bytes);
char *arena_string(struct arena *arena, const char *from, size_t length);

/* The next size of an array in an arena, of so many bytes, as a multiple: what outgrows its place stays behind in full,
 * while pages that are not used cost nothing, so that large arrays grow in larger steps. */
static inline size_t arena_growth(size_t bytes) {
    return bytes < (1u << 20) ? 2 : 4;
}

/* One zeroed object, or an array of them, of type T. */
#define NEW(arena, T) ((T *)arena_alloc((arena), sizeof(T)))
#define NEW_ARRAY(arena, count, T) ((T *)arena_array((arena), (count), sizeof(T)))

#endif
