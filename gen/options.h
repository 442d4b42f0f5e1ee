/* The command line: words to a struct, and every complaint about them. */
#ifndef MX_OPTIONS_H
#define MX_OPTIONS_H

#include "base/text.h"
#include "base/vec.h"
#include "compile.h"

enum action { ACTION_COMPILE, ACTION_EXPLAIN, ACTION_VERSION, ACTION_HELP };

struct options {
    enum action action;
    const char *input;         /* "-": standard input */
    const char *output;        /* where the C or what --emit asked for goes; "-": standard output */
    const char *header;        /* NULL: written nowhere */
    const char *dependencies;  /* the dependency file, or NULL */
    VEC(const char *) targets; /* that it names, already in make's spelling */
    VEC(const char *) folders; /* of -I */
    const char *explain;       /* the code */
    struct compile_options compile;
};

/* Reads the command line. False: it is wrong, and `complaint` says how, as a line for standard error. */
bool options_read(struct options *options, struct arena *arena, int argc, char *const *argv, struct text *complaint);
/* What --help prints. */
void options_help(struct text *text);

/* A path as a make rule spells it. */
const char *make_spelling(struct arena *arena, const char *path);

#endif
