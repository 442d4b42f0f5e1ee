/* Test Anything Protocol: one line a case, the plan at the end. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdio.h>

typedef struct tap {
    int cases, failed;
} tap;

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
