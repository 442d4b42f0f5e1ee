/* The compiler as a function: text in, texts out. It opens no file, keeps no state between calls, and may be
 * called from several threads at once. */
#ifndef MX_COMPILE_H
#define MX_COMPILE_H

#include "base/reading.h"

#include <stdbool.h>
#include <stddef.h>

#define MXC_VERSION "0.1.0"

enum emit_kind { EMIT_C, EMIT_AST, EMIT_GRAPH, EMIT_DERIVATION, EMIT_JSON, EMIT_KINDS };
enum diagnostics_format { DIAGNOSTICS_TEXT, DIAGNOSTICS_JSON };

enum { EFFORT_MOST = 2 };

/* Exit statuses, in compile_result and of the command. */
enum { MXC_DONE = 0, MXC_ERRORS = 1, MXC_USAGE = 2, MXC_FILE = 3, MXC_INTERNAL = 70 };

struct compile_options {
    const char *source_name; /* as the user wrote it, for messages; generated text shows only its base name */
    const char *module;      /* an identifier: the prefix of every generated function */
    const char *header_name; /* what the C file includes, and its guard is made from: "affine.h" */
    const char *spelled;     /* the options that shape the output as one line, for the first comment; "" if none */
    enum emit_kind emit;
    bool reflect;
    bool statistics;          /* of --stats */
    int effort;               /* the planner's, of -O: 0, 1, EFFORT_MOST */
    const char *const *fixed; /* each -D: "n=128", well-formed */
    size_t fixed_count;
    int real; /* 0: as the program says; 32, 64 */
    enum diagnostics_format diagnostics;
    bool colour;
    bool warnings_are_errors;
    const char *const *silenced; /* each -Wno-NAME's NAME, known to compile_knows_warning */
    size_t silenced_count;
    const struct reading *reading; /* of the files that the program includes; NULL: it may include none */
};

struct compile_text {
    const char *data;
    size_t length;
};

struct compile_result {
    int status;                     /* MXC_DONE, MXC_ERRORS or MXC_INTERNAL */
    struct compile_text messages;   /* for standard error: every diagnostic */
    struct compile_text main;       /* the C file, or what --emit asked for; empty unless status is MXC_DONE */
    struct compile_text statistics; /* what every function costs, for standard error; empty unless asked for */
    struct compile_text header;     /* the header; empty unless C was asked for */
    const char *const *included;    /* the names of the files read, in order, as 'reading' gave them */
    size_t included_count;
    void *memory; /* owns all of the above */
};

/* Compiles one program. Running out of memory is an error like any other: status MXC_ERRORS and a message. */
void compile(struct compile_result *result, const struct compile_options *options, const char *text, size_t length);
void compile_free(struct compile_result *result);

bool compile_knows_warning(const char *name);
const char *compile_explanation(const char *code); /* of --explain, or NULL */

#endif
