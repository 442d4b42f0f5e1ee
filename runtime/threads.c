/* A team of threads for products: made by mx_set_num_threads, asleep between products.

   Threads of our own rather than OpenMP: a plain C program links this library with -lmxrt -lm, and OpenMP would ask for
   -fopenmp or for the same compiler's libgomp or libomp.  POSIX threads are part of the C library where that is glibc
   since 2.34, musl or Apple's; with an older glibc the programs that call mx_set_num_threads, and only those, add
   -pthread.  Where there are no POSIX threads, the number of threads is always 1. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "mxrt.h"
#include "team.h"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#if defined(_POSIX_THREADS) && _POSIX_THREADS > 0
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

/* How often a thread looks for work, or for the others, before it lets go of its processor: some ten microseconds. */
#define LOOKS 2000

typedef struct job {
    mx_part_function *part;
    const void *context;
    fenv_t environment;
} job;

/* A thread and its letter box: a job from its caller, then taken while the thread does it, then empty. */
typedef struct worker {
    _Alignas(128) _Atomic(const job *) box;
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    pthread_t thread;
    int number;
} worker;

static worker workers[MX_MAX_THREADS]; /* the caller of a product is number 0 */
static const job dismissal, taken;     /* the first one ends a thread */

static atomic_int threads = 1, held, callers;
static _Atomic pid_t owner; /* whose threads they are: a fork leaves them behind */

/* Asks OpenMP if the program has it; nobody else defines the name. */
#if defined(__ELF__)
extern int omp_in_parallel(void) __attribute__((weak));
static int in_parallel_region(void) {
    return omp_in_parallel != NULL && omp_in_parallel();
}
#else
static int in_parallel_region(void) {
    return 0;
}
#endif

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void look_again(int *looks) {
    if (++*looks < LOOKS)
        pause_briefly();
    else
        sched_yield();
}

/* The job in the box, which its caller may withdraw. */
static const job *take(worker *w) {
    const job *next = atomic_load_explicit(&w->box, memory_order_acquire);
    return next != NULL && atomic_compare_exchange_strong(&w->box, &next, &taken) ? next : NULL;
}

static const job *next_job(worker *w) {
    const job *next = NULL;
    for (int i = 0; i < LOOKS && next == NULL; i++) {
        next = take(w);
        pause_briefly();
    }
    if (next != NULL)
        return next;
    pthread_mutex_lock(&w->mutex);
    while ((next = take(w)) == NULL)
        pthread_cond_wait(&w->filled, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
    return next;
}

static void *work(void *argument) {
    worker *w = argument;
    for (;;) {
        const job *now = next_job(w);
        if (now == &dismissal)
            return NULL;
        fesetenv(&now->environment);
        now->part(now->context, w->number);
        atomic_store_explicit(&w->box, NULL, memory_order_release);
    }
}

static void hand(worker *w, const job *next) {
    pthread_mutex_lock(&w->mutex);
    atomic_store_explicit(&w->box, next, memory_order_release);
    pthread_cond_signal(&w->filled);
    pthread_mutex_unlock(&w->mutex);
}

static void await(worker *w) {
    int looks = 0;
    while (atomic_load_explicit(&w->box, memory_order_acquire) != NULL)
        look_again(&looks);
}

/* Takes back what a thread has not begun: where others keep all processors busy, nobody waits for it. */
static int withdraw(worker *w, const job *given) {
    return atomic_compare_exchange_strong(&w->box, &given, NULL);
}

/* ---- Where threads run ---- */

#if defined(__linux__)
static cpu_set_t allowed;                /* processors that are shared out among the threads */
static cpu_set_t places[MX_MAX_THREADS]; /* those of each thread */

static int processors(void) {
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return CPU_COUNT(&allowed);
    CPU_ZERO(&allowed);
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static int here(void) {
    const int cpu = sched_getcpu();
    return cpu < CPU_SETSIZE ? cpu : -1;
}

/* Every n-th of the processors but the caller's, for each of n threads beside it; none where there are not enough. */
static cpu_set_t places_of(int number, int caller, int n) {
    const int count = CPU_COUNT(&allowed) > n ? CPU_SETSIZE : 0;
    cpu_set_t found;
    CPU_ZERO(&found);
    for (int i = 0, others = 0; i < count; i++)
        if (CPU_ISSET((size_t)i, &allowed) && i != caller && others++ % n == number - 1)
            CPU_SET((size_t)i, &found);
    return found;
}

/* Left to itself, the system may wake a thread on the processor of the one that wakes it, and leave it there for
   milliseconds while another processor is idle. */
static void keep_from(int caller, int number) {
    if (caller < 0 || !CPU_ISSET((size_t)caller, &places[number]))
        return;
    const cpu_set_t others = places_of(number, caller, threads - 1);
    if (CPU_COUNT(&others) > 0 && pthread_setaffinity_np(workers[number].thread, sizeof others, &others) == 0)
        places[number] = others;
}

static void may_run_anywhere(int number) {
    places[number] = allowed;
    pthread_setaffinity_np(workers[number].thread, sizeof allowed, &allowed);
}
#else
static int processors(void) {
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static int here(void) {
    return -1;
}

static void keep_from(int caller, int number) {
    (void)caller, (void)number;
}

static void may_run_anywhere(int number) {
    (void)number;
}
#endif

static void run(int parts, int apart, mx_part_function *part, const void *context) {
    job all = {.part = part, .context = context};
    const int caller = here();
    fegetenv(&all.environment);
    for (int i = 1; i < parts; i++) {
        keep_from(caller, i);
        hand(&workers[i], &all);
    }
    part(context, 0);
    for (int i = 1; i < parts; i++)
        if (apart && withdraw(&workers[i], &all))
            part(context, i);
    for (int i = 1; i < parts; i++)
        await(&workers[i]);
}

static void meet(mx_barrier *b, int parts) {
    int looks = 0, round = atomic_load_explicit(&b->round, memory_order_acquire);
    if (atomic_fetch_add_explicit(&b->arrived, 1, memory_order_acq_rel) == parts - 1) {
        atomic_store_explicit(&b->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&b->round, round + 1, memory_order_release);
    } else
        while (atomic_load_explicit(&b->round, memory_order_acquire) == round)
            look_again(&looks);
}

static int size(void) {
    return owner == getpid() ? threads : 1;
}

/* Several products at a time are the program's own parallel region: each stays on its caller's thread.  So does a
   product that meets mx_set_num_threads. */
static int enter(void) {
    int others = atomic_fetch_add(&callers, 1);
    if (size() == 1 || others > 0 || in_parallel_region() || atomic_exchange(&held, 1))
        return 1;
    int now = size(); /* until here mx_set_num_threads may have ended some */
    if (now == 1)
        atomic_store(&held, 0);
    return now;
}

static void leave(int entered) {
    if (entered > 1)
        atomic_store(&held, 0);
    atomic_fetch_sub(&callers, 1);
}

/* Signals are for the program's own threads. */
static int hire(worker *w, int number) {
    sigset_t all, before;
    w->number = number;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->filled, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&w->thread, NULL, work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

static void dismiss(worker *w) {
    hand(w, &dismissal);
    pthread_join(w->thread, NULL);
    atomic_store(&w->box, NULL);
    pthread_cond_destroy(&w->filled);
    pthread_mutex_destroy(&w->mutex);
}

/* A child process has no threads but the one that forked. */
static void forget_threads(void) {
    threads = 1;
    held = callers = 0;
    for (int i = 1; i < MX_MAX_THREADS; i++)
        atomic_store(&workers[i].box, NULL);
    owner = getpid();
}

static int number_for(int wanted) {
    const int most = processors();
    wanted = wanted > 0 ? wanted : most;
    return wanted < 1 ? 1 : wanted < MX_MAX_THREADS ? wanted : MX_MAX_THREADS;
}

int mx_set_num_threads(int wanted) {
    static const mx_team team = {size, enter, leave, run, meet};
    if (owner != getpid())
        forget_threads();
    while (atomic_exchange(&held, 1))
        sched_yield();
    wanted = number_for(wanted);
    while (threads > wanted)
        dismiss(&workers[--threads]);
    while (threads < wanted && hire(&workers[threads], threads))
        threads++;
    for (int i = 1; i < threads; i++)
        may_run_anywhere(i);
    atomic_store(&held, 0);
    atomic_store_explicit(&mx_the_team, &team, memory_order_release);
    return threads;
}

#else

int mx_set_num_threads(int wanted) {
    (void)wanted;
    return 1;
}

#endif
