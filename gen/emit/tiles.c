/* Epilogues: what is done with each tile of a product becomes a function that the product calls, while the tile is in
 * the cache, with a struct that holds what it touches. */
#include "kernels.h"

#include <string.h>

enum { PARAMETERS = 9 };

/* The parameters in their order; the struct that they come in. */
enum parameter { CONTEXT, ROW, COLUMN, ROWS, COLUMNS, TILE, ROW_STRIDE, COLUMN_STRIDE, HELD };
static const char *const wanted[PARAMETERS] = {"context", "row",        "column",        "rows", "columns",
                                               "tile",    "row_stride", "column_stride", "in"};

bool has_epilogue(const struct kernel *kernel) {
    return kernel->kind == KERNEL_GEMM && kernel->statements.len;
}

static const char *tile_function(const struct body *b, const struct kernel *kernel) {
    return format_string(b->e->arena, "%s_tile_%s", b->s->function->name, b->buffer_name[kernel->target]);
}

void print_tile_bounds(struct text *out, const struct body *b, label loop) {
    const char *from = b->tile_name[ROW + loop], *size = b->tile_name[ROWS + loop], *name = b->loop_name[loop];
    text_printf(out, "for (size_t %s = %s; %s < %s + %s; %s++)", name, from, name, from, size, name);
}

/* What of a kernel the function needs: arrays and values, and dimensions, which are those that it prints. */
struct held {
    uint32_t *buffers, count, *dims;
    size_t dim_count;
};

/* The first of them in the same place: compilers must see that it is the same. An output's has but one name. */
static uint32_t first_there(const struct body *b, const struct held *held, uint32_t index) {
    const struct buffer *buffers = b->s->plan->buffers.at;
    for (uint32_t i = 0; i < held->count; i++)
        if (held->buffers[i] == index || share_place(&buffers[held->buffers[i]], &buffers[index]))
            return held->buffers[i];
    return index;
}

/* Is it a member of the struct? */
static bool is_member(const struct body *b, const struct held *held, uint32_t index) {
    return b->s->plan->buffers.at[index].storage != STORE_TEMP && first_there(b, held, index) == index;
}

/* "const double *": of the struct's member for a buffer. */
static const char *type_of(const struct body *b, uint32_t index) {
    const struct buffer *buffer = &b->s->plan->buffers.at[index];
    const bool constant =
        buffer->storage == STORE_INPUT || (buffer->storage == STORE_SAVED && b->s->function->kind == FUNCTION_BACKWARD);
    const bool value = buffer->storage == STORE_LOCAL ||
                       (buffer->storage == STORE_INPUT && !b->s->function->inputs.at[buffer->index].rank);
    return format_string(b->e->arena, "%s%s %s", constant && !value ? "const " : "", real_name(b->e), value ? "" : "*");
}

static void print_struct(struct text *out, const struct body *b, const char *name, const struct held *held) {
    text_printf(out, "/* What follows a product, for each tile of it. */\nstruct %s {\n", name);
    for (size_t i = 0; i < held->dim_count; i++)
        text_printf(out, "    size_t %s;\n", signature_dim(b->e, b->s, held->dims[i]));
    for (uint32_t i = 0; i < held->count; i++)
        if (is_member(b, held, held->buffers[i]))
            text_printf(out, "    %s%s;\n", type_of(b, held->buffers[i]), b->buffer_name[held->buffers[i]]);
    text_puts(out, "};\n\n");
}

static void print_head(struct text *out, const struct body *b, const char *name) {
    const char *const *names = b->tile_name;
    struct list list = list_begin(out, format_string(b->e->arena, "static void %s", name));
    list_add(&list, format_string(b->e->arena, "void *%s", names[CONTEXT]));
    for (int i = ROW; i <= COLUMNS; i++)
        list_add(&list, format_string(b->e->arena, "size_t %s", names[i]));
    list_add(&list, format_string(b->e->arena, "%s *%s", real_name(b->e), names[TILE]));
    list_add(&list, format_string(b->e->arena, "ptrdiff_t %s", names[ROW_STRIDE]));
    list_add(&list, format_string(b->e->arena, "ptrdiff_t %s", names[COLUMN_STRIDE]));
    text_puts(out, ") {\n");
}

static void print_member(struct text *out, const struct body *b, const struct held *held, uint32_t index) {
    const char *name = b->buffer_name[index], *first = b->buffer_name[first_there(b, held, index)];
    if (is_member(b, held, index))
        text_printf(out, "    %sconst %s = %s->%s;\n", type_of(b, index), name, b->tile_name[HELD], name);
    else if (b->s->plan->buffers.at[index].storage != STORE_TEMP && name != first)
        text_printf(out, "    %sconst %s = %s;\n", type_of(b, index), name, first);
}

/* The members as constants of their own names. */
static void print_members(struct text *out, const struct body *b, const char *name, const struct held *held) {
    const char *in = b->tile_name[HELD];
    text_printf(out, "    const struct %s *const %s = (const struct %s *)%s;\n", name, in, name, b->tile_name[CONTEXT]);
    for (size_t i = 0; i < held->dim_count; i++) {
        const char *dim = signature_dim(b->e, b->s, held->dims[i]);
        text_printf(out, "    const size_t %s = %s->%s;\n", dim, in, dim);
    }
    for (uint32_t i = 0; i < held->count; i++)
        print_member(out, b, held, held->buffers[i]);
    text_printf(out, "    (void)%s, (void)%s, (void)%s;\n", b->tile_name[TILE], b->tile_name[ROW_STRIDE],
                b->tile_name[COLUMN_STRIDE]);
}

/* Of a nest that was just printed, and no other dimensions with it. */
static struct held *held_by(const struct body *b, const struct kernel *nest) {
    struct held *held = NEW(b->e->arena, struct held);
    held->buffers = kernel_buffers(b, nest, &held->count);
    held->dim_count = b->s->use->list.len;
    held->dims = NEW_ARRAY(b->e->arena, held->dim_count, uint32_t);
    for (size_t i = 0; i < held->dim_count; i++)
        held->dims[i] = b->s->use->list.at[i];
    return held;
}

static void print_tile_function(struct text *out, const struct body *b, size_t k) {
    const struct kernel *kernel = &b->s->plan->kernels.at[k];
    const struct kernel nest = gemm_epilogue(b->e->graph, b->s->plan, kernel);
    const char *name = tile_function(b, kernel);
    struct text loops = text_new(b->e->arena);
    signature_forget_dims(b->s);
    print_tiles(&loops, b, &nest, 1);
    const struct held *held = b->held[k] = held_by(b, &nest);
    print_struct(out, b, name, held);
    print_head(out, b, name);
    print_members(out, b, name, held);
    text_write(out, text_string(&loops), loops.len);
    text_puts(out, "}\n\n");
}

static void name_parameters(struct body *b) {
    for (int i = 0; i < PARAMETERS; i++)
        b->tile_name[i] = scope_name(&b->s->scope, wanted[i]);
}

void print_tile_functions(struct text *out, struct body *b) {
    const struct plan *plan = b->s->plan;
    b->held = NEW_ARRAY(b->e->arena, plan->kernels.len, struct held *);
    b->tile_name = NEW_ARRAY(b->e->arena, PARAMETERS, const char *);
    for (size_t k = 0; k < plan->kernels.len; k++) {
        if (!has_epilogue(&plan->kernels.at[k]))
            continue;
        if (!b->tile_name[0])
            name_parameters(b);
        print_tile_function(out, b, k);
    }
}

static const struct held *held_of(const struct body *b, const struct kernel *kernel) {
    return b->held[kernel - b->s->plan->kernels.at];
}

bool epilogue_takes(const struct body *b, const struct kernel *kernel, uint32_t buffer) {
    return is_member(b, held_of(b, kernel), buffer);
}

/* "    struct f_tile_A in = {n, b, A};" and what tells the product of it. */
const char *print_epilogue(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const struct held *held = held_of(b, kernel);
    const char *name = tile_function(b, kernel), *comma = "";
    indent(out, depth);
    text_printf(out, "struct %s %s = {", name, b->tile_name[HELD]);
    for (size_t i = 0; i < held->dim_count; i++, comma = ", ")
        text_printf(out, "%s%s", comma, signature_dim(b->e, b->s, held->dims[i]));
    for (uint32_t i = 0; i < held->count; i++)
        if (is_member(b, held, held->buffers[i])) {
            text_printf(out, "%s%s", comma, b->buffer_name[held->buffers[i]]);
            comma = ", ";
        }
    text_puts(out, "};\n");
    indent(out, depth);
    text_printf(out, "const mx_epilogue_%s %s = {%s, &%s};\n", real_suffix(b->e), b->tile_name[TILE], name,
                b->tile_name[HELD]);
    return b->tile_name[TILE];
}
