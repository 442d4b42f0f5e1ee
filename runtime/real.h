/* The element type of a source that is compiled once for each: -DMX_BITS=64 or 32. */
#ifndef MX_REAL_H
#define MX_REAL_H

#if MX_BITS == 64
typedef double real;
typedef long double wide_real;
#define MX_REAL(name) name##_f64
#define MX_REAL_AND(name, rest) name##_f64##rest
#elif MX_BITS == 32
typedef float real;
typedef double wide_real;
#define MX_REAL(name) name##_f32
#define MX_REAL_AND(name, rest) name##_f32##rest
#else
#error "MX_BITS must be 64 or 32"
#endif

/* A line of the cache: bytes, elements. */
#define LINE 64
#define LINE_REALS (LINE * 8 / MX_BITS)

#endif
