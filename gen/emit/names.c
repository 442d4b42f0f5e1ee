#include "names.h"

#include "../base/cwords.h"
#include "../base/text.h"
#include "../graph/ops.h"

#include <string.h>

/* What comes after this beginning; NULL where the name does not begin so. */
static const char *after(const char *name, const char *beginning) {
    while (*beginning)
        if (*name++ != *beginning++)
            return NULL;
    return name;
}

static bool is_called(const char *name) {
    for (enum op op = 1; op < OPS; op++) {
        const char *rest = op_records[op].c ? after(name, op_records[op].c) : NULL;
        if (rest && (*rest == '\0' || strcmp(rest, "f") == 0))
            return true;
    }
    return false;
}

/* Names that every body may use. */
static bool is_own(const char *name) {
    static const char *const own[] = {"work", "saved", "bytes", "product", "table", "place", "gemm_work", "status"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    return false;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Numbered names end in a digit, so that one with '_' behind it is free. */
static bool has_stem(const char *name, const char *stem, const char *joint) {
    const char *rest = after(name, stem);
    const char *number = rest ? after(rest, joint) : NULL;
    return number && is_digit(number[0]) && is_digit(number[strlen(number) - 1]);
}

/* Bodies number their own: work0, saved_size1, sum_3_0. */
static bool is_numbered(const char *name) {
    static const char *const stems[] = {"work", "saved", "work_size", "saved_size"};
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
        if (has_stem(name, stems[i], ""))
            return true;
    for (enum op op = 1; op < OPS; op++)
        if ((op_records[op].combine || op == OP_sum) && has_stem(name, op_records[op].name, "_"))
            return true;
    return false;
}

/* Names that begin with '_' belong to C, those with mx_ to the runtime. */
bool name_is_reserved(const char *name) {
    return is_numbered(name) || name[0] == '_' || strncmp(name, "mx_", 3) == 0 || strncmp(name, "MX_", 3) == 0 ||
           is_called(name) || is_own(name) || c_word_is_reserved(name);
}

const char *scope_name(struct scope *scope, const char *wanted) {
    const bool foreign = wanted[0] == '_' || strncmp(wanted, "mx_", 3) == 0 || strncmp(wanted, "MX_", 3) == 0;
    const char *name = intern(scope->interner, foreign ? format_string(scope->arena, "x%s", wanted) : wanted);
    while (name_is_reserved(name) || map_get(&scope->taken, key_of(name)))
        name = intern(scope->interner, format_string(scope->arena, "%s_", name));
    *map_at(&scope->taken, key_of(name)) = 1;
    return name;
}
