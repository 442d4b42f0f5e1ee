#include "arrange.h"

#include <string.h>

/* A value that is being made: its axes so far, each a label of the result or AXIS_UNIT. */
struct making {
    struct index_form form;
    struct value value; /* without its node; axes are labels */
};

static bool is_one(const struct graph *graph, poly size) {
    int64_t number;
    return poly_is_number(graph->polys, size, &number) && number == 1;
}

static poly one(const struct graph *graph) {
    return poly_number(graph->polys, 1);
}

static poly zero(const struct graph *graph) {
    return poly_number(graph->polys, 0);
}

/* Reads a value at new labels, one for each of its axes that is not 1. */
static void read_value(struct making *m, struct graph *graph, struct value value, label label_of[MAX_RANK]) {
    label at[MAX_RANK];
    for (uint8_t i = 0; i < value.rank; i++) {
        label_of[i] = AXIS_UNIT;
        if (value.axis[i] == AXIS_UNIT)
            continue;
        label_of[i] = form_label(&m->form, value_size(graph, value, i));
        at[value.axis[i]] = label_of[i];
    }
    form_operand(&m->form, graph, value.node, at, 1);
}

static void add_axis(struct making *m, label l) {
    m->value.axis[m->value.rank++] = l;
}

static struct value finish(struct making *m, struct graph *graph) {
    struct value value = m->value;
    label result[MAX_RANK] = {0};
    uint8_t rank = 0;
    for (uint8_t i = 0; i < value.rank; i++)
        if (value.axis[i] != AXIS_UNIT)
            result[rank++] = value.axis[i];
    struct value made = graph_product(graph, 1, &m->form, result, rank);
    value.node = made.node;
    for (uint8_t i = 0, next = 0; i < value.rank; i++)
        if (value.axis[i] != AXIS_UNIT)
            value.axis[i] = made.axis[next++];
    return value;
}

/* ---- Slices -------------------------------------------------------------------------------------------------------
 */

/* The axis of the result along which label p (AXIS_UNIT: the one element that there is) runs through the range. */
static label slice_axis(struct making *m, struct graph *graph, label p, const struct range *range) {
    bool single = range->index || is_one(graph, range->size);
    if (p != AXIS_UNIT && range->begin == zero(graph) && range->size == m->form.size[p] && !range->index)
        return p;
    label l = single ? (label)AXIS_UNIT : form_label(&m->form, range->size);
    if (p != AXIS_UNIT)
        form_select(&m->form, graph, p, range->begin, &l, (poly[]){one(graph)}, !single);
    return l;
}

struct value value_slice(struct graph *graph, struct value value, const struct range *ranges) {
    struct making m = {.value = {.row = false}};
    label label_of[MAX_RANK];
    read_value(&m, graph, value, label_of);
    for (uint8_t i = 0; i < value.rank; i++) {
        label l = slice_axis(&m, graph, label_of[i], &ranges[i]);
        if (!ranges[i].index)
            add_axis(&m, l);
    }
    m.value.row = value.row && m.value.rank == 1;
    return finish(&m, graph);
}

/* ---- Stacks -------------------------------------------------------------------------------------------------------
 */

static struct value as_matrix(struct value value) {
    struct value matrix = {.node = value.node, .rank = 2, .axis = {AXIS_UNIT, AXIS_UNIT}};
    if (value.rank == 2)
        return value;
    if (value.rank == 1)
        matrix.axis[value.row] = value.axis[0];
    return matrix;
}

/* One value in its place within a stack of total elements along the axis; 0 elsewhere. */
static struct value stacked(struct graph *graph, struct value value, int axis, poly offset, poly total) {
    struct making m = {.value = {.row = false}};
    label label_of[MAX_RANK];
    read_value(&m, graph, value, label_of);
    label p = form_label(&m.form, total), l = label_of[axis];
    form_select(&m.form, graph, p, offset, &l, (poly[]){one(graph)}, l != AXIS_UNIT);
    add_axis(&m, axis == 0 ? p : label_of[0]);
    add_axis(&m, axis == 1 ? p : label_of[1]);
    return finish(&m, graph);
}

struct value value_stack(struct graph *graph, const struct value *values, uint32_t count, int axis) {
    struct value *pieces = NEW_ARRAY(graph->arena, count, struct value);
    double *ones = NEW_ARRAY(graph->arena, count, double);
    poly total = zero(graph), offset = zero(graph);
    for (uint32_t i = 0; i < count; i++) {
        pieces[i] = as_matrix(values[i]);
        total = poly_add(graph->polys, total, value_size(graph, pieces[i], (uint8_t)axis));
    }
    for (uint32_t i = 0; i < count && count > 1; i++) {
        poly size = value_size(graph, pieces[i], (uint8_t)axis);
        pieces[i] = stacked(graph, pieces[i], axis, offset, total);
        offset = poly_add(graph->polys, offset, size);
        ones[i] = 1;
    }
    return count > 1 ? value_add(graph, pieces, ones, count) : pieces[0];
}

/* ---- Products of all elements, and other orders -------------------------------------------------------------------
 */

/* The axis with index i * size of k + k, where either may be AXIS_UNIT. */
static label joined_axis(struct making *m, struct graph *graph, label i, label k) {
    if (i == AXIS_UNIT || k == AXIS_UNIT)
        return i == AXIS_UNIT ? k : i;
    label p = form_label(&m->form, poly_mul(graph->polys, m->form.size[i], m->form.size[k]));
    form_select(&m->form, graph, p, zero(graph), (label[]){i, k}, (poly[]){m->form.size[k], one(graph)}, 2);
    return p;
}

struct value value_kron(struct graph *graph, struct value a, struct value b) {
    struct making m = {.value = {.row = false}};
    label of_a[MAX_RANK], of_b[MAX_RANK];
    read_value(&m, graph, as_matrix(a), of_a);
    read_value(&m, graph, as_matrix(b), of_b);
    for (uint8_t i = 0; i < 2; i++)
        add_axis(&m, joined_axis(&m, graph, of_a[i], of_b[i]));
    return finish(&m, graph);
}

struct value value_vec(struct graph *graph, struct value value) {
    struct making m = {.value = {.row = false}};
    label label_of[MAX_RANK];
    value = as_matrix(value);
    read_value(&m, graph, value, label_of);
    add_axis(&m, joined_axis(&m, graph, label_of[1], label_of[0]));
    return finish(&m, graph);
}

static bool has_sizes(const struct graph *graph, struct value value, const poly *size, uint8_t rank) {
    bool same = value.rank == rank;
    for (uint8_t i = 0; same && i < rank; i++)
        same = value_size(graph, value, i) == size[i];
    return same;
}

/* The elements in row-major order as a list. */
static struct value flattened(struct graph *graph, struct value value) {
    struct making m = {.value = {.row = false}};
    label label_of[MAX_RANK];
    value = as_matrix(value);
    read_value(&m, graph, value, label_of);
    add_axis(&m, joined_axis(&m, graph, label_of[0], label_of[1]));
    return finish(&m, graph);
}

/* A list as a value of these sizes, one of which may be all of it. */
static struct value unflattened(struct graph *graph, struct value list, const poly *size, uint8_t rank) {
    struct making m = {.value = {.row = false}};
    label label_of[MAX_RANK], real[MAX_RANK];
    poly step[MAX_RANK];
    uint8_t count = 0;
    read_value(&m, graph, list, label_of);
    for (uint8_t i = 0; i < rank; i++) {
        add_axis(&m, is_one(graph, size[i]) ? (label)AXIS_UNIT : form_label(&m.form, size[i]));
        if (m.value.axis[i] != AXIS_UNIT)
            real[count++] = m.value.axis[i];
    }
    step[0] = count == 2 ? size[1] : one(graph);
    step[1] = one(graph);
    if (label_of[0] != AXIS_UNIT)
        form_select(&m.form, graph, label_of[0], zero(graph), real, step, count);
    return finish(&m, graph);
}

struct value value_reshape(struct graph *graph, struct value value, const poly *size, uint8_t rank) {
    value.row = false;
    return has_sizes(graph, value, size, rank) ? value : unflattened(graph, flattened(graph, value), size, rank);
}

struct value value_triangle(struct graph *graph, struct value value, bool lower) {
    struct making m = {.value = {.row = false}};
    label label_of[MAX_RANK], at[MAX_RANK];
    uint8_t first = lower ? 0 : 1, second = lower ? 1 : 0, rank = 0;
    poly size[MAX_RANK];
    read_value(&m, graph, value, label_of);
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t axis = i ? second : first;
        if (label_of[axis] == AXIS_UNIT)
            continue;
        at[rank] = label_of[axis];
        size[rank++] = m.form.size[label_of[axis]];
    }
    if (label_of[second] != AXIS_UNIT) /* of one column all is lower, of one row the first element */
        form_operand(&m.form, graph, graph_lower(graph, rank, size), at, 1);
    add_axis(&m, label_of[0]);
    add_axis(&m, label_of[1]);
    return finish(&m, graph);
}

struct value value_projected(struct graph *graph, uint8_t structure, struct value value) {
    uint8_t zeros = structure & STRUCTURE_DIAGONAL;
    if (structure & STRUCTURE_SYMMETRIC)
        return value_add(graph, (struct value[]){value, value_transpose(value)}, (double[]){0.5, 0.5}, 2);
    if (zeros == STRUCTURE_DIAGONAL) {
        struct value diagonal = value_einsum(graph, "ii->i", &value, 1);
        return value_einsum(graph, "i->ii", &diagonal, 1);
    }
    return zeros && value.axis[0] != AXIS_UNIT ? value_triangle(graph, value, zeros == STRUCTURE_LOWER) : value;
}
