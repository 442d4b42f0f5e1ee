/* Polynomials in names with integer coefficients: what a dimension is, and what a cost is (flops, bytes).
 *
 * Interned: two polynomials are equal exactly when their handles are. Coefficients saturate at the ends of int64_t. */
#ifndef MX_BASE_POLY_H
#define MX_BASE_POLY_H

#include "map.h"
#include "text.h"
#include "vec.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t poly;
#define POLY_NONE 0u

struct monomial {
    int64_t coefficient;
    uint32_t degree;
    const uint32_t *names; /* indices into polys.names, ascending, repeated for powers */
};

struct poly_terms {
    uint32_t count;            /* 0: the number 0 */
    const struct monomial *at; /* by falling degree, then by names */
};

enum { POLYS_KNOWN = 16 };

struct polys {
    struct arena *arena;
    VEC(const char *) names;    /* variables in the order in which they were first asked for */
    VEC(struct poly_terms) all; /* at[0] stands for POLY_NONE */
    struct map name_index;      /* interned name to index + 1 */
    struct hashes by_hash;
    struct map sums, differences, products; /* by pair: what came out, for few pairs come often */
    poly number[POLYS_KNOWN];               /* small ones, each once it has been asked for */
};

void polys_init(struct polys *polys, struct arena *arena);

poly poly_number(struct polys *polys, int64_t value);
poly poly_name(struct polys *polys, const char *interned_name);
poly poly_add(struct polys *polys, poly a, poly b);
poly poly_sub(struct polys *polys, poly a, poly b);
poly poly_mul(struct polys *polys, poly a, poly b);
/* p with every occurrence of the variable replaced. */
poly poly_substitute(struct polys *polys, poly p, uint32_t variable, poly by);

struct poly_terms poly_terms(const struct polys *polys, poly p);
bool poly_is_number(const struct polys *polys, poly p, int64_t *value);
/* Is p one name with coefficient 1? *variable is its index. */
bool poly_is_name(const struct polys *polys, poly p, uint32_t *variable);
/* Is no coefficient negative? Then it is nonnegative for all values of its names. */
bool poly_is_nonnegative(const struct polys *polys, poly p);
bool poly_mentions(const struct polys *polys, poly p, uint32_t variable);

/* "4*m*n + k", "b - a": in the language's own notation (also valid C), terms with a minus last. */
void poly_print(struct text *text, const struct polys *polys, poly p);
const char *poly_string(struct arena *arena, const struct polys *polys, poly p);

/* Sums of many polynomials in time linear in their terms; *sum starts zeroed. */
struct poly_sum {
    VEC(struct monomial) terms;
};
void poly_sum_add(struct poly_sum *sum, struct polys *polys, poly p);
poly poly_sum_total(struct poly_sum *sum, struct polys *polys);

#endif
