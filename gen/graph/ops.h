/* The operators: one record each in ops.def, the only place that knows them. */
#ifndef MX_GRAPH_OPS_H
#define MX_GRAPH_OPS_H

#include <stdbool.h>
#include <stddef.h>

enum op {
    OP_NONE,
#define OP(name, ...) OP_##name,
#include "ops.def"
#undef OP
    OPS
};

enum op_kind {
    KIND_MAP,       /* elementwise: a node of the graph */
    KIND_REDUCE,    /* over axes: a node of the graph */
    KIND_ALONG,     /* along axes, shape kept: a node of the graph */
    KIND_MATRIX,    /* of whole matrices: a node of the graph */
    KIND_SUM,       /* a product whose labels are summed */
    KIND_COUNT,     /* how many elements a sum adds up */
    KIND_EINSUM,    /* a product by pattern */
    KIND_ARRANGE,   /* elements of the arguments in other places: a product with selectors */
    KIND_TEXT,      /* said in the language */
    KIND_POWER,     /* a product of the matrix with itself */
    KIND_EYE,       /* a Kronecker delta */
    KIND_FILL,      /* one number everywhere */
    KIND_DERIVATIVE /* of the first argument, by the value that the second one names */
};

/* What a function takes and gives. A "list" is a vector or a row. */
enum op_shape {
    SHAPE_NONE,
    SHAPE_ELEMENTWISE, /* all arguments broadcast together */
    SHAPE_REDUCE,      /* (x, axis=, keepdims=): without an axis a scalar */
    SHAPE_ALONG,       /* (x, axis=): x's shape; a matrix without an axis: row by row, axis=1 */
    SHAPE_SCALAR,      /* anything to a scalar */
    SHAPE_DOT,         /* two lists of one length to a scalar */
    SHAPE_INNER,       /* two values of one shape to a scalar */
    SHAPE_OUTER,       /* two lists to a matrix */
    SHAPE_TRACE,       /* a square matrix to a scalar */
    SHAPE_SQUARE,      /* a square matrix to one of its shape */
    SHAPE_FACTOR,      /* a square matrix to its factor, a vector */
    SHAPE_OF_FACTOR,   /* a factor to a scalar */
    SHAPE_PIVOTS,      /* a list or a scalar to itself, judged */
    SHAPE_SOLVE,       /* (A, B): a square matrix, or its factor, and what it divides; B's shape */
    SHAPE_POWER,       /* (A, k): a square matrix and a literal integer */
    SHAPE_DIAG,        /* a list [n] to a matrix [n, n]; a square matrix to a vector */
    SHAPE_EYE,         /* (n): an [n, n] matrix; n is a dimension */
    SHAPE_FILL,        /* (n) or (m, n): a vector or a matrix */
    SHAPE_DERIVATIVE,  /* (y, x) or (y, x, direction); x is a name */
    SHAPE_MATRIX,      /* a matrix to one of its shape */
    SHAPE_KRON,        /* two values, seen as matrices, to one whose sizes are products of theirs */
    SHAPE_VEC,         /* anything to a vector */
    SHAPE_RESHAPE,     /* (x, [p, q]) or (x, [n]): sizes with as many elements */
    SHAPE_BESIDE,      /* any number of values, side by side */
    SHAPE_BELOW,       /* any number of values, one below the other */
    SHAPE_PATTERN      /* ("ij,jk->ik", A, B): any number of values, by a pattern */
};

enum {
    OP_HIDDEN = 1,                    /* not a function of the language; only other records use it */
    OP_CHEAP = 2,                     /* costs no more than reading its argument again */
    OP_RECIPROCAL = 4,                /* printed as a division */
    OP_NONNEGATIVE = 8,               /* MAP: never less than 0 */
    OP_POSITIVE = 16 | OP_NONNEGATIVE /* MAP: more than 0, if not rounded */
};

enum { MAX_ARGUMENTS = 3, ANY_ARGUMENTS = 0 };

struct op_record {
    const char *name;
    const char *call; /* where programs call it otherwise: "norm(1)", with a fixed second argument; NULL: by its name */
    enum op_kind kind;
    enum op_shape shape;
    int arity; /* arguments without axis and keepdims; FILL takes one or two; ANY_ARGUMENTS: one or more */
    int flags;
    const char *differential; /* in the language: of y = op(a, b), linear in da and db; axis stands for the axes */
    const char *definition;   /* TEXT: its meaning; REDUCE, ALONG, MATRIX: how it is computed, NULL if by its own */
    const char *pattern;      /* EINSUM: one for each combination of ranks, "ii->i; i->ii" */
    const char *squared;      /* what y * y is, where that is simpler */
    const char *logarithm;    /* MAP, ALONG: what log(y) is, of a y that is positive if not rounded */
    enum op said_as, said_of; /* MAP: formulas say it as one operator of another's result */
    enum op ignores;          /* MAP: of this operator's result it is what it is of its argument */
    enum op weights;          /* REDUCE: exp(a - y) is this of a, along the same axes */
    const char *single;       /* REDUCE, ALONG: what it is over one element; MATRIX: of a 1 x 1 matrix */
    const char *diagonal;     /* MATRIX: what it is of a diagonal matrix, at once; b as in positive */
    const char *orthogonal;   /* the same of an orthogonal one */
    const char *triangular;   /* MATRIX: how it is computed of a triangular matrix, b as in positive */
    const char *positive;     /* the same of a symmetric positive one; b is the identity matrix of a's size */
    unsigned flops;           /* ALONG by its own loop: operations for each element */
    const char *status;       /* MATRIX: what its function of the runtime returns where it fails; NULL: it never does */
    double fill;              /* FILL */
    const char *combine;      /* REDUCE by its own loop: what C calls the operation between two elements */
    double neutral;           /* the same: the result over nothing */
    const char *c;            /* how C calls it in double; NULL: mx_NAME */
    double (*eval1)(double);
    double (*eval2)(double, double);
    double (*eval3)(double, double, double);
    const char *infix; /* how a program writes it between two operands; NULL: as a call */
    const char *latex;
    /* For the manual, and for the tests that are made from it. */
    const char *domain; /* kinks and domain */
    const char
        *kinks; /* arguments -> the derivative of the sum of the result there: "1, 1 -> 1, 0; [2, 2] -> [1, 0]" */
    const char *forms;   /* call forms, "; " between them; NULL: those of the shape */
    const char *example; /* a program of at most three lines; NULL: that of the shape */
    const char *doc;     /* one line */
};

extern const struct op_record op_records[OPS];

/* The operator that a call names, OP_NONE if there is none. parameter: the spelling of a literal second argument
 * ("1", "inf"), or NULL. Hidden ones are found only if asked for. */
enum op op_find(const char *name, const char *parameter, bool hidden);

/* Among operators of one spelling the one that takes that many arguments; op itself if there is none. */
enum op op_overload(enum op op, int arguments);

/* As programs call it: "softmax", "norm(1)". */
const char *op_spelling(enum op op);

#endif
