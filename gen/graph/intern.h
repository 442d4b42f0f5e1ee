/* Between the files of this folder: how constructors make nodes. */
#ifndef MX_GRAPH_INTERN_H
#define MX_GRAPH_INTERN_H

#include "graph.h"

struct numbering {
    label of[MAX_LABELS]; /* AXIS_UNIT: not used */
    label count;
};

/* The one node like this; copies what it points to. order: how a new one is read, NULL for its axes in order. */
node_id graph_intern(struct graph *graph, const struct node *node, const label *order);
/* Are they the same nodes, read at the same labels, with the same coefficients bit by bit? */
bool same_operands(const struct graph *graph, const struct operand *a, const struct operand *b, uint32_t count);
void number_labels(const struct graph *graph, const struct index_form *form, const label *result, uint8_t rank,
                   struct numbering *numbering);
struct value intern_form(struct graph *graph, struct node node, const struct index_form *form, const label *result,
                         uint8_t rank);
/* A symmetric operand with its labels in ascending order, by key[label] or by number (key NULL). */
void read_canonically(const struct graph *graph, struct operand *operand, const label *key);
/* The number of a product that is read; the operand is the product without it then, or its one factor. 1 for others. */
double take_number(struct graph *graph, struct operand *operand);
/* Flags of enum structure that follow from what a node is. */
uint8_t structure_of(struct graph *graph, const struct node *node);

/* Replaces inv(A) A, and inv(A B) A of square A, in a product: by deltas and inverses of less. True if it did; the
 * label between the two is then no longer alive. */
bool cancel_inverse(struct graph *graph, struct index_form *form, const bool *in_result, bool *alive);

/* Applies one rule for selectors to the operands of a product: one that says nothing goes, two of one index become
 * deltas, or one selector, or show that the product is 0 (*number), and one of another's index is put in there. False:
 * none applies. alive: labels that are not gone. */
bool select_rule(struct graph *graph, struct index_form *form, const bool *in_result, bool *alive, double *number);

#endif
