/* The order in which products are summed. */
#ifndef MX_PLAN_ORDER_H
#define MX_PLAN_ORDER_H

#include "../graph/rewrite.h"
#include "../lower/lower.h"

/* expand: what operators with a definition are computed by (context: the struct lowering). */
struct value expand_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* solve: a product with an inverse, as expand made it, divides by the inverse's factor instead. */
struct value solve_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* distribute: (M + N) x of arrays M and N is M x + N x, which moves less than the sum does. */
struct value distribute_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* order: a product of many factors becomes products of two, in the cheapest order: exact, by dynamic programming over
 * subsets; by flops, then by the size of what is between. Dimensions without a number count as NOMINAL_SIZE; a product
 * of two that a value before has costs nothing (context: a struct map, where these are noted). */
struct value order_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

/* The same from left to right, without a search. */
struct value order_as_written_rule(const struct rewriting *rewriting, node_id id, struct index_form *form);

enum { NOMINAL_SIZE = 128 };

/* A polynomial's value with every open dimension NOMINAL_SIZE. */
double nominal(const struct polys *polys, poly p);

#endif
