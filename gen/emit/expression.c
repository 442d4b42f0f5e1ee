#include "expression.h"

#include <math.h>
#include <string.h>

void c_number(struct text *out, const struct emission *e, double number) {
    const size_t begin = out->len;
    if (isnan(number) || isinf(number)) {
        text_puts(out, isnan(number) ? "NAN" : number < 0 ? "-INFINITY" : "INFINITY");
        return;
    }
    text_double(out, number);
    if (!strpbrk(text_string(out) + begin, ".e"))
        text_puts(out, ".0");
    text_puts(out, e->f32 ? "f" : "");
}

/* ---- Indices ------------------------------------------------------------------------------------------------------
 *
 * The name of a label that follows from others is an expression, in brackets if it is a sum. */

static const char *without_brackets(const struct body *b, const char *name) {
    return *name == '(' ? format_string(b->e->arena, "%.*s", (int)strlen(name) - 2, name + 1) : name;
}

static bool is_number(const struct body *b, poly p, int64_t value) {
    int64_t number;
    return poly_is_number(b->e->graph->polys, p, &number) && number == value;
}

/* "i * n", "i", "3": index times step. */
static void print_multiple(struct text *out, const struct body *b, const char *index, poly step) {
    if (is_number(b, step, 1)) {
        text_puts(out, without_brackets(b, index));
        return;
    }
    text_printf(out, "%s * ", index);
    signature_poly(out, b->e, b->s, step, true);
}

/* offset + sum of step * index, of a selector's axes behind the first. */
static const char *selected_index(const struct body *b, const struct node *select, const label *loop) {
    struct text text = text_new(b->e->arena);
    uint8_t parts = (uint8_t)(select->rank - 1 + !is_number(b, select->dim, 0));
    for (uint8_t a = 1; a < select->rank; a++) {
        text_puts(&text, a > 1 ? " + " : "");
        print_multiple(&text, b, b->loop_name[loop[a]], select->step[a]);
    }
    if (parts >= select->rank) {
        text_puts(&text, select->rank > 1 ? " + " : "");
        signature_poly(&text, b->e, b->s, select->dim, false);
    }
    if (parts == 0)
        return "0";
    bool sum = strchr(text_string(&text), ' ') != NULL;
    return sum ? format_string(b->e->arena, "(%s)", text_string(&text)) : text_string(&text);
}

static label new_name(const struct body *b, const char *name) {
    for (label l = 0; l < *b->names; l++)
        if (b->loop_name[l] == name)
            return l;
    if (*b->names < MOST_NAMES)
        ++*b->names;
    b->loop_name[*b->names - 1] = name;
    return (label)(*b->names - 1);
}

static void name_label(const struct body *b, node_id id, const struct derived *derived, label l, label *loop_of) {
    const struct graph *graph = b->e->graph;
    struct operand self;
    label loop[MAX_RANK] = {0};
    if (loop_of[l] != LOOP_DERIVED || derived->by[l] == NOT_DERIVED)
        return;
    const struct operand *factor = deriving_factor(graph, id, derived->by[l], &self);
    const struct node *node = graph_node(graph, factor->node);
    for (uint8_t a = 0; a < node->rank; a++) {
        if (factor->at[a] != l)
            name_label(b, id, derived, factor->at[a], loop_of);
        loop[a] = loop_of[factor->at[a]];
    }
    loop_of[l] = node->kind == NODE_DELTA ? loop[factor->at[0] == l] : new_name(b, selected_index(b, node, loop));
}

void c_name_derived(const struct body *b, node_id id, bool scatter, label *loop_of) {
    const struct node *node = graph_node(b->e->graph, id);
    struct derived derived = derived_labels(b->e->graph, id, scatter);
    for (label l = 0; l < node->labels; l++)
        name_label(b, id, &derived, l, loop_of);
}

/* What must hold for a delta, selector or triangle to be 1; NULL: it always is. */
static const char *condition(const struct body *b, const struct node *node, const label loop[MAX_RANK]) {
    const char *first = b->loop_name[loop[0]];
    const char *other = node->kind == NODE_SELECT ? selected_index(b, node, loop)
                        : node->rank > 1          ? b->loop_name[loop[1]]
                                                  : "0";
    bool orders = node->kind == NODE_LOWER && node->rank > 1;
    const char *sign = orders && strcmp(first, "0") != 0 ? ">=" : "=="; /* 0 >= j is j == 0 */
    if (strcmp(first, other) == 0 || (orders && strcmp(other, "0") == 0))
        return NULL;
    return format_string(b->e->arena, "%s %s %s", without_brackets(b, first), sign, without_brackets(b, other));
}

static bool is_condition(const struct node *node) {
    return node->kind == NODE_DELTA || node->kind == NODE_SELECT || node->kind == NODE_LOWER;
}

static void print_offset(struct text *out, const struct body *b, const struct buffer *buffer, const label *loop) {
    const struct graph *graph = b->e->graph;
    uint8_t rank = graph_node(graph, buffer->node)->rank;
    size_t begin = out->len;
    for (uint8_t i = 0; i < rank; i++) {
        poly stride = buffer_stride(graph, buffer, buffer->order[i]);
        const char *index = b->loop_name[loop[buffer->order[i]]];
        if (strcmp(index, "0") == 0 && (i + 1 < rank || out->len > begin))
            continue;
        text_puts(out, out->len > begin ? " + " : "");
        print_multiple(out, b, index, stride);
    }
    if (!buffer->base || is_number(b, buffer->offset, 0))
        return;
    text_puts(out, out->len > begin ? " + " : "");
    signature_poly(out, b->e, b->s, buffer->offset, false);
}

void c_element(struct text *out, const struct body *b, uint32_t index, const label *loop) {
    const struct buffer *buffer = &b->s->plan->buffers.at[index];
    bool scalar = graph_node(b->e->graph, buffer->node)->rank == 0;
    bool by_value = buffer->storage == STORE_LOCAL || /* an input with a shape is an array, if of one element */
                    (buffer->storage == STORE_INPUT && b->s->function->inputs.at[buffer->index].rank == 0);
    if (buffer->storage == STORE_TEMP || (scalar && by_value)) {
        text_puts(out, b->buffer_name[index]);
    } else if (scalar) {
        text_printf(out, "*%s", b->buffer_name[index]);
    } else {
        text_printf(out, "%s[", b->buffer_name[index]);
        print_offset(out, b, buffer, loop);
        text_putc(out, ']');
    }
}

static void print_operand(struct text *out, const struct body *b, const struct operand *operand, const label *loop_of,
                          enum c_level level) {
    label loop[MAX_RANK];
    for (uint8_t a = 0; a < graph_node(b->e->graph, operand->node)->rank; a++)
        loop[a] = loop_of[operand->at[a]];
    c_expression(out, b, operand->node, loop, false, level);
}

static void print_call(struct text *out, const struct body *b, const struct node *node, const label *loop_of) {
    const struct op_record *record = &op_records[node->op];
    if (record->c && strncmp(record->c, "mx_", 3) != 0)
        text_printf(out, "%s%s(", record->c, b->e->f32 ? "f" : "");
    else
        text_printf(out, "%s%s_%s(", record->c ? "" : "mx_", record->c ? record->c : record->name, real_suffix(b->e));
    for (uint32_t i = 0; i < node->count; i++) {
        text_puts(out, i ? ", " : "");
        print_operand(out, b, &node->operands[i], loop_of, C_ADDITIVE);
    }
    text_putc(out, ')');
}

/* Is the operand 1/x with x written here? Then a product divides by x. */
static const struct node *divisor(const struct body *b, const struct operand *operand) {
    const struct node *node = graph_node(b->e->graph, operand->node);
    bool divides = node->kind == NODE_MAP && node->op == OP_reciprocal;
    return divides && !sparse_get(&b->s->plan->buffer_of, operand->node) ? node : NULL;
}

static void print_divisor(struct text *out, const struct body *b, const struct operand *operand,
                          const struct node *node, const label *loop_of) {
    label loop[MAX_RANK];
    for (uint8_t a = 0; a < node->rank; a++)
        loop[a] = loop_of[operand->at[a]];
    print_operand(out, b, &node->operands[0], loop, C_UNARY);
}

/* "i == j && k >= l", "" if all hold. */
static const char *conditions(const struct body *b, const struct node *node, const label *loop_of) {
    struct text text = text_new(b->e->arena);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *factor = graph_node(b->e->graph, node->operands[i].node);
        label loop[MAX_RANK] = {0};
        if (!is_condition(factor))
            continue;
        for (uint8_t a = 0; a < factor->rank; a++)
            loop[a] = loop_of[node->operands[i].at[a]];
        const char *holds = condition(b, factor, loop);
        if (holds)
            text_printf(&text, "%s%s", text.len ? " && " : "", holds);
    }
    return text_string(&text);
}

static void print_factors(struct text *out, const struct body *b, const struct node *node, const label *loop_of,
                          double number, bool scalars, bool others) {
    size_t begin = out->len;
    bool any = number != 1 && number != -1;
    text_puts(out, number == -1 ? "-" : "");
    if (any)
        c_number(out, b->e, number);
    for (int divide = 0; divide < 2; divide++)
        for (uint32_t i = 0; i < node->count; i++) {
            const struct operand *operand = &node->operands[i];
            bool scalar = graph_node(b->e->graph, operand->node)->rank == 0;
            const struct node *below = divisor(b, operand);
            if (!(scalar ? scalars : others) || (below != NULL) != divide ||
                is_condition(graph_node(b->e->graph, operand->node)))
                continue;
            if (divide && !any)
                c_number(out, b->e, 1);
            text_puts(out, divide ? " / " : any ? " * " : "");
            if (divide)
                print_divisor(out, b, operand, below, loop_of);
            else
                print_operand(out, b, operand, loop_of, C_UNARY);
            any = true;
        }
    if (!any)
        c_number(out, b->e, 1);
    if (out->len == begin)
        c_number(out, b->e, 1);
}

void c_product(struct text *out, const struct body *b, const struct node *node, const label *loop_of, double number,
               bool scalars, bool others) {
    const char *holds = others ? conditions(b, node, loop_of) : "";
    text_printf(out, *holds ? "(%s ? " : "%s", holds);
    print_factors(out, b, node, loop_of, number, scalars, others);
    if (*holds) {
        text_puts(out, " : ");
        c_number(out, b->e, 0);
        text_putc(out, ')');
    }
}

static void print_term(struct text *out, const struct body *b, const struct operand *term, const label *loop_of,
                       bool first) {
    const struct node *node = graph_node(b->e->graph, term->node);
    double coefficient = first ? term->coefficient : fabs(term->coefficient);
    if (!first)
        text_puts(out, term->coefficient < 0 ? " - " : " + ");
    if (node->kind == NODE_NUMBER) {
        c_number(out, b->e, node->number * coefficient);
        return;
    }
    if (coefficient == -1) {
        text_putc(out, '-');
    } else if (coefficient != 1) {
        c_number(out, b->e, coefficient);
        text_puts(out, " * ");
    }
    print_operand(out, b, term, loop_of, coefficient == 1 ? C_MULTIPLICATIVE : C_UNARY);
}

/* Terms with a plus first. */
static void print_sum(struct text *out, const struct body *b, const struct node *node, const label *loop_of) {
    bool first = true;
    for (int minus = 0; minus < 2; minus++)
        for (uint32_t i = 0; i < node->count; i++)
            if ((node->operands[i].coefficient < 0) == minus) {
                print_term(out, b, &node->operands[i], loop_of, first);
                first = false;
            }
}

/* The only factor that is printed of a product, NULL if there are several or a number. */
static const struct operand *only_factor(const struct graph *graph, const struct node *product) {
    const struct operand *only = NULL;
    for (uint32_t i = 0; i < product->count; i++) {
        bool counts = !is_condition(graph_node(graph, product->operands[i].node));
        if (counts && only)
            return NULL;
        only = counts ? &product->operands[i] : only;
    }
    return product->number == 1 ? only : NULL;
}

static enum c_level level_of(const struct body *b, const struct node *node) {
    const struct operand *only;
    switch (node->kind) {
    case NODE_SUM:
        return C_ADDITIVE;
    case NODE_PRODUCT:
        only = only_factor(b->e->graph, node);
        return only && sparse_get(&b->s->plan->buffer_of, only->node) ? C_PRIMARY : C_MULTIPLICATIVE;
    case NODE_NUMBER:
        return node->number < 0 || isinf(node->number) ? C_MULTIPLICATIVE : C_PRIMARY;
    case NODE_MAP:
        return node->op == OP_reciprocal ? C_MULTIPLICATIVE : C_PRIMARY;
    default:
        return C_PRIMARY;
    }
}

static void print_definition(struct text *out, const struct body *b, const struct node *node, const label *loop_of) {
    switch (node->kind) {
    case NODE_NUMBER:
        c_number(out, b->e, node->number);
        break;
    case NODE_DIM:
        text_printf(out, "(%s)(", real_name(b->e));
        signature_poly(out, b->e, b->s, node->dim, false);
        text_putc(out, ')');
        break;
    case NODE_DELTA:
    case NODE_SELECT:
    case NODE_LOWER: {
        struct operand self = {.node = (node_id)(node - b->e->graph->nodes.at), .at = {0, 1, 2, 3, 4, 5, 6, 7}};
        c_product(out, b, &(struct node){.kind = NODE_PRODUCT, .count = 1, .operands = &self}, loop_of, 1, true, true);
        break;
    }
    case NODE_PRODUCT:
        if (node->count == 0)
            c_number(out, b->e, node->number);
        else
            c_product(out, b, node, loop_of, node->number, true, true);
        break;
    case NODE_SUM:
        print_sum(out, b, node, loop_of);
        break;
    case NODE_MAP:
        if (node->op == OP_reciprocal) {
            c_number(out, b->e, 1);
            text_puts(out, " / ");
            print_operand(out, b, &node->operands[0], loop_of, C_UNARY);
        } else {
            print_call(out, b, node, loop_of);
        }
        break;
    default: /* a reduction's operand, one at a time */
        print_operand(out, b, &node->operands[0], loop_of, C_ADDITIVE);
    }
}

/* Something that stands inline has loops for its axes only. */
static void print_inline(struct text *out, const struct body *b, node_id id, const label *loop_of) {
    const struct node *node = graph_node(b->e->graph, id);
    label all[MAX_LABELS], names = *b->names;
    memset(all, LOOP_DERIVED, sizeof all);
    memcpy(all, loop_of, node->rank);
    c_name_derived(b, id, false, all);
    print_definition(out, b, node, all);
    *b->names = names;
}

void c_expression(struct text *out, const struct body *b, node_id id, const label *loop_of, bool top,
                  enum c_level level) {
    const struct node *node = graph_node(b->e->graph, id);
    uint32_t buffer = top ? 0 : sparse_get(&b->s->plan->buffer_of, id);
    if (buffer) {
        c_element(out, b, buffer, loop_of);
        return;
    }
    bool brackets = level_of(b, node) < level;
    text_puts(out, brackets ? "(" : "");
    if (!top && node->kind == NODE_PRODUCT)
        print_inline(out, b, id, loop_of);
    else
        print_definition(out, b, node, loop_of);
    text_puts(out, brackets ? ")" : "");
}
