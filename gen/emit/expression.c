#include "expression.h"

#include <math.h>
#include <string.h>

void c_number(struct text *out, const struct emission *e, double number) {
    struct text digits = text_new(e->arena);
    if (isnan(number) || isinf(number)) {
        text_puts(out, isnan(number) ? "NAN" : number < 0 ? "-INFINITY" : "INFINITY");
        return;
    }
    text_double(&digits, number);
    text_puts(out, text_string(&digits));
    if (!strpbrk(text_string(&digits), ".e"))
        text_puts(out, ".0");
    text_puts(out, e->f32 ? "f" : "");
}

static void print_offset(struct text *out, const struct body *b, const struct buffer *buffer, const label *loop) {
    const struct graph *graph = b->e->graph;
    uint8_t rank = graph_node(graph, buffer->node)->rank;
    for (uint8_t i = 0; i < rank; i++) {
        poly stride = buffer_stride(graph, buffer, buffer->order[i]);
        int64_t one;
        text_printf(out, "%s%s", i ? " + " : "", b->loop_name[loop[buffer->order[i]]]);
        if (poly_is_number(graph->polys, stride, &one) && one == 1)
            continue;
        text_puts(out, " * ");
        signature_poly(out, b->e, b->s, stride, true);
    }
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
    return divides && !map_get(&b->s->plan->buffer_of, operand->node) ? node : NULL;
}

static void print_divisor(struct text *out, const struct body *b, const struct operand *operand,
                          const struct node *node, const label *loop_of) {
    label loop[MAX_RANK];
    for (uint8_t a = 0; a < node->rank; a++)
        loop[a] = loop_of[operand->at[a]];
    print_operand(out, b, &node->operands[0], loop, C_UNARY);
}

void c_product(struct text *out, const struct body *b, const struct node *node, const label *loop_of, double number,
               bool scalars, bool others) {
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
            if (!(scalar ? scalars : others) || (below != NULL) != divide)
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

static enum c_level level_of(const struct node *node) {
    switch (node->kind) {
    case NODE_SUM:
        return C_ADDITIVE;
    case NODE_PRODUCT:
        return C_MULTIPLICATIVE;
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
        if (loop_of[0] == loop_of[1]) {
            c_number(out, b->e, 1);
            break;
        }
        text_printf(out, "(%s)(%s == %s)", real_name(b->e), b->loop_name[loop_of[0]], b->loop_name[loop_of[1]]);
        break;
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

void c_expression(struct text *out, const struct body *b, node_id id, const label *loop_of, bool top,
                  enum c_level level) {
    const struct node *node = graph_node(b->e->graph, id);
    uint32_t buffer = top ? 0 : map_get(&b->s->plan->buffer_of, id);
    if (buffer) {
        c_element(out, b, buffer, loop_of);
        return;
    }
    bool brackets = level_of(node) < level;
    text_puts(out, brackets ? "(" : "");
    print_definition(out, b, node, loop_of);
    text_puts(out, brackets ? ")" : "");
}
