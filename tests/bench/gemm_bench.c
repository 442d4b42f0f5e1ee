/* Speed of the product beside OpenBLAS, one thread, in turn within one run.

   gemm_bench [N ...]     sizes of the square products (default 64 128 256 512 1024)

   Prints GFLOP/s, medians of several repetitions, and OpenBLAS's as a multiple of ours.  Exits 1 when that multiple is
   above 2 at 512 or 1024, for the medians and for the fastest repetitions too, so that other load on the machine does
   not decide.  Without -DHAVE_OPENBLAS it says so, measures ours alone, and exits 0. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mxrt.h"

#ifdef HAVE_OPENBLAS
#include <cblas.h>
#endif

#define REPETITIONS 9

typedef struct bench {
    int n, f32, ta, tb;
    void *a, *b, *c, *work;
} bench;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_ours(const bench *x) {
    size_t n = (size_t)x->n;
    ptrdiff_t s = x->n, ra = x->ta ? 1 : s, ca = x->ta ? s : 1, rb = x->tb ? 1 : s, cb = x->tb ? s : 1;
    if (x->f32)
        mx_gemm_f32(n, n, n, 1, x->a, ra, ca, x->b, rb, cb, 0, x->c, s, 1, x->work);
    else
        mx_gemm_f64(n, n, n, 1, x->a, ra, ca, x->b, rb, cb, 0, x->c, s, 1, x->work);
}

#ifdef HAVE_OPENBLAS
static void run_openblas(const bench *x) {
    int n = x->n;
    enum CBLAS_TRANSPOSE ta = x->ta ? CblasTrans : CblasNoTrans, tb = x->tb ? CblasTrans : CblasNoTrans;
    if (x->f32)
        cblas_sgemm(CblasRowMajor, ta, tb, n, n, n, 1, x->a, n, x->b, n, 0, x->c, n);
    else
        cblas_dgemm(CblasRowMajor, ta, tb, n, n, n, 1, x->a, n, x->b, n, 0, x->c, n);
}
#endif

static double seconds(void (*run)(const bench *), const bench *x, int calls) {
    double start = now();
    for (int i = 0; i < calls; i++)
        run(x);
    return (now() - start) / calls;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts t, too: t[0] is the fastest. */
static double median(double *t) {
    qsort(t, REPETITIONS, sizeof *t, compare_doubles);
    return t[REPETITIONS / 2];
}

/* Returns 1 when OpenBLAS is more than twice as fast where that is forbidden. */
static int measure(const bench *x) {
    double flops = 2.0 * x->n * x->n * x->n, ours[REPETITIONS], theirs[REPETITIONS] = {0};
    int calls = (int)(2e8 / flops) + 1;
    for (int i = 0; i < REPETITIONS; i++) {
        ours[i] = seconds(run_ours, x, calls);
#ifdef HAVE_OPENBLAS
        theirs[i] = seconds(run_openblas, x, calls);
#endif
    }
    double mine = median(ours), peer = median(theirs);
    printf("%s %5d  %c%c %8.1f", x->f32 ? "f32" : "f64", x->n, x->ta ? 'T' : 'N', x->tb ? 'T' : 'N',
           flops / mine * 1e-9);
    if (peer > 0)
        printf(" %10.1f %8.2f", flops / peer * 1e-9, mine / peer);
    printf("\n");
    return peer > 0 && mine > 2 * peer && ours[0] > 2 * theirs[0] && (x->n == 512 || x->n == 1024);
}

static void fill(bench *x, size_t count) {
    uint64_t state = 1;
    for (size_t i = 0; i < 2 * count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double value = (double)(state >> 40) / (1 << 24) - 0.5;
        void *to = i < count ? x->a : x->b;
        if (x->f32)
            ((float *)to)[i % count] = (float)value;
        else
            ((double *)to)[i % count] = value;
    }
}

static int measure_all(int n, int f32) {
    size_t size = (size_t)n, count = size * size, bytes = count * (f32 ? sizeof(float) : sizeof(double));
    size_t work = f32 ? mx_gemm_f32_worksize(size, size, size) : mx_gemm_f64_worksize(size, size, size);
    bench x = {n, f32, 0, 0, malloc(bytes), malloc(bytes), calloc(1, bytes), malloc(work + 1)};
    int slow = 0;
    if (x.a == NULL || x.b == NULL || x.c == NULL || x.work == NULL) {
        fprintf(stderr, "gemm_bench: out of memory\n");
        exit(2);
    }
    fill(&x, count);
    for (int kind = 0; kind < 3; kind++) {
        x.ta = kind == 2;
        x.tb = kind == 1;
        slow |= measure(&x);
    }
    free(x.a), free(x.b), free(x.c), free(x.work);
    return slow;
}

/* OpenBLAS reads its environment when it is loaded: started again with its own choice of kernel and one thread. */
static void settle_environment(char **argv) {
    if (getenv("OPENBLAS_CORETYPE") == NULL && getenv("OPENBLAS_L2_SIZE") == NULL &&
        strcmp(getenv("OPENBLAS_NUM_THREADS") ? getenv("OPENBLAS_NUM_THREADS") : "", "1") == 0)
        return;
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OPENBLAS_L2_SIZE");
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv) {
    static const int sizes[] = {64, 128, 256, 512, 1024};
    int count = argc > 1 ? argc - 1 : (int)(sizeof sizes / sizeof *sizes), slow = 0;
    settle_environment(argv);
    printf("kernel set %s; GFLOP/s, medians of %d, one thread\n", mx_cpu_name(), REPETITIONS);
#ifdef HAVE_OPENBLAS
    printf("type    n op     ours   OpenBLAS OpenBLAS/ours   (OpenBLAS kernel %s)\n", openblas_get_corename());
#else
    printf("OpenBLAS not found: no comparison\ntype    n op     ours\n");
#endif
    for (int f32 = 0; f32 < 2; f32++)
        for (int i = 0; i < count; i++)
            slow |= measure_all(argc > 1 ? atoi(argv[i + 1]) : sizes[i], f32);
    if (slow)
        printf("FAILED: OpenBLAS is more than twice as fast at 512 or 1024\n");
    return slow;
}
