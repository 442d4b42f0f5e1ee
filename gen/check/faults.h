/* Messages about operands: what they are, where their sizes come from, how they do not fit each other. */
#ifndef MX_CHECK_FAULTS_H
#define MX_CHECK_FAULTS_H

#include "types.h"

const char *kind_string(struct checker *c, struct type type); /* "a vector [n]" */
void label_operand(struct checker *c, struct diag *diag, ast_id id, struct type type);
void note_origins(struct checker *c, struct diag *diag, const ast_id ids[2], const struct fault *fault);
/* The input that an expression is, transposed or not, if nothing declares it; else NULL. */
const struct symbol *implicit_symbol(struct checker *c, ast_id id);
void note_implicit(struct checker *c, struct diag *diag, ast_id id);
/* Reports the fault of a binary node or of a call with two arguments. If the message will be shown, it is left in
 * c->reported for its helps. */
void report_fault(struct checker *c, ast_id id, ast_id left, ast_id right, const struct fault *fault);

#endif
