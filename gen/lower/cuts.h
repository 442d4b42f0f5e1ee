/* Derivatives by values that the program computes. Such a value is lowered as an input of its own, a cut, so that
 * everything that is computed from it keeps hold of it; its definition is put back when all statements are lowered. */
#ifndef MX_LOWER_CUTS_H
#define MX_LOWER_CUTS_H

#include "../graph/rewrite.h"
#include "lower.h"

struct cuts {
    struct lowering *lowering;
    const struct checked *checked;
    const struct value *symbols; /* as lowered so far */
    bool *wanted;                /* by symbol: some expression differentiates by it */
};

void cuts_init(struct cuts *cuts, struct lowering *lowering, const struct checked *checked,
               const struct value *symbols);
/* What users of an assigned symbol read. */
struct value cuts_assign(struct cuts *cuts, uint32_t symbol, struct value value);
/* A derivative of y by a symbol; along: the direction that jvp and vjp take. */
struct value cuts_derive(struct cuts *cuts, enum op op, struct value y, uint32_t symbol, struct value along);
/* Puts the definitions back into the values of all symbols. */
void cuts_close(struct cuts *cuts, struct value *symbols);

#endif
