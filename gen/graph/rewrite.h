/* Rewriting a graph from its leaves to its roots. */
#ifndef MX_GRAPH_REWRITE_H
#define MX_GRAPH_REWRITE_H

#include "graph.h"

struct rewriting {
    struct graph *graph;
    const uint32_t *uses;     /* of every node, by the nodes and roots that are needed */
    const struct value *made; /* of every needed node before this one, what became of it */
    void *context;
};

/* What becomes of a node whose operands have been rewritten: form holds them at the node's own labels. */
typedef struct value rewrite_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* Replaces the roots by what the rule makes of them; axes stay as they were read. */
void graph_rewrite(struct graph *graph, struct value *roots, size_t count, rewrite_rule *rule, void *context);

/* The same node with other operands (its labels unchanged), through the constructors. */
struct value graph_rebuild(struct graph *graph, node_id id, const struct index_form *form, double number);

/* Puts operand i's own operands in its place: its axes at the labels where it was read, its summed labels as new ones.
 * False, and nothing done, where the labels do not suffice. */
bool form_splice(struct graph *graph, struct index_form *form, size_t i);

/* simplify: a product (sum) used once, by a product (sum), becomes part of it. */
struct value merge_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* narrow: of what is selected from only what is needed is computed. */
struct value narrow_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* Do two selectors of a product have one index? Then it may follow from others in two ways, of which one is a
 * condition. */
bool product_shares_index(const struct graph *graph, node_id id);

#endif
