/* What the results of generated functions mean. */
#include "mxrt.h"

const char *mx_status_string(int status) {
    switch (status) {
    case MX_OK:
        return "success";
    case MX_ERR_ARGUMENT:
        return "invalid argument";
    case MX_ERR_SINGULAR:
        return "matrix is singular to working precision";
    case MX_ERR_NOT_SPD:
        return "matrix is not symmetric positive definite";
    case MX_ERR_INDEX:
        return "index out of range";
    default:
        return "unknown status";
    }
}
