/* What follows of a node's structure from its operands': symmetry by exchanging its two labels, zeros by the order of
 * labels that triangular factors impose. */
#include "intern.h"
#include "rewrite.h"

#include <string.h>

enum { MOST_MATCHED = 10, MOST_STEPS = 400, NO_LABEL = 255 };

/* A search for a pairing of a node's operands under which the node with its labels 0 and 1 exchanged is the node. */
struct pairing {
    const struct graph *graph;
    const struct node *node;
    label to[MAX_LABELS]; /* what each label becomes; NO_LABEL: not said yet */
    bool taken[MOST_MATCHED];
    uint8_t partner[MOST_MATCHED];
    int steps;
};

/* Says that labels from become labels to, if nothing said before is against it. */
static bool extend(struct pairing *p, const label *from, const label *to, uint8_t rank) {
    for (uint8_t a = 0; a < rank; a++) {
        if (p->to[from[a]] == NO_LABEL && (p->to[to[a]] == NO_LABEL || p->to[to[a]] == from[a])) {
            p->to[from[a]] = to[a];
            p->to[to[a]] = from[a];
        }
        if (p->to[from[a]] != to[a] || p->node->size[from[a]] != p->node->size[to[a]])
            return false;
    }
    return true;
}

static bool pair_from(struct pairing *p, uint32_t i);

/* Pairs operand i with j as j is read, and the others. */
static bool pair_with(struct pairing *p, uint32_t i, uint32_t j, const label *read) {
    struct pairing before = *p;
    uint8_t rank = graph_node(p->graph, p->node->operands[i].node)->rank;
    p->taken[i] = p->taken[j] = true;
    p->partner[i] = (uint8_t)j;
    p->partner[j] = (uint8_t)i;
    if (extend(p, p->node->operands[i].at, read, rank) && pair_from(p, i + 1))
        return true;
    before.steps = p->steps;
    *p = before;
    return false;
}

static bool pair_from(struct pairing *p, uint32_t i) {
    while (i < p->node->count && p->taken[i])
        i++;
    if (i == p->node->count)
        return true;
    const struct operand *from = &p->node->operands[i];
    for (uint32_t j = i; j < p->node->count && p->steps++ < MOST_STEPS; j++) {
        const struct operand *to = &p->node->operands[j];
        bool fits = !p->taken[j] && to->node == from->node && to->coefficient == from->coefficient &&
                    (p->node->kind != NODE_MAP || i == j);
        if (fits && pair_with(p, i, j, to->at))
            return true;
        label swapped[2] = {to->at[1], to->at[0]};
        if (fits && graph_structure(p->graph, to->node) & STRUCTURE_SYMMETRIC && pair_with(p, i, j, swapped))
            return true;
    }
    return false;
}

static bool is_symmetric(struct pairing *p, const struct graph *graph, const struct node *node) {
    if (node->count == 0 || node->count > MOST_MATCHED || node->size[0] != node->size[1])
        return false;
    memset(p, 0, sizeof *p);
    memset(p->to, NO_LABEL, sizeof p->to);
    p->graph = graph;
    p->node = node;
    p->to[0] = 1;
    p->to[1] = 0;
    return pair_from(p, 0);
}

/* Which side of the matrix each label belongs to: 0 to 'rows', 1 to 'columns', a label that stays itself to both. */
enum { SIDE_NONE, SIDE_ROWS, SIDE_COLUMNS, SIDE_BOTH };

static bool spread_side(const struct pairing *p, const struct operand *operand, uint8_t *side, bool *changed) {
    uint8_t rank = graph_node(p->graph, operand->node)->rank, found = SIDE_NONE;
    for (uint8_t a = 0; a < rank; a++) {
        uint8_t s = side[operand->at[a]];
        if (s == SIDE_BOTH || s == SIDE_NONE)
            continue;
        if (found != SIDE_NONE && found != s)
            return false;
        found = s;
    }
    for (uint8_t a = 0; a < rank && found != SIDE_NONE; a++)
        if (side[operand->at[a]] == SIDE_NONE) {
            side[operand->at[a]] = found;
            side[p->to[operand->at[a]]] = found == SIDE_ROWS ? SIDE_COLUMNS : SIDE_ROWS;
            *changed = true;
        }
    return true;
}

static bool is_nonnegative(const struct node *node) {
    return node->kind == NODE_DIM ||
           (node->kind == NODE_MAP && node->rank < 2 && op_records[node->op].flags & OP_NONNEGATIVE);
}

/* An operand that is its own partner: a positive matrix between a label and its image. Scalars and weights are it
 * where they are known not to be negative. */
static bool is_middle(const struct pairing *p, const struct operand *operand) {
    const struct node *node = graph_node(p->graph, operand->node);
    if (is_nonnegative(node))
        return true;
    return node->rank == 2 && graph_structure(p->graph, operand->node) & STRUCTURE_POSITIVE &&
           operand->at[0] != operand->at[1] && p->to[operand->at[0]] == operand->at[1];
}

/* A product Q S Q' with S positive: every pair of operands has one on each side. */
static bool is_congruence(const struct pairing *p) {
    uint8_t side[MAX_LABELS] = {SIDE_ROWS, SIDE_COLUMNS};
    bool changed = true;
    for (label l = 2; l < p->node->labels; l++)
        side[l] = p->to[l] == l ? SIDE_BOTH : SIDE_NONE;
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < p->node->count; i++)
            if (p->partner[i] != i && !spread_side(p, &p->node->operands[i], side, &changed))
                return false;
    }
    for (uint32_t i = 0; i < p->node->count; i++)
        if (p->partner[i] == i && !is_middle(p, &p->node->operands[i]))
            return false;
    for (label l = 0; l < p->node->labels; l++)
        if (side[l] == SIDE_NONE && p->to[l] != NO_LABEL)
            return false;
    return p->node->number > 0;
}

static bool is_positive_sum(const struct graph *graph, const struct node *node) {
    for (uint32_t i = 0; i < node->count; i++)
        if (!(graph_structure(graph, node->operands[i].node) & STRUCTURE_POSITIVE) ||
            node->operands[i].coefficient <= 0)
            return false;
    return node->kind == NODE_SUM;
}

/* The product with the factors of product factors in their place; false where nothing is nested, or too much. */
static bool flattened(struct graph *graph, const struct node *node, struct node *flat) {
    struct index_form form = {.labels = node->labels};
    size_t count = node->count;
    *flat = *node;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *inner = graph_node(graph, node->operands[i].node);
        if (inner->kind == NODE_PRODUCT)
            count += inner->count - 1u;
    }
    if (node->kind != NODE_PRODUCT || count == node->count || count > MOST_MATCHED)
        return false;
    memcpy(form.size, node->size, node->labels * sizeof *node->size);
    for (uint32_t i = 0; i < node->count; i++)
        vec_push(graph->arena, &form.operands, node->operands[i]);
    for (size_t i = node->count; i-- > 0;) {
        const struct node inner = *graph_node(graph, form.operands.at[i].node);
        if (inner.kind == NODE_PRODUCT && inner.count && form_splice(graph, &form, i))
            flat->number *= inner.number;
    }
    flat->labels = form.labels;
    flat->count = (uint32_t)form.operands.len;
    flat->operands = form.operands.at;
    flat->size = arena_copy(graph->arena, form.size, form.labels * sizeof *form.size);
    return true;
}

static uint8_t symmetry(struct graph *graph, const struct node *given) {
    struct pairing pairing;
    struct node flat;
    const struct node *node = given;
    if (given->size[0] != given->size[1])
        return 0;
    if (!is_symmetric(&pairing, graph, node)) {
        node = &flat;
        if (!flattened(graph, given, &flat) || !is_symmetric(&pairing, graph, node))
            return 0;
    }
    bool positive = node->kind == NODE_PRODUCT ? is_congruence(&pairing) : is_positive_sum(graph, node);
    return STRUCTURE_SYMMETRIC | (positive ? STRUCTURE_POSITIVE : 0);
}

/* Does label b lie behind a in every nonzero term? after[l]: labels that triangular factors say are at most l. */
static bool reaches(const struct graph *graph, const struct node *node, uint8_t triangle, label from, label to) {
    uint64_t reached = (uint64_t)1 << from, before = 0;
    while (before != reached) {
        before = reached;
        for (uint32_t i = 0; i < node->count; i++) {
            const struct operand *operand = &node->operands[i];
            uint8_t structure = graph_structure(graph, operand->node);
            if (structure & triangle && reached >> operand->at[0] & 1)
                reached |= (uint64_t)1 << operand->at[1];
            if (structure & (STRUCTURE_DIAGONAL ^ triangle) && reached >> operand->at[1] & 1)
                reached |= (uint64_t)1 << operand->at[0];
        }
    }
    return reached >> to & 1;
}

static bool has_zeros(const struct graph *graph, const struct node *node) {
    for (uint32_t i = 0; i < node->count; i++)
        if (graph_structure(graph, node->operands[i].node) & STRUCTURE_DIAGONAL)
            return true;
    return false;
}

static uint8_t zeros(const struct graph *graph, const struct node *node) {
    uint8_t all = STRUCTURE_DIAGONAL;
    if (!has_zeros(graph, node))
        return 0;
    if (node->kind == NODE_PRODUCT)
        return (uint8_t)((reaches(graph, node, STRUCTURE_LOWER, 0, 1) ? STRUCTURE_LOWER : 0) |
                         (reaches(graph, node, STRUCTURE_UPPER, 0, 1) ? STRUCTURE_UPPER : 0));
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *term = &node->operands[i];
        uint8_t s = graph_structure(graph, term->node) & STRUCTURE_DIAGONAL;
        bool swapped = s && term->at[0] == 1;
        if (swapped && s != STRUCTURE_DIAGONAL)
            s ^= STRUCTURE_DIAGONAL;
        all &= s;
    }
    return all;
}

/* Of a product that sums nothing, every element of the diagonal is a product of numbers, of elements of vectors and of
 * elements of the diagonals of matrices. */
static bool is_nonnegative_diagonal(const struct graph *graph, const struct node *node) {
    if (node->kind != NODE_PRODUCT || node->labels != 2 || node->number <= 0)
        return false;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *factor = graph_node(graph, node->operands[i].node);
        uint8_t structure = factor->rank == 2 ? graph_structure(graph, node->operands[i].node) : 0;
        if (!(structure & STRUCTURE_POSITIVE) && !is_nonnegative(factor))
            return false;
    }
    return true;
}

/* A diagonal matrix is its transpose, whichever of its two labels its factors have. */
static uint8_t with_zeros(const struct graph *graph, const struct node *node) {
    uint8_t structure = zeros(graph, node);
    if (structure == STRUCTURE_DIAGONAL && node->size[0] == node->size[1])
        structure |= STRUCTURE_SYMMETRIC | (is_nonnegative_diagonal(graph, node) ? STRUCTURE_POSITIVE : 0);
    return structure;
}

/* A chain of orthogonal factors: labels 0 and 1 at its ends, every summed label between two, and no ring, whose sum is
 * a number, beside it. */
static bool is_orthogonal(const struct graph *graph, const struct node *node) {
    uint8_t uses[MAX_LABELS] = {0};
    if (node->number != 1)
        return false;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!(graph_structure(graph, node->operands[i].node) & STRUCTURE_ORTHOGONAL))
            return false;
        uses[node->operands[i].at[0]]++;
        uses[node->operands[i].at[1]]++;
    }
    for (label l = 0; l < node->labels; l++)
        if (uses[l] != (l < 2 ? 1 : 2))
            return false;
    return __builtin_popcountll(product_connected(graph, node, 0)) == node->labels;
}

static uint8_t of_matrix(const struct graph *graph, const struct node *node) {
    uint8_t structure = graph_structure(graph, node->operands[0].node);
    if (node->op == OP_cholesky_factor)
        return STRUCTURE_LOWER;
    return node->op == OP_inv ? structure : 0;
}

uint8_t structure_of(struct graph *graph, const struct node *node) {
    if (node->rank != 2)
        return 0;
    switch (node->kind) {
    case NODE_LOWER:
        return STRUCTURE_LOWER;
    case NODE_DELTA:
        return STRUCTURE_SYMMETRIC | STRUCTURE_POSITIVE | STRUCTURE_DIAGONAL | STRUCTURE_ORTHOGONAL;
    case NODE_PRODUCT:
        return (uint8_t)(symmetry(graph, node) | with_zeros(graph, node) |
                         (is_orthogonal(graph, node) ? STRUCTURE_ORTHOGONAL : 0));
    case NODE_SUM:
        return (uint8_t)(symmetry(graph, node) | with_zeros(graph, node));
    case NODE_MAP:
        return symmetry(graph, node);
    case NODE_MATRIX:
        return of_matrix(graph, node);
    default:
        return 0;
    }
}

void graph_promise(struct graph *graph, node_id id, uint8_t structure) {
    graph->promises += (structure & ~graph->structures.at[id]) != 0;
    graph->structures.at[id] |= structure;
}
