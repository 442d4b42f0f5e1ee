/* A module: the functions that a program's requests ask for, each as the values that it gives. */
#ifndef MX_DERIVE_MODULE_H
#define MX_DERIVE_MODULE_H

#include "derive.h"

enum argument_role { ROLE_INPUT, ROLE_COTANGENT, ROLE_TANGENT, ROLE_OUTPUT };

struct argument {
    const char *name; /* as in the contract: "dL_dW" */
    enum argument_role role;
    const char *structure; /* "dense", or an input's attribute; a "diagonal" one is stored as n numbers */
    uint8_t rank;
    bool row;
    poly size[MAX_RANK];
    struct value value; /* an input's own node, or what an output is */
    struct value shown; /* an output by itself, as formulas say it; node 0: as its value */
    bool tensor;        /* a whole Jacobian or Hessian; */
    uint8_t rows;       /* so many of its axes are those of what is differentiated */
};

enum function_kind {
    FUNCTION_EVAL,
    FUNCTION_GRAD,
    FUNCTION_FORWARD,
    FUNCTION_BACKWARD,
    FUNCTION_VJP,
    FUNCTION_JVP,
    FUNCTION_HVP,
    FUNCTION_JAC,
    FUNCTION_HESS
};

/* What a tensor is: "block-diagonal", or NULL; layout: how its factors, which are given instead, make it, or NULL. */
struct tensor_note {
    const char *name, *structure, *layout;
};

struct function {
    const char *name; /* with the module's prefix: "affine_backward" */
    enum function_kind kind;
    struct span span; /* its request */
    VEC(struct argument)
    inputs; /* everything it may read, in the order of the contract; planning drops what it does not */
    VEC(struct argument) outputs;
    VEC(poly) bounds;  /* not negative, or the function fails with MX_ERR_INDEX */
    VEC(poly) indices; /* names: arguments after the dimensions */
    bool compressed;   /* tensors are to be given by their factors */
    VEC(struct tensor_note) notes;
    struct derivation *derivation; /* NULL: no derivative */
};

struct module {
    const char *name;
    VEC(struct function) functions; /* a backward function follows its forward function */
    const struct checked *checked;
};

/* The functions of a program without errors. */
struct module *module_build(struct lowering *lowering, const struct checked *checked, const char *name);

/* Adds the bounds of all that a symbol is computed from. */
void function_add_bounds(struct graph *graph, const struct checked *checked, struct function *function,
                         uint32_t symbol);

/* Merges products and sums that are used once; a forward function and its backward function keep what they share. */
void module_simplify(struct graph *graph, struct module *module);
/* What formulas show of each output of a module that is not large: simplified as if it were asked for alone. What it
 * shares with other outputs may be in other brackets there. */
void module_show(struct graph *graph, struct module *module);

const char *function_kind_name(enum function_kind kind); /* "backward" */
const char *argument_role_name(enum argument_role role); /* "cotangent" */

#endif
