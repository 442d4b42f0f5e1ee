/* Small products: register blocks over operands where they lie, without workspace. */
#include "machine.h"
#include "simd.h"

/* Rows of B that do not serve as they lie are copied to the stack, as many as the first-level cache holds. */
#define BUFFER_REALS (STRIP_BYTES * 8 / MX_BITS)

/* The widest strip, in vectors, and the tallest block of a strip, in rows. */
#define WIDEST (NV < 3 ? NV : 3)
#define TALLEST(vecs)                                                                                                  \
    (!MANY_REGISTERS ? ((vecs) == 1 ? 8 : (vecs) == 2 ? 6 : 4) : (vecs) == 1 ? 16 : (vecs) == 2 ? 12 : 8)
#define MOST_ROWS 16

/* Few rows of C leave registers for wider strips, along which B is read in order, and sums enough side by side. */
#define WIDE_ROWS 4
#define WIDE_VECTORS(rows)                                                                                             \
    (MANY_REGISTERS ? ((rows) <= 2 ? 8 : 6) : (rows) == 1 ? 8 : (rows) == 2 ? 5 : (rows) == 3 ? 4 : WIDEST)

/* Where there are few registers, some more rows are one block of a narrower strip, so that B is read once. */
#define ONE_BLOCK_ROWS (MANY_REGISTERS ? TALLEST(WIDEST) : TALLEST(2))
#define ONE_BLOCK_VECTORS (MANY_REGISTERS ? WIDEST : 2)

/* Blocks of dot products: sums in registers, which leave some for products where these are not added at once; rows, and
   columns with so many rows.  They are taken for sums of this length where C has few columns, or so few rows that
   summing up costs less than to copy B. */
#define DOT_SUMS (MANY_REGISTERS ? 24 : HAS_LANES ? 12 : 9)
#define DOT_ROWS (MANY_REGISTERS || HAS_LANES ? 4 : 3)
#define DOT_TALLEST (MANY_REGISTERS ? 6 : 8)
#define DOT_COLUMNS(rows) (DOT_SUMS / (rows) < 6 ? DOT_SUMS / (rows) : 6)
#define HAS_DOTS(rows, cols) ((rows) <= DOT_TALLEST && (cols) <= DOT_COLUMNS(rows))
#define LONG (3 * LANES)
#define FEW 12
#define FEW_ROWS 24
#define LONG_ROWS(m) (8 * (m))

/* Up to this many rows of B are summed without a block, for so many rows of C at a time. */
#define SHALLOW 4
#define FLAT_ROWS (MANY_REGISTERS ? 1 : 4)

/* A strip of C: m rows and n <= vecs*LANES columns.  b has rows ldb apart: of whole vectors where the set has no masks,
   else of n elements.  What is sent for beside it is the strip that follows in b. */
enum fetched { NO_ROWS, FIRST_ROWS, ALL_ROWS };
typedef struct strip {
    const product *f;
    ptrdiff_t n, k;
    const real *a; /* A from the strip's first column of A on */
    const real *b;
    ptrdiff_t ldb;
    enum fetched fetched;
    int sends; /* for blocks of C, beforehand */
    real *c;
    real beta;
} strip;

/* Volatile, so that it is read once: gcc would rather read it again for each of up to three uses, and reading is what
   small blocks wait for. */
INLINE vector load_once(const real *p) {
    return *(const volatile loose_vector *)p;
}

INLINE vector load_row(int whole, const real *p, lanes which) {
    if (whole)
        return load_once(p);
    return load_lanes(p, which);
}

/* acc_ij += a_i b_j for one row of B.  The shorter of a and b waits in registers.  A pointer to every fourth row of A
   needs fewer strides at hand than one. */
INLINE void tall_step(int rows, int vecs, int whole, lanes last, const real *const *a, ptrdiff_t rsa, const real *b,
                      vector *acc) {
    vector y[8];
    UNROLL for (int j = 0; j < vecs; j++) y[j] = load_row(whole || j < vecs - 1, b + j * LANES, last);
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vecs; j++) acc[i * vecs + j] += a[i / 4][i % 4 * rsa] * y[j];
    }
}

INLINE void wide_step(int rows, int vecs, int whole, lanes last, const real *a, ptrdiff_t rsa, const real *b,
                      vector *acc) {
    real x[8];
    UNROLL for (int i = 0; i < rows; i++) x[i] = a[i * rsa];
    UNROLL for (int j = 0; j < vecs; j++) {
        const vector y = load_row(whole || j < vecs - 1, b + j * LANES, last);
        UNROLL for (int i = 0; i < rows; i++) acc[i * vecs + j] += x[i] * y;
    }
}

/* Blocks of C are sent for beforehand from the first depth on, or from the second one where the second-level cache does
   not hold C. */
#define FAR 96
#define FAR_LARGE 24

/* Many rows of A at a time only where these are short: their lines compete for places of the first-level cache. */
#define SHORT 128
#define TALLEST_DEEP 8

INLINE void step(int rows, int vecs, int whole, lanes last, const real *const *a, ptrdiff_t rsa, const real *b,
                 vector *acc) {
    if (rows < vecs)
        wide_step(rows, vecs, whole, last, a[0], rsa, b, acc);
    else
        tall_step(rows, vecs, whole, last, a, rsa, b, acc);
}

INLINE void advance(int rows, const real **a, ptrdiff_t csa) {
    UNROLL for (int i = 0; i < (rows + 3) / 4; i++) a[i] += csa;
}

/* Rows of one vector whose sums leave registers for as many more. */
#define PAIRED_ROWS (MANY_REGISTERS ? 8 : 6)

/* So few sums that each would wait for the one before are added by twos: those of even and of odd steps.  Returns the
   number of steps. */
INLINE ptrdiff_t add_pairs(int rows, int whole, lanes last, const real **a, ptrdiff_t rsa, ptrdiff_t csa, const real *b,
                           ptrdiff_t ldb, ptrdiff_t pairs, vector *acc) {
    vector odd[8] = {{0}};
    for (ptrdiff_t p = 0; p < pairs; p++, b += 2 * ldb) {
        step(rows, 1, whole, last, a, rsa, b, acc);
        advance(rows, a, csa);
        step(rows, 1, whole, last, a, rsa, b + ldb, odd);
        advance(rows, a, csa);
    }
    UNROLL for (int i = 0; i < rows; i++) acc[i] += odd[i];
    return 2 * pairs;
}

/* Rows of the next strip that are sent for where these are not all: the first-level cache may have room for no more of
   them in one place. */
#define FETCHED 8

/* So many steps, each of which sends for a row of the next strip, to the first-level cache if near, or to the second.
 */
INLINE ptrdiff_t fetching_steps(int rows, int vecs, int whole, lanes last, int near, const real **a, ptrdiff_t rsa,
                                ptrdiff_t csa, const real *b, ptrdiff_t ldb, ptrdiff_t steps, vector *acc) {
    for (ptrdiff_t p = 0; p < steps; p++, b += ldb, advance(rows, a, csa)) {
        UNROLL for (int j = vecs; j < 2 * vecs; j++) {
            if (near)
                __builtin_prefetch(b + j * LANES, 0, 3);
            else
                __builtin_prefetch(b + j * LANES, 0, 2);
        }
        step(rows, vecs, whole, last, a, rsa, b, acc);
    }
    return steps;
}

/* rows x vecs block from row i0 on; whole: of whole vectors.  What is asked for most often, C = A B, is stored at once:
   multiplications by alpha would be one in k. */
INLINE void block(int rows, int vecs, int whole, const strip *s, ptrdiff_t i0) {
    const product *f = s->f;
    const lanes last = first_lanes(s->n - (vecs - 1) * LANES);
    const ptrdiff_t rsa = f->rsa, csa = f->csa, ldb = s->ldb;
    const real *b = s->b, *a[MOST_ROWS / 4];
    vector acc[MAX_ACCUMULATORS] = {{0}};
    UNROLL for (int i = 0; i < (rows + 3) / 4; i++) a[i] = s->a + (i0 + 4 * i) * rsa;
    if (s->k >= FAR_LARGE && s->sends)
        fetch_block(rows, vecs, s->c + i0 * f->rsc, f->rsc);
    ptrdiff_t p = s->k;
    if (vecs == ONE_BLOCK_VECTORS && s->fetched == ALL_ROWS)
        p -= fetching_steps(rows, vecs, whole, last, 0, a, rsa, csa, b, ldb, p, acc);
    else if (vecs == ONE_BLOCK_VECTORS && s->fetched == FIRST_ROWS)
        p -= fetching_steps(rows, vecs, whole, last, 1, a, rsa, csa, b, ldb, FETCHED, acc);
    if (vecs == 1 && rows <= PAIRED_ROWS && s->k > SHORT && f->n <= LANES && !f->ending)
        p -= add_pairs(rows, whole, last, a, rsa, csa, b, ldb, p / 2, acc);
    b = s->b + (s->k - p) * ldb;
    FEW_AT_A_TIME for (; p > 0; p--, b += ldb, advance(rows, a, csa)) step(rows, vecs, whole, last, a, rsa, b, acc);
    if (f->csc == 1 && f->alpha == 1 && s->beta == 0)
        store_rows(rows, vecs, acc, 1, 0, s->c + i0 * f->rsc, f->rsc, rows, whole ? vecs * LANES : s->n);
    else
        store_any(rows, vecs, acc, f->alpha, s->beta, s->c + i0 * f->rsc, f->rsc, f->csc, rows, s->n);
}

INLINE ptrdiff_t min(ptrdiff_t a, ptrdiff_t b) {
    return a < b ? a : b;
}

/* The next part of what is left: the largest, or two nearly equal ones at the end. */
INLINE ptrdiff_t next_part(ptrdiff_t left, ptrdiff_t largest) {
    return left <= largest ? left : left < 2 * largest ? (left + 1) / 2 : largest;
}

/* Blocks are functions of their own: where many stand in one, gcc runs out of registers for their addresses. */
typedef void block_function(const strip *s, ptrdiff_t i0);
#define BOTH(X, rows, vecs) X(rows, vecs, 0) X(rows, vecs, 1)
#define EACH_WIDTH(X, rows)                                                                                            \
    BOTH(X, rows, 1)                                                                                                   \
    BOTH(X, rows, 2)                                                                                                   \
    BOTH(X, rows, 3)                                                                                                   \
    BOTH(X, rows, 4)                                                                                                   \
    BOTH(X, rows, 5)                                                                                                   \
    BOTH(X, rows, 6)                                                                                                   \
    BOTH(X, rows, 7)                                                                                                   \
    BOTH(X, rows, 8)
#define EACH_TALL_WIDTH(X, rows) BOTH(X, rows, 1) BOTH(X, rows, 2)
#define EACH_BLOCK(X)                                                                                                  \
    EACH_WIDTH(X, 1)                                                                                                   \
    EACH_WIDTH(X, 2)                                                                                                   \
    EACH_WIDTH(X, 3)                                                                                                   \
    EACH_WIDTH(X, 4)                                                                                                   \
    EACH_WIDTH(X, 5)                                                                                                   \
    EACH_WIDTH(X, 6)                                                                                                   \
    EACH_WIDTH(X, 7)                                                                                                   \
    EACH_WIDTH(X, 8)                                                                                                   \
    EACH_TALL_WIDTH(X, 9)                                                                                              \
    EACH_TALL_WIDTH(X, 10)                                                                                             \
    EACH_TALL_WIDTH(X, 11)                                                                                             \
    EACH_TALL_WIDTH(X, 12)                                                                                             \
    BOTH(X, 13, 1)                                                                                                     \
    BOTH(X, 14, 1)                                                                                                     \
    BOTH(X, 15, 1)                                                                                                     \
    BOTH(X, 16, 1)
#define MADE(rows, vecs)                                                                                               \
    ((vecs) <= WIDEST ? (rows) <= TALLEST(vecs) : (rows) <= WIDE_ROWS && (vecs) <= WIDE_VECTORS(rows))
#define BLOCK_FUNCTION(rows, vecs, whole)                                                                              \
    static void block_##rows##_##vecs##_##whole(const strip *s, ptrdiff_t i0) {                                        \
        block(MADE(rows, vecs) ? rows : 1, MADE(rows, vecs) ? vecs : 1, whole, s, i0);                                 \
    }
#define BLOCK_ENTRY(rows, vecs, whole) [vecs - 1][whole][rows - 1] = block_##rows##_##vecs##_##whole,
EACH_BLOCK(BLOCK_FUNCTION)
static block_function *const blocks[8][2][MOST_ROWS] = {EACH_BLOCK(BLOCK_ENTRY)};

static void multiply_strip(const strip *s) {
    const ptrdiff_t m = s->f->m, vecs = (s->n + LANES - 1) / LANES;
    const ptrdiff_t tallest = s->k <= SHORT ? TALLEST(vecs) : min(TALLEST(vecs), TALLEST_DEEP);
    block_function *const *const of_rows = blocks[vecs - 1][s->n == vecs * LANES];
    for (ptrdiff_t i = 0, rows; i < m; i += rows) {
        rows = next_part(m - i, tallest);
        of_rows[rows - 1](s, i);
    }
}

/* rows of C from row i0 on, each a sum of depth rows of B; rows and depth are constants.  plain: C = A B. */
INLINE void flat_rows(int rows, int depth, int plain, const product *f, ptrdiff_t i0) {
    const ptrdiff_t whole = f->n - f->n % LANES;
    real *c = f->c + i0 * f->rsc, x[FLAT_ROWS * SHALLOW];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int p = 0; p < depth; p++) x[i * depth + p] = f->a[(i0 + i) * f->rsa + p * f->csa];
    }
    for (ptrdiff_t j = 0; j < whole; j += LANES) {
        vector y[SHALLOW];
        UNROLL for (int p = 0; p < depth; p++) y[p] = *(const loose_vector *)(f->b + p * f->rsb + j);
        UNROLL for (int i = 0; i < rows; i++) {
            vector sum = x[i * depth] * y[0];
            UNROLL for (int p = 1; p < depth; p++) sum += x[i * depth + p] * y[p];
            if (plain)
                *(loose_vector *)(c + i * f->rsc + j) = sum;
            else
                update_vector(c + i * f->rsc + j, sum, f->alpha, f->beta);
        }
    }
    for (int i = 0; i < rows; i++)
        for (ptrdiff_t j = whole; j < f->n; j++) {
            real sum = x[i * depth] * f->b[j];
            UNROLL for (int p = 1; p < depth; p++) sum += x[i * depth + p] * f->b[p * f->rsb + j];
            update(c + i * f->rsc + j, sum, f->alpha, f->beta);
        }
}

/* What counts is to write C in order, in as few streams as keep memory busy. */
INLINE void flat_product_of(int depth, int plain, const product *f) {
    ptrdiff_t i = 0;
    for (; i + FLAT_ROWS <= f->m; i += FLAT_ROWS)
        flat_rows(FLAT_ROWS, depth, plain, f, i);
    for (; i < f->m; i++)
        flat_rows(1, depth, plain, f, i);
}

INLINE void flat_any(int plain, const product *f) {
    if (f->k == 1)
        flat_product_of(1, plain, f);
    else if (f->k == 2)
        flat_product_of(2, plain, f);
    else if (f->k == 3)
        flat_product_of(3, plain, f);
    else
        flat_product_of(4, plain, f);
}

static void flat_product(const product *f) {
    if (f->alpha == 1 && f->beta == 0)
        flat_any(1, f);
    else
        flat_any(0, f);
}

/* n elements of each of k contiguous rows, vector by vector. */
INLINE void copy_vectors(int vecs, real *buffer, const real *b, ptrdiff_t rsb, ptrdiff_t k, ptrdiff_t n) {
    const lanes last = first_lanes(n - (vecs - 1) * LANES);
    for (ptrdiff_t p = 0; p < k; p++, b += rsb)
        UNROLL for (int j = 0; j < vecs; j++, buffer += LANES) * (panel_vector *)buffer =
            load_row(j < vecs - 1, b + j * LANES, last);
}

static void copy_elements(real *buffer, ptrdiff_t width, const real *b, const product *f, ptrdiff_t k, ptrdiff_t n) {
    for (ptrdiff_t p = 0; p < k; p++) {
        for (ptrdiff_t j = 0; j < n; j++)
            buffer[p * width + j] = b[p * f->rsb + j * f->csb];
        for (ptrdiff_t j = n; j < width; j++)
            buffer[p * width + j] = 0;
    }
}

/* buffer[p*width + j] = b[p*rsb + j*csb], with zeros up to whole vectors. */
static void copy_rows(real *buffer, ptrdiff_t width, const real *b, const product *f, ptrdiff_t k, ptrdiff_t n) {
    if (f->rsb == 1 && k >= SIDE && width % SIDE == 0)
        transpose(n, k, b, f->csb, buffer, width);
    else if (f->csb != 1 || (!HAS_LANES && n != width))
        copy_elements(buffer, width, b, f, k, n);
    else if (width == LANES)
        copy_vectors(1, buffer, b, f->rsb, k, n);
    else if (width == 2 * LANES)
        copy_vectors(2, buffer, b, f->rsb, k, n);
    else
        copy_vectors(3, buffer, b, f->rsb, k, n);
}

static void copied_strip(strip s, const real *b) {
    panel_vector buffer[STRIP_BYTES / VECTOR_BYTES];
    const product *f = s.f;
    s.b = (const real *)buffer;
    s.ldb = (s.n + LANES - 1) / LANES * LANES;
    const ptrdiff_t most = BUFFER_REALS / s.ldb;
    for (ptrdiff_t p = 0; p < f->k; p += s.k) {
        s.k = next_part(f->k - p, most);
        s.a = f->a + p * f->csa;
        s.beta = p == 0 ? f->beta : 1;
        copy_rows((real *)buffer, s.ldb, b + p * f->rsb, f, s.k, s.n);
        multiply_strip(&s);
    }
}

/* C by columns is stored by fours of the rows of a block: one block of up to 12 rows has fewer of them than two. */
static int wants_narrow_strips(const product *f) {
    return MANY_REGISTERS && f->rsc == 1 && f->csc != 1 && f->k <= SHORT && f->m > ONE_BLOCK_ROWS && f->m <= TALLEST(2);
}

static ptrdiff_t widest_strip(const product *f) {
    if (wants_narrow_strips(f))
        return 2;
    if (f->csb != 1 || f->m > ONE_BLOCK_ROWS)
        return WIDEST;
    return f->m <= WIDE_ROWS ? WIDE_VECTORS(f->m) : ONE_BLOCK_VECTORS;
}

/* Columns of the next strip.  Sets without masks leave what is no whole vector to a strip of its own. */
static ptrdiff_t next_strip(const product *f, ptrdiff_t left) {
    ptrdiff_t n = next_part((left + LANES - 1) / LANES, widest_strip(f)) * LANES;
    if (!HAS_LANES && f->csb == 1 && n > left && left > LANES)
        return left - left % LANES;
    return n < left ? n : left;
}

/* In all sets the products of the last elements are added up by lanes, so that all blocks add them alike.  With many
   registers gcc reads once by itself, and in a better order. */
INLINE vector load_exactly(int whole, const real *p, ptrdiff_t count) {
    if (whole)
        return MANY_REGISTERS ? (vector) * (const loose_vector *)p : load_once(p);
    return load_first(p, count);
}

/* acc_ij += Σ a_i b_j over some vectors of both, from p on; all their lanes, or the first count.  The fewer of both
   wait in registers. */
INLINE void dot_step(int rows, int cols, int vecs, const real *const *a, const real *const *b, ptrdiff_t p, int whole,
                     ptrdiff_t count, vector *acc) {
    const int tall = cols < rows, few = tall ? cols : rows, many = tall ? rows : cols;
    const real *const *fewer = tall ? b : a, *const *more = tall ? a : b;
    vector waiting[8];
    UNROLL for (int i = 0; i < few * vecs; i++) {
        waiting[i] = load_exactly(whole, fewer[i / vecs] + p + i % vecs * LANES, count);
    }
    UNROLL for (int j = 0; j < many * vecs; j++) {
        const vector next = load_exactly(whole, more[j / vecs] + p + j % vecs * LANES, count);
        UNROLL for (int i = 0; i < few; i++) {
            const int at = tall ? j / vecs * cols + i : i * cols + j / vecs;
            acc[at] += waiting[i * vecs + j % vecs] * next;
        }
    }
}

static __attribute__((noinline)) void update_by(int rows, int cols, const product *f, const real *sums, real *c) {
    const real alpha = f->alpha, beta = f->beta;
    for (int i = 0; i < rows; i++, c += f->rsc, sums += cols)
        for (int j = 0; j < cols; j++)
            update(c + j * f->csc, sums[j], alpha, beta);
}

INLINE void store_sums(int rows, int cols, const product *f, const real *sums, real *c) {
    if (f->alpha != 1 || f->beta != 0) {
        update_by(rows, cols, f, sums, c);
    } else if (HAS_LANES && f->csc == 1 && f->rsc == cols) {
        UNROLL for (int i = 0; i < rows * cols; i += LANES) {
            const int left = rows * cols - i;
            store_lanes(c + i, *(const loose_vector *)(sums + i), first_lanes(left < LANES ? left : LANES));
        }
    } else {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int j = 0; j < cols; j++) c[i * f->rsc + j * f->csc] = sums[i * cols + j];
        }
    }
}

/* Two vectors at a time where registers do for them: half as many changes between rows. */
#define DOT_WAITING(rows, cols) ((rows) < (cols) ? (rows) : (cols))
#define DOT_VECTORS(rows, cols) (MANY_REGISTERS && (rows) * (cols) + 2 * DOT_WAITING(rows, cols) < 31 ? 2 : 1)

INLINE void dot_steps(int rows, int cols, const real *const *a, const real *const *b, ptrdiff_t k, vector *acc) {
    const int vecs = DOT_VECTORS(rows, cols);
    ptrdiff_t p = 0;
    for (; p + vecs * LANES <= k; p += vecs * LANES)
        dot_step(rows, cols, vecs, a, b, p, 1, LANES, acc);
    if (vecs > 1 && p + LANES <= k) {
        dot_step(rows, cols, 1, a, b, p, 1, LANES, acc);
        p += LANES;
    }
    if (p < k)
        dot_step(rows, cols, 1, a, b, p, 0, k - p, acc);
}

/* rows x cols dot products of rows of A with columns of B, both contiguous. */
INLINE void dot_block(int rows, int cols, const product *f, const real *a, const real *b, real *c) {
    const real *row[8], *column[6];
    vector acc[MAX_ACCUMULATORS] = {{0}};
    real sums[MAX_ACCUMULATORS + LANES];
    UNROLL for (int i = 0; i < rows; i++) row[i] = a + i * f->rsa;
    UNROLL for (int j = 0; j < cols; j++) column[j] = b + j * f->csb;
    dot_steps(rows, cols, row, column, f->k, acc);
    sum_each(rows * cols, acc, sums);
    store_sums(rows, cols, f, sums, c);
}

/* count blocks from c_ij on, each below the other or beside it. */
typedef void dot_function(const product *f, ptrdiff_t i, ptrdiff_t j, int below, ptrdiff_t count);

INLINE void dot_run(int rows, int cols, const product *f, ptrdiff_t i, ptrdiff_t j, int below, ptrdiff_t count) {
    const ptrdiff_t da = below ? rows * f->rsa : 0, db = below ? 0 : cols * f->csb,
                    dc = below ? rows * f->rsc : cols * f->csc;
    const real *a = f->a + i * f->rsa, *b = f->b + j * f->csb;
    real *c = f->c + i * f->rsc + j * f->csc;
    for (; count > 0; count--, a += da, b += db, c += dc)
        dot_block(rows, cols, f, a, b, c);
}

#define EACH_DOT_COLUMNS(X, rows) X(rows, 1) X(rows, 2) X(rows, 3) X(rows, 4) X(rows, 5) X(rows, 6)
#define EACH_DOT_BLOCK(X)                                                                                              \
    EACH_DOT_COLUMNS(X, 1)                                                                                             \
    EACH_DOT_COLUMNS(X, 2)                                                                                             \
    EACH_DOT_COLUMNS(X, 3)                                                                                             \
    EACH_DOT_COLUMNS(X, 4) EACH_DOT_COLUMNS(X, 5) EACH_DOT_COLUMNS(X, 6) EACH_DOT_COLUMNS(X, 7) EACH_DOT_COLUMNS(X, 8)
#define DOT_FUNCTION(rows, cols)                                                                                       \
    static void dot_block_##rows##_##cols(const product *f, ptrdiff_t i, ptrdiff_t j, int below, ptrdiff_t count) {    \
        dot_run(HAS_DOTS(rows, cols) ? rows : 1, HAS_DOTS(rows, cols) ? cols : 1, f, i, j, below, count);              \
    }
#define DOT_ENTRY(rows, cols) [rows - 1][cols - 1] = dot_block_##rows##_##cols,
EACH_DOT_BLOCK(DOT_FUNCTION)
static dot_function *const dot_blocks[8][6] = {EACH_DOT_BLOCK(DOT_ENTRY)};

/* Rows of a block: few, as their lines may share one place of the first-level cache; or the fewest blocks. */
#if MANY_REGISTERS
INLINE ptrdiff_t rows_of_dots(const product *f, int far) {
    const int all = f->m <= DOT_TALLEST, fewer_streams = MX_BITS == 32 && far && f->n <= DOT_COLUMNS(DOT_TALLEST);
    return all || fewer_streams ? DOT_TALLEST : DOT_ROWS;
}
#else
INLINE ptrdiff_t rows_of_dots(const product *f, int far) {
    static const signed char choices[] = {4, 3, 6, 8};
    ptrdiff_t best = DOT_ROWS, fewest = PTRDIFF_MAX;
    if (!HAS_LANES)
        return DOT_ROWS;
    if (f->m <= 6)
        return 6;
    for (int i = 0; i < (far ? 3 : 4); i++) {
        const ptrdiff_t rows = choices[i], columns = DOT_COLUMNS(rows);
        const ptrdiff_t count = (f->m + rows - 1) / rows * ((f->n + columns - 1) / columns);
        if (count < fewest)
            best = rows, fewest = count;
    }
    return best;
}
#endif

/* Columns that are a page each come faster by threes, which are read two vectors at a time, than in more streams. */
static ptrdiff_t columns_of_dots(const product *f, ptrdiff_t rows) {
    const int by_threes = MANY_REGISTERS && rows <= 3 && f->csb * (ptrdiff_t)sizeof(real) == PAGE;
    return by_threes ? 3 : DOT_COLUMNS(rows);
}

/* How many parts come next that are as large as next_part() says of the first. */
INLINE ptrdiff_t whole_parts(ptrdiff_t left, ptrdiff_t most) {
    const ptrdiff_t count = left / most - (left % most != 0);
    return count > 1 ? count : 1;
}

/* Rows of C from i on, whose columns are more than a block has. */
static void dot_rows(const product *f, ptrdiff_t i, ptrdiff_t rows) {
    const ptrdiff_t most = columns_of_dots(f, rows);
    for (ptrdiff_t j = 0, cols, count; j < f->n; j += cols * count) {
        cols = next_part(f->n - j, most);
        count = whole_parts(f->n - j, most);
        dot_blocks[rows - 1][cols - 1](f, i, j, 0, count);
    }
}

/* Long dot products, where columns of C are too few to be vectors.  No more streams from memory than need be, and fewer
   where it is far. */
static void dot_products(const product *f) {
    const int far = f->m * f->k * (ptrdiff_t)sizeof(real) > mx_near_cache();
    const ptrdiff_t tallest = rows_of_dots(f, far);
    for (ptrdiff_t i = 0, rows, count; i < f->m; i += rows * count) {
        rows = next_part(f->m - i, tallest);
        const int has_all = f->n <= columns_of_dots(f, rows);
        count = has_all ? whole_parts(f->m - i, tallest) : 1;
        if (has_all)
            dot_blocks[rows - 1][f->n - 1](f, i, 0, 1, count);
        else
            dot_rows(f, i, rows);
    }
}

/* Where the stride of B is a multiple of a page, lines of all its rows share a few places of the first-level cache, and
   so do those of C: those of a strip would be gone when the next rows of A want them. */
#define ALIASED_DEPTH 128
#define ALIASED_ROWS 8

static int has_aliased_rows(const product *f) {
    return f->rsb * (ptrdiff_t)sizeof(real) % PAGE == 0;
}

/* Rows of C that pay for copying a strip of B that would not stay near. */
static int has_crowded_strips(const product *f) {
    return !MANY_REGISTERS && f->m > (has_aliased_rows(f) ? ALIASED_ROWS : FEW_ROWS) && f->k <= STRIP_ROWS &&
           crowd_of_rows(f) >= CROWD;
}

/* Is all of B to be read for each block of rows? */
static int wants_some_rows(const product *f) {
    return f->m > TALLEST(WIDEST) && f->csb == 1 && f->k > SHALLOW && f->k <= ALIASED_DEPTH && has_aliased_rows(f) &&
           !has_crowded_strips(f);
}

/* Strips of B in place, read once, at strides that processors do not foresee: multiples of some lines.  All rows of one
   from far away; the first rows of one from the second-level cache. */
#define SIMILAR 512

static enum fetched rows_to_fetch(const product *f) {
    const ptrdiff_t bytes = f->n * f->k * (ptrdiff_t)sizeof(real), near = mx_near_cache();
    if (f->m <= WIDE_ROWS || f->m > ONE_BLOCK_ROWS || f->rsb * (ptrdiff_t)sizeof(real) % SIMILAR != 0)
        return NO_ROWS;
    return bytes > near * 3 / 2 ? ALL_ROWS : bytes > near / 16 && f->k >= FETCHED ? FIRST_ROWS : NO_ROWS;
}

static int sends_for_c(const product *f) {
    const int is_large = f->m * f->n > mx_near_cache() / (ptrdiff_t)sizeof(real);
    return f->csc == 1 && f->k >= (is_large ? FAR_LARGE : FAR);
}

static void multiply_all_rows(const product *f, ptrdiff_t columns) {
    const int in_place = f->csb == 1 && !has_crowded_strips(f);
    const enum fetched fetched = in_place ? rows_to_fetch(f) : NO_ROWS;
    const int sends = sends_for_c(f);
    for (ptrdiff_t j = 0, n; j < columns; j += n) {
        n = next_strip(f, columns - j);
        const real *b = f->b + j * f->csb;
        strip s = {f, n, f->k, f->a, b, f->rsb, fetched, sends, f->c + j * f->csc, f->beta};
        if (in_place && (HAS_LANES || n % LANES == 0))
            multiply_strip(&s);
        else
            copied_strip(s, b);
    }
}

static __attribute__((noinline)) void multiply_some_rows(const product *f, ptrdiff_t rows, ptrdiff_t columns) {
    product part = *f;
    for (ptrdiff_t i = 0; i < f->m; i += part.m) {
        part.m = next_part(f->m - i, rows);
        part.a = f->a + i * f->rsa;
        part.c = f->c + i * f->rsc;
        multiply_all_rows(&part, columns);
    }
}

/* The first columns. */
static void multiply_strips(const product *f, ptrdiff_t columns) {
    if (wants_some_rows(f))
        multiply_some_rows(f, TALLEST(WIDEST), columns);
    else
        multiply_all_rows(f, columns);
}

/* Columns after the last whole vector would leave most lanes idle.  Few enough of them are had by dot products, where
   rows of A lie in memory as such, or as C' = B' A', where columns do: with few * k / LANES steps a row and some more
   to sum up, or to store, instead of k. */
#define ENDING 8

/* Elements of A that stay in the second-level cache; rows that pay for copying what is left of B. */
#define NEAR_A (262144 * 8 / MX_BITS)
#define LEAST_ROWS 48

static int wants_ending(const product *f, ptrdiff_t few) {
    return (f->csa == 1 || f->rsa == 1) && few * (f->k + ENDING * LANES) < f->k * LANES;
}

/* Columns of B are copied to the stack, as long as they fit. */
static void end_by_dots(product f) {
    real buffer[BUFFER_REALS];
    const product given = f;
    for (ptrdiff_t p = 0; p < given.k; p += f.k) {
        f.k = next_part(given.k - p, BUFFER_REALS / given.n);
        f.a = given.a + p;
        f.b = buffer;
        f.rsb = 1;
        f.csb = f.k;
        f.beta = p == 0 ? given.beta : 1;
        for (ptrdiff_t q = 0; q < f.k; q++)
            for (ptrdiff_t j = 0; j < f.n; j++)
                buffer[j * f.k + q] = given.b[(p + q) * given.rsb + j];
        dot_products(&f);
    }
}

/* The last columns, fewer than LANES, and whether they are better done by themselves, in narrow vectors: for what is
   left after these by dot products, and where they take half the time.  The former decides on bits, the latter does
   not. */
#if VECTOR_BYTES == 64
MX_REAL(mx_direct_function) MX_JOIN(MX_REAL(mx_small_product), avx512_narrow);
static int wants_narrow_ending(const product *f, ptrdiff_t few) {
    const ptrdiff_t narrow = LANES / 2;
    return few > 0 && (f->csa == 1 || f->rsa == 1) && few * (f->k + ENDING * narrow) < f->k * narrow;
}

static int wants_to_be_last(const product *f, ptrdiff_t few) {
    return (few <= LANES / 2 || wants_ending(f, 4 * (few - LANES / 2))) &&
           (mx_has_halved_vectors() || wants_narrow_ending(f, few % (LANES / 2)));
}

static void multiply_last(const product *f) {
    if (f->csb == 1)
        MX_JOIN(MX_REAL(mx_small_product), avx512_narrow)(f);
    else
        dot_products(f);
}
#else
static int wants_to_be_last(const product *f, ptrdiff_t few) {
    return wants_ending(f, few);
}

static void end_by_rows(const product *f) {
    const product t = transposed_product(f);
    multiply_strips(&t, t.n);
}

static void multiply_last(const product *f) {
    if (f->csb != 1)
        dot_products(f);
    else if (f->csa == 1)
        end_by_dots(*f);
    else
        end_by_rows(f);
}
#endif

/* Rows of A against so few columns, as they lie in rows of B, that these are worth copying. */
static int wants_only_dots(const product *f) {
    return f->n < LANES && f->csb == 1 && f->csa == 1 && f->m >= FEW_ROWS && wants_ending(f, f->n);
}

/* As many columns as half a vector holds: long sums take two steps with each vector, neighbours of a row of A times
   neighbours in a column of B, whose sums of even and of odd steps lie side by side.  Split: as many as a vector holds,
   and a vector for each of the two sums. */
#if HAS_LANES
INLINE void paired_step(int rows, int split, const real **a, ptrdiff_t rsa, const real *b, ptrdiff_t rsb, vector *acc) {
    if (split) {
        const vector even = *(const loose_vector *)b, odd = *(const loose_vector *)(b + rsb);
        UNROLL for (int i = 0; i < rows; i++) {
            const real *x = a[i / 4] + i % 4 * rsa;
            acc[2 * i] += x[0] * even;
            acc[2 * i + 1] += x[1] * odd;
        }
    } else {
        const vector y = ALTERNATE(*(const loose_half_vector *)b, *(const loose_half_vector *)(b + rsb));
        UNROLL for (int i = 0; i < rows; i++) acc[i] += repeat_pair(a[i / 4] + i % 4 * rsa) * y;
    }
    advance(rows, a, 2);
}

/* Few rows have two sums each, so that one need not wait for the other. */
INLINE void paired_steps(int rows, int split, const product *f, const real **a, vector *acc) {
    const ptrdiff_t rsa = f->rsa, rsb = f->rsb;
    const real *b = f->b;
    ptrdiff_t left = f->k;
    if (rows <= 4) {
        vector more[8] = {{0}};
        for (; left > 3; left -= 4, b += 4 * rsb) {
            paired_step(rows, split, a, rsa, b, rsb, acc);
            paired_step(rows, split, a, rsa, b + 2 * rsb, rsb, more);
        }
        UNROLL for (int i = 0; i < rows * (1 + split); i++) acc[i] += more[i];
    }
    for (; left > 1; left -= 2, b += 2 * rsb)
        paired_step(rows, split, a, rsa, b, rsb, acc);
}

/* The last of an odd number of steps is no half of a pair: 0 times Inf would spoil its sum. */
INLINE void paired_block(int rows, int split, const product *f, ptrdiff_t i0) {
    const real *a[2];
    vector acc[16] = {{0}}, last = {0};
    UNROLL for (int i = 0; i < (rows + 3) / 4; i++) a[i] = f->a + (i0 + 4 * i) * f->rsa;
    paired_steps(rows, split, f, a, acc);
    if (f->k % 2 != 0)
        last = load_lanes(f->b + (f->k - 1) * f->rsb, first_lanes(f->n));
    UNROLL for (int i = 0; i < rows; i++) {
        acc[i] = split ? acc[2 * i] + acc[2 * i + 1] : EVEN(acc[i], acc[i]) + ODD(acc[i], acc[i]);
        if (f->k % 2 != 0)
            acc[i] += a[i / 4][i % 4 * f->rsa] * last;
    }
    store_any(rows, 1, acc, f->alpha, f->beta, f->c + i0 * f->rsc, f->rsc, f->csc, rows, f->n);
}

typedef void paired_function(const product *f, ptrdiff_t i0);
#define EACH_PAIRED(X, split)                                                                                          \
    X(1, split) X(2, split) X(3, split) X(4, split) X(5, split) X(6, split) X(7, split) X(8, split)
#define PAIRED_FUNCTION(rows, split)                                                                                   \
    static void paired_##rows##_##split(const product *f, ptrdiff_t i0) {                                              \
        paired_block(rows, split, f, i0);                                                                              \
    }
#define PAIRED_ENTRY(rows, split) [rows - 1] = paired_##rows##_##split,
EACH_PAIRED(PAIRED_FUNCTION, 0)
static paired_function *const paired_blocks[8] = {EACH_PAIRED(PAIRED_ENTRY, 0)};

static void multiply_rows_by(paired_function *const *some_rows, const product *f) {
    for (ptrdiff_t i = 0, rows; i < f->m; i += rows) {
        rows = next_part(f->m - i, 8);
        some_rows[rows - 1](f, i);
    }
}

#ifdef MX_NARROW
EACH_PAIRED(PAIRED_FUNCTION, 1)
static paired_function *const split_blocks[8] = {EACH_PAIRED(PAIRED_ENTRY, 1)};

void MX_KERNEL(mx_split_product)(const product *f) {
    multiply_rows_by(split_blocks, f);
}
#endif

/* From this depth on it pays to add up the two sums of each element.  Dot products are better where their blocks hold
   all columns, for so many rows that copying B costs little. */
#define PAIRS 24

static int wants_pairs(const product *f) {
    return f->n == LANES / 2 && f->k >= PAIRS && f->csa == 1 && f->csb == 1 && !f->ending &&
           (LANES / 2 > DOT_COLUMNS(DOT_ROWS) || !wants_only_dots(f));
}

#if VECTOR_BYTES == 64
MX_REAL(mx_direct_function) MX_JOIN(MX_REAL(mx_split_product), avx512_narrow);
#endif

static void multiply_pairs(const product *f) {
#if VECTOR_BYTES == 64
    if (mx_has_halved_vectors()) {
        MX_JOIN(MX_REAL(mx_split_product), avx512_narrow)(f);
        return;
    }
#endif
    multiply_rows_by(paired_blocks, f);
}
#else
static int wants_pairs(const product *f) {
    (void)f;
    return 0;
}

static void multiply_pairs(const product *f) {
    (void)f;
}
#endif

/* So few columns that half a vector holds them are done in such ones: whole ones, loaded in part, reach over the ends
   of lines of the cache. */
static void multiply_undivided(const product *f) {
#if VECTOR_BYTES == 64
    if (f->n <= LANES / 2 && f->csb == 1) {
        MX_JOIN(MX_REAL(mx_small_product), avx512_narrow)(f);
        return;
    }
#endif
    multiply_strips(f, f->n);
}

/* A vector more costs hardly more than one alone: where there are few registers, two fill them better. */
#define SECOND_VECTOR 4

static int wants_second_vector(const product *f, ptrdiff_t few) {
    return !MANY_REGISTERS && f->csb == 1 && f->n > LANES && f->n < 2 * LANES && few > LANES - SECOND_VECTOR;
}

/* With few rows the number of blocks is what costs, not that of lanes.  What decides is the same for a part of the
   rows, unless they are few, so that threads do not change results. */
static int wants_division(const product *f) {
    const ptrdiff_t few = f->n % LANES;
    if (few == 0 || wants_second_vector(f, few) || (f->m <= WIDE_ROWS && f->n > LANES / 2))
        return 0;
    return f->csb == 1 ? wants_to_be_last(f, few) : f->rsb == 1 && f->csa == 1 && wants_ending(f, few);
}

static void multiply_columns(const product *f) {
    const ptrdiff_t whole = f->n - f->n % LANES;
    product last = *f;
    last.ending = 1;
    last.n -= whole;
    last.b += whole * f->csb;
    last.c += whole * f->csc;
    multiply_strips(f, whole);
    multiply_last(&last);
}

/* Some rows after the other, so that A is near when it is read again. */
static void multiply_rows(const product *f) {
    const ptrdiff_t rows = f->k < NEAR_A / LEAST_ROWS ? NEAR_A / f->k : LEAST_ROWS;
    product part = *f;
    for (ptrdiff_t i = 0; i < f->m; i += part.m) {
        part.m = next_part(f->m - i, rows);
        part.a = f->a + i * f->rsa;
        part.c = f->c + i * f->rsc;
        multiply_columns(&part);
    }
}

/* So few elements of C that their sums are added up in less time than columns of B are copied; the same where sums fill
   whole vectors. */
#define FEW_SUMS 36
#define FEW_LONG_SUMS (MANY_REGISTERS ? 64 : FEW_SUMS)

static int wants_dots(const product *f) {
    if (!MANY_REGISTERS && f->m > FEW_ROWS && 8 * f->n >= 7 * ((f->n + LANES - 1) / LANES * LANES))
        return 0;
    if (HAS_LANES && f->m * f->n <= (f->k < LANES ? FEW_SUMS : FEW_LONG_SUMS))
        return 1;
    return f->k >= LONG && (f->n <= FEW || (f->m <= FEW_ROWS && f->k >= LONG_ROWS(f->m)));
}

/* A product that is one block is done without further ado. */
static int is_one_block(const product *f) {
    const ptrdiff_t vecs = (f->n + LANES - 1) / LANES;
    return f->csb == 1 && vecs <= WIDEST && f->m <= TALLEST(vecs) && f->k <= SHORT && (HAS_LANES || f->n % LANES == 0);
}

void MX_KERNEL(mx_small_product)(const product *f) {
    if (wants_pairs(f))
        multiply_pairs(f);
    else if (is_one_block(f)) {
        const strip s = {f, f->n, f->k, f->a, f->b, f->rsb, NO_ROWS, 0, f->c, f->beta};
        const ptrdiff_t vecs = (f->n + LANES - 1) / LANES;
        blocks[vecs - 1][f->n == vecs * LANES][f->m - 1](&s, 0);
    } else if (f->k <= SHALLOW && f->csb == 1 && f->csc == 1 && f->n > WIDEST * LANES)
        flat_product(f);
    else if (f->csa == 1 && f->rsb == 1 && f->csb != 1 && wants_dots(f))
        dot_products(f);
    else if (wants_only_dots(f))
        end_by_dots(*f);
    else if (!wants_division(f))
        multiply_undivided(f);
    else if (f->n < LANES)
        multiply_last(f);
    else if (f->m <= LEAST_ROWS)
        multiply_columns(f);
    else
        multiply_rows(f);
}
