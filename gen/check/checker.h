/* What the files of this folder share. Order of work: names.c knows every identifier and what each node stands for,
 * sizes.c evaluates declared shapes, shapes.c and calls.c type the expressions in statement order over unify.c, mend.c
 * finds the helps of an error by typing its statement again, requests.c checks what is asked for. */
#ifndef MX_CHECK_CHECKER_H
#define MX_CHECK_CHECKER_H

#include "check.h"

/* The rank of a value whose expression had an error: it agrees with everything, so that one error is told once. */
enum { RANK_UNKNOWN = 3 };

/* What a node of an expression stands for. */
enum context {
    CONTEXT_NONE, /* part of no expression */
    CONTEXT_VALUE,
    CONTEXT_SIZE,   /* part of a dimension: in a declared shape, in eye(n) */
    CONTEXT_OPTION, /* a named argument, the second argument of norm */
    CONTEXT_SKIPPED /* below a construct that an error was reported for */
};

/* An identifier of the program. Statement numbers count from 1, so that 0 is none. */
struct name {
    const char *text;
    uint32_t declared, assigned, symbol;
    enum op op;
    struct span dim;        /* where it is first used as a dimension */
    poly fixed;             /* the number that fixes it, or POLY_NONE */
    struct span fixed_span; /* of its 'dim n = 128'; no place if by -D */
    bool is_dim, is_def, clash, told_late;
};

/* A variable of the polynomials: a declared dimension or an unknown one, by its index there. */
struct variable {
    uint32_t unknown;   /* 0: declared; else its number, counted in the order of the source */
    poly bound;         /* what an unknown was found to be, or POLY_NONE */
    ast_id bound_at;    /* the node that said so */
    uint32_t statement; /* a declared one: the statement where it occurs first */
};

struct binding {
    uint32_t variable;
    poly bound;
    ast_id bound_at;
};

struct equation {
    poly left, right;
    ast_id at;
};

struct checker {
    struct arena *arena;
    struct interner *interner;
    struct polys *polys;
    struct diags *diags;
    const struct ast *ast;
    const struct check_options *options;
    struct checked *out;

    VEC(struct name) names; /* at[0] unused */
    struct map name_index;
    uint8_t *context; /* by ast_id */
    poly *size_of;    /* by ast_id, for CONTEXT_SIZE; POLY_NONE after an error */
    bool *skipped;    /* by statement: not checked */
    bool has_include; /* what names mean is then not known */

    VEC(struct variable) variables;
    uint32_t unknowns;
    VEC(struct binding) trail; /* what bindings were before, to undo them */
    VEC(struct equation) deferred;

    uint32_t statement; /* the one in work */
    int errors_before;  /* how many errors there were when it began */
    bool trial;         /* typing for a mend: nothing is reported, and any fault sets failed */
    bool failed;
    uint32_t retyped; /* in a trial: this symbol has another type */
    struct type retyped_as;
};

/* names.c */
void names_collect(struct checker *c);
void names_make_symbols(struct checker *c);
struct name *name_of(struct checker *c, const char *interned);   /* made if new; valid until the next call */
struct name *name_find(struct checker *c, const char *interned); /* NULL if the program has none */
const char *near_value(struct checker *c, const char *word);     /* one that word may be a slip of */
struct diag *report_later(struct checker *c, struct span span, const char *what);

/* sizes.c */
void sizes_fix(struct checker *c);
void sizes_declare(struct checker *c);
poly option_value(struct checker *c, const char *option, const char **name); /* of -D; POLY_NONE after an error */
poly size_node(struct checker *c, ast_id id);                                /* its operands are in size_of already */
poly size_checked(struct checker *c, ast_id id); /* the size at a root; an error if it is always below 1 */

/* unify.c */
struct variable *variable_at(struct checker *c, uint32_t index);
poly unknown_new(struct checker *c, const char *interned_name);
poly resolve(struct checker *c, poly p);
struct type resolve_type(struct checker *c, struct type type);
/* Makes two sizes one; false if they can never be. at: the node that says so. */
bool unify(struct checker *c, poly a, poly b, ast_id at);
void unify_undo(struct checker *c, size_t trail_length);
void unify_rest(struct checker *c);

/* shapes.c */
enum fault_kind {
    FAULT_NONE,
    FAULT_INNER,     /* inner dimensions of '@' */
    FAULT_PRODUCT,   /* kinds that '@' does not multiply */
    FAULT_SIZES,     /* elementwise, on an axis */
    FAULT_ROW,       /* a vector beside a row vector */
    FAULT_FITS_ROWS, /* a list that fits only the rows of a matrix */
    FAULT_RANKS      /* of two values that must have one shape */
};

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
bool is_literal_one(struct checker *c, poly size);

bool types_multiply(struct checker *c, ast_id at, struct type a, struct type b, struct type *type, struct fault *fault);
bool types_broadcast(struct checker *c, ast_id at, struct type a, struct type b, struct type *type,
                     struct fault *fault);
bool types_same(struct checker *c, ast_id at, struct type a, struct type b, struct fault *fault);

void type_nodes(struct checker *c, ast_id begin, ast_id end);
void type_statement(struct checker *c, uint32_t statement);
bool assignment_fits(struct checker *c, struct type *declared, struct fault *fault);
void elementwise_warnings(struct checker *c);

/* calls.c */
struct type type_call(struct checker *c, ast_id id);
uint32_t call_positional(const struct ast *ast, ast_id id); /* arguments without a name */

/* mend.c: what messages are made of */
struct mend {
    ast_id at;        /* the node that is written otherwise */
    const char *text; /* how */
    struct type type; /* what it then is */
};

/* Reports; in a trial it only notes the failure, and what it gives is dropped. Formats of the table take a and b. */
struct diag *complain(struct checker *c, enum diag_code code, struct span span, const char *a, const char *b);
bool is_shown(const struct checker *c);          /* will the last error be printed? Then a long search for helps pays */
const char *shown(struct checker *c, ast_id id); /* an expression as text, or NULL if it is too long to quote */
const char *shown_operand(struct checker *c, ast_id id);      /* in brackets where another operator may follow */
const char *kind_string(struct checker *c, struct type type); /* "a vector [n]" */
const char *side_string(struct checker *c, ast_id id, struct type type, int axis); /* "rows of W" */
const char *place_string(struct checker *c, struct span span);                     /* "2:1" */
const char *statement_string(struct checker *c, uint32_t statement);               /* "'Z: [m, k]' at 2:1" */
void label_operand(struct checker *c, struct diag *diag, ast_id id, struct type type);
void note_origins(struct checker *c, struct diag *diag, const ast_id ids[2], const struct fault *fault);
void note_implicit(struct checker *c, struct diag *diag, ast_id id);
/* Reports the fault of a binary node or of a call with two arguments, with its mends. */
void report_fault(struct checker *c, ast_id id, ast_id left, ast_id right, const struct fault *fault);
bool help_mend(struct checker *c, struct diag *diag, struct mend mend);

/* requests.c */
void requests_check(struct checker *c);

#endif
