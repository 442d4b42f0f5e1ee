/* The choice of the kernel set: by the processor, or by MXRT_CPU. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "machine.h"
#include "mxrt.h"

#if defined(__aarch64__)
#define BASELINE "neon" /* the baseline of the architecture has it */
#else
#define BASELINE "generic"
#endif

typedef struct choice {
    const char *name;
    int (*supported)(void);
    const struct mx_kernels_f64 *f64;
    const struct mx_kernels_f32 *f32;
} choice;

static int always(void) {
    return 1;
}

#if defined(__x86_64__)
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

extern const struct mx_kernels_f64 mx_kernels_f64_avx2, mx_kernels_f64_avx512;
extern const struct mx_kernels_f32 mx_kernels_f32_avx2, mx_kernels_f32_avx512;
#endif

extern const struct mx_kernels_f64 mx_kernels_f64_generic;
extern const struct mx_kernels_f32 mx_kernels_f32_generic;

/* Best first. */
static const choice choices[] = {
#if defined(__x86_64__)
    {"avx512", has_avx512, &mx_kernels_f64_avx512, &mx_kernels_f32_avx512},
    {"avx2", has_avx2, &mx_kernels_f64_avx2, &mx_kernels_f32_avx2},
#endif
    {BASELINE, always, &mx_kernels_f64_generic, &mx_kernels_f32_generic},
};

static const choice *find_choice(const char *name) {
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if ((name == NULL || strcmp(name, choices[i].name) == 0) && choices[i].supported())
            return &choices[i];
    return NULL;
}

/* Threads that come together may all search; the first to finish decides for all, so that a change of the environment
   in between cannot give two answers. */
static const choice *chosen(void) {
    static _Atomic(const choice *) published;
    const choice *now = atomic_load_explicit(&published, memory_order_acquire);
    if (now != NULL)
        return now;
    const char *wish = getenv("MXRT_CPU");
    const choice *mine = wish != NULL ? find_choice(wish) : NULL;
    if (mine == NULL)
        mine = find_choice(NULL);
    mx_find_machine();
    return atomic_compare_exchange_strong(&published, &now, mine) ? mine : now;
}

const struct mx_kernels_f64 *mx_dispatch_f64(void) {
    return chosen()->f64;
}

const struct mx_kernels_f32 *mx_dispatch_f32(void) {
    return chosen()->f32;
}

const char *mx_cpu_name(void) {
    return chosen()->name;
}
