/* What whole Jacobians and Hessians look like: products of Kronecker deltas and smaller tensors, or sums of such. */
#ifndef MX_DERIVE_STRUCTURE_H
#define MX_DERIVE_STRUCTURE_H

#include "module.h"

/* Notes the structure of every tensor that the functions give, and where a request asks for it, replaces the tensor by
 * the factors that it is made of. Values are simplified. */
void module_structure(struct graph *graph, struct module *module);

#endif
