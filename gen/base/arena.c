#include "arena.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE (2u << 20)
#ifdef MX_ARENA_EACH /* every object its own block, so that memory checkers see its edges */
static const size_t chunk_bytes = 0, most_bytes = 0;
#else
static const size_t chunk_bytes = 512u * 1024u; /* so large that calloc gets zeroed pages and need not clear them */
static const size_t most_bytes = 16u << 20;
#endif

struct chunk {
    struct chunk *before, *after; /* two, so that what follows is aligned */
};

/* An object that was given back; the next one of as many bytes. */
struct hole {
    struct hole *next;
};

/* Bytes of an object: a multiple of the alignment, from LARGE on a power of two, so that an array that is a little
 * longer each time finds the room of the last one. One list of holes for each. */
enum { LARGE = 1024, LARGE_BITS = 10, POWERS = 10, SIZES = LARGE / ARENA_ALIGNMENT + POWERS };

struct arena {
    struct chunk *chunks;
    char *next, *end;
    struct hole *holes[SIZES]; /* see holes_of */
    size_t usual;              /* bytes of the next chunk for many objects */
    jmp_buf *failure;
};

struct arena *arena_new(jmp_buf *failure) {
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena) {
        arena->usual = chunk_bytes;
        arena->failure = failure;
    }
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

/* A large program touches so many pages that a third of the time would go into getting them one by one. */
static void want_large_pages(char *from, size_t bytes) {
#ifdef MADV_HUGEPAGE
    const size_t before = (size_t)(-(uintptr_t)from % LARGE_PAGE);
    if (bytes >= before + LARGE_PAGE)
        madvise(from + before, (bytes - before) / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#else
    (void)from, (void)bytes;
#endif
}

static void *add_chunk(struct arena *arena, size_t body) {
    if (body > SIZE_MAX - sizeof(struct chunk))
        longjmp(*arena->failure, 1);
    struct chunk *chunk = calloc(1, sizeof *chunk + body);
    if (!chunk)
        longjmp(*arena->failure, 1);
    want_large_pages((char *)chunk, sizeof *chunk + body);
    chunk->before = arena->chunks;
    if (chunk->before)
        chunk->before->after = chunk;
    arena->chunks = chunk;
    return chunk + 1;
}

/* An object of half a chunk and more is one of its own. */
static bool is_chunk(size_t bytes) {
    return bytes >= chunk_bytes / 2;
}

/* ceil(log2(bytes)) */
static unsigned bits_of(size_t bytes) {
    return (unsigned)(CHAR_BIT * sizeof(unsigned long)) - (unsigned)__builtin_clzl(bytes - 1);
}

static size_t rounded(size_t bytes) {
    return bytes > LARGE ? (size_t)1 << bits_of(bytes)
                         : (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

/* A chunk for objects to come, twice as large as the one before. */
static void add_room(struct arena *arena) {
    arena->next = add_chunk(arena, arena->usual);
    arena->end = arena->next + arena->usual;
    if (arena->usual < most_bytes)
        arena->usual *= 2;
}

/* The holes that fit an object that is no chunk. */
static struct hole **holes_of(struct arena *arena, size_t bytes) {
    const size_t small = rounded(bytes) / ARENA_ALIGNMENT;
    return &arena->holes[bytes > LARGE ? LARGE / ARENA_ALIGNMENT + bits_of(bytes) - LARGE_BITS : small];
}

void *arena_alloc(struct arena *arena, size_t bytes) {
    if (is_chunk(bytes))
        return add_chunk(arena, bytes);
    struct hole **holes = holes_of(arena, bytes), *hole = *holes;
    if (hole) {
        *holes = hole->next;
        return memset(hole, 0, bytes);
    }
    if (rounded(bytes) > (size_t)(arena->end - arena->next))
        add_room(arena);
    void *object = arena->next;
    arena->next += rounded(bytes);
    return object;
}

/* Of the object allocated last, where it stands. */
static bool grows_in_place(struct arena *arena, void *object, size_t bytes, size_t more) {
    if (!object || is_chunk(more) || (char *)object + rounded(bytes) != arena->next ||
        rounded(more) > (size_t)(arena->end - (char *)object))
        return false;
    arena->next = (char *)object + rounded(more);
    return true;
}

/* A chunk that was moved, or NULL for one that is gone. */
static void relink(struct arena *arena, struct chunk *before, struct chunk *after, struct chunk *now) {
    if (after)
        after->before = now ? now : before;
    else
        arena->chunks = now ? now : before;
    if (before)
        before->after = now ? now : after;
}

static void release_chunk(struct arena *arena, void *object) {
    struct chunk *chunk = (struct chunk *)object - 1;
    relink(arena, chunk->before, chunk->after, NULL);
    free(chunk);
}

void arena_release(struct arena *arena, void *object, size_t bytes) {
    if (!object || !bytes)
        return;
    if (is_chunk(bytes)) {
        release_chunk(arena, object);
        return;
    }
    struct hole **holes = holes_of(arena, bytes), *hole = object;
    hole->next = *holes;
    *holes = hole;
}

/* Of an object that is no chunk: it becomes one, or another such object. */
static void *moved_to_more(struct arena *arena, void *object, size_t bytes, size_t more) {
    void *moved = arena_alloc(arena, more);
    if (object)
        memcpy(moved, object, bytes);
    arena_release(arena, object, bytes);
    return moved;
}

void *arena_resize(struct arena *arena, void *object, size_t bytes, size_t more) {
    if (grows_in_place(arena, object, bytes, more))
        return object;
    if (!object || !is_chunk(bytes))
        return moved_to_more(arena, object, bytes, more);
    struct chunk *moved =
        more > SIZE_MAX - sizeof(struct chunk) ? NULL : realloc((struct chunk *)object - 1, sizeof *moved + more);
    if (!moved)
        longjmp(*arena->failure, 1);
    relink(arena, moved->before, moved->after, moved);
    return moved + 1;
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
