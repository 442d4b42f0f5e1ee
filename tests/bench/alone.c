/* Does something else use this core? The other hardware thread of a core, which may run for another guest of the
   machine, takes part of its caches and of its instructions a cycle, and no count of time or load that we can read
   tells. The rate of independent integer additions in registers does: several start each cycle, and about half as many
   do when another thread wants some, too. */
#include <math.h>
#include <time.h>

#include "bench.h"

#define ROUNDS 50000
#define SHARED 0.85 /* of the best rate: the clock moves less, another thread takes more */

/* Unknown to the compiler after each step, so that none is computed beforehand. */
#define EACH(X) X(a) X(b) X(c) X(d) X(e) X(f) X(g) X(h)
#define DECLARE(x) unsigned long x = 1;
#define STEP(x)                                                                                                        \
    x++;                                                                                                               \
    __asm__ volatile("" : "+r"(x));

static double best_rate;

double wall_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Some thirty microseconds of additions: were they as fast as the fastest so far? */
static int is_alone(void) {
    EACH(DECLARE)
    const double start = wall_now();
    for (int i = 0; i < ROUNDS; i++) {
        EACH(STEP)
    }
    const double rate = ROUNDS / (wall_now() - start);
    best_rate = fmax(best_rate, rate);
    return rate >= SHARED * best_rate;
}

double share_alone(double span) {
    const double end = wall_now() + span;
    double alone = 0, all = 0;
    do {
        alone += is_alone();
        all++;
    } while (wall_now() < end);
    return alone / all;
}

void await_alone(double end) {
    while (!is_alone() && wall_now() < end)
        continue;
}
