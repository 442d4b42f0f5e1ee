// Eigen's product behind the interface of BLAS, a library of its own because Eigen is C++ and chooses its vectors when
// it is compiled.
#include <Eigen/Dense>

template <typename T>
static void product(const char *ta, const char *tb, const int *m, const int *n, const int *k, const T *alpha, const T *a,
                    const int *lda, const T *b, const int *ldb, const T *beta, T *c, const int *ldc) {
    typedef Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> matrix;
    typedef Eigen::Map<const matrix, 0, Eigen::OuterStride<>> input;
    const bool t = *ta == 'T', u = *tb == 'T';
    input x(a, t ? *k : *m, t ? *m : *k, Eigen::OuterStride<>(*lda));
    input y(b, u ? *n : *k, u ? *k : *n, Eigen::OuterStride<>(*ldb));
    Eigen::Map<matrix, 0, Eigen::OuterStride<>> z(c, *m, *n, Eigen::OuterStride<>(*ldc));
    (void)alpha, (void)beta; // always 1 and 0 here
    if (!t && !u)
        z.noalias() = x * y;
    else if (t && !u)
        z.noalias() = x.transpose() * y;
    else if (!t)
        z.noalias() = x * y.transpose();
    else
        z.noalias() = x.transpose() * y.transpose();
}

extern "C" void eigen_f64(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
                          const double *a, const int *lda, const double *b, const int *ldb, const double *beta,
                          double *c, const int *ldc) {
    product(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

extern "C" void eigen_f32(const char *ta, const char *tb, const int *m, const int *n, const int *k, const float *alpha,
                          const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
                          const int *ldc) {
    product(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
