/* What is done with each tile of a product, while it is in the cache, becomes a function that the product calls, its
 * prologue or its epilogue, and a struct that holds what the function touches. */
#include "kernels.h"

#include <string.h>

/* Parameters of the loops; in the call, the structs of the prologue and the epilogue, what tells the product of them,
 * and of the sums of a factor, and all that it is told. */
enum word { ROW, COLUMN, ROWS, COLUMNS, BEFORE, FIRST, BEHIND, AFTER, SUMS, HOOKS, WORDS };
static const char *const wanted[WORDS] = {"row",   "column", "rows",  "columns", "before",
                                          "first", "behind", "after", "sums",    "hooks"};

bool is_fused(const struct kernel *kernel) {
    return kernel->kind == KERNEL_GEMM && kernel->statements.len;
}

void print_tile_bounds(struct text *out, const struct body *b, label loop) {
    const char *from = b->word[ROW + loop], *size = b->word[ROWS + loop], *name = b->loop_name[loop];
    text_printf(out, "for (size_t %s = %s; %s < %s + %s; %s++)", name, from, name, from, size, name);
}

/* A nest over tiles: the name of its function, NULL if there is none, which no function or variable of a program has;
   the arrays, values and dimensions it needs. */
struct tiles {
    const char *name;
    uint32_t *buffers, buffer_count, *dims;
    size_t dim_count;
};

enum { PROLOGUE, EPILOGUE, KINDS };

/* The first of them in the same place: compilers must see that it is the same. */
static uint32_t first_there(const struct body *b, const struct tiles *tiles, uint32_t index) {
    const struct buffer *buffers = b->s->plan->buffers.at;
    for (uint32_t i = 0; i < tiles->buffer_count; i++)
        if (tiles->buffers[i] == index || share_place(&buffers[tiles->buffers[i]], &buffers[index]))
            return tiles->buffers[i];
    return index;
}

/* Is it a member of the struct? */
static bool is_member(const struct body *b, const struct tiles *tiles, uint32_t index) {
    return b->s->plan->buffers.at[index].storage != STORE_TEMP && first_there(b, tiles, index) == index;
}

bool tiles_take(const struct body *b, const struct kernel *kernel, uint32_t buffer) {
    const struct tiles *tiles = b->tiles[kernel - b->s->plan->kernels.at];
    if (kernel->gemm.summed && vec_last(&kernel->statements).target == buffer)
        return true;
    for (int kind = 0; kind < KINDS; kind++)
        for (uint32_t i = 0; i < tiles[kind].buffer_count; i++)
            if (tiles[kind].buffers[i] == buffer && is_member(b, &tiles[kind], buffer))
                return true;
    return false;
}

/* "const double *", of arrays with what is put behind. */
static const char *type_of(const struct body *b, uint32_t index, const char *behind) {
    const struct buffer *buffer = &b->s->plan->buffers.at[index];
    const bool constant =
        buffer->storage == STORE_INPUT || (buffer->storage == STORE_SAVED && b->s->function->kind == FUNCTION_BACKWARD);
    const bool value = buffer->storage == STORE_LOCAL ||
                       (buffer->storage == STORE_INPUT && !b->s->function->inputs.at[buffer->index].rank);
    return format_string(b->e->arena, "%s%s %s%s", constant && !value ? "const " : "", real_name(b->e),
                         value ? "" : "*", value ? "" : behind);
}

static void print_struct(struct text *out, const struct body *b, const struct tiles *tiles, const char *target,
                         const char *when) {
    text_printf(out, "/* Each tile of %s, %s. */\nstruct %s {\n", target, when, tiles->name);
    for (size_t i = 0; i < tiles->dim_count; i++)
        text_printf(out, "    size_t %s;\n", signature_dim(b->e, b->s, tiles->dims[i]));
    for (uint32_t i = 0; i < tiles->buffer_count; i++)
        if (is_member(b, tiles, tiles->buffers[i]))
            text_printf(out, "    %s%s;\n", type_of(b, tiles->buffers[i], ""), b->buffer_name[tiles->buffers[i]]);
    text_puts(out, "};\n\n");
}

/* Adds the members: as parameters; as what they are in the struct ("mx_in->") or in the call (""). */
static void list_members(struct list *list, const struct body *b, const struct tiles *tiles, const char *of) {
    for (size_t i = 0; i < tiles->dim_count; i++)
        list_add(list,
                 format_string(b->e->arena, "%s%s", of ? of : "size_t ", signature_dim(b->e, b->s, tiles->dims[i])));
    for (uint32_t i = 0; i < tiles->buffer_count; i++)
        if (is_member(b, tiles, tiles->buffers[i]))
            list_add(list, format_string(b->e->arena, "%s%s", of ? of : type_of(b, tiles->buffers[i], "restrict "),
                                         b->buffer_name[tiles->buffers[i]]));
}

/* The loops: restrict is what parameters are for. */
static void print_loops_function(struct text *out, const struct body *b, const struct tiles *tiles,
                                 struct text *loops) {
    struct list list = list_begin(out, format_string(b->e->arena, "static void %s_loops", tiles->name));
    list_members(&list, b, tiles, NULL);
    for (int i = ROW; i <= COLUMNS; i++)
        list_add(&list, format_string(b->e->arena, "size_t %s", b->word[i]));
    text_puts(out, ") {\n");
    for (uint32_t i = 0; i < tiles->buffer_count; i++) {
        const uint32_t index = tiles->buffers[i], first = first_there(b, tiles, index);
        if (strcmp(b->buffer_name[first], b->buffer_name[index]) != 0)
            text_printf(out, "    %sconst %s = %s;\n", type_of(b, index, ""), b->buffer_name[index],
                        b->buffer_name[first]);
    }
    text_write(out, text_string(loops), loops->len);
    text_puts(out, "}\n\n");
}

/* What the product calls. */
static void print_tile_function(struct text *out, const struct body *b, const struct tiles *tiles, bool transposed) {
    struct list list = list_begin(out, transposed ? "MX_TILE_TRANSPOSED" : "MX_TILE");
    list_add(&list, real_name(b->e));
    list_add(&list, tiles->name);
    list_members(&list, b, tiles, "mx_in->");
    text_puts(out, ")\n\n");
}

static const struct {
    const char *name, *when;
} kinds[KINDS] = {
    [PROLOGUE] = {"before", "before the product is added to it"}, [EPILOGUE] = {"after", "once it is computed"}};

/* loops is room for text. */
static struct tiles print_functions(struct text *out, const struct body *b, const struct kernel *kernel,
                                    const struct kernel *nest, int kind, struct text *loops) {
    struct tiles tiles = {0};
    const char *target = b->buffer_name[kernel->target];
    if (!nest->statements.len)
        return tiles;
    loops->len = 0;
    signature_forget_dims(b->s);
    print_tiles(loops, b, nest, 1);
    tiles.name = format_string(b->e->arena, "mx_%s_%s_%s", b->s->function->name, kinds[kind].name, target);
    tiles.buffers = kernel_buffers(b, nest, &tiles.buffer_count);
    tiles.dim_count = b->s->use->list.len;
    tiles.dims = NEW_ARRAY(b->e->arena, tiles.dim_count, uint32_t);
    for (size_t i = 0; i < tiles.dim_count; i++)
        tiles.dims[i] = b->s->use->list.at[i];
    print_struct(out, b, &tiles, target, kinds[kind].when);
    print_loops_function(out, b, &tiles, loops);
    print_tile_function(out, b, &tiles, kernel->gemm.transposed);
    return tiles;
}

static void name_words(struct body *b) {
    b->word = NEW_ARRAY(b->e->arena, WORDS, const char *);
    for (int i = 0; i < WORDS; i++)
        b->word[i] = scope_name(&b->s->scope, wanted[i]);
}

void print_tile_functions(struct text *out, struct body *b) {
    const struct plan *plan = b->s->plan;
    struct text loops = text_new(b->e->arena);
    b->tiles = NEW_ARRAY(b->e->arena, plan->kernels.len, struct tiles *);
    for (size_t k = 0; k < plan->kernels.len; k++) {
        const struct kernel *kernel = &plan->kernels.at[k];
        if (!is_fused(kernel))
            continue;
        if (!b->word)
            name_words(b);
        const struct kernel prologue = gemm_prologue(b->e->graph, plan, kernel);
        const struct kernel epilogue = gemm_epilogue(b->e->graph, plan, kernel);
        b->tiles[k] = NEW_ARRAY(b->e->arena, KINDS, struct tiles);
        b->tiles[k][PROLOGUE] = print_functions(out, b, kernel, &prologue, PROLOGUE, &loops);
        b->tiles[k][EPILOGUE] = print_functions(out, b, kernel, &epilogue, EPILOGUE, &loops);
    }
}

/* "    struct mx_f_after_A behind = {n, b, A};" and what tells the product of it. */
static void declare_tiles(struct text *out, const struct body *b, const struct tiles *tiles, enum word in,
                          enum word tells, const char *type, int depth) {
    if (!tiles->name)
        return;
    struct list list = list_begin_with(
        out, format_string(b->e->arena, "%*sstruct %s %s = {", 4 * depth, "", tiles->name, b->word[in]));
    list_members(&list, b, tiles, "");
    text_puts(out, "};\n");
    indent(out, depth);
    text_printf(out, "const %s_%s %s = {%s, &%s};\n", type, real_suffix(b->e), b->word[tells], tiles->name,
                b->word[in]);
}

/* The runtime sums up rows of the first factor, or columns of the second one. */
static void declare_sums(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    if (!kernel->gemm.summed)
        return;
    indent(out, depth);
    text_printf(out, "const mx_reader_%s %s = {mx_sum_%s_%s, %s};\n", real_suffix(b->e), b->word[SUMS],
                kernel->gemm.summed == kernel->gemm.a ? "rows" : "columns", real_suffix(b->e),
                b->buffer_name[vec_last(&kernel->statements).target]);
}

static void add_hook(struct list *list, const struct body *b, const char *member, bool is_there, enum word tells) {
    if (is_there)
        list_add(list, format_string(b->e->arena, ".%s = &%s", member, b->word[tells]));
}

void declare_hooks(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const struct tiles *tiles = b->tiles[kernel - b->s->plan->kernels.at];
    const struct gemm *call = &kernel->gemm;
    declare_tiles(out, b, &tiles[PROLOGUE], BEFORE, FIRST, "mx_prologue", depth);
    declare_tiles(out, b, &tiles[EPILOGUE], BEHIND, AFTER, "mx_epilogue", depth);
    declare_sums(out, b, kernel, depth);
    struct list list = list_begin_with(out, format_string(b->e->arena, "%*sconst mx_hooks_%s %s = {", 4 * depth, "",
                                                          real_suffix(b->e), b->word[HOOKS]));
    add_hook(&list, b, "prologue", tiles[PROLOGUE].name, FIRST);
    add_hook(&list, b, "epilogue", tiles[EPILOGUE].name, AFTER);
    add_hook(&list, b, call->summed == call->a ? "a" : "b", call->summed, SUMS);
    text_puts(out, "};\n");
}

void print_hooks_argument(struct text *out, const struct body *b) {
    text_printf(out, ", &%s", b->word[HOOKS]);
}
