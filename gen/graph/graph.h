/* The graph: values in index notation, immutable and hash-consed.
 *
 * A node is a tensor whose axes are its labels 0 … rank-1. A product is coefficient * sum over the labels rank …
 * labels-1 of its factors, each read at its own labels: matrix products, traces, diagonals, outer products, broadcasts
 * and sums over axes are all products. A label that no operand has is a broadcast (an axis), never a summed one. A
 * matrix and its transpose are one node: a value is a node and the order in which its axes are read. Operands have
 * smaller ids than their users. Dimensions that are literally 1 are no axes of a node; a value has them as AXIS_UNIT.
 * A symmetric node is read with its labels in ascending order, so that it and its transpose are one reading.
 */
#ifndef MX_GRAPH_GRAPH_H
#define MX_GRAPH_GRAPH_H

#include "../base/map.h"
#include "../base/poly.h"
#include "../base/source.h"
#include "../base/vec.h"
#include "ops.h"

typedef uint32_t node_id; /* 0: none */
typedef uint8_t label;

enum { MAX_RANK = 8, MAX_LABELS = 64, AXIS_UNIT = 255 };

enum node_kind {
    NODE_NONE,
    NODE_INPUT,   /* name */
    NODE_NUMBER,  /* number */
    NODE_DIM,     /* a polynomial in dimensions, as a number */
    NODE_DELTA,   /* rank 2: 1 where both indices agree */
    NODE_SELECT,  /* 1 where the first index is dim + the sum of step * index over the others; it always is within its
                     size, and no two choices of the others give the same */
    NODE_LOWER,   /* 1 where the first index is not below the second; rank 1: 1 at index 0 */
    NODE_PRODUCT, /* number * sum of products of factors */
    NODE_SUM,     /* sum of coefficient * term */
    NODE_MAP,     /* op, elementwise */
    NODE_REDUCE,  /* op over the labels rank … labels-1 of its one operand */
    NODE_ALONG,   /* op along the axes whose bits are set in along */
    NODE_MATRIX   /* op of whole matrices; operands are read at the labels in ascending order: first the rows */
};

/* What is known of a node, or promised of it. LOWER: zero where the first index is less than the second;
 * UPPER: where it is greater. */
enum structure {
    STRUCTURE_SYMMETRIC = 1,
    STRUCTURE_POSITIVE = 2, /* symmetric and positive semidefinite: definite wherever it has an inverse */
    STRUCTURE_LOWER = 4,
    STRUCTURE_UPPER = 8,
    STRUCTURE_DIAGONAL = STRUCTURE_LOWER | STRUCTURE_UPPER,
    STRUCTURE_ORTHOGONAL = 16,
    STRUCTURE_STORED = 32 /* of an input of one axis: it is the diagonal of a matrix of that name */
};

/* How a solve takes its matrix; a triangular one may hold anything in its other triangle. */
enum solving { SOLVE_TRANSPOSED = 1, SOLVE_LOWER = 2 };

struct operand {
    node_id node;
    label at[MAX_RANK]; /* the label of each of its axes */
    double coefficient; /* of a term of a sum; 1 elsewhere */
};

struct node {
    enum node_kind kind;
    enum op op;
    uint8_t rank, labels;
    uint8_t along;  /* ALONG: axes; MATRIX: flags of enum solving */
    uint32_t count; /* operands */
    const struct operand *operands;
    const poly *size; /* of each label */
    double number;
    poly dim;         /* DIM, SELECT */
    const poly *step; /* SELECT: of each axis; of the first one nothing */
    const char *name; /* interned */
};

/* A node read with its axes in this order. Every axis of the node is there once. */
struct value {
    node_id node;
    uint8_t rank;
    bool row;             /* rank 1: written as a row */
    label axis[MAX_RANK]; /* an axis of the node, or AXIS_UNIT */
};

struct axis_order {
    label at[MAX_RANK]; /* the node's axes, outermost first */
};

/* What people call a node; swapped: that name is of the node read with its two axes the other way round. */
struct node_name {
    const char *name;
    bool swapped;
};

struct graph {
    struct arena *arena;
    struct polys *polys;
    VEC(struct node) nodes;
    VEC(struct span) spans;        /* of each node, the statement that made it first */
    VEC(struct axis_order) orders; /* of each node, how it was first read: the order to print and to store it in */
    VEC(uint8_t) structures;       /* of each node, what is known of it (enum structure) */
    VEC(uint32_t) settled;         /* of each node, what was known (graph_knowledge) when rebuilding it last gave it */
    uint32_t promises;             /* that told something new */
    struct span span;              /* of nodes made from now on */
    struct hashes by_hash;
    VEC(struct node_name) names; /* of each node; name NULL: none */
    bool nested;                 /* products keep product factors as they are (while planning) */
};

void graph_init(struct graph *graph, struct arena *arena, struct polys *polys);

static inline const struct node *graph_node(const struct graph *graph, node_id id) {
    return &graph->nodes.at[id];
}

static inline const label *graph_order(const struct graph *graph, node_id id) {
    return graph->orders.at[id].at;
}

/* Flags of enum structure; of a node that has not two axes none but STORED. */
static inline uint8_t graph_structure(const struct graph *graph, node_id id) {
    return graph->structures.at[id];
}

/* What a declaration promises of a node, from now on. */
void graph_promise(struct graph *graph, node_id id, uint8_t structure);

/* Calls a node by a name, unless it has one; names of leaves other than inputs are not kept. */
void graph_set_name(struct graph *graph, struct value value, const char *name);
/* NULL: it has none. order gets its axes in the order in which the named value has them. */
const char *graph_name(const struct graph *graph, node_id id, label order[MAX_RANK]);

/* Leaves. A fresh input is a new node even where one of that name exists. */
node_id graph_input(struct graph *graph, const char *name, uint8_t rank, const poly *size);
node_id graph_fresh_input(struct graph *graph, const char *name, uint8_t rank, const poly *size);
node_id graph_number(struct graph *graph, double number);
node_id graph_dim(struct graph *graph, poly dim);
node_id graph_delta(struct graph *graph, poly size);
node_id graph_lower(struct graph *graph, uint8_t rank, const poly *size);

/* An index expression under construction: operands read at labels, the labels' sizes. */
struct index_form {
    VEC(struct operand) operands;
    poly size[MAX_LABELS];
    label labels; /* labels in use are 0 … labels-1 */
};

label form_label(struct index_form *form, poly size);
/* Adds an operand that reads node at labels at[0 … rank-1]. */
void form_operand(struct index_form *form, const struct graph *graph, node_id node, const label *at,
                  double coefficient);

/* Adds the selector of p by offset + sum of step * from; the labels from have the sizes of the form. See NODE_SELECT.
 */
void form_select(struct index_form *form, struct graph *graph, label p, poly offset, const label *from,
                 const poly *step, uint8_t count);

/* Do two selectors never give the same index, for all sizes? */
bool select_disjoint(struct graph *graph, node_id a, node_id b);

/* number * the product of the operands, summed over all the form's labels that are not in result (one that no operand
 * has counts its size). Labels in result are distinct. */
struct value graph_product(struct graph *graph, double number, const struct index_form *form, const label *result,
                           uint8_t rank);
/* The same of operands that are read at labels of these sizes; labels that none of them has, and that are not kept, are
 * not there. */
struct value graph_product_of(struct graph *graph, double number, const struct operand *operands, uint32_t count,
                              const poly *size, const label *kept, uint8_t rank);
/* The sum of coefficient * operand, each broadcast to the labels in result. */
struct value graph_sum(struct graph *graph, const struct index_form *form, const label *result, uint8_t rank);
/* op of the operands, each broadcast to the labels in result. */
struct value graph_map(struct graph *graph, enum op op, const struct index_form *form, const label *result,
                       uint8_t rank);
/* op over the node's axes whose bits are set; the other axes stay in order. */
node_id graph_reduce(struct graph *graph, enum op op, node_id node, uint32_t axes);
node_id graph_along(struct graph *graph, enum op op, node_id node, uint32_t axes);
/* op of matrices, each operand read with its axes in the order of the value; flags of enum solving, 0 for others. */
struct value graph_matrix(struct graph *graph, enum op op, const struct value *operands, uint32_t count, uint8_t flags);

/* A value that was read with axes in this order, with its axes in their own. */
struct value in_axis_order(struct value read, const label *order);
/* A value with the axes of the node of another one, read as that one is. */
struct value read_as(struct value as, struct value value);

/* A number everywhere, of these sizes. */
struct value graph_fill(struct graph *graph, double number, const poly *size, uint8_t rank);
/* Is the node one number everywhere? */
bool graph_is_fill(const struct graph *graph, node_id id, double *number);
/* The node itself, axes in order. */
struct value graph_value(const struct graph *graph, node_id id);

/* A line a node: --emit=graph prints it from the nodes that the roots need. */
void graph_print(struct text *text, const struct graph *graph, const node_id *roots, size_t count,
                 const struct sources *sources);
/* Checks every invariant above; NULL, or what is wrong. */
const char *graph_verify(const struct graph *graph);
/* needed[id] is set for every node that the roots need; needed has graph->nodes.len elements, zeroed. */
void graph_mark(const struct graph *graph, const node_id *roots, size_t count, bool *needed);

#endif
