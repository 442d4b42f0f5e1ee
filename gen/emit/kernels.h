/* One kernel of a plan as C statements. */
#ifndef MX_EMIT_KERNELS_H
#define MX_EMIT_KERNELS_H

#include "expression.h"

/* Under its formula, in a block of its own where it declares something. */
void print_kernel(struct text *out, const struct body *b, const struct kernel *kernel);
/* Declares the pointers that it needs; in a function in parts those that its part has not declared yet, for all of the
 * part (b->pointer_of). */
void print_pointers(struct text *out, const struct body *b, const struct kernel *kernel, int depth);
/* The arrays and variables that it touches, each once. */
uint32_t *kernel_buffers(const struct body *b, const struct kernel *kernel, uint32_t *count);
/* A size of a call, as its function has it or as the workspace's size does. */
void print_call_size(struct text *out, const struct body *b, poly size);
/* "m, n, k" of a product, as its call has them. */
void print_gemm_sizes(struct text *out, const struct body *b, const struct kernel *kernel);
/* matrix.c: a call of the runtime that factors or solves, and the bytes of work that it needs (false: none). */
void print_matrix_call(struct text *out, const struct body *b, const struct kernel *kernel, int depth);
bool print_matrix_worksize(struct text *out, const struct body *b, const struct kernel *kernel);
/* Where a buffer's elements begin: "A", of a view "A + 2 * n". */
void print_start(struct text *out, const struct body *b, uint32_t buffer);
/* The distance in memory of neighbours along an axis of a buffer's node, 1 for AXIS_UNIT: as ptrdiff_t. */
void print_stride(struct text *out, const struct body *b, uint32_t buffer, label axis);
/* "MX_PAD_F64(m * n)": elements, rounded up to cache lines. */
void print_padded(struct text *out, const struct body *b, poly elements);
void indent(struct text *out, int depth);

/* A nest whose two loops go through a tile only, see tiles.c. */
void print_tiles(struct text *out, const struct body *b, const struct kernel *nest, int depth);

/* tiles.c: the functions for what is done with the tiles of products, and the structs with what they need. */
void print_tile_functions(struct text *out, struct body *b);
bool is_fused(const struct kernel *kernel); /* is something done with its tiles, or summed up? */
/* Must the pointer be given to such a function, or to sums? */
bool tiles_take(const struct body *b, const struct kernel *kernel, uint32_t buffer);
/* What the product's call is told of them: declared before it, and the argument behind the others. */
void declare_hooks(struct text *out, const struct body *b, const struct kernel *kernel, int depth);
void print_hooks_argument(struct text *out, const struct body *b);
/* "for (size_t i = row; i < row + rows; i++)" */
void print_tile_bounds(struct text *out, const struct body *b, label loop);

/* Places of a function in parts, in its table: those of the workspace, that of the product's workspace, those of saved.
 */
uint32_t body_work_places(const struct signature *s);

#endif
