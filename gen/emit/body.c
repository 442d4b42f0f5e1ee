#include "body.h"

#include "expression.h"

#include <math.h>
#include <string.h>

enum { LINE = 110, POSITION = 88 };

bool body_uses_gemm(const struct signature *s) {
    for (size_t k = 0; k < s->plan->kernels.len; k++)
        if (s->plan->kernels.at[k].kind == KERNEL_GEMM)
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
    for (label l = 0; l < most || l < 3; l++)
        b->loop_name[l] = scope_name(&b->s->scope, (const char *[]){"i", "j", "k", "l", "p", "q", "r", "s"}[l % 8]);
}

static const char *buffer_label(void *context, node_id id, label order[MAX_RANK]) {
    const struct body *b = context;
    uint32_t index = map_get(&b->s->plan->buffer_of, id);
    if (!index)
        return NULL;
    memcpy(order, b->s->plan->buffers.at[index].order, MAX_RANK);
    return b->buffer_name[index];
}

/* Comments -------------------------------------------------------------------------------------------------------- */

static void indent(struct text *out, int depth) {
    text_repeat(out, ' ', 4 * (size_t)depth);
}

/* The formula of a node in the order of its target's array. */
static const char *statement_formula(const struct body *b, node_id id, uint32_t target, const label *target_axis) {
    const struct buffer *buffer = &b->s->plan->buffers.at[target];
    struct formula_names names = {buffer_label, (void *)(uintptr_t)b};
    struct value value = {.node = id, .rank = graph_node(b->e->graph, id)->rank};
    for (uint8_t i = 0; i < value.rank; i++)
        for (label a = 0; a < value.rank; a++)
            if (target_axis[a] == buffer->order[i])
                value.axis[i] = a;
    return formula_of(b->e->arena, b->e->graph, names, value, FORMULA_LONGEST);
}

/* "A = Z @ W + b            affine.mx:1" */
static void comment(struct text *out, const struct body *b, uint32_t target, const char *sign, const char *formula,
                    struct span span, int depth) {
    size_t begin = out->len;
    indent(out, depth);
    text_printf(out, "/* %s %s %s", b->buffer_name[target], sign, formula ? formula : "(see below)");
    size_t width = out->len - begin;
    text_repeat(out, ' ', width + 1 < POSITION ? POSITION - width : 2);
    if (span.end)
        text_printf(out, "%s:%u ", b->e->source, source_place(b->e->sources, span.begin).line);
    text_puts(out, "*/\n");
}

/* Pointers into saved and work ------------------------------------------------------------------------------------ */

/* counts_last: something comes behind the last pool. */
static void pointer_prologue(struct text *out, const struct body *b, const struct layout *layout, const char *area,
                             bool constant, bool counts_last) {
    const char *real = real_name(b->e);
    for (uint32_t i = 0; i < layout->pools.len; i++) {
        if (layout->pools.at[i].slots > 1 || i + 1 < layout->pools.len || counts_last) {
            text_printf(out, "    const size_t %s_size%u = MX_PAD_%s(", area, i, b->e->f32 ? "F32" : "F64");
            signature_poly(out, b->e, b->s, layout->pools.at[i].elements, false);
            text_puts(out, ");\n");
        }
        text_printf(out, "    %s%s *const %s%u = ", constant ? "const " : "", real, area, i);
        if (i == 0)
            text_printf(out, "(%s%s *)mx_align%s(%s);\n", constant ? "const " : "", real, constant ? "_const" : "",
                        area);
        else
            text_printf(out, "%s%u + %u * %s_size%u;\n", area, i - 1, layout->pools.at[i - 1].slots, area, i - 1);
    }
}

static void gemm_prologue(struct text *out, struct body *b) {
    const struct layout *work = &b->s->plan->work;
    b->gemm_work = "work";
    if (!body_uses_gemm(b->s) || !work->pools.len)
        return;
    size_t last = work->pools.len - 1;
    b->gemm_work = scope_name(&b->s->scope, "gemm_work");
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

/* A pointer to each array of a kernel that lives in saved or work. */
static void declare_pointer(struct text *out, const struct body *b, uint32_t index, uint32_t *declared, size_t *count,
                            int depth) {
    const struct buffer *buffer = &b->s->plan->buffers.at[index];
    bool work = buffer->storage == STORE_WORK;
    if (!work && buffer->storage != STORE_SAVED)
        return;
    for (size_t i = 0; i < *count; i++)
        if (declared[i] == index)
            return;
    declared[(*count)++] = index;
    bool constant = !work && b->s->function->kind == FUNCTION_BACKWARD;
    const char *area = work ? "work" : "saved";
    indent(out, depth);
    text_printf(out, "%s%s *const %s = %s%u", constant ? "const " : "", real_name(b->e), b->buffer_name[index], area,
                buffer->pool);
    if (buffer->slot == 1)
        text_printf(out, " + %s_size%u", area, buffer->pool);
    else if (buffer->slot)
        text_printf(out, " + %u * %s_size%u", buffer->slot, area, buffer->pool);
    text_puts(out, ";\n");
}

static uint32_t operand_buffer(const struct body *b, const struct operand *operand) {
    return map_get(&b->s->plan->buffer_of, operand->node);
}

static size_t count_reads(const struct kernel *kernel) {
    size_t count = 1;
    for (size_t s = 0; s < kernel->statements.len; s++)
        count += kernel->statements.at[s].reads.len + 1;
    return count;
}

static void declare_pointers(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    uint32_t *declared = NEW_ARRAY(b->e->arena, count_reads(kernel) + node->count, uint32_t);
    size_t count = 0;
    for (uint32_t i = 0; kernel->kind != KERNEL_LOOP && i < node->count; i++)
        if (operand_buffer(b, &node->operands[i]))
            declare_pointer(out, b, operand_buffer(b, &node->operands[i]), declared, &count, depth);
    if (kernel->kind != KERNEL_LOOP)
        declare_pointer(out, b, kernel->target, declared, &count, depth);
    for (size_t s = 0; s < kernel->statements.len; s++) {
        const struct plan_statement *statement = &kernel->statements.at[s];
        for (size_t r = 0; r < statement->reads.len; r++)
            declare_pointer(out, b, statement->reads.at[r].buffer, declared, &count, depth);
        declare_pointer(out, b, statement->target, declared, &count, depth);
    }
}

/* Loop nests ------------------------------------------------------------------------------------------------------ */

/* The record of the operator that reduces, NULL for a sum. */
static const struct op_record *reducer(const struct body *b, const struct plan_statement *statement) {
    const struct node *node = graph_node(b->e->graph, statement->node);
    return node->kind == NODE_REDUCE ? &op_records[node->op] : NULL;
}

/* The accumulator of a reduction inside `depth` loops. */
static const char *accumulator(const struct body *b, const struct plan_statement *statement, label depth) {
    const struct op_record *record = reducer(b, statement);
    return format_string(b->e->arena, "%s_%u_%u", record ? record->name : "sum", statement->target, depth);
}

static bool accumulates_at(const struct kernel *nest, const struct plan_statement *statement, label depth) {
    return statement->reduces && statement->held != HELD_IN_MEMORY && statement->held <= depth && depth < nest->loops;
}

static void combine(struct text *out, const struct body *b, const struct plan_statement *statement, const char *into) {
    if (reducer(b, statement))
        text_printf(out, "%s = %s_%s(%s, ", into, reducer(b, statement)->combine, real_suffix(b->e), into);
    else
        text_printf(out, "%s += ", into);
}

static void combine_end(struct text *out, const struct body *b, const struct plan_statement *statement) {
    text_puts(out, reducer(b, statement) ? ");\n" : ";\n");
}

static const char *target_text(const struct body *b, const struct plan_statement *statement) {
    struct text text = text_new(b->e->arena);
    c_element(&text, b, statement->target, statement->target_loop);
    return text_string(&text);
}

/* The factors that a sum's terms share stand outside its loops. */
static void print_summand(struct text *out, const struct body *b, const struct plan_statement *statement,
                          bool with_scalars) {
    const struct node *node = graph_node(b->e->graph, statement->node);
    if (node->kind == NODE_PRODUCT)
        c_product(out, b, node, statement->loop_of, with_scalars ? node->number : 1, with_scalars, true);
    else
        c_expression(out, b, statement->node, statement->loop_of, true, C_ADDITIVE);
}

static bool has_scalars(const struct body *b, const struct node *node) {
    for (uint32_t i = 0; i < node->count; i++)
        if (graph_node(b->e->graph, node->operands[i].node)->rank == 0)
            return true;
    return node->number != 1;
}

static void print_total(struct text *out, const struct body *b, const struct plan_statement *statement, label depth) {
    const struct node *node = graph_node(b->e->graph, statement->node);
    text_printf(out, "%s = ", target_text(b, statement));
    if (node->kind == NODE_PRODUCT && has_scalars(b, node)) {
        c_product(out, b, node, statement->loop_of, node->number, true, false);
        text_puts(out, " * ");
    }
    text_printf(out, "%s;\n", accumulator(b, statement, depth));
}

static void print_write(struct text *out, const struct body *b, const struct plan_statement *statement) {
    const struct buffer *target = &b->s->plan->buffers.at[statement->target];
    if (target->storage == STORE_TEMP)
        text_printf(out, "const %s ", real_name(b->e));
    text_printf(out, "%s = ", target_text(b, statement));
    if (statement->copy)
        c_element(out, b, statement->reads.at[0].buffer, statement->loop_of);
    else
        c_expression(out, b, statement->node, statement->loop_of, true, C_ADDITIVE);
    text_puts(out, ";\n");
}

static void print_innermost(struct text *out, const struct body *b, const struct kernel *nest,
                            const struct plan_statement *statement, int depth) {
    indent(out, depth);
    bool in_memory = statement->held == HELD_IN_MEMORY;
    if (!statement->reduces || (!in_memory && statement->held == nest->loops)) {
        print_write(out, b, statement);
        return;
    }
    combine(out, b, statement,
            in_memory ? target_text(b, statement) : accumulator(b, statement, (label)(nest->loops - 1)));
    print_summand(out, b, statement, in_memory);
    combine_end(out, b, statement);
}

static void open_accumulators(struct text *out, const struct body *b, const struct kernel *nest, label loop,
                              int depth) {
    for (size_t s = 0; s < nest->statements.len; s++) {
        const struct plan_statement *statement = &nest->statements.at[s];
        if (!accumulates_at(nest, statement, loop))
            continue;
        indent(out, depth);
        text_printf(out, "%s %s = ", real_name(b->e), accumulator(b, statement, loop));
        c_number(out, b->e, reducer(b, statement) ? reducer(b, statement)->neutral : 0);
        text_puts(out, ";\n");
    }
}

/* After loop `loop`: its accumulators go into those around it, or into their targets. */
static void close_accumulators(struct text *out, const struct body *b, const struct kernel *nest, label loop,
                               int depth) {
    for (size_t s = 0; s < nest->statements.len; s++) {
        const struct plan_statement *statement = &nest->statements.at[s];
        if (!accumulates_at(nest, statement, loop))
            continue;
        indent(out, depth);
        if (statement->held == loop) {
            print_total(out, b, statement, loop);
        } else {
            combine(out, b, statement, accumulator(b, statement, (label)(loop - 1)));
            text_puts(out, accumulator(b, statement, loop));
            combine_end(out, b, statement);
        }
    }
}

static void print_loops(struct text *out, const struct body *b, const struct kernel *nest, int depth) {
    for (label l = 0; l < nest->loops; l++) {
        open_accumulators(out, b, nest, l, depth + l);
        indent(out, depth + l);
        text_printf(out, "for (size_t %s = 0; %s < ", b->loop_name[l], b->loop_name[l]);
        signature_poly(out, b->e, b->s, nest->size[l], false);
        text_printf(out, "; %s++) {\n", b->loop_name[l]);
    }
    for (size_t s = 0; s < nest->statements.len; s++)
        print_innermost(out, b, nest, &nest->statements.at[s], depth + nest->loops);
    for (label l = nest->loops; l-- > 0;) {
        indent(out, depth + l);
        text_puts(out, "}\n");
        close_accumulators(out, b, nest, l, depth + l);
    }
}

static const char *nest_formula(const struct body *b, const struct plan_statement *statement) {
    label axis_of[MAX_RANK];
    const struct node *node = graph_node(b->e->graph, statement->node);
    const struct node *target = graph_node(b->e->graph, b->s->plan->buffers.at[statement->target].node);
    for (label l = 0; l < node->rank; l++)
        for (label a = 0; a < target->rank; a++)
            if (statement->target_loop[a] == statement->loop_of[l])
                axis_of[l] = a;
    return statement_formula(b, statement->node, statement->target, axis_of);
}

static const char *copy_formula(const struct body *b, const struct plan_statement *statement) {
    const struct buffer *from = &b->s->plan->buffers.at[statement->reads.at[0].buffer];
    const struct buffer *to = &b->s->plan->buffers.at[statement->target];
    bool swapped = graph_node(b->e->graph, from->node)->rank == 2 &&
                   statement->loop_of[from->order[0]] != statement->target_loop[to->order[0]];
    return format_string(b->e->arena, "%s%s", b->buffer_name[statement->reads.at[0].buffer], swapped ? "'" : "");
}

static void print_nest(struct text *out, const struct body *b, const struct kernel *nest, int depth) {
    for (size_t s = 0; s < nest->statements.len; s++) {
        const struct plan_statement *statement = &nest->statements.at[s];
        comment(out, b, statement->target, statement->held == HELD_IN_MEMORY ? "+=" : "=",
                statement->copy ? copy_formula(b, statement) : nest_formula(b, statement), nest->span, depth);
    }
    if (nest->loops == 0 && nest->statements.len > 1) {
        indent(out, depth);
        text_puts(out, "{\n");
    }
    bool block = nest->loops == 0 && nest->statements.len > 1;
    print_loops(out, b, nest, depth + block);
    if (block) {
        indent(out, depth);
        text_puts(out, "}\n");
    }
}

/* Products -------------------------------------------------------------------------------------------------------- */

static void print_size_or_one(struct text *out, const struct body *b, const struct node *node, label l) {
    if (l == AXIS_UNIT)
        text_putc(out, '1');
    else
        signature_poly(out, b->e, b->s, node->size[l], false);
}

/* The distance in memory of neighbours along a label: a sum where it is read twice (a diagonal). */
static poly stride_along(const struct body *b, uint32_t buffer, const label *at, label l) {
    const struct buffer *of = &b->s->plan->buffers.at[buffer];
    poly stride = poly_number(b->e->graph->polys, 0);
    for (label a = 0; a < graph_node(b->e->graph, of->node)->rank; a++)
        if (at[a] == l)
            stride = poly_add(b->e->graph->polys, stride, buffer_stride(b->e->graph, of, a));
    return stride;
}

/* Along a label that there is not the stride does not matter; 1 says that memory is contiguous. */
static void print_stride(struct text *out, const struct body *b, uint32_t buffer, const label *at, label l) {
    poly stride = l == AXIS_UNIT ? poly_number(b->e->graph->polys, 1) : stride_along(b, buffer, at, l);
    int64_t number;
    if (poly_is_number(b->e->graph->polys, stride, &number)) {
        text_printf(out, "%lld", (long long)number);
        return;
    }
    text_puts(out, "(ptrdiff_t)");
    struct poly_terms terms = poly_terms(b->e->graph->polys, stride);
    bool name = terms.count == 1 && terms.at[0].degree == 1 && terms.at[0].coefficient == 1;
    text_puts(out, name ? "" : "(");
    signature_poly(out, b->e, b->s, stride, false);
    text_puts(out, name ? "" : ")");
}

static void print_matrix(struct text *out, const struct body *b, uint32_t buffer, const label *at, label rows,
                         label columns) {
    text_printf(out, "%s, ", b->buffer_name[buffer]);
    print_stride(out, b, buffer, at, rows);
    text_puts(out, ", ");
    print_stride(out, b, buffer, at, columns);
}

/* Exchanges the factors (C' = B' A') where that lets n run along the rows of the target's array. */
static void orient(const struct body *b, const struct kernel *kernel, struct gemm_form *form) {
    const struct buffer *target = &b->s->plan->buffers.at[kernel->target];
    if (form->n == AXIS_UNIT || form->m == AXIS_UNIT || kernel->target_axis[form->m] == target->order[0])
        return;
    *form = (struct gemm_form){form->b, form->a, form->n, form->m, form->k};
}

static void print_gemm(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    struct gemm_form form;
    label target_at[MAX_RANK] = {0};
    gemm_form_of(b->e->graph, kernel->node, &form);
    orient(b, kernel, &form);
    for (label l = 0; l < node->rank; l++)
        target_at[kernel->target_axis[l]] = l;
    comment(out, b, kernel->target, kernel->accumulate ? "+=" : "=",
            statement_formula(b, kernel->node, kernel->target, kernel->target_axis), kernel->span, depth);
    indent(out, depth);
    text_printf(out, "mx_gemm_%s(", real_suffix(b->e));
    print_size_or_one(out, b, node, form.m);
    text_puts(out, ", ");
    print_size_or_one(out, b, node, form.n);
    text_puts(out, ", ");
    print_size_or_one(out, b, node, form.k);
    text_puts(out, ", ");
    c_product(out, b, node, NULL, node->number * kernel->coefficient, true, false);
    text_puts(out, ", ");
    print_matrix(out, b, operand_buffer(b, form.a), form.a->at, form.m, form.k);
    text_puts(out, ",\n");
    indent(out, depth);
    text_repeat(out, ' ', 12);
    print_matrix(out, b, operand_buffer(b, form.b), form.b->at, form.k, form.n);
    text_puts(out, ", ");
    c_number(out, b->e, kernel->accumulate);
    text_puts(out, ", ");
    print_matrix(out, b, kernel->target, target_at, form.m, form.n);
    text_printf(out, ", %s);\n", b->gemm_work);
}

/* Along lines ----------------------------------------------------------------------------------------------------- */

/* The line's elements and, per array, where it begins and its stride: that of its one axis, or 1 over all axes. */
static void print_line(struct text *out, const struct body *b, const struct node *node, uint32_t buffer) {
    const struct buffer *of = &b->s->plan->buffers.at[buffer];
    poly stride = poly_number(b->e->graph->polys, 1);
    text_puts(out, b->buffer_name[buffer]);
    for (label a = 0; a < node->rank; a++) {
        if (node->along >> a & 1) {
            stride = __builtin_popcount(node->along) == 1 ? buffer_stride(b->e->graph, of, a) : stride;
            continue;
        }
        text_printf(out, " + %s * ", b->loop_name[a]);
        signature_poly(out, b->e, b->s, buffer_stride(b->e->graph, of, a), true);
    }
    text_puts(out, ", (ptrdiff_t)(");
    signature_poly(out, b->e, b->s, stride, false);
    text_putc(out, ')');
}

static void print_along(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const label identity[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    const struct node *node = graph_node(b->e->graph, kernel->node);
    poly count = poly_number(b->e->graph->polys, 1);
    comment(out, b, kernel->target, "=", statement_formula(b, kernel->node, kernel->target, identity), kernel->span,
            depth);
    for (label l = 0; l < node->rank; l++) {
        if (node->along >> l & 1) {
            count = poly_mul(b->e->graph->polys, count, node->size[l]);
            continue;
        }
        indent(out, depth++);
        text_printf(out, "for (size_t %s = 0; %s < ", b->loop_name[l], b->loop_name[l]);
        signature_poly(out, b->e, b->s, node->size[l], false);
        text_printf(out, "; %s++)\n", b->loop_name[l]);
    }
    indent(out, depth);
    text_printf(out, "mx_%s_%s(", op_records[node->op].name, real_suffix(b->e));
    signature_poly(out, b->e, b->s, count, false);
    text_puts(out, ", ");
    print_line(out, b, node, operand_buffer(b, &node->operands[0]));
    text_puts(out, ", ");
    print_line(out, b, node, kernel->target);
    text_puts(out, ");\n");
}

/* The whole ------------------------------------------------------------------------------------------------------- */

static bool needs_block(const struct body *b, const struct kernel *kernel) {
    struct text text = text_new(b->e->arena);
    declare_pointers(&text, b, kernel, 0);
    if (text.len)
        return true;
    for (size_t s = 0; s < kernel->statements.len; s++)
        if (accumulates_at(kernel, &kernel->statements.at[s], 0))
            return true;
    return false;
}

static void print_kernel(struct text *out, const struct body *b, const struct kernel *kernel) {
    bool block = needs_block(b, kernel);
    if (block) {
        text_puts(out, "    {\n");
        declare_pointers(out, b, kernel, 2);
    }
    if (kernel->kind == KERNEL_GEMM)
        print_gemm(out, b, kernel, 1 + block);
    else if (kernel->kind == KERNEL_ALONG)
        print_along(out, b, kernel, 1 + block);
    else
        print_nest(out, b, kernel, 1 + block);
    text_puts(out, block ? "    }\n" : "");
}

/* Parameters that only say shapes, or that nothing needed. */
static void print_unused(struct text *out, const struct signature *s, bool saved, bool work) {
    for (size_t i = 0; i < s->dims.len; i++)
        if (!s->dim_printed[s->dims.at[i]])
            text_printf(out, "    (void)%s;\n", s->dim_name[s->dims.at[i]]);
    text_puts(out, saved ? "" : "    (void)saved;\n");
    text_puts(out, work ? "" : "    (void)work;\n");
}

void body_print(struct text *out, const struct emission *e, struct signature *s) {
    struct body b = {.e = e, .s = s};
    memset(s->dim_printed, 0, e->graph->polys->names.len * sizeof *s->dim_printed);
    name_loops(&b);
    name_buffers(&b);
    if (s->saves)
        pointer_prologue(out, &b, &s->plan->saved, "saved", s->function->kind == FUNCTION_BACKWARD, false);
    pointer_prologue(out, &b, &s->plan->work, "work", false, body_uses_gemm(s));
    gemm_prologue(out, &b);
    locals_prologue(out, &b);
    for (size_t k = 0; k < s->plan->kernels.len; k++)
        print_kernel(out, &b, &s->plan->kernels.at[k]);
    print_unused(out, s, !s->saves || s->plan->saved.pools.len, s->plan->work.pools.len || body_uses_gemm(s));
    text_puts(out, "    return MX_OK;\n");
}

/* Sizes ----------------------------------------------------------------------------------------------------------- */

/* A polynomial with saturating operations; only sizes with a minus are computed plainly. */
static void print_saturating(struct text *out, const struct emission *e, const struct signature *s, poly p) {
    struct poly_terms terms = poly_terms(e->graph->polys, p);
    for (uint32_t i = 0; i < terms.count; i++)
        if (terms.at[i].coefficient < 0) {
            signature_poly(out, e, s, p, false);
            return;
        }
    for (uint32_t i = 0; i + 1 < terms.count; i++)
        text_puts(out, "mx_size_add(");
    for (uint32_t i = 0; i < terms.count; i++) {
        const struct monomial *term = &terms.at[i];
        uint32_t factors = term->degree + (term->coefficient != 1 || term->degree == 0);
        text_puts(out, i ? ", " : "");
        for (uint32_t k = 1; k < factors; k++)
            text_puts(out, "mx_size_mul(");
        if (factors > term->degree)
            text_printf(out, "%lld", (long long)term->coefficient);
        for (uint32_t k = 0; k < term->degree; s->dim_printed[term->names[k++]] = true)
            text_printf(out, "%s%s%s", k || factors > term->degree ? ", " : "", s->dim_name[term->names[k]],
                        k || factors > term->degree ? ")" : "");
        text_puts(out, i ? ")" : "");
    }
    text_puts(out, terms.count ? "" : "0");
}

static void print_pools(struct text *out, const struct emission *e, const struct signature *s,
                        const struct layout *layout) {
    for (size_t i = 0; i < layout->pools.len; i++) {
        text_printf(out, "    bytes = mx_size_slots(bytes, %u, ", layout->pools.at[i].slots);
        print_saturating(out, e, s, layout->pools.at[i].elements);
        text_printf(out, ", sizeof(%s));\n", real_name(e));
    }
}

/* The workspace of the largest product; each size is asked once. */
static void print_gemm_sizes(struct text *out, const struct emission *e, const struct signature *s) {
    struct body b = {.e = e, .s = (struct signature *)(uintptr_t)s};
    struct map seen = {.arena = e->arena};
    for (size_t k = 0; k < s->plan->kernels.len; k++) {
        const struct kernel *kernel = &s->plan->kernels.at[k];
        struct gemm_form form;
        struct text call = text_new(e->arena);
        if (kernel->kind != KERNEL_GEMM || !gemm_form_of(e->graph, kernel->node, &form))
            continue;
        const struct node *node = graph_node(e->graph, kernel->node);
        orient(&b, kernel, &form);
        print_size_or_one(&call, &b, node, form.m);
        text_puts(&call, ", ");
        print_size_or_one(&call, &b, node, form.n);
        text_puts(&call, ", ");
        print_size_or_one(&call, &b, node, form.k);
        uint32_t *known = map_at(&seen, key_of(intern(e->interner, text_string(&call))));
        if (!(*known)++)
            text_printf(out, "    product = mx_size_max(product, mx_gemm_%s_worksize(%s));\n", real_suffix(e),
                        text_string(&call));
    }
}

static void print_size_body(struct text *out, const struct emission *e, const struct signature *s,
                            const struct layout *layout, bool gemm) {
    memset(s->dim_printed, 0, e->graph->polys->names.len * sizeof *s->dim_printed);
    text_puts(out, layout->pools.len ? "    size_t bytes = 0;\n" : "");
    text_puts(out, gemm ? "    size_t product = 0;\n" : "");
    print_pools(out, e, s, layout);
    if (gemm)
        print_gemm_sizes(out, e, s);
    print_unused(out, s, true, true);
    const char *area = layout->pools.len ? "mx_size_area(bytes)" : "0";
    text_printf(out, "    return %s;\n",
                !gemm               ? area
                : layout->pools.len ? "mx_size_add(mx_size_area(bytes), product)"
                                    : "product");
}

void body_print_worksize(struct text *out, const struct emission *e, const struct signature *s) {
    print_size_body(out, e, s, &s->plan->work, body_uses_gemm(s));
}

void body_print_savedsize(struct text *out, const struct emission *e, const struct signature *s) {
    print_size_body(out, e, s, &s->plan->saved, false);
}

bool body_fixed_worksize(const struct emission *e, const struct signature *s, uint64_t *bytes) {
    uint64_t real = e->f32 ? 4 : 8;
    *bytes = 0;
    if (!s->fixed || body_uses_gemm(s))
        return false;
    for (size_t i = 0; i < s->plan->work.pools.len; i++) {
        int64_t elements = 0;
        poly_is_number(e->graph->polys, s->plan->work.pools.at[i].elements, &elements);
        *bytes += s->plan->work.pools.at[i].slots * (((uint64_t)elements * real + 63) / 64 * 64);
    }
    *bytes += s->plan->work.pools.len ? 63 : 0;
    return true;
}
