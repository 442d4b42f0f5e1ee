/* The threads that products are shared among, once the program has asked for some (mx_set_num_threads).

   A product reaches them through one pointer, NULL until then: threads.c, the only source that needs a thread library,
   comes out of libmxrt.a only into programs that call mx_set_num_threads, and -lmxrt -lm links all others everywhere.
 */
#ifndef MX_TEAM_H
#define MX_TEAM_H

#include <stdatomic.h>

/* At most so many threads work together. */
#define MX_MAX_THREADS 64

typedef void mx_part_function(const void *job, int part);

/* Where the parts of a job wait for one another; begins as all zeros. */
typedef struct mx_barrier {
    atomic_int arrived, round;
} mx_barrier;

typedef struct mx_team {
    int (*size)(void);

    /* How many threads the caller may use now: all of them, or 1 where that would make more than the program asked
       for.  leave() follows, with this answer. */
    int (*enter)(void);
    void (*leave)(int entered);

    /* part(job, i) for every i < parts, 0 on the calling thread; returns when all are done.  Apart: in any order, each
       on a thread that is free.  Otherwise each is on a thread of its own, and they may meet.  All have the caller's
       floating-point environment. */
    void (*run)(int parts, int apart, mx_part_function *part, const void *job);
    void (*meet)(mx_barrier *b, int parts);
} mx_team;

extern _Atomic(const mx_team *) mx_the_team;

#endif
