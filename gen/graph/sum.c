/* The constructors of sums and of elementwise operators. */
#include "intern.h"
#include "rewrite.h"

#include <stdlib.h>
#include <string.h>

enum { FLATTEN_TERMS = 32 };

/* A product's coefficient moves into its term; a number everywhere becomes that many ones. */
static struct operand normal_term(struct graph *graph, struct operand term) {
    double number;
    if (graph_is_fill(graph, term.node, &number))
        term = (struct operand){.node = graph_number(graph, 1), .coefficient = term.coefficient * number};
    else
        term.coefficient *= take_number(graph, &term);
    read_canonically(graph, &term, NULL);
    return term;
}

struct sorted {
    struct operand term;
    uint8_t rank;
    size_t place; /* keeps the written order of terms of one node */
};

static int compare_sorted(const void *x, const void *y) {
    const struct sorted *a = x, *b = y;
    if (a->term.node != b->term.node)
        return a->term.node < b->term.node ? -1 : 1;
    int at = memcmp(a->term.at, b->term.at, a->rank);
    return at ? at : a->place < b->place ? -1 : a->place > b->place;
}

static bool same_term(const struct sorted *a, const struct sorted *b) {
    return a->term.node == b->term.node && memcmp(a->term.at, b->term.at, a->rank) == 0;
}

/* Sorts the terms and adds up equal ones; terms that cancel go. */
static void collect(struct graph *graph, struct index_form *form) {
    size_t count = form->operands.len, kept = 0;
    struct sorted *sorted = NEW_ARRAY(graph->arena, count, struct sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct sorted){form->operands.at[i], graph_node(graph, form->operands.at[i].node)->rank, i};
    if (count)
        qsort(sorted, count, sizeof *sorted, compare_sorted);
    for (size_t i = 0; i < count;) {
        struct operand term = sorted[i].term;
        size_t first = i++;
        for (; i < count && same_term(&sorted[first], &sorted[i]); i++)
            term.coefficient += sorted[i].term.coefficient;
        if (term.coefficient != 0)
            form->operands.at[kept++] = term;
    }
    form->operands.len = kept;
    RELEASE_ARRAY(graph->arena, count, sorted);
}

/* The form with the terms of nested sums in their place. */
static struct index_form flattened(struct graph *graph, const struct index_form *form) {
    struct index_form flat = *form;
    memset(&flat.operands, 0, sizeof flat.operands);
    for (size_t i = 0; i < form->operands.len; i++) {
        struct operand outer = form->operands.at[i];
        struct node node = *graph_node(graph, outer.node);
        if (node.kind != NODE_SUM)
            vec_push(graph->arena, &flat.operands, outer);
        for (uint32_t k = 0; node.kind == NODE_SUM && k < node.count; k++) {
            struct operand term = node.operands[k];
            for (uint8_t a = 0; a < graph_node(graph, term.node)->rank; a++)
                term.at[a] = outer.at[term.at[a]];
            term.coefficient *= outer.coefficient;
            vec_push(graph->arena, &flat.operands, term);
        }
    }
    return flat;
}

static size_t flat_count(const struct graph *graph, const struct index_form *form) {
    size_t count = 0;
    for (size_t i = 0; i < form->operands.len; i++) {
        const struct node *node = graph_node(graph, form->operands.at[i].node);
        count += node->kind == NODE_SUM ? node->count : 1;
    }
    return count;
}

/* Nested sums are opened only where that makes terms meet: else they stay one shared node. */
static void flatten_if_it_collects(struct graph *graph, struct index_form *form) {
    size_t count = flat_count(graph, form);
    if (count == form->operands.len || count > FLATTEN_TERMS)
        return;
    struct index_form flat = flattened(graph, form);
    collect(graph, &flat);
    if (flat.operands.len < count) {
        const struct index_form nested = *form;
        *form = flat;
        flat = nested;
    }
    vec_free(graph->arena, &flat.operands);
}

/* ---- Terms that are one product in different brackets -------------------------------------------------------------
 *
 * The derivatives of x' S x by its two x are S x, of which one is the node that the program computes, and the other a
 * product of its own. */

enum { MOST_LEAVES = 16 };

/* The factors of a product, and of its product factors, in their place. */
struct leaves {
    node_id at[MOST_LEAVES];
    uint32_t count;
    bool nested, too_many;
};

static void add_leaves(const struct graph *graph, node_id id, struct leaves *leaves) {
    const struct node *node = graph_node(graph, id);
    for (uint32_t i = 0; i < node->count && !leaves->too_many; i++) {
        node_id factor = node->operands[i].node;
        bool product = graph_node(graph, factor)->kind == NODE_PRODUCT;
        leaves->nested = leaves->nested || product;
        leaves->too_many = leaves->count == MOST_LEAVES;
        if (product)
            add_leaves(graph, factor, leaves);
        else if (!leaves->too_many)
            leaves->at[leaves->count++] = factor;
    }
}

static int compare_ids(const void *x, const void *y) {
    const node_id *a = x, *b = y;
    return *a < *b ? -1 : *a > *b;
}

static struct leaves leaves_of(const struct graph *graph, const struct operand *term) {
    struct leaves leaves = {.count = 0};
    if (graph_node(graph, term->node)->kind == NODE_PRODUCT)
        add_leaves(graph, term->node, &leaves);
    qsort(leaves.at, leaves.count, sizeof *leaves.at, compare_ids);
    return leaves;
}

static bool same_leaves(const struct leaves *a, const struct leaves *b) {
    return (a->nested || b->nested) && !a->too_many && !b->too_many && a->count == b->count &&
           memcmp(a->at, b->at, a->count * sizeof *a->at) == 0;
}

/* The first factor that is a product; SIZE_MAX if there is none. */
static size_t inner_product(const struct graph *graph, const struct index_form *form) {
    for (size_t i = 0; i < form->operands.len; i++) {
        const struct node *node = graph_node(graph, form->operands.at[i].node);
        if (node->kind == NODE_PRODUCT && node->count)
            return i;
    }
    return SIZE_MAX;
}

/* The term without brackets; node 0 where the labels do not suffice. */
static struct operand without_brackets(struct graph *graph, const struct operand *term) {
    static const label identity[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    const struct node node = *graph_node(graph, term->node);
    struct index_form form = {.labels = node.labels};
    struct operand flat = {.coefficient = term->coefficient};
    double number = node.number;
    memcpy(form.size, node.size, node.labels * sizeof *node.size);
    for (uint32_t i = 0; i < node.count; i++)
        vec_push(graph->arena, &form.operands, node.operands[i]);
    for (size_t i; (i = inner_product(graph, &form)) != SIZE_MAX;) {
        number *= graph_node(graph, form.operands.at[i].node)->number;
        if (!form_splice(graph, &form, i))
            return flat;
    }
    struct value value = graph_product(graph, number, &form, identity, node.rank);
    vec_free(graph->arena, &form.operands);
    flat.node = value.node;
    for (uint8_t i = 0; i < value.rank; i++)
        flat.at[value.axis[i]] = term->at[i];
    return normal_term(graph, flat);
}

static bool same_product(struct graph *graph, const struct operand *a, const struct operand *b) {
    struct operand x = without_brackets(graph, a), y = without_brackets(graph, b);
    return x.node && x.node == y.node && x.coefficient == a->coefficient && y.coefficient == b->coefficient &&
           memcmp(x.at, y.at, graph_node(graph, x.node)->rank) == 0;
}

/* Of two such terms the one that costs less stays. */
static void collect_across_brackets(struct graph *graph, struct index_form *form) {
    const size_t count = form->operands.len;
    struct leaves *leaves = NEW_ARRAY(graph->arena, count, struct leaves);
    for (size_t i = 0; i < form->operands.len; i++)
        leaves[i] = leaves_of(graph, &form->operands.at[i]);
    for (size_t i = 0; i < form->operands.len; i++)
        for (size_t k = i + 1; k < form->operands.len; k++) {
            struct operand *a = &form->operands.at[i], *b = &form->operands.at[k];
            if (!leaves[i].count || !same_leaves(&leaves[i], &leaves[k]) || !same_product(graph, a, b))
                continue;
            double coefficient = a->coefficient + b->coefficient;
            if (graph_node(graph, b->node)->labels < graph_node(graph, a->node)->labels)
                *a = *b;
            a->coefficient = coefficient;
            *b = vec_pop(&form->operands);
            leaves[k] = leaves[form->operands.len];
            k = i;
        }
    RELEASE_ARRAY(graph->arena, count, leaves);
    collect(graph, form);
}

/* ---- A delta that all terms have ----------------------------------------------------------------------------------
 */

/* The labels of delta k of a term, which is a product, or a delta itself; false if there is none. */
static bool delta_at(const struct graph *graph, const struct operand *term, uint32_t k, label at[2]) {
    const struct node *node = graph_node(graph, term->node);
    bool alone = node->kind == NODE_DELTA && k == 0;
    if (!alone && (node->kind != NODE_PRODUCT || graph_node(graph, node->operands[k].node)->kind != NODE_DELTA))
        return false;
    for (int i = 0; i < 2; i++)
        at[i] = alone ? term->at[i] : term->at[node->operands[k].at[i]];
    return at[0] != at[1];
}

static uint32_t count_factors(const struct graph *graph, const struct operand *term) {
    const struct node *node = graph_node(graph, term->node);
    return node->kind == NODE_DELTA ? 1 : node->kind == NODE_PRODUCT ? node->count : 0;
}

/* The place among a term's factors of its delta of p and q, -1 if it has none. */
static int find_delta(const struct graph *graph, const struct operand *term, label p, label q) {
    label at[2];
    for (uint32_t k = 0; k < count_factors(graph, term); k++)
        if (delta_at(graph, term, k, at) && ((at[0] == p && at[1] == q) || (at[0] == q && at[1] == p)))
            return (int)k;
    return -1;
}

static bool have_delta(const struct graph *graph, const struct index_form *terms, label p, label q) {
    for (size_t i = 0; i < terms->operands.len; i++)
        if (find_delta(graph, &terms->operands.at[i], p, q) < 0)
            return false;
    return true;
}

/* New labels for those of a term's node, with that of q the same as that of p. */
static void labels_without(struct index_form *form, const struct node *node, const struct operand *term, label p,
                           label q, label *of) {
    label of_p = AXIS_UNIT;
    for (label l = 0; l < node->labels; l++) {
        bool axis = l < node->rank;
        if (axis && term->at[l] == q)
            continue;
        of[l] = form_label(form, node->size[l]);
        of_p = axis && term->at[l] == p ? of[l] : of_p;
    }
    for (label l = 0; l < node->rank; l++)
        of[l] = term->at[l] == q ? of_p : of[l];
}

/* Has an operand the label? A label that none has is a broadcast, and need not be an axis of a term. */
static bool has_label(const struct graph *graph, const struct index_form *form, label l) {
    for (size_t i = 0; i < form->operands.len; i++)
        for (uint8_t a = 0; a < graph_node(graph, form->operands.at[i].node)->rank; a++)
            if (form->operands.at[i].at[a] == l)
                return true;
    return false;
}

/* The term without its delta of p and q, and without the axis q. */
static struct operand without_delta(struct graph *graph, const struct operand *term, label p, label q) {
    const struct node node = *graph_node(graph, term->node);
    struct operand rest = {.node = graph_number(graph, 1), .coefficient = term->coefficient};
    int delta = find_delta(graph, term, p, q);
    struct index_form form = {0};
    label of[MAX_LABELS], result[MAX_RANK], axis[MAX_RANK];
    uint8_t rank = 0;
    if (node.kind == NODE_DELTA)
        return rest;
    labels_without(&form, &node, term, p, q, of);
    for (uint32_t k = 0; k < node.count; k++) {
        struct operand operand = node.operands[k];
        for (uint8_t a = 0; a < graph_node(graph, operand.node)->rank; a++)
            operand.at[a] = of[operand.at[a]];
        if ((int)k != delta)
            vec_push(graph->arena, &form.operands, operand);
    }
    for (label l = 0; l < node.rank; l++)
        if (term->at[l] != q && has_label(graph, &form, of[l])) {
            result[rank] = of[l];
            axis[rank++] = term->at[l];
        }
    struct value value =
        graph_product_of(graph, node.number, form.operands.at, (uint32_t)form.operands.len, form.size, result, rank);
    rest.node = value.node;
    for (uint8_t i = 0; i < rank; i++)
        rest.at[value.axis[i]] = axis[i];
    return rest;
}

/* sum_k c_k delta_pq t_k = delta_pq sum_k c_k t_k */
static struct value take_delta_out(struct graph *graph, const struct index_form *terms, const label *result,
                                   uint8_t rank, label p, label q) {
    label kept[MAX_RANK], at[MAX_RANK] = {0};
    struct index_form inner = *terms, outer = *terms;
    uint8_t count = 0;
    memset(&inner.operands, 0, sizeof inner.operands);
    memset(&outer.operands, 0, sizeof outer.operands);
    for (size_t i = 0; i < terms->operands.len; i++)
        vec_push(graph->arena, &inner.operands, without_delta(graph, &terms->operands.at[i], p, q));
    for (uint8_t i = 0; i < rank; i++)
        if (result[i] != q && has_label(graph, &inner, result[i]))
            kept[count++] = result[i];
    struct value sum = graph_sum(graph, &inner, kept, count);
    for (uint8_t i = 0; i < count; i++)
        at[sum.axis[i]] = kept[i];
    form_operand(&outer, graph, sum.node, at, 1);
    form_operand(&outer, graph, graph_delta(graph, terms->size[p]), (label[]){p, q}, 1);
    return graph_product(graph, 1, &outer, result, rank);
}

/* Node 0: the terms have no delta in common. */
static struct value factor_delta(struct graph *graph, const struct index_form *terms, const label *result,
                                 uint8_t rank) {
    const struct operand *first = &terms->operands.at[0];
    label at[2];
    for (uint32_t k = 0; k < count_factors(graph, first); k++)
        if (delta_at(graph, first, k, at) && have_delta(graph, terms, at[0], at[1]))
            return take_delta_out(graph, terms, result, rank, at[0], at[1]);
    return (struct value){0};
}

/* The terms, in one canonical form. */
static struct index_form terms_of(struct graph *graph, const struct index_form *form) {
    struct index_form terms = *form;
    memset(&terms.operands, 0, sizeof terms.operands);
    for (size_t i = 0; i < form->operands.len; i++)
        vec_push(graph->arena, &terms.operands, normal_term(graph, form->operands.at[i]));
    collect(graph, &terms);
    flatten_if_it_collects(graph, &terms);
    if (!graph->nested && terms.operands.len <= FLATTEN_TERMS)
        collect_across_brackets(graph, &terms);
    return terms;
}

static struct value sum_of(struct graph *graph, struct index_form *terms, const label *result, uint8_t rank) {
    poly size[MAX_RANK];
    for (uint8_t i = 0; i < rank; i++)
        size[i] = terms->size[result[i]];
    if (terms->operands.len == 0)
        return graph_fill(graph, 0, size, rank);
    if (terms->operands.len == 1) {
        double coefficient = terms->operands.at[0].coefficient;
        terms->operands.at[0].coefficient = 1;
        return graph_product(graph, coefficient, terms, result, rank);
    }
    struct value factored = factor_delta(graph, terms, result, rank);
    return factored.node ? factored : intern_form(graph, (struct node){.kind = NODE_SUM}, terms, result, rank);
}

struct value graph_sum(struct graph *graph, const struct index_form *form, const label *result, uint8_t rank) {
    struct index_form terms = terms_of(graph, form);
    struct value sum = sum_of(graph, &terms, result, rank);
    vec_free(graph->arena, &terms.operands);
    return sum;
}

static double evaluate(const struct op_record *record, const struct graph *graph, const struct index_form *form) {
    double x[MAX_ARGUMENTS] = {0};
    for (size_t i = 0; i < form->operands.len; i++)
        x[i] = graph_node(graph, form->operands.at[i].node)->number;
    return record->eval1   ? record->eval1(x[0])
           : record->eval2 ? record->eval2(x[0], x[1])
                           : record->eval3(x[0], x[1], x[2]);
}

/* The operands, of which fills are numbers; *numbers: all are. */
static struct index_form arguments_of(struct graph *graph, const struct index_form *form, bool *numbers) {
    struct index_form arguments = *form;
    memset(&arguments.operands, 0, sizeof arguments.operands);
    *numbers = true;
    for (size_t i = 0; i < form->operands.len; i++) {
        struct operand operand = form->operands.at[i];
        double number;
        if (graph_is_fill(graph, operand.node, &number))
            operand = (struct operand){.node = graph_number(graph, number), .coefficient = 1};
        else
            *numbers = false;
        vec_push(graph->arena, &arguments.operands, operand);
    }
    return arguments;
}

struct value graph_map(struct graph *graph, enum op op, const struct index_form *form, const label *result,
                       uint8_t rank) {
    bool numbers;
    struct index_form arguments = arguments_of(graph, form, &numbers);
    poly size[MAX_RANK];
    for (uint8_t i = 0; i < rank; i++)
        size[i] = form->size[result[i]];
    struct value map = numbers
                           ? graph_fill(graph, evaluate(&op_records[op], graph, &arguments), size, rank)
                           : intern_form(graph, (struct node){.kind = NODE_MAP, .op = op}, &arguments, result, rank);
    vec_free(graph->arena, &arguments.operands);
    return map;
}
