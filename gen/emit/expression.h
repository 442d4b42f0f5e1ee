/* Nodes as C expressions inside loop nests. */
#ifndef MX_EMIT_EXPRESSION_H
#define MX_EMIT_EXPRESSION_H

#include "signature.h"

/* What an expression needs to know of the function around it. */
struct body {
    const struct emission *e;
    struct signature *s;
    const char **buffer_name; /* by buffer */
    const char *loop_name[MAX_LABELS];
    const char *gemm_work;
    bool in_parts;
};

enum c_level { C_ADDITIVE, C_MULTIPLICATIVE, C_UNARY, C_PRIMARY };

/* An element of a buffer, each axis of its node at a loop: "A[i * n + j]", "*f", "t1". */
void c_element(struct text *out, const struct body *b, uint32_t buffer, const label *loop);
/* The node's expression with label l at loop loop_of[l]; its own buffer, if it has one, is not read (top). */
void c_expression(struct text *out, const struct body *b, node_id id, const label *loop_of, bool top,
                  enum c_level level);
/* The factors of a product: those without axes (scalars true), or those with, 1.0 where there are none. */
void c_product(struct text *out, const struct body *b, const struct node *node, const label *loop_of, double number,
               bool scalars, bool others);
/* "2.0", "0.5f", "-INFINITY". */
void c_number(struct text *out, const struct emission *e, double number);

#endif
