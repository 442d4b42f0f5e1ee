#include "ops.h"

#include "../../runtime/mxmath.h"

#include <math.h>
#include <string.h>

const struct op_record op_records[OPS] = {
#define OP(op, ...) [OP_##op] = {.name = #op, __VA_ARGS__},
#include "ops.def"
#undef OP
};

const char *op_spelling(enum op op) {
    return op_records[op].call ? op_records[op].call : op_records[op].name;
}

/* Is record the one for this call? "norm(1)" is name norm with parameter 1. */
static bool names(const char *record, const char *name, const char *parameter) {
    size_t length = strlen(name);
    if (strncmp(record, name, length) != 0)
        return false;
    if (!parameter)
        return record[length] == '\0';
    size_t more = strlen(parameter);
    return record[length] == '(' && strncmp(record + length + 1, parameter, more) == 0 &&
           strcmp(record + length + 1 + more, ")") == 0;
}

enum op op_find(const char *name, const char *parameter, bool hidden) {
    for (enum op op = 1; op < OPS; op++)
        if ((hidden || !(op_records[op].flags & OP_HIDDEN)) && names(op_spelling(op), name, parameter))
            return op;
    return OP_NONE;
}

enum op op_overload(enum op op, int arguments) {
    for (enum op other = 1; other < OPS; other++)
        if (op_records[other].arity == arguments && strcmp(op_spelling(other), op_spelling(op)) == 0)
            return other;
    return op;
}
