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

static inline float mx_sigmoid_f32(float x) {
    const float e = expf(-fabsf(x));
    return (x >= 0 ? 1.0f : x < 0 ? e : x) / (1.0f + e);
}

static inline float mx_softplus_f32(float x) {
    return (x > 0 ? x : 0.0f) + log1pf(expf(-fabsf(x)));
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

#endif
