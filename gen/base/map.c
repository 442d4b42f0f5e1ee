#include "map.h"

#include <string.h>

/* FNV-1a, 64 bits, by words as long as there are whole ones; what only high bits tell apart comes down to the low ones.
 */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    uint64_t hash = seed ^ 14695981039346656037u;
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word ^ hash >> 29) * 1099511628211u;
    }
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 1099511628211u;
    return hash;
}

static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}

/* Where a key is looked for first. Most are numbers of things made one after the other, and asked for so: four of these
 * are neighbours, in one line of a cache. */
static size_t place_of(uint64_t key) {
    return (size_t)(mix(key / 4) * 4 + key % 4);
}

static const char **string_slot(const char **slots, size_t size, const char *s, size_t length) {
    size_t i = place_of(hash_bytes(0, s, length)) & (size - 1);
    while (slots[i] && (strncmp(slots[i], s, length) != 0 || slots[i][length] != '\0'))
        i = (i + 1) & (size - 1);
    return &slots[i];
}

static void grow_interner(struct interner *interner) {
    size_t size = interner->size ? interner->size * 2 : 64;
    const char **slots = NEW_ARRAY(interner->arena, size, const char *);
    for (size_t i = 0; i < interner->size; i++)
        if (interner->slots[i])
            *string_slot(slots, size, interner->slots[i], strlen(interner->slots[i])) = interner->slots[i];
    RELEASE_ARRAY(interner->arena, interner->size, interner->slots);
    interner->slots = slots;
    interner->size = size;
}

const char *intern_n(struct interner *interner, const char *s, size_t length) {
    if (interner->count * 2 >= interner->size)
        grow_interner(interner);
    const char **slot = string_slot(interner->slots, interner->size, s, length);
    if (!*slot) {
        *slot = arena_string(interner->arena, s, length);
        interner->count++;
    }
    return *slot;
}

const char *intern(struct interner *interner, const char *s) {
    return intern_n(interner, s, strlen(s));
}

static struct map_slot *slot_of(struct map_slot *slots, size_t size, uint64_t key) {
    size_t i = place_of(key) & (size - 1);
    while (slots[i].used && slots[i].key != key)
        i = (i + 1) & (size - 1);
    return &slots[i];
}

static void grow_map(struct map *map) {
    size_t size = map->size ? map->size * 2 : 64;
    struct map_slot *slots = NEW_ARRAY(map->arena, size, struct map_slot);
    for (size_t i = 0; i < map->size; i++)
        if (map->slots[i].used)
            *slot_of(slots, size, map->slots[i].key) = map->slots[i];
    RELEASE_ARRAY(map->arena, map->size, map->slots);
    map->slots = slots;
    map->size = size;
}

uint32_t *map_at(struct map *map, uint64_t key) {
    if (map->count * 2 >= map->size)
        grow_map(map);
    struct map_slot *slot = slot_of(map->slots, map->size, key);
    if (!slot->used) {
        *slot = (struct map_slot){.key = key, .used = true};
        map->count++;
    }
    return &slot->value;
}

uint32_t map_get(const struct map *map, uint64_t key) {
    return map->size ? slot_of(map->slots, map->size, key)->value : 0;
}

struct hash_search hashes_search(uint64_t hash) {
    const uint32_t mixed = (uint32_t)mix(hash);
    return (struct hash_search){mixed, mixed};
}

uint32_t hashes_next(const struct hashes *hashes, struct hash_search *search) {
    while (hashes->size) {
        const struct hash_slot *slot = &hashes->slots[search->place++ & (hashes->size - 1)];
        if (!slot->number || slot->hash == search->hash)
            return slot->number;
    }
    return 0;
}

static void put_hash(struct hash_slot *slots, size_t size, struct hash_slot put) {
    size_t place = put.hash & (size - 1);
    while (slots[place].number)
        place = (place + 1) & (size - 1);
    slots[place] = put;
}

static void grow_hashes(struct hashes *hashes) {
    const size_t size = hashes->size ? hashes->size * 2 : 64;
    struct hash_slot *slots = NEW_ARRAY(hashes->arena, size, struct hash_slot);
    for (size_t i = 0; i < hashes->size; i++)
        if (hashes->slots[i].number)
            put_hash(slots, size, hashes->slots[i]);
    RELEASE_ARRAY(hashes->arena, hashes->size, hashes->slots);
    hashes->slots = slots;
    hashes->size = size;
}

void hashes_add(struct hashes *hashes, uint64_t hash, uint32_t number) {
    if (hashes->count++ * 2 >= hashes->size)
        grow_hashes(hashes);
    put_hash(hashes->slots, hashes->size, (struct hash_slot){hashes_search(hash).hash, number});
}

enum { PAGE_VALUES = 64 };

static void grow_sparse(struct sparse *sparse, size_t page) {
    const size_t before = sparse->count, count = page + page / 2 + 16;
    uint32_t **pages = arena_resize(sparse->arena, sparse->pages, before * sizeof *pages, count * sizeof *pages);
    memset(pages + before, 0, (count - before) * sizeof *pages);
    sparse->pages = pages;
    sparse->count = count;
}

uint32_t *sparse_at(struct sparse *sparse, uint32_t number) {
    const size_t page = number / PAGE_VALUES;
    if (page >= sparse->count)
        grow_sparse(sparse, page);
    if (!sparse->pages[page])
        sparse->pages[page] = NEW_ARRAY(sparse->arena, PAGE_VALUES, uint32_t);
    return &sparse->pages[page][number % PAGE_VALUES];
}

uint32_t sparse_get(const struct sparse *sparse, uint32_t number) {
    const size_t page = number / PAGE_VALUES;
    return page < sparse->count && sparse->pages[page] ? sparse->pages[page][number % PAGE_VALUES] : 0;
}
