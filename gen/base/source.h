/* Source texts and places in them. A span is a pair of offsets into all texts laid end to end, so that it is eight
 * bytes and knows its file; line and column are looked up when something is printed. */
#ifndef MX_BASE_SOURCE_H
#define MX_BASE_SOURCE_H

#include "arena.h"
#include "vec.h"

#include <stdint.h>

struct span {
    uint32_t begin, end; /* end is one past the last byte; begin == end == 0 is "no place" */
};

struct source {
    const char *name;      /* as the user wrote it; "<stdin>" for standard input */
    const char *text;      /* NUL-terminated */
    uint32_t base, length; /* offset of its first byte; every source is followed by one offset that no byte has */
    VEC(uint32_t) lines;   /* offset of each line's first byte, from base */
};

struct sources {
    struct arena *arena;
    VEC(struct source) all;
};

struct place {
    const struct source *source;
    uint32_t line, column; /* 1-based; a column is a byte */
};

/* Adds a text; NULL if all texts together would pass 4 GiB. The text is not copied. Pointers to a source stay valid
 * only until the next call. */
const struct source *sources_add(struct sources *sources, const char *name, const char *text, size_t length);
struct place source_place(const struct sources *sources, uint32_t offset);
/* The part of a path after its last '/'. */
const char *base_name(const char *path);
/* The text of a line, without its end; *length is its bytes. */
const char *source_line(const struct source *source, uint32_t line, uint32_t *length);

static inline struct span span_join(struct span a, struct span b) {
    if (a.end == 0)
        return b;
    if (b.end == 0)
        return a;
    return (struct span){a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

#endif
