/* Values put together from elements of others: slices, stacks, Kronecker products, reshapes, triangles. */
#ifndef MX_GRAPH_ARRANGE_H
#define MX_GRAPH_ARRANGE_H

#include "value.h"

/* What is taken along an axis: size elements from begin on; of an index one, and the axis is gone. */
struct range {
    poly begin, size;
    bool index;
};

/* value[range, …], a range for each axis. Bounds are right, or checked when the function is called. */
struct value value_slice(struct graph *graph, struct value value, const struct range *ranges);
/* The values, seen as matrices (scalars 1x1, vectors columns), one below the other (axis 0) or side by side (axis 1);
 * they agree in the size of the other axis. A matrix. */
struct value value_stack(struct graph *graph, const struct value *values, uint32_t count, int axis);
/* The matrix of all a_ij b_kl at [i * rows of b + k, j * columns of b + l]. */
struct value value_kron(struct graph *graph, struct value a, struct value b);
/* The columns of a matrix below each other; a list as a vector. */
struct value value_vec(struct graph *graph, struct value value);
/* The elements in row-major order as a value of these sizes, which are as many. */
struct value value_reshape(struct graph *graph, struct value value, const poly *size, uint8_t rank);
/* The elements of a matrix on and below the diagonal (lower) or on and above it; 0 elsewhere. */
struct value value_triangle(struct graph *graph, struct value value, bool lower);
/* A matrix as one of this structure (bits of enum structure), which a gradient or tangent by such a matrix is: its
 * symmetric part, its diagonal, its triangle. */
struct value value_projected(struct graph *graph, uint8_t structure, struct value value);

#endif
