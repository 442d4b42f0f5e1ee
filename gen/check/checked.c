/* Types as text. */
#include "checked.h"

const char *type_string(struct arena *arena, const struct polys *polys, struct type type) {
    const char *size[2] = {"?", "?"};
    if (type.rank == 0 || type.rank > 2)
        return type.rank == 0 ? "scalar" : "?";
    for (int i = 0; i < type.rank; i++)
        if (type.size[i])
            size[i] = poly_string(arena, polys, type.size[i]);
    if (type.rank == 2)
        return format_string(arena, "[%s, %s]", size[0], size[1]);
    return format_string(arena, "%s[%s]", type.row ? "row " : "", size[0]);
}
