/* A cache block of A against a panel of B: strips of both, packed on the way.  Compiled once for each element type. */
#include "blocks.h"
#include "machine.h"
#include "parts.h"

/* Rows are sent for while those so many before them are packed. */
#define AHEAD 64

/* The same of lines of columns of A. */
#define LINES_AHEAD 4

/* Of an A in place only a last strip that is not whole is packed. */
static real *place_of_rows(const blocks *x, ptrdiff_t i) {
    return x->a_in_place ? x->a : x->a + i * x->f->k;
}

/* Two strips take turns in a place near where no other block comes. */
static real *place_of_columns(const blocks *x, ptrdiff_t j) {
    return x->b + j / x->set->nr % x->places * x->set->nr * x->f->k;
}

/* From this column on. */
static void pack_rows(const blocks *x, ptrdiff_t i, ptrdiff_t rows, ptrdiff_t column) {
    const product *f = x->f;
    if (column < f->k)
        x->set->pack_a(rows, f->k - column, f->a + i * f->rsa + column * f->csa, f->rsa, f->csa,
                       place_of_rows(x, i) + column * x->set->mr);
}

/* From this row on. */
static void pack_columns(const blocks *x, ptrdiff_t j, ptrdiff_t columns, ptrdiff_t row) {
    const product *f = x->f;
    if (row < f->k)
        x->set->pack_b(columns, f->k - row, f->b + row * f->rsb + j * f->csb, f->csb, f->rsb,
                       place_of_columns(x, j) + row * x->set->nr);
}

/* Whole strips of A from the second one on, beside the one before them. */
static int is_a_beside(const blocks *x, ptrdiff_t i) {
    const product *f = x->f;
    const int along = f->rsa == 1 || (f->csa == 1 && f->k >= PIECE);
    return !x->a_in_place && along && i > 0 && f->m - i >= x->set->mr && f->n >= x->set->nr;
}

/* How many of so many pieces of a strip of B belong to each strip of A. */
static ptrdiff_t share_beside(const blocks *x, ptrdiff_t pieces) {
    const ptrdiff_t strips = (x->f->m + x->set->mr - 1) / x->set->mr;
    return (pieces + strips - 1) / strips;
}

static ptrdiff_t rows_beside(const blocks *x) {
    return share_beside(x, x->f->k);
}

/* Of each column. */
static ptrdiff_t pieces_beside(const blocks *x) {
    return share_beside(x, x->f->k / PIECE);
}

/* No more than a vector, or a piece, for each step. */
static int has_steps_beside(const blocks *x) {
    return rows_beside(x) * x->set->nr <= x->f->k * x->set->lanes;
}

static int has_columns_beside(const blocks *x) {
    return x->f->k >= PIECE && pieces_beside(x) * x->set->nr <= x->f->k;
}

/* Whole strips of B from the second one on, unless strips of A are packed beside the one before. */
static int is_b_beside(const blocks *x, ptrdiff_t j) {
    const int taken = j == x->set->nr && is_a_beside(x, x->set->mr);
    if (!x->packs_b || j == 0 || taken || x->f->n - j < x->set->nr)
        return 0;
    return x->f->csb == 1 ? has_steps_beside(x) : x->f->rsb == 1 && has_columns_beside(x);
}

/* How many steps of what lies by rows, or by columns, are packed beside something else, if any are. */
static ptrdiff_t steps_beside(const blocks *x, int by_rows) {
    return by_rows ? x->f->k : x->f->k - x->f->k % PIECE;
}

static void pack_a_before(const blocks *x, ptrdiff_t i) {
    const ptrdiff_t rows = min(x->f->m - i, x->set->mr);
    if (!x->a_in_place || rows < x->set->mr)
        pack_rows(x, i, rows, is_a_beside(x, i) ? steps_beside(x, x->f->rsa == 1) : 0);
}

static void pack_b_before(const blocks *x, ptrdiff_t j) {
    if (x->packs_b)
        pack_columns(x, j, min(x->f->n - j, x->set->nr), is_b_beside(x, j) ? steps_beside(x, x->f->csb == 1) : 0);
}

/* What the product is about to read for the first time: as it is packed, if it is. */
static void begin_rows(const blocks *x, ptrdiff_t i) {
    product strip = rows_of(x->f, (range){i, min(x->f->m - i, x->set->mr)});
    if (!x->a_in_place) {
        strip.a = place_of_rows(x, i);
        strip.rsa = 1, strip.csa = x->set->mr;
    }
    begin_a(&strip);
}

static void begin_columns(const blocks *x, ptrdiff_t j) {
    const range columns = {j, min(x->f->n - j, x->set->nr)};
    const product strip = packed_columns_of(x->f, columns, place_of_columns(x, j), x->set->nr);
    begin_b(&strip);
}

/* Of a B too large for the second-level cache: other processors may keep the third one busy. */
static int is_fetched_beside(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    return !x->packs_b && f->n * f->k > mx_near_cache() / (ptrdiff_t)sizeof(real) && j < f->n && has_steps_beside(x);
}

/* What goes on beside the blocks of a strip of B, in so many runs: beside the first of them, and so much further on
   beside each of the next ones. */
typedef struct course {
    work_beside work;
    ptrdiff_t runs, from, to, turn;
} course;

/* The strips of A from the second one on.  The last steps beside one send for the first rows of the next one. */
static course pack_a_rows_beside(const blocks *x) {
    const product *f = x->f;
    const ptrdiff_t mr = x->set->mr, ahead = min(AHEAD, f->k), count = (f->k + mr - 1) / mr;
    return (course){.work = {.what = MX_ROWS_OF_A,
                             .runs = mr,
                             .count = count,
                             .from = f->a + mr,
                             .stride = f->csa,
                             .across = count * f->csa,
                             .ahead = ahead * f->csa,
                             .turn = f->k - ahead,
                             .turned = mr - (f->k - ahead) * f->csa,
                             .to = x->a + mr * f->k},
                    .runs = (f->m / mr - 1) * mr,
                    .from = mr,
                    .to = mr * f->k};
}

/* So many runs are all over the steps. */
static ptrdiff_t steps_of_run(const blocks *x, ptrdiff_t runs) {
    const ptrdiff_t steps = (x->f->k - x->f->k / 8) / runs;
    return steps < 1 ? 1 : steps;
}

/* The whole pieces of a strip of w columns, so many of each column beside each block.  The last ones, so many pieces
   before the end, send for the first ones of the next strip. */
static work_beside pack_pieces(const blocks *x, enum mx_beside what, ptrdiff_t w, ptrdiff_t share, ptrdiff_t before) {
    const ptrdiff_t turn = x->f->k / PIECE - before, across = what == MX_COLUMNS_OF_A ? x->f->rsa : x->f->csb;
    return (work_beside){.what = what,
                         .runs = share * w,
                         .count = steps_of_run(x, share * w),
                         .across = across,
                         .ahead = before * PIECE,
                         .turn = turn * w,
                         .turned = w * across - turn * PIECE};
}

static course pack_a_columns_beside(const blocks *x) {
    const product *f = x->f;
    const ptrdiff_t mr = x->set->mr, pieces = f->k / PIECE, before = min(LINES_AHEAD * LINE_REALS / PIECE, pieces);
    course along = {.work = pack_pieces(x, MX_COLUMNS_OF_A, mr, pieces, before),
                    .runs = (f->m / mr - 1) * mr * pieces,
                    .from = mr * f->rsa,
                    .to = mr * f->k};
    along.work.from = f->a + mr * f->rsa;
    along.work.to = x->a + mr * f->k;
    return along;
}

/* Strips of an A by rows in place are sent for, a line of each row after the other. */
static course fetch_a_beside(const blocks *x) {
    const product *f = x->f;
    const ptrdiff_t mr = x->set->mr;
    return (course){.work = {.what = MX_LINES,
                             .runs = mr,
                             .count = min(f->k / LINE_REALS, f->k / mr),
                             .from = f->a + mr * f->rsa,
                             .stride = LINE_REALS,
                             .across = f->rsa},
                    .runs = (f->m / mr - 1) * mr,
                    .from = mr * f->rsa};
}

/* Strip j of a B by rows, some of them beside each block.  The last ones send for the first rows of the next
   strip. */
static course pack_b_rows_beside(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    const ptrdiff_t nr = x->set->nr, share = rows_beside(x), ahead = min(AHEAD, f->k);
    return (course){.work = {.what = MX_ROWS_OF_B,
                             .runs = share,
                             .count = steps_of_run(x, share),
                             .from = f->b + j,
                             .across = f->rsb,
                             .ahead = ahead * f->rsb,
                             .turn = f->k - ahead,
                             .turned = nr - (f->k - ahead) * f->rsb,
                             .to = place_of_columns(x, j)},
                    .runs = f->k,
                    .from = share * f->rsb,
                    .to = share * nr,
                    .turn = share};
}

static course pack_b_columns_beside(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    const ptrdiff_t nr = x->set->nr, share = pieces_beside(x);
    course along = {.work = pack_pieces(x, MX_COLUMNS_OF_B, nr, share, 1),
                    .runs = f->k / PIECE * nr,
                    .from = share * PIECE,
                    .to = share * PIECE * nr,
                    .turn = share * nr};
    along.work.from = f->b + j * f->csb;
    along.work.to = place_of_columns(x, j);
    return along;
}

/* Columns of strip j of a B by columns, which is packed next. */
static course fetch_columns_beside(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    const ptrdiff_t columns = min(f->n - j, x->set->nr), share = round_up(rows_beside(x), LINE_REALS);
    return (course){.work = {.what = MX_LINES,
                             .runs = columns,
                             .count = share / LINE_REALS,
                             .from = f->b + j * f->csb,
                             .stride = LINE_REALS,
                             .across = f->csb},
                    .runs = f->k / share * columns,
                    .from = share};
}

/* Lines of strip j of B, which is packed. */
static course fetch_b_beside(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    const ptrdiff_t mr = x->set->mr, share = rows_beside(x) * x->set->nr;
    const ptrdiff_t count = min(f->k, share / LINE_REALS + mr - 1) / mr;
    return (course){.work = {.what = MX_LINES,
                             .runs = mr,
                             .count = count,
                             .from = place_of_columns(x, j),
                             .stride = LINE_REALS,
                             .across = count * LINE_REALS},
                    .runs = round_up(f->m, mr),
                    .from = share};
}

/* Strips of B whose products are computed while the next rows of an A by columns are sent for. */
#define LAST_STRIPS 8

static int is_next_fetched_beside(const blocks *x, ptrdiff_t j) {
    const ptrdiff_t left = (x->f->n - j) / x->set->nr;
    return x->f->rsa == 1 && x->f->csa != 1 && x->next >= x->set->mr && j > 0 && left > 0 && left <= LAST_STRIPS;
}

/* Some columns of the next rows of A, a line of each: those of strip i beside the block of the present strip i. */
static course fetch_next_beside(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    const ptrdiff_t mr = x->set->mr, count = f->k / (LAST_STRIPS * mr), part = (f->n - j) / x->set->nr - 1;
    return (course){.work = {.what = MX_LINES,
                             .runs = mr,
                             .count = count,
                             .from = f->a + f->m + part * mr * count * f->csa,
                             .stride = f->csa,
                             .across = count * f->csa},
                    .runs = min(f->m, x->next) / mr * mr,
                    .from = mr};
}

/* Beside the blocks of strip j of B: the strips of A, the next strip of B, or the next rows of A. */
static course beside(const blocks *x, ptrdiff_t j) {
    const ptrdiff_t next = j + x->set->nr;
    if (j == 0 && is_a_beside(x, x->set->mr))
        return x->f->rsa == 1 ? pack_a_rows_beside(x) : pack_a_columns_beside(x);
    if (is_b_beside(x, next))
        return x->f->csb == 1 ? pack_b_rows_beside(x, next) : pack_b_columns_beside(x, next);
    if (j == 0 && x->f->csa == 1 && x->f->m >= 2 * x->set->mr)
        return fetch_a_beside(x);
    if (x->packs_b && x->f->rsb == 1 && x->f->csb != 1 && next < x->f->n)
        return fetch_columns_beside(x, next);
    if (is_next_fetched_beside(x, j))
        return fetch_next_beside(x, j);
    if (is_fetched_beside(x, next))
        return fetch_b_beside(x, next);
    return (course){0};
}

static void multiply_strip(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    const ptrdiff_t mr = x->set->mr;
    const course along = beside(x, j);
    register_block block = {.m = mr,
                            .n = min(f->n - j, x->set->nr),
                            .k = f->k,
                            .alpha = f->alpha,
                            .beta = f->beta,
                            .a = x->a_in_place ? f->a : x->a,
                            .rsa = f->rsa,
                            .in_place = x->a_in_place,
                            .b = place_of_columns(x, j),
                            .c = f->c + j * f->csc,
                            .rsc = f->rsc,
                            .csc = f->csc,
                            .beside = along.work};
    const ptrdiff_t step = x->a_in_place ? mr * f->rsa : mr * f->k;
    for (ptrdiff_t i = 0, left = along.runs; i < f->m; i += mr, left -= block.beside.runs) {
        block.beside.runs = min(along.work.runs, left);
        if (j == 0)
            pack_a_before(x, i);
        if (j == 0 && reader_of_a(f) != NULL)
            begin_rows(x, i);
        if (f->m - i < mr) {
            block.m = f->m - i;
            block.a = place_of_rows(x, i);
            block.in_place = 0;
        }
        x->set->micro(&block);
        block.a += step;
        block.c += mr * f->rsc;
        block.beside.from += along.from;
        block.beside.to += along.to;
        block.beside.turn -= along.turn;
    }
}

/* The columns from j on that are computed together. */
static product tile_of(const blocks *x, ptrdiff_t j) {
    const product *f = x->f;
    const ptrdiff_t near = mx_near_cache() / 8 * C_EIGHTHS / (f->m * (ptrdiff_t)sizeof(real));
    const ptrdiff_t width = has_tiles(f) ? near / x->set->nr * x->set->nr + x->set->nr : f->n;
    return columns_of(f, (range){j, min(f->n - j, width)});
}

static void multiply_strips(const blocks *x, ptrdiff_t from, ptrdiff_t to) {
    for (ptrdiff_t j = from; j < to; j += x->set->nr) {
        pack_b_before(x, j);
        if (x->packs_b && reader_of_b(x->f) != NULL)
            begin_columns(x, j);
        multiply_strip(x, j);
    }
}

void MX_REAL(mx_multiply_blocks)(const blocks *x) {
    for (ptrdiff_t j = 0; j < x->f->n;) {
        const product tile = tile_of(x, j);
        begin(&tile);
        multiply_strips(x, j, j + tile.n);
        finish(&tile);
        j += tile.n;
    }
}
