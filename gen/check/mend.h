/* Mends of a fault: the program as it may have been meant, offered if its statement then type-checks. */
#ifndef MX_CHECK_MEND_H
#define MX_CHECK_MEND_H

#include "checker.h"

struct mend {
    ast_id at;        /* the node that is written otherwise */
    const char *text; /* how; NULL: too long to say */
    struct type type; /* what it then is */
};

/* Adds a help that says so, and is true, if the statement fits with the mend and has no other error. */
bool help_mend(struct checker *c, struct diag *diag, struct mend mend);
/* All helps of a fault. To be called before the next node is typed: a trial starts from what is bound then. */
void help_fault(struct checker *c, const struct reported *reported);

#endif
