/* Sums of a product's factor: a nest that adds up rows or columns of an array that a product reads, too, becomes part
 * of the product, which adds them up where it has them near. */
#include "planning.h"

#include <string.h>

/* Kernels looked at for such a product. */
enum { KERNELS_LOOKED_AT = 16 };

static uint32_t base_read(const struct planning *p, const struct plan_statement *statement, size_t r) {
    return buffer_base(p->plan, statement->reads.at[r].buffer);
}

/* Is the statement the sum of nothing but the array, of as many loops as that has dimensions, in their order? */
static bool is_plain_sum(const struct planning *p, const struct plan_statement *statement, uint32_t array) {
    const struct node *node = graph_node(p->graph, statement->node);
    const struct buffer *buffer = &p->plan->buffers.at[array];
    if (node->kind != NODE_PRODUCT || node->count != 1 || node->number != 1 || !statement->reduces ||
        statement->scatters || statement->held != HELD_IN_MEMORY || statement->reads.len != 1 ||
        statement->reads.at[0].buffer != array || buffer->base)
        return false;
    const label *loop = statement->reads.at[0].loop;
    return loop[buffer->order[0]] == 0 && loop[buffer->order[1]] == 1;
}

/* Rows of the first factor, or columns of the second one, come in order: their sums are those of the nest. */
static bool sums_factor(const struct planning *p, const struct kernel *nest, const struct kernel *product,
                        const struct operand *factor) {
    const struct plan_statement *sum = &nest->statements.at[0];
    const uint32_t array = sparse_get(&p->plan->buffer_of, factor->node);
    const label line = factor == product->gemm.a ? product->gemm.m.inner : product->gemm.n.inner;
    return graph_node(p->graph, factor->node)->rank == 2 && is_plain_sum(p, sum, array) &&
           graph_node(p->graph, p->plan->buffers.at[sum->target].node)->rank == 1 &&
           gemm_label(p->plan, factor, sum->target_loop[0]) == line;
}

static const struct operand *summed_factor(const struct planning *p, const struct kernel *nest,
                                           const struct kernel *product) {
    if (product->kind != KERNEL_GEMM || product->gemm.summed || !gemm_has_tiles(p->graph, p->plan, product))
        return NULL;
    if (sums_factor(p, nest, product, product->gemm.a))
        return product->gemm.a;
    return sums_factor(p, nest, product, product->gemm.b) ? product->gemm.b : NULL;
}

static bool writes(const struct kernel *kernel, uint32_t buffer) {
    bool found = kernel->kind != KERNEL_LOOP && kernel->target == buffer;
    for (size_t s = 0; s < kernel->statements.len; s++)
        found = found || kernel->statements.at[s].target == buffer;
    return found;
}

static bool reads(const struct planning *p, const struct kernel *kernel, uint32_t buffer) {
    const struct node *node = graph_node(p->graph, kernel->node);
    bool found = false;
    for (uint32_t i = 0; i < kernel_reads(p->graph, kernel); i++)
        found = found || buffer_base(p->plan, sparse_get(&p->plan->buffer_of, node->operands[i].node)) == buffer;
    for (size_t s = 0; s < kernel->statements.len; s++)
        for (size_t r = 0; r < kernel->statements.at[s].reads.len; r++)
            found = found || base_read(p, &kernel->statements.at[s], r) == buffer;
    return found;
}

/* May the moved kernel as well come after the other one?  Arrays are read once they are complete, so that the other one
 * writes nothing that the moved one reads. */
static bool may_follow(const struct planning *p, const struct kernel *moved, const struct kernel *other) {
    bool may = moved->kind == KERNEL_LOOP || !(reads(p, other, moved->target) || writes(other, moved->target));
    for (size_t s = 0; s < moved->statements.len; s++) {
        const uint32_t target = moved->statements.at[s].target;
        may = may && !reads(p, other, target) && !writes(other, target);
    }
    return may;
}

/* The next product after nest k that the nest may as well become part of; NULL: none. */
static struct kernel *product_after(const struct planning *p, size_t k) {
    struct kernel *at = p->plan->kernels.at;
    for (size_t i = k + 1; i < p->plan->kernels.len && i - k <= KERNELS_LOOKED_AT; i++) {
        if (!may_follow(p, &at[k], &at[i]))
            return NULL;
        if (summed_factor(p, &at[k], &at[i]))
            return &at[i];
    }
    return NULL;
}

/* The last one of count kernels before the nest that may as well come in its place; NULL: none. */
static struct kernel *product_before(const struct planning *p, size_t count, const struct kernel *nest) {
    for (size_t k = count; k-- > 0 && count - k <= KERNELS_LOOKED_AT;) {
        struct kernel *product = &p->plan->kernels.at[k];
        bool moves = summed_factor(p, nest, product) && may_follow(p, product, nest);
        for (size_t i = k + 1; i < count && moves; i++)
            moves = may_follow(p, product, &p->plan->kernels.at[i]);
        if (moves)
            return product;
    }
    return NULL;
}

static void take_sum(struct planning *p, struct kernel *product, const struct kernel *nest) {
    product->gemm.summed = summed_factor(p, nest, product);
    vec_push(p->arena, &product->statements, nest->statements.at[0]);
}

/* To the end of count kernels. */
static void move_to_end(struct planning *p, struct kernel *product, size_t count) {
    const struct kernel moved = *product;
    const size_t after = count - 1 - (size_t)(product - p->plan->kernels.at);
    memmove(product, product + 1, after * sizeof *product);
    p->plan->kernels.at[count - 1] = moved;
}

void join_sums_of_factors(struct planning *p) {
    size_t count = 0;
    for (size_t k = 0; k < p->plan->kernels.len; k++) {
        const struct kernel nest = p->plan->kernels.at[k];
        const bool may_join = nest.kind == KERNEL_LOOP && nest.statements.len == 1;
        struct kernel *after = may_join ? product_after(p, k) : NULL;
        struct kernel *before = may_join && !after ? product_before(p, count, &nest) : NULL;
        if (after) {
            take_sum(p, after, &nest);
        } else if (before) {
            take_sum(p, before, &nest);
            move_to_end(p, before, count);
        } else {
            p->plan->kernels.at[count++] = nest;
        }
    }
    p->plan->kernels.len = count;
}
