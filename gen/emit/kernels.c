/* Kernels as C: a loop nest, a call of the product, a call along lines, each under its formula. */
#include "kernels.h"

#include <string.h>

enum { POSITION = 88 };

static const char *buffer_label(void *context, node_id id, label order[MAX_RANK]) {
    const struct body *b = context;
    uint32_t index = sparse_get(&b->s->plan->buffer_of, id);
    if (!index || b->s->plan->buffers.at[index].base)
        return NULL;
    memcpy(order, b->s->plan->buffers.at[index].order, MAX_RANK);
    return b->buffer_name[index];
}

/* Comments -------------------------------------------------------------------------------------------------------- */

void indent(struct text *out, int depth) {
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

/* "2 * formula", "-formula". */
static const char *times(const struct body *b, double number, const char *formula) {
    struct text text = text_new(b->e->arena);
    if (!formula || number == 1)
        return formula;
    if (number == -1) {
        text_putc(&text, '-');
    } else {
        text_double(&text, number);
        text_puts(&text, " * ");
    }
    text_printf(&text, strchr(formula, ' ') ? "(%s)" : "%s", formula);
    return text_string(&text);
}

static void print_place(struct text *out, struct place place) {
    text_printf(out, "%s:%u ", base_name(place.source->name), place.line);
}

/* "A = Z @ W + b            affine.mx:1" */
static void comment(struct text *out, const struct body *b, uint32_t target, const char *sign, const char *formula,
                    struct span span, int depth) {
    size_t begin = out->len;
    indent(out, depth);
    text_printf(out, "/* %s%s%s %s", b->buffer_name[target], strchr("[ ", *sign) ? "" : " ", sign,
                formula ? formula : "(see below)");
    size_t width = out->len - begin;
    text_repeat(out, ' ', width + 1 < POSITION ? POSITION - width : 2);
    if (span.end)
        print_place(out, source_place(b->e->sources, span.begin));
    text_puts(out, "*/\n");
}

/* Arrays ---------------------------------------------------------------------------------------------------------- */

static uint32_t operand_buffer(const struct body *b, const struct operand *operand) {
    return sparse_get(&b->s->plan->buffer_of, operand->node);
}

static void add_buffer(uint32_t *buffers, uint32_t *count, uint32_t index) {
    for (uint32_t i = 0; i < *count; i++)
        if (buffers[i] == index)
            return;
    if (index)
        buffers[(*count)++] = index;
}

static size_t most_buffers(const struct kernel *kernel, const struct node *node) {
    size_t most = node->count + 1;
    for (size_t s = 0; s < kernel->statements.len; s++)
        most += kernel->statements.at[s].reads.len + 1;
    return most;
}

uint32_t *kernel_buffers(const struct body *b, const struct kernel *kernel, uint32_t *count) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    uint32_t *buffers = NEW_ARRAY(b->e->arena, most_buffers(kernel, node), uint32_t);
    *count = 0;
    for (uint32_t i = 0; i < kernel_reads(b->e->graph, kernel); i++)
        add_buffer(buffers, count, buffer_base(b->s->plan, operand_buffer(b, &node->operands[i])));
    if (kernel->kind != KERNEL_LOOP)
        add_buffer(buffers, count, kernel->target);
    for (size_t s = 0; s < kernel->statements.len; s++) {
        const struct plan_statement *statement = &kernel->statements.at[s];
        for (size_t r = 0; r < statement->reads.len; r++)
            add_buffer(buffers, count, buffer_base(b->s->plan, statement->reads.at[r].buffer));
        add_buffer(buffers, count, statement->target);
    }
    return buffers;
}

/* "    double *const H = work0 + 2 * work_size0;", or with its place looked up where the function is in parts. */
static void declare_pointer(struct text *out, const struct body *b, uint32_t index, int depth) {
    const struct buffer *buffer = &b->s->plan->buffers.at[index];
    bool work = buffer->storage == STORE_WORK;
    const char *area = work ? "work" : "saved";
    const struct layout *layout = work ? &b->s->plan->work : &b->s->plan->saved;
    indent(out, depth);
    text_printf(out, "%s%s *const %s = ", !work && b->s->function->kind == FUNCTION_BACKWARD ? "const " : "",
                real_name(b->e), b->buffer_name[index]);
    if (b->in_parts)
        text_printf(out, "%s0 + mx_place(table, %u)", area, buffer->pool + (work ? 0 : body_work_places(b->s)));
    else
        text_printf(out, "%s%u", area, buffer->pool);
    if (buffer->slot)
        text_puts(out, " + ");
    if (buffer->slot > 1)
        text_printf(out, "%u * ", buffer->slot);
    if (buffer->slot && !b->in_parts)
        text_printf(out, "%s_size%u", area, buffer->pool);
    else if (buffer->slot)
        print_padded(out, b, layout->pools.at[buffer->pool].elements);
    text_puts(out, ";\n");
}

/* Has it a pointer that is yet to be declared? */
static bool lacks_pointer(const struct body *b, uint32_t index) {
    enum storage storage = b->s->plan->buffers.at[index].storage;
    return (storage == STORE_WORK || storage == STORE_SAVED) && !(b->pointer_of && b->pointer_of[index] == b->part);
}

static bool is_in_call(const struct body *b, const struct kernel *kernel, uint32_t index) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    for (uint32_t i = 0; i < kernel_reads(b->e->graph, kernel); i++)
        if (buffer_base(b->s->plan, operand_buffer(b, &node->operands[i])) == index)
            return true;
    return kernel->target == index;
}

static bool takes_pointer(const struct body *b, const struct kernel *kernel, uint32_t index) {
    return lacks_pointer(b, index) &&
           (!is_fused(kernel) || is_in_call(b, kernel, index) || tiles_take(b, kernel, index));
}

void print_pointers(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    uint32_t count, *buffers = kernel_buffers(b, kernel, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!takes_pointer(b, kernel, buffers[i]))
            continue;
        declare_pointer(out, b, buffers[i], depth);
        if (b->pointer_of)
            b->pointer_of[buffers[i]] = b->part;
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

/* The statement with names for what follows from its loops. */
static struct plan_statement named(const struct body *b, const struct plan_statement *statement) {
    struct plan_statement with_names = *statement;
    const struct node *node = graph_node(b->e->graph, statement->node);
    if (statement->copy)
        return with_names;
    c_name_derived(b, statement->node, statement->scatters, with_names.loop_of);
    for (label l = 0; l < node->rank; l++)
        with_names.target_loop[statement->target_axis[l]] = with_names.loop_of[l];
    return with_names;
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

static void print_total(struct text *out, const struct body *b, const struct plan_statement *statement, label depth) {
    const struct node *node = graph_node(b->e->graph, statement->node);
    double number = node->number * statement->coefficient;
    text_printf(out, "%s %s ", target_text(b, statement), statement->adds ? "+=" : "=");
    if (node->kind == NODE_PRODUCT && (has_scalar_factors(b->e->graph, node) || node->number != 1 || number != 1)) {
        c_product(out, b, node, statement->loop_of, number, true, false);
        text_puts(out, " * ");
    }
    text_printf(out, "%s;\n", accumulator(b, statement, depth));
}

/* What a scatter writes, times its coefficient; a delta or selector alone is a 1. */
static void print_scattered(struct text *out, const struct body *b, const struct plan_statement *statement) {
    struct node node = *graph_node(b->e->graph, statement->node);
    struct operand self = {.node = statement->node, .at = {0, 1, 2, 3, 4, 5, 6, 7}};
    if (node.kind != NODE_PRODUCT)
        node = (struct node){.kind = NODE_PRODUCT, .count = 1, .operands = &self, .number = 1};
    c_product(out, b, &node, statement->loop_of, node.number * statement->coefficient, true, true);
}

static void print_write(struct text *out, const struct body *b, const struct plan_statement *statement) {
    const struct buffer *target = &b->s->plan->buffers.at[statement->target];
    if (target->storage == STORE_TEMP)
        text_printf(out, "const %s ", real_name(b->e));
    text_printf(out, "%s %s ", target_text(b, statement), statement->adds ? "+=" : "=");
    if (statement->scatters)
        print_scattered(out, b, statement);
    else if (statement->copy)
        c_element(out, b, statement->reads.at[0].buffer, statement->loop_of);
    else
        c_expression(out, b, statement->node, statement->loop_of, true, C_ADDITIVE);
    text_puts(out, ";\n");
}

static void print_innermost(struct text *out, const struct body *b, const struct kernel *nest,
                            const struct plan_statement *plain, int depth) {
    label names = *b->names;
    const struct plan_statement with_names = named(b, plain), *statement = &with_names;
    indent(out, depth);
    bool in_memory = statement->held == HELD_IN_MEMORY;
    if (!statement->reduces || (!in_memory && statement->held == nest->loops)) {
        print_write(out, b, statement);
        *b->names = names;
        return;
    }
    combine(out, b, statement,
            in_memory ? target_text(b, statement) : accumulator(b, statement, (label)(nest->loops - 1)));
    print_summand(out, b, statement, in_memory);
    combine_end(out, b, statement);
    *b->names = names;
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
            label names = *b->names;
            const struct plan_statement with_names = named(b, statement);
            print_total(out, b, &with_names, loop);
            *b->names = names;
        } else {
            combine(out, b, statement, accumulator(b, statement, (label)(loop - 1)));
            text_puts(out, accumulator(b, statement, loop));
            combine_end(out, b, statement);
        }
    }
}

/* "for (size_t i = 0; i < n; i++)" */
static void print_for(struct text *out, const struct body *b, label loop, poly size, int depth, const char *end) {
    indent(out, depth);
    if (b->in_tile) {
        print_tile_bounds(out, b, loop);
        text_puts(out, end);
        return;
    }
    text_printf(out, "for (size_t %s = 0; %s < ", b->loop_name[loop], b->loop_name[loop]);
    signature_poly(out, b->e, b->s, size, false);
    text_printf(out, "; %s++)%s", b->loop_name[loop], end);
}

static void print_loops(struct text *out, const struct body *b, const struct kernel *nest, int depth) {
    for (label l = 0; l < nest->loops; l++) {
        open_accumulators(out, b, nest, l, depth + l);
        print_for(out, b, l, nest->size[l], depth + l, " {\n");
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
    return statement_formula(b, statement->node, statement->target, statement->target_axis);
}

static const char *copy_formula(const struct body *b, const struct plan_statement *statement) {
    const struct buffer *from = &b->s->plan->buffers.at[statement->reads.at[0].buffer];
    const struct buffer *to = &b->s->plan->buffers.at[statement->target];
    bool swapped = graph_node(b->e->graph, from->node)->rank == 2 &&
                   statement->loop_of[from->order[0]] != statement->target_loop[to->order[0]];
    const char *name = b->buffer_name[statement->reads.at[0].buffer];
    if (graph_structure(b->e->graph, from->node) & STRUCTURE_STORED)
        return format_string(b->e->arena, "diag(%s)", name);
    return format_string(b->e->arena, "%s%s", name, swapped ? "'" : "");
}

/* "dX[1:3, :] += U": what a scatter writes. */
static void comment_scatter(struct text *out, const struct body *b, const struct plan_statement *statement, int depth) {
    const struct buffer *buffer = &b->s->plan->buffers.at[statement->target];
    struct formula_names names = {buffer_label, (void *)(uintptr_t)b};
    struct value value = {.node = statement->node, .rank = graph_node(b->e->graph, statement->node)->rank};
    const char *place;
    for (uint8_t i = 0; i < value.rank; i++)
        for (label a = 0; a < value.rank; a++)
            if (statement->target_axis[a] == buffer->order[i])
                value.axis[i] = a;
    const char *formula = formula_of_part(b->e->arena, b->e->graph, names, value, FORMULA_LONGEST, &place);
    comment(out, b, statement->target, format_string(b->e->arena, "%s %s", place, statement->adds ? "+=" : "="),
            times(b, statement->coefficient, formula), statement->span, depth);
}

/* What a statement gives its target; a largest element held in memory is compared with what is there. */
static const char *statement_text(const struct body *b, const struct plan_statement *statement) {
    const char *formula = statement->copy ? copy_formula(b, statement) : nest_formula(b, statement);
    const struct op_record *record = reducer(b, statement);
    if (!formula || !record || statement->held != HELD_IN_MEMORY)
        return formula;
    return format_string(b->e->arena, "%s(%s, %s)", record->name, b->buffer_name[statement->target], formula);
}

static void comment_nest(struct text *out, const struct body *b, const struct kernel *nest, int depth) {
    for (size_t s = 0; s < nest->statements.len; s++) {
        const struct plan_statement *statement = &nest->statements.at[s];
        if (statement->scatters) {
            comment_scatter(out, b, statement, depth);
            continue;
        }
        comment(out, b, statement->target, statement->held == HELD_IN_MEMORY && !reducer(b, statement) ? "+=" : "=",
                statement_text(b, statement), statement->span, depth);
    }
}

static void print_nest(struct text *out, const struct body *b, const struct kernel *nest, int depth) {
    comment_nest(out, b, nest, depth);
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

void print_tiles(struct text *out, const struct body *b, const struct kernel *nest, int depth) {
    struct body tile = *b;
    tile.in_tile = true;
    print_nest(out, &tile, nest, depth);
}

/* Products -------------------------------------------------------------------------------------------------------- */

void print_call_size(struct text *out, const struct body *b, poly size) {
    if (b->measures)
        signature_measured(out, b->e, b->s, size);
    else
        signature_poly(out, b->e, b->s, size, false);
}

static void print_distance(struct text *out, const struct body *b, poly stride) {
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

/* Along a label that there is not the stride does not matter; 1 says that memory is contiguous. */
static void print_label_stride(struct text *out, const struct body *b, uint32_t buffer, const label *at, label l) {
    const struct buffer *of = &b->s->plan->buffers.at[buffer];
    print_distance(out, b, l == AXIS_UNIT ? poly_number(b->e->graph->polys, 1) : label_stride(b->e->graph, of, at, l));
}

void print_stride(struct text *out, const struct body *b, uint32_t buffer, label axis) {
    static const label identity[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    print_label_stride(out, b, buffer, identity, axis);
}

void print_start(struct text *out, const struct body *b, uint32_t buffer) {
    const struct buffer *of = &b->s->plan->buffers.at[buffer];
    text_puts(out, b->buffer_name[buffer]);
    if (of->base && of->offset != poly_number(b->e->graph->polys, 0)) {
        text_puts(out, " + ");
        signature_poly(out, b->e, b->s, of->offset, true);
    }
}

/* "A + i * m * k": where the array begins in the loops around the call. */
static void print_inner_start(struct text *out, const struct body *b, const struct kernel *kernel, uint32_t buffer,
                              const label *at) {
    print_start(out, b, buffer);
    for (label i = 0; i < kernel->loops; i++) {
        poly stride = label_stride(b->e->graph, &b->s->plan->buffers.at[buffer], at, kernel->gemm.around[i]);
        int64_t number = -1;
        if (poly_is_number(b->e->graph->polys, stride, &number) && number == 0)
            continue;
        text_printf(out, " + %s", b->loop_name[i]);
        if (number == 1)
            continue;
        text_puts(out, " * ");
        signature_poly(out, b->e, b->s, stride, true);
    }
}

static void print_factor(struct text *out, const struct body *b, const struct kernel *kernel, uint32_t buffer,
                         const label *at, struct gemm_axis rows, struct gemm_axis columns) {
    print_inner_start(out, b, kernel, buffer, at);
    text_puts(out, ", ");
    print_label_stride(out, b, buffer, at, rows.inner);
    text_puts(out, ", ");
    print_label_stride(out, b, buffer, at, columns.inner);
}

void print_gemm_sizes(struct text *out, const struct body *b, const struct kernel *kernel) {
    print_call_size(out, b, kernel->gemm.m.size);
    text_puts(out, ", ");
    print_call_size(out, b, kernel->gemm.n.size);
    text_puts(out, ", ");
    print_call_size(out, b, kernel->gemm.k.size);
}

/* "=", "+=", "-=", or with the coefficient that the product has as a term: "+= 2 *"; "= t14 +" in the place of t14. */
static const char *product_sign(const struct body *b, const struct kernel *kernel) {
    bool minus = kernel->coefficient < 0;
    double size = minus ? -kernel->coefficient : kernel->coefficient;
    struct text text = text_new(b->e->arena);
    if (kernel->before)
        text_printf(&text, "= %s %s", b->buffer_name[kernel->before], minus ? "-" : "+");
    else if (kernel->accumulate)
        text_puts(&text, minus ? "-=" : "+=");
    else
        text_puts(&text, minus ? "= -" : "=");
    if (size != 1) {
        text_putc(&text, ' ');
        text_double(&text, size);
        text_puts(&text, " *");
    }
    return text_string(&text);
}

static void print_gemm_call(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    const struct gemm *call = &kernel->gemm;
    label target_at[MAX_RANK] = {0};
    for (label l = 0; l < node->rank; l++)
        target_at[kernel->target_axis[l]] = l;
    if (is_fused(kernel))
        declare_hooks(out, b, kernel, depth);
    indent(out, depth);
    size_t begin = out->len;
    text_printf(out, "%s_%s%s(", call->fixed ? "mx_fixed_gemm" : "mx_gemm", real_suffix(b->e),
                is_fused(kernel) ? "_hooked" : "");
    const size_t column = out->len - begin;
    print_gemm_sizes(out, b, kernel);
    text_puts(out, ", ");
    c_product(out, b, node, NULL, node->number * kernel->coefficient, true, false);
    text_puts(out, ", ");
    print_factor(out, b, kernel, operand_buffer(b, call->a), call->a->at, call->m, call->k);
    text_puts(out, ",\n");
    indent(out, depth);
    text_repeat(out, ' ', column);
    print_factor(out, b, kernel, operand_buffer(b, call->b), call->b->at, call->k, call->n);
    text_puts(out, ", ");
    c_number(out, b->e, kernel->accumulate);
    text_puts(out, kernel->loops ? ",\n" : ", ");
    if (kernel->loops) {
        indent(out, depth);
        text_repeat(out, ' ', column);
    }
    print_factor(out, b, kernel, kernel->target, target_at, call->m, call->n);
    text_printf(out, call->fixed ? "" : ", %s", b->gemm_work);
    if (is_fused(kernel))
        print_hooks_argument(out, b);
    text_puts(out, ");\n");
}

static void comment_product(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    comment(out, b, kernel->target, product_sign(b, kernel),
            statement_formula(b, kernel->node, kernel->target, kernel->target_axis), kernel->span, depth);
}

/* All that the call does, in its order. */
static void comment_fused(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const struct kernel prologue = gemm_prologue(b->e->graph, b->s->plan, kernel);
    const struct kernel epilogue = gemm_epilogue(b->e->graph, b->s->plan, kernel);
    const struct kernel sums = gemm_sums(b->e->graph, b->s->plan, kernel);
    comment_nest(out, b, &sums, depth);
    comment_nest(out, b, &prologue, depth);
    comment_product(out, b, kernel, depth);
    comment_nest(out, b, &epilogue, depth);
}

static void print_gemm(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    (is_fused(kernel) ? comment_fused : comment_product)(out, b, kernel, depth);
    for (label l = 0; l < kernel->loops; l++)
        print_for(out, b, l, kernel->size[l], depth + l, l + 1 < kernel->loops ? "\n" : " {\n");
    print_gemm_call(out, b, kernel, depth + kernel->loops);
    if (kernel->loops) {
        indent(out, depth + kernel->loops - 1);
        text_puts(out, "}\n");
    }
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
        print_for(out, b, l, node->size[l], depth++, "\n");
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

/* Matrices -------------------------------------------------------------------------------------------------------- */

static void print_matrix(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const label identity[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    comment(out, b, kernel->target, "=", statement_formula(b, kernel->node, kernel->target, identity), kernel->span,
            depth);
    print_matrix_call(out, b, kernel, depth);
}

/* The kernel ------------------------------------------------------------------------------------------------------ */

static bool needs_block(const struct body *b, const struct kernel *kernel) {
    if (kernel->kind == KERNEL_MATRIX && op_records[graph_node(b->e->graph, kernel->node)->op].status)
        return true;
    if (is_fused(kernel))
        return true;
    uint32_t count, *buffers = kernel_buffers(b, kernel, &count);
    for (uint32_t i = 0; i < count; i++)
        if (lacks_pointer(b, buffers[i]))
            return true;
    for (size_t s = 0; s < kernel->statements.len; s++)
        if (accumulates_at(kernel, &kernel->statements.at[s], 0))
            return true;
    return false;
}

void print_kernel(struct text *out, const struct body *b, const struct kernel *kernel) {
    bool block = needs_block(b, kernel);
    if (block) {
        text_puts(out, "    {\n");
        print_pointers(out, b, kernel, 2);
    }
    if (kernel->kind == KERNEL_GEMM)
        print_gemm(out, b, kernel, 1 + block);
    else if (kernel->kind == KERNEL_ALONG)
        print_along(out, b, kernel, 1 + block);
    else if (kernel->kind == KERNEL_MATRIX)
        print_matrix(out, b, kernel, 1 + block);
    else
        print_nest(out, b, kernel, 1 + block);
    text_puts(out, block ? "    }\n" : "");
}
