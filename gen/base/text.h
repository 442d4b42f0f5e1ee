/* A growing text buffer; every stage prints through it, so that output is whole before it is written. */
#ifndef MX_BASE_TEXT_H
#define MX_BASE_TEXT_H

#include "arena.h"

#include <stdarg.h>

struct text {
    struct arena *arena;
    char *data; /* always ends in NUL once something was put; see text_string */
    size_t len, cap;
};

struct text text_new(struct arena *arena);
void text_putc(struct text *text, char c);
void text_puts(struct text *text, const char *s);
void text_write(struct text *text, const char *s, size_t length);
void text_repeat(struct text *text, char c, size_t count);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* The shortest decimal that reads back as exactly x ("2", "0.1", "1e-3", "inf", "nan"), in any locale. */
void text_double(struct text *text, double x);
/* As a JSON string, quotes included. */
void text_json(struct text *text, const char *s);

/* What was put so far, NUL at its end; valid until the next put. */
const char *text_string(struct text *text);

/* A string made by format, in the arena. */
char *format_string(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
