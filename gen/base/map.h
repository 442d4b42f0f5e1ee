/* Tables: strings interned (compared by pointer from then on), and 32-bit values by 64-bit keys, by hashes and by
 * numbers.
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

/* Numbers of things by hashes of them, any number for one hash: whoever asks compares the things. */
struct hashes {
    struct arena *arena;
    struct hash_slot {
        uint32_t hash, number; /* 0: free */
    } * slots;
    size_t count, size;
};

struct hash_search {
    uint32_t hash;
    size_t place;
};

struct hash_search hashes_search(uint64_t hash);
/* The next number that was added with the hash, 0 after the last. */
uint32_t hashes_next(const struct hashes *hashes, struct hash_search *search);
void hashes_add(struct hashes *hashes, uint64_t hash, uint32_t number);

/* Values by numbers that are close to each other, as those of things made one after the other are. */
struct sparse {
    struct arena *arena;
    uint32_t **pages;
    size_t count;
};

/* The value at this number, made 0 if there was none; stays where it is. */
uint32_t *sparse_at(struct sparse *sparse, uint32_t number);
/* The value at this number, or 0. */
uint32_t sparse_get(const struct sparse *sparse, uint32_t number);

/* Of an interned string, or another object from an arena. */
static inline uint64_t key_of(const void *pointer) {
    return (uint64_t)(uintptr_t)pointer / ARENA_ALIGNMENT;
}

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length);

#endif
