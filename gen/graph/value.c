#include "value.h"

#include <string.h>

/* Values aligned at their last axes: each axis of the result is a label, or AXIS_UNIT where all have size 1. */
struct aligned {
    struct index_form form;
    label of_axis[MAX_RANK];
    uint8_t rank;
    bool row;
    label result[MAX_RANK];
    uint8_t result_rank;
};

poly value_size(const struct graph *graph, struct value value, uint8_t axis) {
    label a = value.axis[axis];
    return a == AXIS_UNIT ? poly_number(graph->polys, 1) : graph_node(graph, value.node)->size[a];
}

static void add_aligned(struct aligned *to, const struct graph *graph, struct value value, double coefficient) {
    label at[MAX_RANK];
    for (uint8_t i = 0; i < value.rank; i++)
        if (value.axis[i] != AXIS_UNIT)
            at[value.axis[i]] = to->of_axis[to->rank - value.rank + i];
    form_operand(&to->form, graph, value.node, at, coefficient);
}

static void align(struct aligned *to, const struct graph *graph, const struct value *values, uint32_t count) {
    memset(to, 0, sizeof *to);
    for (uint32_t k = 0; k < count; k++)
        to->rank = values[k].rank > to->rank ? values[k].rank : to->rank;
    memset(to->of_axis, AXIS_UNIT, sizeof to->of_axis);
    for (uint8_t i = 0; i < to->rank; i++)
        for (uint32_t k = 0; k < count && to->of_axis[i] == AXIS_UNIT; k++) {
            int axis = i - (to->rank - values[k].rank);
            if (axis >= 0 && values[k].axis[axis] != AXIS_UNIT)
                to->of_axis[i] = form_label(&to->form, value_size(graph, values[k], (uint8_t)axis));
        }
    for (uint32_t k = 0; k < count; k++)
        to->row = to->row || (to->rank == 1 && values[k].rank == 1 && values[k].row);
    for (uint8_t i = 0; i < to->rank; i++)
        if (to->of_axis[i] != AXIS_UNIT)
            to->result[to->result_rank++] = to->of_axis[i];
}

/* Puts the axes of size 1 back between those of the made value. */
static struct value unaligned(const struct aligned *from, struct value made) {
    struct value value = {.node = made.node, .rank = from->rank, .row = from->row};
    for (uint8_t i = 0, next = 0; i < from->rank; i++)
        value.axis[i] = from->of_axis[i] == AXIS_UNIT ? AXIS_UNIT : made.axis[next++];
    return value;
}

struct value value_add(struct graph *graph, const struct value *terms, const double *coefficients, uint32_t count) {
    struct aligned to;
    align(&to, graph, terms, count);
    for (uint32_t k = 0; k < count; k++)
        add_aligned(&to, graph, terms[k], coefficients[k]);
    return unaligned(&to, graph_sum(graph, &to.form, to.result, to.result_rank));
}

struct value value_multiply(struct graph *graph, double number, const struct value *factors, uint32_t count) {
    struct aligned to;
    align(&to, graph, factors, count);
    for (uint32_t k = 0; k < count; k++)
        add_aligned(&to, graph, factors[k], 1);
    return unaligned(&to, graph_product(graph, number, &to.form, to.result, to.result_rank));
}

struct value value_map(struct graph *graph, enum op op, const struct value *arguments, uint32_t count) {
    struct aligned to;
    align(&to, graph, arguments, count);
    for (uint32_t k = 0; k < count; k++)
        add_aligned(&to, graph, arguments[k], 1);
    return unaligned(&to, graph_map(graph, op, &to.form, to.result, to.result_rank));
}

struct value value_transpose(struct value value) {
    label first = value.axis[0];
    if (value.rank == 1)
        value.row = !value.row;
    if (value.rank == 2) {
        value.axis[0] = value.axis[1];
        value.axis[1] = first;
    }
    return value;
}

/* The label of each letter; AXIS_UNIT where some operand has size 1 there. */
static void label_letters(const struct graph *graph, const char *pattern, const struct value *factors,
                          struct index_form *form, label of_letter[256]) {
    memset(of_letter, AXIS_UNIT, 256);
    for (uint32_t k = 0, axis = 0; *pattern && *pattern != '-'; pattern++) {
        if (*pattern == ',') {
            k++;
            axis = 0;
            continue;
        }
        label *l = &of_letter[(unsigned char)*pattern];
        if (*l == AXIS_UNIT && factors[k].axis[axis] != AXIS_UNIT)
            *l = form_label(form, value_size(graph, factors[k], (uint8_t)axis));
        axis++;
    }
}

static void add_pattern_operands(struct graph *graph, const char *pattern, const struct value *factors, uint32_t count,
                                 struct index_form *form, const label of_letter[256]) {
    for (uint32_t k = 0; k < count; k++, pattern++) {
        label at[MAX_RANK];
        for (uint8_t axis = 0; axis < factors[k].rank; axis++, pattern++)
            if (factors[k].axis[axis] != AXIS_UNIT)
                at[factors[k].axis[axis]] = of_letter[(unsigned char)*pattern];
        form_operand(form, graph, factors[k].node, at, 1);
    }
}

/* The labels of the result; a letter that was there before gets a new label and a delta that ties the two. */
static uint8_t result_labels(struct graph *graph, const char *letters, struct index_form *form,
                             const label of_letter[256], struct value *value, label result[MAX_RANK]) {
    uint8_t rank = 0;
    for (value->rank = 0; letters[value->rank]; value->rank++) {
        label l = of_letter[(unsigned char)letters[value->rank]];
        value->axis[value->rank] = l;
        if (l == AXIS_UNIT)
            continue;
        for (uint8_t i = 0; i < rank; i++)
            if (result[i] == l) {
                label twin = form_label(form, form->size[l]);
                form_operand(form, graph, graph_delta(graph, form->size[l]), (label[]){l, twin}, 1);
                l = twin;
            }
        result[rank++] = l;
    }
    return rank;
}

struct value value_einsum(struct graph *graph, const char *pattern, const struct value *factors, uint32_t count) {
    struct index_form form = {0};
    label of_letter[256], result[MAX_RANK];
    struct value value = {0};
    label_letters(graph, pattern, factors, &form, of_letter);
    add_pattern_operands(graph, pattern, factors, count, &form, of_letter);
    uint8_t rank = result_labels(graph, strchr(pattern, '>') + 1, &form, of_letter, &value, result);
    struct value made = graph_product(graph, 1, &form, result, rank);
    value.node = made.node;
    for (uint8_t i = 0, next = 0; i < value.rank; i++)
        if (value.axis[i] != AXIS_UNIT)
            value.axis[i] = made.axis[next++];
    return value;
}

struct value value_matmul(struct graph *graph, struct value a, struct value b) {
    static const struct {
        uint8_t left, right; /* 0 vector, 1 row, 2 matrix */
        bool row;
        const char *pattern;
    } forms[] = {
        {2, 2, false, "ij,jk->ik"}, {2, 0, false, "ij,j->i"}, {1, 2, true, "i,ij->j"},
        {1, 0, false, "i,i->"},     {0, 1, false, "i,j->ij"}, {0, 0, false, "i,i->"},
        {0, 2, false, "i,ij->j"},   {1, 1, false, "i,i->"},   {2, 1, false, "ij,j->i"},
    };
    uint8_t left = a.rank == 2 ? 2 : a.row, right = b.rank == 2 ? 2 : b.row;
    size_t i = 0;
    while (forms[i].left != left || forms[i].right != right)
        i++;
    struct value product = value_einsum(graph, forms[i].pattern, (struct value[]){a, b}, 2);
    product.row = forms[i].row;
    return product;
}

/* The node's axes that belong to the value's axes. */
static uint32_t node_axes(struct value value, uint32_t axes) {
    uint32_t mask = 0;
    for (uint8_t i = 0; i < value.rank; i++)
        if (axes >> i & 1 && value.axis[i] != AXIS_UNIT)
            mask |= 1u << value.axis[i];
    return mask;
}

bool value_is_single(struct value value, uint32_t axes) {
    return node_axes(value, axes) == 0;
}

struct value value_squeeze(struct value value, uint32_t axes, bool keep) {
    struct value squeezed = {.node = value.node};
    for (uint8_t i = 0; i < value.rank; i++)
        if (keep || !(axes >> i & 1))
            squeezed.axis[squeezed.rank++] = value.axis[i];
    squeezed.row = squeezed.rank == 1 && value.row;
    return squeezed;
}

static struct value sum_node_axes(struct graph *graph, struct value value, uint32_t mask, label kept[MAX_RANK]) {
    struct index_form form = {0};
    label at[MAX_RANK] = {0}, result[MAX_RANK];
    uint8_t rank = 0, node_rank = graph_node(graph, value.node)->rank;
    for (uint8_t a = 0; a < node_rank; a++) {
        at[a] = form_label(&form, graph_node(graph, value.node)->size[a]);
        kept[a] = mask >> a & 1 ? AXIS_UNIT : rank;
        if (!(mask >> a & 1))
            result[rank++] = at[a];
    }
    form_operand(&form, graph, value.node, at, 1);
    struct value sum = graph_product(graph, 1, &form, result, rank);
    for (uint8_t a = 0; a < node_rank; a++)
        if (kept[a] != AXIS_UNIT)
            kept[a] = sum.axis[kept[a]];
    return sum;
}

struct value value_reduce(struct graph *graph, enum op op, struct value value, uint32_t axes, bool keep) {
    uint32_t mask = node_axes(value, axes);
    label kept[MAX_RANK] = {0}; /* where each axis of the node is in the reduced one */
    struct value reduced = {0};
    if (op == OP_sum) {
        reduced.node = sum_node_axes(graph, value, mask, kept).node;
    } else {
        for (uint8_t a = 0, next = 0; a < graph_node(graph, value.node)->rank; a++)
            kept[a] = mask >> a & 1 ? AXIS_UNIT : next++;
        reduced.node = graph_reduce(graph, op, value.node, mask);
    }
    for (uint8_t i = 0; i < value.rank; i++)
        if (axes >> i & 1) {
            if (keep)
                reduced.axis[reduced.rank++] = AXIS_UNIT;
        } else {
            reduced.axis[reduced.rank++] = value.axis[i] == AXIS_UNIT ? AXIS_UNIT : kept[value.axis[i]];
        }
    reduced.row = reduced.rank == 1 && value.row;
    return reduced;
}

struct value value_along(struct graph *graph, enum op op, struct value value, uint32_t axes) {
    value.node = graph_along(graph, op, value.node, node_axes(value, axes));
    return value;
}

poly value_count(const struct graph *graph, struct value value, uint32_t axes) {
    poly count = poly_number(graph->polys, 1);
    for (uint8_t i = 0; i < value.rank; i++)
        if (axes >> i & 1)
            count = poly_mul(graph->polys, count, value_size(graph, value, i));
    return count;
}

struct value value_number(struct graph *graph, double number) {
    return graph_value(graph, graph_number(graph, number));
}

uint8_t sizes_not_one(const struct graph *graph, const poly *size, uint8_t rank, poly *kept) {
    uint8_t count = 0;
    int64_t number;
    for (uint8_t i = 0; i < rank; i++)
        if (!poly_is_number(graph->polys, size[i], &number) || number != 1)
            kept[count++] = size[i];
    return count;
}

struct value value_over(struct graph *graph, node_id node, const poly *size, uint8_t rank, bool row) {
    struct value value = {.node = node, .rank = rank, .row = row};
    int64_t number;
    for (uint8_t i = 0, next = 0; i < rank; i++)
        value.axis[i] = poly_is_number(graph->polys, size[i], &number) && number == 1 ? (label)AXIS_UNIT : next++;
    return value;
}

struct value value_fresh_input(struct graph *graph, const char *name, struct value like) {
    poly size[MAX_RANK];
    label rank = 0;
    for (uint8_t i = 0; i < like.rank; i++)
        if (like.axis[i] != AXIS_UNIT) {
            size[rank] = value_size(graph, like, i);
            like.axis[i] = rank++;
        }
    uint8_t stored = graph_structure(graph, like.node) & STRUCTURE_STORED;
    like.node = graph_fresh_input(graph, name, rank, size);
    graph_promise(graph, like.node, stored);
    return like;
}

struct value value_inner(struct graph *graph, struct value a, struct value b) {
    struct value product = value_multiply(graph, 1, (struct value[]){a, b}, 2);
    return value_reduce(graph, OP_sum, product, (1u << product.rank) - 1, false);
}
