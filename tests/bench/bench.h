/* Speed of the product beside other libraries: what the parts of the benchmark share. */
#ifndef MX_BENCH_H
#define MX_BENCH_H

#include <stddef.h>

/* C = op(A) op(B), row-major, contiguous, beta = 0; ta and tb: the operand is stored transposed. */
typedef struct shape {
    int m, n, k, ta, tb;
    const char *class;
} shape;

typedef struct operands {
    shape s;
    int f32;
    void *a, *b, *c, *work;
    const void *held; /* a kernel that a peer made for this shape beforehand */
} operands;

typedef struct peer {
    const char *name;
    const char *missing; /* why it cannot take part; NULL: it does */
    int (*takes)(const struct peer *, operands *);
    void (*run)(const struct peer *, const operands *);
    void (*f64)(void), (*f32)(void); /* entry points */
} peer;

#define MAX_PEERS 11

/* Fills in ours and every peer that there could be; returns their number.  Each will use so many threads, if it can. */
int peers_find(peer *peers, int threads);

/* It is called through a pointer to code made for one shape, which spares it what every other one decides anew. */
int peer_holds_kernels(const peer *p);

/* It is what mxc makes for one shape. */
int peer_is_ours(const peer *p);

typedef void fixed_product(const operands *x);
fixed_product *find_fixed(const shape *s); /* NULL: a call stands for it in generated code, too */

/* GFLOP/s of independent multiplications and additions in registers, one repetition of about a tenth of a millisecond.
 */
double peak_gflops(int f32);

/* Processor time of this thread, where what else runs on the machine counts little; time of day if several threads are
   measured. */
double seconds_now(void);
extern int seconds_of_day;

/* Seconds of the time of day. */
double wall_now(void);

/* The share of the next span of seconds in which nothing else used this core, 0 to 1; 0 seconds: at this moment. */
double share_alone(double span);

/* Returns once nothing else uses this core, at the time end (wall_now) otherwise. */
void await_alone(double end);

#endif
