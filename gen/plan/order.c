#include "order.h"

#include "plan.h"
#include "solve.h"

#include <string.h>

enum { MAX_FACTORS = 10 };

double nominal(const struct polys *polys, poly p) {
    struct poly_terms terms = poly_terms(polys, p);
    double sum = 0;
    for (uint32_t i = 0; i < terms.count; i++) {
        double product = (double)terms.at[i].coefficient;
        for (uint32_t k = 0; k < terms.at[i].degree; k++)
            product *= NOMINAL_SIZE;
        sum += product;
    }
    return sum;
}

struct value expand_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    struct graph *graph = rewriting->graph;
    struct value node = graph_rebuild(graph, id, form, graph_node(graph, id)->number);
    const struct node now = *graph_node(graph, node.node);
    if (now.kind == NODE_MATRIX)
        return expand_matrix(rewriting->context, node);
    if ((now.kind != NODE_REDUCE && now.kind != NODE_ALONG) || !op_records[now.op].definition)
        return node;
    const struct operand *operand = &now.operands[0];
    struct axis_order order = graph->orders.at[operand->node];
    struct bindings bindings = {.axes = 0};
    struct value *a = &bindings.argument[0];
    *a = (struct value){.node = operand->node, .rank = graph_node(graph, operand->node)->rank};
    for (label i = 0; i < a->rank; i++) {
        label l = operand->at[order.at[i]];
        a->axis[i] = order.at[i];
        if (now.kind == NODE_ALONG ? now.along >> l & 1 : l >= now.rank)
            bindings.axes |= 1u << i;
    }
    struct value made = lower_op_text(rewriting->context, now.op, TEXT_DEFINITION, &bindings), result = node;
    for (label i = 0; i < made.rank; i++)
        for (uint8_t k = 0; k < node.rank && made.axis[i] != AXIS_UNIT; k++)
            if (node.axis[k] == operand->at[order.at[i]])
                result.axis[k] = made.axis[i];
    result.node = made.node;
    return result;
}

/* Of the factors of one product. */
struct subset {
    uint64_t labels; /* that any factor of it has */
    uint64_t open;   /* that it still shows: in the result or in other factors */
    double cost, between;
    uint32_t split;
    bool useful; /* may stand between */
};

/* The factors of one product that have axes, as bits; what every subset costs and how it is best split. */
struct ordering {
    struct graph *graph;
    const struct index_form *form;
    uint64_t result;                     /* labels as bits */
    uint8_t rank;                        /* of the result */
    label order[MAX_RANK];               /* in which it is read */
    uint32_t count, factor[MAX_FACTORS]; /* operand of each bit */
    double size[MAX_LABELS];             /* of each label, see nominal */
    uint32_t newest;                     /* factors that were made last */
    bool matrices;     /* no factor has more than two axes: outer products on the way then never pay */
    struct map *made;  /* by pair_key: products of two that are there already; NULL: not noted */
    struct subset *of; /* by subset, as bits */
};

static double elements(const struct ordering *o, uint64_t labels) {
    double product = 1;
    for (; labels; labels &= labels - 1)
        product *= o->size[__builtin_ctzll(labels)];
    return product;
}

static uint64_t labels_of(const struct graph *graph, const struct operand *operand) {
    uint64_t labels = 0;
    for (uint8_t a = 0; a < graph_node(graph, operand->node)->rank; a++)
        labels |= (uint64_t)1 << operand->at[a];
    return labels;
}

static void find_newest(struct ordering *o) {
    node_id newest = 0;
    for (uint32_t k = 0; k < o->count; k++) {
        node_id id = o->form->operands.at[o->factor[k]].node;
        o->newest = id > newest ? 1u << k : id == newest ? o->newest | 1u << k : o->newest;
        newest = id > newest ? id : newest;
    }
}

static void find_labels(struct ordering *o) {
    uint32_t all = (1u << o->count) - 1;
    for (uint32_t set = 1; set <= all; set++) {
        uint32_t low = (uint32_t)__builtin_ctz(set), rest = set & (set - 1);
        o->of[set].labels = o->of[rest].labels | labels_of(o->graph, &o->form->operands.at[o->factor[low]]);
    }
    for (uint32_t set = 1; set <= all; set++)
        o->of[set].open = o->of[set].labels & (o->result | o->of[all & ~set].labels);
}

/* Of equal splits the more balanced one: in powers of a matrix its halves are one node. */
static int imbalance(uint32_t part, uint32_t other) {
    int difference = __builtin_popcount(part) - __builtin_popcount(other);
    return difference < 0 ? -difference : difference;
}

/* A derivative passes its direction through a chain of factors, which costs no more than the function did; factors
 * multiplied with each other before may cost more, or less, by any ratio of sizes. The direction is what was made last:
 * where the nominal sizes do not tell, a product without it is held to be dearer. */
static double without_newest(const struct ordering *o, uint32_t set) {
    return set & o->newest ? 1 : 1.125;
}

/* A factor alone costs its own sums; two parts cost a multiply, and an add where they are summed. */
static void consider(struct ordering *o, uint32_t set, uint32_t part) {
    struct subset *whole = &o->of[set];
    const uint32_t rest = set & ~part;
    const struct subset *x = &o->of[part], *y = &o->of[rest];
    const uint64_t both = x->open | y->open;
    if (!x->useful || !y->useful || (whole->split && x->cost + y->cost > whole->cost))
        return;
    double flops = elements(o, both) * (both & ~whole->open ? 2 : 1) * without_newest(o, set);
    double cost = x->cost + y->cost + flops;
    double between = x->between + y->between + elements(o, whole->open);
    bool tie = cost <= whole->cost && between <= whole->between;
    bool balanced = imbalance(part, rest) < imbalance(whole->split, set & ~whole->split);
    if (!whole->split || cost < whole->cost || (cost <= whole->cost && between < whole->between) || (tie && balanced)) {
        whole->cost = cost;
        whole->between = between;
        whole->split = part;
    }
}

/* All factors that hang together with those of the set through labels, one step after the other. */
static uint32_t component(const struct ordering *o, uint32_t of, uint32_t within) {
    for (uint32_t before = 0; before != of;) {
        before = of;
        for (uint32_t k = 0; k < o->count; k++)
            if (within >> k & 1 && o->of[1u << k].labels & o->of[of].labels)
                of |= 1u << k;
    }
    return of;
}

/* Subsets that hang together, and whole components of the product beside each other. */
static bool is_useful(const struct ordering *o, uint32_t set) {
    uint32_t all = (1u << o->count) - 1, low = set & -set;
    if (!o->matrices || component(o, low, set) == set)
        return true;
    for (uint32_t rest = set; rest; rest &= rest - 1)
        if (component(o, rest & -rest, all) & ~set)
            return false;
    return true;
}

/* ---- Products of two that are there already -----------------------------------------------------------------------
 */

/* An axis of a factor: is it seen from outside, and which axis of the other factor has its label? */
static uint8_t axis_key(const struct ordering *o, const struct operand *of, uint8_t axis, const struct operand *other,
                        uint64_t open) {
    uint8_t rank = graph_node(o->graph, other->node)->rank, at = 0;
    while (at < rank && other->at[at] != of->at[axis])
        at++;
    return (uint8_t)(2 * (at < rank ? at : MAX_RANK) + (int)(open >> of->at[axis] & 1));
}

/* The same, of a symmetric node in one order. */
static struct operand in_one_order(const struct ordering *o, struct operand of, const struct operand *other,
                                   uint64_t open) {
    bool symmetric = graph_structure(o->graph, of.node) & STRUCTURE_SYMMETRIC;
    if (symmetric && axis_key(o, &of, 0, other, open) > axis_key(o, &of, 1, other, open)) {
        label first = of.at[0];
        of.at[0] = of.at[1];
        of.at[1] = first;
    }
    return of;
}

static uint64_t ordered_pair_key(const struct ordering *o, const struct operand *x, const struct operand *y,
                                 uint64_t open) {
    struct operand first = in_one_order(o, *x, y, open), second = in_one_order(o, *y, &first, open);
    const struct operand *pair[] = {&first, &second};
    uint64_t hash = hash_bytes(0, &(node_id[]){first.node, second.node}, 2 * sizeof(node_id));
    for (int i = 0; i < 2; i++)
        for (uint8_t a = 0; a < graph_node(o->graph, pair[i]->node)->rank; a++)
            hash = hash_bytes(hash, (uint8_t[]){axis_key(o, pair[i], a, pair[1 - i], open)}, 1);
    return hash;
}

/* What the product of two factors is, whatever its labels are called and in which order it is read. Two products may
 * have one key by accident; they then are only held to be cheaper than they are. */
static uint64_t pair_key(const struct ordering *o, const struct operand *x, const struct operand *y, uint64_t open) {
    uint64_t one = ordered_pair_key(o, x, y, open), other = ordered_pair_key(o, y, x, open);
    return one < other ? one : other;
}

static void note_pair(const struct ordering *o, const struct operand *parts, uint64_t open) {
    if (o->made)
        *map_at(o->made, pair_key(o, &parts[0], &parts[1], open)) = 1;
}

/* Is the set two factors whose product another value has, too? */
static bool is_made(const struct ordering *o, uint32_t set) {
    uint32_t low = set & -set, high = set & ~low;
    if (!o->made || !high || high & (high - 1))
        return false;
    const struct operand *x = &o->form->operands.at[o->factor[__builtin_ctz(low)]];
    const struct operand *y = &o->form->operands.at[o->factor[__builtin_ctz(high)]];
    return o->of[low].open == o->of[low].labels && o->of[high].open == o->of[high].labels &&
           map_get(o->made, pair_key(o, x, y, o->of[set].open));
}

static void search(struct ordering *o) {
    for (uint32_t set = 1; set < 1u << o->count; set++) {
        o->of[set].useful = is_useful(o, set);
        if (!o->of[set].useful)
            continue;
        uint32_t low = set & -set;
        if (set == low && o->of[set].open != o->of[set].labels)
            o->of[set].cost = elements(o, o->of[set].labels);
        for (uint32_t part = (set - 1) & set; part; part = (part - 1) & set)
            if (part & low)
                consider(o, set, part);
        if (is_made(o, set))
            o->of[set].cost = o->of[set].between = 0;
    }
}

/* What is between is stored as the result is: its labels in the same order, then those that are summed later. */
static uint8_t list_labels(const struct ordering *o, uint64_t bits, label kept[MAX_RANK]) {
    uint8_t rank = 0;
    for (label l = 0; l < o->form->labels; l++) {
        label next = l < o->rank ? o->order[l] : l;
        if (bits >> next & 1)
            kept[rank++] = next;
    }
    return rank;
}

/* The value as an operand that is read at these labels. */
static struct operand read_at(struct value value, const label *labels) {
    struct operand operand = {.node = value.node, .coefficient = 1};
    for (uint8_t i = 0; i < value.rank; i++)
        operand.at[value.axis[i]] = labels[i];
    return operand;
}

/* Builds a subset's product by its best splits. Depth at most MAX_FACTORS. */
static struct operand build(struct ordering *o, uint32_t set) {
    label kept[MAX_RANK];
    struct operand parts[2];
    uint32_t count = 1;
    if (o->of[set].split) {
        parts[0] = build(o, o->of[set].split);
        parts[1] = build(o, set & ~o->of[set].split);
        note_pair(o, parts, o->of[set].open);
        count = 2;
    } else {
        parts[0] = o->form->operands.at[o->factor[__builtin_ctz(set)]];
        if (o->of[set].open == o->of[set].labels)
            return parts[0];
    }
    uint8_t rank = list_labels(o, o->of[set].open, kept);
    struct value value = graph_product_of(o->graph, 1, parts, count, o->form->size, kept, rank);
    return read_at(value, kept);
}

/* The last product, with the coefficient and the scalar factors. What is the same along an axis of the result is summed
 * once and then replicated. */
static struct value finish(struct ordering *o, node_id id, struct operand *operands, uint32_t count) {
    const struct node node = *graph_node(o->graph, id);
    uint32_t all = (1u << o->count) - 1;
    if (o->count && o->result & ~o->of[all].labels) {
        operands[count++] = build(o, all);
    } else if (o->of[all].split) {
        operands[count++] = build(o, o->of[all].split);
        operands[count++] = build(o, all & ~o->of[all].split);
        if (count == 2 && node.number == 1)
            note_pair(o, operands, o->result);
    } else if (o->count) {
        operands[count++] = o->form->operands.at[o->factor[0]];
    }
    return in_axis_order(graph_product_of(o->graph, node.number, operands, count, o->form->size, o->order, node.rank),
                         o->order);
}

/* Every prefix is its last factor times the prefix before. */
static void take_as_written(struct ordering *o) {
    for (uint32_t k = 1; k < o->count; k++)
        o->of[(1u << (k + 1)) - 1].split = (1u << k) - 1;
}

static bool is_between(const struct graph *graph, const struct operand *operand, label p, label q) {
    return graph_node(graph, operand->node)->rank == 2 &&
           ((operand->at[0] == p && operand->at[1] == q) || (operand->at[0] == q && operand->at[1] == p));
}

/* Joins a mask with the arrays that it may hide a triangle of, which are read behind it only: what stands in the rest
 * of the array may be anything. Number i is the mask's. */
static void join_masked(struct graph *graph, struct index_form *form, size_t i) {
    struct operand joined[MAX_FACTORS], mask = form->operands.at[i];
    VEC(struct operand) others = {0};
    uint32_t count = 0;
    bool inputs = false;
    for (size_t k = 0; k < form->operands.len; k++) {
        bool input = graph_node(graph, form->operands.at[k].node)->kind == NODE_INPUT &&
                     is_between(graph, &form->operands.at[k], mask.at[0], mask.at[1]);
        inputs = inputs || input;
        if (input || k == i)
            joined[count++] = form->operands.at[k];
        else
            vec_push(graph->arena, &others, form->operands.at[k]);
    }
    if (!inputs || (others.len == 0 && count == 2))
        return;
    struct value made = graph_product_of(graph, 1, joined, count, form->size, mask.at, 2);
    vec_push(graph->arena, &others, read_at(made, mask.at));
    form->operands.len = 0;
    for (size_t k = 0; k < others.len; k++)
        vec_push(graph->arena, &form->operands, others.at[k]);
}

static void join_all_masked(struct graph *graph, struct index_form *form) {
    for (size_t i = 0; i < form->operands.len;) {
        const struct operand *operand = &form->operands.at[i];
        size_t before = form->operands.len;
        if (graph_node(graph, operand->node)->kind == NODE_LOWER && graph_node(graph, operand->node)->rank == 2)
            join_masked(graph, form, i);
        i = form->operands.len == before ? i + 1 : 0;
    }
}

/* The product of node's factors, as form has them, two at a time. */
static struct value order_factors(struct graph *graph, node_id id, struct index_form *form, bool searched,
                                  struct map *made) {
    const struct node node = *graph_node(graph, id);
    struct ordering o = {.graph = graph, .form = form, .matrices = true, .made = made};
    struct operand operands[MAX_LABELS];
    uint32_t scalars = 0;
    if (node.kind != NODE_PRODUCT || node.labels == node.rank || form->operands.len > MAX_FACTORS)
        return graph_rebuild(graph, id, form, node.number);
    join_all_masked(graph, form);
    o.rank = node.rank;
    memcpy(o.order, graph_order(graph, id), sizeof o.order);
    o.result = ((uint64_t)1 << node.rank) - 1;
    for (uint32_t i = 0; i < form->operands.len; i++)
        if (graph_node(graph, form->operands.at[i].node)->rank == 0)
            operands[scalars++] = form->operands.at[i];
        else {
            o.matrices = o.matrices && graph_node(graph, form->operands.at[i].node)->rank <= 2;
            o.factor[o.count++] = i;
        }
    for (label l = 0; l < form->labels; l++)
        o.size[l] = nominal(graph->polys, form->size[l]);
    const size_t subsets = (size_t)1 << o.count;
    o.of = NEW_ARRAY(graph->arena, subsets, struct subset);
    find_labels(&o);
    find_newest(&o);
    if (searched)
        search(&o);
    else
        take_as_written(&o);
    struct value ordered = finish(&o, id, operands, scalars);
    RELEASE_ARRAY(graph->arena, subsets, o.of);
    return ordered;
}

/* ---- Products with deltas and selectors ---------------------------------------------------------------------------
 *
 * What is selected from comes first, so that only what is needed is multiplied; then the factors that have elements, as
 * in any product; what says where the result goes comes last. */

struct selecting {
    struct graph *graph;
    struct index_form form; /* of the product */
    node_id id;
    struct derived gathers; /* summed labels that follow from others */
    bool too_wide;          /* a gathered factor would have too many axes */
};

static bool is_placing(const struct graph *graph, const struct operand *operand) {
    enum node_kind kind = graph_node(graph, operand->node)->kind;
    return kind == NODE_DELTA || kind == NODE_SELECT;
}

static struct index_form form_of(struct graph *graph, node_id id) {
    const struct node node = *graph_node(graph, id);
    struct index_form form = {.labels = node.labels};
    if (node.labels)
        memcpy(form.size, node.size, node.labels * sizeof *node.size);
    for (uint32_t i = 0; i < node.count; i++)
        vec_push(graph->arena, &form.operands, node.operands[i]);
    return form;
}

static uint64_t placed_labels(const struct selecting *s, uint32_t except) {
    uint64_t labels = 0;
    for (uint32_t i = 0; i < s->form.operands.len; i++)
        if (i != except && is_placing(s->graph, &s->form.operands.at[i]))
            labels |= labels_of(s->graph, &s->form.operands.at[i]);
    return labels;
}

/* Is there a matrix product in it: several factors with elements, a sum over their labels, a result? */
static bool worth_ordering(const struct selecting *s) {
    uint32_t dense = 0;
    for (size_t i = 0; i < s->form.operands.len; i++)
        dense += graph_node(s->graph, s->form.operands.at[i].node)->rank > 0 &&
                 !is_placing(s->graph, &s->form.operands.at[i]);
    return dense > 1 && graph_node(s->graph, s->id)->rank > 0 && derived_labels(s->graph, s->id, true).any_sums;
}

/* The labels as a list; 0 of them where an array cannot have so many axes. */
static uint8_t list_of(uint64_t bits, label kept[MAX_RANK]) {
    uint8_t rank = 0;
    for (; bits && rank < MAX_RANK; bits &= bits - 1)
        kept[rank++] = (label)__builtin_ctzll(bits);
    return bits ? 0 : rank;
}

/* Reads a factor only where its selectors say: those whose index no other selector has. They are used up. */
static void gather(struct selecting *s, struct operand *operand, bool *used) {
    struct operand parts[MAX_RANK + 1] = {*operand};
    uint64_t open = labels_of(s->graph, operand);
    uint32_t count = 1, by[MAX_RANK];
    label kept[MAX_RANK];
    for (label l = 0; l < s->form.labels; l++) {
        uint32_t k = s->gathers.by[l];
        if (!(open >> l & 1) || k == NOT_DERIVED || placed_labels(s, k) >> l & 1)
            continue;
        by[count - 1] = k;
        parts[count++] = s->form.operands.at[k];
        open = (open & ~((uint64_t)1 << l)) | (labels_of(s->graph, &s->form.operands.at[k]) & ~((uint64_t)1 << l));
    }
    uint8_t rank = list_of(open, kept);
    s->too_wide = s->too_wide || (open && !rank);
    if (count == 1 || s->too_wide)
        return;
    for (uint32_t i = 0; i + 1 < count; i++)
        used[by[i]] = true;
    *operand = read_at(graph_product_of(s->graph, 1, parts, count, s->form.size, kept, rank), kept);
}

/* A value of a node in the place of that node, which was read as `read` says. */
static struct value read_through(struct value read, struct value now) {
    for (uint8_t i = 0; i < read.rank; i++)
        read.axis[i] = now.axis[read.axis[i]];
    read.node = now.node;
    return read;
}

static struct value order_made(struct graph *graph, struct value made, bool searched) {
    struct index_form form = form_of(graph, made.node);
    return read_through(made, order_factors(graph, made.node, &form, searched, NULL));
}

/* The factors by what is done with them: those with elements, gathered; scalars, and what places the result. */
static uint32_t part_factors(struct selecting *s, struct operand *dense, struct operand *rest, uint32_t *dense_count) {
    size_t count = s->form.operands.len;
    bool *used = NEW_ARRAY(s->graph->arena, count, bool);
    uint32_t others = 0;
    *dense_count = 0;
    for (size_t i = 0; i < count; i++)
        if (graph_node(s->graph, s->form.operands.at[i].node)->rank > 0 &&
            !is_placing(s->graph, &s->form.operands.at[i])) {
            dense[*dense_count] = s->form.operands.at[i];
            gather(s, &dense[(*dense_count)++], used);
        }
    for (size_t i = 0; i < count; i++)
        if (!used[i] && (graph_node(s->graph, s->form.operands.at[i].node)->rank == 0 ||
                         is_placing(s->graph, &s->form.operands.at[i])))
            rest[others++] = s->form.operands.at[i];
    return others;
}

static bool has_placing(const struct graph *graph, const struct operand *operands, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_placing(graph, &operands[i]))
            return true;
    return false;
}

static struct value order_selecting(struct graph *graph, node_id id, bool searched) {
    const struct node node = *graph_node(graph, id);
    struct selecting s = {graph, form_of(graph, id), id, derived_labels(graph, id, false), false};
    struct operand *dense = NEW_ARRAY(graph->arena, node.count, struct operand);
    struct operand *rest = NEW_ARRAY(graph->arena, node.count + 1, struct operand);
    struct axis_order order = graph->orders.at[id];
    label kept[MAX_RANK];
    uint32_t count;
    if (!worth_ordering(&s))
        return graph_value(graph, id);
    uint32_t others = part_factors(&s, dense, rest, &count);
    if (!s.too_wide && !has_placing(graph, rest, others)) {
        memcpy(rest + others, dense, count * sizeof *dense);
        return in_axis_order(
            order_made(graph,
                       graph_product_of(graph, node.number, rest, others + count, s.form.size, order.at, node.rank),
                       searched),
            order.at);
    }
    uint64_t labels = 0, outside = ((uint64_t)1 << node.rank) - 1;
    for (uint32_t i = 0; i < count; i++)
        labels |= labels_of(graph, &dense[i]);
    for (uint32_t i = 0; i < others; i++)
        outside |= labels_of(graph, &rest[i]);
    uint8_t rank = list_of(labels & outside, kept);
    if (s.too_wide || (labels & outside && !rank))
        return graph_value(graph, id);
    rest[others++] =
        read_at(order_made(graph, graph_product_of(graph, 1, dense, count, s.form.size, kept, rank), searched), kept);
    return in_axis_order(graph_product_of(graph, node.number, rest, others, s.form.size, order.at, node.rank),
                         order.at);
}

static void open_operand(struct graph *graph, struct index_form *form, size_t i, const struct node *inner) {
    struct operand outer = form->operands.at[i];
    form->operands.at[i] = form->operands.at[--form->operands.len];
    for (uint32_t k = 0; k < inner->count; k++) {
        struct operand operand = inner->operands[k];
        for (uint8_t a = 0; a < graph_node(graph, operand.node)->rank; a++)
            operand.at[a] = outer.at[operand.at[a]];
        vec_push(graph->arena, &form->operands, operand);
    }
}

/* A factor that became delta(j, l) T while it was ordered itself hides an index from the products around it: its
 * factors take its place. Returns their coefficient. */
static double open_placed(struct graph *graph, const struct node *node, struct index_form *form) {
    double number = 1;
    for (size_t i = 0; node->kind == NODE_PRODUCT && i < form->operands.len; i++) {
        const struct node inner = *graph_node(graph, form->operands.at[i].node);
        if (inner.kind != NODE_PRODUCT || inner.labels > inner.rank ||
            !has_placing(graph, inner.operands, inner.count) || form->operands.len + inner.count > MAX_FACTORS)
            continue;
        number *= inner.number;
        open_operand(graph, form, i--, &inner);
    }
    return number;
}

static struct value order(const struct rewriting *rewriting, node_id id, struct index_form *form, bool searched) {
    struct graph *graph = rewriting->graph;
    struct node node = *graph_node(graph, id);
    node.number *= open_placed(graph, &node, form);
    if (node.kind != NODE_PRODUCT || !has_placing(graph, form->operands.at, form->operands.len))
        return order_factors(graph, id, form, searched, rewriting->context);
    struct value now = graph_rebuild(graph, id, form, node.number);
    const struct node made = *graph_node(graph, now.node);
    if (made.kind == NODE_PRODUCT && has_placing(graph, made.operands, made.count))
        return read_through(now, order_selecting(graph, now.node, searched));
    return made.kind == NODE_PRODUCT ? order_made(graph, now, searched) : now;
}

struct value order_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    return order(rewriting, id, form, true);
}

struct value order_as_written_rule(const struct rewriting *rewriting, node_id id, struct index_form *form) {
    return order(rewriting, id, form, false);
}
