/* The typed tree and its types as text. */
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

void check_print(struct text *text, const struct polys *polys, const struct checked *checked) {
    static const char *const kinds[] = {"input", "value", "dim", "loss"};
    for (size_t i = 1; i < checked->symbols.len; i++) {
        const struct symbol *symbol = &checked->symbols.at[i];
        text_printf(text, "%s %s", kinds[symbol->kind], symbol->name);
        if (symbol->kind == SYMBOL_INPUT || symbol->kind == SYMBOL_VALUE)
            text_printf(text, ": %s", type_string(text->arena, polys, symbol->type));
        if (symbol->kind == SYMBOL_DIM && symbol->fixed)
            text_printf(text, " = %s", poly_string(text->arena, polys, symbol->fixed));
        text_putc(text, '\n');
    }
    text_puts(text, "dims");
    for (size_t i = 0; i < checked->dims.len; i++)
        text_printf(text, "%s %s", i ? "," : "", poly_string(text->arena, polys, checked->dims.at[i]));
    text_putc(text, '\n');
}
