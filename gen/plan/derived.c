/* Labels that follow from others: no loop runs through them. sum_p x_p delta(p, 1 + l) reads x at 1 + l; a value
 * delta(p, 1 + l) u_l is 0 but where p is 1 + l. */
#include "plan.h"

#include <string.h>

struct deriving {
    const struct graph *graph;
    const struct node *node;
    const struct operand *factors;
    uint32_t count;
    struct derived *derived;
};

static uint8_t rank_of(const struct deriving *d, uint32_t k) {
    return graph_node(d->graph, d->factors[k].node)->rank;
}

static enum node_kind kind_of(const struct deriving *d, uint32_t k) {
    return graph_node(d->graph, d->factors[k].node)->kind;
}

/* Does label `from` follow from label `to`, or is it that one? Depth: there is no cycle. */
static bool follows(const struct deriving *d, label from, label to) {
    uint32_t k = d->derived->by[from];
    bool found = from == to;
    for (uint8_t a = 0; k != NOT_DERIVED && !found && a < rank_of(d, k); a++)
        found = d->factors[k].at[a] != from && follows(d, d->factors[k].at[a], to);
    return found;
}

/* Lets the label at that axis of factor k follow from its others, if that makes no circle. */
static bool derive(struct deriving *d, uint32_t k, uint8_t axis) {
    const struct operand *factor = &d->factors[k];
    label p = factor->at[axis];
    if (d->derived->by[p] != NOT_DERIVED)
        return false;
    for (uint8_t a = 0; a < rank_of(d, k); a++)
        if (a != axis && follows(d, factor->at[a], p))
            return false;
    d->derived->by[p] = k;
    return true;
}

static bool is_known(const struct deriving *d, label l) {
    return l < d->node->rank || d->derived->by[l] != NOT_DERIVED;
}

static bool knows_all(const struct deriving *d, uint32_t k) {
    for (uint8_t a = 1; a < rank_of(d, k); a++)
        if (!is_known(d, d->factors[k].at[a]))
            return false;
    return true;
}

/* Summed labels; first those that follow from the result's. */
static void derive_summed(struct deriving *d) {
    for (int any = 0; any < 2; any++)
        for (bool more = true; more;) {
            more = false;
            for (uint32_t k = 0; k < d->count; k++)
                if (kind_of(d, k) == NODE_SELECT && d->factors[k].at[0] >= d->node->rank && (any || knows_all(d, k)))
                    more = derive(d, k, 0) || more;
        }
}

static void derive_result(struct deriving *d) {
    for (uint32_t k = 0; k < d->count; k++) {
        const label *at = d->factors[k].at;
        bool scatters = false;
        if (kind_of(d, k) == NODE_SELECT && at[0] < d->node->rank)
            scatters = derive(d, k, 0);
        else if (kind_of(d, k) == NODE_DELTA)
            scatters = derive(d, k, at[1] > at[0]) || derive(d, k, at[1] < at[0]);
        d->derived->scatters = d->derived->scatters || scatters;
    }
}

/* Marks what a label follows from. */
static void mark_feeding(const struct deriving *d, label l, bool *feeds) {
    uint32_t k = d->derived->by[l];
    feeds[l] = true;
    for (uint8_t a = 0; k != NOT_DERIVED && a < rank_of(d, k); a++)
        if (d->factors[k].at[a] != l)
            mark_feeding(d, d->factors[k].at[a], feeds);
}

/* Summed are the labels that are run through and that no axis of the result follows from. */
static void find_sums(struct deriving *d) {
    bool feeds[MAX_LABELS] = {false};
    for (label l = 0; l < d->node->rank; l++)
        mark_feeding(d, l, feeds);
    for (label l = 0; l < d->node->labels; l++) {
        d->derived->sums[l] = !feeds[l] && d->derived->by[l] == NOT_DERIVED;
        d->derived->any_sums = d->derived->any_sums || d->derived->sums[l];
        d->derived->loops = (label)(d->derived->loops + (d->derived->by[l] == NOT_DERIVED));
    }
}

static bool is_index_factor(enum node_kind kind) {
    return kind == NODE_DELTA || kind == NODE_SELECT || kind == NODE_LOWER;
}

struct derived derived_labels(const struct graph *graph, node_id id, bool scatter) {
    struct derived derived = {.any_sums = false};
    const struct node *node = graph_node(graph, id);
    struct operand self = {.node = id, .at = {0, 1, 2, 3, 4, 5, 6, 7}};
    struct deriving d = {graph, node, node->operands, node->count, &derived};
    for (label l = 0; l < MAX_LABELS; l++)
        derived.by[l] = NOT_DERIVED;
    if (is_index_factor(node->kind)) {
        d.factors = &self;
        d.count = 1;
    }
    if (node->kind == NODE_PRODUCT || d.factors == &self)
        derive_summed(&d);
    if (scatter && (node->kind == NODE_PRODUCT || d.factors == &self))
        derive_result(&d);
    find_sums(&d);
    return derived;
}

const struct operand *deriving_factor(const struct graph *graph, node_id id, uint32_t by, struct operand *self) {
    *self = (struct operand){.node = id, .at = {0, 1, 2, 3, 4, 5, 6, 7}};
    return graph_node(graph, id)->kind == NODE_PRODUCT ? &graph_node(graph, id)->operands[by] : self;
}
