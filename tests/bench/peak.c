/* The most that a core can do: fused multiply-adds on registers, nothing from memory, in the widest vectors that the
   processor has. */
#include <time.h>

#include "bench.h"

int seconds_of_day;

double seconds_now(void) {
    struct timespec t;
    clock_gettime(seconds_of_day ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define ROUNDS 30000
#define CHAINS 12

/* The chains are variables of their own and the empty statement makes each of them unknown, so that none leaves its
   register and none is computed beforehand. */
#define EACH(X) X(a0) X(a1) X(a2) X(a3) X(a4) X(a5) X(a6) X(a7) X(a8) X(a9) X(a10) X(a11)
#define DECLARE(x) vector x = one;
#define STEP(x) x = x * factor + addend;
#define HIDE(x) __asm__ volatile("" : "+" REGISTER(x));
#define ADD(x) sum += x;

#define PEAK(name, type, bytes, attribute)                                                                             \
    attribute static double name(void) {                                                                               \
        typedef type vector __attribute__((vector_size(bytes)));                                                       \
        vector one = {1}, factor = one * (type)0.5, addend = one * (type)0.25, sum = {0};                              \
        EACH(DECLARE)                                                                                                  \
        HIDE(factor) HIDE(addend) double start = seconds_now();                                                        \
        for (int i = 0; i < ROUNDS; i++) {                                                                             \
            EACH(STEP) EACH(HIDE)                                                                                      \
        }                                                                                                              \
        double time = seconds_now() - start;                                                                           \
        EACH(ADD)                                                                                                      \
        volatile type used = sum[0];                                                                                   \
        (void)used;                                                                                                    \
        return 2.0 * CHAINS * ROUNDS * (bytes / sizeof(type)) / time * 1e-9;                                           \
    }

#if defined(__x86_64__)
#define REGISTER(x) "v"(x)
PEAK(f64_avx512, double, 64, __attribute__((target("avx512f,fma"))))
PEAK(f32_avx512, float, 64, __attribute__((target("avx512f,fma"))))
PEAK(f64_avx2, double, 32, __attribute__((target("avx2,fma"))))
PEAK(f32_avx2, float, 32, __attribute__((target("avx2,fma"))))
#elif defined(__aarch64__)
#define REGISTER(x) "w"(x)
#else
#define REGISTER(x) "m"(x)
#endif
PEAK(f64_plain, double, 16, )
PEAK(f32_plain, float, 16, )

double peak_gflops(int f32) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return f32 ? f32_avx512() : f64_avx512();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return f32 ? f32_avx2() : f64_avx2();
#endif
    return f32 ? f32_plain() : f64_plain();
}
