/* Test Anything Protocol: one line a case, the plan at the end. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct tap {
    int cases, failed;
} tap;

/* Whether the next of many like cases is to be tried: each, or one of MX_EVERY where the processor is simulated. */
static inline int tap_due(void) {
    static unsigned long every, number;
    if (every == 0) {
        const char *text = getenv("MX_EVERY");
        every = text != NULL && atoi(text) > 0 ? (unsigned long)atoi(text) : 1;
    }
    return number++ % every == 0;
}

/* Prints "ok N - name" or "not ok N - name" and returns whether it passed. */
static inline int tap_ok(tap *t, int passed, const char *format, ...) __attribute__((format(printf, 3, 4)));
static inline int tap_ok(tap *t, int passed, const char *format, ...) {
    va_list args;
    va_start(args, format);
    t->cases++;
    t->failed += !passed;
    printf("%sok %d - ", passed ? "" : "not ", t->cases);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    return passed;
}

/* The exit status of main. */
static inline int tap_end(const tap *t) {
    printf("1..%d\n", t->cases);
    return t->failed != 0;
}

#endif
