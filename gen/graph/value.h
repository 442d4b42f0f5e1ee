/* Operations on values as linear algebra and NumPy write them, each one index expression. */
#ifndef MX_GRAPH_VALUE_H
#define MX_GRAPH_VALUE_H

#include "graph.h"

/* Elementwise, broadcast along the last axes; a size that is literally 1 (AXIS_UNIT) stretches. */
struct value value_add(struct graph *graph, const struct value *terms, const double *coefficients, uint32_t count);
struct value value_multiply(struct graph *graph, double number, const struct value *factors, uint32_t count);
struct value value_map(struct graph *graph, enum op op, const struct value *arguments, uint32_t count);

/* op of matrices (KIND_MATRIX), which are square where they are operands of inv, det and their like. */
struct value value_matrix(struct graph *graph, enum op op, const struct value *arguments, uint32_t count);

struct value value_transpose(struct value value);
/* "ij,jk->ik": a product by pattern; a letter twice in the result is a diagonal. */
struct value value_einsum(struct graph *graph, const char *pattern, const struct value *factors, uint32_t count);
struct value value_matmul(struct graph *graph, struct value a, struct value b);

/* Over the axes of the value whose bits are set; kept axes are of size 1. op OP_sum is the sum. */
struct value value_reduce(struct graph *graph, enum op op, struct value value, uint32_t axes, bool keep);
struct value value_along(struct graph *graph, enum op op, struct value value, uint32_t axes);
/* Do those axes have one element in all? */
bool value_is_single(struct value value, uint32_t axes);
/* The value without those axes, which are of size 1, or with them if they are kept. */
struct value value_squeeze(struct value value, uint32_t axes, bool keep);
/* The number of elements along those axes. */
poly value_count(const struct graph *graph, struct value value, uint32_t axes);

/* The size of an axis of the value: 1 where it is AXIS_UNIT. */
poly value_size(const struct graph *graph, struct value value, uint8_t axis);
struct value value_number(struct graph *graph, double number);
/* A value of these sizes made by its node, whose axes are the sizes that are not 1; sizes are of type's. */
struct value value_over(struct graph *graph, node_id node, const poly *size, uint8_t rank, bool row);
/* A new input of a value's shape, with its axes in the order in which that one is read. */
struct value value_fresh_input(struct graph *graph, const char *name, struct value like);
/* The sum of the elementwise product of two values of one shape: a scalar. */
struct value value_inner(struct graph *graph, struct value a, struct value b);
/* The sizes that are not literally 1; returns how many. */
uint8_t sizes_not_one(const struct graph *graph, const poly *size, uint8_t rank, poly *kept);

#endif
