/* Factorisations are shared because each is one node; solves take the place of products with inverses. */
#include "solve.h"

#include "order.h"
#include "planning.h"

#include <string.h>

static enum op_text text_for(const struct op_record *record, uint8_t structure) {
    bool diagonal = (structure & STRUCTURE_DIAGONAL) == STRUCTURE_DIAGONAL;
    if (record->triangular && structure & STRUCTURE_DIAGONAL && !(diagonal && record->diagonal))
        return TEXT_TRIANGULAR;
    if (record->positive && structure & STRUCTURE_POSITIVE)
        return TEXT_POSITIVE;
    return record->definition ? TEXT_DEFINITION : OP_TEXTS;
}

/* value has the axes of its node as they are read; so has what is made. */
struct value expand_matrix(struct lowering *lowering, struct value value) {
    const struct node node = *graph_node(lowering->graph, value.node);
    node_id matrix = node.operands[0].node;
    enum op_text text = text_for(&op_records[node.op], graph_structure(lowering->graph, matrix));
    if (text == OP_TEXTS)
        return value;
    struct value made = lower_matrix_text(lowering, node.op, text, graph_value(lowering->graph, matrix));
    for (uint8_t i = 0; i < value.rank; i++)
        value.axis[i] = made.axis[value.axis[i]];
    value.node = made.node;
    return value;
}

/* Is the node an inverse: a solve of the identity, or of an inverse? Depth: that of a text in ops.def. */
static bool is_inverse(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    if (node->kind != NODE_MATRIX || op_records[node->op].shape != SHAPE_SOLVE)
        return false;
    node_id divided = node->operands[1].node;
    return graph_node(graph, divided)->kind == NODE_DELTA || is_inverse(graph, divided);
}

/* The solve with b, whose first axis is divided, in the place of the identity. */
static struct value divide(struct graph *graph, node_id solve, struct value b) {
    const struct node node = *graph_node(graph, solve);
    node_id divided = node.operands[1].node;
    if (graph_node(graph, divided)->kind != NODE_DELTA)
        b = divide(graph, divided, b);
    struct value operands[] = {graph_value(graph, node.operands[0].node), b};
    return graph_matrix(graph, node.op, operands, 2, node.along);
}

/* The solve with its matrix transposed: of a product T1 T2 of solves the other way round. */
static struct value divide_transposed(struct graph *graph, node_id solve, struct value b) {
    const struct node node = *graph_node(graph, solve);
    node_id divided = node.operands[1].node;
    struct value operands[] = {graph_value(graph, node.operands[0].node), b};
    struct value made = graph_matrix(graph, node.op, operands, 2, node.along ^ SOLVE_TRANSPOSED);
    return graph_node(graph, divided)->kind == NODE_DELTA ? made : divide_transposed(graph, divided, made);
}

/* The product without operand i as a value read from label k on. */
static struct value others_from(struct graph *graph, double number, const struct index_form *form, size_t i, label k,
                                bool scalars) {
    struct operand *others = NEW_ARRAY(graph->arena, form->operands.len, struct operand);
    label kept[MAX_RANK] = {k};
    uint8_t rank = 1;
    uint32_t count = 0;
    uint64_t seen = (uint64_t)1 << k;
    for (size_t m = 0; m < form->operands.len; m++)
        if (m != i && (scalars || graph_node(graph, form->operands.at[m].node)->rank))
            others[count++] = form->operands.at[m];
    for (uint32_t m = 0; m < count; m++)
        for (uint8_t a = 0; a < graph_node(graph, others[m].node)->rank; a++) {
            if (!(seen >> others[m].at[a] & 1))
                kept[rank++] = others[m].at[a];
            seen |= (uint64_t)1 << others[m].at[a];
        }
    return graph_product_of(graph, number, others, count, form->size, kept, rank);
}

/* The value times the product's number and scalars. */
static struct value scaled(struct graph *graph, const struct node *node, const struct index_form *form,
                           struct value value) {
    struct value *factors = NEW_ARRAY(graph->arena, form->operands.len + 1, struct value);
    uint32_t count = 1;
    factors[0] = value;
    for (size_t m = 0; m < form->operands.len; m++)
        if (graph_node(graph, form->operands.at[m].node)->rank == 0)
            factors[count++] = graph_value(graph, form->operands.at[m].node);
    return value_multiply(graph, node->number, factors, count);
}

/* inv(A)[r, k] B[k, c] or inv(A)[k, r] B[k, c], as value[r, c]. What scales a vector does so afterwards, so that solves
 * with multiples of it are one. */
static struct value solve_instead(struct graph *graph, const struct node *node, const struct index_form *form, size_t i,
                                  label k) {
    const struct operand inverse = form->operands.at[i];
    bool transposed = inverse.at[0] == k;
    label r = inverse.at[transposed];
    bool vector = node->rank == 1;
    struct value b = others_from(graph, vector ? 1 : node->number, form, i, k, !vector);
    struct value made = transposed ? divide_transposed(graph, inverse.node, b) : divide(graph, inverse.node, b);
    made = vector ? scaled(graph, node, form, made) : made;
    struct value result = made;
    for (uint8_t l = 0; l < node->rank; l++)
        result.axis[l] = made.axis[l == r ? 0 : made.rank - 1];
    return result;
}

/* Of two inverses the one that less else uses is divided by: the other one may have to be formed anyway. */
struct value solve_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    struct graph *graph = rewriting->graph;
    const struct node node = *graph_node(graph, id);
    struct gemm_form gemm;
    bool plain = gemm_form_of(graph, id, &gemm) && gemm_is_plain(&gemm);
    label k = plain ? (label)__builtin_ctzll(gemm.summed) : 0;
    size_t best = SIZE_MAX;
    for (size_t i = 0; plain && i < form->operands.len; i++) {
        const struct operand *operand = &form->operands.at[i];
        bool ends = is_inverse(graph, operand->node) && operand->at[0] != operand->at[1];
        bool rarer =
            best == SIZE_MAX || rewriting->uses[node.operands[i].node] < rewriting->uses[node.operands[best].node];
        if (ends && rarer && (operand->at[0] == k || operand->at[1] == k))
            best = i;
    }
    return best == SIZE_MAX ? graph_rebuild(graph, id, form, node.number) : solve_instead(graph, &node, form, best, k);
}
