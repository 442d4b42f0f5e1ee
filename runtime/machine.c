/* What the system and the processor tell of themselves. */
#include "machine.h"

#if defined(__unix__)
#include <unistd.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* The cache where the system does not tell, and what it may be taken for if it tells wonders. */
#define USUAL (1 << 20)
#define LEAST (1 << 18)
#define MOST (1 << 22)

mx_machine mx_this_machine = {USUAL, 0};

static ptrdiff_t second_level_cache(void) {
#if defined(_SC_LEVEL2_CACHE_SIZE)
    const long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (size > 0)
        return size < LEAST ? LEAST : size < MOST ? size : MOST;
#endif
    return USUAL;
}

/* AMD's processors of family 19h, where they have vectors of 512 bits: Zen 4, whose units have 256 (AMD, Software
   Optimization Guide for the Zen 4 Microarchitecture, 57647). */
static int halves_vectors(void) {
#if defined(__x86_64__)
    unsigned level, vendor[3], version, other[3];
    return __get_cpuid(0, &level, &vendor[0], &vendor[2], &vendor[1]) && vendor[0] == signature_AMD_ebx &&
           __get_cpuid(1, &version, &other[0], &other[1], &other[2]) &&
           ((version >> 8) & 0xf) + ((version >> 20) & 0xff) == 0x19;
#else
    return 0;
#endif
}

/* Threads that come together all store the same. */
void mx_find_machine(void) {
    atomic_store_explicit(&mx_this_machine.near_cache, second_level_cache(), memory_order_relaxed);
    atomic_store_explicit(&mx_this_machine.has_halved_vectors, halves_vectors(), memory_order_relaxed);
}
