/* Factors as generated code keeps them: residuals of what is solved by them, layouts, determinants, statuses, and what
   may not be touched.  Compiled once for each element type; run once for each kernel set (MXRT_CPU). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mxrt.h"
#include "operands.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const size_t sizes[] = {0, 1, 2, 3, 8, 16, 17, 33, 64, 65, 129};
static const size_t columns_of[] = {1, 0, 3, 40, 2, 1, 19};

static int same_memory(const matrix *x, const matrix *y) {
    return memcmp(x->memory, y->memory, x->length * sizeof(real)) == 0;
}

/* Did a call write nothing but elements of x? */
static int only_elements_differ(const matrix *x, const matrix *before) {
    matrix now = matrix_copy(before);
    for (size_t i = 0; i < x->rows; i++)
        for (size_t j = 0; j < x->columns; j++)
            *element(&now, i, j) = *element(x, i, j);
    int same = same_memory(x, &now);
    matrix_free(&now);
    return same;
}

/* ---- Guarded memory: a factor between elements that stay ---- */

static size_t factor_length(size_t n) {
    return n * n + 2 * n;
}

/* The factor of a; *wrong tells what was touched that may not be. */
static real *factor_new(const matrix *a, const char **wrong) {
    size_t n = a->rows, length = factor_length(n);
    real *memory = allocate((length + 2 * GUARD) * sizeof(real));
    for (size_t i = 0; i < length + 2 * GUARD; i++)
        memory[i] = 42;
    matrix before = matrix_copy(a);
    workspace w = workspace_new(MX_REAL_AND(mx_lu, _worksize)(n), 0);
    MX_REAL(mx_factor_lu)(n, a->at, a->rs, a->cs, memory + GUARD, w.work);
    for (size_t i = 0; i < GUARD; i++)
        if (memory[i] != 42 || memory[GUARD + length + i] != 42)
            *wrong = "memory beside the factor was written";
    if (!workspace_end(&w))
        *wrong = "memory beside the workspace was written";
    if (!same_memory(a, &before))
        *wrong = "A was written";
    matrix_free(&before);
    return memory;
}

typedef struct equations {
    enum { BY_LU, BY_TRIANGLE } kind;
    int transposed, lower;
    const matrix *a;
} equations;

/* X with A X = B, or A' X = B, in b. */
static int solve(const equations *s, matrix *b, const char **wrong) {
    size_t n = s->a->rows;
    matrix before = matrix_copy(b), a_before = matrix_copy(s->a);
    real *factor = s->kind == BY_LU ? factor_new(s->a, wrong) : NULL;
    real *factor_before = allocate((factor_length(n) + 2 * GUARD) * sizeof(real));
    if (factor)
        memcpy(factor_before, factor, (factor_length(n) + 2 * GUARD) * sizeof(real));
    workspace w = workspace_new(MX_REAL_AND(mx_trsm, _worksize)(n, b->columns), 0);
    ptrdiff_t rs = s->transposed ? s->a->cs : s->a->rs, cs = s->transposed ? s->a->rs : s->a->cs;
    int status = factor
                     ? MX_REAL(mx_solve_lu)(n, b->columns, s->transposed, factor + GUARD, b->at, b->rs, b->cs, w.work)
                     : MX_REAL(mx_solve_triangular)(n, b->columns, s->lower != s->transposed, s->a->at, rs, cs, b->at,
                                                    b->rs, b->cs, w.work);
    if (!workspace_end(&w))
        *wrong = "memory beside the workspace was written";
    if (!only_elements_differ(b, &before) || (status != MX_OK && !same_memory(b, &before)))
        *wrong = "memory beside the elements of B was written, or B after an error";
    if (!same_memory(s->a, &a_before) ||
        (factor && memcmp(factor, factor_before, (factor_length(n) + 2 * GUARD) * sizeof(real)) != 0))
        *wrong = "A or its factor was written";
    free(factor), free(factor_before);
    matrix_free(&before), matrix_free(&a_before);
    return status;
}

/* ---- Residuals: |B - A X| <= 8 n eps max|A| sum|x| for every element ---- */

static char complaint[256];

static double read_element(const equations *s, size_t i, size_t j) {
    size_t row = s->transposed ? j : i, column = s->transposed ? i : j;
    if (s->kind == BY_TRIANGLE && row != column && (row > column) != s->lower)
        return 0;
    return (double)*element(s->a, row, column);
}

static double largest(const equations *s) {
    double most = 0;
    for (size_t i = 0; i < s->a->rows; i++)
        for (size_t j = 0; j < s->a->rows; j++)
            most = fmax(most, fabs(read_element(s, i, j)));
    return most;
}

static const char *residual(const equations *s, const matrix *x, const matrix *b) {
    size_t n = s->a->rows;
    double most = largest(s);
    for (size_t j = 0; j < x->columns; j++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += fabs((double)*element(x, i, j));
        for (size_t i = 0; i < n; i++) {
            wide_real rest = *element(b, i, j);
            for (size_t p = 0; p < n; p++)
                rest -= (wide_real)read_element(s, i, p) * *element(x, p, j);
            if (fabs((double)rest) <= 8 * (double)n * EPSILON * most * sum)
                continue;
            snprintf(complaint, sizeof complaint, "element (%zu, %zu) of B - A X is %.3g", i, j, (double)rest);
            return complaint;
        }
    }
    return NULL;
}

/* Well-conditioned, but its rows have to be exchanged. */
static matrix general(size_t n, layout l, uint64_t *state) {
    matrix a = matrix_new(n, n, l, GUARD, state);
    for (size_t i = 0; i < n; i++)
        *element(&a, (i + 1) % n, i) += (real)n;
    return a;
}

/* A large diagonal; the other triangle is NaN, which shows when it is read. */
static matrix triangular(size_t n, int lower, layout l, uint64_t *state) {
    matrix a = matrix_new(n, n, l, GUARD, state);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (i == j)
                *element(&a, i, j) += (real)n + 1;
            else if ((i > j) != lower)
                *element(&a, i, j) = (real)NAN;
    return a;
}

static void report(tap *out, const char *wrong, const char *what, const equations *s, size_t columns, layout l) {
    if (!tap_ok(out, wrong == NULL, "%s%s, n %zu, %zu columns, %s", what, s->transposed ? ", transposed" : "",
                s->a->rows, columns, layout_names[l]))
        printf("# %s\n", wrong);
}

static void try_system(tap *out, const char *what, const equations *s, size_t columns, layout l, uint64_t *state) {
    matrix b = matrix_new(s->a->rows, columns, l, GUARD, state), x = matrix_copy(&b);
    const char *wrong = NULL;
    int status = solve(s, &x, &wrong);
    if (wrong == NULL)
        wrong = status != MX_OK ? "the status is wrong" : residual(s, &x, &b);
    report(out, wrong, what, s, columns, l);
    matrix_free(&b), matrix_free(&x);
}

static void test_systems(tap *out) {
    uint64_t state = 5;
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int l = 0; l < REPEATED; l++)
            for (int transposed = 0; transposed < 2; transposed++) {
                layout of_b = (layout)((l + (int)s) % REPEATED);
                size_t columns = columns_of[(s + (size_t)l) % COUNT(columns_of)];
                matrix a = general(sizes[s], (layout)l, &state);
                try_system(out, "LU", &(equations){BY_LU, transposed, 0, &a}, columns, of_b, &state);
                matrix_free(&a);
                for (int lower = 0; lower < 2; lower++) {
                    matrix t = triangular(sizes[s], lower, (layout)l, &state);
                    try_system(out, lower ? "lower" : "upper", &(equations){BY_TRIANGLE, transposed, lower, &t},
                               columns, of_b, &state);
                    matrix_free(&t);
                }
            }
}

/* ---- Cholesky ---- */

static matrix positive(size_t n, layout l, uint64_t *state) {
    matrix a = matrix_new(n, n, l, GUARD, state);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            *element(&a, i, j) = i == j ? (real)(2 * n + 1) : (real)NAN;
    return a;
}

static const char *check_cholesky(const matrix *a, const matrix *l) {
    size_t n = a->rows;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            wide_real rest = i < j ? 0 : *element(a, i, j), scale = 0;
            for (size_t p = 0; p <= j && i >= j; p++) {
                wide_real term = (wide_real)*element(l, i, p) * *element(l, j, p);
                rest -= term;
                scale += term < 0 ? -term : term;
            }
            if (i < j && *element(l, i, j) != 0)
                return "L is not 0 above its diagonal";
            if (!(fabs((double)rest) <= (double)(n + 8) * EPSILON * (double)scale))
                return "A - L L' is too large";
        }
    return NULL;
}

static int cholesky(const matrix *a, matrix *l, const char **wrong) {
    matrix a_before = matrix_copy(a), before = matrix_copy(l);
    workspace w = workspace_new(MX_REAL_AND(mx_cholesky, _worksize)(a->rows), 0);
    int status = MX_REAL(mx_factor_cholesky)(a->rows, a->at, a->rs, a->cs, l->at, l->rs, l->cs, w.work);
    if (!workspace_end(&w))
        *wrong = "memory beside the workspace was written";
    if (!same_memory(a, &a_before))
        *wrong = "A was written";
    if (!only_elements_differ(l, &before))
        *wrong = "memory beside the elements of L was written";
    matrix_free(&a_before), matrix_free(&before);
    return status;
}

static void test_cholesky(tap *out) {
    uint64_t state = 11;
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int l = 0; l < REPEATED; l++) {
            matrix a = positive(sizes[s], (layout)l, &state);
            matrix factor = matrix_new(sizes[s], sizes[s], (layout)((l + (int)s) % REPEATED), GUARD, &state);
            const char *wrong = NULL;
            int status = cholesky(&a, &factor, &wrong);
            if (wrong == NULL)
                wrong = status != MX_OK ? "the status is wrong" : check_cholesky(&a, &factor);
            report(out, wrong, "Cholesky", &(equations){.a = &a}, sizes[s], (layout)l);
            matrix_free(&a), matrix_free(&factor);
        }
}

/* ---- Determinants, against elimination in a wider type ---- */

static wide_real eliminate(const matrix *a, wide_real *logarithm) {
    size_t n = a->rows;
    wide_real *u = allocate(n * n * sizeof *u), det = 1;
    for (size_t i = 0; i < n * n; i++)
        u[i] = *element(a, i / n, i % n);
    *logarithm = 0;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k; i < n; i++)
            pivot = fabs((double)u[i * n + k]) > fabs((double)u[pivot * n + k]) ? i : pivot;
        for (size_t j = 0; j < n && pivot != k; j++) {
            wide_real x = u[k * n + j];
            u[k * n + j] = u[pivot * n + j];
            u[pivot * n + j] = x;
        }
        det *= pivot == k ? u[k * n + k] : -u[k * n + k];
        *logarithm += (wide_real)log(fabs((double)u[k * n + k]));
        for (size_t i = k + 1; i < n; i++)
            for (size_t j = n; j-- > k;)
                u[i * n + j] -= u[i * n + k] / u[k * n + k] * u[k * n + j];
    }
    free(u);
    return det;
}

static void test_determinants(tap *out) {
    uint64_t state = 17;
    for (size_t n = 0; n < 14; n++) {
        matrix a = general(n, (layout)(n % REPEATED), &state);
        const char *wrong = NULL;
        real *factor = factor_new(&a, &wrong), logarithm = 0;
        wide_real want_log, want = eliminate(&a, &want_log);
        double det = (double)MX_REAL(mx_factor_det)(n, factor + GUARD), bound = 64 * (double)(n + 1) * EPSILON;
        int status = MX_REAL(mx_factor_logabsdet)(n, factor + GUARD, &logarithm);
        tap_ok(out, wrong == NULL && fabs(det - (double)want) <= bound * fabs((double)want), "determinant, n %zu: %g",
               n, det);
        tap_ok(out,
               status == MX_OK && fabs((double)logarithm - (double)want_log) <= bound * (1 + fabs((double)want_log)),
               "its logarithm, n %zu: %g", n, (double)logarithm);
        free(factor);
        matrix_free(&a);
    }
}

/* ---- Matrices without factors ---- */

/* Both statuses of a singular or spoilt LU factor; B and *y stay as they were. */
static void reject_lu(tap *out, const matrix *a, const char *what) {
    uint64_t state = 3;
    size_t n = a->rows;
    const char *wrong = NULL;
    int statuses = 0;
    for (int transposed = 0; transposed < 2; transposed++) {
        matrix b = matrix_new(n, 3, COLUMNS, GUARD, &state);
        statuses += solve(&(equations){BY_LU, transposed, 0, a}, &b, &wrong) == MX_ERR_SINGULAR;
        matrix_free(&b);
    }
    real *factor = factor_new(a, &wrong), y = 42;
    statuses += MX_REAL(mx_factor_logabsdet)(n, factor + GUARD, &y) == MX_ERR_SINGULAR;
    free(factor);
    if (!tap_ok(out, wrong == NULL && statuses == 3 && y == 42, "%s: singular, n %zu", what, n))
        printf("# %s\n", wrong ? wrong : "a status is wrong, or y was written");
}

static void reject_cholesky(tap *out, size_t n, size_t row, size_t column, real value) {
    uint64_t state = n;
    const char *wrong = NULL;
    matrix a = positive(n, ROWS, &state), l = matrix_new(n, n, PADDED_ROWS, GUARD, &state);
    *element(&a, row, column) = value;
    int status = cholesky(&a, &l, &wrong);
    tap_ok(out, wrong == NULL && status == MX_ERR_NOT_SPD, "Cholesky of n %zu with %g at (%zu, %zu): not positive", n,
           (double)value, row, column);
    matrix_free(&a), matrix_free(&l);
}

static void reject_triangular(tap *out, size_t n, int lower, size_t place, real value) {
    uint64_t state = n + place;
    const char *wrong = NULL;
    matrix t = triangular(n, lower, SPREAD, &state), b = matrix_new(n, 5, BACKWARDS, GUARD, &state);
    *element(&t, place, place) = value;
    int status = solve(&(equations){BY_TRIANGLE, 0, lower, &t}, &b, &wrong);
    tap_ok(out, wrong == NULL && status == MX_ERR_SINGULAR, "triangle of n %zu with %g at %zu: singular", n,
           (double)value, place);
    matrix_free(&t), matrix_free(&b);
}

static void test_statuses(tap *out) {
    const real values[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
    uint64_t state = 23;
    for (size_t n = 1; n < 70; n += 17) {
        matrix a = matrix_new(n, n, COLUMNS, GUARD, &state);
        for (size_t i = 0; i < n; i++)
            *element(&a, i, n / 2) = 0;
        reject_lu(out, &a, "a column of zeros");
        for (size_t k = 0; k < COUNT(values); k++) {
            *element(&a, n / 3, n - 1) = values[k];
            reject_lu(out, &a, "not finite");
            reject_cholesky(out, n, n - 1, n / 3, values[k]);
            for (int lower = 0; lower < 2; lower++)
                reject_triangular(out, n, lower, n / 2, values[k]);
        }
        reject_cholesky(out, n, n / 2, n / 2, 0);
        reject_cholesky(out, n, n - 1, n - 1, -1);
        reject_triangular(out, n, 1, n - 1, 0);
        reject_triangular(out, n, 0, 0, 0);
        matrix_free(&a);
    }
}

/* A singular matrix has determinant 0. */
static void test_singular_determinant(tap *out) {
    uint64_t state = 29;
    for (size_t n = 1; n < 40; n += 6) {
        const char *wrong = NULL;
        matrix a = matrix_new(n, n, ROWS, GUARD, &state);
        for (size_t j = 0; j < n; j++)
            *element(&a, n / 2, j) = 0;
        real *factor = factor_new(&a, &wrong);
        tap_ok(out, MX_REAL(mx_factor_det)(n, factor + GUARD) == 0 && wrong == NULL, "determinant 0, n %zu", n);
        free(factor);
        matrix_free(&a);
    }
}

static void test_pivots(tap *out) {
    const real good[] = {1, -2, 3}, bad[] = {0, (real)NAN, (real)INFINITY, (real)-INFINITY};
    int regular = MX_REAL(mx_check_regular)(3, good) == MX_OK && MX_REAL(mx_check_regular)(0, NULL) == MX_OK;
    int definite = MX_REAL(mx_check_positive)(1, good) == MX_OK && MX_REAL(mx_check_positive)(0, NULL) == MX_OK &&
                   MX_REAL(mx_check_positive)(3, good) == MX_ERR_NOT_SPD;
    for (size_t k = 0; k < COUNT(bad); k++)
        for (size_t place = 0; place < 3; place++) {
            real d[] = {1, 2, 3};
            d[place] = bad[k];
            regular &= MX_REAL(mx_check_regular)(3, d) == MX_ERR_SINGULAR;
            definite &= MX_REAL(mx_check_positive)(3, d) == MX_ERR_NOT_SPD;
        }
    tap_ok(out, regular, "pivots that are 0 or not finite");
    tap_ok(out, definite, "pivots that are not positive or not finite");
}

static void test_empty(tap *out) {
    real y = 42, guard = 42;
    MX_REAL(mx_factor_lu)(0, NULL, 1, 1, NULL, NULL);
    int status = MX_REAL(mx_factor_cholesky)(0, NULL, 1, 1, NULL, 1, 1, NULL) |
                 MX_REAL(mx_solve_lu)(0, 3, 0, NULL, NULL, 1, 1, NULL) |
                 MX_REAL(mx_solve_triangular)(0, 3, 1, NULL, 1, 1, NULL, 1, 1, NULL) |
                 MX_REAL(mx_solve_triangular)(1, 0, 1, &guard, 1, 1, NULL, 1, 1, NULL);
    tap_ok(out, status == MX_OK && guard == 42, "empty matrices");
    tap_ok(out,
           MX_REAL(mx_factor_logabsdet)(0, &guard, &y) == MX_OK && y == 0 && MX_REAL(mx_factor_det)(0, &guard) == 1,
           "determinant of an empty matrix");
}

int main(void) {
    tap out = {0, 0};
    printf("# cpu %s, f%d\n", mx_cpu_name(), MX_BITS);
    test_systems(&out);
    test_cholesky(&out);
    test_determinants(&out);
    test_statuses(&out);
    test_singular_determinant(&out);
    test_pivots(&out);
    test_empty(&out);
    return tap_end(&out);
}
