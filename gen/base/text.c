#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_new(struct arena *arena) {
    return (struct text){.arena = arena};
}

static void reserve(struct text *text, size_t more) {
    size_t need = text->len + more + 1;
    if (need <= text->cap)
        return;
    size_t cap = text->cap ? text->cap : 64;
    while (cap < need)
        cap *= 2;
    text->data = arena_resize(text->arena, text->data, text->cap, cap);
    text->cap = cap;
}

void text_write(struct text *text, const char *s, size_t length) {
    reserve(text, length);
    memcpy(text->data + text->len, s, length);
    text->len += length;
    text->data[text->len] = '\0';
}

void text_putc(struct text *text, char c) {
    text_write(text, &c, 1);
}

void text_puts(struct text *text, const char *s) {
    text_write(text, s, strlen(s));
}

void text_repeat(struct text *text, char c, size_t count) {
    reserve(text, count);
    memset(text->data + text->len, c, count);
    text->len += count;
    text->data[text->len] = '\0';
}

static void put_number(struct text *text, unsigned magnitude) {
    char digits[3 * sizeof magnitude], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + magnitude % 10);
    while (magnitude /= 10);
    text_write(text, at, (size_t)(digits + sizeof digits - at));
}

static void put_rest(struct text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    if (length > 0) {
        reserve(text, (size_t)length);
        vsnprintf(text->data + text->len, (size_t)length + 1, format, again);
        text->len += (size_t)length;
    }
    va_end(again);
}

/* Most of what is ever printed are words and counts: these directly, and the C library from the first other directive
 * on. */
void text_vprintf(struct text *text, const char *format, va_list args) {
    for (;;) {
        const size_t plain = strcspn(format, "%");
        text_write(text, format, plain);
        format += plain;
        if (*format == '\0')
            return;
        switch (format[1]) {
        case 's':
            text_puts(text, va_arg(args, const char *));
            break;
        case 'u':
            put_number(text, va_arg(args, unsigned));
            break;
        case 'c':
            text_putc(text, (char)va_arg(args, int));
            break;
        default:
            put_rest(text, format, args);
            return;
        }
        format += 2;
    }
}

void text_printf(struct text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_vprintf(text, format, args);
    va_end(args);
}

/* printf writes the locale's decimal point; C source and JSON want a dot. */
static void dot_for_comma(char *digits) {
    for (; *digits; digits++)
        if (!strchr("0123456789+-eE", *digits))
            *digits = '.';
}

void text_double(struct text *text, double x) {
    char digits[40];
    if (isnan(x) || isinf(x)) {
        text_puts(text, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
        return;
    }
    if (x > 0 && x < 10 && x == (int)x) { /* most are: it saves printing and reading them */
        text_putc(text, (char)('0' + (int)x));
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, x);
        if (strtod(digits, NULL) == x)
            break;
    }
    dot_for_comma(digits);
    text_puts(text, digits);
}

void text_json(struct text *text, const char *s) {
    text_putc(text, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_printf(text, "\\%c", c);
        else if (c == '\n')
            text_puts(text, "\\n");
        else if (c < 0x20)
            text_printf(text, "\\u%04x", c);
        else
            text_putc(text, (char)c);
    }
    text_putc(text, '"');
}

const char *text_string(struct text *text) {
    return text->data ? text->data : "";
}

char *format_string(struct arena *arena, const char *format, ...) {
    struct text text = text_new(arena);
    va_list args;
    va_start(args, format);
    text_vprintf(&text, format, args);
    va_end(args);
    char *string = arena_string(arena, text.data, text.len); /* no longer than it is; the text's room serves the next */
    arena_release(arena, text.data, text.cap);
    return string;
}
