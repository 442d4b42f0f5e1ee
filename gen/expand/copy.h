/* Expressions of parsed files written into the expanded tree. */
#ifndef MX_EXPAND_COPY_H
#define MX_EXPAND_COPY_H

#include "program.h"

#include <string.h>

/* A call that is being replaced, or a statement of the program. */
struct frame {
    uint32_t def;       /* 0: the program's statement */
    uint32_t file;      /* whose text it is */
    uint32_t statement; /* in work: an assignment, or the 'def' for what it returns */
    uint32_t next_call; /* of the statement's calls */
    ast_id call;        /* what is replaced, in the caller's file */
    uint32_t expansion; /* in the expanded tree */
    const char **names; /* by slot: what parameters and locals are called here; NULL: not assigned yet, and reported */
    const char **results; /* by ordinal: what the statement's calls gave */
};

/* What is still to be written, the next on top. */
struct copy_item {
    ast_id id;
    bool done;        /* its operands are written */
    bool expanded;    /* it is a node of the expanded tree itself */
    struct span span; /* expanded: where it is put */
};

struct copier {
    const struct program *program;
    struct ast *out;
    struct map value_of; /* by hidden name: the expression that it stands for */
    uint32_t made, most; /* nodes that expressions were written with; past the most they are left unfinished */
    VEC(struct copy_item) stack;
    VEC(ast_id) written; /* operands waiting for what they are operands of */
};

void copier_init(struct copier *copier, const struct program *program, struct ast *out, uint32_t most);
/* An expression of the frame's statement: its names replaced, its calls by their results. */
ast_id copy_expression(struct copier *copier, const struct frame *frame, ast_id id);
void copy_note_value(struct copier *copier, const char *hidden, ast_id value);

/* All nodes of a statement, as they are. */
void copy_range(struct copier *copier, const struct file *file, ast_id begin, ast_id end);
/* A list of children whose ids move by `shift`; where it is now. */
uint32_t copy_children(struct ast *out, const struct ast *from, uint32_t first, uint32_t count, ast_id shift);

#endif
