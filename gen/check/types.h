/* The arithmetic of types. */
#ifndef MX_CHECK_TYPES_H
#define MX_CHECK_TYPES_H

#include "checker.h"

/* Why two types do not fit each other. */
struct fault {
    enum fault_kind kind;
    poly size[2];
    int axis[2]; /* of each operand */
};

struct type type_unknown(void);
struct type type_scalar(void);
struct type type_list(poly size, bool row);
struct type type_matrix(poly rows, poly columns);
struct type type_transposed(struct type type);

/* Each makes the sizes equal that must be, for the node at; false with a fault if they, or the kinds, can never be. */
bool types_multiply(struct checker *c, ast_id at, struct type a, struct type b, struct type *type, struct fault *fault);
bool types_broadcast(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                     struct fault *fault);
bool types_same(struct checker *c, ast_id at, struct type a, struct type b, struct fault *fault);

#endif
