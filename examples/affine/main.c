/* Calls the forward and backward functions of an affine layer, A = Z W + b, prints what goes in and out, and checks the
 * gradient against a difference quotient of L = sum(G * A). */
#include "affine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 4, INNER = 3, COLUMNS = 2 };

static double loss(const double *Z, const double *W, const double *b, const double *G, void *work) {
    double A[ROWS * COLUMNS], sum = 0;
    affine_forward(ROWS, INNER, COLUMNS, Z, W, b, A, NULL, work);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        sum += G[i] * A[i];
    return sum;
}

static void fill(double *x, int count, double phase) {
    for (int i = 0; i < count; i++)
        x[i] = sin(phase + 1.7 * i);
}

static void print_matrix(const char *name, const double *x, int rows, int columns) {
    printf("%s [%d, %d]\n", name, rows, columns);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++)
            printf(" %9.5f", x[i * columns + j]);
        putchar('\n');
    }
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* The largest gap between dL/dW and (L(W + h) - L(W - h)) / 2h, element by element. */
static double worst_gap(const double *Z, double *W, const double *b, const double *G, const double *dL_dW, void *work) {
    const double h = 1e-6;
    double worst = 0;
    for (int i = 0; i < INNER * COLUMNS; i++) {
        const double w = W[i];
        W[i] = w + h;
        const double above = loss(Z, W, b, G, work);
        W[i] = w - h;
        const double below = loss(Z, W, b, G, work);
        W[i] = w;
        worst = fmax(worst, fabs((above - below) / (2 * h) - dL_dW[i]));
    }
    return worst;
}

int main(void) {
    double Z[ROWS * INNER], W[INNER * COLUMNS], b[COLUMNS], A[ROWS * COLUMNS], G[ROWS * COLUMNS];
    double dL_dW[INNER * COLUMNS], dL_dZ[ROWS * INNER], dL_db[COLUMNS];
    void *work = malloc(larger(affine_forward_worksize(ROWS, INNER, COLUMNS),
                               affine_backward_worksize(ROWS, INNER, COLUMNS)) + 1);
    void *saved = malloc(affine_forward_savedsize(ROWS, INNER, COLUMNS) + 1);
    if (!work || !saved)
        return 1;
    fill(Z, ROWS * INNER, 0);
    fill(W, INNER * COLUMNS, 1);
    fill(b, COLUMNS, 2);
    fill(G, ROWS * COLUMNS, 3);

    affine_forward(ROWS, INNER, COLUMNS, Z, W, b, A, saved, work);
    affine_backward(ROWS, INNER, COLUMNS, Z, W, G, dL_dW, dL_dZ, dL_db, saved, work);

    print_matrix("A = Z @ W + b", A, ROWS, COLUMNS);
    print_matrix("dL/dW = Z' @ dL/dA", dL_dW, INNER, COLUMNS);
    print_matrix("dL/dZ = dL/dA @ W'", dL_dZ, ROWS, INNER);
    print_matrix("dL/db = column sums of dL/dA", dL_db, 1, COLUMNS);
    const double gap = worst_gap(Z, W, b, G, dL_dW, work);
    printf("dL/dW against differences: %s (worst gap %.1e)\n", gap < 1e-8 ? "agrees" : "DIFFERS", gap);
    free(saved);
    free(work);
    return gap < 1e-8 ? 0 : 1;
}
