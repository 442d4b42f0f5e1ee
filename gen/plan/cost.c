/* What a function costs: operations as the C text has them (emit/expression.c and kernels.c write it), and elements
 * that move between memory and its kernels. */
#include "order.h"
#include "planning.h"

void add_flops(struct planning *p, poly count, uint64_t each) {
    poly flops = poly_mul(p->graph->polys, count, poly_number(p->graph->polys, (int64_t)each));
    poly_sum_add(&p->flops, p->graph->polys, flops);
}

static bool is_sign(double number) {
    return number == 1 || number == -1;
}

static bool stands_inline(const struct planning *p, node_id id) {
    return class_of(p->graph, id) == CLASS_POINTWISE && !sparse_get(&p->plan->buffer_of, id);
}

static uint32_t expression_flops(const struct planning *p, node_id id);

static uint32_t inline_flops(const struct planning *p, node_id id) {
    return stands_inline(p, id) ? expression_flops(p, id) : 0;
}

/* A product divides by x where a factor is 1/x and written there. */
static bool is_divisor(const struct planning *p, node_id id) {
    const struct node *node = graph_node(p->graph, id);
    return node->kind == NODE_MAP && node->op == OP_reciprocal && stands_inline(p, id);
}

/* Deltas, selectors and triangles are conditions, under which the rest counts as if they always held. */
static bool is_condition(const struct planning *p, node_id id) {
    enum node_kind kind = graph_node(p->graph, id)->kind;
    return kind == NODE_DELTA || kind == NODE_SELECT || kind == NODE_LOWER;
}

/* number times the factors without axes, those with axes, or both: one operation less than there are items, and one
 * more where only divisors are left, for 1/x. */
static uint32_t product_flops(const struct planning *p, const struct node *node, double number, bool scalars,
                              bool others) {
    uint32_t above = !is_sign(number), below = 0, flops = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        node_id factor = node->operands[i].node;
        if (!(graph_node(p->graph, factor)->rank == 0 ? scalars : others) || is_condition(p, factor))
            continue;
        bool divisor = is_divisor(p, factor);
        flops += inline_flops(p, divisor ? graph_node(p->graph, factor)->operands[0].node : factor);
        above += !divisor;
        below += divisor;
    }
    return flops + below + (above ? above - 1 : 0);
}

static uint32_t sum_flops(const struct planning *p, const struct node *node) {
    uint32_t flops = node->count ? node->count - 1 : 0;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *term = &node->operands[i];
        bool folded = graph_node(p->graph, term->node)->kind == NODE_NUMBER;
        flops += (!folded && !is_sign(term->coefficient)) + inline_flops(p, term->node);
    }
    return flops;
}

/* Depth is bounded: choose.c bounds what may stand inline. */
static uint32_t expression_flops(const struct planning *p, node_id id) {
    const struct node *node = graph_node(p->graph, id);
    if (node->kind == NODE_PRODUCT)
        return product_flops(p, node, node->number, true, true);
    if (node->kind == NODE_SUM)
        return sum_flops(p, node);
    uint32_t flops = node->kind == NODE_MAP;
    for (uint32_t i = 0; i < node->count; i++)
        flops += inline_flops(p, node->operands[i].node);
    return flops;
}

void count_expression(struct planning *p, node_id id, poly times) {
    add_flops(p, times, expression_flops(p, id));
}

poly iterations(const struct planning *p, const poly *size, label loops) {
    poly product = poly_number(p->graph->polys, 1);
    for (label i = 0; i < loops; i++)
        product = poly_mul(p->graph->polys, product, size[i]);
    return product;
}

bool has_scalar_factors(const struct graph *graph, const struct node *product) {
    for (uint32_t i = 0; i < product->count; i++)
        if (graph_node(graph, product->operands[i].node)->rank == 0)
            return true;
    return false;
}

/* Held in variables: each loop has an accumulator, which goes into the one around it; what the terms share multiplies
 * the total. */
static void count_held(struct planning *p, const struct plan_statement *statement, const poly *size, label loops) {
    const struct node *node = graph_node(p->graph, statement->node);
    bool product = node->kind == NODE_PRODUCT;
    double number = product ? node->number * statement->coefficient : 1;
    uint32_t each = product ? product_flops(p, node, 1, false, true) : expression_flops(p, statement->node);
    uint32_t shared = product && (number != 1 || node->number != 1 || has_scalar_factors(p->graph, node)) ? 1 : 0;
    add_flops(p, iterations(p, size, loops), each + 1);
    for (label loop = (label)(statement->held + 1); loop < loops; loop++)
        add_flops(p, iterations(p, size, loop), 1);
    shared += shared ? product_flops(p, node, number, true, false) : 0;
    add_flops(p, iterations(p, size, statement->held), shared + statement->adds);
}

void count_statement(struct planning *p, const struct plan_statement *statement, const poly *size, label loops) {
    const struct node *node = graph_node(p->graph, statement->node);
    bool in_memory = statement->held == HELD_IN_MEMORY;
    if (statement->reduces && !in_memory && statement->held < loops) {
        count_held(p, statement, size, loops);
        return;
    }
    uint32_t each = node->kind == NODE_PRODUCT
                        ? product_flops(p, node, node->number * statement->coefficient, true, true)
                        : expression_flops(p, statement->node);
    add_flops(p, iterations(p, size, loops), each + (statement->adds || (statement->reduces && in_memory)));
}

void count_product(struct planning *p, const struct kernel *kernel) {
    const struct node *node = graph_node(p->graph, kernel->node);
    double number = node->number * kernel->coefficient;
    bool scalars = has_scalar_factors(p->graph, node);
    add_flops(p, iterations(p, node->size, node->labels), 2);
    uint32_t each = scalars || !is_sign(number);
    poly written = poly_mul(p->graph->polys, node_elements(p->graph, kernel->node), gemm_passes(p->graph, kernel));
    add_flops(p, written, each + kernel->accumulate);
    add_flops(p, poly_number(p->graph->polys, 1), product_flops(p, node, number, true, false));
}

/* ---- Elements moved ------------------------------------------------------------------------------------------------
 */

/* Registers are no memory, and scalar arguments come by value. */
static bool in_memory(const struct planning *p, uint32_t index) {
    const struct buffer *buffer = &p->plan->buffers.at[index];
    bool by_value = buffer->storage == STORE_INPUT && p->function->inputs.at[buffer->index].rank == 0;
    return index && !by_value && buffer->storage != STORE_LOCAL && buffer->storage != STORE_TEMP;
}

/* How often each array of a kernel is read at how many elements: once, by its widest access. */
struct access {
    uint32_t buffer;
    label width;
    poly elements;
};
struct accesses {
    VEC(struct access) list;
};

/* The elements that indices at these labels reach: A[i, i] n of them. Where an index follows from loops, as many as the
 * loops say, at most all. */
static struct access reach(const struct planning *p, uint32_t buffer, const label *at, const poly *size, label loops) {
    struct access access = {buffer, 0, poly_number(p->graph->polys, 1)};
    node_id id = p->plan->buffers.at[buffer].node;
    poly places = iterations(p, size, loops), all = node_elements(p->graph, id);
    uint64_t seen = 0;
    for (uint8_t a = 0; a < graph_node(p->graph, id)->rank; a++) {
        if (at[a] == LOOP_DERIVED)
            return (struct access){buffer, graph_node(p->graph, id)->rank,
                                   nominal(p->graph->polys, places) < nominal(p->graph->polys, all) ? places : all};
        if (seen >> at[a] & 1)
            continue;
        seen |= (uint64_t)1 << at[a];
        access.width++;
        access.elements = poly_mul(p->graph->polys, access.elements, size[at[a]]);
    }
    return access;
}

static void note_read(struct planning *p, struct accesses *reads, uint32_t buffer, const label *at, const poly *size,
                      label loops) {
    if (!in_memory(p, buffer))
        return;
    struct access access = reach(p, buffer, at, size, loops);
    for (size_t i = 0; i < reads->list.len; i++) {
        struct access *known = &reads->list.at[i];
        if (known->buffer != buffer)
            continue;
        if (known->width < access.width)
            *known = access;
        return;
    }
    vec_push(p->arena, &reads->list, access);
}

static void note_write(struct planning *p, struct poly_sum *moved, uint32_t buffer, poly elements, bool reads_too) {
    int64_t times = reads_too ? 2 : 1;
    if (in_memory(p, buffer))
        poly_sum_add(moved, p->graph->polys, poly_mul(p->graph->polys, elements, poly_number(p->graph->polys, times)));
}

/* What was made just before, 0 for nothing, is still near. */
static void nest_traffic(struct planning *p, const struct kernel *nest, uint32_t made, struct accesses *reads,
                         struct poly_sum *moved) {
    for (size_t s = 0; s < nest->statements.len; s++) {
        const struct plan_statement *statement = &nest->statements.at[s];
        for (size_t r = 0; r < statement->reads.len; r++)
            if (statement->reads.at[r].buffer != made)
                note_read(p, reads, statement->reads.at[r].buffer, statement->reads.at[r].loop, nest->size,
                          nest->loops);
        if (made && share_place(&p->plan->buffers.at[statement->target], &p->plan->buffers.at[made]))
            continue;
        poly elements = statement->scatters ? iterations(p, nest->size, statement->held)
                                            : node_elements(p->graph, p->plan->buffers.at[statement->target].node);
        note_write(p, moved, statement->target, elements, statement->held == HELD_IN_MEMORY || statement->adds);
    }
}

/* starts_near: what it adds to was made just before. */
static void call_traffic(struct planning *p, const struct kernel *call, bool starts_near, struct accesses *reads,
                         struct poly_sum *moved) {
    const struct node *node = graph_node(p->graph, call->node);
    for (uint32_t i = 0; i < kernel_reads(p->graph, call); i++)
        note_read(p, reads, sparse_get(&p->plan->buffer_of, node->operands[i].node), node->operands[i].at, node->size,
                  node->labels);
    bool in_place = call->kind == KERNEL_MATRIX && op_records[node->op].shape == SHAPE_SOLVE;
    note_write(p, moved, call->target, node_elements(p->graph, p->plan->buffers.at[call->target].node),
               in_place || (call->accumulate && !starts_near));
}

static void kernel_traffic(struct planning *p, const struct kernel *kernel, struct accesses *reads,
                           struct poly_sum *moved) {
    if (!gemm_has_tiles(p->graph, p->plan, kernel)) {
        if (kernel->kind != KERNEL_LOOP)
            call_traffic(p, kernel, false, reads, moved);
        nest_traffic(p, kernel, 0, reads, moved);
        return;
    }
    const struct kernel prologue = gemm_prologue(p->graph, p->plan, kernel);
    const struct kernel epilogue = gemm_epilogue(p->graph, p->plan, kernel);
    const struct kernel sums = gemm_sums(p->graph, p->plan, kernel);
    nest_traffic(p, &sums, 0, reads, moved);
    nest_traffic(p, &prologue, kernel->target, reads, moved);
    call_traffic(p, kernel, prologue.statements.len, reads, moved);
    nest_traffic(p, &epilogue, kernel->target, reads, moved);
}

void count_traffic(struct planning *p) {
    struct poly_sum moved = {0};
    for (size_t k = 0; k < p->plan->kernels.len; k++) {
        const struct kernel *kernel = &p->plan->kernels.at[k];
        struct accesses reads = {0};
        kernel_traffic(p, kernel, &reads, &moved);
        for (size_t i = 0; i < reads.list.len; i++)
            poly_sum_add(&moved, p->graph->polys, reads.list.at[i].elements);
    }
    p->plan->traffic = poly_sum_total(&moved, p->graph->polys);
    for (node_id id = 1; id < p->nodes; id++)
        p->plan->nodes += p->needed[id];
}
