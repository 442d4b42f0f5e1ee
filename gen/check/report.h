/* Complaints, and the program as text in them. */
#ifndef MX_CHECK_REPORT_H
#define MX_CHECK_REPORT_H

#include "checker.h"

/* Reports; in a trial it only notes the failure, and what it gives is dropped. Formats of the table take a and b. */
struct diag *complain(struct checker *c, enum diag_code code, struct span span, const char *a, const char *b);
/* Says of all messages from the first on by which calls the text came to be checked that they are about. */
void note_calls(struct checker *c, size_t first, uint32_t expansion);
bool is_shown(const struct checker *c); /* will the last error be printed? Then a long search for helps pays */

const char *shown(struct checker *c, ast_id id);         /* an expression as text, or NULL if it is too long to quote */
const char *shown_operand(struct checker *c, ast_id id); /* in brackets where another operator may follow */
const char *shown_or_place(struct checker *c, ast_id id);            /* "the value at 2:1" for a long one */
const char *place_string(struct checker *c, struct span span);       /* "2:1" */
const char *statement_string(struct checker *c, uint32_t statement); /* "'Z: [m, k]' at 2:1" */

#endif
