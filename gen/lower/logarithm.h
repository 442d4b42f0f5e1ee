/* The logarithm of a value, by what the value is. */
#ifndef MX_LOWER_LOGARITHM_H
#define MX_LOWER_LOGARITHM_H

#include "lower.h"

/* log(y) without a y that is rounded to 0 or to infinity first, where y says how: the logarithm of exp(a), of a sum of
 * such, of 1 + exp(a), of sigmoid(a) and 1 - sigmoid(a), of softmax(a), and of quotients and products with such
 * factors.
 */
struct value logarithm_of(struct lowering *lowering, struct value y);

/* log(1 + a), likewise. */
struct value logarithm_of_1_plus(struct lowering *lowering, struct value a);

#endif
