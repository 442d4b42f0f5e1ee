/* Where values live: in the body of one loop nest, in a variable, or in slots of the workspace shared by liveness. */
#include "planning.h"

enum { MAX_LOCALS = 128 };

int replaced_operand(const struct node *node) {
    enum op_shape shape = node->kind == NODE_MATRIX ? op_records[node->op].shape : SHAPE_NONE;
    return shape == SHAPE_SOLVE ? 1 : shape == SHAPE_PIVOTS ? 0 : -1;
}

bool kernel_calls(const struct graph *graph, const struct kernel *kernel) {
    if (kernel->kind != KERNEL_MATRIX)
        return kernel->kind == KERNEL_GEMM && !kernel->gemm.fixed;
    enum op_shape shape = op_records[graph_node(graph, kernel->node)->op].shape;
    return shape != SHAPE_OF_FACTOR && shape != SHAPE_PIVOTS;
}

uint32_t kernel_reads(const struct graph *graph, const struct kernel *kernel) {
    if (kernel->kind == KERNEL_LOOP)
        return 0;
    const struct node *node = graph_node(graph, kernel->node);
    return node->count - (replaced_operand(node) >= 0);
}

/* A pointer to each array, a variable for each value or accumulator; a call's four arrays. */
uint32_t kernel_variables(const struct kernel *kernel) {
    uint32_t variables = kernel->loops + (kernel->kind == KERNEL_LOOP ? 0u : 4u);
    for (size_t s = 0; s < kernel->statements.len; s++)
        variables += (uint32_t)kernel->statements.at[s].reads.len + 2;
    return variables;
}

bool share_place(const struct buffer *a, const struct buffer *b) {
    if (a->storage != b->storage || a->base || b->base)
        return false;
    if (a->storage == STORE_OUTPUT)
        return a->index == b->index;
    return (a->storage == STORE_WORK || a->storage == STORE_SAVED) && a->pool == b->pool && a->slot == b->slot;
}

static bool needs_parts(const struct plan *plan) {
    uint32_t variables = 0;
    for (size_t k = 0; k < plan->kernels.len; k++)
        variables += kernel_variables(&plan->kernels.at[k]);
    return variables > MOST_VARIABLES;
}

/* Values that nobody needs any more, by what can take their place. */
struct pools {
    struct planning *p;
    struct map pool_of; /* size in elements to pool + 1 */
    VEC(struct free_slots { VEC(uint32_t) slots; }) free;
    VEC(uint32_t) free_locals;
    VEC(VEC(uint32_t)) dying; /* by kernel: the buffers last used there */
};

static void touch(struct planning *p, uint32_t buffer, uint32_t kernel) {
    struct buffer *b = &p->plan->buffers.at[buffer_base(p->plan, buffer)];
    if (b->last == 0 && b->first == 0)
        b->first = kernel + 1;
    b->last = kernel + 1;
}

/* first and last are kernel numbers + 1. */
static void find_lifetimes(struct planning *p) {
    for (uint32_t k = 0; k < p->plan->kernels.len; k++) {
        const struct kernel *kernel = &p->plan->kernels.at[k];
        for (size_t s = 0; s < kernel->statements.len; s++) {
            const struct plan_statement *statement = &kernel->statements.at[s];
            for (size_t r = 0; r < statement->reads.len; r++)
                touch(p, statement->reads.at[r].buffer, k);
            touch(p, statement->target, k);
        }
        if (kernel->kind == KERNEL_LOOP)
            continue;
        touch(p, kernel->target, k);
        const struct node *node = graph_node(p->graph, kernel->node);
        for (uint32_t i = 0; i < kernel_reads(p->graph, kernel); i++) {
            uint32_t source = sparse_get(&p->plan->buffer_of, node->operands[i].node);
            if (source)
                touch(p, source, k);
        }
    }
}

static bool is_private(enum storage storage) {
    return storage == STORE_WORK || storage == STORE_LOCAL;
}

/* What is written and read in one nest only needs no array. A reduction is complete only after its loops. */
static void demote_to_temps(struct planning *p) {
    for (size_t k = 0; k < p->plan->kernels.len; k++) {
        const struct kernel *kernel = &p->plan->kernels.at[k];
        for (size_t s = 0; s < kernel->statements.len; s++) {
            struct buffer *target = &p->plan->buffers.at[kernel->statements.at[s].target];
            if (is_private(target->storage) && target->first == target->last && !kernel->statements.at[s].reduces &&
                kernel->statements.at[s].target != kernel->target) {
                target->storage = STORE_TEMP;
                target->index = p->plan->temps++;
            }
        }
    }
}

/* Does every dimension of the array run with the loop of the same number? */
static bool runs_with_loops(const struct planning *p, uint32_t buffer, const label *loop, label loops) {
    const struct buffer *b = &p->plan->buffers.at[buffer];
    uint8_t rank = graph_node(p->graph, b->node)->rank;
    for (uint8_t i = 0; i < rank; i++)
        if (loop[b->order[i]] != i)
            return false;
    return rank == loops;
}

/* Is the target of a product read by its epilogue, the nest, only where element after element of another array is made
 * of it, and never once that was written? That by statement s. */
static bool is_made_of_target(const struct planning *p, const struct kernel *kernel, const struct kernel *nest,
                              size_t s) {
    for (size_t t = 0; t < nest->statements.len; t++) {
        const struct plan_statement *statement = &nest->statements.at[t];
        for (size_t r = 0; r < statement->reads.len; r++)
            if (buffer_base(p->plan, statement->reads.at[r].buffer) == kernel->target &&
                (t > s || statement->reads.at[r].buffer != kernel->target ||
                 !runs_with_loops(p, kernel->target, statement->reads.at[r].loop, nest->loops)))
                return false;
    }
    return runs_with_loops(p, nest->statements.at[s].target, nest->statements.at[s].target_loop, nest->loops);
}

/* Products that are needed only for an output, or a saved value, which their epilogue makes of them, are computed in
 * its place. */
static void move_to_outputs(struct planning *p) {
    for (uint32_t k = 0; p->effort > 1 && k < p->plan->kernels.len; k++) {
        const struct kernel *kernel = &p->plan->kernels.at[k];
        struct buffer *target = &p->plan->buffers.at[kernel->target];
        if (!gemm_has_tiles(p->graph, p->plan, kernel) || target->storage != STORE_WORK || target->last != k + 1 ||
            p->plan->kernels.at[target->first - 1].kind != KERNEL_GEMM)
            continue;
        const struct kernel nest = gemm_epilogue(p->graph, p->plan, kernel);
        for (size_t s = 0; s < nest.statements.len; s++) {
            const struct buffer *made = &p->plan->buffers.at[nest.statements.at[s].target];
            if ((made->storage != STORE_OUTPUT && made->storage != STORE_SAVED) ||
                !is_made_of_target(p, kernel, &nest, s))
                continue;
            target->storage = made->storage;
            target->index = made->index;
            target->pool = made->pool;
            target->slot = made->slot;
            break;
        }
    }
}

void layout_append(struct arena *arena, struct layout *layout, struct buffer *buffer, poly elements) {
    uint32_t pool = 0;
    while (pool < layout->pools.len && layout->pools.at[pool].elements != elements)
        pool++;
    if (pool == layout->pools.len)
        vec_push(arena, &layout->pools, (struct pool){elements, 0});
    buffer->pool = pool;
    buffer->slot = layout->pools.at[pool].slots++;
}

static uint32_t pool_for(struct pools *pools, poly elements) {
    struct planning *p = pools->p;
    uint32_t *slot = map_at(&pools->pool_of, elements);
    if (!*slot) {
        vec_push(p->arena, &p->plan->work.pools, (struct pool){elements, 0});
        vec_push(p->arena, &pools->free, (struct free_slots){0});
        *slot = (uint32_t)p->plan->work.pools.len;
    }
    return *slot - 1;
}

static void give_slot(struct pools *pools, struct buffer *buffer) {
    struct planning *p = pools->p;
    buffer->pool = pool_for(pools, node_elements(p->graph, buffer->node));
    struct free_slots *free = &pools->free.at[buffer->pool];
    buffer->slot = free->slots.len ? vec_pop(&free->slots) : p->plan->work.pools.at[buffer->pool].slots++;
}

static void give_local(struct pools *pools, struct buffer *buffer) {
    struct plan *plan = pools->p->plan;
    if (pools->free_locals.len) {
        buffer->index = vec_pop(&pools->free_locals);
    } else if (!plan->in_parts && plan->locals < MAX_LOCALS) {
        buffer->index = plan->locals++;
    } else { /* a function's stack is bounded */
        buffer->storage = STORE_WORK;
        give_slot(pools, buffer);
    }
}

static void release(struct pools *pools, const struct buffer *buffer) {
    if (buffer->storage == STORE_LOCAL)
        vec_push(pools->p->arena, &pools->free_locals, buffer->index);
    else if (buffer->storage == STORE_WORK)
        vec_push(pools->p->arena, &pools->free.at[buffer->pool].slots, buffer->slot);
}

static void give(struct pools *pools, uint32_t kernel, uint32_t target) {
    struct buffer *buffer = &pools->p->plan->buffers.at[target];
    if (buffer->first != kernel + 1 || !is_private(buffer->storage))
        return;
    buffer->first = UINT32_MAX; /* given */
    if (buffer->storage == STORE_LOCAL)
        give_local(pools, buffer);
    else
        give_slot(pools, buffer);
}

/* Does the call of a kernel read the buffer, other than by the statements? */
static bool is_operand(const struct planning *p, const struct kernel *kernel, uint32_t buffer) {
    const struct node *node = graph_node(p->graph, kernel->node);
    for (uint32_t i = 0; i < kernel_reads(p->graph, kernel); i++)
        if (buffer_base(p->plan, sparse_get(&p->plan->buffer_of, node->operands[i].node)) == buffer)
            return true;
    return false;
}

/* May the only array that a nest makes take the place of one that it reads for the last time? Where each element is
 * read before the same element is written, and by no later statement. */
static bool in_place(const struct planning *p, const struct kernel *nest, uint32_t dying) {
    bool written = false;
    for (size_t s = 0; s < nest->statements.len; s++) {
        const struct plan_statement *statement = &nest->statements.at[s];
        for (size_t r = 0; r < statement->reads.len; r++)
            if (buffer_base(p->plan, statement->reads.at[r].buffer) == dying &&
                (written || statement->reads.at[r].buffer != dying ||
                 !runs_with_loops(p, dying, statement->reads.at[r].loop, nest->loops)))
                return false;
        if (p->plan->buffers.at[statement->target].storage != STORE_WORK ||
            (statement->reduces && statement->held == HELD_IN_MEMORY)) /* was made before */
            continue;
        if (written || statement->reduces ||
            !runs_with_loops(p, statement->target, statement->target_loop, nest->loops))
            return false;
        written = true;
    }
    return written;
}

static bool may_replace(const struct planning *p, const struct kernel *kernel, const struct kernel *nest,
                        uint32_t dying) {
    return p->plan->buffers.at[dying].storage == STORE_WORK && !is_operand(p, kernel, dying) &&
           in_place(p, nest, dying);
}

/* The buffer, used last in the kernel, whose place an array of its statements takes; 0: none. That of a product's
 * target before others: it is near. */
static uint32_t replaced_buffer(const struct pools *pools, uint32_t k) {
    const struct planning *p = pools->p;
    const struct kernel *kernel = &p->plan->kernels.at[k];
    const bool tiles = gemm_has_tiles(p->graph, p->plan, kernel);
    if (p->effort < 2 || (kernel->kind != KERNEL_LOOP && !tiles))
        return 0;
    const struct kernel nest = tiles ? gemm_epilogue(p->graph, p->plan, kernel) : *kernel;
    if (tiles && p->plan->buffers.at[kernel->target].last == k + 1 && may_replace(p, kernel, &nest, kernel->target))
        return kernel->target;
    for (size_t i = 0; i < pools->dying.at[k + 1].len; i++)
        if (may_replace(p, kernel, &nest, pools->dying.at[k + 1].at[i]))
            return pools->dying.at[k + 1].at[i];
    return 0;
}

static void list_dying(struct pools *pools) {
    struct planning *p = pools->p;
    for (size_t k = 0; k <= p->plan->kernels.len; k++)
        vec_push(p->arena, &pools->dying, (__typeof__(*pools->dying.at)){0});
    for (uint32_t b = 1; b < p->plan->buffers.len; b++)
        if (is_private(p->plan->buffers.at[b].storage))
            vec_push(p->arena, &pools->dying.at[p->plan->buffers.at[b].last], b);
}

static void assign_kernel(struct pools *pools, uint32_t k) {
    struct planning *p = pools->p;
    const struct kernel *kernel = &p->plan->kernels.at[k];
    const uint32_t reused = replaced_buffer(pools, k);
    if (kernel->kind != KERNEL_LOOP)
        give(pools, k, kernel->target);
    if (reused)
        release(pools, &p->plan->buffers.at[reused]);
    for (size_t s = 0; s < kernel->statements.len; s++)
        give(pools, k, kernel->statements.at[s].target);
    for (size_t i = 0; i < pools->dying.at[k + 1].len; i++)
        if (pools->dying.at[k + 1].at[i] != reused)
            release(pools, &p->plan->buffers.at[pools->dying.at[k + 1].at[i]]);
}

/* A copy of an array whose place its target takes moves nothing. */
static bool is_idle(const struct planning *p, const struct plan_statement *statement) {
    const struct buffer *to = &p->plan->buffers.at[statement->target];
    return statement->copy && share_place(&p->plan->buffers.at[statement->reads.at[0].buffer], to);
}

/* The next product that adds to the copy's target adds to what was copied. */
static void tell_product(struct planning *p, const struct plan_statement *copy, size_t from) {
    for (size_t k = from; k < p->plan->kernels.len; k++) {
        struct kernel *kernel = &p->plan->kernels.at[k];
        if (kernel->kind != KERNEL_GEMM || kernel->target != copy->target)
            continue;
        kernel->before = copy->reads.at[0].buffer;
        return;
    }
}

static void drop_idle_copies(struct planning *p) {
    size_t kept = 0;
    for (size_t k = 0; k < p->plan->kernels.len; k++) {
        struct kernel kernel = p->plan->kernels.at[k];
        size_t statements = 0;
        for (size_t s = 0; s < kernel.statements.len; s++)
            if (is_idle(p, &kernel.statements.at[s]))
                tell_product(p, &kernel.statements.at[s], k + 1);
            else
                kernel.statements.at[statements++] = kernel.statements.at[s];
        kernel.statements.len = statements;
        if (kernel.kind != KERNEL_LOOP || statements)
            p->plan->kernels.at[kept++] = kernel;
    }
    p->plan->kernels.len = kept;
}

void assign_memory(struct planning *p) {
    struct pools pools = {.p = p, .pool_of = {.arena = p->arena}};
    p->plan->in_parts = needs_parts(p->plan);
    find_lifetimes(p);
    demote_to_temps(p);
    move_to_outputs(p);
    list_dying(&pools);
    for (uint32_t k = 0; k < p->plan->kernels.len; k++)
        assign_kernel(&pools, k);
    drop_idle_copies(p);
}
