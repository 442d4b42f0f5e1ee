/* Products by several threads: the same bits for every number of threads, whatever the way through the code; numbers
   that are refused; callers that have threads of their own; fork; the floating-point environment.  Compiled once for
   each element type; run once for each kernel set. */
#define _GNU_SOURCE /* sched_setaffinity */
#include <dirent.h>
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* All ways that several threads go: packed by rows and by columns, also past NC and KC; in place by rows and by
   columns, flat, of few rows, dots, with last columns of their own; vectors. */
static const trial shapes[] = {
    {.m = 150, .n = 151, .k = 152, .b = COLUMNS},
    {.m = 150, .n = 151, .k = 152, .a = COLUMNS, .b = PADDED_COLUMNS, .c = COLUMNS},
    {.m = 157, .n = 97, .k = 601, .a = PADDED_COLUMNS, .b = SPREAD},
    {.m = 41, .n = 600, .k = 67, .a = BACKWARDS, .b = COLUMNS, .c = PADDED_ROWS},
    {.m = 20, .n = 4200, .k = 33, .b = COLUMNS},
    {.m = 9, .n = 4200, .k = 1040, .b = COLUMNS, .c = SPREAD},
    {.m = 290, .n = 30, .k = 1030, .b = COLUMNS},
    {.m = 301, .n = 500, .k = 130, .b = COLUMNS},
    {.m = 301, .n = 290, .k = 530, .a = SPREAD, .b = COLUMNS},
    {.m = 301, .n = 299, .k = 20},
    {.m = 130, .n = 131, .k = 129},
    {.m = 61, .n = 301, .k = 97},
    {.m = 2001, .n = 17, .k = 19},
    {.m = 17, .n = 2001, .k = 19, .a = COLUMNS},
    {.m = 503, .n = 511, .k = 3},
    {.m = 2, .n = 1777, .k = 300},
    {.m = 3, .n = 1777, .k = 300, .a = PADDED_COLUMNS},
    {.m = 801, .n = 5, .k = 300, .b = COLUMNS},
    {.m = 5, .n = 801, .k = 300, .b = COLUMNS},
    {.m = 1, .n = 1501, .k = 701},
    {.m = 1, .n = 1501, .k = 701, .b = COLUMNS},
    {.m = 1, .n = 1501, .k = 701, .b = SPREAD},
    {.m = 1501, .n = 1, .k = 701},
    {.m = 1501, .n = 1, .k = 701, .a = COLUMNS},
    {.m = 1025, .n = 1027, .k = 1},
    {.m = 4, .n = 2100, .k = 300},
    {.m = 49, .n = 13, .k = 4001},
    {.m = 97, .n = 25, .k = 601},
    {.m = 1003, .n = 6, .k = 301},
    {.m = 1001, .n = 8, .k = 301},
    {.m = 1003, .n = 10, .k = 301, .a = COLUMNS},
    {.m = 1201, .n = 7, .k = 400, .b = COLUMNS},
    {.m = 2500, .n = 15, .k = 40},
    {.m = 21, .n = 1024, .k = 20},
    {.m = 61, .n = 130, .k = 90, .b = COLUMNS},
    {.m = 41, .n = 1500, .k = 67, .b = COLUMNS},
    {.m = 200, .n = 8, .k = 401, .a = SPREAD},
    {.m = 64, .n = 256, .k = 784},
    {.m = 33, .n = 203, .k = 300, .a = PADDED_COLUMNS},
    {.m = 9, .n = 77, .k = 1500},
    {.m = 41, .n = 68, .k = 215, .a = COLUMNS, .b = COLUMNS},
    {.m = 90, .n = 350, .k = 1531, .a = COLUMNS},
    {.m = 301, .n = 299, .k = 530},
    {.m = 301, .n = 299, .k = 530, .a = COLUMNS},
    {.m = 140, .n = 900, .k = 300},
    {.m = 140, .n = 900, .k = 300, .a = COLUMNS},
    {.m = 3, .n = 1129, .k = 1401, .a = COLUMNS, .b = COLUMNS},
    {.m = 60, .n = 512, .k = 300},
    {.m = 50, .n = 1024, .k = 200},
    {.m = 200, .n = 256, .k = 130, .a = COLUMNS},
    {.m = 16, .n = 600, .k = 2000},
    {.m = 300, .n = 20, .k = 2000, .a = COLUMNS},
    {.m = 300, .n = 8, .k = 700, .b = COLUMNS},
    {.m = 120, .n = 12, .k = 1100, .b = COLUMNS},
};

static operands product_of(const trial *t, int threads, const char **wrong) {
    operands o = operands_new(t);
    mx_set_num_threads(threads);
    *wrong = call_guarded(t, &o);
    return o;
}

static const char *compare_counts(const trial *t, const operands *one) {
    static const int counts[] = {2, 3, 4, 7, 16, 64};
    const char *wrong = NULL;
    for (size_t i = 0; i < COUNT(counts) && wrong == NULL; i++) {
        operands many = product_of(t, counts[i], &wrong);
        if (wrong == NULL && memcmp(one->c.memory, many.c.memory, many.c.length * sizeof(real)) != 0)
            wrong = "other bits than with one thread";
        if (wrong != NULL)
            printf("# %d threads\n", counts[i]);
        operands_free(&many);
    }
    return wrong;
}

static void test_bits(tap *out) {
    static const real scalars[][2] = {{1, 0}, {(real)0.3, (real)-0.7}, {-1, 1}};
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (size_t i = 0; i < COUNT(scalars); i++) {
            if (!tap_due())
                continue;
            trial t = shapes[s];
            const char *wrong = NULL;
            t.alpha = scalars[i][0], t.beta = scalars[i][1], t.seed = s + 1;
            operands one = product_of(&t, 1, &wrong);
            if (wrong == NULL)
                wrong = compare_counts(&t, &one);
            if (!tap_ok(out, wrong == NULL, "the same bits, %zu x %zu x %zu, alpha %g", t.m, t.n, t.k, (double)t.alpha))
                printf("# %s\n", wrong);
            operands_free(&one);
        }
}

static void test_right(tap *out) {
    mx_set_num_threads(3);
    for (size_t s = 0; s < COUNT(shapes); s++) {
        if (!tap_due())
            continue;
        trial t = shapes[s];
        t.alpha = (real)0.5, t.beta = (real)-1, t.seed = s + 7;
        const char *wrong = check_trial(&t);
        if (!tap_ok(out, wrong == NULL, "3 threads, %zu x %zu x %zu", t.m, t.n, t.k))
            printf("# %s\n", wrong);
    }
}

/* Threads that this process has; 0 where the system does not tell. */
static int threads_alive(void) {
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    if (tasks == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static int alive_is(int count) {
    for (int i = 0; i < 1000 && threads_alive() > count; i++)
        usleep(1000); /* one that was joined may still be listed */
    return threads_alive() == 0 || threads_alive() == count;
}

static void test_numbers(tap *out) {
    tap_ok(out, mx_num_threads() == 1, "one thread unless the program asks for more");
    size_t before = worksize(1000, 1000, 1000);
    tap_ok(out, mx_set_num_threads(5) == 5 && mx_num_threads() == 5, "five threads");
    tap_ok(out, worksize(1000, 1000, 1000) == before, "the same workspace");
    int process = threads_alive(), extra = process > 5 ? process - 5 : 0; /* a sanitiser's own */
    tap_ok(out, alive_is(5 + extra), "five threads are there");
    tap_ok(out, mx_set_num_threads(2) == 2 && alive_is(2 + extra), "three are ended");
    tap_ok(out, mx_set_num_threads(0) >= 1 && mx_num_threads() <= 64, "as many as there are processors");
    tap_ok(out, mx_set_num_threads(-3) == mx_set_num_threads(0), "a negative number says the same");
    tap_ok(out, mx_set_num_threads(1000) == 64, "64 at most");
    tap_ok(out, mx_set_num_threads(1) == 1 && alive_is(1 + extra), "one thread again");
    int all = 1;
    for (int i = 0; i < 200; i++)
        all &= mx_set_num_threads(1 + i % 4) == 1 + i % 4;
    tap_ok(out, all, "up and down 200 times");
}

/* ---- Where threads run ---- */

#if defined(__linux__)
/* A thread of this process other than this one; 0: there is none. */
static pid_t other_thread(void) {
    DIR *tasks = opendir("/proc/self/task");
    pid_t found = 0;
    for (const struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;)
        if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid())
            found = atoi(entry->d_name);
    if (tasks != NULL)
        closedir(tasks);
    return found;
}

/* The caller stays on one processor after the other: the thread it wakes is kept from each of them. */
static void test_places(tap *out) {
    trial t = {.m = 150, .n = 150, .k = 150, .alpha = 1, .b = COLUMNS, .seed = 5};
    const char *wrong = NULL;
    cpu_set_t all, theirs;
    int apart = 1, tried = 0;
    mx_set_num_threads(1);
    sched_getaffinity(0, sizeof all, &all);
    for (size_t cpu = 0; CPU_COUNT(&all) > 1 && cpu < CPU_SETSIZE && tried < 4; cpu++) {
        cpu_set_t mine;
        CPU_ZERO(&mine);
        CPU_SET(cpu, &mine);
        if (!CPU_ISSET(cpu, &all))
            continue;
        operands o = product_of(&t, 2, &wrong); /* the number is set while all processors may be used */
        operands_free(&o);
        sched_setaffinity(0, sizeof mine, &mine);
        o = operands_new(&t);
        wrong = call_guarded(&t, &o);
        operands_free(&o);
        apart &= wrong == NULL && sched_getaffinity(other_thread(), sizeof theirs, &theirs) == 0 &&
                 CPU_COUNT(&theirs) == CPU_COUNT(&all) - 1 && !CPU_ISSET(cpu, &theirs);
        sched_setaffinity(0, sizeof all, &all);
        tried++;
    }
    tap_ok(out, apart, "a thread is woken on another processor than its caller's%s",
           tried > 1 ? "" : " # SKIP one processor");
}
#else
static void test_places(tap *out) {
    tap_ok(out, 1, "a thread is woken on another processor than its caller's # SKIP not Linux");
}
#endif

/* ---- Callers with threads of their own ---- */

typedef struct caller {
    pthread_t thread;
    const trial *t;
    const operands *want;
    double until, cpu; /* wall-clock time; processor time used */
    int good;
} caller;

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void multiply(const trial *t, const operands *o, real *c, void *work) {
    MX_REAL(mx_gemm)
    (t->m, t->n, t->k, t->alpha, o->a.at, o->a.rs, o->a.cs, o->b.at, o->b.rs, o->b.cs, 0, c, o->c.rs, o->c.cs, work);
}

/* Products until a time that all callers share, and some at least. */
static void *call_often(void *argument) {
    caller *me = argument;
    const matrix *c = &me->want->c;
    real *mine = malloc(c->length * sizeof(real));
    void *work = malloc(worksize(me->t->m, me->t->n, me->t->k) + 1);
    me->good = mine != NULL && work != NULL;
    for (int i = 0; me->good && (i < 5 || seconds(CLOCK_MONOTONIC) < me->until); i++) {
        memcpy(mine, c->memory, c->length * sizeof(real));
        multiply(me->t, me->want, mine + (c->at - c->memory), work);
        me->good &= memcmp(mine, c->memory, c->length * sizeof(real)) == 0;
    }
    free(mine), free(work);
    me->cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

/* Three callers at a time, a team of 4: right, and the team does next to nothing. */
static void test_callers(tap *out) {
    trial t = {.m = 150, .n = 150, .k = 150, .alpha = 1, .b = COLUMNS, .seed = 1};
    const char *wrong = NULL;
    operands want = product_of(&t, 1, &wrong);
    caller callers[3];
    double sum = 0, begin = seconds(CLOCK_PROCESS_CPUTIME_ID), until = seconds(CLOCK_MONOTONIC) + 0.5;
    int good = 1;
    mx_set_num_threads(4);
    for (size_t i = 0; i < COUNT(callers); i++) {
        callers[i] = (caller){.t = &t, .want = &want, .until = until};
        if (pthread_create(&callers[i].thread, NULL, call_often, &callers[i]) != 0)
            exit(2);
    }
    for (size_t i = 0; i < COUNT(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        good &= callers[i].good;
        sum += callers[i].cpu;
    }
    double others = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin - sum;
    printf("# callers %.2f s, others %.2f s\n", sum, others);
    tap_ok(out, good, "three callers at a time get the same bits");
    tap_ok(out, others < sum / 4, "three callers at a time are not joined by the team");
    operands_free(&want);
}

/* Numbers that change while products are under way. */
static void test_changes(tap *out) {
    trial t = {.m = 150, .n = 150, .k = 150, .alpha = 1, .b = COLUMNS, .seed = 2};
    const char *wrong = NULL;
    operands want = product_of(&t, 1, &wrong);
    caller other = {.t = &t, .want = &want, .until = seconds(CLOCK_MONOTONIC) + 0.3};
    if (pthread_create(&other.thread, NULL, call_often, &other) != 0)
        exit(2);
    for (int i = 0; i < 300; i++) {
        mx_set_num_threads(1 + i % 3);
        if (i % 2)
            usleep(100); /* products begin between two changes, too */
    }
    pthread_join(other.thread, NULL);
    tap_ok(out, other.good, "the number may change while another thread multiplies");
    operands_free(&want);
}

/* ---- fork, signals, rounding ---- */

static int child_works(const trial *t, const operands *want) {
    int good = mx_num_threads() == 1;
    for (int threads = 0; threads < 3; threads += 2) {
        const char *wrong = NULL;
        operands got = operands_new(t);
        if (threads > 0)
            good &= mx_set_num_threads(threads) == threads;
        wrong = call_guarded(t, &got);
        good &= wrong == NULL && memcmp(got.c.memory, want->c.memory, got.c.length * sizeof(real)) == 0;
        operands_free(&got);
    }
    return good;
}

static void test_fork(tap *out) {
    if (getenv("MX_EVERY") != NULL) {
        tap_ok(out, 1, "a child has one thread # SKIP the simulator cannot fork with threads");
        return;
    }
    trial t = {.m = 150, .n = 150, .k = 150, .alpha = 1, .b = COLUMNS, .seed = 3};
    const char *wrong = NULL;
    operands want = product_of(&t, 3, &wrong);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(!child_works(&t, &want));
    }
    int status = -1;
    waitpid(child, &status, 0);
    tap_ok(out, child > 0 && status == 0, "a child has one thread until it asks for more");
    tap_ok(out, mx_num_threads() == 3, "its parent keeps its threads");
    operands_free(&want);
}

static pthread_t signalled;

static void note_thread(int number) {
    (void)number;
    signalled = pthread_self();
}

/* The caller's thread lets none pass for a while: they wait for it. */
static void test_signals(tap *out) {
    int mine = 1;
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    signal(SIGUSR1, note_thread);
    mx_set_num_threads(1);
    mx_set_num_threads(4);
    for (int i = 0; i < 50; i++) {
        pthread_sigmask(SIG_BLOCK, &usr1, NULL);
        kill(getpid(), SIGUSR1);
        usleep(100);
        pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
        mine &= pthread_equal(signalled, pthread_self());
    }
    tap_ok(out, mine, "signals are never handled on the team's threads");
}

static void test_rounding(tap *out) {
    trial t = {.m = 150, .n = 150, .k = 150, .alpha = 1, .b = COLUMNS, .seed = 4};
    const char *wrong = NULL;
    operands nearest = product_of(&t, 2, &wrong);
    fesetround(FE_UPWARD);
    operands one = product_of(&t, 1, &wrong), many = product_of(&t, 4, &wrong);
    fesetround(FE_TONEAREST);
    size_t bytes = one.c.length * sizeof(real);
    tap_ok(out, memcmp(one.c.memory, nearest.c.memory, bytes) != 0, "rounding upwards makes a difference");
    mx_set_num_threads(1); /* a thread begins with the rounding of the one that makes it */
    mx_set_num_threads(4);
    fesetround(FE_UPWARD);
    operands again = product_of(&t, 4, &wrong);
    fesetround(FE_TONEAREST);
    tap_ok(out, memcmp(one.c.memory, many.c.memory, bytes) == 0 && memcmp(one.c.memory, again.c.memory, bytes) == 0,
           "rounding upwards gives the same bits with several threads");
    operands_free(&nearest), operands_free(&one), operands_free(&many), operands_free(&again);
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    test_numbers(&out);
    test_bits(&out);
    test_right(&out);
    test_places(&out);
    test_callers(&out);
    test_changes(&out);
    test_fork(&out);
    test_signals(&out);
    test_rounding(&out);
    return tap_end(&out);
}
