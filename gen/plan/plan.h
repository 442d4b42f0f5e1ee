/* Plans: what each function computes, in which order, with which kernels, and where every value lives. */
#ifndef MX_PLAN_PLAN_H
#define MX_PLAN_PLAN_H

#include "../derive/module.h"

enum storage {
    STORE_INPUT,  /* an argument; index among the function's inputs */
    STORE_OUTPUT, /* an argument; index among its outputs */
    STORE_SAVED,  /* in what forward leaves for backward */
    STORE_WORK,   /* in the workspace */
    STORE_LOCAL,  /* a scalar in a C variable; index is its number */
    STORE_TEMP,   /* a variable in the body of its one loop nest; index is its number */
    STORE_VIEW    /* elements of another array, its base */
};

struct buffer {
    node_id node;
    enum storage storage;
    uint32_t index;
    label order[MAX_RANK];         /* the node's axis of each dimension of the array, outermost first */
    uint32_t pool, slot;           /* SAVED, WORK */
    uint32_t first, last;          /* kernels: written first, used last */
    uint32_t base;                 /* VIEW: a buffer that is none; 0 elsewhere */
    poly offset, stride[MAX_RANK]; /* VIEW: in elements; of each axis of the node */
};

/* Slots of one size, one behind the other; every slot is rounded up to 64 bytes. */
struct pool {
    poly elements;
    uint32_t slots;
};

struct layout {
    VEC(struct pool) pools;
};

/* An array element that a statement reads: the loop of each axis of the buffer's node. */
struct read {
    uint32_t buffer;
    label loop[MAX_RANK];
};

enum { HELD_IN_MEMORY = 255 };
enum { LOOP_DERIVED = 254 }; /* in the place of a loop: the label follows from others */

/* One assignment in a loop nest: target = expression, or target = reduction of expressions over the loops that the
 * target does not have. */
struct plan_statement {
    struct span span;
    node_id node; /* the expression, by its definition (copy: read from where it is) */
    bool copy, reduces;
    bool scatters;      /* axes of the target follow from loops, see derived_labels */
    bool adds;          /* to the target */
    double coefficient; /* of a product */
    label held; /* reduces: loops around the accumulator; HELD_IN_MEMORY: accumulates in the target, which was set
                   before */
    label loop_of[MAX_LABELS];   /* of each label of the node (copy: each axis) */
    uint32_t target;             /* buffer */
    label target_loop[MAX_RANK]; /* of each axis of the buffer's node */
    label target_axis[MAX_RANK]; /* of each axis of the node, the axis of the buffer's node */
    VEC(struct read) reads;
};

enum kernel_kind { KERNEL_LOOP, KERNEL_GEMM, KERNEL_ALONG, KERNEL_MATRIX };

/* An axis of a product call: labels that run through the arrays like one. */
struct gemm_axis {
    label inner;     /* neighbours along the axis are neighbours along this label; AXIS_UNIT: there is none */
    poly size;       /* of all of them; 1 */
    uint64_t labels; /* as bits */
};

/* C[m, n] = A[m, k] B[k, n], once for every choice of the labels around it. */
struct gemm {
    const struct operand *a, *b;
    struct gemm_axis m, n, k;
    label around[MAX_LABELS]; /* by loop: its label; a summed one adds to the target */
    bool transposed; /* as C' = B' A', whose tiles come column after column of C: sums of columns add up in order */
    const struct operand *summed; /* the factor that is summed up while it is read: rows of a, or columns of b */
    bool fixed; /* small, with numbers for all sizes and strides: straight code in the place of a call */
};

struct kernel {
    enum kernel_kind kind;
    struct span span;
    /* LOOP, GEMM */
    label loops;
    poly size[MAX_LABELS];
    /* LOOP; GEMM: what is done with each tile of the target; the first one, if it sets the target, before the product;
     * the last one, if the call sums up a factor, with that */
    VEC(struct plan_statement) statements;
    /* GEMM: target = coefficient * node, or += ; ALONG, MATRIX: target = node (a solve: in place of its second operand)
     */
    node_id node;
    double coefficient;
    bool accumulate;
    uint32_t before; /* accumulate: the buffer whose array and content the target takes over; 0: none */
    struct gemm gemm;
    uint32_t target;
    label target_axis[MAX_RANK]; /* of each axis of the node, the axis of the target's node */
};

struct plan {
    VEC(struct buffer) buffers; /* at[0] unused */
    struct sparse buffer_of;    /* by node: its buffer; 0: it has none and stands inline */
    VEC(struct kernel) kernels;
    struct layout work, saved;
    uint32_t locals, temps;
    bool fails;    /* some kernel gives a status */
    bool in_parts; /* too much for one stack frame: no locals */
    poly flops;
    poly traffic;   /* array elements read and written: each array once a kernel */
    uint32_t nodes; /* of the graph that the outputs need */
    bool *reads;    /* by input */
};

/* Plans every function of the module: plans[i] is that of functions.at[i]. effort 0: every value gets a buffer,
 * products are multiplied from left to right, one loop nest a value; 1: the order of summation is searched, and cheap
 * or single uses stand inline; 2: nests are joined, products are added in place, and arrays take each other's place. */
struct plan **plan_module(struct lowering *lowering, const struct module *module, int effort);

/* Are two arrays, of the same size, in the same place? */
bool share_place(const struct buffer *a, const struct buffer *b);

/* The operand of a node of whole matrices that its call replaces by the result, in the target: what a solve divides,
 * pivots; -1: none. */
int replaced_operand(const struct node *node);

/* Does the kernel call what asks for a workspace? */
bool kernel_calls(const struct graph *graph, const struct kernel *kernel);

/* Has the product a factor without axes, which multiplies its total? */
bool has_scalar_factors(const struct graph *graph, const struct node *product);

/* How many of the operands of its node a kernel that is no loop nest reads as arrays: what is replaced is already in
 * the target. */
uint32_t kernel_reads(const struct graph *graph, const struct kernel *kernel);

/* The C variables that a kernel declares, at most; a function or a part of one has MOST_VARIABLES. */
uint32_t kernel_variables(const struct kernel *kernel);
enum { MOST_VARIABLES = 160 };

/* Elements between neighbours along an axis of a buffer's node, in its array. */
poly buffer_stride(const struct graph *graph, const struct buffer *buffer, label axis);
poly node_elements(const struct graph *graph, node_id id);
/* The buffer that holds the elements: of a view its base. */
uint32_t buffer_base(const struct plan *plan, uint32_t index);

/* How the labels of a product (or of a delta or selector alone) are run through. Without scatter only summed labels
 * follow from others, so that the value can be had at every place of the result; with it axes of the result do, too:
 * elsewhere the value is 0. */
enum { NOT_DERIVED = UINT32_MAX };
struct derived {
    uint32_t by[MAX_LABELS]; /* the factor that says what a label is; NOT_DERIVED: a loop runs through it */
    bool sums[MAX_LABELS];   /* a loop that adds up */
    bool any_sums, scatters;
    label loops;
};
struct derived derived_labels(const struct graph *graph, node_id id, bool scatter);
/* The factor that a label is derived by; self: room for it where the node is that factor. */
const struct operand *deriving_factor(const struct graph *graph, node_id id, uint32_t by, struct operand *self);

/* Which labels of a product of two factors with axes are of the first only, of the second only, of both and the result,
 * of both and summed: as bits. */
struct gemm_form {
    const struct operand *a, *b;
    uint64_t rows, columns, batch, summed;
};
/* gemm.c. Is the node such a product, and calls of the runtime's matrix product, in loops or without, its best form? */
bool gemm_form_of(const struct graph *graph, node_id id, struct gemm_form *form);
/* At most one label each, none in a loop. */
bool gemm_is_plain(const struct gemm_form *form);
/* Can something be done with each tile of the target of such a call, before and after it is computed? */
bool gemm_has_tiles(const struct graph *graph, const struct plan *plan, const struct kernel *kernel);
/* Makes it the transposed product. */
void gemm_transpose(struct gemm *call);
/* What is done with them, as nests over all of the target, and with a factor, over all of that. */
struct kernel gemm_prologue(const struct graph *graph, const struct plan *plan, const struct kernel *kernel);
struct kernel gemm_epilogue(const struct graph *graph, const struct plan *plan, const struct kernel *kernel);
struct kernel gemm_sums(const struct graph *graph, const struct plan *plan, const struct kernel *kernel);
/* The label of a dimension, 0 the outer one, of the array of a factor with two. */
label gemm_label(const struct plan *plan, const struct operand *factor, label dimension);
/* How often a call's loops add to each element of the target. */
poly gemm_passes(const struct graph *graph, const struct kernel *kernel);
/* Elements between neighbours along a label in an array whose node's axes are read at these labels: a sum where it is
 * read twice (a diagonal), 0 where it is not. */
poly label_stride(const struct graph *graph, const struct buffer *buffer, const label *at, label l);

#endif
