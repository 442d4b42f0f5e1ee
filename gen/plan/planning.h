/* Between the files of this folder: one function being planned. */
#ifndef MX_PLAN_PLANNING_H
#define MX_PLAN_PLANNING_H

#include "plan.h"

enum node_class {
    CLASS_LEAF,      /* read where it is, or a constant */
    CLASS_POINTWISE, /* no sums: may stand inline in the loops that use it */
    CLASS_REDUCTION, /* its own loops */
    CLASS_SCATTER,   /* written where its selectors say, 0 elsewhere */
    CLASS_GEMM,
    CLASS_ALONG,
    CLASS_MATRIX
};

struct planning {
    int effort;
    struct arena *arena;
    struct graph *graph;
    const struct function *function;
    struct sparse input_of; /* by node: index among the inputs + 1 */
    struct plan *plan;
    const struct value *outputs;            /* as rewritten, one for each output of the function */
    const bool *loaded;                     /* by node: comes from saved memory; may be NULL */
    const bool *kept;                       /* by node: goes to saved memory; may be NULL */
    const struct buffer *saved;             /* by node: its place in saved memory */
    node_id nodes;                          /* as many as there were when planning began */
    bool *needed, *materialised, *absorbed; /* absorbed: added by its product call into the sum that uses it */
    bool *viewed;                           /* a selection that may be read where it is */
    uint32_t *ready; /* by buffer, one past the kernel after which it holds its value; 0: from the start */
    uint32_t ready_size;
    struct poly_sum flops;
};

enum node_class class_of(const struct graph *graph, node_id id);
/* Is the value 0 except where axes of it follow from loops? */
bool is_scattered(const struct graph *graph, node_id id);

/* choose.c: which nodes get a buffer, which stand inline, which sums take their products in. */
void choose_materialised(struct planning *p);

/* cost.c: floating-point operations, as the C has them; a call of an elementary function is one. */
void add_flops(struct planning *p, poly count, uint64_t each);
/* How often the body of a nest of that many loops runs. */
poly iterations(const struct planning *p, const poly *size, label loops);
/* An expression with what stands inline in it, evaluated that many times. */
void count_expression(struct planning *p, node_id id, poly times);
/* A reduction or a scatter in a nest of those loops. */
void count_statement(struct planning *p, const struct plan_statement *statement, const poly *size, label loops);
/* Product calls: 2 m n k, and m n each for a coefficient other than 1 or -1 and for adding to what is there. */
void count_product(struct planning *p, const struct kernel *kernel);
/* Array elements that the kernels read and write, and the nodes of the graph. After memory was assigned. */
void count_traffic(struct planning *p);

/* kernels.c: the kernels, in order. */
void build_kernels(struct planning *p);
/* The buffer that a node is read from, 0 if it stands inline. */
uint32_t source_of(struct planning *p, node_id id);

/* sums.c: sums of what a product reads become part of it. Afterwards ready means nothing. */
void join_sums_of_factors(struct planning *p);

/* gemm.c: the call and the loops around it, of a kernel with node, target and target_axis. */
void lay_out_gemm(struct planning *p, struct kernel *kernel);

/* views.c: the node as a view of what it is selected from; false if it is none. */
bool view_of(struct planning *p, node_id id, struct buffer *view);

/* memory.c: temporaries, liveness, slots. */
void assign_memory(struct planning *p);
/* A slot of that many elements at the end of its pool. */
void layout_append(struct arena *arena, struct layout *layout, struct buffer *buffer, poly elements);

#endif
