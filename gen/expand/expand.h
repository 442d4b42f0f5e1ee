/* Between parser and checker: from the program's tree and the files that it includes to one tree without 'def' and
 * 'include'. Every call of a function is replaced by its body: arguments, the values that the body names and the result
 * become hidden assignments in front of the statement that calls, so that later stages see assignments only. */
#ifndef MX_EXPAND_EXPAND_H
#define MX_EXPAND_EXPAND_H

#include "../../grammar/ast.h"
#include "../base/reading.h"

struct expand_input {
    struct arena *arena;
    struct interner *interner;
    struct diags *diags;
    struct sources *sources;       /* the program's is there already; those of included files are added */
    const struct reading *reading; /* NULL: no file can be included */
};

struct included {
    VEC(const char *) names;
};

/* The tree of the whole program, which is `ast` itself where nothing is to be expanded; NULL if it cannot be checked
 * because a file is missing, has syntax errors, or expansion never ends. Calls that had an error stay as they are:
 * so does every call of a function that is unknown, which is told here. *included: the files read, in order. */
const struct ast *expand(const struct expand_input *input, const struct ast *ast, struct included *included);

#endif
