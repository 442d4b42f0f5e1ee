/* Leaves, interning, and what is common to all constructors; product.c holds the constructors of products. */
#include "graph.h"

#include "intern.h"

#include <string.h>

void graph_init(struct graph *graph, struct arena *arena, struct polys *polys) {
    memset(graph, 0, sizeof *graph);
    graph->arena = arena;
    graph->polys = polys;
    graph->by_hash.arena = arena;
    vec_push(arena, &graph->nodes, (struct node){0});
    vec_push(arena, &graph->spans, (struct span){0});
    vec_push(arena, &graph->orders, (struct axis_order){{0}});
    vec_push(arena, &graph->structures, 0);
    vec_push(arena, &graph->settled, 0);
    vec_push(arena, &graph->names, (struct node_name){0});
}

/* Numbers are keyed by their bits, so that -0 and 0, and all NaNs, stay what they were. */
static uint64_t hash_node(const struct graph *graph, const struct node *node) {
    uint64_t hash = hash_bytes(node->kind, &node->number, sizeof node->number);
    hash = hash_bytes(hash, &node->op, sizeof node->op);
    hash = hash_bytes(hash, &node->dim, sizeof node->dim);
    hash = hash_bytes(hash, &node->rank, 1);
    hash = hash_bytes(hash, &node->labels, 1);
    hash = hash_bytes(hash, &node->along, 1);
    hash = hash_bytes(hash, &node->name, sizeof node->name);
    hash = hash_bytes(hash, node->size, node->labels * sizeof *node->size);
    if (node->kind == NODE_SELECT)
        hash = hash_bytes(hash, node->step, node->rank * sizeof *node->step);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        hash = hash_bytes(hash, &operand->node, sizeof operand->node);
        hash = hash_bytes(hash, operand->at, graph_node(graph, operand->node)->rank);
        hash = hash_bytes(hash, &operand->coefficient, sizeof operand->coefficient);
    }
    return hash;
}

bool same_operands(const struct graph *graph, const struct operand *a, const struct operand *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (a[i].node != b[i].node || memcmp(&a[i].coefficient, &b[i].coefficient, sizeof a[i].coefficient) != 0 ||
            memcmp(a[i].at, b[i].at, graph_node(graph, a[i].node)->rank) != 0)
            return false;
    return true;
}

static bool same_node(const struct graph *graph, const struct node *a, const struct node *b) {
    return a->kind == b->kind && a->op == b->op && a->rank == b->rank && a->labels == b->labels &&
           a->along == b->along && a->count == b->count && a->dim == b->dim && a->name == b->name &&
           memcmp(&a->number, &b->number, sizeof a->number) == 0 &&
           (a->kind != NODE_SELECT || memcmp(a->step, b->step, a->rank * sizeof *a->step) == 0) &&
           (a->labels == 0 || memcmp(a->size, b->size, a->labels * sizeof *a->size) == 0) &&
           same_operands(graph, a->operands, b->operands, a->count);
}

static node_id add_node(struct graph *graph, const struct node *node, const label *order) {
    struct node kept = *node;
    struct axis_order read;
    for (label i = 0; i < MAX_RANK; i++)
        read.at[i] = order && i < node->rank ? order[i] : i;
    kept.size = arena_copy(graph->arena, node->size, node->labels * sizeof *node->size);
    if (node->step)
        kept.step = arena_copy(graph->arena, node->step, node->rank * sizeof *node->step);
    kept.operands = arena_copy(graph->arena, node->operands, node->count * sizeof *node->operands);
    vec_push(graph->arena, &graph->nodes, kept);
    vec_push(graph->arena, &graph->spans, graph->span);
    vec_push(graph->arena, &graph->orders, read);
    vec_push(graph->arena, &graph->structures, structure_of(graph, &kept));
    vec_push(graph->arena, &graph->settled, 0);
    vec_push(graph->arena, &graph->names, (struct node_name){0});
    return (node_id)(graph->nodes.len - 1);
}

node_id graph_intern(struct graph *graph, const struct node *node, const label *order) {
    uint64_t hash = hash_node(graph, node);
    struct hash_search search = hashes_search(hash);
    for (node_id id; (id = hashes_next(&graph->by_hash, &search));)
        if (same_node(graph, graph_node(graph, id), node))
            return id;
    node_id made = add_node(graph, node, order);
    hashes_add(&graph->by_hash, hash, made);
    return made;
}

node_id graph_input(struct graph *graph, const char *name, uint8_t rank, const poly *size) {
    return graph_intern(
        graph, &(struct node){.kind = NODE_INPUT, .name = name, .rank = rank, .labels = rank, .size = size}, NULL);
}

node_id graph_fresh_input(struct graph *graph, const char *name, uint8_t rank, const poly *size) {
    return add_node(graph, &(struct node){.kind = NODE_INPUT, .name = name, .rank = rank, .labels = rank, .size = size},
                    NULL);
}

node_id graph_number(struct graph *graph, double number) {
    return graph_intern(graph, &(struct node){.kind = NODE_NUMBER, .number = number}, NULL);
}

node_id graph_dim(struct graph *graph, poly dim) {
    int64_t number;
    if (poly_is_number(graph->polys, dim, &number))
        return graph_number(graph, (double)number);
    return graph_intern(graph, &(struct node){.kind = NODE_DIM, .dim = dim}, NULL);
}

node_id graph_delta(struct graph *graph, poly size) {
    return graph_intern(graph, &(struct node){.kind = NODE_DELTA, .rank = 2, .labels = 2, .size = (poly[]){size, size}},
                        NULL);
}

node_id graph_lower(struct graph *graph, uint8_t rank, const poly *size) {
    return graph_intern(graph, &(struct node){.kind = NODE_LOWER, .rank = rank, .labels = rank, .size = size}, NULL);
}

label form_label(struct index_form *form, poly size) {
    form->size[form->labels] = size;
    return form->labels++;
}

void form_operand(struct index_form *form, const struct graph *graph, node_id node, const label *at,
                  double coefficient) {
    struct operand operand = {.node = node, .coefficient = coefficient};
    memcpy(operand.at, at, graph_node(graph, node)->rank);
    vec_push(graph->arena, &form->operands, operand);
}

struct value graph_value(const struct graph *graph, node_id id) {
    struct value value = {.node = id, .rank = graph_node(graph, id)->rank};
    for (label i = 0; i < value.rank; i++)
        value.axis[i] = i;
    return value;
}

struct value graph_fill(struct graph *graph, double number, const poly *size, uint8_t rank) {
    if (rank == 0)
        return graph_value(graph, graph_number(graph, number));
    struct node fill = {.kind = NODE_PRODUCT, .rank = rank, .labels = rank, .size = size, .number = number};
    return graph_value(graph, graph_intern(graph, &fill, NULL));
}

bool graph_is_fill(const struct graph *graph, node_id id, double *number) {
    const struct node *node = graph_node(graph, id);
    *number = node->number;
    return node->kind == NODE_NUMBER || (node->kind == NODE_PRODUCT && node->count == 0);
}

/* The axes of a value whose result labels got these numbers. */
static struct value value_of(node_id id, const label *number_of, const label *result, uint8_t rank) {
    struct value value = {.node = id, .rank = rank};
    for (uint8_t i = 0; i < rank; i++)
        value.axis[i] = number_of[result[i]];
    return value;
}

void read_canonically(const struct graph *graph, struct operand *operand, const label *key) {
    if (!(graph_structure(graph, operand->node) & STRUCTURE_SYMMETRIC))
        return;
    label first = operand->at[0], second = operand->at[1];
    bool ordered = key ? key[first] <= key[second] : first <= second;
    operand->at[0] = ordered ? first : second;
    operand->at[1] = ordered ? second : first;
}

static void number_operand(const struct graph *graph, const struct operand *operand, const bool *in_result, bool summed,
                           struct numbering *numbering) {
    for (uint8_t a = 0; a < graph_node(graph, operand->node)->rank; a++) {
        label l = operand->at[a];
        if (in_result[l] != summed && numbering->of[l] == AXIS_UNIT)
            numbering->of[l] = numbering->count++;
    }
}

static int turn_of(const struct graph *graph, node_id id) {
    return 2 * graph_node(graph, id)->rank + !(graph_structure(graph, id) & STRUCTURE_SYMMETRIC);
}

/* Numbers the labels: those in result first, by first use in the operands (those with most axes first, symmetric ones
 * last since they have no order of their own), then result labels that no operand has, then the others by first use.
 * One order for every way to write the same expression. */
void number_labels(const struct graph *graph, const struct index_form *form, const label *result, uint8_t rank,
                   struct numbering *numbering) {
    bool in_result[MAX_LABELS] = {false};
    int first_turn = 0;
    memset(numbering->of, AXIS_UNIT, sizeof numbering->of);
    numbering->count = 0;
    for (uint32_t i = 0; i < form->operands.len; i++) {
        int turn = turn_of(graph, form->operands.at[i].node);
        first_turn = turn > first_turn ? turn : first_turn;
    }
    for (uint8_t i = 0; i < rank; i++)
        in_result[result[i]] = true;
    for (int summed = 0; summed < 2; summed++) {
        for (int turn = first_turn; turn > 1; turn--)
            for (uint32_t i = 0; i < form->operands.len; i++)
                if (turn_of(graph, form->operands.at[i].node) == turn)
                    number_operand(graph, &form->operands.at[i], in_result, summed, numbering);
        for (uint8_t i = 0; i < rank && !summed; i++)
            if (numbering->of[result[i]] == AXIS_UNIT)
                numbering->of[result[i]] = numbering->count++;
    }
}

/* Interns a node of these operands with their labels renumbered. */
struct value intern_form(struct graph *graph, struct node node, const struct index_form *form, const label *result,
                         uint8_t rank) {
    struct numbering numbering;
    poly size[MAX_LABELS];
    label order[MAX_RANK] = {0};
    number_labels(graph, form, result, rank, &numbering);
    struct operand *operands = NEW_ARRAY(graph->arena, form->operands.len, struct operand);
    for (uint32_t i = 0; i < form->operands.len; i++) {
        const struct operand *from = &form->operands.at[i];
        operands[i] = (struct operand){.node = from->node, .coefficient = from->coefficient};
        for (uint8_t a = 0; a < graph_node(graph, from->node)->rank; a++)
            operands[i].at[a] = numbering.of[from->at[a]];
        read_canonically(graph, &operands[i], NULL);
    }
    for (label l = 0; l < form->labels; l++)
        if (numbering.of[l] != AXIS_UNIT)
            size[numbering.of[l]] = form->size[l];
    node.rank = rank;
    node.labels = numbering.count;
    node.count = (uint32_t)form->operands.len;
    node.operands = operands;
    node.size = size;
    for (uint8_t i = 0; i < rank; i++)
        order[i] = numbering.of[result[i]];
    const node_id id = graph_intern(graph, &node, order);
    RELEASE_ARRAY(graph->arena, node.count, operands);
    return value_of(id, numbering.of, result, rank);
}

node_id graph_reduce(struct graph *graph, enum op op, node_id id, uint32_t axes) {
    const struct node *from = graph_node(graph, id);
    struct operand operand = {.node = id, .coefficient = 1};
    poly size[MAX_RANK];
    label kept = 0, next = 0;
    for (label a = 0; a < from->rank; a++)
        kept = (label)(kept + !(axes >> a & 1));
    label reduced = kept;
    for (label a = 0; a < from->rank; a++) {
        operand.at[a] = axes >> a & 1 ? reduced++ : next++;
        size[operand.at[a]] = from->size[a];
    }
    return graph_intern(graph,
                        &(struct node){.kind = NODE_REDUCE,
                                       .op = op,
                                       .rank = kept,
                                       .labels = from->rank,
                                       .count = 1,
                                       .operands = &operand,
                                       .size = size},
                        NULL);
}

node_id graph_along(struct graph *graph, enum op op, node_id id, uint32_t axes) {
    const struct node *from = graph_node(graph, id);
    struct operand operand = {.node = id, .coefficient = 1};
    for (label a = 0; a < from->rank; a++)
        operand.at[a] = a;
    return graph_intern(graph,
                        &(struct node){.kind = NODE_ALONG,
                                       .op = op,
                                       .rank = from->rank,
                                       .labels = from->rank,
                                       .count = 1,
                                       .operands = &operand,
                                       .size = from->size,
                                       .along = (uint8_t)axes},
                        graph_order(graph, id));
}

struct value in_axis_order(struct value read, const label *order) {
    struct value value = read;
    for (uint8_t i = 0; i < read.rank; i++)
        value.axis[order[i]] = read.axis[i];
    return value;
}

struct value read_as(struct value as, struct value value) {
    for (uint8_t i = 0; i < as.rank; i++)
        if (as.axis[i] != AXIS_UNIT)
            as.axis[i] = value.axis[as.axis[i]];
    as.node = value.node;
    return as;
}

void graph_mark(const struct graph *graph, const node_id *roots, size_t count, bool *needed) {
    node_id last = 0;
    for (size_t i = 0; i < count; i++) {
        needed[roots[i]] = true;
        last = roots[i] > last ? roots[i] : last;
    }
    for (node_id id = last; id > 0; id--)
        for (uint32_t i = 0; needed[id] && i < graph_node(graph, id)->count; i++)
            needed[graph_node(graph, id)->operands[i].node] = true;
}

void graph_set_name(struct graph *graph, struct value value, const char *name) {
    enum node_kind kind = graph_node(graph, value.node)->kind;
    bool swapped = value.rank == 2 && value.axis[0] == 1 && value.axis[1] == 0;
    if (kind == NODE_NUMBER || kind == NODE_DIM || kind == NODE_DELTA || kind == NODE_SELECT || kind == NODE_LOWER ||
        graph->names.at[value.node].name)
        return;
    graph->names.at[value.node] = (struct node_name){name, swapped};
}

const char *graph_name(const struct graph *graph, node_id id, label order[MAX_RANK]) {
    const struct node_name name = graph->names.at[id];
    for (label i = 0; i < MAX_RANK; i++)
        order[i] = i;
    order[0] = name.swapped;
    order[1] = !name.swapped;
    return name.name;
}
