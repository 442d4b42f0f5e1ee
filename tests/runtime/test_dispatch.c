/* The choice of the kernel set under every value of MXRT_CPU, in a child process each; threads that race for it; the
   strings of the statuses; the reflection types. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mxrt.h"
#include "tap.h"

#define THREADS 8

typedef struct answer {
    char name[16];
    size_t worksizes[4];
    int agreed;
} answer;

static void *ask_name(void *result) {
    *(const char **)result = mx_cpu_name();
    return NULL;
}

/* The first calls of the process come from several threads at once. */
static answer ask(void) {
    answer a = {.agreed = 1,
                .worksizes = {mx_gemm_f64_worksize(100, 200, 300), mx_gemm_f32_worksize(100, 200, 300),
                              mx_gemm_f64_worksize(4, 9999, 999), mx_gemm_f32_worksize(9999, 77, 5)}};
    pthread_t threads[THREADS];
    const char *names[THREADS] = {NULL};
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, ask_name, &names[i]) != 0)
            exit(2);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        a.agreed &= names[i] == mx_cpu_name();
    snprintf(a.name, sizeof a.name, "%s", mx_cpu_name());
    return a;
}

/* What a fresh process answers with MXRT_CPU set to value, unset for NULL. */
static answer ask_in_child(const char *value) {
    answer a = {.agreed = 0};
    int ends[2];
    if (pipe(ends) != 0)
        exit(2);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (value != NULL)
            setenv("MXRT_CPU", value, 1);
        else
            unsetenv("MXRT_CPU");
        a = ask();
        _exit(write(ends[1], &a, sizeof a) != (ssize_t)sizeof a);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &a, sizeof a) != (ssize_t)sizeof a)
        a.agreed = 0;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return a;
}

static int supported(const char *name) {
#if defined(__x86_64__)
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (strcmp(name, "avx2") == 0)
        return avx2;
    if (strcmp(name, "avx512") == 0)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
#endif
#if defined(__aarch64__)
    return strcmp(name, "neon") == 0;
#else
    return strcmp(name, "generic") == 0;
#endif
}

static void test_choice(tap *out) {
    static const char *const values[] = {"generic", "avx2", "avx512", "neon", "", "sse9", "AVX2", "avx"};
    answer best = ask_in_child(NULL);
    printf("# best %s\n", best.name);
    tap_ok(out, best.agreed && supported(best.name), "the best set is supported");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        answer a = ask_in_child(values[i]);
        tap_ok(out, strcmp(a.name, supported(values[i]) ? values[i] : best.name) == 0, "MXRT_CPU=%s gives %s",
               values[i], a.name);
        tap_ok(out, a.agreed, "MXRT_CPU=%s: threads agree", values[i]);
        tap_ok(out, memcmp(a.worksizes, best.worksizes, sizeof a.worksizes) == 0, "MXRT_CPU=%s: the same workspaces",
               values[i]);
    }
}

static void test_fixed(tap *out) {
    const char *before = mx_cpu_name();
    setenv("MXRT_CPU", strcmp(before, "generic") == 0 ? "avx2" : "generic", 1);
    tap_ok(out, mx_cpu_name() == before, "a later change of MXRT_CPU changes nothing");
}

static void test_statuses(tap *out) {
    const char *unknown = mx_status_string(-1);
    tap_ok(out, MX_OK == 0, "MX_OK is 0");
    for (int i = MX_OK; i <= MX_ERR_INDEX; i++) {
        const char *text = mx_status_string(i);
        int distinct = strcmp(text, unknown) != 0;
        for (int j = MX_OK; j < i; j++)
            distinct &= strcmp(text, mx_status_string(j)) != 0;
        tap_ok(out, distinct && text[0] != '\0', "status %d: %s", i, text);
    }
    tap_ok(out, strcmp(mx_status_string(MX_ERR_INDEX + 1), unknown) == 0, "an unknown status has a string");
}

static size_t no_worksize(const size_t *dims) {
    return 0 * dims[0];
}

static int sum_vector(const size_t *dims, const void *const *in, void *const *out, void *saved, void *work) {
    (void)saved, (void)work;
    double sum = 0;
    for (size_t i = 0; i < dims[0]; i++)
        sum += ((const double *)in[0])[i];
    *(double *)out[0] = sum;
    return MX_OK;
}

/* A table as mxc --reflect writes it can be constant and can be called. */
static void test_reflection(tap *out) {
    static const char *const dims[] = {"n"};
    static const mx_argument x = {"x", "input", "dense", 1, dims}, s = {"s", "output", "dense", 0, NULL};
    static const mx_function f = {"t_eval", "eval", 1, dims, 1, &x, 1, &s, no_worksize, NULL, sum_vector, 0, NULL};
    static const mx_module module = {"t", "t.mx", "f64", MX_ABI_VERSION, 1, &f};
    const double numbers[] = {1, 2, 3};
    const void *in[] = {numbers};
    double sum = 0;
    void *result[] = {&sum};
    size_t n = 3;
    int status = module.functions[0].call(&n, in, result, NULL, NULL);
    tap_ok(out, status == MX_OK && sum == 6 && module.abi == 1, "a reflected function is called");
}

int main(void) {
    tap out = {0, 0};
    test_choice(&out);
    test_fixed(&out);
    test_statuses(&out);
    test_reflection(&out);
    return tap_end(&out);
}
