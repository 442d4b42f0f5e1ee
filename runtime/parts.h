/* Parts of a product, and pieces of C that something is done with while they are in the cache. */
#ifndef MX_PARTS_H
#define MX_PARTS_H

#include "kernels.h"
#include "mxrt.h"

#define LINE 64

/* Eighths of the second-level cache for C that stays there until something is done with it. */
#define C_EIGHTHS 1

static inline ptrdiff_t min(ptrdiff_t a, ptrdiff_t b) {
    return a < b ? a : b;
}

static inline ptrdiff_t round_up(ptrdiff_t x, ptrdiff_t unit) {
    return (x + unit - 1) / unit * unit;
}

typedef struct range {
    ptrdiff_t from, size;
} range;

static inline product rows_of(const product *f, range rows) {
    product part = *f;
    part.m = rows.size;
    part.a += rows.from * f->rsa;
    part.c += rows.from * f->rsc;
    part.row += rows.from;
    return part;
}

static inline product columns_of(const product *f, range columns) {
    product part = *f;
    part.n = columns.size;
    part.b += columns.from * f->csb;
    part.c += columns.from * f->csc;
    part.column += columns.from;
    return part;
}

static inline void call_tile(const product *f, const MX_REAL(mx_epilogue) * of) {
    if (f->swapped)
        of->tile(of->context, (size_t)f->column, (size_t)f->row, (size_t)f->n, (size_t)f->m, f->c, f->csc, f->rsc);
    else
        of->tile(of->context, (size_t)f->row, (size_t)f->column, (size_t)f->m, (size_t)f->n, f->c, f->rsc, f->csc);
}

/* Nothing of C was read. */
static inline void begin(const product *f) {
    if (f->first != NULL)
        call_tile(f, f->first);
}

/* All of C has its final value. */
static inline void finish(const product *f) {
    if (f->after != NULL)
        call_tile(f, f->after);
}

/* Is C to be computed in pieces that stay near? */
static inline int has_tiles(const product *f) {
    return f->first != NULL || f->after != NULL;
}

#endif
