/* One kernel of a plan as C statements. */
#ifndef MX_EMIT_KERNELS_H
#define MX_EMIT_KERNELS_H

#include "expression.h"

/* Under its formula, in a block of its own where it declares something. */
void print_kernel(struct text *out, const struct body *b, const struct kernel *kernel);
/* The arrays and variables that it touches, each once. */
uint32_t *kernel_buffers(const struct body *b, const struct kernel *kernel, uint32_t *count);
/* "m, n, k" of a product, as its call has them. */
void print_gemm_sizes(struct text *out, const struct body *b, const struct kernel *kernel);
/* "MX_PAD_F64(m * n)": elements, rounded up to cache lines. */
void print_padded(struct text *out, const struct body *b, poly elements);
void indent(struct text *out, int depth);

/* Places of a function in parts, in its table: those of the workspace, that of the product's workspace, those of saved.
 */
uint32_t body_work_places(const struct signature *s);

#endif
