/* Bodies: names, pointers into saved and work, kernels. */
#include "body.h"

#include "failure.h"
#include "kernels.h"

#include <string.h>

bool body_calls(const struct emission *e, const struct signature *s) {
    for (size_t k = 0; k < s->plan->kernels.len; k++)
        if (kernel_calls(e->graph, &s->plan->kernels.at[k]))
            return true;
    return false;
}

/* Names ----------------------------------------------------------------------------------------------------------- */

static const char *wanted_name(const struct body *b, uint32_t index) {
    const struct buffer *buffer = &b->s->plan->buffers.at[index];
    label order[MAX_RANK];
    const char *name = graph_name(b->e->graph, buffer->node, order);
    if (name && buffer->storage != STORE_LOCAL)
        return graph_node(b->e->graph, buffer->node)->rank == 2 && order[0] != buffer->order[0]
                   ? format_string(b->e->arena, "%s_t", name)
                   : name;
    if (buffer->storage == STORE_LOCAL)
        return format_string(b->e->arena, "s%u", buffer->index + 1);
    return format_string(b->e->arena, "t%u", index);
}

static void name_buffers(struct body *b) {
    const struct plan *plan = b->s->plan;
    const char **local = NEW_ARRAY(b->e->arena, plan->locals, const char *);
    b->buffer_name = NEW_ARRAY(b->e->arena, plan->buffers.len, const char *);
    for (uint32_t i = 1; i < plan->buffers.len; i++) {
        const struct buffer *buffer = &plan->buffers.at[i];
        if (buffer->storage == STORE_INPUT)
            b->buffer_name[i] = b->s->input_name[buffer->index];
        else if (buffer->storage == STORE_OUTPUT)
            b->buffer_name[i] = b->s->output_name[buffer->index];
        else if (buffer->base)
            b->buffer_name[i] = b->buffer_name[buffer->base];
        else if (buffer->storage == STORE_LOCAL && local[buffer->index])
            b->buffer_name[i] = local[buffer->index];
        else
            b->buffer_name[i] = scope_name(&b->s->scope, wanted_name(b, i));
        if (buffer->storage == STORE_LOCAL)
            local[buffer->index] = b->buffer_name[i];
    }
}

static void name_loops(struct body *b) {
    label most = 0;
    for (size_t k = 0; k < b->s->plan->kernels.len; k++)
        most = b->s->plan->kernels.at[k].loops > most ? b->s->plan->kernels.at[k].loops : most;
    b->loop_name = NEW_ARRAY(b->e->arena, MOST_NAMES, const char *);
    b->names = NEW(b->e->arena, label);
    for (label l = 0; l < most || l < 3; l++, ++*b->names)
        b->loop_name[l] = scope_name(&b->s->scope, (const char *[]){"i", "j", "k", "l", "p", "q", "r", "s"}[l % 8]);
}

/* Pointers into saved and work ------------------------------------------------------------------------------------ */

void print_padded(struct text *out, const struct body *b, poly elements) {
    text_printf(out, "MX_PAD_%s(", b->e->f32 ? "F32" : "F64");
    signature_poly(out, b->e, b->s, elements, false);
    text_putc(out, ')');
}

/* counts_last: something comes behind the last pool. */
static void pointer_prologue(struct text *out, const struct body *b, const struct layout *layout, const char *area,
                             bool constant, bool counts_last) {
    const char *real = real_name(b->e);
    for (uint32_t i = 0; i < layout->pools.len; i++) {
        if (layout->pools.at[i].slots > 1 || i + 1 < layout->pools.len || counts_last) {
            text_printf(out, "    const size_t %s_size%u = ", area, i);
            print_padded(out, b, layout->pools.at[i].elements);
            text_puts(out, ";\n");
        }
        text_printf(out, "    %s%s *const %s%u = ", constant ? "const " : "", real, area, i);
        if (i == 0)
            text_printf(out, "(%s%s *)mx_align%s(%s);\n", constant ? "const " : "", real, constant ? "_const" : "",
                        area);
        else
            text_printf(out, "%s%u + %u * %s_size%u;\n", area, i - 1, layout->pools.at[i - 1].slots, area, i - 1);
    }
}

static void gemm_work_prologue(struct text *out, struct body *b) {
    const struct layout *work = &b->s->plan->work;
    b->gemm_work = "work";
    if (!body_calls(b->e, b->s) || !work->pools.len)
        return;
    size_t last = work->pools.len - 1;
    b->gemm_work = "gemm_work";
    text_printf(out, "    void *const %s = work%zu + %u * work_size%zu;\n", b->gemm_work, last,
                work->pools.at[last].slots, last);
}

static void locals_prologue(struct text *out, const struct body *b) {
    bool *declared = NEW_ARRAY(b->e->arena, b->s->plan->locals, bool);
    bool any = false;
    for (uint32_t i = 1; i < b->s->plan->buffers.len; i++) {
        const struct buffer *buffer = &b->s->plan->buffers.at[i];
        if (buffer->storage != STORE_LOCAL || declared[buffer->index])
            continue;
        declared[buffer->index] = true;
        if (!any)
            text_printf(out, "    %s ", real_name(b->e));
        text_printf(out, "%s%s", any ? ", " : "", b->buffer_name[i]);
        any = true;
    }
    text_puts(out, any ? ";\n" : "");
}

/* Functions in one piece ------------------------------------------------------------------------------------------ */

/* Parameters that only say shapes, or that nothing needed. */
static void print_unused(struct text *out, const struct signature *s, bool saved, bool work) {
    for (size_t i = 0; i < s->dims.len; i++)
        if (!s->use->printed[s->dims.at[i]])
            text_printf(out, "    (void)%s;\n", s->dim_name[s->dims.at[i]]);
    for (size_t i = 0; i < s->indices.len; i++)
        if (!s->use->printed[s->indices.at[i]])
            text_printf(out, "    (void)%s;\n", s->dim_name[s->indices.at[i]]);
    text_puts(out, saved ? "" : "    (void)saved;\n");
    text_puts(out, work ? "" : "    (void)work;\n");
}

static void print_whole(struct text *out, struct body *b) {
    struct signature *s = b->s;
    if (s->saves)
        pointer_prologue(out, b, &s->plan->saved, "saved", s->function->kind == FUNCTION_BACKWARD, false);
    pointer_prologue(out, b, &s->plan->work, "work", false, body_calls(b->e, s));
    gemm_work_prologue(out, b);
    locals_prologue(out, b);
    for (size_t k = 0; k < s->plan->kernels.len; k++)
        print_kernel(out, b, &s->plan->kernels.at[k]);
}

/* Functions in parts ---------------------------------------------------------------------------------------------- */

/* The kernels [begin, end), and what they touch. */
struct part {
    size_t begin, end;
    VEC(uint32_t) inputs, outputs, dims;
    bool saved, work, calls;
};

uint32_t body_work_places(const struct signature *s) {
    return (uint32_t)s->plan->work.pools.len + 1;
}

uint32_t body_places(const struct signature *s) {
    return body_work_places(s) + (uint32_t)s->plan->saved.pools.len;
}

/* Adds a number to a list of few, once. */
#define NOTE(arena, list, number)                                                                                      \
    do {                                                                                                               \
        size_t at = 0;                                                                                                 \
        while (at < (list)->len && (list)->at[at] != (number))                                                         \
            at++;                                                                                                      \
        if (at == (list)->len)                                                                                         \
            vec_push((arena), (list), (number));                                                                       \
    } while (0)

static void note_buffer(const struct body *b, struct part *part, uint32_t index) {
    const struct buffer *buffer = &b->s->plan->buffers.at[index];
    if (buffer->storage == STORE_INPUT)
        NOTE(b->e->arena, &part->inputs, buffer->index);
    else if (buffer->storage == STORE_OUTPUT)
        NOTE(b->e->arena, &part->outputs, buffer->index);
    else if (buffer->storage == STORE_SAVED)
        part->saved = part->work = true; /* its place is in the workspace */
    else if (buffer->storage == STORE_WORK)
        part->work = true;
}

static struct part next_part(const struct body *b, size_t begin) {
    const struct plan *plan = b->s->plan;
    struct part part = {.begin = begin, .end = begin};
    for (uint32_t variables = 0; part.end < plan->kernels.len; part.end++) {
        const struct kernel *kernel = &plan->kernels.at[part.end];
        variables += kernel_variables(kernel);
        if (variables > MOST_VARIABLES && part.end > begin)
            break;
        uint32_t count, *buffers = kernel_buffers(b, kernel, &count);
        for (uint32_t i = 0; i < count; i++)
            note_buffer(b, &part, buffers[i]);
        part.calls = part.calls || kernel_calls(b->e->graph, kernel);
        part.work = part.work || part.calls;
    }
    return part;
}

/* Parameters of a part (definition), or the arguments of its call. */
static void print_part_list(struct text *out, const struct body *b, const struct part *part, uint32_t number,
                            bool definition) {
    const struct signature *s = b->s;
    const char *real = real_name(b->e), *name = s->function->name;
    const char *gives = b->s->plan->fails ? "int" : "void";
    struct list list =
        list_begin(out, definition ? format_string(b->e->arena, "static MX_NOINLINE %s %s_part%u", gives, name, number)
                                   : format_string(b->e->arena, "    %s%s_part%u", b->s->plan->fails ? "status = " : "",
                                                   name, number));
    for (size_t i = 0; i < part->dims.len; i++)
        list_add(&list, format_string(b->e->arena, "%s%s", definition ? "size_t " : "",
                                      signature_dim(b->e, s, part->dims.at[i])));
    for (size_t i = 0; i < part->inputs.len; i++) {
        uint32_t input = part->inputs.at[i];
        const char *type = s->function->inputs.at[input].rank ? format_string(b->e->arena, "const %s *restrict ", real)
                                                              : format_string(b->e->arena, "%s ", real);
        list_add(&list, format_string(b->e->arena, "%s%s", definition ? type : "", s->input_name[input]));
    }
    for (size_t i = 0; i < part->outputs.len; i++)
        list_add(&list, format_string(b->e->arena, "%s%s%s", definition ? real : "", definition ? " *restrict " : "",
                                      s->output_name[part->outputs.at[i]]));
    bool constant = s->function->kind == FUNCTION_BACKWARD;
    if (part->saved)
        list_add(&list, !definition ? "saved" : constant ? "const void *saved" : "void *saved");
    if (part->work)
        list_add(&list, definition ? "void *work" : "work");
    text_putc(out, ')');
}

static void print_part_prologue(struct text *out, const struct body *b, const struct part *part) {
    const char *real = real_name(b->e);
    bool constant = b->s->function->kind == FUNCTION_BACKWARD;
    if (part->work)
        text_printf(out, "    void *const table = mx_align(work);\n");
    if (part->work)
        text_printf(out, "    %s *const work0 = (%s *)mx_behind(table, %u);\n    (void)work0;\n", real, real,
                    body_places(b->s));
    if (part->saved)
        text_printf(out, "    %s%s *const saved0 = (%s%s *)mx_align%s(saved);\n", constant ? "const " : "", real,
                    constant ? "const " : "", real, constant ? "_const" : "");
    if (part->calls)
        text_printf(out, "    void *const %s = work0 + mx_place(table, %u);\n", b->gemm_work,
                    body_work_places(b->s) - 1);
}

/* kernels: a text for those of a part, one after the other. */
static void print_part(struct text *out, struct body *b, struct part *part, uint32_t number, struct text *kernels) {
    kernels->len = 0;
    b->part = number + 1;
    signature_forget_dims(b->s);
    for (size_t k = part->begin; k < part->end; k++)
        print_pointers(kernels, b, &b->s->plan->kernels.at[k], 1);
    for (size_t k = part->begin; k < part->end; k++)
        print_kernel(kernels, b, &b->s->plan->kernels.at[k]);
    for (size_t i = 0; i < b->s->use->list.len; i++)
        vec_push(b->e->arena, &part->dims, b->s->use->list.at[i]);
    print_part_list(out, b, part, number, true);
    text_puts(out, " {\n");
    print_part_prologue(out, b, part);
    text_write(out, text_string(kernels), kernels->len);
    text_puts(out, b->s->plan->fails ? "    return MX_OK;\n}\n\n" : "}\n\n");
}

static void print_places(struct text *out, const struct body *b, const struct layout *layout, uint32_t first,
                         bool end) {
    text_puts(out, first ? "    place = 0;\n" : "    size_t place = 0;\n");
    for (uint32_t i = 0; i < layout->pools.len; i++) {
        text_printf(out, "    mx_set_place(table, %u, place);\n", first + i);
        if (i + 1 == layout->pools.len && !end)
            return;
        text_printf(out, "    place += %u * ", layout->pools.at[i].slots);
        print_padded(out, b, layout->pools.at[i].elements);
        text_puts(out, ";\n");
    }
    if (end)
        text_printf(out, "    mx_set_place(table, %u, place);\n", first + (uint32_t)layout->pools.len);
}

/* The function that fills the table and calls its parts. */
static void print_calls(struct text *out, const struct body *b, const struct part *parts, size_t count) {
    text_puts(out, "    void *const table = mx_align(work);\n");
    print_places(out, b, &b->s->plan->work, 0, true);
    if (b->s->plan->saved.pools.len)
        print_places(out, b, &b->s->plan->saved, body_work_places(b->s), false);
    bool fails = b->s->plan->fails;
    if (fails && count)
        text_puts(out, "    int status;\n");
    for (size_t i = 0; i < count; i++) {
        print_part_list(out, b, &parts[i], (uint32_t)i, false);
        text_puts(out, ";\n");
        if (fails)
            print_failure_of_part(out, b, "status", 1);
    }
}

void body_print(struct text *out, const struct emission *e, struct signature *s) {
    struct body b = {.e = e, .s = s, .in_parts = s->plan->in_parts, .gemm_work = "gemm_work"};
    VEC(struct part) parts = {0};
    struct text kernels = text_new(e->arena);
    bool table = b.in_parts;
    if (table)
        b.pointer_of = NEW_ARRAY(e->arena, s->plan->buffers.len, uint32_t);
    name_loops(&b);
    name_buffers(&b);
    print_failure_function(out, &b);
    print_tile_functions(out, &b);
    for (size_t begin = 0; table && begin < s->plan->kernels.len; begin = vec_last(&parts).end) {
        struct part part = next_part(&b, begin);
        print_part(out, &b, &part, (uint32_t)parts.len, &kernels);
        vec_push(e->arena, &parts, part);
    }
    signature_forget_dims(s);
    signature_print(out, e, s, true);
    text_puts(out, " {\n");
    print_bounds(out, &b);
    if (table)
        print_calls(out, &b, parts.at, parts.len);
    else
        print_whole(out, &b);
    print_unused(out, s, !s->saves || s->plan->saved.pools.len, table || s->plan->work.pools.len || body_calls(e, s));
    text_puts(out, "    return MX_OK;\n}\n");
}
