/* Two products that differ in one factor become one product with the sum of the two: C M + C N = C (M + N). */
#include "rewrite.h"

#include <string.h>

enum { MOST_TERMS = 16, MOST_SPREAD = 4, MOST_FACTORS = 10, MOST_TRIES = 200, NO_LABEL = 255 };

/* Puts the factors of product factors in their place, but for the first `kept` ones. */
static void open_factors(struct graph *graph, struct index_form *form, size_t kept, double *number) {
    for (size_t i = kept; i < form->operands.len;) {
        const struct node inner = *graph_node(graph, form->operands.at[i].node);
        bool fits = inner.kind == NODE_PRODUCT && inner.count && form->operands.len + inner.count <= MOST_FACTORS + 1;
        if (fits && form_splice(graph, form, i))
            *number *= inner.number;
        else
            i++;
    }
}

/* The factors of a product at its own labels, factor `first` first. */
static struct index_form factors_of(struct graph *graph, const struct node *node, uint32_t first) {
    struct index_form form = {.labels = node->labels};
    memcpy(form.size, node->size, node->labels * sizeof *node->size);
    for (uint32_t i = 0; i < node->count; i++)
        vec_push(graph->arena, &form.operands, node->operands[i == 0 ? first : i == first ? 0 : i]);
    return form;
}

/* A product whose factors are opened, but for the first, in which it differs from another. */
struct factors {
    struct index_form form;
    double number;
};

static struct factors with_first(struct graph *graph, const struct node *node, uint32_t first) {
    struct factors factors = {factors_of(graph, node, first), node->number};
    open_factors(graph, &factors.form, 1, &factors.number);
    return factors;
}

/* A search for a pairing of all factors of two products but the first of each, with labels of one as those of the
 * other. */
struct matching {
    const struct graph *graph;
    const struct factors *p, *q;
    label to[MAX_LABELS]; /* what a label of p is in q; NO_LABEL: not said yet */
    uint64_t used;        /* factors of q */
    int tries;
};

static bool map_labels(struct matching *m, const label *from, const label *to, uint8_t rank) {
    for (uint8_t a = 0; a < rank; a++) {
        for (label l = 0; m->to[from[a]] == NO_LABEL && l < m->p->form.labels; l++)
            if (m->to[l] == to[a])
                return false;
        if (m->to[from[a]] == NO_LABEL)
            m->to[from[a]] = to[a];
        if (m->to[from[a]] != to[a] || m->p->form.size[from[a]] != m->q->form.size[to[a]])
            return false;
    }
    return true;
}

static bool match_from(struct matching *m, size_t i);

static bool match_with(struct matching *m, size_t i, size_t k, const label *read) {
    const struct operand *from = &m->p->form.operands.at[i];
    struct matching before = *m;
    m->used |= (uint64_t)1 << k;
    if (map_labels(m, from->at, read, graph_node(m->graph, from->node)->rank) && match_from(m, i + 1))
        return true;
    before.tries = m->tries;
    *m = before;
    return false;
}

static bool match_from(struct matching *m, size_t i) {
    if (i == m->p->form.operands.len)
        return true;
    node_id node = m->p->form.operands.at[i].node;
    for (size_t k = 1; k < m->q->form.operands.len && m->tries++ < MOST_TRIES; k++) {
        const struct operand *to = &m->q->form.operands.at[k];
        label swapped[2] = {to->at[1], to->at[0]};
        if (m->used >> k & 1 || to->node != node)
            continue;
        if (match_with(m, i, k, to->at))
            return true;
        if (graph_structure(m->graph, node) & STRUCTURE_SYMMETRIC && match_with(m, i, k, swapped))
            return true;
    }
    return false;
}

/* Are the two odd factors read at the same labels? */
static bool firsts_agree(const struct matching *m) {
    const struct operand *f = &m->p->form.operands.at[0], *g = &m->q->form.operands.at[0];
    uint64_t mapped = 0, wanted = 0;
    uint8_t rank = graph_node(m->graph, g->node)->rank;
    for (uint8_t a = 0; a < rank; a++) {
        label l = m->to[f->at[a]];
        mapped |= l == NO_LABEL ? 0 : (uint64_t)1 << l;
        wanted |= (uint64_t)1 << g->at[a];
    }
    return mapped == wanted && __builtin_popcountll(mapped) == rank;
}

/* Terms with different axes, of which one is broadcast, have no common factor: what one sums the other may keep. */
static bool match(struct matching *m, const struct graph *graph, const struct operand *x, const struct operand *y,
                  const struct factors *p, const struct factors *q) {
    uint8_t rank = graph_node(graph, x->node)->rank, shared = 0;
    *m = (struct matching){.graph = graph, .p = p, .q = q};
    memset(m->to, NO_LABEL, sizeof m->to);
    for (label r = 0; r < rank; r++)
        for (label s = 0; s < graph_node(graph, y->node)->rank; s++)
            if (x->at[r] == y->at[s]) {
                m->to[r] = s;
                shared++;
            }
    return shared == rank && rank == graph_node(graph, y->node)->rank && p->form.operands.len == q->form.operands.len &&
           match_from(m, 1) && firsts_agree(m);
}

/* x f + y g as an operand of the second product. */
static struct operand sum_of_firsts(struct graph *graph, const struct matching *m, double x, double y) {
    struct operand f = m->p->form.operands.at[0], g = m->q->form.operands.at[0];
    uint8_t rank = graph_node(graph, g.node)->rank;
    struct index_form form = {.labels = rank};
    label axis[2] = {g.at[0], g.at[rank - 1]}, result[2] = {0, 1};
    for (label a = 0; a < rank; a++) {
        form.size[a] = m->q->form.size[axis[a]];
        f.at[a] = rank > 1 && m->to[f.at[a]] == axis[1];
        g.at[a] = a;
    }
    f.coefficient = x;
    g.coefficient = y;
    vec_push(graph->arena, &form.operands, f);
    vec_push(graph->arena, &form.operands, g);
    struct value sum = graph_sum(graph, &form, result, rank);
    struct operand operand = {.node = sum.node, .coefficient = 1};
    for (uint8_t a = 0; a < sum.rank; a++)
        operand.at[sum.axis[a]] = axis[a];
    return operand;
}

/* The second product, nested as it is, with the sum in the place of factor g. */
static struct operand factored(struct graph *graph, const struct matching *m, const struct operand *x,
                               const struct operand *y, uint32_t g) {
    const struct node q = *graph_node(graph, y->node);
    struct operand *factors = NEW_ARRAY(graph->arena, q.count, struct operand);
    double inner = m->q->number / q.number; /* of the factors that were opened */
    label result[MAX_RANK] = {0, 1};
    memcpy(factors, q.operands, q.count * sizeof *factors);
    factors[g] = sum_of_firsts(graph, m, x->coefficient * m->p->number / inner, y->coefficient * q.number);
    struct value value = graph_product_of(graph, 1, factors, q.count, q.size, result, q.rank);
    struct operand operand = {.node = value.node, .coefficient = 1};
    for (uint8_t a = 0; a < q.rank; a++)
        operand.at[value.axis[a]] = y->at[a];
    return operand;
}

/* Is the product one of vectors, once its factors are opened? Then it costs no more than a product with a vector. */
static bool is_low_rank(struct graph *graph, const struct node *node) {
    struct node flat = *node;
    double number = 1;
    struct index_form form = factors_of(graph, node, 0);
    open_factors(graph, &form, 0, &number);
    flat.operands = form.operands.at;
    flat.count = (uint32_t)form.operands.len;
    flat.labels = form.labels;
    return is_outer_product(graph, &flat);
}

/* A product that is summed, where half of the operations are saved. */
static bool can_factor(const struct rewriting *rewriting, const struct operand *term) {
    const struct node node = *graph_node(rewriting->graph, term->node);
    return node.kind == NODE_PRODUCT && node.rank >= 1 && node.rank <= 2 && node.labels > node.rank &&
           node.count <= MOST_FACTORS && !is_low_rank(rewriting->graph, &node);
}

/* A product with an inverse is a solve; in a sum the inverse would have to be formed. */
static bool is_inverse(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    return node->kind == NODE_MATRIX && node->op == OP_inv;
}

/* Two vectors or two matrices, of which some axis is summed. */
static bool are_alike(const struct graph *graph, const struct node *p, uint32_t f, const struct node *q, uint32_t g) {
    uint8_t rank = graph_node(graph, p->operands[f].node)->rank;
    bool summed = false;
    if (is_inverse(graph, p->operands[f].node) || is_inverse(graph, q->operands[g].node))
        return false;
    for (uint8_t a = 0; a < rank; a++)
        summed = summed || p->operands[f].at[a] >= p->rank;
    return summed && rank <= 2 && graph_node(graph, q->operands[g].node)->rank == rank;
}

static bool factor_pair(struct graph *graph, struct index_form *form, size_t i, size_t k) {
    const struct operand x = form->operands.at[i], y = form->operands.at[k];
    const struct node p = *graph_node(graph, x.node), q = *graph_node(graph, y.node);
    struct matching m;
    for (uint32_t f = 0; f < p.count; f++)
        for (uint32_t g = 0; g < q.count; g++) {
            if (!are_alike(graph, &p, f, &q, g))
                continue;
            struct factors first = with_first(graph, &p, f), second = with_first(graph, &q, g);
            if (second.number == 0 || !match(&m, graph, &x, &y, &first, &second))
                continue;
            form->operands.at[i] = factored(graph, &m, &x, &y, g);
            form->operands.at[k] = vec_pop(&form->operands);
            return true;
        }
    return false;
}

static void factor_any(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    const struct node *node = graph_node(rewriting->graph, id);
    for (size_t i = 0; i < form->operands.len; i++)
        for (size_t k = i + 1; k < form->operands.len; k++)
            if (can_factor(rewriting, &form->operands.at[i]) && can_factor(rewriting, &form->operands.at[k]) &&
                rewriting->uses[node->operands[i].node] == 1 && rewriting->uses[node->operands[k].node] == 1 &&
                factor_pair(rewriting->graph, form, i, k))
                return;
}

struct value factor_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    const struct node node = *graph_node(rewriting->graph, id);
    if (node.kind == NODE_SUM && form->operands.len <= MOST_TERMS)
        factor_any(rewriting, id, form);
    return graph_rebuild(rewriting->graph, id, form, node.number);
}

bool graph_has_sums(const struct graph *graph) {
    for (node_id id = 1; id < graph->nodes.len; id++) {
        const struct node *node = graph_node(graph, id);
        uint32_t alike = 0;
        for (uint32_t i = 0; node->kind == NODE_SUM && node->rank && i < node->count; i++)
            alike += graph_node(graph, node->operands[i].node)->rank == node->rank;
        if (alike > 1)
            return true;
    }
    return false;
}

/* ---- Multiplied out ---------------------------------------------------------------------------------------------- */

struct value product_over_terms(struct graph *graph, const struct node *node, const struct index_form *form,
                                uint32_t place, const label *order) {
    const struct operand factor = form->operands.at[place];
    const struct node sum = *graph_node(graph, factor.node);
    struct operand *factors = arena_copy(graph->arena, form->operands.at, form->operands.len * sizeof *factors);
    struct index_form terms = {.labels = node->rank};
    for (label l = 0; l < node->rank; l++)
        terms.size[l] = node->size[l];
    for (uint32_t i = 0; i < sum.count; i++) {
        factors[place] = sum.operands[i];
        for (uint8_t a = 0; a < 2; a++)
            factors[place].at[a] = factor.at[sum.operands[i].at[a]];
        struct value product =
            graph_product_of(graph, 1, factors, (uint32_t)form->operands.len, form->size, order, node->rank);
        label at[MAX_RANK];
        for (uint8_t k = 0; k < product.rank; k++)
            at[product.axis[k]] = order[k];
        form_operand(&terms, graph, product.node, at, sum.operands[i].coefficient * node->number);
    }
    return graph_sum(graph, &terms, order, node->rank);
}

/* Is the factor a sum of products of vectors, over which the product sums? */
static bool is_low_rank_sum(struct graph *graph, const struct node *node, const struct operand *factor) {
    const struct node sum = *graph_node(graph, factor->node);
    bool summed = false;
    for (uint8_t a = 0; a < sum.rank; a++)
        summed = summed || factor->at[a] >= node->rank;
    if (sum.kind != NODE_SUM || sum.rank != 2 || !summed || sum.count > MOST_SPREAD)
        return false;
    for (uint32_t i = 0; i < sum.count; i++) {
        const struct node term = *graph_node(graph, sum.operands[i].node);
        if (term.kind != NODE_PRODUCT || term.rank != 2 || !is_low_rank(graph, &term))
            return false;
    }
    return true;
}

struct value spread_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    struct graph *graph = rewriting->graph;
    const struct node node = *graph_node(graph, id);
    struct axis_order order = graph->orders.at[id];
    bool sums = node.kind == NODE_PRODUCT && node.labels > node.rank && node.count == form->operands.len;
    for (uint32_t k = 0; sums && k < node.count; k++)
        if (is_low_rank_sum(graph, &node, &form->operands.at[k]))
            return in_axis_order(product_over_terms(graph, &node, form, k, order.at), order.at);
    return graph_rebuild(graph, id, form, node.number);
}
