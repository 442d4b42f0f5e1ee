/* Memory by lifetime: everything allocated from an arena is freed with it, at once.  What is known to be gone sooner
 * may be given back and is used again, so that fewer pages are touched: lists and texts that grow do so with what they
 * outgrow.
 *
 * There is no NULL to test for: where memory runs out, arena_alloc jumps to the place that the owner of the
 * compilation set up (compile.c), which frees the arenas and reports the failure. */
#ifndef MX_BASE_ARENA_H
#define MX_BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>

struct arena;

enum { ARENA_ALIGNMENT = 16 }; /* of every object, in bytes */

/* A new arena that jumps to *failure (value 1) when memory runs out; NULL if there is none even for the arena itself.
 */
struct arena *arena_new(jmp_buf *failure);
void arena_free(struct arena *arena);

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* The same for `count` objects of `size` bytes; a product that overflows counts as memory run out. */
void *arena_array(struct arena *arena, size_t count, size_t size);
void *arena_copy(struct arena *arena, const void *from, size_t bytes);
/* Gives back an object of so many bytes that was allocated as such (NULL: nothing), which is gone then. */
void arena_release(struct arena *arena, void *object, size_t bytes);
/* Makes more of an object of so many bytes, NULL for none; the old one is gone, and what is new is not zeroed. */
void *arena_resize(struct arena *arena, void *object, size_t bytes, size_t more);
char *arena_string(struct arena *arena, const char *from, size_t length);

/* One zeroed object, or an array of them, of type T. */
#define NEW(arena, T) ((T *)arena_alloc((arena), sizeof(T)))
#define NEW_ARRAY(arena, count, T) ((T *)arena_array((arena), (count), sizeof(T)))
/* Gives back such an array. */
#define RELEASE_ARRAY(arena, count, array) arena_release((arena), (array), (count) * sizeof *(array))

#endif
