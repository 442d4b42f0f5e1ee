/* Products of two factors as calls of the runtime's matrix product: which labels are its rows, columns and sums, and
 * which run in loops around it. */
#include "order.h"
#include "planning.h"

#include <string.h>

/* A call in loops costs about as much as this many multiplications besides its own. */
enum { LEAST_INNER = 512 };

static uint64_t labels_of(const struct graph *graph, const struct operand *operand) {
    uint64_t labels = 0;
    for (uint8_t a = 0; a < graph_node(graph, operand->node)->rank; a++)
        labels |= (uint64_t)1 << operand->at[a];
    return labels;
}

/* The only two factors with axes; no index factor may be among them. */
static bool find_factors(const struct graph *graph, const struct node *node, struct gemm_form *form) {
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *factor = graph_node(graph, node->operands[i].node);
        if (factor->kind == NODE_DELTA || factor->kind == NODE_SELECT || factor->kind == NODE_LOWER ||
            (factor->rank && form->b))
            return false;
        if (factor->rank)
            *(form->a ? &form->b : &form->a) = &node->operands[i];
    }
    return form->b != NULL;
}

static double largest(const struct graph *graph, const struct node *node, uint64_t labels) {
    double size = 1;
    for (; labels; labels &= labels - 1) {
        double own = nominal(graph->polys, node->size[__builtin_ctzll(labels)]);
        size = own > size ? own : size;
    }
    return size;
}

/* May the factor stand inline in loops? A product call wants an array of it. */
static bool is_pointwise(const struct graph *graph, const struct operand *operand) {
    const struct node *node = graph_node(graph, operand->node);
    return node->kind == NODE_SUM || node->kind == NODE_MAP ||
           (node->kind == NODE_PRODUCT && node->labels == node->rank);
}

bool gemm_is_plain(const struct gemm_form *form) {
    return !form->batch && !(form->rows & (form->rows - 1)) && !(form->columns & (form->columns - 1)) &&
           !(form->summed & (form->summed - 1));
}

/* Is the product in the loops worth a call? One of a matrix and a vector reads every element once, so that an array
 * made for it only would cost more than it gives. */
static bool pays(const struct graph *graph, const struct node *node, const struct gemm_form *form) {
    bool matrices = form->rows && form->columns;
    return largest(graph, node, form->rows) * largest(graph, node, form->columns) *
                   largest(graph, node, form->summed) >=
               LEAST_INNER &&
           (matrices || (!is_pointwise(graph, form->a) && !is_pointwise(graph, form->b)));
}

bool gemm_form_of(const struct graph *graph, node_id id, struct gemm_form *form) {
    const struct node *node = graph_node(graph, id);
    uint64_t result = ((uint64_t)1 << node->rank) - 1;
    *form = (struct gemm_form){0};
    if (node->kind != NODE_PRODUCT || node->labels == node->rank || !find_factors(graph, node, form))
        return false;
    uint64_t a = labels_of(graph, form->a), b = labels_of(graph, form->b);
    form->summed = a & b & ~result;
    form->batch = a & b & result;
    form->rows = a & ~b;
    form->columns = b & ~a;
    bool complete = ((a | b) & result) == result && ((form->rows | form->columns) & ~result) == 0;
    if (!complete || !form->summed || __builtin_popcountll(a | b) != node->labels || !(form->rows | form->columns))
        return false;
    return gemm_is_plain(form) || pays(graph, node, form);
}

/* ---- The call ----------------------------------------------------------------------------------------------------
 */

poly label_stride(const struct graph *graph, const struct buffer *buffer, const label *at, label l) {
    poly stride = poly_number(graph->polys, 0);
    for (label a = 0; a < graph_node(graph, buffer->node)->rank; a++)
        if (at[a] == l)
            stride = poly_add(graph->polys, stride, buffer_stride(graph, buffer, a));
    return stride;
}

/* An array of a call: its buffer, the label of each of its node's axes. */
struct array {
    const struct buffer *buffer;
    const label *at;
};

/* Does label l go on, in both arrays, where an axis of this size whose elements are as far apart as label inner's ends?
 */
static bool continues(const struct graph *graph, const struct array *arrays, struct gemm_axis axis, label l) {
    for (int i = 0; i < 2; i++) {
        poly inner = label_stride(graph, arrays[i].buffer, arrays[i].at, axis.inner);
        if (label_stride(graph, arrays[i].buffer, arrays[i].at, l) != poly_mul(graph->polys, inner, axis.size))
            return false;
    }
    return true;
}

/* Labels that run through both arrays like one, from the innermost outwards. */
static struct gemm_axis fused(const struct graph *graph, const struct node *node, const struct array *arrays,
                              uint64_t labels, label inner) {
    struct gemm_axis axis = {inner, node->size[inner], (uint64_t)1 << inner};
    for (bool more = true; more;) {
        more = false;
        for (label l = 0; l < node->labels; l++)
            if (labels >> l & 1 && !(axis.labels >> l & 1) && continues(graph, arrays, axis, l)) {
                axis.size = poly_mul(graph->polys, axis.size, node->size[l]);
                axis.labels |= (uint64_t)1 << l;
                more = true;
            }
    }
    return axis;
}

static double distance(const struct graph *graph, const struct array *arrays, label l) {
    return nominal(graph->polys, label_stride(graph, arrays[0].buffer, arrays[0].at, l)) +
           nominal(graph->polys, label_stride(graph, arrays[1].buffer, arrays[1].at, l));
}

/* The axis with most elements, of equal ones that whose elements are nearest to each other. */
static struct gemm_axis best_axis(const struct graph *graph, const struct node *node, struct array first,
                                  struct array second, uint64_t labels) {
    const struct array arrays[2] = {first, second};
    struct gemm_axis best = {AXIS_UNIT, poly_number(graph->polys, 1), 0};
    for (label l = 0; l < node->labels; l++) {
        if (!(labels >> l & 1))
            continue;
        struct gemm_axis axis = fused(graph, node, arrays, labels, l);
        double gain = nominal(graph->polys, axis.size) - nominal(graph->polys, best.size);
        if (best.inner == AXIS_UNIT || gain > 0 ||
            (gain >= 0 && distance(graph, arrays, l) < distance(graph, arrays, best.inner)))
            best = axis;
    }
    return best;
}

/* Loops through the labels that are left: axes of the target as its array has them, then sums. */
static void loop_around(struct kernel *kernel, const struct node *node, const struct buffer *target,
                        const label *target_at) {
    struct gemm *call = &kernel->gemm;
    uint64_t inner = call->m.labels | call->n.labels | call->k.labels;
    for (label i = 0; i < node->labels; i++) {
        label l = i < node->rank ? target_at[target->order[i]] : i;
        if (inner >> l & 1)
            continue;
        call->around[kernel->loops] = l;
        kernel->size[kernel->loops++] = node->size[l];
    }
}

static void exchange(struct gemm *call) {
    const struct operand *a = call->a;
    const struct gemm_axis m = call->m;
    call->a = call->b;
    call->b = a;
    call->m = call->n;
    call->n = m;
}

/* Exchanges the factors (C' = B' A') where that lets n run along the rows of the target's array. */
static void orient(struct gemm *call, const struct buffer *target, const label *target_at, label rank) {
    label m = 0, n = 0;
    for (label i = 0; i < rank; i++) {
        m = target_at[target->order[i]] == call->m.inner ? i : m;
        n = target_at[target->order[i]] == call->n.inner ? i : n;
    }
    if (call->n.inner != AXIS_UNIT && call->m.inner != AXIS_UNIT && m > n)
        exchange(call);
}

/* The factor; if it is symmetric, with label l along the rows of its array. */
static const struct operand *along_rows(struct planning *p, const struct operand *factor, const struct buffer *buffer,
                                        label l) {
    if (!(graph_structure(p->graph, factor->node) & STRUCTURE_SYMMETRIC) || factor->at[buffer->order[1]] == l)
        return factor;
    struct operand *turned = NEW(p->arena, struct operand);
    *turned = *factor;
    turned->at[0] = factor->at[1];
    turned->at[1] = factor->at[0];
    return turned;
}

/* Along the columns of the product, or the sums; straight code for one column has vectors of that. */
static void turn_symmetric(struct planning *p, struct gemm *call, const struct array *factors) {
    const bool one_vector = call->fixed && call->n.inner == AXIS_UNIT;
    if (call->m.inner != AXIS_UNIT)
        call->a = along_rows(p, call->a, factors[0].buffer, one_vector ? call->m.inner : call->k.inner);
    if (call->n.inner != AXIS_UNIT)
        call->b = along_rows(p, call->b, factors[1].buffer, call->n.inner);
}

/* The largest sizes of products that become straight code. */
enum { MOST_FIXED = 32 };

static bool is_number_within(const struct graph *graph, poly size, int64_t most) {
    int64_t number;
    return poly_is_number(graph->polys, size, &number) && number >= 1 && number <= most;
}

static bool has_fixed_strides(const struct graph *graph, const struct array *array, label rows, label columns) {
    int64_t number;
    return (rows == AXIS_UNIT ||
            poly_is_number(graph->polys, label_stride(graph, array->buffer, array->at, rows), &number)) &&
           (columns == AXIS_UNIT ||
            poly_is_number(graph->polys, label_stride(graph, array->buffer, array->at, columns), &number));
}

static bool is_fixed(const struct graph *graph, const struct gemm *call, const struct array *factors,
                     const struct array *target) {
    return is_number_within(graph, call->m.size, MOST_FIXED) && is_number_within(graph, call->n.size, MOST_FIXED) &&
           is_number_within(graph, call->k.size, MOST_FIXED) &&
           has_fixed_strides(graph, &factors[0], call->m.inner, call->k.inner) &&
           has_fixed_strides(graph, &factors[1], call->k.inner, call->n.inner) &&
           has_fixed_strides(graph, target, call->m.inner, call->n.inner);
}

void lay_out_gemm(struct planning *p, struct kernel *kernel) {
    const struct graph *graph = p->graph;
    const struct node *node = graph_node(graph, kernel->node);
    struct gemm_form form;
    label target_at[MAX_RANK] = {0};
    gemm_form_of(graph, kernel->node, &form);
    for (label l = 0; l < node->rank; l++)
        target_at[kernel->target_axis[l]] = l;
    source_of(p, form.a->node);
    source_of(p, form.b->node);
    struct array a = {&p->plan->buffers.at[source_of(p, form.a->node)], form.a->at};
    struct array b = {&p->plan->buffers.at[source_of(p, form.b->node)], form.b->at};
    struct array c = {&p->plan->buffers.at[kernel->target], target_at};
    kernel->gemm = (struct gemm){.a = form.a,
                                 .b = form.b,
                                 .m = best_axis(graph, node, a, c, form.rows),
                                 .n = best_axis(graph, node, b, c, form.columns),
                                 .k = best_axis(graph, node, a, b, form.summed)};
    orient(&kernel->gemm, c.buffer, target_at, node->rank);
    const struct array factors[2] = {kernel->gemm.a == form.a ? a : b, kernel->gemm.a == form.a ? b : a};
    kernel->gemm.fixed = p->effort > 0 && is_fixed(graph, &kernel->gemm, factors, &c);
    turn_symmetric(p, &kernel->gemm, factors);
    loop_around(kernel, node, c.buffer, target_at);
}

poly gemm_passes(const struct graph *graph, const struct kernel *kernel) {
    poly passes = poly_number(graph->polys, 1);
    for (label i = 0; i < kernel->loops; i++)
        if (kernel->gemm.around[i] >= graph_node(graph, kernel->node)->rank)
            passes = poly_mul(graph->polys, passes, kernel->size[i]);
    return passes;
}

/* ---- What is done with tiles ------------------------------------------------------------------------------------
 */

/* Rows of tiles are along the outer dimension of the target's array, see orient, unless it is transposed. */
bool gemm_has_tiles(const struct graph *graph, const struct plan *plan, const struct kernel *kernel) {
    const struct gemm *call = &kernel->gemm;
    return kernel->kind == KERNEL_GEMM && !kernel->loops && !call->fixed && call->m.inner != AXIS_UNIT &&
           call->n.inner != AXIS_UNIT && graph_node(graph, plan->buffers.at[kernel->target].node)->rank == 2;
}

void gemm_transpose(struct gemm *call) {
    exchange(call);
    call->transposed = !call->transposed;
}

/* count of the statements from the first on, in loops along an array. */
static struct kernel nest_along(const struct graph *graph, const struct kernel *kernel, const struct buffer *array,
                                size_t from, size_t count) {
    struct kernel nest = {.kind = KERNEL_LOOP, .span = kernel->span, .loops = 2};
    for (label l = 0; l < nest.loops; l++)
        nest.size[l] = graph_node(graph, array->node)->size[array->order[l]];
    nest.statements.at = kernel->statements.at + from;
    nest.statements.len = count;
    return nest;
}

/* Of the statements the first one and the last one may be something else. */
static bool is_started(const struct kernel *kernel) {
    return kernel->statements.len && kernel->statements.at[0].target == kernel->target;
}

static bool has_sums(const struct kernel *kernel) {
    return kernel->gemm.summed != NULL;
}

struct kernel gemm_prologue(const struct graph *graph, const struct plan *plan, const struct kernel *kernel) {
    return nest_along(graph, kernel, &plan->buffers.at[kernel->target], 0, is_started(kernel));
}

struct kernel gemm_epilogue(const struct graph *graph, const struct plan *plan, const struct kernel *kernel) {
    const size_t others = (size_t)is_started(kernel) + has_sums(kernel);
    return nest_along(graph, kernel, &plan->buffers.at[kernel->target], is_started(kernel),
                      kernel->statements.len - others);
}

static const struct buffer *array_of(const struct plan *plan, const struct operand *factor) {
    return &plan->buffers.at[sparse_get(&plan->buffer_of, factor->node)];
}

label gemm_label(const struct plan *plan, const struct operand *factor, label dimension) {
    return factor->at[array_of(plan, factor)->order[dimension]];
}

struct kernel gemm_sums(const struct graph *graph, const struct plan *plan, const struct kernel *kernel) {
    if (!has_sums(kernel))
        return (struct kernel){.kind = KERNEL_LOOP};
    return nest_along(graph, kernel, array_of(plan, kernel->gemm.summed), kernel->statements.len - 1, 1);
}
