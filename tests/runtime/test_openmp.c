/* Inside a parallel region of OpenMP every product stays on its caller's thread, also where one at a time calls; after
   the region the team works again.  Compiled with -fopenmp where the compiler can; without, it says so. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mxrt.h"
#include "tap.h"

#ifdef _OPENMP
#include <omp.h>

#define SIZE 300

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double *allocate(size_t bytes) {
    void *memory = malloc(bytes);
    if (memory == NULL)
        exit(2);
    memset(memory, 0, bytes);
    return memory;
}

/* The share of a few products' processor time that was not the calling thread's. */
static double share_of_others(const double *a, double *c, void *work) {
    double mine = seconds(CLOCK_THREAD_CPUTIME_ID), all = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < 30; i++)
        mx_gemm_f64(SIZE, SIZE, SIZE, 1, a, SIZE, 1, a, 1, SIZE, 0, c, SIZE, 1, work);
    mine = seconds(CLOCK_THREAD_CPUTIME_ID) - mine, all = seconds(CLOCK_PROCESS_CPUTIME_ID) - all;
    return 1 - mine / all;
}

int main(void) {
    tap out = {0, 0};
    double *a = allocate(SIZE * SIZE * sizeof *a), *c = allocate(SIZE * SIZE * sizeof *c);
    double *work = allocate(mx_gemm_f64_worksize(SIZE, SIZE, SIZE)), inside = 1;
    mx_set_num_threads(2);
    atomic_int done = 0;
    double outside = 0;
    for (int i = 0; i < 50 && outside <= 0.2; i++) /* what else runs may hold the other thread up */
        outside = share_of_others(a, c, work);
    tap_ok(&out, outside > 0.2, "outside of a region the team works, %.2f", outside);
    omp_set_dynamic(0);
#pragma omp parallel num_threads(2)
    {
        if (omp_get_thread_num() == 0) {
            inside = share_of_others(a, c, work);
            atomic_store(&done, 1);
        }
        while (!atomic_load(&done))
            usleep(1000);
    }
    tap_ok(&out, inside < 0.1, "in a region it does not, %.2f", inside);
    free(a), free(c), free(work);
    return tap_end(&out);
}
#else
int main(void) {
    tap out = {0, 0};
    tap_ok(&out, 1, "# SKIP no OpenMP in this compiler");
    return tap_end(&out);
}
#endif
