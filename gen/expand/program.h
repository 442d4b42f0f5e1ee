/* What the files of this folder work on: the files of a program, its statements in order, its functions.
 *
 *     expand.c     the machine that replaces calls
 *     copy.c       expressions written anew for one call
 *     resolve.c    what the names of functions, parameters and calls are; errors about them
 *     include.c    the files, and their statements in order */
#ifndef MX_EXPAND_PROGRAM_H
#define MX_EXPAND_PROGRAM_H

#include "../graph/ops.h"
#include "expand.h"

/* Of a node of a parsed file. */
struct node_fact {
    uint32_t def;     /* a call of this definition, or 0 */
    uint32_t ordinal; /* of a call: which of its statement's it is */
    uint32_t slot;    /* a name in a function: its parameter or local, counted from 1; 0: a name of the program */
    bool verbatim;    /* part of a size, an index or an option: not read as a value */
    bool function;    /* a function's name where a value should stand; an error was reported */
};

struct statement_fact {
    uint32_t first_call, call_count; /* in the file's calls */
    uint32_t slot;                   /* in a body: of the name that it assigns */
    bool dropped;                    /* an error was reported that makes it senseless */
};

struct call {
    ast_id id;
    const char *text; /* for messages that speak of what it gives; NULL: not needed yet */
};

struct file {
    const char *name;
    const struct ast *ast;
    struct node_fact *nodes;           /* by ast_id */
    struct statement_fact *statements; /* by index */
    VEC(struct call) calls;            /* of definitions, each statement's in order of their ids */
};

/* A statement by its file and its index there. */
struct origin {
    uint32_t file, statement;
};

/* A call in a body. */
struct edge {
    uint32_t file;
    ast_id call;
    uint32_t to;
};

struct definition {
    struct origin at;
    uint32_t slots;                  /* parameters, then locals */
    uint32_t first_edge, edge_count; /* in program->edges */
};

/* An identifier that matters here. */
struct word {
    const char *text;
    enum op op;
    uint32_t def;  /* the function that it names, or 0 */
    uint32_t slot; /* in the function that is being resolved */
    bool value;    /* the program declares or assigns it */
};

struct program {
    const struct expand_input *input;
    struct arena *arena;
    struct diags *diags;
    VEC(struct file) files;             /* at[0]: the program's own */
    VEC(struct origin) statements;      /* of the program in order; functions, their bodies and includes left out */
    VEC(struct definition) definitions; /* at[0] unused */
    VEC(struct edge) edges;
    VEC(struct word) words; /* at[0] unused */
    struct map word_index;
};

static inline const struct ast *origin_ast(const struct program *p, struct origin at) {
    return p->files.at[at.file].ast;
}
static inline const struct ast_statement *origin_statement(const struct program *p, struct origin at) {
    return &p->files.at[at.file].ast->statements.at[at.statement];
}
static inline const struct ast_statement *definition_statement(const struct program *p, uint32_t def) {
    return origin_statement(p, p->definitions.at[def].at);
}

/* "a -> b -> a", with the middle left out of a long one. */
const char *cycle_string(struct arena *arena, const char *const *names, size_t count);

/* Reads all files. False if one cannot be read, or has a syntax error. */
bool include_all(struct program *p, const struct ast *ast, struct included *included);
/* Finds what every name is. Calls that cannot be expanded are no calls of definitions afterwards, so that what is left
 * has no cycle. */
void resolve_all(struct program *p);

#endif
