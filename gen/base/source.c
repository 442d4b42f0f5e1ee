#include "source.h"

#include <string.h>

const struct source *sources_add(struct sources *sources, const char *name, const char *text, size_t length) {
    uint32_t base = 1;
    if (sources->all.len) {
        const struct source *last = &vec_last(&sources->all);
        base = last->base + last->length + 1;
    }
    if (length >= UINT32_MAX - base - 1)
        return NULL;
    struct source source = {.name = name, .text = text, .base = base, .length = (uint32_t)length};
    vec_push(sources->arena, &source.lines, 0);
    for (uint32_t i = 0; i < length; i++)
        if (text[i] == '\n')
            vec_push(sources->arena, &source.lines, i + 1);
    vec_push(sources->arena, &sources->all, source);
    return &vec_last(&sources->all);
}

/* Index of the last element that is <= key. */
static size_t last_not_after(const uint32_t *at, size_t count, uint32_t key) {
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (at[middle] <= key)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct place source_place(const struct sources *sources, uint32_t offset) {
    size_t i = 0, end = sources->all.len;
    while (end - i > 1) {
        size_t middle = i + (end - i) / 2;
        if (sources->all.at[middle].base <= offset)
            i = middle;
        else
            end = middle;
    }
    const struct source *source = &sources->all.at[i];
    uint32_t local = offset < source->base ? 0 : offset - source->base;
    if (local > source->length)
        local = source->length;
    size_t line = last_not_after(source->lines.at, source->lines.len, local);
    return (struct place){source, (uint32_t)line + 1, local - source->lines.at[line] + 1};
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *source_line(const struct source *source, uint32_t line, uint32_t *length) {
    const char *start = source->text + source->lines.at[line - 1];
    const char *end = source->text + source->length;
    const char *stop = memchr(start, '\n', (size_t)(end - start));
    if (!stop)
        stop = end;
    if (stop > start && stop[-1] == '\r')
        stop--;
    *length = (uint32_t)(stop - start);
    return start;
}
