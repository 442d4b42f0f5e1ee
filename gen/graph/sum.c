/* The constructors of sums and of elementwise operators. */
#include "intern.h"

#include <stdlib.h>
#include <string.h>

enum { FLATTEN_TERMS = 32 };

/* A product's coefficient moves into its term; a number everywhere becomes that many ones. */
static struct operand normal_term(struct graph *graph, struct operand term) {
    struct node node = *graph_node(graph, term.node);
    struct axis_order order = graph->orders.at[term.node];
    double number;
    if (graph_is_fill(graph, term.node, &number)) {
        term = (struct operand){.node = graph_number(graph, 1), .coefficient = term.coefficient * number};
    } else if (node.kind == NODE_PRODUCT && node.number != 1) {
        term.coefficient *= node.number;
        node.number = 1;
        term.node = graph_intern(graph, &node, order.at);
    }
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
    if (flat.operands.len < count)
        *form = flat;
}

struct value graph_sum(struct graph *graph, const struct index_form *form, const label *result, uint8_t rank) {
    struct index_form terms = *form;
    poly size[MAX_RANK];
    memset(&terms.operands, 0, sizeof terms.operands);
    for (size_t i = 0; i < form->operands.len; i++)
        vec_push(graph->arena, &terms.operands, normal_term(graph, form->operands.at[i]));
    collect(graph, &terms);
    flatten_if_it_collects(graph, &terms);
    for (uint8_t i = 0; i < rank; i++)
        size[i] = form->size[result[i]];
    if (terms.operands.len == 0)
        return graph_fill(graph, 0, size, rank);
    if (terms.operands.len == 1) {
        double coefficient = terms.operands.at[0].coefficient;
        terms.operands.at[0].coefficient = 1;
        return graph_product(graph, coefficient, &terms, result, rank);
    }
    return intern_form(graph, (struct node){.kind = NODE_SUM}, &terms, result, rank);
}

static double evaluate(const struct op_record *record, const struct graph *graph, const struct index_form *form) {
    double x[MAX_ARGUMENTS] = {0};
    for (size_t i = 0; i < form->operands.len; i++)
        x[i] = graph_node(graph, form->operands.at[i].node)->number;
    return record->eval1   ? record->eval1(x[0])
           : record->eval2 ? record->eval2(x[0], x[1])
                           : record->eval3(x[0], x[1], x[2]);
}

struct value graph_map(struct graph *graph, enum op op, const struct index_form *form, const label *result,
                       uint8_t rank) {
    struct index_form arguments = *form;
    bool numbers = true;
    memset(&arguments.operands, 0, sizeof arguments.operands);
    for (size_t i = 0; i < form->operands.len; i++) {
        struct operand operand = form->operands.at[i];
        double number;
        if (graph_is_fill(graph, operand.node, &number))
            operand = (struct operand){.node = graph_number(graph, number), .coefficient = 1};
        else
            numbers = false;
        vec_push(graph->arena, &arguments.operands, operand);
    }
    if (!numbers)
        return intern_form(graph, (struct node){.kind = NODE_MAP, .op = op}, &arguments, result, rank);
    poly size[MAX_RANK];
    for (uint8_t i = 0; i < rank; i++)
        size[i] = form->size[result[i]];
    return graph_fill(graph, evaluate(&op_records[op], graph, &arguments), size, rank);
}
