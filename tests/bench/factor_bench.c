/* Speed of the factorisations beside OpenBLAS's LAPACK, one thread, in turn within one run.

   factor_bench [N ...]     sizes (default 16 32 64 128 256 512 1024)

   Prints GFLOP/s, medians of several repetitions, and our time as a multiple of OpenBLAS's: LU, Cholesky, and a
   triangular solve with n columns; our matrices row-major (R) and column-major (C), OpenBLAS's always column-major, as
   it wants them.  Each run factors a fresh copy, whose making counts for both.  Without -DHAVE_OPENBLAS it says so,
   measures ours alone, and exits 0. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mxrt.h"

#ifdef HAVE_OPENBLAS
char *openblas_get_corename(void);
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);
void sgetrf_(const int *m, const int *n, float *a, const int *lda, int *pivots, int *info);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info);
void dtrsm_(const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,
            const double *alpha, const double *a, const int *lda, double *b, const int *ldb);
void strsm_(const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,
            const float *alpha, const float *a, const int *lda, float *b, const int *ldb);
#endif

#define REPETITIONS 9

typedef enum task { LU, CHOLESKY, SOLVE, N_TASKS } task;

static const char *const task_names[N_TASKS] = {"LU", "Cholesky", "solve"};

typedef struct bench {
    task what;
    int n, f32, row_major, status;
    size_t bytes;
    void *original, *a, *work;
    size_t *pivots;
    int *their_pivots;
} bench;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The solve takes the lower triangle of the original. */
static void run_ours(bench *x) {
    size_t n = (size_t)x->n;
    ptrdiff_t rs = x->row_major ? x->n : 1, cs = x->row_major ? 1 : x->n;
    memcpy(x->a, x->original, x->bytes);
    if (x->what == LU)
        x->status |=
            x->f32 ? mx_lu_f32(n, x->a, rs, cs, x->pivots, x->work) : mx_lu_f64(n, x->a, rs, cs, x->pivots, x->work);
    else if (x->what == CHOLESKY)
        x->status |= x->f32 ? mx_cholesky_f32(n, x->a, rs, cs, x->work) : mx_cholesky_f64(n, x->a, rs, cs, x->work);
    else if (x->f32)
        mx_trsm_f32(1, 0, n, n, x->original, rs, cs, x->a, rs, cs, x->work);
    else
        mx_trsm_f64(1, 0, n, n, x->original, rs, cs, x->a, rs, cs, x->work);
}

#ifdef HAVE_OPENBLAS
static void run_f64(bench *x) {
    const double one = 1;
    int info = 0;
    if (x->what == LU)
        dgetrf_(&x->n, &x->n, x->a, &x->n, x->their_pivots, &info);
    else if (x->what == CHOLESKY)
        dpotrf_("L", &x->n, x->a, &x->n, &info);
    else
        dtrsm_("L", "L", "N", "N", &x->n, &x->n, &one, x->original, &x->n, x->a, &x->n);
    x->status |= info;
}

static void run_f32(bench *x) {
    const float one = 1;
    int info = 0;
    if (x->what == LU)
        sgetrf_(&x->n, &x->n, x->a, &x->n, x->their_pivots, &info);
    else if (x->what == CHOLESKY)
        spotrf_("L", &x->n, x->a, &x->n, &info);
    else
        strsm_("L", "L", "N", "N", &x->n, &x->n, &one, x->original, &x->n, x->a, &x->n);
    x->status |= info;
}

static void run_openblas(bench *x) {
    memcpy(x->a, x->original, x->bytes);
    if (x->f32)
        run_f32(x);
    else
        run_f64(x);
}
#endif

static double seconds(void (*run)(bench *), bench *x, int calls) {
    double start = now();
    for (int i = 0; i < calls; i++)
        run(x);
    return (now() - start) / calls;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *t) {
    qsort(t, REPETITIONS, sizeof *t, compare_doubles);
    return t[REPETITIONS / 2];
}

static void measure(bench *x) {
    double cube = (double)x->n * x->n * x->n, flops = x->what == LU ? 2 * cube / 3 : x->what == SOLVE ? cube : cube / 3;
    double ours[REPETITIONS], theirs[REPETITIONS] = {0};
    int calls = (int)(1e8 / (flops + 1e4)) + 1;
    for (int i = 0; i < REPETITIONS; i++) {
        ours[i] = seconds(run_ours, x, calls);
#ifdef HAVE_OPENBLAS
        theirs[i] = seconds(run_openblas, x, calls);
#endif
    }
    double mine = median(ours), peer = median(theirs);
    printf("%s %-8s %5d  %c %8.2f", x->f32 ? "f32" : "f64", task_names[x->what], x->n, x->row_major ? 'R' : 'C',
           flops / mine * 1e-9);
    if (peer > 0)
        printf(" %10.2f %14.2f", flops / peer * 1e-9, mine / peer);
    printf("%s\n", x->status != 0 ? "  FAILED" : "");
}

/* Symmetric, so that both layouts are the same matrix, and positive definite, but for LU not dominated by its diagonal:
   rows have to be exchanged. */
static void fill(bench *x) {
    uint64_t state = 1;
    size_t n = (size_t)x->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            double value = (double)(state >> 40) / (1 << 24) - 0.5;
            value += i == j && x->what != LU ? (double)n : 0;
            for (int side = 0; side < 2; side++) {
                size_t at = side ? i * n + j : j * n + i;
                if (x->f32)
                    ((float *)x->original)[at] = (float)value;
                else
                    ((double *)x->original)[at] = value;
            }
        }
}

static size_t worksize(const bench *x) {
    size_t n = (size_t)x->n;
    if (x->what == LU)
        return x->f32 ? mx_lu_f32_worksize(n) : mx_lu_f64_worksize(n);
    if (x->what == CHOLESKY)
        return x->f32 ? mx_cholesky_f32_worksize(n) : mx_cholesky_f64_worksize(n);
    return x->f32 ? mx_trsm_f32_worksize(n, n) : mx_trsm_f64_worksize(n, n);
}

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes + 1);
    if (memory == NULL) {
        fprintf(stderr, "factor_bench: out of memory\n");
        exit(2);
    }
    return memory;
}

static int measure_all(task what, int n, int f32) {
    bench x = {.what = what, .n = n, .f32 = f32};
    x.bytes = (size_t)n * (size_t)n * (f32 ? sizeof(float) : sizeof(double));
    x.original = allocate(x.bytes), x.a = allocate(x.bytes), x.work = allocate(worksize(&x));
    x.pivots = allocate((size_t)n * sizeof *x.pivots), x.their_pivots = allocate((size_t)n * sizeof *x.their_pivots);
    fill(&x);
    for (x.row_major = 1; x.row_major >= 0; x.row_major--)
        measure(&x);
    free(x.original), free(x.a), free(x.work), free(x.pivots), free(x.their_pivots);
    return x.status != 0;
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
    static const int sizes[] = {16, 32, 64, 128, 256, 512, 1024};
    int count = argc > 1 ? argc - 1 : (int)(sizeof sizes / sizeof *sizes), failed = 0;
    settle_environment(argv);
    printf("kernel set %s; GFLOP/s, medians of %d, one thread\n", mx_cpu_name(), REPETITIONS);
#ifdef HAVE_OPENBLAS
    printf("type task         n        ours   OpenBLAS  ours/OpenBLAS, time   (OpenBLAS kernel %s)\n",
           openblas_get_corename());
#else
    printf("OpenBLAS not found: no comparison\ntype task         n        ours\n");
#endif
    for (int f32 = 0; f32 < 2; f32++)
        for (int what = 0; what < N_TASKS; what++)
            for (int i = 0; i < count; i++)
                failed |= measure_all((task)what, argc > 1 ? atoi(argv[i + 1]) : sizes[i], f32);
    return failed;
}
