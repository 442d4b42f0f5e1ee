/* The command line: words to a struct, and every complaint about them. */
#ifndef MX_OPTIONS_H
#define MX_OPTIONS_H

#include "base/text.h"
#include "base/vec.h"
#include "compile.h"
#include "manual.h"

enum action { ACTION_COMPILE, ACTION_EXPLAIN, ACTION_VERSION, ACTION_LANGUAGE, ACTION_HELP };

struct options {
    enum action action;
    const char *input;         /* "-": standard input */
    const char *output;        /* where the C or what --emit asked for goes; "-": standard output */
    const char *header;        /* NULL: written nowhere */
    const char *dependencies;  /* the dependency file, or NULL */
    VEC(const char *) targets; /* that it names, already in make's spelling */
    VEC(const char *) folders; /* of -I */
    const char *explain;       /* the code */
    enum manual_format help;   /* of --help (as text or for man) and --help-language */
    struct compile_options compile;
};

/* Reads the command line. False: it is wrong, and `complaint` says how, as a line for standard error. */
bool options_read(struct options *options, struct arena *arena, int argc, char *const *argv, struct text *complaint);
/* What --help prints, as text or as the man page mxc(1). */
void options_help(struct text *text, enum manual_format format);

/* A path as a make rule spells it. */
const char *make_spelling(struct arena *arena, const char *path);

#endif
