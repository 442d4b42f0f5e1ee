/* Messages to the user: one table (diag.def) of codes, collected while compiling, printed at the end.
 *
 * A message has a code, a place, and a text made from the table's format; then any number of underlined operands with
 * labels, notes (with places), and helps. The standard of quality is the example in the language's contract. */
#ifndef MX_BASE_DIAG_H
#define MX_BASE_DIAG_H

#include "source.h"
#include "text.h"
#include "vec.h"

#include <stdbool.h>

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

/* DIAG(CODE, level, "name", "format", "long explanation"): CODE is E0203 or W0101; the name is what -Wno-NAME takes. */
enum diag_code {
#define DIAG(code, level, name, format, explanation) DIAG_##code,
#include "diag.def"
#undef DIAG
    DIAG_CODES
};

struct diag_part {
    struct span span; /* end 0: no place */
    const char *text; /* an operand's label (NULL: underline only), a note, a help */
};

struct diag {
    enum diag_code code;
    struct span span; /* gets the caret: '^' under its first line's part */
    const char *text;
    VEC(struct diag_part) operands; /* underlined with '~'; labels stand below, each joined to its operand by '|' */
    VEC(struct diag_part) notes;    /* "  note: k comes from 'Z: [m, k]' at 2:1" */
    VEC(struct diag_part) helps;    /* "  help: did you mean Z @ W' ?  [m, n]" */
};

struct diags {
    struct arena *arena;
    const struct sources *sources;
    VEC(struct diag *) all;
    int errors, warnings;
    bool warnings_are_errors;
    bool silenced[DIAG_CODES];
};

#define DIAG_MAX_ERRORS 20

/* Adds a message; its format is the table's. Never NULL: past DIAG_MAX_ERRORS errors the message is counted, not kept.
 */
struct diag *diag_report(struct diags *diags, enum diag_code code, struct span span, ...);
void diag_operand(struct diags *diags, struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 4, 5))); /* format NULL: underline only */
void diag_note(struct diags *diags, struct diag *diag, struct span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_help(struct diags *diags, struct diag *diag, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* All messages in order of place. Text is for people: colour only where asked. JSON is one array of objects. */
void diags_print_text(struct text *text, const struct diags *diags, bool colour);
void diags_print_json(struct text *text, const struct diags *diags);

const char *diag_code_name(enum diag_code code); /* "E0203" */
/* The table's explanation of a code written by the user ("E0203", "e0203"), or NULL. */
const char *diag_explanation(const char *code);
/* The code whose warning has this -W name, or DIAG_CODES. */
enum diag_code diag_warning_named(const char *name);

/* The candidate nearest to word within a third of its length in edits (optimal string alignment), or NULL. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);
/* The first candidate that differs from word in the case of letters only, or NULL. */
const char *word_of_other_case(const char *word, const char *const *candidates, size_t count);

#endif
