/* A function as C sees it: its dimensions, the names of its parameters, its prototypes. */
#ifndef MX_EMIT_SIGNATURE_H
#define MX_EMIT_SIGNATURE_H

#include "emit.h"
#include "formula.h"
#include "names.h"

/* The dimensions that were printed since they were last forgotten. */
struct dim_use {
    bool *printed; /* by variable of polys */
    VEC(uint32_t) list;
};

struct signature {
    const struct function *function;
    const struct plan *plan;
    struct scope scope;      /* names taken in the function */
    VEC(uint32_t) dims;      /* variables of polys, in the order of the contract */
    VEC(uint32_t) indices;   /* the same: index arguments, after the dimensions */
    const char **dim_name;   /* of both, by variable of polys; NULL: not a parameter */
    struct dim_use *use;     /* which of them were printed */
    VEC(uint32_t) inputs;    /* indices of the inputs that are read */
    bool *sizes_outputs;     /* by variable of polys: an output's shape needs it */
    const char **input_name; /* by index */
    const char **output_name;
    bool saves; /* has the argument saved */
    bool fixed; /* no dimension is open */
};

struct signature signature_of(const struct emission *e, size_t function);

/* "int affine_forward(size_t m, …)" over several lines; in a definition with restrict. */
void signature_print(struct text *out, const struct emission *e, const struct signature *s, bool definition);
/* "size_t affine_forward_worksize(size_t m, …)"; what is "worksize" or "savedsize". */
void signature_print_size(struct text *out, const struct emission *e, const struct signature *s, const char *what);
/* Does the function have one? savedsize only where it fills saved. */
bool signature_has_savedsize(const struct signature *s);

/* Parameters or arguments, broken into lines of at most 110 columns that begin under the first. */
struct list {
    struct text *out;
    size_t begin, column; /* of the line in the text; of the first item */
    bool first;
};
struct list list_begin(struct text *out, const char *head);      /* and "(" */
struct list list_begin_with(struct text *out, const char *head); /* as it is */
void list_add(struct list *list, const char *item);

/* The name of a dimension, noted as printed. */
const char *signature_dim(const struct emission *e, const struct signature *s, uint32_t variable);
void signature_forget_dims(const struct signature *s);

/* A polynomial in size_t as C, in brackets if it is a sum and so asked. */
void signature_poly(struct text *out, const struct emission *e, const struct signature *s, poly p, bool brackets);

/* A polynomial without a minus, with operations that saturate. */
void signature_saturating(struct text *out, const struct emission *e, const struct signature *s, poly p);
/* "n < 1", "n <= k": that n - 1, n - k - 1 is negative. */
void signature_negative(struct text *out, const struct emission *e, const struct signature *s, poly p);
/* A difference in size_t that may be negative, and then is 0. */
void signature_size(struct text *out, const struct emission *e, const struct signature *s, poly p);
/* For functions that say sizes: 0 where it is negative, SIZE_MAX where it overflows. */
void signature_measured(struct text *out, const struct emission *e, const struct signature *s, poly p);

/* The argument with the shape that the program gives it: a diagonal matrix has two axes, its array one. */
struct argument argument_declared(const struct argument *argument);
/* "[m, k]", "scalar": an argument's shape in the program's own names. */
const char *argument_shape(const struct emission *e, const struct argument *argument);
/* The formula of an output in the names of inputs and of the program's values; NULL if it is too long. */
const char *argument_formula(const struct emission *e, const struct argument *output, size_t longest);

const char *real_name(const struct emission *e);   /* "double" */
const char *real_suffix(const struct emission *e); /* "f64" */

#endif
