/* Formulas: nodes read back as matrix notation, in the language itself. */
#ifndef MX_EMIT_FORMULA_H
#define MX_EMIT_FORMULA_H

#include "../graph/value.h"

/* What a node is called; NULL: write it out. order gets the node's axes in the order in which the named thing has them.
 */
typedef const char *formula_name(void *context, node_id id, label order[MAX_RANK]);

struct formula_names {
    formula_name *name;
    void *context;
};

enum { FORMULA_LONGEST = 240 };

/* The formula of a value: the node itself written out, what it is made of by name where it has one. NULL if that would
 * take more than `longest` characters. */
const char *formula_of(struct arena *arena, struct graph *graph, struct formula_names names, struct value value,
                       size_t longest);

/* Of a value that is 0 outside of a part of it: the formula of that part, and its place, "[1:3, :]", "" for all. */
const char *formula_of_part(struct arena *arena, struct graph *graph, struct formula_names names, struct value value,
                            size_t longest, const char **place);

#endif
