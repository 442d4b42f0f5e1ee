#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16
#ifdef MX_ARENA_EACH /* every object its own block, so that memory checkers see its edges */
#define CHUNK_BYTES 0
#else
#define CHUNK_BYTES (512u * 1024u) /* so large that calloc gets zeroed pages and need not clear them */
#endif

struct chunk {
    struct chunk *before;
    size_t unused; /* keeps what follows aligned */
};

struct arena {
    struct chunk *chunks;
    char *next, *end;
    jmp_buf *failure;
};

struct arena *arena_new(jmp_buf *failure) {
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena)
        arena->failure = failure;
    return arena;
}

void arena_free(struct arena *arena) {
    if (!arena)
        return;
    for (struct chunk *c = arena->chunks, *before; c; c = before) {
        before = c->before;
        free(c);
    }
    free(arena);
}

static void grow(struct arena *arena, size_t bytes) {
    size_t body = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    if (body > SIZE_MAX - sizeof(struct chunk))
        longjmp(*arena->failure, 1);
    struct chunk *chunk = calloc(1, sizeof *chunk + body);
    if (!chunk)
        longjmp(*arena->failure, 1);
    chunk->before = arena->chunks;
    arena->chunks = chunk;
    arena->next = (char *)(chunk + 1);
    arena->end = arena->next + body;
}

void *arena_alloc(struct arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX - ALIGNMENT)
        longjmp(*arena->failure, 1);
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (CHUNK_BYTES == 0 || rounded > (size_t)(arena->end - arena->next))
        grow(arena, CHUNK_BYTES == 0 ? bytes : rounded);
    void *object = arena->next;
    arena->next += CHUNK_BYTES == 0 ? bytes : rounded;
    return object;
}

void *arena_array(struct arena *arena, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size)
        longjmp(*arena->failure, 1);
    return arena_alloc(arena, count * size);
}

void *arena_copy(struct arena *arena, const void *from, size_t bytes) {
    void *to = arena_alloc(arena, bytes);
    if (bytes)
        memcpy(to, from, bytes);
    return to;
}

char *arena_string(struct arena *arena, const char *from, size_t length) {
    char *to = arena_alloc(arena, length + 1);
    memcpy(to, from, length);
    return to;
}
