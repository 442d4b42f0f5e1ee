#include "signature.h"

#include <string.h>

const char *real_name(const struct emission *e) {
    return e->f32 ? "float" : "double";
}

const char *real_suffix(const struct emission *e) {
    return e->f32 ? "f32" : "f64";
}

static void mark_poly(const struct polys *polys, poly p, bool *used) {
    struct poly_terms terms = poly_terms(polys, p);
    for (uint32_t i = 0; i < terms.count; i++)
        for (uint32_t k = 0; k < terms.at[i].degree; k++)
            used[terms.at[i].names[k]] = true;
}

static void mark_sizes(const struct polys *polys, const poly *size, size_t count, bool *used) {
    for (size_t i = 0; i < count; i++)
        mark_poly(polys, size[i], used);
}

/* Dimensions under an expression that stands inline, its own sizes and its numbers. Depth: bounded by the planner. */
static void mark_expression(const struct emission *e, const struct plan *plan, node_id id, bool *used) {
    const struct node *node = graph_node(e->graph, id);
    mark_sizes(e->graph->polys, node->size, node->labels, used);
    if (node->kind == NODE_DIM)
        mark_poly(e->graph->polys, node->dim, used);
    if (node->kind == NODE_SELECT) {
        mark_poly(e->graph->polys, node->dim, used);
        mark_sizes(e->graph->polys, node->step + 1, node->rank - 1u, used);
    }
    for (uint32_t i = 0; i < node->count; i++)
        if (!sparse_get(&plan->buffer_of, node->operands[i].node))
            mark_expression(e, plan, node->operands[i].node, used);
}

static void mark_plan(const struct emission *e, const struct plan *plan, bool *used) {
    for (size_t k = 0; k < plan->kernels.len; k++) {
        const struct kernel *kernel = &plan->kernels.at[k];
        if (kernel->kind != KERNEL_LOOP)
            mark_expression(e, plan, kernel->node, used);
        for (size_t s = 0; s < kernel->statements.len; s++)
            mark_expression(e, plan, kernel->statements.at[s].node, used);
    }
    for (size_t b = 1; b < plan->buffers.len; b++) {
        const struct buffer *buffer = &plan->buffers.at[b];
        const struct node *node = graph_node(e->graph, buffer->node);
        if (buffer->base) {
            mark_poly(e->graph->polys, buffer->offset, used);
            mark_sizes(e->graph->polys, buffer->stride, node->rank, used);
        }
        mark_sizes(e->graph->polys, node->size, node->labels, used);
    }
}

static void find_dims(const struct emission *e, struct signature *s) {
    const struct polys *polys = e->graph->polys;
    bool *used = NEW_ARRAY(e->arena, polys->names.len, bool);
    for (size_t i = 0; i < s->inputs.len; i++) {
        const struct argument *input = &s->function->inputs.at[s->inputs.at[i]];
        mark_sizes(polys, input->size, input->rank, used);
    }
    s->sizes_outputs = NEW_ARRAY(e->arena, polys->names.len, bool);
    for (size_t i = 0; i < s->function->outputs.len; i++) {
        const struct argument *output = &s->function->outputs.at[i];
        mark_sizes(polys, output->size, output->rank, used);
        mark_sizes(polys, output->size, output->rank, s->sizes_outputs);
    }
    mark_plan(e, s->plan, used);
    mark_sizes(polys, s->function->bounds.at, s->function->bounds.len, used);
    for (size_t i = 0; i < e->module->checked->dims.len; i++) {
        uint32_t variable;
        if (poly_is_name(polys, e->module->checked->dims.at[i], &variable) && used[variable])
            vec_push(e->arena, &s->dims, variable);
    }
    s->fixed = s->dims.len == 0;
    for (size_t i = 0; i < s->function->indices.len; i++) {
        uint32_t variable = 0;
        poly_is_name(polys, s->function->indices.at[i], &variable);
        vec_push(e->arena, &s->indices, variable);
    }
}

static void name_parameters(const struct emission *e, struct signature *s) {
    const struct function *f = s->function;
    s->use = NEW(e->arena, struct dim_use);
    s->use->printed = NEW_ARRAY(e->arena, e->graph->polys->names.len, bool);
    s->dim_name = NEW_ARRAY(e->arena, e->graph->polys->names.len, const char *);
    s->input_name = NEW_ARRAY(e->arena, f->inputs.len, const char *);
    s->output_name = NEW_ARRAY(e->arena, f->outputs.len, const char *);
    for (size_t i = 0; i < s->dims.len; i++)
        s->dim_name[s->dims.at[i]] = scope_name(&s->scope, e->graph->polys->names.at[s->dims.at[i]]);
    for (size_t i = 0; i < s->indices.len; i++)
        s->dim_name[s->indices.at[i]] = scope_name(&s->scope, e->graph->polys->names.at[s->indices.at[i]]);
    for (size_t i = 0; i < s->inputs.len; i++)
        s->input_name[s->inputs.at[i]] = scope_name(&s->scope, f->inputs.at[s->inputs.at[i]].name);
    for (size_t i = 0; i < f->outputs.len; i++)
        s->output_name[i] = scope_name(&s->scope, f->outputs.at[i].name);
}

struct signature signature_of(const struct emission *e, size_t function) {
    struct signature s = {.function = &e->module->functions.at[function],
                          .plan = e->plans[function],
                          .scope = {e->arena, e->interner, {.arena = e->arena}}};
    s.saves = s.function->kind == FUNCTION_FORWARD || s.function->kind == FUNCTION_BACKWARD;
    for (uint32_t i = 0; i < s.function->inputs.len; i++)
        if (s.plan->reads[i])
            vec_push(e->arena, &s.inputs, i);
    find_dims(e, &s);
    name_parameters(e, &s);
    return s;
}

bool signature_has_savedsize(const struct signature *s) {
    return s->function->kind == FUNCTION_FORWARD;
}

struct list list_begin_with(struct text *out, const char *head) {
    size_t begin = out->len;
    text_puts(out, head);
    return (struct list){out, begin, out->len - begin, true};
}

struct list list_begin(struct text *out, const char *head) {
    size_t begin = out->len;
    struct list list = list_begin_with(out, head);
    text_putc(out, '(');
    list.column = out->len - begin;
    return list;
}

void list_add(struct list *list, const char *item) {
    if (!list->first)
        text_putc(list->out, ',');
    if (!list->first && list->out->len - list->begin + strlen(item) + 2 > 110) {
        text_putc(list->out, '\n');
        list->begin = list->out->len;
        text_repeat(list->out, ' ', list->column);
    } else if (!list->first) {
        text_putc(list->out, ' ');
    }
    text_puts(list->out, item);
    list->first = false;
}

static void add_dims(struct list *list, const struct emission *e, const struct signature *s) {
    for (size_t i = 0; i < s->dims.len; i++)
        list_add(list, format_string(e->arena, "size_t %s", s->dim_name[s->dims.at[i]]));
}

void signature_print(struct text *out, const struct emission *e, const struct signature *s, bool definition) {
    const struct function *f = s->function;
    const char *star = definition ? "*restrict " : "*", *real = real_name(e);
    struct list list = list_begin(out, format_string(e->arena, "int %s", f->name));
    add_dims(&list, e, s);
    for (size_t i = 0; i < s->indices.len; i++)
        list_add(&list, format_string(e->arena, "size_t %s", s->dim_name[s->indices.at[i]]));
    for (size_t i = 0; i < s->inputs.len; i++) {
        const struct argument *input = &f->inputs.at[s->inputs.at[i]];
        const char *name = s->input_name[s->inputs.at[i]];
        list_add(&list, input->rank ? format_string(e->arena, "const %s %s%s", real, star, name)
                                    : format_string(e->arena, "%s %s", real, name));
    }
    for (size_t i = 0; i < f->outputs.len; i++)
        list_add(&list, format_string(e->arena, "%s %s%s", real, star, s->output_name[i]));
    if (s->saves)
        list_add(&list, f->kind == FUNCTION_FORWARD ? "void *saved" : "const void *saved");
    list_add(&list, "void *work");
    text_putc(out, ')');
}

void signature_print_size(struct text *out, const struct emission *e, const struct signature *s, const char *what) {
    struct list list = list_begin(out, format_string(e->arena, "size_t %s_%s", s->function->name, what));
    if (s->fixed)
        list_add(&list, "void");
    add_dims(&list, e, s);
    text_putc(out, ')');
}

const char *signature_dim(const struct emission *e, const struct signature *s, uint32_t variable) {
    if (!s->use->printed[variable])
        vec_push(e->arena, &s->use->list, variable);
    s->use->printed[variable] = true;
    return s->dim_name[variable];
}

void signature_forget_dims(const struct signature *s) {
    for (size_t i = 0; i < s->use->list.len; i++)
        s->use->printed[s->use->list.at[i]] = false;
    s->use->list.len = 0;
}

static void print_monomial(struct text *out, const struct emission *e, const struct signature *s,
                           const struct monomial *term, bool first) {
    int64_t size = term->coefficient < 0 ? -term->coefficient : term->coefficient;
    if (!first)
        text_puts(out, term->coefficient < 0 ? " - " : " + ");
    if (size != 1 || term->degree == 0)
        text_printf(out, "%lld%s", (long long)size, term->degree ? " * " : "");
    for (uint32_t i = 0; i < term->degree; i++) {
        text_puts(out, i ? " * " : "");
        text_puts(out, signature_dim(e, s, term->names[i]));
    }
}

/* A term with a plus is printed first: unsigned arithmetic then never needs a negative value on the way. */
void signature_poly(struct text *out, const struct emission *e, const struct signature *s, poly p, bool brackets) {
    struct poly_terms terms = poly_terms(e->graph->polys, p);
    bool first = true;
    if (terms.count == 0)
        text_putc(out, '0');
    if (terms.count > 1 && brackets)
        text_putc(out, '(');
    for (int minus = 0; minus < 2; minus++)
        for (uint32_t i = 0; i < terms.count; i++)
            if ((terms.at[i].coefficient < 0) == minus) {
                print_monomial(out, e, s, &terms.at[i], first);
                first = false;
            }
    if (terms.count > 1 && brackets)
        text_putc(out, ')');
}

struct argument argument_declared(const struct argument *argument) {
    struct argument declared = *argument;
    if (strcmp(argument->structure, "diagonal") == 0 && argument->rank == 1) {
        declared.rank = 2;
        declared.size[1] = declared.size[0];
    }
    return declared;
}

/* The terms of one sign, as they are without it; 0 if there are none. */
static poly part_of(const struct emission *e, poly p, bool minus) {
    struct polys *polys = e->graph->polys;
    poly part = poly_number(polys, 0), positive = part;
    struct poly_terms terms = poly_terms(polys, p);
    for (uint32_t i = 0; i < terms.count; i++) {
        poly term = poly_number(polys, terms.at[i].coefficient);
        for (uint32_t k = 0; k < terms.at[i].degree; k++)
            term = poly_mul(polys, term, poly_name(polys, polys->names.at[terms.at[i].names[k]]));
        if ((terms.at[i].coefficient < 0) == minus)
            part = poly_add(polys, part, term);
        terms = poly_terms(polys, p);
    }
    return minus ? poly_sub(polys, positive, part) : part;
}

void signature_saturating(struct text *out, const struct emission *e, const struct signature *s, poly p) {
    struct poly_terms terms = poly_terms(e->graph->polys, p);
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
        for (uint32_t k = 0; k < term->degree; k++)
            text_printf(out, "%s%s%s", k || factors > term->degree ? ", " : "", signature_dim(e, s, term->names[k]),
                        k || factors > term->degree ? ")" : "");
        text_puts(out, i ? ")" : "");
    }
    text_puts(out, terms.count ? "" : "0");
}

/* n < k + 1 is n <= k, which cannot overflow; other sums saturate. */
void signature_negative(struct text *out, const struct emission *e, const struct signature *s, poly p) {
    poly plus = part_of(e, p, false), minus = part_of(e, p, true), one = poly_number(e->graph->polys, 1);
    poly less = poly_sub(e->graph->polys, minus, one);
    int64_t number;
    bool strict = poly_is_number(e->graph->polys, minus, &number) || !poly_is_nonnegative(e->graph->polys, less);
    signature_saturating(out, e, s, plus);
    text_puts(out, strict ? " < " : " <= ");
    signature_saturating(out, e, s, strict ? minus : less);
}

void signature_size(struct text *out, const struct emission *e, const struct signature *s, poly p) {
    if (poly_is_nonnegative(e->graph->polys, p)) {
        signature_poly(out, e, s, p, false);
        return;
    }
    text_puts(out, "mx_size_sub(");
    signature_poly(out, e, s, part_of(e, p, false), false);
    text_puts(out, ", ");
    signature_poly(out, e, s, part_of(e, p, true), false);
    text_putc(out, ')');
}

void signature_measured(struct text *out, const struct emission *e, const struct signature *s, poly p) {
    bool minus = !poly_is_nonnegative(e->graph->polys, p);
    text_puts(out, minus ? "mx_size_less(" : "");
    signature_saturating(out, e, s, minus ? part_of(e, p, false) : p);
    if (!minus)
        return;
    text_puts(out, ", ");
    signature_saturating(out, e, s, part_of(e, p, true));
    text_putc(out, ')');
}

const char *argument_shape(const struct emission *e, const struct argument *argument) {
    struct text text = text_new(e->arena);
    if (argument->rank == 0)
        return "scalar";
    struct argument declared = argument_declared(argument);
    if (strcmp(argument->structure, "dense") != 0)
        text_printf(&text, "%s ", argument->structure);
    text_puts(&text, argument->row ? "row [" : "[");
    for (uint8_t i = 0; i < declared.rank; i++) {
        text_puts(&text, i ? ", " : "");
        poly_print(&text, e->graph->polys, declared.size[i]);
    }
    text_putc(&text, ']');
    return text_string(&text);
}

static const char *program_name(void *context, node_id id, label order[MAX_RANK]) {
    return graph_name(context, id, order);
}

const char *argument_formula(const struct emission *e, const struct argument *output, size_t longest) {
    struct formula_names names = {program_name, e->graph};
    struct value value = output->shown.node ? output->shown : output->value;
    return formula_of(e->arena, e->graph, names, value, longest);
}
