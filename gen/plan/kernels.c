/* Kernels, in order: products become calls, everything else loop nests; a nest takes in what may run in its loops. */
#include "order.h"
#include "planning.h"

#include <string.h>

/* A nest's temporaries stand on the C stack, which is bounded. */
enum { NESTS_LOOKED_BACK = 8, MOST_STATEMENTS = 32 };

/* Kernels of a function from which on products take no tiles: each brings functions, which make the C long. */
enum { MOST_TILED = 1000 };

poly node_elements(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    poly product = poly_number(graph->polys, 1);
    for (uint8_t a = 0; a < node->rank; a++)
        product = poly_mul(graph->polys, product, node->size[a]);
    return product;
}

poly buffer_stride(const struct graph *graph, const struct buffer *buffer, label axis) {
    const struct node *node = graph_node(graph, buffer->node);
    poly stride = poly_number(graph->polys, 1);
    if (buffer->base)
        return buffer->stride[axis];
    for (uint8_t i = node->rank; i-- > 0 && buffer->order[i] != axis;)
        stride = poly_mul(graph->polys, stride, node->size[buffer->order[i]]);
    return stride;
}

static uint32_t add_buffer(struct planning *p, struct buffer buffer) {
    vec_push(p->arena, &p->plan->buffers, buffer);
    return (uint32_t)(p->plan->buffers.len - 1);
}

static uint32_t ready_at(const struct planning *p, uint32_t buffer) {
    buffer = buffer_base(p->plan, buffer);
    return buffer < p->ready_size ? p->ready[buffer] : 0;
}

static void set_ready(struct planning *p, uint32_t buffer, uint32_t kernel) {
    if (buffer >= p->ready_size) {
        uint32_t size = p->ready_size ? p->ready_size * 2 : 64;
        while (size <= buffer)
            size *= 2;
        uint32_t *more = NEW_ARRAY(p->arena, size, uint32_t);
        if (p->ready_size)
            memcpy(more, p->ready, p->ready_size * sizeof *more);
        p->ready = more;
        p->ready_size = size;
    }
    p->ready[buffer] = kernel + 1;
}

uint32_t source_of(struct planning *p, node_id id) {
    uint32_t *slot = sparse_at(&p->plan->buffer_of, id);
    if (!*slot && graph_node(p->graph, id)->kind == NODE_INPUT) {
        struct buffer buffer = {.node = id, .storage = STORE_INPUT, .index = sparse_get(&p->input_of, id) - 1};
        for (label a = 0; a < MAX_RANK; a++)
            buffer.order[a] = a;
        p->plan->reads[buffer.index] = true;
        *slot = add_buffer(p, buffer);
    }
    return *slot;
}

static void collect_reads(struct planning *p, struct plan_statement *statement, node_id id, const label *loop_of);

/* What stands inline has loops for its axes; its other labels follow from them. */
static void collect_inline_reads(struct planning *p, struct plan_statement *statement, node_id id, const label *loop) {
    label loop_of[MAX_LABELS];
    memset(loop_of, LOOP_DERIVED, sizeof loop_of);
    memcpy(loop_of, loop, graph_node(p->graph, id)->rank);
    collect_reads(p, statement, id, loop_of);
}

/* What a statement reads: all buffers under the node, each axis at its loop. */
static void collect_reads(struct planning *p, struct plan_statement *statement, node_id id, const label *loop_of) {
    const struct node *node = graph_node(p->graph, id);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        struct read read = {0};
        for (uint8_t a = 0; a < graph_node(p->graph, operand->node)->rank; a++)
            read.loop[a] = loop_of[operand->at[a]];
        read.buffer = source_of(p, operand->node);
        if (read.buffer)
            vec_push(p->arena, &statement->reads, read);
        else
            collect_inline_reads(p, statement, operand->node, read.loop);
    }
}

static void find_reads(struct planning *p, struct plan_statement *statement) {
    statement->reads.len = 0;
    if (statement->copy) {
        struct read read = {.buffer = source_of(p, statement->node)};
        memcpy(read.loop, statement->loop_of, sizeof read.loop);
        vec_push(p->arena, &statement->reads, read);
    } else {
        collect_reads(p, statement, statement->node, statement->loop_of);
    }
}

static bool reads_aligned(const struct planning *p, const struct read *read, const struct plan_statement *writer) {
    uint8_t rank = graph_node(p->graph, p->plan->buffers.at[read->buffer].node)->rank;
    return memchr(read->loop, LOOP_DERIVED, rank) == NULL && memcmp(read->loop, writer->target_loop, rank) == 0;
}

/* Is it there when the body of a nest gets to the place where it is read, as far as this writer goes? */
static bool is_written(const struct planning *p, const struct read *read, const struct plan_statement *writer) {
    return writer->target != buffer_base(p->plan, read->buffer) ||
           (!writer->reduces && !p->plan->buffers.at[read->buffer].base && reads_aligned(p, read, writer));
}

/* The product whose tiles the nest goes through, as what writes its target. */
static struct plan_statement product_of(const struct planning *p, const struct kernel *nest) {
    struct plan_statement product = {.target = nest->kind == KERNEL_GEMM ? nest->target : 0};
    const struct buffer *target = &p->plan->buffers.at[product.target];
    for (label l = 0; product.target && l < graph_node(p->graph, target->node)->rank; l++)
        product.target_loop[target->order[l]] = l;
    return product;
}

static bool is_ready(const struct planning *p, const struct kernel *nest, uint32_t position, const struct read *read) {
    const struct plan_statement product = product_of(p, nest);
    if (ready_at(p, read->buffer) > position + 1)
        return false;
    if (ready_at(p, read->buffer) <= position)
        return true;
    for (size_t s = 0; s < nest->statements.len; s++)
        if (!is_written(p, read, &nest->statements.at[s]))
            return false;
    return is_written(p, read, &product);
}

/* Does the last kernel no more than set the target, from nothing, so that it may as well come before the product? */
static bool is_set_last(const struct planning *p, const struct kernel *product, uint32_t target) {
    const struct kernel *last = &vec_last(&p->plan->kernels);
    return product->kind == KERNEL_GEMM && last->kind == KERNEL_LOOP && last->statements.len == 1 &&
           last->statements.at[0].target == target && !last->statements.at[0].reads.len;
}

/* May the statement run in the body of an earlier nest? It may read what the nest writes only at the same place. */
static bool fits(const struct planning *p, uint32_t position, const struct plan_statement *statement) {
    const struct kernel *nest = &p->plan->kernels.at[position];
    for (size_t r = 0; r < statement->reads.len; r++)
        if (!is_ready(p, nest, position, &statement->reads.at[r]))
            return false;
    return ready_at(p, statement->target) <= position || is_set_last(p, nest, statement->target);
}

/* Has the statement to do with what the kernel before position computes? */
static bool follows(const struct planning *p, uint32_t position, const struct plan_statement *statement) {
    for (size_t r = 0; r < statement->reads.len; r++)
        if (ready_at(p, statement->reads.at[r].buffer) == position + 1)
            return true;
    return false;
}

static bool same_sizes(const struct kernel *nest, label loops, const poly *size) {
    return nest->loops == loops && (loops == 0 || memcmp(nest->size, size, loops * sizeof *size) == 0);
}

/* Does the statement add up rows or columns, in memory, and in the direction of others by the product's tiles? Those of
 * different rows may come at the same time, of different columns where the product is transposed. */
static bool sums_tiles(const struct planning *p, const struct kernel *product, const struct plan_statement *statement) {
    const uint8_t rank = graph_node(p->graph, p->plan->buffers.at[statement->target].node)->rank;
    for (size_t s = 0; s < product->statements.len; s++)
        if (product->statements.at[s].reduces && product->statements.at[s].target_loop[0] != statement->target_loop[0])
            return false;
    return statement->held == HELD_IN_MEMORY && rank == 1;
}

static bool takes_tiles(const struct planning *p, const struct kernel *kernel, size_t position) {
    return p->effort > 1 && position < MOST_TILED && gemm_has_tiles(p->graph, p->plan, kernel);
}

/* Can the statement be in these loops, those of the kernel at position? */
static bool has_room(const struct planning *p, uint32_t position, const struct plan_statement *statement, label loops,
                     const poly *size) {
    const struct kernel *kernel = &p->plan->kernels.at[position];
    if (kernel->statements.len == MOST_STATEMENTS)
        return false;
    if (kernel->kind == KERNEL_LOOP)
        return same_sizes(kernel, loops, size);
    if (!takes_tiles(p, kernel, position) || statement->scatters || !follows(p, position, statement) ||
        (statement->reduces && !sums_tiles(p, kernel, statement)))
        return false;
    const struct kernel tiles = gemm_epilogue(p->graph, p->plan, kernel);
    return same_sizes(&tiles, loops, size);
}

static void note_written(struct planning *p, uint32_t position) {
    const struct kernel *kernel = &p->plan->kernels.at[position];
    if (kernel->kind != KERNEL_LOOP)
        set_ready(p, kernel->target, position);
    for (size_t s = 0; s < kernel->statements.len; s++)
        set_ready(p, kernel->statements.at[s].target, position);
}

static void move_last_to(struct planning *p, uint32_t position) {
    struct kernel *at = p->plan->kernels.at, last = vec_last(&p->plan->kernels);
    memmove(&at[position + 1], &at[position], (p->plan->kernels.len - 1 - position) * sizeof *at);
    at[position] = last;
    for (uint32_t k = position; k < p->plan->kernels.len; k++)
        note_written(p, k);
}

/* Puts the statement into the kernel at position, which it fits. */
static void join(struct planning *p, uint32_t position, const struct plan_statement *statement) {
    if (ready_at(p, statement->target) > position)
        move_last_to(p, position++);
    struct kernel *kernel = &p->plan->kernels.at[position];
    if (statement->reduces && statement->target_loop[0] == 1 && kernel->kind == KERNEL_GEMM && !kernel->gemm.transposed)
        gemm_transpose(&kernel->gemm);
    vec_push(p->arena, &kernel->statements, *statement);
    set_ready(p, statement->target, position);
}

static size_t first_looked_at(const struct planning *p) {
    const size_t count = p->plan->kernels.len;
    return p->effort < 2 ? count : count > NESTS_LOOKED_BACK ? count - NESTS_LOOKED_BACK : 0;
}

/* Puts the statement into the earliest of the last nests, or products by tiles, that can take it, or into a new nest.
 */
static void place(struct planning *p, const struct plan_statement *statement, label loops, const poly *size) {
    const size_t count = p->plan->kernels.len;
    for (size_t k = first_looked_at(p); k < count; k++)
        if (has_room(p, (uint32_t)k, statement, loops, size) && fits(p, (uint32_t)k, statement)) {
            join(p, (uint32_t)k, statement);
            return;
        }
    struct kernel nest = {.kind = KERNEL_LOOP, .loops = loops, .span = statement->span};
    memcpy(nest.size, size, loops * sizeof *size);
    vec_push(p->arena, &nest.statements, *statement);
    vec_push(p->arena, &p->plan->kernels, nest);
    set_ready(p, statement->target, (uint32_t)count);
}

/* Loops follow the array with most axes that is read, so that the innermost runs along memory. Statement's loops are
 * still the labels themselves. */
static void loops_of_reduction(const struct planning *p, const struct plan_statement *statement, label labels,
                               label *loop_of) {
    const struct read *widest = NULL;
    label count = 0;
    bool seen[LOOP_DERIVED + 1] = {[LOOP_DERIVED] = false};
    label order[MAX_LABELS];
    for (size_t r = 0; r < statement->reads.len; r++) {
        const struct read *read = &statement->reads.at[r];
        if (!widest || graph_node(p->graph, p->plan->buffers.at[read->buffer].node)->rank >
                           graph_node(p->graph, p->plan->buffers.at[widest->buffer].node)->rank)
            widest = read;
    }
    const struct buffer *buffer = widest ? &p->plan->buffers.at[widest->buffer] : NULL;
    for (uint8_t i = 0; buffer && i < graph_node(p->graph, buffer->node)->rank; i++)
        seen[widest->loop[buffer->order[i]]] = true;
    for (label l = 0; l < labels; l++)
        if (!seen[l] && statement->loop_of[l] != LOOP_DERIVED)
            order[count++] = l;
    seen[LOOP_DERIVED] = false;
    for (uint8_t i = 0; buffer && i < graph_node(p->graph, buffer->node)->rank; i++)
        if (seen[widest->loop[buffer->order[i]]]) {
            order[count++] = widest->loop[buffer->order[i]];
            seen[widest->loop[buffer->order[i]]] = false;
        }
    memset(loop_of, LOOP_DERIVED, labels);
    for (label i = 0; i < count; i++)
        loop_of[order[i]] = i;
}

/* How many loops are around the accumulator: the target's, if they are the outermost. */
static label held_loops(label rank, const label *target_loop) {
    for (uint8_t a = 0; a < rank; a++)
        if (target_loop[a] >= rank)
            return HELD_IN_MEMORY;
    return rank;
}

/* Is there a product by whose tiles the statement may add up, if it does so in memory? */
static bool may_follow_product(const struct planning *p, const struct plan_statement *statement, label loops,
                               const poly *size) {
    struct plan_statement in_memory = *statement;
    in_memory.held = HELD_IN_MEMORY;
    for (size_t k = first_looked_at(p); k < p->plan->kernels.len; k++)
        if (p->plan->kernels.at[k].kind == KERNEL_GEMM && has_room(p, (uint32_t)k, &in_memory, loops, size) &&
            fits(p, (uint32_t)k, &in_memory))
            return true;
    return false;
}

static double neutral(const struct node *node) {
    return node->kind == NODE_REDUCE ? op_records[node->op].neutral : 0;
}

/* Where an axis of the target's node is among the node's labels: axis_of maps the node's axes to the target's. */
static void set_loops(const struct planning *p, struct plan_statement *statement, const label *loop_of,
                      const label *axis_of, label labels, poly *size) {
    const struct node *node = graph_node(p->graph, statement->node);
    for (label l = 0; l < labels; l++) {
        statement->loop_of[l] = loop_of[l];
        if (loop_of[l] != LOOP_DERIVED)
            size[loop_of[l]] = node->size[l];
    }
    for (label l = 0; l < node->rank; l++) {
        statement->target_loop[axis_of[l]] = loop_of[l];
        statement->target_axis[l] = axis_of[l];
    }
}

/* target[axis_of] = the node, element by element; loops follow the target's array. */
static void write(struct planning *p, node_id id, uint32_t target, const label *axis_of, struct span span) {
    const struct node *node = graph_node(p->graph, id);
    const bool copy = source_of(p, id) != 0; /* first: an input's buffer may be added for it, which moves the others */
    const struct buffer *buffer = &p->plan->buffers.at[target];
    struct plan_statement statement = {.span = span, .node = id, .copy = copy, .target = target, .coefficient = 1};
    label loop_of[MAX_LABELS], position[MAX_RANK] = {0};
    poly size[MAX_LABELS];
    for (label i = 0; i < node->rank; i++)
        position[buffer->order[i]] = i;
    memset(statement.loop_of, LOOP_DERIVED, sizeof statement.loop_of);
    for (label l = 0; l < node->rank; l++)
        loop_of[l] = position[axis_of[l]];
    set_loops(p, &statement, loop_of, axis_of, node->rank, size);
    find_reads(p, &statement);
    if (!copy)
        count_expression(p, id, node_elements(p->graph, id));
    place(p, &statement, graph_node(p->graph, id)->rank, size);
}

static const label identity[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

static void reduce(struct planning *p, node_id id, uint32_t target, struct span span) {
    const struct node node = *graph_node(p->graph, id);
    struct plan_statement statement = {.span = span, .node = id, .reduces = true, .target = target, .coefficient = 1};
    struct derived derived = derived_labels(p->graph, id, false);
    label loop_of[MAX_LABELS];
    poly size[MAX_LABELS];
    for (label l = 0; l < node.labels; l++)
        statement.loop_of[l] = derived.by[l] == NOT_DERIVED ? l : (label)LOOP_DERIVED;
    find_reads(p, &statement);
    loops_of_reduction(p, &statement, node.labels, loop_of);
    set_loops(p, &statement, loop_of, identity, node.labels, size);
    find_reads(p, &statement);
    statement.held = held_loops(node.rank, statement.target_loop);
    if (may_follow_product(p, &statement, derived.loops, size))
        statement.held = HELD_IN_MEMORY;
    if (statement.held == HELD_IN_MEMORY)
        write(p, graph_fill(p->graph, neutral(&node), node.size, node.rank).node, target, identity, span);
    count_statement(p, &statement, size, derived.loops);
    place(p, &statement, derived.loops, size);
}

/* ---- Scatters: values written where their selectors say ----------------------------------------------------------
 */

/* FILLS: the rest of the target becomes 0; PART: other statements write it; ADDS: to what is there. */
enum scattering { FILLS, PART, ADDS };

struct loop_order {
    struct planning *p;
    node_id id;
    const struct derived *derived;
    label loop_of[MAX_LABELS], count;
};

static poly step_of(const struct loop_order *o, const struct operand *factor, uint8_t axis) {
    const struct node *node = graph_node(o->p->graph, factor->node);
    return node->kind == NODE_SELECT ? node->step[axis] : poly_number(o->p->graph->polys, 1);
}

/* A loop for the label, or for what it follows from: the largest steps outermost. Depth: there is no circle. */
static void order_label(struct loop_order *o, label l) {
    struct operand self;
    bool done[MAX_RANK] = {false};
    if (o->derived->by[l] == NOT_DERIVED) {
        if (o->loop_of[l] == LOOP_DERIVED)
            o->loop_of[l] = o->count++;
        return;
    }
    const struct operand *factor = deriving_factor(o->p->graph, o->id, o->derived->by[l], &self);
    uint8_t rank = graph_node(o->p->graph, factor->node)->rank;
    for (uint8_t turn = 0; turn < rank; turn++) {
        int best = -1;
        for (uint8_t a = 0; a < rank; a++)
            if (!done[a] && factor->at[a] != l &&
                (best < 0 || nominal(o->p->graph->polys, step_of(o, factor, a)) >
                                 nominal(o->p->graph->polys, step_of(o, factor, (uint8_t)best))))
                best = a;
        if (best < 0)
            return;
        done[best] = true;
        order_label(o, factor->at[best]);
    }
}

/* Loops follow the target's array; what is summed runs innermost. Returns how many are around the sums. */
static label order_scatter(struct loop_order *o, uint32_t target, const label *axis_of) {
    const struct node *node = graph_node(o->p->graph, o->id);
    const struct buffer *buffer = &o->p->plan->buffers.at[target];
    memset(o->loop_of, LOOP_DERIVED, sizeof o->loop_of);
    for (uint8_t i = 0; i < node->rank; i++)
        for (label l = 0; l < node->rank; l++)
            if (axis_of[l] == buffer->order[i])
                order_label(o, l);
    label held = o->count;
    for (label l = 0; l < node->labels; l++)
        if (o->derived->sums[l])
            order_label(o, l);
    return held;
}

/* Are there as many places in the loops as elements in the target? Then every element is written, since no two places
 * have the same. */
static bool fills_all(struct planning *p, node_id id, const poly *size, label held) {
    return iterations(p, size, held) == node_elements(p->graph, id);
}

static void scatter(struct planning *p, node_id id, uint32_t target, const label *axis_of, double coefficient,
                    enum scattering how, struct span span) {
    const struct node node = *graph_node(p->graph, id);
    struct derived derived = derived_labels(p->graph, id, true);
    struct plan_statement statement = {.span = span,
                                       .node = id,
                                       .reduces = derived.any_sums,
                                       .scatters = true,
                                       .adds = how == ADDS,
                                       .coefficient = coefficient,
                                       .target = target};
    struct loop_order order = {.p = p, .id = id, .derived = &derived};
    poly size[MAX_LABELS];
    statement.held = order_scatter(&order, target, axis_of);
    set_loops(p, &statement, order.loop_of, axis_of, node.labels, size);
    find_reads(p, &statement);
    if (how == FILLS && !fills_all(p, id, size, statement.held))
        write(p, graph_fill(p->graph, 0, node.size, node.rank).node, target, axis_of, span);
    count_statement(p, &statement, size, derived.loops);
    place(p, &statement, derived.loops, size);
}

/* Does the statement only set the target, from nothing whose place the target could take? */
static bool sets_target(const struct planning *p, const struct plan_statement *statement, uint32_t target) {
    for (size_t r = 0; r < statement->reads.len; r++)
        if (p->plan->buffers.at[buffer_base(p->plan, statement->reads.at[r].buffer)].storage == STORE_WORK)
            return false;
    return statement->target == target && !statement->reduces && !statement->scatters;
}

/* The nest before, if it does no more than set what the product adds to, becomes its prologue. */
static void take_prologue(struct planning *p, struct kernel *kernel) {
    if (!kernel->accumulate || !p->plan->kernels.len || !takes_tiles(p, kernel, p->plan->kernels.len - 1))
        return;
    const struct kernel tiles = gemm_prologue(p->graph, p->plan, kernel), *nest = &vec_last(&p->plan->kernels);
    if (nest->kind != KERNEL_LOOP || nest->statements.len != 1 || !same_sizes(&tiles, nest->loops, nest->size) ||
        !sets_target(p, &nest->statements.at[0], kernel->target))
        return;
    vec_push(p->arena, &kernel->statements, nest->statements.at[0]);
    p->plan->kernels.len--;
}

static void multiply(struct planning *p, node_id id, uint32_t target, const label *axis_of, double coefficient,
                     bool accumulate, struct span span) {
    const struct node node = *graph_node(p->graph, id);
    struct kernel kernel = {.kind = KERNEL_GEMM,
                            .span = span,
                            .node = id,
                            .coefficient = coefficient,
                            .accumulate = accumulate,
                            .target = target};
    memcpy(kernel.target_axis, axis_of, node.rank);
    for (uint32_t i = 0; i < node.count; i++)
        source_of(p, node.operands[i].node);
    lay_out_gemm(p, &kernel);
    if (!accumulate && gemm_passes(p->graph, &kernel) != poly_number(p->graph->polys, 1)) {
        write(p, graph_fill(p->graph, 0, node.size, node.rank).node, target, axis_of, span);
        kernel.accumulate = true;
    }
    take_prologue(p, &kernel);
    count_product(p, &kernel);
    vec_push(p->arena, &p->plan->kernels, kernel);
    set_ready(p, target, (uint32_t)p->plan->kernels.len - 1);
}

static void along(struct planning *p, node_id id, uint32_t target, struct span span) {
    struct kernel kernel = {.kind = KERNEL_ALONG, .span = span, .node = id, .target = target};
    source_of(p, graph_node(p->graph, id)->operands[0].node);
    add_flops(p, node_elements(p->graph, id), op_records[graph_node(p->graph, id)->op].flops);
    vec_push(p->arena, &p->plan->kernels, kernel);
    set_ready(p, target, (uint32_t)p->plan->kernels.len - 1);
}

static void invert(const label *axis, uint8_t rank, label *inverse) {
    for (uint8_t i = 0; i < rank; i++)
        inverse[axis[i]] = i;
}

/* Operations of factorisations and solves to leading order. An LU factorisation takes 2/3 n^3 and one of Cholesky 1/3
 * n^3 (G. Golub, C. Van Loan, Matrix Computations, 4th ed., 3.2.9 and 4.2.5); polynomials have integer coefficients, so
 * both count as n^3. */
static void add_matrix_flops(struct planning *p, const struct node *node) {
    struct polys *polys = p->graph->polys;
    const struct node *first = graph_node(p->graph, node->operands[0].node);
    if (op_records[node->op].shape == SHAPE_PIVOTS)
        return;
    poly n = first->size[0];
    if (op_records[node->op].shape == SHAPE_SOLVE)
        add_flops(p, poly_mul(polys, iterations(p, node->size, node->rank), node->size[0]),
                  node->op == OP_lu_solve ? 2 : 1);
    else if (op_records[node->op].shape != SHAPE_OF_FACTOR)
        add_flops(p, poly_mul(polys, n, poly_mul(polys, n, n)), 1);
}

/* A call of the runtime; what it replaces is written into its target. */
static void call_matrix(struct planning *p, node_id id, uint32_t target, struct span span) {
    const struct node node = *graph_node(p->graph, id);
    struct kernel kernel = {.kind = KERNEL_MATRIX, .span = span, .node = id, .target = target};
    int replaced = replaced_operand(&node);
    if (replaced >= 0) {
        const struct operand *before = &node.operands[replaced];
        label axis_of[MAX_RANK];
        memcpy(axis_of, before->at, sizeof axis_of);
        write(p, before->node, target, axis_of, span);
    }
    if (replaced != 0)
        source_of(p, node.operands[0].node);
    add_matrix_flops(p, &node);
    p->plan->fails = p->plan->fails || op_records[node.op].status;
    vec_push(p->arena, &p->plan->kernels, kernel);
    set_ready(p, target, (uint32_t)p->plan->kernels.len - 1);
}

/* The sum of the terms that are not products taken in; its axes are those of the whole sum. */
static struct value other_terms(struct planning *p, const struct node *sum) {
    struct index_form form = {.labels = sum->rank};
    memcpy(form.size, sum->size, sum->rank * sizeof *sum->size);
    for (uint32_t i = 0; i < sum->count; i++)
        if (!p->absorbed[sum->operands[i].node])
            vec_push(p->arena, &form.operands, sum->operands[i]);
    return form.operands.len ? graph_sum(p->graph, &form, identity, sum->rank) : (struct value){0};
}

/* Two terms of a sum that have no place in common: selectors of one axis of the sum are disjoint. */
static bool apart(struct planning *p, const struct operand *a, const struct operand *b) {
    const struct node *x = graph_node(p->graph, a->node), *y = graph_node(p->graph, b->node);
    for (uint32_t i = 0; i < x->count; i++)
        for (uint32_t k = 0; k < y->count; k++) {
            const struct operand *s = &x->operands[i], *t = &y->operands[k];
            bool selectors = graph_node(p->graph, s->node)->kind == NODE_SELECT &&
                             graph_node(p->graph, t->node)->kind == NODE_SELECT;
            if (selectors && s->at[0] < x->rank && t->at[0] < y->rank && a->at[s->at[0]] == b->at[t->at[0]] &&
                select_disjoint(p->graph, s->node, t->node))
                return true;
        }
    return false;
}

/* How many elements a scattered term writes. */
static poly written(struct planning *p, node_id id) {
    struct derived derived = derived_labels(p->graph, id, true);
    const struct node *node = graph_node(p->graph, id);
    poly count = poly_number(p->graph->polys, 1);
    for (label l = 0; l < node->labels; l++)
        if (derived.by[l] == NOT_DERIVED && !derived.sums[l])
            count = poly_mul(p->graph->polys, count, node->size[l]);
    return count;
}

enum { MOST_TILES = 64 };

/* Do the terms, all of them scattered, write every element once? */
static bool tiles(struct planning *p, const struct node *sum) {
    poly all = poly_number(p->graph->polys, 0), size = poly_number(p->graph->polys, 1);
    for (uint32_t i = 0; i < sum->count; i++) {
        if (sum->count > MOST_TILES || !p->absorbed[sum->operands[i].node] ||
            !is_scattered(p->graph, sum->operands[i].node))
            return false;
        all = poly_add(p->graph->polys, all, written(p, sum->operands[i].node));
        for (uint32_t k = 0; k < i; k++)
            if (!apart(p, &sum->operands[i], &sum->operands[k]))
                return false;
    }
    for (label l = 0; l < sum->rank; l++)
        size = poly_mul(p->graph->polys, size, sum->size[l]);
    return all == size;
}

/* The scattered terms of a sum, into a target that holds the others or nothing yet. */
static void scatter_terms(struct planning *p, const struct node *sum, uint32_t target, bool holds, struct span span) {
    enum scattering how = holds ? ADDS : PART;
    bool any = false;
    for (uint32_t i = 0; i < sum->count; i++)
        any = any || (p->absorbed[sum->operands[i].node] && is_scattered(p->graph, sum->operands[i].node));
    if (any && !holds && !tiles(p, sum)) {
        write(p, graph_fill(p->graph, 0, sum->size, sum->rank).node, target, identity, span);
        how = ADDS;
    }
    for (uint32_t i = 0; any && i < sum->count; i++)
        if (p->absorbed[sum->operands[i].node] && is_scattered(p->graph, sum->operands[i].node))
            scatter(p, sum->operands[i].node, target, sum->operands[i].at, sum->operands[i].coefficient, how, span);
}

/* target = (other terms), then += each product. */
static void sum_with_products(struct planning *p, node_id id, uint32_t target, struct span span) {
    const struct node sum = *graph_node(p->graph, id);
    struct value others = other_terms(p, &sum);
    label axis_of[MAX_RANK];
    if (others.node) {
        invert(others.axis, others.rank, axis_of);
        write(p, others.node, target, axis_of, span);
    }
    bool accumulate = others.node != 0;
    for (uint32_t i = 0; i < sum.count; i++)
        if (p->absorbed[sum.operands[i].node] && !is_scattered(p->graph, sum.operands[i].node)) {
            multiply(p, sum.operands[i].node, target, sum.operands[i].at, sum.operands[i].coefficient, accumulate,
                     span);
            accumulate = true;
        }
    scatter_terms(p, &sum, target, accumulate, span);
}

static bool takes_products(const struct planning *p, node_id id) {
    const struct node *node = graph_node(p->graph, id);
    for (uint32_t i = 0; node->kind == NODE_SUM && i < node->count; i++)
        if (p->absorbed[node->operands[i].node])
            return true;
    return false;
}

static void compute(struct planning *p, node_id id, uint32_t target) {
    struct span span = p->graph->spans.at[id];
    switch (class_of(p->graph, id)) {
    case CLASS_GEMM:
        multiply(p, id, target, identity, 1, false, span);
        break;
    case CLASS_REDUCTION:
        reduce(p, id, target, span);
        break;
    case CLASS_ALONG:
        along(p, id, target, span);
        break;
    case CLASS_MATRIX:
        call_matrix(p, id, target, span);
        break;
    case CLASS_SCATTER:
        scatter(p, id, target, identity, 1, FILLS, span);
        break;
    default:
        if (p->effort > 0 && is_scattered(p->graph, id))
            scatter(p, id, target, identity, 1, FILLS, span);
        else if (takes_products(p, id))
            sum_with_products(p, id, target, span);
        else
            write(p, id, target, identity, span);
    }
}

/* An array as the argument is read: its axes outermost first. */
static struct buffer output_buffer(const struct planning *p, uint32_t output) {
    struct value value = p->outputs[output];
    struct buffer buffer = {.node = value.node, .storage = STORE_OUTPUT, .index = output};
    for (uint8_t i = 0, next = 0; i < value.rank; i++)
        if (value.axis[i] != AXIS_UNIT)
            buffer.order[next++] = value.axis[i];
    return buffer;
}

/* An array that is made element by element runs as the first array of as many axes that it is made of does: both are
 * then gone through in order. Depth is bounded: choose.c bounds what may stand inline. */
static bool follow_order(struct planning *p, node_id id, label *order) {
    const struct node node = *graph_node(p->graph, id);
    for (uint32_t i = 0; i < node.count; i++) {
        const struct operand *operand = &node.operands[i];
        label own[MAX_RANK], at[MAX_RANK];
        uint64_t seen = 0;
        uint32_t source = source_of(p, operand->node);
        for (label a = 0; a < node.rank && graph_node(p->graph, operand->node)->rank == node.rank; a++)
            seen |= (uint64_t)1 << operand->at[a];
        if (seen != ((uint64_t)1 << node.rank) - 1)
            continue;
        if (source)
            memcpy(own, p->plan->buffers.at[source].order, sizeof own);
        else if (class_of(p->graph, operand->node) != CLASS_POINTWISE || !follow_order(p, operand->node, own))
            continue;
        for (label a = 0; a < node.rank; a++)
            at[a] = operand->at[own[a]];
        memcpy(order, at, node.rank);
        return true;
    }
    return false;
}

/* Where a computed node lives: in the first output that is it, in saved memory, or in the workspace. */
static struct buffer home_of(struct planning *p, node_id id, const uint32_t *output_of) {
    if (output_of[id])
        return output_buffer(p, output_of[id] - 1);
    if (p->kept && p->kept[id])
        return p->saved[id];
    struct buffer buffer = {.node = id, .storage = graph_node(p->graph, id)->rank ? STORE_WORK : STORE_LOCAL};
    memcpy(buffer.order, graph_order(p->graph, id), sizeof buffer.order);
    if (p->effort > 0 && class_of(p->graph, id) == CLASS_POINTWISE && !takes_products(p, id))
        follow_order(p, id, buffer.order);
    if (class_of(p->graph, id) == CLASS_ALONG) { /* a line over all axes is one in memory only if both arrays agree */
        const uint32_t source = source_of(p, graph_node(p->graph, id)->operands[0].node);
        memcpy(buffer.order, p->plan->buffers.at[source].order, sizeof buffer.order);
    }
    return buffer;
}

static void copy_to(struct planning *p, node_id id, struct buffer to, struct span span) {
    uint32_t target = add_buffer(p, to);
    if (p->effort > 0 && !source_of(p, id) && is_scattered(p->graph, id))
        scatter(p, id, target, identity, 1, FILLS, span);
    else
        write(p, id, target, identity, span);
}

static void load_saved(struct planning *p) {
    for (node_id id = 1; p->loaded && id < p->nodes; id++)
        if (p->loaded[id] && p->needed[id])
            *sparse_at(&p->plan->buffer_of, id) = add_buffer(p, p->saved[id]);
}

void build_kernels(struct planning *p) {
    uint32_t *output_of = NEW_ARRAY(p->arena, p->nodes, uint32_t);
    for (uint32_t i = (uint32_t)p->function->outputs.len; i-- > 0;)
        output_of[p->outputs[i].node] = i + 1;
    load_saved(p);
    for (node_id id = 1; id < p->nodes; id++) {
        if (!p->materialised[id] || p->absorbed[id])
            continue;
        struct buffer view;
        bool viewed = view_of(p, id, &view);
        uint32_t target = add_buffer(p, viewed ? view : home_of(p, id, output_of));
        if (!viewed)
            compute(p, id, target);
        *sparse_at(&p->plan->buffer_of, id) = target;
        if (p->kept && p->kept[id] && output_of[id])
            copy_to(p, id, p->saved[id], p->graph->spans.at[id]);
    }
    for (uint32_t i = 0; i < p->function->outputs.len; i++) {
        node_id id = p->outputs[i].node;
        if (output_of[id] != i + 1 || !p->materialised[id])
            copy_to(p, id, output_buffer(p, i), p->function->span);
    }
    RELEASE_ARRAY(p->arena, p->nodes, output_of);
}
