/* The three innermost loops of the product: a cache block of A against a panel of B. */
#ifndef MX_BLOCKS_H
#define MX_BLOCKS_H

#include "kernels.h"

/* A cache block of A against a panel of B, in strips of mr rows and of nr columns.  Strips of A are packed while the
   first strip of B is multiplied, those of B while the first block of A is, which hides what memory takes for it: where
   rows or columns are contiguous, beside the multiplications for the strip before; beside them what is packed later, or
   read in place, is sent for. */
typedef struct blocks {
    const kernels *set;
    const product *f;
    real *a, *b;
    int a_in_place, packs_b;
    ptrdiff_t places; /* how many strips of B there is room for */
    ptrdiff_t next;   /* rows of A after these */
} blocks;

void MX_REAL(mx_multiply_blocks)(const blocks *x);

#endif
