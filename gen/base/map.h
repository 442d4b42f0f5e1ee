/* Hash tables: strings interned (compared by pointer from then on), and 64-bit keys to 32-bit values.
 * Nothing iterates over a table, so no output can depend on hash order or addresses. */
#ifndef MX_BASE_MAP_H
#define MX_BASE_MAP_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

struct interner {
    struct arena *arena;
    const char **slots;
    size_t count, size; /* size is 0 or a power of two */
};

/* The one copy of this text; equal texts give equal pointers. */
const char *intern(struct interner *interner, const char *s);
const char *intern_n(struct interner *interner, const char *s, size_t length);

struct map {
    struct arena *arena;
    struct map_slot {
        uint64_t key;
        uint32_t value;
        bool used;
    } * slots;
    size_t count, size;
};

/* The value at key, made 0 if there was none; valid until the next call. */
uint32_t *map_at(struct map *map, uint64_t key);
/* The value at key, or 0. */
uint32_t map_get(const struct map *map, uint64_t key);

static inline uint64_t key_of(const void *pointer) {
    return (uint64_t)(uintptr_t)pointer;
}

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length);

#endif
