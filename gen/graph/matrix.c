/* Operators of whole matrices, and what cancels beside an inverse. */
#include "intern.h"
#include "value.h"

#include <math.h>
#include <string.h>

/* An LU factor: n pivots, which take up to two elements each, and n * n numbers. */
static poly factor_size(struct polys *polys, poly n) {
    return poly_add(polys, poly_mul(polys, n, n), poly_mul(polys, poly_number(polys, 2), n));
}

/* The labels of an operator's result come first, then those of operands that only it sees. */
static uint8_t result_sizes(struct graph *graph, enum op op, const struct value *operands, poly size[MAX_RANK]) {
    poly n = value_size(graph, operands[0], 0);
    switch (op_records[op].shape) {
    case SHAPE_SQUARE:
        size[0] = size[1] = n;
        return 2;
    case SHAPE_FACTOR:
        size[0] = factor_size(graph->polys, n);
        return 1;
    case SHAPE_PIVOTS:
        for (uint8_t i = 0; i < operands[0].rank; i++)
            size[i] = value_size(graph, operands[0], i);
        return operands[0].rank;
    case SHAPE_SOLVE:
        for (uint8_t i = 0; i < operands[1].rank; i++)
            size[i] = value_size(graph, operands[1], i);
        return operands[1].rank;
    default:
        return 0;
    }
}

static struct operand labelled(const struct value *value, label first) {
    struct operand operand = {.node = value->node, .coefficient = 1};
    for (uint8_t i = 0; i < value->rank; i++)
        operand.at[value->axis[i]] = (label)(first + i);
    return operand;
}

/* A matrix is read in its node's order, and the result the other way round instead: inv(A') = inv(A)'. An LU factor
 * stays that of the matrix as it is read. */
static bool take_transposition(struct value *matrix) {
    bool swapped = matrix->rank == 2 && matrix->axis[0] == 1;
    matrix->axis[0] = 0;
    matrix->axis[1] = 1;
    return swapped;
}

/* Pivots that are a number everywhere are judged now; what is wrong with them is left to the call. */
static bool is_known_pivot(const struct graph *graph, enum op op, node_id id) {
    double pivot;
    return op_records[op].shape == SHAPE_PIVOTS && graph_is_fill(graph, id, &pivot) && isfinite(pivot) && pivot > 0;
}

struct value graph_matrix(struct graph *graph, enum op op, const struct value *operands, uint32_t count,
                          uint8_t flags) {
    struct value value[2] = {operands[0], count > 1 ? operands[1] : operands[0]};
    const struct node *of = graph_node(graph, operands[0].node);
    if (op == OP_inv && of->kind == NODE_MATRIX && of->op == OP_inv)
        return operands[0].axis[0] ? value_transpose(graph_value(graph, of->operands[0].node))
                                   : graph_value(graph, of->operands[0].node);
    if (is_known_pivot(graph, op, operands[0].node))
        return operands[0];
    struct operand made[2];
    poly size[MAX_LABELS];
    bool whole = op_records[op].shape == SHAPE_SQUARE || op_records[op].shape == SHAPE_PIVOTS,
         solves = op_records[op].shape == SHAPE_SOLVE;
    bool swapped = op_records[op].shape != SHAPE_FACTOR && take_transposition(&value[0]);
    struct node node = {.kind = NODE_MATRIX, .op = op, .count = count, .operands = made, .size = size};
    node.rank = result_sizes(graph, op, value, size);
    node.labels = whole ? node.rank : (uint8_t)(node.rank + value[0].rank);
    node.along = flags ^ (solves && swapped ? SOLVE_TRANSPOSED : 0);
    for (uint8_t i = 0; i < value[0].rank && !whole; i++)
        size[node.rank + i] = value_size(graph, value[0], i);
    made[0] = labelled(&value[0], whole ? 0 : node.rank);
    made[1] = labelled(&value[1], 0);
    struct value result = graph_value(graph, graph_intern(graph, &node, NULL));
    /* f(A') = f(A)'; but a Cholesky factor is that of a symmetric A, so of A' as of A. */
    return whole && swapped && op != OP_cholesky_factor ? value_transpose(result) : result;
}

/* X under a triangular mask; the node itself if it is nothing of the kind. */
static node_id unmasked(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    if (node->kind != NODE_PRODUCT || node->count != 2 || node->labels != 2 || node->number != 1)
        return id;
    for (int i = 0; i < 2; i++) {
        const struct operand *mask = &node->operands[i], *of = &node->operands[1 - i];
        bool in_order = graph_node(graph, of->node)->rank == 2 && of->at[0] == 0 && of->at[1] == 1;
        if (graph_node(graph, mask->node)->kind == NODE_LOWER && in_order)
            return of->node;
    }
    return id;
}

struct value value_matrix(struct graph *graph, enum op op, const struct value *arguments, uint32_t count) {
    struct value operands[2] = {arguments[0], count > 1 ? arguments[1] : arguments[0]};
    uint8_t flags = 0;
    if (op == OP_triangular_solve) {
        flags = graph_structure(graph, operands[0].node) & STRUCTURE_LOWER ? SOLVE_LOWER : 0;
        operands[0].node = unmasked(graph, operands[0].node);
    }
    return graph_matrix(graph, op, operands, count, flags);
}

/* ---- Cancelling ------------------------------------------------------------------------------------------------- */

/* A factor that undoes its neighbour: an inverse, or an orthogonal matrix, whose inverse is its transpose. */
struct inverse {
    node_id of;
    bool transposed; /* read the other way round it is the inverse of 'of' */
};

static bool undoes(const struct graph *graph, node_id id, struct inverse *inverse) {
    const struct node *node = graph_node(graph, id);
    if (node->kind == NODE_MATRIX && node->op == OP_inv) {
        *inverse = (struct inverse){node->operands[0].node, false};
        return true;
    }
    *inverse = (struct inverse){id, true};
    return graph_structure(graph, id) & STRUCTURE_ORTHOGONAL && node->kind != NODE_DELTA;
}

/* The one other operand at a summed label that just two operands have, each once; SIZE_MAX if there is none. */
static size_t neighbour(const struct graph *graph, const struct index_form *form, const bool *in_result, size_t i,
                        label at) {
    size_t found = SIZE_MAX, uses = 0;
    for (size_t k = 0; k < form->operands.len; k++)
        for (uint8_t a = 0; a < graph_node(graph, form->operands.at[k].node)->rank; a++)
            if (form->operands.at[k].at[a] == at) {
                uses++;
                found = k == i ? found : k;
            }
    return uses == 2 && !in_result[at] ? found : SIZE_MAX;
}

static void remove_two(struct index_form *form, size_t i, size_t k) {
    size_t high = i > k ? i : k, low = i > k ? k : i;
    form->operands.at[high] = vec_pop(&form->operands);
    form->operands.at[low] = vec_pop(&form->operands);
}

/* A chain P = F R with F square, F's axis factor_axis at the chain's label end: R, read from where F ends. */
static bool split_chain(struct graph *graph, node_id id, label end, node_id factor, label factor_axis,
                        struct value *rest) {
    const struct node chain = *graph_node(graph, id);
    struct operand *others = NEW_ARRAY(graph->arena, chain.count, struct operand);
    uint32_t count = 0, ends = 0;
    label middle = AXIS_UNIT;
    if (chain.kind != NODE_PRODUCT || chain.rank != 2 || chain.number != 1)
        return false;
    for (uint32_t i = 0; i < chain.count; i++) {
        const struct operand *operand = &chain.operands[i];
        uint8_t rank = graph_node(graph, operand->node)->rank;
        for (uint8_t a = 0; a < rank; a++)
            ends += operand->at[a] == end;
        if (middle == AXIS_UNIT && operand->node == factor && operand->at[factor_axis] == end)
            middle = operand->at[1 - factor_axis];
        else
            others[count++] = *operand;
    }
    if (middle == AXIS_UNIT || middle < 2 || ends != 1 || chain.size[middle] != chain.size[end])
        return false;
    uint32_t uses = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint8_t a = 0; a < graph_node(graph, others[i].node)->rank; a++)
            uses += others[i].at[a] == middle;
    *rest = graph_product_of(graph, 1, others, count, chain.size, (label[]){middle, (label)(1 - end)}, 2);
    return uses == 1;
}

/* Operand i, an inverse, with its axis a beside operand k's axis f: what becomes of the two, between the label outside
 * the inverse and the one outside its neighbour. */
static bool cancel_pair(struct graph *graph, struct index_form *form, size_t i, label a, size_t k) {
    struct operand v = form->operands.at[i], m = form->operands.at[k];
    struct inverse inverse;
    struct value rest;
    if (graph_node(graph, m.node)->rank != 2 || m.at[0] == m.at[1] || !undoes(graph, v.node, &inverse))
        return false;
    label f = m.at[1] == v.at[a], from = v.at[1 - a], to = m.at[1 - f];
    bool symmetric = graph_structure(graph, inverse.of) & STRUCTURE_SYMMETRIC;
    label facing = inverse.transposed ? a : (label)(1 - a);
    if (m.node == inverse.of && (f == facing || symmetric)) {
        remove_two(form, i, k);
        form_operand(form, graph, graph_delta(graph, form->size[from]), (label[]){from, to}, 1);
        return true;
    }
    if (inverse.transposed || (!split_chain(graph, inverse.of, facing, m.node, f, &rest) &&
                               (!symmetric || !split_chain(graph, inverse.of, 1 - facing, m.node, f, &rest))))
        return false;
    struct value less = value_matrix(graph, OP_inv, &rest, 1);
    remove_two(form, i, k);
    label at[2];
    at[less.axis[0]] = from;
    at[less.axis[1]] = to;
    form_operand(form, graph, less.node, at, 1);
    return true;
}

bool cancel_inverse(struct graph *graph, struct index_form *form, const bool *in_result, bool *alive) {
    struct inverse inverse;
    for (size_t i = 0; i < form->operands.len; i++) {
        const struct operand v = form->operands.at[i];
        if (!undoes(graph, v.node, &inverse) || v.at[0] == v.at[1])
            continue;
        for (label a = 0; a < 2; a++) {
            size_t k = neighbour(graph, form, in_result, i, v.at[a]);
            if (k != SIZE_MAX && cancel_pair(graph, form, i, a, k)) {
                alive[v.at[a]] = false;
                return true;
            }
        }
    }
    return false;
}
