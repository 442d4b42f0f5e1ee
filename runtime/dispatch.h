/* Which kernel set this process uses. */
#ifndef MX_DISPATCH_H
#define MX_DISPATCH_H

/* The same set at every call, whichever thread calls first.  mx_kernels_* are in kernels.h. */
const struct mx_kernels_f64 *mx_dispatch_f64(void);
const struct mx_kernels_f32 *mx_dispatch_f32(void);

#endif
