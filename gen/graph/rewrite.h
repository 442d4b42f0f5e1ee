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

/* An input and the value that takes its place, with the input's axes in the order in which it has them; its node has a
 * smaller id. */
struct substitution {
    node_id input;
    struct value by;
};
/* The roots (those with a node) with inputs replaced, in each other's values too; in the order of the inputs' ids. */
void graph_substitute(struct graph *graph, struct value *roots, size_t count, const struct substitution *replaced,
                      size_t replaced_count);

/* The same node with other operands (its labels unchanged), through the constructors. */
struct value graph_rebuild(struct graph *graph, node_id id, const struct index_form *form, double number);

/* Puts operand i's own operands in its place: its axes at the labels where it was read, its summed labels as new ones.
 * False, and nothing done, where the labels do not suffice. */
bool form_splice(struct graph *graph, struct index_form *form, size_t i);

/* The labels of a product that hang together with one through factors that share labels. */
uint64_t product_connected(const struct graph *graph, const struct node *node, label from);

/* A product of parts that share no label, each with one axis of the result: summed over an axis it need never be
 * formed. */
bool is_outer_product(const struct graph *graph, const struct node *node);

/* simplify: a product (sum) used once, by a product (sum), becomes part of it; so does every outer product that is
 * summed over. */
struct value merge_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* The product with factor `place`, a sum, multiplied out: the sum of the products with its terms, read in this order.
 */
struct value product_over_terms(struct graph *graph, const struct node *node, const struct index_form *form,
                                uint32_t place, const label *order);
/* Is there a sum of several values of its own axes? Else the rules about sums of products change nothing. */
bool graph_has_sums(const struct graph *graph);
/* simplify: a product with a sum of products of vectors is multiplied out, so that no matrix need be formed. */
struct value spread_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* simplify: two terms of a sum that are products and differ in one factor become one. */
struct value factor_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);
/* narrow: of what is selected from only what is needed is computed. */
struct value narrow_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* Do two selectors of a product have one index? Then it may follow from others in two ways, of which one is a
 * condition. */
bool product_shares_index(const struct graph *graph, node_id id);

#endif
