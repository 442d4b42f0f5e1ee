/* Parts of a product, and pieces of C that something is done with while they are in the cache. */
#ifndef MX_PARTS_H
#define MX_PARTS_H

#include "kernels.h"
#include "mxrt.h"

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

/* Some of the steps of its sums: C is begun with the first ones and has its value after the last ones. */
static inline product steps_of(const product *f, range steps) {
    product part = *f;
    part.k = steps.size;
    part.beta = steps.from == 0 ? f->beta : 1;
    part.without |= (steps.from == 0 ? 0 : MX_PROLOGUE) | (steps.from + steps.size == f->k ? 0 : MX_EPILOGUE);
    part.a += steps.from * f->csa;
    part.b += steps.from * f->rsb;
    part.deep += steps.from;
    return part;
}

/* Columns of it, which of B are packed in a panel of a width, b. */
static inline product packed_columns_of(const product *f, range columns, const real *b, ptrdiff_t width) {
    product part = columns_of(f, columns);
    part.b = b;
    part.rsb = width, part.csb = 1;
    return part;
}

/* What is to be done beside it; NULL: nothing.  That of A and B is for the other one where the product is swapped. */
static inline const MX_REAL(mx_prologue) * prologue_of(const product *f) {
    return f->hooks == NULL || f->without & MX_PROLOGUE ? NULL : f->hooks->prologue;
}

static inline const MX_REAL(mx_epilogue) * epilogue_of(const product *f) {
    return f->hooks == NULL || f->without & MX_EPILOGUE ? NULL : f->hooks->epilogue;
}

static inline const MX_REAL(mx_reader) * reader_of_a(const product *f) {
    return f->hooks == NULL || f->without & MX_OF_A ? NULL : f->swapped ? f->hooks->b : f->hooks->a;
}

static inline const MX_REAL(mx_reader) * reader_of_b(const product *f) {
    return f->hooks == NULL || f->without & MX_OF_B ? NULL : f->swapped ? f->hooks->a : f->hooks->b;
}

static inline void call_tile(const product *f, const MX_REAL(mx_epilogue) * of) {
    if (f->swapped)
        of->tile(of->context, (size_t)f->column, (size_t)f->row, (size_t)f->n, (size_t)f->m, f->c, f->csc, f->rsc);
    else
        of->tile(of->context, (size_t)f->row, (size_t)f->column, (size_t)f->m, (size_t)f->n, f->c, f->rsc, f->csc);
}

static inline void call_reader(const MX_REAL(mx_reader) * of, int swapped, range rows, range columns, const real *x,
                               ptrdiff_t rs, ptrdiff_t cs) {
    if (rows.size == 0 || columns.size == 0)
        return;
    if (swapped)
        of->tile(of->context, (size_t)columns.from, (size_t)rows.from, (size_t)columns.size, (size_t)rows.size, x, cs,
                 rs);
    else
        of->tile(of->context, (size_t)rows.from, (size_t)columns.from, (size_t)rows.size, (size_t)columns.size, x, rs,
                 cs);
}

/* Nothing of C was read. */
static inline void begin(const product *f) {
    if (prologue_of(f) != NULL)
        call_tile(f, prologue_of(f));
}

/* All of C has its final value. */
static inline void finish(const product *f) {
    if (epilogue_of(f) != NULL)
        call_tile(f, epilogue_of(f));
}

/* All of A, or of B, will be read. */
static inline void begin_a(const product *f) {
    if (reader_of_a(f) != NULL)
        call_reader(reader_of_a(f), f->swapped, (range){f->row, f->m}, (range){f->deep, f->k}, f->a, f->rsa, f->csa);
}

static inline void begin_b(const product *f) {
    if (reader_of_b(f) != NULL)
        call_reader(reader_of_b(f), f->swapped, (range){f->deep, f->k}, (range){f->column, f->n}, f->b, f->rsb, f->csb);
}

static inline void begin_all(const product *f) {
    begin(f);
    begin_a(f);
    begin_b(f);
}

/* Is C to be computed in pieces that stay near? */
static inline int has_tiles(const product *f) {
    return prologue_of(f) != NULL || epilogue_of(f) != NULL;
}

#endif
