#include "logarithm.h"

#include <math.h>

/* Products and reciprocals in each other that are looked through. */
enum { MOST_NESTED = 4 };

/* log(y) as a sum: terms, of factors that are positive unless rounded and say what their logarithms are, and the
 * logarithm of number times what is left, above and below a line, all read at the labels of y. */
struct split {
    struct lowering *lowering;
    struct index_form terms;
    double number;
    struct factors {
        VEC(struct operand) all;
    } above, below;
};

static struct value map_1(struct graph *graph, enum op op, struct value argument) {
    return value_map(graph, op, &argument, 1);
}

/* Is it op(a), with a read as it is? */
static bool is_plain(const struct graph *graph, const struct node *node) {
    if ((node->kind != NODE_MAP && node->kind != NODE_ALONG) || node->count != 1)
        return false;
    for (label a = 0; a < node->rank; a++)
        if (node->operands[0].at[a] != a)
            return false;
    return graph_node(graph, node->operands[0].node)->rank == node->rank;
}

static bool is_map(const struct graph *graph, node_id id, enum op op) {
    return graph_node(graph, id)->op == op && is_plain(graph, graph_node(graph, id));
}

static struct value argument_of(const struct graph *graph, node_id id) {
    return graph_value(graph, graph_node(graph, id)->operands[0].node);
}

/* sign * log, a value whose axes are read at these labels. */
static void add_term(struct split *s, struct value log, const label *of, double sign) {
    label at[MAX_RANK];
    for (uint8_t a = 0; a < log.rank; a++)
        at[log.axis[a]] = of[a];
    form_operand(&s->terms, s->lowering->graph, log.node, at, sign);
}

static bool take_known(struct split *s, const struct operand *factor, double sign) {
    const struct node node = *graph_node(s->lowering->graph, factor->node);
    if (!is_plain(s->lowering->graph, &node) || !op_records[node.op].logarithm)
        return false;
    struct bindings bindings = {.argument = {argument_of(s->lowering->graph, factor->node)}, .axes = node.along};
    add_term(s, lower_op_text(s->lowering, node.op, TEXT_LOGARITHM, &bindings), factor->at, sign);
    return true;
}

/* 1 + exp(a) and 1 - sigmoid(a), whose logarithms are softplus(a) and -softplus(a). */
static bool take_softplus(struct split *s, const struct operand *factor, double sign) {
    struct graph *graph = s->lowering->graph;
    const struct node sum = *graph_node(graph, factor->node);
    for (int i = 0; sum.kind == NODE_SUM && sum.count == 2 && i < 2; i++) {
        const struct operand one = sum.operands[i], other = sum.operands[1 - i];
        const struct node *number = graph_node(graph, one.node);
        const bool is_one = number->kind == NODE_NUMBER && number->number * one.coefficient == 1;
        if (!is_one || fabs(other.coefficient) != 1 ||
            !is_map(graph, other.node, other.coefficient == 1 ? OP_exp : OP_sigmoid))
            continue;
        label at[MAX_RANK];
        for (uint8_t a = 0; a < graph_node(graph, other.node)->rank; a++)
            at[a] = factor->at[other.at[a]];
        add_term(s, map_1(graph, OP_softplus, argument_of(graph, other.node)), at, sign * other.coefficient);
        return true;
    }
    return false;
}

static bool is_summed(const struct graph *graph, const struct node *product, const struct operand *factor) {
    for (uint8_t a = 0; a < graph_node(graph, factor->node)->rank; a++)
        if (factor->at[a] >= product->rank)
            return true;
    return false;
}

/* Does it have every summed label, and no label twice? */
static bool has_all_summed(const struct graph *graph, const struct node *product, const struct operand *factor) {
    uint64_t seen = 0;
    for (uint8_t a = 0; a < graph_node(graph, factor->node)->rank; a++) {
        if (seen >> factor->at[a] & 1)
            return false;
        seen |= (uint64_t)1 << factor->at[a];
    }
    for (label l = product->rank; l < product->labels; l++)
        if (!(seen >> l & 1))
            return false;
    return true;
}

/* Is it a sum of exp(a), perhaps times what is not summed, or of nothing? */
static bool sums_exp(const struct graph *graph, const struct node *product) {
    int summed = 0;
    for (uint32_t i = 0; i < product->count; i++)
        if (is_summed(graph, product, &product->operands[i])) {
            if (!is_map(graph, product->operands[i].node, OP_exp) ||
                !has_all_summed(graph, product, &product->operands[i]))
                return false;
            summed++;
        }
    return summed == (product->labels > product->rank);
}

/* log(sum(exp(a))) = logsumexp(a), over the same axes; at: of the product's axes. */
static void take_sum(struct split *s, const struct node *product, const struct operand *exp, const label *at,
                     double sign) {
    struct graph *graph = s->lowering->graph;
    label left[MAX_RANK];
    uint32_t axes = 0;
    uint8_t kept = 0;
    for (uint8_t a = 0; a < graph_node(graph, exp->node)->rank; a++)
        if (exp->at[a] >= product->rank)
            axes |= 1u << a;
        else
            left[kept++] = at[exp->at[a]];
    add_term(s, value_reduce(graph, OP_logsumexp, argument_of(graph, exp->node), axes, false), left, sign);
}

static void take(struct split *s, const struct operand *factor, double sign, int depth);
static bool split(struct split *s, struct lowering *lowering, node_id y, int depth);
static struct value sum_of(struct split *s);

static void take_factors(struct split *s, const struct node *product, const label *at, double sign, int depth) {
    const struct graph *graph = s->lowering->graph;
    for (uint32_t i = 0; i < product->count; i++) {
        struct operand inner = product->operands[i];
        if (is_summed(graph, product, &inner)) {
            take_sum(s, product, &inner, at, sign);
            continue;
        }
        for (uint8_t a = 0; a < graph_node(graph, inner.node)->rank; a++)
            inner.at[a] = at[inner.at[a]];
        take(s, &inner, sign, depth);
    }
}

/* The one factor beside selectors, each of which has one index for a summed label, all of them together for all of
 * these: the product is elements of that factor. The number of factors where it is something else. */
static uint32_t find_picked(const struct graph *graph, const struct node *product) {
    uint64_t picked = 0;
    uint32_t others = 0, found = product->count;
    for (uint32_t i = 0; i < product->count; i++) {
        const label first = product->operands[i].at[0];
        const bool picks = graph_node(graph, product->operands[i].node)->kind == NODE_SELECT &&
                           first >= product->rank && !(picked >> first & 1);
        picked |= picks ? (uint64_t)1 << first : 0;
        found = picks ? found : i;
        others += !picks;
    }
    for (label l = product->rank; l < product->labels; l++)
        others += !(picked >> l & 1);
    return others == 1 ? found : product->count;
}

/* The logarithm of elements is elements of the logarithm. */
static bool take_picked(struct split *s, const struct node *product, const label *at, double sign, int depth) {
    struct graph *graph = s->lowering->graph;
    const uint32_t i = find_picked(graph, product);
    struct split inner;
    if (i == product->count || !split(&inner, s->lowering, product->operands[i].node, depth))
        return false;
    const struct value log = sum_of(&inner);
    struct operand *operands = NEW_ARRAY(s->lowering->arena, product->count, struct operand);
    label result[MAX_RANK];
    for (uint32_t k = 0; k < product->count; k++)
        operands[k] = product->operands[k];
    operands[i].node = log.node;
    for (uint8_t a = 0; a < log.rank; a++)
        operands[i].at[log.axis[a]] = product->operands[i].at[a];
    for (label l = 0; l < product->rank; l++)
        result[l] = l;
    add_term(s, graph_product_of(graph, 1, operands, product->count, product->size, result, product->rank), at, sign);
    return true;
}

/* Is it 0 at known places? Its logarithm is -inf there, and no sum with what is in them. */
static bool has_zeros(const struct graph *graph, const struct node *product) {
    for (uint32_t i = 0; i < product->count; i++) {
        const enum node_kind kind = graph_node(graph, product->operands[i].node)->kind;
        if (kind == NODE_DELTA || kind == NODE_LOWER || kind == NODE_SELECT)
            return true;
    }
    return false;
}

static bool take_product(struct split *s, const struct operand *factor, double sign, int depth) {
    const struct node product = *graph_node(s->lowering->graph, factor->node);
    const double number = sign > 0 ? s->number * product.number : s->number / product.number;
    if (product.kind != NODE_PRODUCT || !isnormal(number))
        return false;
    if (has_zeros(s->lowering->graph, &product)) {
        if (!take_picked(s, &product, factor->at, sign, depth))
            return false;
        s->number = number;
        return true;
    }
    if (!sums_exp(s->lowering->graph, &product))
        return false;
    s->number = number;
    take_factors(s, &product, factor->at, sign, depth);
    return true;
}

/* The factor to the power sign. */
static void take(struct split *s, const struct operand *factor, double sign, int depth) {
    if (take_known(s, factor, sign) || take_softplus(s, factor, sign))
        return;
    if (depth && is_map(s->lowering->graph, factor->node, OP_reciprocal)) {
        struct operand argument = *factor;
        argument.node = graph_node(s->lowering->graph, factor->node)->operands[0].node;
        take(s, &argument, -sign, depth - 1);
    } else if (!depth || !take_product(s, factor, sign, depth - 1)) {
        vec_push(s->lowering->arena, sign > 0 ? &s->above.all : &s->below.all, *factor);
    }
}

static struct operand reciprocal_of(struct graph *graph, const struct operand *factor) {
    struct operand made = {.coefficient = 1};
    const struct value reciprocal = map_1(graph, OP_reciprocal, graph_value(graph, factor->node));
    made.node = reciprocal.node;
    for (uint8_t a = 0; a < reciprocal.rank; a++)
        made.at[reciprocal.axis[a]] = factor->at[a];
    return made;
}

/* sign times the logarithm of number times these, over those of the labels that they have. */
static void add_logarithm(struct split *s, double number, const struct factors *factors, double sign) {
    struct graph *graph = s->lowering->graph;
    label kept[MAX_RANK];
    bool has[MAX_LABELS] = {false};
    uint8_t rank = 0;
    for (size_t i = 0; i < factors->all.len; i++)
        for (uint8_t a = 0; a < graph_node(graph, factors->all.at[i].node)->rank; a++)
            has[factors->all.at[i].at[a]] = true;
    for (label l = 0; l < s->terms.labels; l++)
        if (has[l])
            kept[rank++] = l;
    const struct value product =
        graph_product_of(graph, number, factors->all.at, (uint32_t)factors->all.len, s->terms.size, kept, rank);
    add_term(s, map_1(graph, OP_log, product), kept, sign);
}

/* log(1 / z) = -log(z), also where z is negative; of a quotient the two may be negative together. */
static void add_rest(struct split *s) {
    struct graph *graph = s->lowering->graph;
    if (s->above.all.len == 0 && s->below.all.len > 0) {
        add_logarithm(s, 1 / s->number, &s->below, -1);
        return;
    }
    for (size_t i = 0; i < s->below.all.len; i++)
        vec_push(s->lowering->arena, &s->above.all, reciprocal_of(graph, &s->below.all.at[i]));
    add_logarithm(s, s->number, &s->above, 1);
}

/* Takes y apart; true if that makes its logarithm another. */
static bool split(struct split *s, struct lowering *lowering, node_id y, int depth) {
    const struct node node = *graph_node(lowering->graph, y);
    struct operand whole = {.node = y, .coefficient = 1};
    *s = (struct split){.lowering = lowering, .number = 1};
    for (label l = 0; l < node.rank; l++)
        whole.at[l] = form_label(&s->terms, node.size[l]);
    take(s, &whole, 1, depth);
    return s->terms.operands.len || (s->below.all.len && !s->above.all.len);
}

static struct value sum_of(struct split *s) {
    label result[MAX_RANK];
    for (label l = 0; l < s->terms.labels; l++)
        result[l] = l;
    if (s->above.all.len || s->below.all.len || s->number != 1)
        add_rest(s);
    return graph_sum(s->lowering->graph, &s->terms, result, s->terms.labels);
}

struct value logarithm_of(struct lowering *lowering, struct value y) {
    struct split s;
    return split(&s, lowering, y.node, MOST_NESTED) ? read_as(y, sum_of(&s)) : map_1(lowering->graph, OP_log, y);
}

struct value logarithm_of_1_plus(struct lowering *lowering, struct value a) {
    const struct value terms[] = {value_number(lowering->graph, 1), a};
    const struct value sum = value_add(lowering->graph, terms, (double[]){1, 1}, 2);
    struct split s;
    const bool known = graph_node(lowering->graph, sum.node)->kind == NODE_SUM && split(&s, lowering, sum.node, 0);
    return known ? read_as(sum, sum_of(&s)) : map_1(lowering->graph, OP_log1p, a);
}
