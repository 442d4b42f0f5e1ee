/* The blocked product: which way is taken, and the outer ones of the five loops around the register block, after Goto
   and van de Geijn (ACM TOMS 34(3), 2008) and BLIS (ACM TOMS 41(3), 2015).  Compiled once for each element type. */
#include <math.h>
#include <stdint.h>

#include "blocks.h"
#include "dispatch.h"
#include "machine.h"
#include "parts.h"
#include "team.h"

/* Cache blocks: a block of at most MC x KC of A lies in the second-level cache, a KC x NC panel of B in the third. They
   are the same for every kernel set because the workspace may not depend on it, and KC for every machine because bits
   depend on it; how many of MC rows a block has depends on the cache. */
#define MC 192
#define KC (512 * 64 / MX_BITS)
#define NC 4032
_Static_assert(MC % MX_MAX_MR == 0 && NC % MX_MAX_NR == 0, "blocks are whole numbers of register blocks");

/* Eighths of the second-level cache: what a block of A may take; an A of contiguous rows that need not be packed. */
#define BLOCK_EIGHTHS 3
#define ROWS_EIGHTHS 64

/* Where all sizes are less than this power of two, time goes into deciding what to do. */
#define TINY 32

/* Up to this many multiplications packing costs more than it saves, and the product needs no workspace. */
#define SMALL (40 * 40 * 40)

/* The same where the rows of B are contiguous, so that it serves as it lies; or its columns are and no longer than
   SHORT, so that the stack has room for a strip of them. */
#define SMALL_IN_PLACE (256 * 256 * 256)
#define SHORT 128

/* The same for such rows of a large B, and where less than FLAT products are summed: strips of C, columns of few
   elements, are what costs then. */
#define SMALL_BY_LARGE (12 << 20)
#define SMALL_FLAT (96 * 96 * 96)
#define FLAT 24

/* Few rows use each element of B too seldom to pay for its packing: where columns of B are copied, and where rows of B
   serve as they lie, unless it is large: it has more bytes than these, and is too deep for a strip to stay in the
   second-level cache, or neither narrow nor low.  Few columns: sums of products along contiguous operands. */
#define FEW_ROWS 24
#define FEW_ROWS_IN_PLACE 128
#define FEW_COLUMNS 12
#define DEEP 1024
#define LARGE_DEEP (2 << 20)
#define NARROW 192
#define LOW 48
#define LARGE (1 << 20)

/* Elements of A with which it pays to pack strips that the first-level cache does not hold. */
#define ENOUGH_OF_A 24576

/* Rows whose sums have registers at the same time; bytes of operands that stay in the second-level cache. */
#define ROWS_AT_ONCE 4
#define NEAR_BOTH 655360

/* Little to sum; bytes of a B that stays in the first-level cache. */
#define SHALLOW 4
#define NEAR 12288

/* Multiplications that pay for waking another thread. */
#define LEAST_PART (64 * 64 * 64)

/* So many times as many columns as rows are many; columns for each further thread, and for each thread where A is not
   packed, that are enough to be divided. */
#define WIDE 2
#define MANY_COLUMNS 256
#define ENOUGH_COLUMNS (4 * MX_MAX_NR)

/* The largest blocks of equal size, up to unit, that are at most limit: a short last block would waste its packing. */
static ptrdiff_t balanced(ptrdiff_t size, ptrdiff_t limit, ptrdiff_t unit) {
    ptrdiff_t count = (size + limit - 1) / limit;
    return min(limit, round_up((size + count - 1) / count, unit));
}

/* Rows of a block of A that the cache holds: whole register blocks. */
static ptrdiff_t block_rows(ptrdiff_t k) {
    const ptrdiff_t kc = balanced(k, KC, 1);
    const ptrdiff_t rows = mx_near_cache() / 8 * BLOCK_EIGHTHS / (kc * (ptrdiff_t)sizeof(real)) / MX_MAX_MR * MX_MAX_MR;
    return rows < MX_MAX_MR ? MX_MAX_MR : rows;
}

static int fits(size_t rows, size_t columns) {
    return rows == 0 || columns <= PTRDIFF_MAX / sizeof(real) / rows;
}

/* m n k <= limit, without overflow; exact for limits below 2^53. */
static int volume_within(ptrdiff_t limit, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
    return (double)m * (double)n * (double)k <= (double)limit;
}

static ptrdiff_t bytes_of_a(ptrdiff_t m, ptrdiff_t k) {
    return round_up(min(round_up(m, MX_MAX_MR), MC) * min(k, KC) * (ptrdiff_t)sizeof(real), LINE);
}

static ptrdiff_t bytes_of_b(ptrdiff_t n, ptrdiff_t k) {
    return round_up(min(round_up(n, MX_MAX_NR), NC) * min(k, KC) * (ptrdiff_t)sizeof(real), LINE);
}

/* Either operand may become the left one, depending on the strides of C. */
size_t MX_REAL_AND(mx_gemm, _worksize)(size_t rows, size_t columns, size_t depth) {
    if (!fits(rows, columns) || !fits(rows, depth) || !fits(depth, columns))
        return SIZE_MAX;
    ptrdiff_t m = (ptrdiff_t)rows, n = (ptrdiff_t)columns, k = (ptrdiff_t)depth;
    if (m <= 1 || n <= 1 || k == 0 || volume_within(SMALL, m, n, k))
        return 0;
    ptrdiff_t as_given = bytes_of_a(m, k) + bytes_of_b(n, k);
    ptrdiff_t swapped = bytes_of_a(n, k) + bytes_of_b(m, k);
    return (size_t)(as_given > swapped ? as_given : swapped) + LINE;
}

/* C = beta C. */
static void scale(const product *f) {
    if (f->beta == 1)
        return;
    for (ptrdiff_t i = 0; i < f->m; i++)
        for (ptrdiff_t j = 0; j < f->n; j++) {
            real *c = f->c + i * f->rsc + j * f->csc;
            *c = f->beta == 0 ? 0 : f->beta * *c;
        }
}

/* Part number part of parts of 0 … size - 1, all nearly equal: whole units, and in the last part what is left over. */
static range share(ptrdiff_t size, ptrdiff_t unit, int parts, int part) {
    const ptrdiff_t from = min(size, (size * part / parts + unit / 2) / unit * unit);
    const ptrdiff_t to = min(size, (size * (part + 1) / parts + unit / 2) / unit * unit);
    return (range){from, (part == parts - 1 ? size : to) - from};
}

/* Units are multiples of the strips and blocks of direct.c and vector.c, or whole vectors of any set where the place of
   strips makes no difference; two of them are more rows and columns than those that get a treatment of their own there,
   so that a part is treated as the whole would be. */
static ptrdiff_t unit_of(const product *f, int by_rows) {
    if (by_rows)
        return f->n <= FEW_COLUMNS || f->n < LINE_REALS ? 24 : 8;
    if (f->m <= 4 && f->csb == 1)
        return 256;
    return f->csb == 1 && f->k > SHALLOW ? MX_MAX_NR / 3 : MX_MAX_NR;
}

static void multiply_at_once(MX_REAL(mx_direct_function) * way, const product *f) {
    begin_all(f);
    way(f);
    finish(f);
}

/* depth steps at a time. */
static void multiply_in_depth(MX_REAL(mx_direct_function) * way, const product *f, ptrdiff_t depth) {
    if (f->k <= depth) {
        multiply_at_once(way, f);
        return;
    }
    for (ptrdiff_t p = 0; p < f->k; p += depth) {
        const product part = steps_of(f, (range){p, min(f->k - p, depth)});
        multiply_at_once(way, &part);
    }
}

/* Some rows after the other, if something is to be done with them while they are in the cache. */
static void multiply_in_place(MX_REAL(mx_direct_function) * way, const product *f, ptrdiff_t depth) {
    const ptrdiff_t row_bytes = f->n * (ptrdiff_t)sizeof(real), unit = 2 * unit_of(f, 1);
    const ptrdiff_t near = mx_near_cache() / 8 * C_EIGHTHS;
    if (!has_tiles(f) || f->m < 2 * unit || f->m * row_bytes <= near) {
        multiply_in_depth(way, f, depth);
        return;
    }
    product whole = *f;
    for (ptrdiff_t i = 0, rows; i < f->m; i += rows, whole.without |= MX_OF_B) {
        rows = round_up(near / row_bytes, unit) + unit;
        rows = f->m - i < rows + unit ? f->m - i : rows;
        const product part = rows_of(&whole, (range){i, rows});
        multiply_in_depth(way, &part, depth);
    }
}

/* A packed product and those who compute it: they pack every panel of B together, then each takes rows as it comes to
   them, at most mc at a time, and packs its own blocks of A. */
typedef struct crew {
    const kernels *set;
    const product *f;
    real *a, *b;
    ptrdiff_t mc, nc, unit; /* unit: columns of which a part has a multiple */
    int a_in_place;
    ptrdiff_t room; /* elements of a for each part */
    const mx_team *team;
    int parts;
    mx_barrier *barrier;
    atomic_ptrdiff_t *taken; /* rows of the present panel */
} crew;

static void meet(const crew *all) {
    if (all->parts > 1)
        all->team->meet(all->barrier, all->parts);
}

/* Large pieces first, small ones at the end, so that all come to the end together, also when one of them is held up by
   what else the machine does. */
static ptrdiff_t next_piece(const crew *all, ptrdiff_t left) {
    if (all->parts == 1)
        return min(left, balanced(all->f->m, all->mc, MX_MAX_MR));
    return min(left, min(all->mc, round_up(left / (2 * all->parts), MX_MAX_MR) + MX_MAX_MR));
}

static range take_rows(const crew *all) {
    ptrdiff_t from = atomic_load(all->taken), size;
    do
        size = next_piece(all, all->f->m - from);
    while (!atomic_compare_exchange_weak(all->taken, &from, from + size));
    return (range){from, size};
}

/* Blocks of rows of A against a panel of B, which is packed already where several threads share it. */
static void multiply_panel(const crew *all, const product *f, real *a) {
    int packs_b = all->parts == 1;
    for (range rows = take_rows(all); rows.size > 0; rows = take_rows(all), packs_b = 0) {
        const product part = rows_of(f, rows);
        const ptrdiff_t next = f->m - rows.from - rows.size;
        MX_REAL(mx_multiply_blocks)
        (&(blocks){all->set, &part, a, all->b, all->a_in_place, packs_b, packs_b && next == 0 ? 2 : PTRDIFF_MAX, next});
    }
}

/* What a thread packs of a panel, and strip by strip what is to be done with that. */
static void pack_range(const crew *all, const product *f, range mine) {
    const ptrdiff_t nr = all->set->nr, end = mine.from + mine.size;
    all->set->pack_b(mine.size, f->k, f->b + mine.from * f->csb, f->csb, f->rsb, all->b + mine.from * f->k);
    for (ptrdiff_t j = mine.from; j < end && reader_of_b(f) != NULL; j += nr) {
        const product strip = packed_columns_of(f, (range){j, min(end - j, nr)}, all->b + j * f->k, nr);
        begin_b(&strip);
    }
}

/* The rows are given out anew while all are here. */
static void pack_share(const crew *all, const product *f, int part) {
    if (part == 0)
        atomic_store(all->taken, 0);
    if (all->parts > 1)
        pack_range(all, f, share(f->n, MX_MAX_NR, all->parts, part));
}

static void multiply(const crew *all, int part) {
    const product *f = all->f;
    const ptrdiff_t nc = balanced(f->n, all->nc, MX_MAX_NR), kc = balanced(f->k, KC, 1);
    for (ptrdiff_t j = 0; j < f->n; j += nc)
        for (ptrdiff_t p = 0; p < f->k; p += kc) {
            const product columns = columns_of(f, (range){j, min(f->n - j, nc)});
            product panel = steps_of(&columns, (range){p, min(f->k - p, kc)});
            panel.without |= j == 0 ? 0 : MX_OF_A;
            pack_share(all, &panel, part);
            meet(all);
            multiply_panel(all, &panel, all->a + part * all->room);
            meet(all);
        }
}

static void *aligned(void *work) {
    size_t past = (uintptr_t)work % LINE;
    return (char *)work + (past == 0 ? 0 : LINE - past);
}

/* A that stays near while panels of B pass by serves as it lies, by rows. */
static int wants_a_in_place(const product *f) {
    return f->csa == 1 && volume_within(ROWS_EIGHTHS * (mx_near_cache() / 8 / (ptrdiff_t)sizeof(real)), 1, f->m, f->k);
}

static crew alone(const kernels *set, const product *f, void *work, atomic_ptrdiff_t *taken) {
    char *a = aligned(work), *b = a + bytes_of_a(f->m, f->k);
    return (crew){.set = set,
                  .f = f,
                  .a = (real *)(void *)a,
                  .b = (real *)(void *)b,
                  .mc = block_rows(f->k),
                  .nc = NC,
                  .a_in_place = wants_a_in_place(f),
                  .parts = 1,
                  .taken = taken};
}

/* The other ways multiply partial sums by alpha, and Inf times them could give Inf - Inf where Inf times the whole sum
   is Inf. */
static void row_by_row(const kernels *set, const product *f) {
    begin_all(f);
    for (ptrdiff_t i = 0; i < f->m; i++) {
        product row = *f;
        row.m = 1;
        row.a += i * f->rsa;
        row.c += i * f->rsc;
        set->vector(&row);
    }
    finish(f);
}

/* Vectors of C run along its rows, unless these are short and vectors of A run along its columns. */
static int wants_transposition(const product *f) {
    if (f->m == 1 || f->n == 1)
        return f->m != 1;
    if (f->rsa == 1 && f->csa != 1 && f->n <= FEW_COLUMNS && f->m >= 2 * f->n)
        return 1;
    return f->csc != 1 && f->rsc == 1;
}

/* More than SMALL in any set.  An A by columns takes a line of the cache for each row of the strip, too. */
static int wants_strips_packed(const kernels *set, const product *f) {
    const int lines = f->csa != 1;
    const ptrdiff_t deepest = lines ? set->strip / 5 * 3 : set->strip, strips = lines ? 2 : 3;
    return f->m > FEW_ROWS && f->n >= strips * set->nr && f->k > deepest &&
           ((f->k > set->strip && crowd_of_rows(f) >= set->crowd) || !volume_within(ENOUGH_OF_A, 1, f->m, f->k));
}

static int is_b_large(const product *f) {
    const double bytes = (double)f->n * (double)f->k * (double)sizeof(real);
    return (f->k > DEEP && bytes > LARGE_DEEP) || (f->n >= NARROW && f->k >= LOW && bytes > LARGE);
}

static ptrdiff_t most_in_place(const product *f) {
    return f->k < FLAT ? SMALL_FLAT : is_b_large(f) ? SMALL_BY_LARGE : SMALL_IN_PLACE;
}

static int wants_no_copy(const kernels *set, const product *f) {
    if (wants_strips_packed(set, f))
        return 0;
    return volume_within(most_in_place(f), f->m, f->n, f->k) || f->m <= FEW_ROWS ||
           (f->m <= FEW_ROWS_IN_PLACE && !is_b_large(f)) || f->k <= SHALLOW ||
           volume_within(NEAR / (ptrdiff_t)sizeof(real), 1, f->n, f->k);
}

/* Columns that fill vectors well enough are worth copying B for: all at once where few rows of A fit beside a strip
   that is wide, otherwise to the stack. */
static int wants_no_packing(const kernels *set, const product *f) {
    if (f->csb == 1)
        return wants_no_copy(set, f);
    return volume_within(SMALL, f->m, f->n, f->k) ||
           (f->rsb == 1 && f->k <= SHORT && volume_within(SMALL_IN_PLACE, f->m, f->n, f->k)) ||
           (f->rsb == 1 &&
            (f->m <= FEW_ROWS || (f->csa == 1 && f->n <= FEW_COLUMNS &&
                                  (set->strip < PTRDIFF_MAX || 8 * f->n < 7 * round_up(f->n, set->lanes)))));
}

/* ---- By several threads: the same register blocks in the same places, so that all bits are the same ---- */

/* Parts of C that are products of their own, in place. */
typedef struct parts {
    MX_REAL(mx_direct_function) * way;
    const product *f;
    ptrdiff_t unit, depth;
    int by_rows, count;
} parts;

static void direct_part(const void *job, int part) {
    const parts *all = job;
    product mine = all->by_rows ? rows_of(all->f, share(all->f->m, all->unit, all->count, part))
                                : columns_of(all->f, share(all->f->n, all->unit, all->count, part));
    if (part > 0)
        mine.without |= all->by_rows ? MX_OF_B : MX_OF_A;
    multiply_in_place(all->way, &mine, all->depth);
}

/* Steps for which a strip of B stays near, where it and A are read more than once.  The same for all parts. */
static ptrdiff_t depth_in_place(const kernels *set, const product *f) {
    const int reads_again = f->csb == 1 && f->m > ROWS_AT_ONCE && f->n > FEW_COLUMNS && f->k > set->strip;
    return reads_again && !volume_within(NEAR_BOTH / (ptrdiff_t)sizeof(real), 1, f->m + f->n, f->k)
               ? balanced(f->k, set->strip, 1)
               : f->k;
}

static void direct(const kernels *set, const product *f, const mx_team *team, int threads) {
    const int by_rows = epilogue_of(f) != NULL ? !f->swapped : f->m >= f->n && f->m > 1;
    parts all = {f->m == 1 ? set->vector : set->small, f, unit_of(f, by_rows), depth_in_place(set, f), by_rows, 1};
    if (threads > 1)
        all.count = (int)min((by_rows ? f->m : f->n) / (2 * all.unit), threads);
    if (all.count > 1)
        team->run(all.count, 1, direct_part, &all);
    else
        multiply_in_place(all.way, f, all.depth);
}

static void row_part(const void *job, int part) {
    multiply(job, part);
}

/* Each on its own columns, with its share of the workspace: from a whole number of panels on, one more for every part
   where parts end within panels. */
static void column_part(const void *job, int part) {
    atomic_ptrdiff_t taken;
    crew mine = *(const crew *)job;
    product f = columns_of(mine.f, share(mine.f->n, mine.unit, mine.parts, part));
    const range place = share(min(mine.nc, mine.f->n), mine.unit, mine.parts, part);
    const ptrdiff_t panels = place.from / MX_MAX_NR + (mine.unit < MX_MAX_NR ? part : 0);
    f.without |= part == 0 ? 0 : MX_OF_A;
    mine.f = &f;
    mine.a += part * mine.room;
    mine.b += panels * MX_MAX_NR * min(f.k, KC);
    mine.nc = round_up(place.size, MX_MAX_NR);
    mine.parts = 1;
    mine.taken = &taken;
    multiply(&mine, 0);
}

/* Parts may end within panels where there is room for one more each: in the place of an A that is not packed, but for a
   strip. */
static void divide_finely(crew *all, ptrdiff_t rows) {
    all->unit = MX_MAX_NR;
    if (!all->a_in_place || rows < all->parts * (MX_MAX_NR + 2 * MX_MAX_MR))
        return;
    all->unit = all->set->lanes;
    all->b = all->a + round_up(all->parts * all->room, LINE_REALS);
}

/* A panel of B that several threads pack and read passes between their caches.  Columns of B for each cost no more than
   that every thread packs all of A, or nothing where A is not packed.  What is done afterwards wants the caller's rows
   whole. */
static int wants_columns(const product *f, int a_in_place, int threads) {
    if (epilogue_of(f) != NULL)
        return f->swapped;
    return f->n >= WIDE * f->m || f->n >= (a_in_place ? ENOUGH_COLUMNS * threads : MANY_COLUMNS * (threads - 1));
}

static void packed(const kernels *set, const product *f, void *work, const mx_team *team, int threads) {
    mx_barrier barrier = {0};
    atomic_ptrdiff_t taken;
    crew all = alone(set, f, work, &taken);
    const int by_columns = wants_columns(f, all.a_in_place, threads);
    const ptrdiff_t rows = min(round_up(f->m, MX_MAX_MR), MC); /* that there is room for */
    const ptrdiff_t most = min(rows / MX_MAX_MR, by_columns ? f->n / MX_MAX_NR : f->m / MX_MAX_MR);
    all.parts = most < 1 ? 1 : (int)min(threads, most);
    all.mc = min(all.mc, rows / all.parts / MX_MAX_MR * MX_MAX_MR);
    all.room = (all.a_in_place ? MX_MAX_MR : all.mc) * min(f->k, KC);
    all.team = team;
    all.barrier = &barrier;
    if (by_columns)
        divide_finely(&all, rows);
    if (all.parts > 1)
        team->run(all.parts, by_columns, by_columns ? column_part : row_part, &all);
    else
        multiply(&all, 0);
}

static void multiply_by(const kernels *set, const product *f, void *work, const mx_team *team, int threads) {
    if (!isfinite(f->alpha))
        row_by_row(set, f);
    else if (f->m == 1 || wants_no_packing(set, f))
        direct(set, f, team, threads);
    else
        packed(set, f, work, team, threads);
}

/* Waking threads must pay. */
static void multiply_by_team(const kernels *set, const product *f, void *work, const mx_team *team) {
    const double most = (double)f->m * (double)f->n * (double)f->k / LEAST_PART;
    const int entered = team->enter();
    multiply_by(set, f, work, team, entered < most ? entered : (int)most);
    team->leave(entered);
}

/* By reference: a copy would be made in vector registers, and what is stored from these can not be read before the sums
   of the product before are done. */
static void multiply_any(const product *f, void *work) {
    const kernels *set = MX_REAL(mx_dispatch)();
    const mx_team *team = atomic_load_explicit(&mx_the_team, memory_order_acquire);
    product t;
    if (wants_transposition(f)) {
        t = transposed_product(f);
        f = &t;
    }
    if (team == NULL || volume_within(2 * LEAST_PART - 1, f->m, f->n, f->k))
        multiply_by(set, f, work, NULL, 1);
    else
        multiply_by_team(set, f, work, team);
}

/* To be computed at once, with vectors of C along its rows? */
static inline __attribute__((always_inline)) int is_tiny(const product *f) {
    return (f->m | f->n | f->k) < TINY && (f->csb == 1 || f->rsb == 1) && f->csc == 1 && isfinite(f->alpha);
}

/* hooked: may something be to be done beside it?  A constant. */
static inline __attribute__((always_inline)) void multiply_tiny(const product *f, int hooked) {
    if (hooked)
        begin_all(f);
    MX_REAL(mx_dispatch)()->small(f);
    if (hooked)
        finish(f);
}

static __attribute__((noinline)) void multiply_by_columns(const product *f, void *work) {
    const product t = transposed_product(f);
    if (is_tiny(&t))
        multiply_tiny(&t, 1);
    else
        multiply_any(f, work);
}

/* Tiny products are told apart at once. */
static inline __attribute__((always_inline)) void multiply_given(const product *f, int hooked, void *work) {
    if (f->m == 0 || f->n == 0) {
        begin_a(f);
        begin_b(f);
    } else if (f->k == 0 || f->alpha == 0)
        multiply_at_once(scale, f);
    else if (is_tiny(f))
        multiply_tiny(f, hooked);
    else if (f->csc != 1)
        multiply_by_columns(f, work);
    else
        multiply_any(f, work);
}

void MX_REAL_AND(mx_gemm, _hooked)(size_t rows, size_t columns, size_t depth, real alpha, const real *a, ptrdiff_t rsa,
                                   ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta, real *c,
                                   ptrdiff_t rsc, ptrdiff_t csc, void *work, const MX_REAL(mx_hooks) * hooks) {
    const ptrdiff_t m = (ptrdiff_t)rows, n = (ptrdiff_t)columns, k = (ptrdiff_t)depth;
    const product f = {m, n, k, alpha, beta, a, rsa, csa, b, rsb, csb, c, rsc, csc, hooks, 0, 0, 0, 0, 0, 0};
    multiply_given(&f, 1, work);
}

void MX_REAL_AND(mx_gemm, _fused)(size_t rows, size_t columns, size_t depth, real alpha, const real *a, ptrdiff_t rsa,
                                  ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta, real *c,
                                  ptrdiff_t rsc, ptrdiff_t csc, void *work, const MX_REAL(mx_prologue) * first,
                                  const MX_REAL(mx_epilogue) * after) {
    const MX_REAL(mx_hooks) hooks = {.prologue = first, .epilogue = after};
    MX_REAL_AND(mx_gemm, _hooked)
    (rows, columns, depth, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc, work, &hooks);
}

void MX_REAL_AND(mx_gemm, _epilogue)(size_t rows, size_t columns, size_t depth, real alpha, const real *a,
                                     ptrdiff_t rsa, ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb,
                                     real beta, real *c, ptrdiff_t rsc, ptrdiff_t csc, void *work,
                                     const MX_REAL(mx_epilogue) * after) {
    MX_REAL_AND(mx_gemm, _fused)
    (rows, columns, depth, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc, work, NULL, after);
}

void MX_REAL(mx_gemm)(size_t rows, size_t columns, size_t depth, real alpha, const real *a, ptrdiff_t rsa,
                      ptrdiff_t csa, const real *b, ptrdiff_t rsb, ptrdiff_t csb, real beta, real *c, ptrdiff_t rsc,
                      ptrdiff_t csc, void *work) {
    const ptrdiff_t m = (ptrdiff_t)rows, n = (ptrdiff_t)columns, k = (ptrdiff_t)depth;
    const product f = {m, n, k, alpha, beta, a, rsa, csa, b, rsb, csb, c, rsc, csc, NULL, 0, 0, 0, 0, 0, 0};
    multiply_given(&f, 0, work);
}
