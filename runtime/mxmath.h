/* Elementary functions that C's library does not have, in the forms that neither overflow nor cancel.
 *
 * C99; every function is static inline, pure, and exists for double (_f64) and float (_f32). NaN gives NaN. */
#ifndef MXMATH_H
#define MXMATH_H

#include <math.h>

/* 1/(1 + exp(-x)); exp is only ever taken of -|x|. */
static inline double mx_sigmoid_f64(double x) {
    const double e = exp(-fabs(x));
    return (x >= 0 ? 1.0 : x < 0 ? e : x) / (1.0 + e);
}

/* log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)). */
static inline double mx_softplus_f64(double x) {
    return (x > 0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

static inline double mx_logabs_f64(double x) {
    return log(fabs(x));
}

static inline double mx_relu_f64(double x) {
    return x < 0 ? 0.0 : x;
}

/* 1 where x > 0, else 0: the derivative of relu, with relu'(0) = 0. */
static inline double mx_step_f64(double x) {
    return x > 0 ? 1.0 : x <= 0 ? 0.0 : x;
}

/* -1, 0 or 1: the derivative of abs, with abs'(0) = 0. */
static inline double mx_sign_f64(double x) {
    return x > 0 ? 1.0 : x < 0 ? -1.0 : x;
}

/* Constant to differentiation; here just x. */
static inline double mx_stop_f64(double x) {
    return x;
}

static inline double mx_reciprocal_f64(double x) {
    return 1.0 / x;
}

/* 1/x, but 0 at 0: with it norm'(0) = 0. */
static inline double mx_reciprocal0_f64(double x) {
    return x == 0 ? 0.0 : 1.0 / x;
}

/* x where it is finite or NaN, else 0: a shift that keeps exp(x - shift) defined at infinities. */
static inline double mx_finite_f64(double x) {
    return x - x == 0 || x != x ? x : 0.0;
}

/* The larger one; NaN if either is. */
static inline double mx_max_f64(double x, double y) {
    return y > x || y != y ? y : x;
}

/* y * log(x), and 0 where y is 0. */
static inline double mx_ylogx_f64(double y, double x) {
    return y == 0 ? 0.0 : y * log(x);
}

/* 1 or 0; comparisons with NaN are 0, but ne is 1. */
static inline double mx_lt_f64(double x, double y) {
    return x < y;
}

static inline double mx_le_f64(double x, double y) {
    return x <= y;
}

static inline double mx_gt_f64(double x, double y) {
    return x > y;
}

static inline double mx_ge_f64(double x, double y) {
    return x >= y;
}

static inline double mx_eq_f64(double x, double y) {
    return x == y;
}

static inline double mx_ne_f64(double x, double y) {
    return x != y;
}

static inline double mx_where_f64(double condition, double x, double y) {
    return condition != 0 ? x : y;
}

/* The smaller one; NaN if either is. */
static inline double mx_min_f64(double x, double y) {
    return y < x || y != y ? y : x;
}

static inline double mx_times_f64(double x, double y) {
    return x * y;
}

/* B_2k / (2k)! for k = 1 … 8, with B the Bernoulli numbers. */
#define MX_BERNOULLI                                                                                                   \
    {                                                                                                                  \
        1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000,                     \
            1.0 / 74724249600.0, -3617.0 / 10670622842880000.0                                                         \
    }

/* The derivative of order n >= 1 of digamma: (-1)^(n+1) n! sum_k (x + k)^-(n+1), by recurrence up to x >= 16 + n and
 * the asymptotic series there (Abramowitz and Stegun 6.4.11). x <= 0: by recurrence too; NaN below -10000 and at poles.
 */
static inline double mx_polygamma_f64(double n, double x) {
    static const double bernoulli[] = MX_BERNOULLI;
    double factorial = 1, sum = 0, power, term;
    if (!(n >= 1 && n <= 20 && x > -10000) || (x <= 0 && x == floor(x)))
        return n == n && x > 0 ? 0.0 : NAN;
    for (double k = 2; k < n; k++)
        factorial *= k; /* (n - 1)! */
    for (; x < 16 + n; x++)
        sum += factorial * n / pow(x, n + 1);
    power = factorial / pow(x, n);
    sum += power + power * n / (2 * x);
    term = power * n / (x * x);
    for (int k = 0; k < 8; k++) { /* B_2k (2k + n - 1)! / ((2k)! x^(2k + n)) */
        term *= k == 0 ? n + 1 : (n + 2 * k) * (n + 2 * k + 1) / (x * x);
        sum += bernoulli[k] * term;
    }
    return fmod(n, 2) == 1 ? sum : -sum;
}

/* The derivative of log gamma: by reflection below 0, by recurrence up to 10, by the asymptotic series there
 * (Abramowitz and Stegun 6.3.18). NaN at the poles 0, -1, … */
static inline double mx_digamma_f64(double x) {
    double sum = 0, square;
    if (x <= 0 && x == floor(x))
        return NAN;
    if (x < 0) {
        sum = -3.14159265358979323846 / tan(3.14159265358979323846 * (x - floor(x)));
        x = 1 - x;
    }
    for (; x < 10; x++)
        sum -= 1 / x;
    square = 1 / (x * x);
    return sum + log(x) - 0.5 / x -
           square *
               (1.0 / 12 -
                square * (1.0 / 120 -
                          square * (1.0 / 252 - square * (1.0 / 240 - square * (1.0 / 132 - square * (691.0 / 32760 -
                                                                                                      square / 12))))));
}

static inline float mx_sigmoid_f32(float x) {
    const float e = expf(-fabsf(x));
    return (x >= 0 ? 1.0f : x < 0 ? e : x) / (1.0f + e);
}

static inline float mx_softplus_f32(float x) {
    return (x > 0 ? x : 0.0f) + log1pf(expf(-fabsf(x)));
}

static inline float mx_logabs_f32(float x) {
    return logf(fabsf(x));
}

static inline float mx_relu_f32(float x) {
    return x < 0 ? 0.0f : x;
}

static inline float mx_step_f32(float x) {
    return x > 0 ? 1.0f : x <= 0 ? 0.0f : x;
}

static inline float mx_sign_f32(float x) {
    return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
}

static inline float mx_stop_f32(float x) {
    return x;
}

static inline float mx_reciprocal_f32(float x) {
    return 1.0f / x;
}

static inline float mx_reciprocal0_f32(float x) {
    return x == 0 ? 0.0f : 1.0f / x;
}

static inline float mx_finite_f32(float x) {
    return x - x == 0 || x != x ? x : 0.0f;
}

static inline float mx_max_f32(float x, float y) {
    return y > x || y != y ? y : x;
}

static inline float mx_ylogx_f32(float y, float x) {
    return y == 0 ? 0.0f : y * logf(x);
}

static inline float mx_lt_f32(float x, float y) {
    return x < y;
}

static inline float mx_le_f32(float x, float y) {
    return x <= y;
}

static inline float mx_gt_f32(float x, float y) {
    return x > y;
}

static inline float mx_ge_f32(float x, float y) {
    return x >= y;
}

static inline float mx_eq_f32(float x, float y) {
    return x == y;
}

static inline float mx_ne_f32(float x, float y) {
    return x != y;
}

static inline float mx_where_f32(float condition, float x, float y) {
    return condition != 0 ? x : y;
}

static inline float mx_min_f32(float x, float y) {
    return y < x || y != y ? y : x;
}

static inline float mx_times_f32(float x, float y) {
    return x * y;
}

static inline float mx_polygamma_f32(float n, float x) {
    return (float)mx_polygamma_f64(n, x);
}

static inline float mx_digamma_f32(float x) {
    return (float)mx_digamma_f64(x);
}

#endif
