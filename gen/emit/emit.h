/* What is written from a planned module. */
#ifndef MX_EMIT_EMIT_H
#define MX_EMIT_EMIT_H

#include "../../runtime/mxrt.h" /* the version of the ABI that the C is made for */
#include "../plan/plan.h"

struct emission {
    struct arena *arena;
    struct interner *interner;
    struct graph *graph;
    const struct sources *sources;
    const struct module *module;
    struct plan **plans;
    const char *version; /* of mxc */
    const char *source;  /* base name of the .mx file */
    const char *header;  /* base name of the header */
    const char *spelled; /* options that shape the output, "" if none */
    bool f32, reflect;
};

void emit_c(struct text *out, const struct emission *e);
void emit_header(struct text *out, const struct emission *e);
void emit_json(struct text *out, const struct emission *e);
/* A few lines a function: flops, bytes moved, memory, nodes and kernels. */
void emit_stats(struct text *out, const struct emission *e);
void emit_derivation(struct text *out, const struct emission *e);
/* The nodes that the functions' values need. */
void emit_graph(struct text *out, const struct emission *e);

#endif
