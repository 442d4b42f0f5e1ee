#include "names.h"

#include "../base/text.h"
#include "../graph/ops.h"

#include <stdlib.h>
#include <string.h>

/* Keywords of C (to C23) and C++ (to C++20), and the macros of the headers that a caller may have included. Sorted. */
static const char *const reserved[] = {
    "CHAR_BIT",
    "EOF",
    "FP_INFINITE",
    "FP_NAN",
    "FP_NORMAL",
    "FP_SUBNORMAL",
    "FP_ZERO",
    "HUGE_VAL",
    "HUGE_VALF",
    "I",
    "INFINITY",
    "INT_MAX",
    "INT_MIN",
    "LONG_MAX",
    "M_PI",
    "NAN",
    "NDEBUG",
    "NULL",
    "RAND_MAX",
    "SIZE_MAX",
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "assert",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "complex",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "errno",
    "explicit",
    "export",
    "extern",
    "false",
    "first_",
    "float",
    "for",
    "fpclassify",
    "friend",
    "goto",
    "if",
    "imaginary",
    "inline",
    "int",
    "isfinite",
    "isinf",
    "isnan",
    "isnormal",
    "largest_",
    "linux",
    "long",
    "main",
    "math_errhandling",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "offsetof",
    "operator",
    "or",
    "or_eq",
    "place_",
    "private",
    "protected",
    "ptrdiff_t",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "restrict",
    "return",
    "saved",
    "short",
    "signbit",
    "signed",
    "size_t",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "stderr",
    "stdin",
    "stdout",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "typeof_unqual",
    "uintptr_t",
    "union",
    "unix",
    "unsigned",
    "using",
    "va_arg",
    "va_end",
    "va_start",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "work",
    "x_",
    "xor",
    "xor_eq",
};

static int compare_names(const void *key, const void *element) {
    return strcmp(key, *(const char *const *)element);
}

static bool is_called(const char *name) {
    for (enum op op = 1; op < OPS; op++) {
        const char *c = op_records[op].c;
        if (!c)
            continue;
        size_t length = strlen(c);
        if (strncmp(name, c, length) == 0 && (name[length] == '\0' || strcmp(name + length, "f") == 0))
            return true;
    }
    return false;
}

/* Bodies number their own: work0, saved_size1, sum_3_0. */
static bool is_numbered(const char *name) {
    static const char *const stems[] = {"work", "saved", "work_size", "saved_size", "sum_", "max_"};
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++) {
        size_t length = strlen(stems[i]);
        if (strncmp(name, stems[i], length) == 0 && name[length] >= '0' && name[length] <= '9')
            return true;
    }
    return false;
}

/* Names that begin with '_' belong to C, those with mx_ to the runtime. */
bool name_is_reserved(const char *name) {
    return is_numbered(name) || name[0] == '_' || strncmp(name, "mx_", 3) == 0 || strncmp(name, "MX_", 3) == 0 ||
           is_called(name) ||
           bsearch(name, reserved, sizeof reserved / sizeof *reserved, sizeof *reserved, compare_names) != NULL;
}

const char *scope_name(struct scope *scope, const char *wanted) {
    const char *prefix =
        wanted[0] == '_' || strncmp(wanted, "mx_", 3) == 0 || strncmp(wanted, "MX_", 3) == 0 ? "x" : "";
    const char *name = intern(scope->interner, format_string(scope->arena, "%s%s", prefix, wanted));
    while (name_is_reserved(name) || map_get(&scope->taken, key_of(name)))
        name = intern(scope->interner, format_string(scope->arena, "%s_", name));
    *map_at(&scope->taken, key_of(name)) = 1;
    return name;
}
