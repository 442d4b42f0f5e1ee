/* Products on machines with other caches: mx_near_cache() stands here in the place of the runtime's, so that blocks of
   A are smaller and larger, and the same A is packed or not.  Right, within the workspace, and the same bits.  Compiled
   once for each element type; run once for each kernel set. */
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A far from square, by rows and by columns, past the largest block of rows and past KC, and less deep, and B; some
   columns after the last whole vector, for depths that give dot products or not; a vector and few rows times a B that
   is far away or not; columns, and rows, of a page each, and a row of several pages.
 */
static const trial shapes[] = {
    {.m = 401, .n = 60, .k = 601, .b = COLUMNS},
    {.m = 401, .n = 90, .k = 1030, .a = COLUMNS, .b = COLUMNS},
    {.m = 909, .n = 60, .k = 605},
    {.m = 409, .n = 430, .k = 100, .a = COLUMNS},
    {.m = 60, .n = 461, .k = 1301, .b = COLUMNS},
    {.m = 67, .n = 401, .k = 1100, .b = COLUMNS, .c = COLUMNS},
    {.m = 300, .n = 300, .k = 300, .a = PADDED_COLUMNS},
    {.m = 221, .n = 100, .k = 200, .a = SPREAD, .b = BACKWARDS},
    {.m = 12, .n = 12, .k = 12},
    {.m = 50, .n = 25, .k = 9},
    {.m = 50, .n = 25, .k = 80},
    {.m = 50, .n = 26, .k = 80, .a = COLUMNS},
    {.m = 40, .n = 29, .k = 70},
    {.m = 40, .n = 23, .k = 300},
    {.m = 30, .n = 36, .k = 100},
    {.m = 30, .n = 7, .k = 100},
    {.m = 40, .n = 28, .k = 300},
    {.m = 40, .n = 40, .k = 300},
    {.m = 12, .n = 4, .k = 300},
    {.m = 12, .n = 8, .k = 301},
    {.m = 2, .n = 8, .k = 33},
    {.m = 3, .n = 4, .k = 50},
    {.m = 13, .n = 8, .k = 26},
    {.m = 12, .n = 10, .k = 401},
    {.m = 3, .n = 23, .k = 4096 * 8 / MX_BITS, .b = COLUMNS},
    {.m = 1, .n = 4096 * 8 / MX_BITS, .k = 601},
    {.m = 1, .n = 30001, .k = 7},
    {.m = 12, .n = 15, .k = 401},
    {.m = 139, .n = 800, .k = 700},
    {.m = 139, .n = 800, .k = 700, .a = COLUMNS},
    {.m = 1, .n = 301, .k = 100},
    {.m = 7, .n = 1024, .k = 40},
};

static operands on_machine(ptrdiff_t cache, int halved, const trial *t, const char **wrong) {
    operands o = operands_new(t);
    mx_this_machine.near_cache = cache;
    mx_this_machine.has_halved_vectors = halved;
    *wrong = call_guarded(t, &o);
    return o;
}

static void test_machine(tap *out, const trial *t, const operands *usual, ptrdiff_t cache, int halved) {
    const char *wrong = NULL;
    operands other = on_machine(cache, halved, t, &wrong);
    if (wrong == NULL && memcmp(usual->c.memory, other.c.memory, other.c.length * sizeof(real)) != 0)
        wrong = "other bits than on a usual machine";
    if (wrong == NULL)
        wrong = check_trial(t);
    if (!tap_ok(out, wrong == NULL, "cache of %td bytes, halved %d, %zu x %zu x %zu", cache, halved, t->m, t->n, t->k))
        printf("# %s\n", wrong);
    operands_free(&other);
}

static void test_machines(tap *out, const trial *t) {
    static const ptrdiff_t caches[] = {1, 1 << 14, 1 << 16, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22};
    const char *wrong = NULL;
    operands usual = on_machine(1 << 20, 0, t, &wrong);
    for (size_t i = 0; i < COUNT(caches); i++)
        for (int halved = 0; halved < 2; halved++)
            if (tap_due())
                test_machine(out, t, &usual, caches[i], halved);
    operands_free(&usual);
}

int main(void) {
    tap out = {0, 0};
    mx_this_machine.near_cache = 0; /* until a kernel set is chosen */
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    const ptrdiff_t cache = mx_near_cache();
    tap_ok(&out, cache >= 1 << 18 && cache <= 1 << 22, "the second-level cache is found out: %td bytes", cache);
    for (size_t s = 0; s < COUNT(shapes); s++) {
        trial t = shapes[s];
        t.alpha = (real)0.7, t.beta = (real)-1.3, t.seed = s + 1; /* products with both are rounded */
        test_machines(&out, &t);
    }
    return tap_end(&out);
}
