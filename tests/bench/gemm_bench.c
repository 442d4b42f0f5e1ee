/* Speed of the product beside other libraries, in turn within one run: all shapes once, then all again, so that a
   minute in which something else keeps the machine busy takes part of the repetitions of every shape and not all of
   one's.

   gemm_bench [-t THREADS] [-o FILE.csv] [-q] [-w SECONDS] [N | MxNxK[NN|NT|TN|TT] | CLASS ...]     (default: every
   class)

   Prints, for each shape, GFLOP/s of each library (medians), ours as a percentage of the measured peak, and ours as a
   multiple of the best peer that is called as ours is; and the better of ours and of what mxc makes for the one shape
   (column mxc) as a multiple of the best of all, among them those that hold code made for the one shape; then, for each
   class and type, the geometric mean and the least of these multiples.  -o adds to the file. -q: fewer repetitions. -w:
   one thread is timed while nothing else uses its core: each measurement awaits that, and is made again if something
   came in between, for so many seconds; of several the one with most of the core is taken, whatever its speed. Exits 1
   when a peer is more than twice as fast as ours at n = 512 or 1024, for the medians and for the fastest repetitions
   too, so that other load on the machine does not decide. */
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "mxrt.h"

#define MAX_REPETITIONS 15
#define MAX_SHAPES 256
#define MAX_GROUPS 32
#define MAX_SIZE 32768
#define MAX_THREADS 256
#define MAX_PATIENCE 3600
#define FLOPS 4e8       /* of a measurement, at least */
#define ALONE_FLOPS 5e7 /* likewise: one that fits where another thread of the core pauses for a few milliseconds */
#define ALONE 0.95      /* of a span of time, to be taken as such */
#define MAX_MARGIN 0.02 /* seconds before and after a measurement that tell what it was like */
#define LARGE_PAGE (1 << 21)

static int repetitions = MAX_REPETITIONS, threads = 1, patience = 0;
static int measured, disturbed; /* measurements, and those during which something else used the core */
static FILE *csv;

typedef struct group {
    const char *class;
    int f32, count, count_all;
    double logs, least, logs_all, least_all;
} group;

static group groups[MAX_GROUPS];

/* Seconds a call and seconds per GFLOP at the peak beside it, by library and repetition. */
typedef struct timing {
    int takes[MAX_PEERS];
    double seconds[MAX_PEERS][MAX_REPETITIONS], inverse_peak[MAX_PEERS][MAX_REPETITIONS];
} timing;

static timing timings[2][MAX_SHAPES];

static const shape layers[] = {
    {64, 256, 784, 0, 0, "layer"}, {64, 784, 256, 0, 1, "layer"}, {784, 256, 64, 1, 0, "layer"},
    {64, 10, 256, 0, 0, "layer"},  {64, 256, 10, 0, 1, "layer"},  {256, 10, 64, 1, 0, "layer"},
};

static const shape others[] = {
    {4096, 16, 16, 0, 0, "other"},   {16, 4096, 16, 0, 0, "other"}, {8, 8, 1024, 0, 0, "other"},
    {8, 8, 1024, 0, 1, "other"},     {16, 16, 4096, 1, 0, "other"}, {1024, 1024, 16, 0, 0, "other"},
    {1024, 1024, 16, 0, 1, "other"}, {1000, 24, 24, 0, 0, "other"}, {128, 128, 2000, 0, 0, "other"},
};

static const shape vectors[] = {
    {1, 1024, 1024, 0, 0, "vector"}, {1, 1024, 1024, 0, 1, "vector"}, {1024, 1, 1024, 0, 0, "vector"},
    {1024, 1, 1024, 1, 0, "vector"}, {1024, 1024, 1, 0, 0, "vector"}, {1, 100, 100, 0, 0, "vector"},
};

static int add_square(shape *to, int n, const char *class) {
    for (int kind = 0; kind < 3; kind++)
        to[kind] = (shape){n, n, n, kind == 2, kind == 1, class};
    return 3;
}

/* Few rows, few columns. */
static int add_skinny(shape *to) {
    static const int few[] = {1, 2, 3, 4, 6, 8};
    int count = 0;
    for (size_t i = 0; i < sizeof few / sizeof *few; i++)
        for (int kind = 0; kind < 6; kind++) {
            int m = kind < 3 ? few[i] : 512, n = kind < 3 ? 512 : few[i];
            to[count++] = (shape){m, n, 512, kind % 3 == 2, kind % 3 == 1, "skinny"};
        }
    return count;
}

static int add_class(shape *to, const char *class) {
    static const int tiny[] = {4, 5, 8, 12, 16, 0}, large[] = {192, 256, 384, 512, 768, 1000, 1024, 2048, 0};
    static const int small[] = {24, 25, 32, 33, 48, 64, 96, 100, 128, 0};
    const int *sizes = !strcmp(class, "tiny") ? tiny : !strcmp(class, "small") ? small : large;
    int count = 0;
#define COPY(table) (memcpy(to, table, sizeof table), (int)(sizeof table / sizeof *table))
    if (!strcmp(class, "layer"))
        return COPY(layers);
    if (!strcmp(class, "skinny"))
        return add_skinny(to);
    if (!strcmp(class, "other"))
        return COPY(others);
    if (!strcmp(class, "vector"))
        return COPY(vectors);
    if (strcmp(class, "tiny") != 0 && strcmp(class, "small") != 0 && strcmp(class, "large") != 0)
        return 0;
    for (; *sizes != 0; sizes++)
        count += add_square(to + count, *sizes, class);
    return count;
}

/* A number from 1 to most, and nothing else up to one of the characters of ends; moves text there. */
static int read_number(const char **text, long most, const char *ends) {
    char *end;
    const long number = strtol(*text, &end, 10);
    if (!isdigit((unsigned char)**text) || number < 1 || number > most || strchr(ends, *end) == NULL)
        return 0;
    *text = end;
    return (int)number;
}

/* The letters behind a shape, NN where there are none. */
static int read_kinds(const char *text, shape *s) {
    if (*text == '\0')
        return 1;
    s->ta = text[0] == 'T';
    s->tb = text[1] == 'T';
    return strlen(text) == 2 && strspn(text, "NT") == 2;
}

/* The shapes that are meant, none if the text means nothing. */
static int add_argument(shape *to, const char *text) {
    shape s = {0, 0, 0, 0, 0, "given"};
    const char *at = text;
    if (!isdigit((unsigned char)*text))
        return add_class(to, text);
    if ((s.m = read_number(&at, MAX_SIZE, "x")) == 0)
        return 0;
    if (*at == '\0')
        return add_square(to, s.m, "given");
    at++;
    if ((s.n = read_number(&at, MAX_SIZE, "x")) == 0 || *at++ == '\0' || (s.k = read_number(&at, MAX_SIZE, "NT")) == 0)
        return 0;
    *to = s;
    return read_kinds(at, to);
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts t, too: t[0] is the fastest. */
static double median(double *t) {
    qsort(t, (size_t)repetitions, sizeof *t, compare_doubles);
    return t[repetitions / 2];
}

static double process_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(const peer *p, const operands *x, int calls) {
    double start = seconds_now();
    for (int i = 0; i < calls; i++)
        p->run(p, x);
    return (seconds_now() - start) / calls;
}

static group *group_of(const shape *s, int f32) {
    group *g = groups;
    while (g->class != NULL && (strcmp(g->class, s->class) != 0 || g->f32 != f32))
        g++;
    if (g->class == NULL)
        *g = (group){.class = s->class, .f32 = f32, .least = INFINITY, .least_all = INFINITY};
    return g;
}

/* Speeds: ours by a call and with code made for the shape; the best peer's of each kind, 0 where none took part. */
static void record(group *g, double ours, double made, double called, double best) {
    if (called > 0) {
        g->count++;
        g->logs += log(ours / called);
        g->least = fmin(g->least, ours / called);
    }
    if (best > 0) {
        g->count_all++;
        g->logs_all += log(made / best);
        g->least_all = fmin(g->least_all, made / best);
    }
}

static void print_multiple(double ours, double theirs) {
    if (theirs > 0)
        printf(" %7.2f", ours / theirs);
    else
        printf(" %7s", "-");
}

static void write_csv(const shape *s, int f32, const peer *p, double flops, const double *t, double *inverse_peak) {
    const double peak = threads / median(inverse_peak);
    if (csv != NULL)
        fprintf(csv, "%d,%s,%s,%d,%d,%d,%c%c,%s,%.3f,%.3f,%.1f\n", threads, s->class, f32 ? "f32" : "f64", s->m, s->n,
                s->k, s->ta ? 'T' : 'N', s->tb ? 'T' : 'N', p->name, flops / t[repetitions / 2] * 1e-9,
                flops / t[0] * 1e-9, 100 * flops / t[repetitions / 2] * 1e-9 / peak);
}

/* Until the threads of the library before have gone to sleep, which wait for more work in a loop, some for 200 ms: on a
   busy processor the next one would be slow.  The system counts what a running thread uses every few milliseconds. */
static void await_sleep(void) {
    const struct timespec nap = {0, 15000000};
    double before = process_seconds(), used = 1;
    for (int i = 0; i < 40 && used > 0.002; i++) {
        nanosleep(&nap, NULL);
        used = process_seconds() - before;
        before += used;
    }
}

/* What the core can do now, whatever else comes in between. */
static double undisturbed_peak(int f32) {
    double best = 0;
    for (int i = 0; i < 3; i++)
        best = fmax(best, peak_gflops(f32));
    return best;
}

/* Just before and just after the calls: the clock falls by some percent while all vectors of a core are at work. */
static double seconds_beside_peak(const peer *p, const operands *x, int calls, double *inverse_peak) {
    const double before = 1 / undisturbed_peak(x->f32), time = seconds(p, x, calls);
    *inverse_peak = (before + 1 / undisturbed_peak(x->f32)) / 2;
    return time;
}

typedef struct measurement {
    double seconds, inverse_peak;
    double alone; /* the share of the core, before or after, whatever is less */
} measurement;

/* A call that is not timed takes the caches back from whatever was there before. */
static measurement measure_once(const peer *p, const operands *x, int calls, double end) {
    await_alone(end);
    const double margin = fmin(seconds(p, x, 1) * calls / 16, MAX_MARGIN);
    measurement m = {.alone = share_alone(patience > 0 ? margin : 0)};
    m.seconds = seconds_beside_peak(p, x, calls, &m.inverse_peak);
    m.alone = fmin(m.alone, share_alone(patience > 0 ? margin : 0));
    return m;
}

/* Again until nothing else used the core, or until patience ends. */
static measurement measure_alone(const peer *p, const operands *x, int calls) {
    const double end = wall_now() + patience;
    measurement best = measure_once(p, x, calls, end);
    while (best.alone < ALONE && wall_now() < end) {
        const measurement m = measure_once(p, x, calls, end);
        best = m.alone > best.alone ? m : best;
    }
    measured++;
    disturbed += best.alone < ALONE;
    return best;
}

/* All in turn, and each in the same way, since what comes just before tells in what follows. */
static void time_all(const peer *peers, int count, operands *x, int repetition, timing *t) {
    const shape *s = &x->s;
    const int calls = (int)fmin((patience > 0 ? ALONE_FLOPS : FLOPS) / (2.0 * s->m * s->n * s->k), 99999) + 1;
    for (int p = 0; p < count; p++) {
        t->takes[p] = peers[p].missing == NULL && peers[p].takes(&peers[p], x);
        if (!t->takes[p])
            continue;
        if (threads > 1)
            await_sleep();
        const measurement m = measure_alone(&peers[p], x, calls);
        t->seconds[p][repetition] = m.seconds;
        t->inverse_peak[p][repetition] = m.inverse_peak;
    }
}

static int is_slow(const shape *s, const double *ours, const double *theirs) {
    return s->m == s->n && s->n == s->k && (s->m == 512 || s->m == 1024) && ours[0] > 2 * theirs[0] &&
           ours[repetitions / 2] > 2 * theirs[repetitions / 2];
}

/* The column of a peer; its time, or infinity. */
static double report_peer(const peer *p, const shape *s, int f32, int takes, double *t, double *inverse_peak) {
    const double flops = 2.0 * s->m * s->n * s->k;
    if (!takes) {
        if (p->missing == NULL)
            printf(" %8s", "-");
        return INFINITY;
    }
    double time = median(t);
    printf(" %8.2f", flops / time * 1e-9);
    write_csv(s, f32, p, flops, t, inverse_peak);
    return time;
}

/* Returns 1 when a peer is more than twice as fast where that is forbidden. */
static int report(const peer *peers, int count, const shape *s, int f32, timing *t) {
    const double flops = 2.0 * s->m * s->n * s->k, peak = threads / median(t->inverse_peak[0]);
    double called = 0, best = 0, ours = 0, made = INFINITY;
    int slow = 0;
    printf("%s %4d %4d %4d %c%c", f32 ? "f32" : "f64", s->m, s->n, s->k, s->ta ? 'T' : 'N', s->tb ? 'T' : 'N');
    for (int p = 0; p < count; p++) {
        const double time = report_peer(&peers[p], s, f32, t->takes[p], t->seconds[p], t->inverse_peak[p]);
        ours = p == 0 ? time : ours;
        if (p == 0 || peer_is_ours(&peers[p])) {
            made = fmin(made, time);
            continue;
        }
        slow |= t->takes[p] && is_slow(s, t->seconds[0], t->seconds[p]);
        best = fmax(best, 1 / time);
        called = peer_holds_kernels(&peers[p]) ? called : fmax(called, 1 / time);
    }
    printf("  %5.1f%%", 100 * flops / ours * 1e-9 / peak);
    print_multiple(1 / ours, called);
    print_multiple(1 / made, best);
    record(group_of(s, f32), 1 / ours, 1 / made, called, best);
    printf("\n");
    return slow;
}

static void fill(void *to, size_t count, int f32) {
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double value = (double)(state >> 40) / (1 << 24) - 0.5;
        if (f32)
            ((float *)to)[i] = (float)value;
        else
            ((double *)to)[i] = value;
    }
}

/* Whole large pages, where there is enough for one: how well products fare on small ones depends on where the system
   happens to put these. */
static void *allocate(size_t bytes) {
    const size_t page = bytes < LARGE_PAGE ? 4096 : LARGE_PAGE;
    void *memory = NULL;
    if (posix_memalign(&memory, page, (bytes + 64 + page - 1) / page * page) != 0) {
        fprintf(stderr, "gemm_bench: out of memory\n");
        exit(2);
    }
    memset(memory, 0, bytes + 64);
    return memory;
}

static void measure(const peer *peers, int count, const shape *s, int f32, int repetition, timing *t) {
    size_t m = (size_t)s->m, n = (size_t)s->n, k = (size_t)s->k, size = f32 ? sizeof(float) : sizeof(double);
    size_t work = f32 ? mx_gemm_f32_worksize(m, n, k) : mx_gemm_f64_worksize(m, n, k);
    operands x = {*s,  f32, allocate(m * k * size), allocate(k * n * size), allocate(m * n * size), allocate(work),
                  NULL};
    fill(x.a, m * k, f32);
    fill(x.b, k * n, f32);
    time_all(peers, count, &x, repetition, t);
    free(x.a), free(x.b), free(x.c), free(x.work);
}

static void show_progress(int done, int all) {
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%d of %d%s", done, all, done < all ? "" : "\r\033[K");
}

static void measure_all(const peer *peers, int count, const shape *shapes, int n_shapes) {
    for (int i = 0; i < repetitions; i++)
        for (int at = 0; at < 2 * n_shapes; at++) {
            const int f32 = at >= n_shapes, which = at % n_shapes;
            measure(peers, count, &shapes[which], f32, i, &timings[f32][which]);
            show_progress(2 * n_shapes * i + at + 1, 2 * n_shapes * repetitions);
        }
}

/* Libraries read their environment when they are loaded: started again with their own choice of kernel and the number
   of threads. */
static void settle_environment(char **argv) {
    static const char *const names[] = {"OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "MKL_NUM_THREADS",
                                        "OMP_NUM_THREADS"};
    if (getenv("MX_BENCH_SETTLED") != NULL)
        return;
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OPENBLAS_L2_SIZE");
    char number[16];
    snprintf(number, sizeof number, "%d", threads);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        setenv(names[i], number, 1);
    setenv("MKL_THREADING_LAYER", threads > 1 ? "GNU" : "SEQUENTIAL", 1);
    if (getenv("MX_BENCH_LIBS") != NULL) /* what those libraries need beside them */
        setenv("LD_LIBRARY_PATH", getenv("MX_BENCH_LIBS"), 1);
    setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0); /* large pages, for the peers' buffers, too */
    setenv("MX_BENCH_SETTLED", "1", 1);
    execv("/proc/self/exe", argv);
}

static void print_header(const peer *peers, int count) {
    printf("kernel set %s; GFLOP/s, medians of %d; threads: %d\n", mx_cpu_name(), repetitions, mx_num_threads());
    for (int p = 1; p < count; p++)
        if (peers[p].missing != NULL)
            printf("%s takes no part: %s\n", peers[p].name, peers[p].missing);
    printf("type   m    n    k op");
    for (int p = 0; p < count; p++)
        if (peers[p].missing == NULL)
            printf(" %8s", peers[p].name);
    printf("  of peak to call to best\n");
}

static void print_groups(void) {
    for (const group *g = groups; g->class != NULL; g++)
        printf(
            "%-7s %s, threads %d: ours over the best peer, geometric mean of %d: %.2f, least %.2f (with kernels made "
            "for one shape %.2f, %.2f)\n",
            g->class, g->f32 ? "f32" : "f64", threads, g->count, exp(g->logs / fmax(1, g->count)), g->least,
            exp(g->logs_all / fmax(1, g->count_all)), g->least_all);
}

static void open_csv(const char *name) {
    csv = fopen(name, "a");
    if (csv == NULL) {
        perror(name);
        exit(2);
    }
    if (fseek(csv, 0, SEEK_END) == 0 && ftell(csv) == 0)
        fprintf(csv, "threads,class,type,m,n,k,op,library,gflops_median,gflops_best,percent_of_peak\n");
}

static void refuse(const char *what) {
    fprintf(stderr,
            "gemm_bench: '%s': [-t THREADS] [-o FILE.csv] [-q] [-w SECONDS] [N | MxNxK[NN|NT|TN|TT] | CLASS ...]\n",
            what);
    exit(2);
}

static int read_option(const char *text, long most) {
    const int number = read_number(&text, most, "");
    if (number == 0)
        refuse(text);
    return number;
}

static int add_all(shape *shapes) {
    static const char *const all[] = {"tiny", "small", "large", "layer", "skinny", "vector", "other"};
    int count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        count += add_class(shapes + count, all[i]);
    return count;
}

/* Options and shapes; returns the number of shapes. */
static int read_arguments(int argc, char **argv, shape *shapes) {
    int count = 0;
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "-q"))
            repetitions = 5;
        else if (!strcmp(argv[i], "-o") && i + 1 < argc)
            open_csv(argv[++i]);
        else if (!strcmp(argv[i], "-t") && i + 1 < argc)
            threads = read_option(argv[++i], MAX_THREADS);
        else if (!strcmp(argv[i], "-w") && i + 1 < argc)
            patience = strcmp(argv[++i], "0") != 0 ? read_option(argv[i], MAX_PATIENCE) : 0;
        else {
            const int more = count < MAX_SHAPES - 64 ? add_argument(shapes + count, argv[i]) : 0;
            if (more == 0)
                refuse(argv[i]);
            count += more;
        }
    return count > 0 ? count : add_all(shapes);
}

int main(int argc, char **argv) {
    static shape shapes[MAX_SHAPES];
    static peer peers[MAX_PEERS];
    int n_shapes = read_arguments(argc, argv, shapes), slow = 0;
    patience = threads == 1 ? patience : 0;
    settle_environment(argv);
    int count = peers_find(peers, threads);
    seconds_of_day = threads > 1;
    measure_all(peers, count, shapes, n_shapes);
    print_header(peers, count);
    for (int f32 = 0; f32 < 2; f32++)
        for (int i = 0; i < n_shapes; i++)
            slow |= report(peers, count, &shapes[i], f32, &timings[f32][i]);
    print_groups();
    if (patience > 0)
        printf("something else used the core in %d of %d measurements\n", disturbed, measured);
    if (csv != NULL)
        fclose(csv);
    if (slow)
        printf("FAILED: a peer is more than twice as fast at 512 or 1024\n");
    return slow;
}
