/* The libraries that ours is measured against, loaded when the benchmark runs: whatever is missing is said, nothing is
   needed to build.  Directories to look in beside the linker's own: MX_BENCH_LIBS, separated by colons. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "mxrt.h"

typedef void fortran_f64(const char *, const char *, const int *, const int *, const int *, const double *,
                         const double *, const int *, const double *, const int *, const double *, double *,
                         const int *);
typedef void fortran_f32(const char *, const char *, const int *, const int *, const int *, const float *,
                         const float *, const int *, const float *, const int *, const float *, float *, const int *);

static void run_ours(const peer *p, const operands *x) {
    size_t m = (size_t)x->s.m, n = (size_t)x->s.n, k = (size_t)x->s.k;
    ptrdiff_t ra = x->s.ta ? 1 : x->s.k, ca = x->s.ta ? x->s.m : 1, rb = x->s.tb ? 1 : x->s.n,
              cb = x->s.tb ? x->s.k : 1;
    (void)p;
    if (x->f32)
        mx_gemm_f32(m, n, k, 1, x->a, ra, ca, x->b, rb, cb, 0, x->c, x->s.n, 1, x->work);
    else
        mx_gemm_f64(m, n, k, 1, x->a, ra, ca, x->b, rb, cb, 0, x->c, x->s.n, 1, x->work);
}

static int takes_fixed(const peer *p, operands *x) {
    (void)p;
    return find_fixed(&x->s) != NULL;
}

static void run_fixed(const peer *p, const operands *x) {
    (void)p;
    find_fixed (&x->s)(x);
}

int peer_is_ours(const peer *p) {
    return p->takes == takes_fixed;
}

/* C' = B' A' for libraries that store by columns. */
static void run_fortran(const peer *p, const operands *x) {
    int m = x->s.n, n = x->s.m, k = x->s.k, lda = x->s.tb ? k : m, ldb = x->s.ta ? n : k;
    const char *ta = x->s.tb ? "T" : "N", *tb = x->s.ta ? "T" : "N";
    const double one = 1, zero = 0;
    const float onef = 1, zerof = 0;
    if (x->f32)
        ((fortran_f32 *)p->f32)(ta, tb, &m, &n, &k, &onef, x->b, &lda, x->a, &ldb, &zerof, x->c, &m);
    else
        ((fortran_f64 *)p->f64)(ta, tb, &m, &n, &k, &one, x->b, &lda, x->a, &ldb, &zero, x->c, &m);
}

static int takes_all(const peer *p, operands *x) {
    (void)p, (void)x;
    return 1;
}

/* libxsmm's kernels are made for one shape each, and called through a pointer that the caller keeps. */
typedef void kernel_f64(const double *, const double *, double *, ...);
typedef void kernel_f32(const float *, const float *, float *, ...);
typedef kernel_f64 *make_f64(int, int, int, const int *, const int *, const int *, const double *, const double *,
                             const int *, const int *);
typedef kernel_f32 *make_f32(int, int, int, const int *, const int *, const int *, const float *, const float *,
                             const int *, const int *);

static int takes_kernel(const peer *p, operands *x) {
    int m = x->s.n, n = x->s.m, k = x->s.k, lda = x->s.tb ? k : m, ldb = x->s.ta ? n : k;
    int flags = (x->s.tb ? 1 : 0) | (x->s.ta ? 2 : 0), prefetch = 0;
    const double one = 1, zero = 0;
    const float onef = 1, zerof = 0;
    if ((double)m * n * k > 256.0 * 256 * 256)
        return 0;
    kernel_f64 *made64 = NULL;
    kernel_f32 *made32 = NULL;
    if (x->f32)
        made32 = ((make_f32 *)p->f32)(m, n, k, &lda, &ldb, &m, &onef, &zerof, &flags, &prefetch);
    else
        made64 = ((make_f64 *)p->f64)(m, n, k, &lda, &ldb, &m, &one, &zero, &flags, &prefetch);
    x->held = x->f32 ? *(void **)&made32 : *(void **)&made64;
    return x->held != NULL;
}

static void run_kernel(const peer *p, const operands *x) {
    (void)p;
    if (x->f32)
        (*(kernel_f32 *const *)&x->held)(x->b, x->a, x->c);
    else
        (*(kernel_f64 *const *)&x->held)(x->b, x->a, x->c);
}

/* Symbols stay the library's own: several of these libraries define the same names. */
static void *load(const char *name) {
    const char *folders = getenv("MX_BENCH_LIBS");
    void *library = NULL;
    char path[4096];
    while (folders != NULL && *folders != 0 && library == NULL) {
        int length = (int)strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s/%s", length, folders, name);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        folders += length + (folders[length] == ':');
    }
    return library != NULL ? library : dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

/* The first of the names, separated by spaces, that can be loaded. */
static void *load_first(const char *names) {
    char name[256];
    void *library = NULL;
    while (*names != 0 && library == NULL) {
        size_t length = strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        library = load(name);
        names += length + (names[length] == ' ');
    }
    return library;
}

int peer_holds_kernels(const peer *p) {
    return p->takes == takes_kernel;
}

/* Where to find a library and what its entry points are called. */
typedef struct source {
    const char *name, *files, *f64, *f32, *set_threads;
    int kernels;
} source;

/* The first that is found of several with one name takes part. */
static const source sources[] = {
    {"OpenBLAS", "libscipy_openblas.so", "scipy_dgemm_", "scipy_sgemm_", "scipy_openblas_set_num_threads", 0},
    {"OpenBLAS", "libopenblas.so.0 libopenblas.so", "dgemm_", "sgemm_", "openblas_set_num_threads", 0},
    {"BLIS", "libblis.so.4 libblis.so", "dgemm_", "sgemm_", "bli_thread_set_num_threads", 0},
    {"AOCL", "libblis-mt.so.5 libblis.so.5", "dgemm_", "sgemm_", "bli_thread_set_num_threads", 0},
    {"MKL", "libmkl_rt.so.3 libmkl_rt.so.2 libmkl_rt.so", "dgemm_", "sgemm_", "MKL_Set_Num_Threads", 0},
    {"BLASFEO", "libblasfeo.so", "blasfeo_blas_dgemm", "blasfeo_blas_sgemm", NULL, 0},
    {"Eigen", "libmxeigen.so", "eigen_f64", "eigen_f32", NULL, 0},
    {"libxsmm", "libxsmm.so", "libxsmm_dmmdispatch", "libxsmm_smmdispatch", NULL, 1},
};

static void set_threads(void *library, const char *name, int threads) {
    void (*set)(long) = NULL; /* int or a wider integer, by value: the same register */
    if (name != NULL)
        *(void **)&set = dlsym(library, name);
    if (set != NULL)
        set(threads);
}

static peer find_peer(const source *s, int threads) {
    peer p = {s->name, NULL, s->kernels ? takes_kernel : takes_all, s->kernels ? run_kernel : run_fortran, NULL, NULL};
    void *library = load_first(s->files);
    if (library == NULL) {
        p.missing = "library not found";
        return p;
    }
    *(void **)&p.f64 = dlsym(library, s->f64);
    *(void **)&p.f32 = dlsym(library, s->f32);
    if (p.f64 == NULL || p.f32 == NULL)
        p.missing = "library without the product";
    else if (threads > 1 && s->kernels)
        p.missing = "has one thread";
    else
        set_threads(library, s->set_threads, threads);
    return p;
}

int peers_find(peer *peers, int threads) {
    int count = 0;
    peers[count++] = (peer){"mxrt", NULL, takes_all, run_ours, NULL, NULL};
    peers[count++] = (peer){"mxc", threads > 1 ? "has one thread" : NULL, takes_fixed, run_fixed, NULL, NULL};
    mx_set_num_threads(threads);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        int again = strcmp(peers[count - 1].name, sources[i].name) == 0;
        if (!again || peers[count - 1].missing != NULL)
            peers[count - again] = find_peer(&sources[i], threads);
        count += !again;
    }
    return count;
}
