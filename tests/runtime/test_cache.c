/* Products on machines with other caches: mx_near_cache() stands here in the place of the runtime's, so that blocks of
   A are smaller and larger, and the same A is packed or not.  Right, within the workspace, and the same bits.  Compiled
   once for each element type; run once for each kernel set. */
#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static ptrdiff_t cache;

ptrdiff_t mx_near_cache(void) {
    return cache;
}

/* A far from square, by rows and by columns, past the largest block of rows and past KC. */
static const trial shapes[] = {
    {.m = 401, .n = 60, .k = 601, .b = COLUMNS},
    {.m = 401, .n = 90, .k = 1030, .a = COLUMNS, .b = COLUMNS},
    {.m = 67, .n = 401, .k = 1100, .b = COLUMNS, .c = COLUMNS},
    {.m = 300, .n = 300, .k = 300, .a = PADDED_COLUMNS},
    {.m = 221, .n = 100, .k = 200, .a = SPREAD, .b = BACKWARDS},
};

static operands with_cache(ptrdiff_t bytes, const trial *t, const char **wrong) {
    operands o = operands_new(t);
    cache = bytes;
    *wrong = call_guarded(t, &o);
    return o;
}

static void test_caches(tap *out, const trial *t) {
    static const ptrdiff_t sizes[] = {1, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 21, 1 << 22};
    const char *wrong = NULL;
    operands usual = with_cache(1 << 20, t, &wrong);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        operands other = with_cache(sizes[i], t, &wrong);
        if (wrong == NULL && memcmp(usual.c.memory, other.c.memory, other.c.length * sizeof(real)) != 0)
            wrong = "other bits than with a usual cache";
        if (wrong == NULL)
            wrong = check_trial(t);
        if (!tap_ok(out, wrong == NULL, "cache of %td bytes, %zu x %zu x %zu", sizes[i], t->m, t->n, t->k))
            printf("# %s\n", wrong);
        operands_free(&other);
    }
    operands_free(&usual);
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    for (size_t s = 0; s < COUNT(shapes); s++) {
        trial t = shapes[s];
        t.alpha = (real)0.5, t.beta = (real)-1, t.seed = s + 1;
        test_caches(&out, &t);
    }
    return tap_end(&out);
}
