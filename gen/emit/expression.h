/* Nodes as C expressions inside loop nests. */
#ifndef MX_EMIT_EXPRESSION_H
#define MX_EMIT_EXPRESSION_H

#include "signature.h"

struct tiles;

/* What an expression needs to know of the function around it. */
struct body {
    const struct emission *e;
    struct signature *s;
    const char **buffer_name; /* by buffer */
    const char **loop_name;   /* by loop; behind the loops what follows from them is named, see c_name_derived */
    label *names;             /* how many */
    const char **word;        /* tiles.c: names in functions for tiles; by kernel: what is done with them */
    struct tiles **tiles;
    bool in_tile; /* loops go through a tile only */
    const char *gemm_work;
    bool in_parts;
    uint32_t part;        /* the one that is printed */
    uint32_t *pointer_of; /* by buffer: the part that has declared its pointer last; NULL: not in parts */
    bool measures;        /* sizes of a workspace are printed: what a slice with wrong bounds has is 0 */
};

enum c_level { C_ADDITIVE, C_MULTIPLICATIVE, C_UNARY, C_PRIMARY };

enum { MOST_NAMES = 250 };

/* Gives labels that follow from others (their loop is LOOP_DERIVED) a name of their own, which is the expression for
 * them: loop_of[0 … labels-1] of the node are loops then. b->names goes back when they are not needed any more. */
void c_name_derived(const struct body *b, node_id id, bool scatter, label *loop_of);

/* An element of a buffer, each axis of its node at a loop: "A[i * n + j]", "*f", "t1". */
void c_element(struct text *out, const struct body *b, uint32_t buffer, const label *loop);
/* The node's expression with label l at loop loop_of[l]; its own buffer, if it has one, is not read (top). */
void c_expression(struct text *out, const struct body *b, node_id id, const label *loop_of, bool top,
                  enum c_level level);
/* The factors of a product: those without axes (scalars true), or those with, 1.0 where there are none; where deltas
 * and selectors among them do not hold, 0.0, and nothing is read. */
void c_product(struct text *out, const struct body *b, const struct node *node, const label *loop_of, double number,
               bool scalars, bool others);
/* "2.0", "0.5f", "-INFINITY". */
void c_number(struct text *out, const struct emission *e, double number);

#endif
