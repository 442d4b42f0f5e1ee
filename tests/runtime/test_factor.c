/* Factorisations, triangular solves, row exchanges and determinants: residuals, layouts, what may not be touched, and
   matrices that have no factors.  Compiled once for each element type; run once for each kernel set (MXRT_CPU). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129, 257};

/* ---- Guarded calls: workspace at an odd address with a canary behind it, and nothing but the promised part of the
        matrix written ---- */

typedef enum share { WHOLE, LOWER, UPPER, STRICTLY_LOWER, STRICTLY_UPPER } share;

static int belongs(share part, size_t i, size_t j) {
    switch (part) {
    case LOWER:
        return i >= j;
    case UPPER:
        return i <= j;
    case STRICTLY_LOWER:
        return i > j;
    case STRICTLY_UPPER:
        return i < j;
    default:
        return 1;
    }
}

static void spoil_outside(const matrix *x, share part) {
    for (size_t i = 0; i < x->rows; i++)
        for (size_t j = 0; j < x->columns; j++)
            if (!belongs(part, i, j))
                *element(x, i, j) = (real)NAN;
}

/* Whether x differs from before in nothing but elements of part; before is freed. */
static int kept(const matrix *x, matrix before, share part) {
    for (size_t i = 0; i < x->rows; i++)
        for (size_t j = 0; j < x->columns; j++)
            if (belongs(part, i, j))
                *element(&before, i, j) = *element(x, i, j);
    int same = memcmp(x->memory, before.memory, x->length * sizeof(real)) == 0;
    matrix_free(&before);
    return same;
}

typedef struct outcome {
    int status;
    const char *wrong;
} outcome;

static outcome call_lu(const matrix *a, size_t *pivots, uint64_t seed) {
    matrix before = matrix_copy(a);
    size_t n = a->rows;
    workspace w = workspace_new(MX_REAL_AND(mx_lu, _worksize)(n), seed);
    size_t *guarded = allocate((n + 2) * sizeof *guarded);
    guarded[0] = guarded[n + 1] = 4242;
    outcome o = {MX_REAL(mx_lu)(n, a->at, a->rs, a->cs, guarded + 1, w.work), NULL};
    for (size_t i = 0; i < n; i++)
        if (guarded[i + 1] < i || guarded[i + 1] >= n)
            o.wrong = "a pivot out of range";
    if (guarded[0] != 4242 || guarded[n + 1] != 4242)
        o.wrong = "memory beside the pivots was written";
    memcpy(pivots, guarded + 1, n * sizeof *pivots);
    free(guarded);
    if (!workspace_end(&w))
        o.wrong = "memory beside the workspace was written";
    if (!kept(a, before, WHOLE))
        o.wrong = "memory beside the elements was written";
    return o;
}

static outcome call_cholesky(const matrix *a, uint64_t seed) {
    matrix before = matrix_copy(a);
    workspace w = workspace_new(MX_REAL_AND(mx_cholesky, _worksize)(a->rows), seed);
    outcome o = {MX_REAL(mx_cholesky)(a->rows, a->at, a->rs, a->cs, w.work), NULL};
    if (!workspace_end(&w))
        o.wrong = "memory beside the workspace was written";
    if (!kept(a, before, LOWER))
        o.wrong = "memory beside the lower triangle was written";
    return o;
}

static outcome call_trsm(int lower, int unit, const matrix *t, const matrix *b, uint64_t seed) {
    matrix t_before = matrix_copy(t), before = matrix_copy(b);
    workspace w = workspace_new(MX_REAL_AND(mx_trsm, _worksize)(b->rows, b->columns), seed);
    outcome o = {MX_OK, NULL};
    MX_REAL(mx_trsm)(lower, unit, b->rows, b->columns, t->at, t->rs, t->cs, b->at, b->rs, b->cs, w.work);
    if (!workspace_end(&w))
        o.wrong = "memory beside the workspace was written";
    if (memcmp(t->memory, t_before.memory, t->length * sizeof(real)) != 0)
        o.wrong = "T was written";
    if (!kept(b, before, WHOLE))
        o.wrong = "memory beside the elements of B was written";
    matrix_free(&t_before);
    return o;
}

/* ---- Residuals ---- */

static char complaint[256];

/* A product of two factors: of each the share of a matrix, with diagonal 1 if unit. */
typedef struct factors {
    const matrix *x, *y;
    share part_x, part_y;
    int unit_x, transposed_y;
} factors;

static double factor_element(const matrix *m, share part, int unit, size_t i, size_t j) {
    if (unit && i == j)
        return 1;
    return belongs(part, i, j) ? (double)*element(m, i, j) : 0;
}

/* Rows of the left factor, or columns of the right one, one after the other. */
static double *left_rows(const factors *f) {
    size_t m = f->x->rows, n = f->x->columns;
    double *rows = allocate(m * n * sizeof *rows);
    for (size_t i = 0; i < m; i++)
        for (size_t p = 0; p < n; p++)
            rows[i * n + p] = factor_element(f->x, f->part_x, f->unit_x, i, p);
    return rows;
}

static double *right_columns(const factors *f, size_t columns) {
    size_t n = f->x->columns;
    double *result = allocate(n * columns * sizeof *result);
    for (size_t j = 0; j < columns; j++)
        for (size_t p = 0; p < n; p++)
            result[j * n + p] =
                f->transposed_y ? factor_element(f->y, f->part_y, 0, j, p) : factor_element(f->y, f->part_y, 0, p, j);
    return result;
}

/* |want - x y| / |x||y|, 0 for 0/0. */
static double relative_residual(size_t n, double want, const double *x, const double *y) {
    wide_real rest = want, scale = 0;
    for (size_t p = 0; p < n; p++) {
        wide_real term = (wide_real)x[p] * y[p];
        rest -= term;
        scale += term < 0 ? -term : term;
    }
    return rest == 0 ? 0 : fabs((double)(rest / scale));
}

/* Every element of the share of want: |want - x y| <= (n + 8) eps |x||y|. */
static const char *compare(const factors *f, const matrix *want, share where) {
    size_t n = f->x->columns;
    double *x = left_rows(f), *y = right_columns(f, want->columns), worst = 0;
    const char *wrong = NULL;
    for (size_t i = 0; i < want->rows; i++)
        for (size_t j = 0; j < want->columns; j++) {
            double excess = 0, value = (double)*element(want, i, j);
            if (belongs(where, i, j))
                excess = relative_residual(n, value, x + i * n, y + j * n) / ((double)(n + 8) * EPSILON);
            if (excess <= worst || excess <= 1)
                continue;
            worst = isnan(excess) ? INFINITY : excess;
            wrong = complaint;
            snprintf(complaint, sizeof complaint, "element (%zu, %zu), %.17g, is wrong by %.3g times the bound", i, j,
                     value, excess);
        }
    free(x);
    free(y);
    return wrong;
}

static int at_most_one(const matrix *a) {
    for (size_t i = 0; i < a->rows; i++)
        for (size_t j = 0; j < i; j++)
            if (!(fabs((double)*element(a, i, j)) <= 1))
                return 0;
    return 1;
}

/* The exchanges applied to the matrix that was factored, by the twin. */
static const char *check_lu_factors(const matrix *lu, matrix *original, const size_t *pivots) {
    size_t n = lu->rows;
    MX_REAL(mx_ref_permute_rows)(n, n, pivots, 0, original->at, original->rs, original->cs);
    factors f = {lu, lu, STRICTLY_LOWER, UPPER, 1, 0};
    return at_most_one(lu) ? compare(&f, original, WHOLE) : "an element of L is larger than 1";
}

static const char *try_lu(matrix *a, int status, uint64_t seed) {
    matrix original = matrix_copy(a);
    size_t *pivots = allocate(a->rows * sizeof *pivots);
    outcome o = call_lu(a, pivots, seed);
    if (o.wrong == NULL && o.status != status)
        o.wrong = "the status is wrong";
    if (o.wrong == NULL)
        o.wrong = check_lu_factors(a, &original, pivots);
    free(pivots);
    matrix_free(&original);
    return o.wrong;
}

static void report(tap *out, const char *wrong, const char *what, size_t n, layout l) {
    if (!tap_ok(out, wrong == NULL, "%s, n %zu, %s", what, n, layout_names[l]))
        printf("# %s\n", wrong);
}

static void test_lu(tap *out) {
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int l = 0; l < REPEATED; l++) {
            uint64_t state = s * 10 + (uint64_t)l + 1;
            matrix a = matrix_new(sizes[s], sizes[s], (layout)l, GUARD, &state);
            report(out, try_lu(&a, MX_OK, state >> 20), "LU", sizes[s], (layout)l);
            matrix_free(&a);
        }
}

/* B B' / n + 1/16, which is symmetric positive definite; above the diagonal NaN, which shows when it is read. */
static matrix positive_definite(size_t n, layout l, uint64_t *state) {
    matrix b = matrix_new(n, n, ROWS, 0, state), a = matrix_new(n, n, l, GUARD, state);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = i == j ? 0.0625 : 0;
            for (size_t p = 0; p < n; p++)
                sum += (double)*element(&b, i, p) * (double)*element(&b, j, p) / (double)n;
            *element(&a, i, j) = (real)sum;
        }
    spoil_outside(&a, LOWER);
    matrix_free(&b);
    return a;
}

static const char *try_cholesky(matrix *a, uint64_t seed) {
    matrix original = matrix_copy(a);
    outcome o = call_cholesky(a, seed);
    if (o.wrong == NULL && o.status != MX_OK)
        o.wrong = "the status is wrong";
    factors f = {a, a, LOWER, LOWER, 0, 1};
    if (o.wrong == NULL)
        o.wrong = compare(&f, &original, LOWER);
    for (size_t i = 0; i < a->rows && o.wrong == NULL; i++)
        if (!(*element(a, i, i) > 0))
            o.wrong = "a diagonal element of L is not positive";
    matrix_free(&original);
    return o.wrong;
}

/* Numbers above the diagonal, which show when they are written: NaN stays NaN. */
static void fill_above(const matrix *a) {
    for (size_t i = 0; i < a->rows; i++)
        for (size_t j = i + 1; j < a->columns; j++)
            *element(a, i, j) = (real)(i + 2 * j);
}

static void test_cholesky(tap *out) {
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int l = 0; l < REPEATED; l++) {
            uint64_t state = s * 10 + (uint64_t)l + 3;
            matrix a = positive_definite(sizes[s], (layout)l, &state), b = matrix_copy(&a);
            report(out, try_cholesky(&a, state >> 20), "Cholesky", sizes[s], (layout)l);
            fill_above(&b);
            report(out, try_cholesky(&b, state >> 20), "Cholesky, upper triangle", sizes[s], (layout)l);
            matrix_free(&a);
            matrix_free(&b);
        }
}

/* A random triangle that is not too near to a singular one, NaN elsewhere. */
static matrix random_triangle(size_t n, int lower, int unit, layout l, uint64_t *state) {
    matrix t = matrix_new(n, n, l, 0, state);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            *element(&t, i, j) = i == j ? (real)(1.5 + (double)*element(&t, i, j)) : *element(&t, i, j) * 4 / (real)n;
    spoil_outside(&t, unit ? (lower ? STRICTLY_LOWER : STRICTLY_UPPER) : lower ? LOWER : UPPER);
    return t;
}

static const char *try_trsm(int lower, int unit, size_t columns, size_t n, layout lt, layout lb, uint64_t seed) {
    uint64_t state = seed;
    matrix t = random_triangle(n, lower, unit, lt, &state), b = matrix_new(n, columns, lb, GUARD, &state);
    matrix original = matrix_copy(&b);
    outcome o = call_trsm(lower, unit, &t, &b, state >> 20);
    factors f = {&t, &b, lower ? LOWER : UPPER, WHOLE, unit, 0};
    if (o.wrong == NULL)
        o.wrong = compare(&f, &original, WHOLE);
    matrix_free(&t);
    matrix_free(&b);
    matrix_free(&original);
    return o.wrong;
}

static void test_trsm(tap *out) {
    static const size_t columns[] = {0, 1, 2, 5, 8, 31, 64, 67, 130};
    uint64_t number = 1;
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (size_t c = 0; c < COUNT(columns); c++)
            for (int kind = 0; kind < 4; kind++, number++) {
                layout t = (layout)(number / 4 % REPEATED), b = (layout)(number / 5 % REPEATED);
                const char *wrong = try_trsm(kind & 1, kind >> 1, columns[c], sizes[s], t, b, number);
                if (!tap_ok(out, wrong == NULL, "%s%s triangle, n %zu, %zu columns, T %s, B %s",
                            kind >> 1 ? "unit " : "", kind & 1 ? "lower" : "upper", sizes[s], columns[c],
                            layout_names[t], layout_names[b]))
                    printf("# %s\n", wrong);
            }
}

/* Every pair of layouts. */
static void test_trsm_layouts(tap *out) {
    for (int t = 0; t < REPEATED; t++)
        for (int b = 0; b < REPEATED; b++)
            for (int kind = 0; kind < 4; kind++) {
                const char *wrong = try_trsm(kind & 1, kind >> 1, 41, 37, (layout)t, (layout)b, 5);
                if (!tap_ok(out, wrong == NULL, "solve %d, T %s, B %s", kind, layout_names[t], layout_names[b]))
                    printf("# %s\n", wrong);
            }
}

/* ---- Matrices without factors ---- */

/* A zero column, a zero row, or rank 1 with integers so small that every operation is exact. */
static matrix singular_matrix(size_t n, int kind, layout l, uint64_t seed) {
    matrix a = matrix_new(n, n, l, GUARD, &seed);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (kind == 2)
                *element(&a, i, j) = n == 1 ? 0 : (real)(i % 3 + 1) * (real)(j % 5);
            else if ((kind == 0 ? j : i) == n / 2)
                *element(&a, i, j) = 0;
    return a;
}

/* The status says so, and the factors are right. */
static void test_singular(tap *out) {
    static const char *const names[] = {"zero column", "zero row", "rank 1"};
    for (size_t s = 1; s < COUNT(sizes); s++)
        for (int kind = 0; kind < 3; kind++) {
            layout l = (layout)(s % REPEATED);
            matrix a = singular_matrix(sizes[s], kind, l, s);
            report(out, try_lu(&a, MX_ERR_SINGULAR, s), names[kind], sizes[s], l);
            matrix_free(&a);
        }
}

/* Wherever a matrix holds NaN or Inf, both factorisations say so, and pivots stay in range. */
static int try_special(size_t n, size_t place, real value) {
    uint64_t state = place + 1;
    layout l = (layout)(place % REPEATED);
    size_t i = place / n, j = place % n, *pivots = allocate(n * sizeof *pivots);
    matrix a = matrix_new(n, n, l, GUARD, &state), b = positive_definite(n, l, &state);
    *element(&a, i, j) = value;
    *element(&b, i > j ? i : j, i > j ? j : i) = value;
    outcome lu = call_lu(&a, pivots, place), cholesky = call_cholesky(&b, place);
    if (lu.wrong != NULL || cholesky.wrong != NULL)
        printf("# %s\n", lu.wrong ? lu.wrong : cholesky.wrong);
    free(pivots);
    matrix_free(&a);
    matrix_free(&b);
    return lu.status == MX_ERR_SINGULAR && cholesky.status == MX_ERR_NOT_SPD && !lu.wrong && !cholesky.wrong;
}

static void test_specials(tap *out) {
    static const size_t some[] = {1, 2, 3, 8, 9, 17, 33, 70};
    const real values[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
    for (size_t s = 0; s < COUNT(some); s++)
        for (size_t v = 0; v < COUNT(values); v++) {
            size_t n = some[s], step = n > 20 ? n * n / 61 : 1, failed = 0;
            for (size_t place = 0; place < n * n; place += step)
                failed += !try_special(n, place, values[v]);
            failed += !try_special(n, n * n - 1, values[v]);
            tap_ok(out, failed == 0, "%g is found, n %zu", (double)values[v], n);
        }
}

static void test_all_nan(tap *out) {
    for (size_t n = 1; n < 40; n += 6) {
        uint64_t state = n;
        size_t pivots[40];
        matrix a = matrix_new(n, n, ROWS, GUARD, &state);
        spoil_outside(&a, STRICTLY_LOWER);
        outcome o = call_lu(&a, pivots, n);
        tap_ok(out, o.status == MX_ERR_SINGULAR && o.wrong == NULL, "NaN in a whole triangle, n %zu", n);
        matrix_free(&a);
    }
}

/* One diagonal element is too small, 0, or negative. */
static void test_not_spd(tap *out) {
    const real values[] = {(real)-1, 0, (real)-0.0};
    for (size_t s = 1; s < COUNT(sizes); s++)
        for (size_t v = 0; v < COUNT(values); v++) {
            uint64_t state = s;
            size_t n = sizes[s], failed = 0;
            for (size_t place = 0; place < n; place += 1 + n / 7) {
                matrix a = positive_definite(n, (layout)(s % REPEATED), &state);
                *element(&a, place, place) = values[v];
                outcome o = call_cholesky(&a, s);
                failed += o.status != MX_ERR_NOT_SPD || o.wrong != NULL;
                matrix_free(&a);
            }
            tap_ok(out, failed == 0, "not positive definite by %g, n %zu", (double)values[v], n);
        }
}

/* ---- Exchanges, determinants, the rest ---- */

static void test_permute(tap *out) {
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int l = 0; l < REPEATED; l++) {
            uint64_t state = s + 7;
            size_t n = sizes[s], *pivots = allocate(n * sizeof *pivots);
            for (size_t i = 0; i < n; i++)
                pivots[i] = i + (size_t)((double)(random_real(&state) + 1) / 2.001 * (double)(n - i));
            matrix b = matrix_new(n, 13, (layout)l, GUARD, &state), original = matrix_copy(&b), want = matrix_copy(&b);
            MX_REAL(mx_permute_rows)(n, 13, pivots, 0, b.at, b.rs, b.cs);
            MX_REAL(mx_ref_permute_rows)(n, 13, pivots, 0, want.at, want.rs, want.cs);
            int right = memcmp(b.memory, want.memory, b.length * sizeof(real)) == 0;
            MX_REAL(mx_permute_rows)(n, 13, pivots, 1, b.at, b.rs, b.cs);
            right &= memcmp(b.memory, original.memory, b.length * sizeof(real)) == 0;
            tap_ok(out, right, "rows exchanged and back, n %zu, %s", n, layout_names[l]);
            free(pivots);
            matrix_free(&b), matrix_free(&original), matrix_free(&want);
        }
}

static int near(double x, double y, double tolerance) {
    return x == y || fabs(x - y) <= tolerance;
}

/* The diagonal alternates between factors of first and second; rows are exchanged here and there. */
static matrix scaled_diagonal(size_t n, real first, real second, size_t *pivots) {
    uint64_t state = n + 1;
    matrix a = matrix_new(n, n, (layout)(n % REPEATED), 0, &state);
    for (size_t i = 0; i < n; i++) {
        *element(&a, i, i) = (i % 2 ? second : first) * (real)(1 + i % 3);
        pivots[i] = i % 3 == 0 && i + 1 < n ? i + 1 : i;
    }
    return a;
}

static void compare_determinants(tap *out, size_t n, real first, real second) {
    size_t *pivots = allocate(n * sizeof *pivots);
    matrix a = scaled_diagonal(n, first, second, pivots);
    double det = (double)MX_REAL(mx_lu_det)(n, a.at, a.rs, a.cs, pivots);
    double want = (double)MX_REAL(mx_ref_lu_det)(n, a.at, a.rs, a.cs, pivots);
    double log_det = (double)MX_REAL(mx_lu_logabsdet)(n, a.at, a.rs, a.cs);
    double log_want = (double)MX_REAL(mx_ref_lu_logabsdet)(n, a.at, a.rs, a.cs);
    double steps = (double)(n + 2) * DBL_EPSILON;
    tap_ok(out, near(det, want, (steps + EPSILON) * fabs(want)), "determinant, n %zu, scale %g: %g should be %g", n,
           (double)first, det, want);
    tap_ok(out, near(log_det, log_want, steps + EPSILON * fabs(log_want)), "its logarithm: %g should be %g", log_det,
           log_want);
    free(pivots);
    matrix_free(&a);
}

/* Products that pass through what the type cannot hold, and some that end there. */
static void test_determinants(tap *out) {
    const real huge = MX_BITS == 64 ? (real)1e300 : (real)1e37, tiny = MX_BITS == 64 ? (real)1e-310 : (real)1e-40;
    for (size_t s = 0; s < COUNT(sizes); s++) {
        compare_determinants(out, sizes[s], 1, (real)-1);
        compare_determinants(out, sizes[s], huge, 1 / huge);
        compare_determinants(out, sizes[s], 1 / huge, huge);
        compare_determinants(out, sizes[s], tiny, huge);
        compare_determinants(out, sizes[s], (real)1.0001, huge);
    }
}

static void test_special_determinants(tap *out) {
    const size_t straight[] = {0, 1, 2}, one_swap[] = {1, 1, 2};
    const real zero[] = {2, 0, 3}, nan_too[] = {2, (real)NAN, 0}, infinite[] = {2, (real)-INFINITY, 3};
    const real large[] = {3, 4, (real)-0.5};
    tap_ok(out, MX_REAL(mx_lu_det)(0, NULL, 0, 0, NULL) == 1 && MX_REAL(mx_lu_logabsdet)(0, NULL, 0, 0) == 0,
           "determinant of an empty matrix");
    tap_ok(out,
           MX_REAL(mx_lu_det)(3, zero, 1, 0, straight) == 0 && isinf(MX_REAL(mx_lu_logabsdet)(3, zero, 1, 0)) &&
               MX_REAL(mx_lu_logabsdet)(3, zero, 1, 0) < 0,
           "determinant 0");
    tap_ok(out,
           isnan(MX_REAL(mx_lu_det)(3, nan_too, 1, 0, straight)) && isnan(MX_REAL(mx_lu_logabsdet)(3, nan_too, 1, 0)),
           "determinant NaN");
    tap_ok(out,
           MX_REAL(mx_lu_det)(3, infinite, 1, 0, one_swap) == (real)INFINITY &&
               MX_REAL(mx_lu_logabsdet)(3, infinite, 1, 0) == (real)INFINITY,
           "determinant Inf");
    tap_ok(out, MX_REAL(mx_lu_det)(3, large, 1, 0, straight) == -6 && MX_REAL(mx_lu_det)(3, large, 1, 0, one_swap) == 6,
           "determinant by hand");
    /* log(1 + x) = x - x^2/2 + x^3/3 - … */
    const double x = 1.0 / (1 << 20), want = x - x * x / 2 + x * x * x / 3;
    const real above[] = {(real)(1 + x)};
    tap_ok(out, near((double)MX_REAL(mx_lu_logabsdet)(1, above, 1, 0), want, 2 * EPSILON * want),
           "logarithm of a determinant near 1");
}

typedef struct results {
    matrix lu, l, x;
} results;

/* All that depends on a workspace, on the same numbers; place decides where the workspace lies and what it holds. */
static results factor_and_solve(size_t n, layout l, uint64_t place) {
    uint64_t state = 3;
    size_t *pivots = allocate(n * sizeof *pivots);
    results r = {matrix_new(n, n, l, GUARD, &state), positive_definite(n, l, &state),
                 matrix_new(n, 19, l, GUARD, &state)};
    call_lu(&r.lu, pivots, 17 * place);
    call_cholesky(&r.l, 19 * place);
    call_trsm(1, 1, &r.lu, &r.x, 13 * place);
    free(pivots);
    return r;
}

static void results_free(results *r) {
    matrix_free(&r->lu), matrix_free(&r->l), matrix_free(&r->x);
}

static int same_bits(const matrix *x, const matrix *y) {
    return memcmp(x->memory, y->memory, x->length * sizeof(real)) == 0;
}

static void test_repeatable(tap *out) {
    for (size_t s = 0; s < COUNT(sizes); s++) {
        layout l = (layout)(s % REPEATED);
        results first = factor_and_solve(sizes[s], l, 0);
        int same = 1;
        for (uint64_t place = 1; place < 5; place++) {
            results again = factor_and_solve(sizes[s], l, place);
            same &= same_bits(&first.lu, &again.lu) && same_bits(&first.l, &again.l) && same_bits(&first.x, &again.x);
            results_free(&again);
        }
        results_free(&first);
        tap_ok(out, same, "repeatable, n %zu", sizes[s]);
    }
}

/* Of equal candidates the first, of either sign; NaN never before a number. */
static void test_ties(tap *out) {
    for (size_t n = 2; n < 70; n += 3) {
        uint64_t state = n;
        size_t pivots[70], first = n / 3, wrong = 0;
        for (int kind = 0; kind < 3; kind++) {
            matrix a = matrix_new(n, n, (layout)(n % REPEATED), GUARD, &state);
            for (size_t i = 0; i < n; i++)
                if (kind == 0 || i == first || i == n - 1)
                    *element(&a, i, 0) = i % 2 ? (real)-3 : 3;
                else if (kind == 2)
                    *element(&a, i, 0) = (real)NAN;
            call_lu(&a, pivots, n);
            wrong += pivots[0] != (kind == 0 ? 0 : first);
            matrix_free(&a);
        }
        tap_ok(out, wrong == 0, "the first of equal pivots, n %zu", n);
    }
}

/* A = P L U and A = L L' that can be written down; the twins, too. */
static void test_by_hand(tap *out) {
    const real lu[] = {4, 8, 4, (real)0.5, 2, 4, (real)0.25, (real)0.5, 4}, l[] = {2, -7, 3, 5};
    for (int twin = 0; twin < 2; twin++) {
        real a[] = {2, 6, 6, 1, 3, 7, 4, 8, 4}, s[] = {4, -7, 6, 34}, b[] = {1, 2, 3};
        size_t pivots[3];
        int (*factor)(size_t, real *, ptrdiff_t, ptrdiff_t, size_t *, void *) =
            twin ? MX_REAL(mx_ref_lu) : MX_REAL(mx_lu);
        int status = factor(3, a, 3, 1, pivots, NULL);
        tap_ok(out,
               status == MX_OK && pivots[0] == 2 && pivots[1] == 2 && pivots[2] == 2 && memcmp(a, lu, sizeof a) == 0,
               "LU by hand%s", twin ? ", twin" : "");
        status = twin ? MX_REAL(mx_ref_cholesky)(2, s, 2, 1, NULL) : MX_REAL(mx_cholesky)(2, s, 2, 1, NULL);
        tap_ok(out, status == MX_OK && memcmp(s, l, sizeof s) == 0, "Cholesky by hand%s", twin ? ", twin" : "");
        (twin ? MX_REAL(mx_ref_permute_rows) : MX_REAL(mx_permute_rows))(3, 1, pivots, 0, b, 1, 1);
        tap_ok(out, b[0] == 3 && b[1] == 1 && b[2] == 2, "rows by hand%s", twin ? ", twin" : "");
    }
}

/* A X = B, or A' X = B, as the comment of mx_permute_rows says; B is replaced by X. */
static void solve_system(matrix *a, int transposed, matrix *b) {
    size_t n = a->rows, *pivots = allocate(n * sizeof *pivots);
    void *work = allocate(MX_REAL_AND(mx_trsm, _worksize)(n, b->columns));
    call_lu(a, pivots, n);
    ptrdiff_t rs = transposed ? a->cs : a->rs, cs = transposed ? a->rs : a->cs;
    if (!transposed)
        MX_REAL(mx_permute_rows)(n, b->columns, pivots, 0, b->at, b->rs, b->cs);
    MX_REAL(mx_trsm)(1, !transposed, n, b->columns, a->at, rs, cs, b->at, b->rs, b->cs, work);
    MX_REAL(mx_trsm)(0, transposed, n, b->columns, a->at, rs, cs, b->at, b->rs, b->cs, work);
    if (transposed)
        MX_REAL(mx_permute_rows)(n, b->columns, pivots, 1, b->at, b->rs, b->cs);
    free(work);
    free(pivots);
}

/* The largest error of X, for a well-conditioned matrix that needs its rows exchanged. */
static double system_error(size_t n, int transposed) {
    uint64_t state = n + 1;
    double worst = 0;
    matrix a = matrix_new(n, n, ROWS, GUARD, &state), x = matrix_new(n, 3, ROWS, 0, &state);
    matrix b = matrix_new(n, 3, ROWS, GUARD, &state);
    for (size_t i = 0; i < n; i++)
        *element(&a, (i + 1) % n, i) += (real)n;
    MX_REAL(mx_ref_gemm)
    (n, 3, n, 1, a.at, transposed ? a.cs : a.rs, transposed ? a.rs : a.cs, x.at, x.rs, x.cs, 0, b.at, b.rs, b.cs, NULL);
    solve_system(&a, transposed, &b);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < 3; j++) {
            double error = fabs((double)*element(&b, i, j) - (double)*element(&x, i, j));
            worst = error <= worst ? worst : error;
        }
    matrix_free(&a), matrix_free(&b), matrix_free(&x);
    return worst;
}

static void test_systems(tap *out) {
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int transposed = 0; transposed < 2; transposed++) {
            double error = system_error(sizes[s], transposed);
            tap_ok(out, error <= 50 * EPSILON, "%s X = B, n %zu: error %.2g", transposed ? "A'" : "A", sizes[s], error);
        }
}

static void test_worksizes(tap *out) {
    const size_t root = (size_t)1 << (sizeof(size_t) * 4);
    size_t none = 0;
    for (size_t n = 0; n <= 16; n++)
        none += MX_REAL_AND(mx_lu, _worksize)(n) + MX_REAL_AND(mx_cholesky, _worksize)(n) +
                MX_REAL_AND(mx_trsm, _worksize)(n, 1000);
    tap_ok(out, none == 0, "no workspace up to n = 16");
    tap_ok(out, MX_REAL_AND(mx_trsm, _worksize)(1000, 0) == 0, "no workspace without columns");
    tap_ok(out, MX_REAL_AND(mx_lu, _worksize)(root) == SIZE_MAX && MX_REAL_AND(mx_lu, _worksize)(SIZE_MAX) == SIZE_MAX,
           "worksize of LU overflows");
    tap_ok(out,
           MX_REAL_AND(mx_cholesky, _worksize)(root) == SIZE_MAX &&
               MX_REAL_AND(mx_cholesky, _worksize)(SIZE_MAX) == SIZE_MAX,
           "worksize of Cholesky overflows");
    tap_ok(out,
           MX_REAL_AND(mx_trsm, _worksize)(root, 1) == SIZE_MAX &&
               MX_REAL_AND(mx_trsm, _worksize)(2, SIZE_MAX) == SIZE_MAX &&
               MX_REAL_AND(mx_trsm, _worksize)(SIZE_MAX, SIZE_MAX) == SIZE_MAX,
           "worksize of a solve overflows");
}

static void test_empty(tap *out) {
    real guard = 42;
    int status = MX_REAL(mx_lu)(0, NULL, 1, 1, NULL, NULL) | MX_REAL(mx_cholesky)(0, NULL, 1, 1, NULL);
    MX_REAL(mx_trsm)(1, 0, 0, 5, NULL, 1, 1, NULL, 1, 1, NULL);
    MX_REAL(mx_trsm)(1, 0, 50, 0, &guard, 1, 1, NULL, 1, 1, NULL);
    MX_REAL(mx_permute_rows)(0, 5, NULL, 0, NULL, 1, 1);
    tap_ok(out, status == MX_OK && guard == 42, "empty matrices");
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    test_by_hand(&out);
    test_lu(&out);
    test_ties(&out);
    test_cholesky(&out);
    test_trsm(&out);
    test_trsm_layouts(&out);
    test_singular(&out);
    test_specials(&out);
    test_all_nan(&out);
    test_not_spd(&out);
    test_permute(&out);
    test_determinants(&out);
    test_special_determinants(&out);
    test_systems(&out);
    test_repeatable(&out);
    test_worksizes(&out);
    test_empty(&out);
    return tap_end(&out);
}
