/* The constructors of products: nested factors, numbers, deltas and free labels go; what is left has one canonical
 * form. */
#include "intern.h"

#include <stdlib.h>
#include <string.h>

enum { FLATTEN_FACTORS = 8 };

struct building {
    struct graph *graph;
    struct index_form form;
    double number;
    bool in_result[MAX_LABELS];
    bool sums;              /* over some label */
    bool alive[MAX_LABELS]; /* not merged into another label */
};

static void start(struct building *b, struct graph *graph, double number, const struct index_form *form,
                  const label *result, uint8_t rank) {
    memset(b, 0, sizeof *b);
    b->graph = graph;
    b->number = number;
    memcpy(b->form.size, form->size, form->labels * sizeof *form->size);
    b->form.labels = form->labels;
    for (size_t i = 0; i < form->operands.len; i++)
        vec_push(graph->arena, &b->form.operands, form->operands.at[i]);
    for (label l = 0; l < form->labels; l++)
        b->alive[l] = true;
    for (uint8_t i = 0; i < rank; i++)
        b->in_result[result[i]] = true;
    b->sums = form->labels > rank;
}

static void drop(struct building *b, size_t i) {
    b->form.operands.at[i] = vec_pop(&b->form.operands);
}

static bool hides_index(const struct graph *graph, const struct node *product) {
    for (uint32_t i = 0; i < product->count; i++)
        if (graph_node(graph, product->operands[i].node)->kind == NODE_DELTA ||
            graph_node(graph, product->operands[i].node)->kind == NODE_SELECT)
            return true;
    return false;
}

/* A product without sums inside another adds nothing but brackets; one with a delta or selector hides an index. Where
 * the outer product sums, the inner one is kept: others may use it too (if none does, merge_rule takes it in). */
static bool flattens(const struct building *b, const struct node *inner) {
    bool fits = !b->sums && b->form.operands.len + inner->count <= FLATTEN_FACTORS;
    return inner->labels == inner->rank && (fits || hides_index(b->graph, inner)) && !b->graph->nested;
}

static void splice(struct building *b, size_t i, const struct node *inner) {
    struct operand outer = b->form.operands.at[i];
    drop(b, i);
    for (uint32_t k = 0; k < inner->count; k++) {
        struct operand operand = inner->operands[k];
        for (uint8_t a = 0; a < graph_node(b->graph, operand.node)->rank; a++)
            operand.at[a] = outer.at[operand.at[a]];
        vec_push(b->graph->arena, &b->form.operands, operand);
    }
}

/* Is the product its one factor, read in another order of axes? */
static bool is_one_factor(const struct graph *graph, const struct node *product) {
    uint64_t seen = 0;
    if (product->count != 1 || graph_node(graph, product->operands[0].node)->rank != product->rank)
        return false;
    for (uint8_t a = 0; a < product->rank; a++)
        seen |= (uint64_t)1 << product->operands[0].at[a];
    return seen == ((uint64_t)1 << product->rank) - 1;
}

double take_number(struct graph *graph, struct operand *operand) {
    struct node product = *graph_node(graph, operand->node);
    const struct axis_order order = graph->orders.at[operand->node];
    const struct operand outer = *operand;
    const double number = product.number;
    if (product.kind != NODE_PRODUCT || number == 1)
        return 1;
    product.number = 1;
    if (!is_one_factor(graph, &product)) {
        operand->node = graph_intern(graph, &product, order.at);
        return number;
    }
    operand->node = product.operands[0].node;
    for (uint8_t a = 0; a < product.rank; a++)
        operand->at[a] = outer.at[product.operands[0].at[a]];
    return number;
}

/* Takes one operand apart; true if it was replaced by something else. */
static bool expand(struct building *b, size_t i) {
    struct node node = *graph_node(b->graph, b->form.operands.at[i].node);
    if (node.kind == NODE_NUMBER || (node.kind == NODE_PRODUCT && node.count == 0)) {
        b->number *= node.number;
        drop(b, i);
        return true;
    }
    if (node.kind != NODE_PRODUCT)
        return false;
    if (flattens(b, &node)) {
        b->number *= node.number;
        splice(b, i, &node);
        return true;
    }
    b->number *= take_number(b->graph, &b->form.operands.at[i]);
    return false;
}

static void replace_label(struct building *b, label from, label to) {
    for (size_t i = 0; i < b->form.operands.len; i++)
        for (uint8_t a = 0; a < graph_node(b->graph, b->form.operands.at[i].node)->rank; a++)
            if (b->form.operands.at[i].at[a] == from)
                b->form.operands.at[i].at[a] = to;
}

/* sum_q delta_pq x_q = x_p; delta_pp = 1; delta_pq x_q = delta_pq x_p where both labels stay. */
static bool eliminate_delta(struct building *b, size_t i) {
    struct operand delta = b->form.operands.at[i];
    label p = delta.at[0], q = delta.at[1];
    if (p != q && b->in_result[p] && b->in_result[q]) {
        label keep = p < q ? p : q, other = p < q ? q : p;
        drop(b, i);
        replace_label(b, other, keep);
        vec_push(b->graph->arena, &b->form.operands, delta);
        return false;
    }
    drop(b, i);
    if (p != q) {
        label gone = b->in_result[q] ? p : q;
        replace_label(b, gone, gone == q ? p : q);
        b->alive[gone] = false;
    }
    return true;
}

/* Eliminates until nothing changes; each round removes an operand, so it ends. A delta that stays is looked at once. */
static void eliminate_deltas(struct building *b) {
    size_t tries = b->form.operands.len;
    for (size_t i = 0; i < b->form.operands.len && tries;) {
        const struct node *node = graph_node(b->graph, b->form.operands.at[i].node);
        if (node->kind == NODE_DELTA && eliminate_delta(b, i)) {
            i = 0;
            tries = b->form.operands.len;
        } else if (node->kind == NODE_DELTA) {
            tries--;
        } else {
            i++;
        }
    }
}

/* A label that is summed and that no factor has any more counts its size. */
static void count_free_labels(struct building *b) {
    bool used[MAX_LABELS] = {false};
    for (size_t i = 0; i < b->form.operands.len; i++)
        for (uint8_t a = 0; a < graph_node(b->graph, b->form.operands.at[i].node)->rank; a++)
            used[b->form.operands.at[i].at[a]] = true;
    for (label l = 0; l < b->form.labels; l++)
        if (b->alive[l] && !used[l] && !b->in_result[l]) {
            node_id count = graph_dim(b->graph, b->form.size[l]);
            if (graph_node(b->graph, count)->kind == NODE_NUMBER)
                b->number *= graph_node(b->graph, count)->number;
            else
                form_operand(&b->form, b->graph, count, (label[]){0}, 1);
        }
}

/* Sort keys: a label by its place in the result, or after all of those by itself. */
struct sorted {
    struct operand operand;
    uint8_t rank;
    label key[MAX_RANK];
};

static int compare_sorted(const void *x, const void *y) {
    const struct sorted *a = x, *b = y;
    if (a->operand.node != b->operand.node)
        return a->operand.node < b->operand.node ? -1 : 1;
    return memcmp(a->key, b->key, a->rank);
}

static void sort_operands(struct building *b, const label *result, uint8_t rank) {
    size_t count = b->form.operands.len;
    struct sorted *sorted = NEW_ARRAY(b->graph->arena, count, struct sorted);
    label key[MAX_LABELS];
    for (label l = 0; l < b->form.labels; l++)
        key[l] = (label)(MAX_LABELS + l);
    for (uint8_t i = 0; i < rank; i++)
        key[result[i]] = i;
    for (size_t i = 0; i < count; i++) {
        sorted[i].operand = b->form.operands.at[i];
        read_canonically(b->graph, &sorted[i].operand, key);
        sorted[i].rank = graph_node(b->graph, sorted[i].operand.node)->rank;
        for (uint8_t a = 0; a < sorted[i].rank; a++)
            sorted[i].key[a] = key[sorted[i].operand.at[a]];
    }
    if (count)
        qsort(sorted, count, sizeof *sorted, compare_sorted);
    for (size_t i = 0; i < count; i++)
        b->form.operands.at[i] = sorted[i].operand;
    RELEASE_ARRAY(b->graph->arena, count, sorted);
}

static int map_flags(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    return node->kind == NODE_MAP ? op_records[node->op].flags : 0;
}

/* step(y) y is y for a y that is never negative, and 1/y y is 1 for one that is positive. */
static bool cancels(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    if (node->kind != NODE_MAP)
        return false;
    int argument = map_flags(graph, node->operands[0].node);
    if (node->op == OP_step)
        return argument & OP_NONNEGATIVE;
    return map_flags(graph, id) & OP_RECIPROCAL && (argument & OP_POSITIVE) == OP_POSITIVE;
}

/* The factor that is what factor i is an operator of, read at the same labels; the number of factors if none is. */
static size_t find_argument(const struct building *b, size_t i) {
    const struct operand *map = &b->form.operands.at[i], *of = &graph_node(b->graph, map->node)->operands[0];
    for (size_t k = 0; k < b->form.operands.len; k++) {
        const struct operand *factor = &b->form.operands.at[k];
        bool found = factor->node == of->node;
        for (uint8_t a = 0; found && a < graph_node(b->graph, of->node)->rank; a++)
            found = factor->at[a] == map->at[of->at[a]];
        if (found)
            return k;
    }
    return b->form.operands.len;
}

/* With its argument beside it a step goes, and a reciprocal together with that. */
static void cancel_factors(struct building *b) {
    for (size_t i = 0; i < b->form.operands.len; i++) {
        node_id id = b->form.operands.at[i].node;
        size_t k = cancels(b->graph, id) ? find_argument(b, i) : b->form.operands.len;
        if (k == b->form.operands.len)
            continue;
        bool alone = graph_node(b->graph, id)->op == OP_step;
        drop(b, alone || i > k ? i : k);
        if (!alone)
            drop(b, i > k ? k : i);
        i = (size_t)-1;
    }
}

/* Is the product just its one factor, read in another order of axes? */
static bool is_reading(const struct building *b, uint8_t rank) {
    if (b->form.operands.len != 1 || b->number != 1)
        return false;
    const struct operand *only = &b->form.operands.at[0];
    bool seen[MAX_LABELS] = {false};
    if (graph_node(b->graph, only->node)->rank != rank)
        return false;
    for (uint8_t a = 0; a < rank; a++) {
        if (seen[only->at[a]] || !b->in_result[only->at[a]])
            return false;
        seen[only->at[a]] = true;
    }
    return true;
}

static struct value reading(const struct operand *operand, const label *result, uint8_t rank) {
    struct value value = {.node = operand->node, .rank = rank};
    for (uint8_t i = 0; i < rank; i++)
        for (uint8_t a = 0; a < rank; a++)
            if (operand->at[a] == result[i])
                value.axis[i] = a;
    return value;
}

/* The labels of the result that factors have; *sums: is there any other label that they have? */
static uint8_t used_labels(const struct building *b, const label *result, uint8_t rank, label *used, bool *sums) {
    bool has[MAX_LABELS] = {false};
    uint8_t count = 0;
    *sums = false;
    for (size_t i = 0; i < b->form.operands.len; i++)
        for (uint8_t a = 0; a < graph_node(b->graph, b->form.operands.at[i].node)->rank; a++) {
            label l = b->form.operands.at[i].at[a];
            has[l] = true;
            *sums = *sums || !b->in_result[l];
        }
    for (uint8_t i = 0; i < rank; i++)
        if (has[result[i]])
            used[count++] = result[i];
    return count;
}

/* A sum that is the same along some axis is its value without that axis, broadcast. */
static struct value broadcast(struct building *b, const label *used, uint8_t used_count, const label *result,
                              uint8_t rank) {
    struct index_form outer = b->form;
    label at[MAX_RANK];
    memset(&outer.operands, 0, sizeof outer.operands);
    sort_operands(b, used, used_count);
    struct value sum =
        intern_form(b->graph, (struct node){.kind = NODE_PRODUCT, .number = 1}, &b->form, used, used_count);
    for (uint8_t i = 0; i < used_count; i++)
        at[sum.axis[i]] = used[i];
    form_operand(&outer, b->graph, sum.node, at, 1);
    struct value value =
        intern_form(b->graph, (struct node){.kind = NODE_PRODUCT, .number = b->number}, &outer, result, rank);
    vec_free(b->graph->arena, &outer.operands);
    return value;
}

static void simplify(struct building *b) {
    for (size_t i = 0; i < b->form.operands.len;)
        if (!expand(b, i))
            i++;
    do
        eliminate_deltas(b);
    while (select_rule(b->graph, &b->form, b->in_result, b->alive, &b->number) ||
           cancel_inverse(b->graph, &b->form, b->in_result, b->alive));
    cancel_factors(b);
    count_free_labels(b);
}

/* What is left, interned; size: of each axis of the result. */
static struct value finish(struct building *b, const poly *size, const label *result, uint8_t rank) {
    if (b->number == 0 || b->form.operands.len == 0)
        return graph_fill(b->graph, b->number, size, rank);
    label used[MAX_RANK];
    bool sums;
    uint8_t used_count = used_labels(b, result, rank, used, &sums);
    if (sums && used_count < rank)
        return broadcast(b, used, used_count, result, rank);
    sort_operands(b, result, rank);
    if (is_reading(b, rank))
        return reading(&b->form.operands.at[0], result, rank);
    return intern_form(b->graph, (struct node){.kind = NODE_PRODUCT, .number = b->number}, &b->form, result, rank);
}

struct value graph_product(struct graph *graph, double number, const struct index_form *form, const label *result,
                           uint8_t rank) {
    struct building b;
    poly size[MAX_RANK];
    for (uint8_t i = 0; i < rank; i++)
        size[i] = form->size[result[i]];
    start(&b, graph, number, form, result, rank);
    simplify(&b);
    struct value value = finish(&b, size, result, rank);
    vec_free(graph->arena, &b.form.operands);
    return value;
}

struct value graph_product_of(struct graph *graph, double number, const struct operand *operands, uint32_t count,
                              const poly *size, const label *kept, uint8_t rank) {
    struct index_form form = {0};
    label of[MAX_LABELS], result[MAX_RANK];
    uint64_t seen = 0;
    for (uint32_t k = 0; k < count; k++) {
        struct operand operand = operands[k];
        for (uint8_t a = 0; a < graph_node(graph, operand.node)->rank; a++) {
            label l = operand.at[a];
            if (!(seen >> l & 1))
                of[l] = form_label(&form, size[l]);
            seen |= (uint64_t)1 << l;
            operand.at[a] = of[l];
        }
        vec_push(graph->arena, &form.operands, operand);
    }
    for (uint8_t i = 0; i < rank; i++) {
        if (!(seen >> kept[i] & 1))
            of[kept[i]] = form_label(&form, size[kept[i]]);
        result[i] = of[kept[i]];
    }
    struct value value = graph_product(graph, number, &form, result, rank);
    vec_free(graph->arena, &form.operands);
    return value;
}
