/* The textual dump, and the check of the invariants. */
#include "graph.h"

#include <string.h>

static const char *const kind_name[] = {"none",    "input", "number", "dim",    "delta", "select", "lower",
                                        "product", "sum",   "map",    "reduce", "along", "matrix"};

static char letter(label l) {
    return l < 26 ? "ijklmnpqrstuvwxyzabcdefgho"[l] : '?';
}

static void print_labels(struct text *text, const label *at, uint8_t rank) {
    text_putc(text, '[');
    for (uint8_t a = 0; a < rank; a++)
        text_putc(text, letter(at[a]));
    text_putc(text, ']');
}

static void print_operands(struct text *text, const struct graph *graph, const struct node *node) {
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        text_putc(text, ' ');
        if (node->kind == NODE_SUM) {
            text_double(text, operand->coefficient);
            text_putc(text, '*');
        }
        text_printf(text, "%%%u", operand->node);
        print_labels(text, operand->at, graph_node(graph, operand->node)->rank);
    }
}

static void print_map(struct text *text, const struct graph *graph, const struct node *select) {
    text_printf(text, " %c = %s", letter(0), poly_string(graph->arena, graph->polys, select->dim));
    for (label a = 1; a < select->rank; a++) {
        const char *step = poly_string(graph->arena, graph->polys, select->step[a]);
        text_printf(text, strchr(step, ' ') ? " + (%s)*%c" : " + %s*%c", step, letter(a));
    }
}

static void print_node(struct text *text, const struct graph *graph, node_id id, const struct sources *sources) {
    const struct node *node = graph_node(graph, id);
    label axes[MAX_RANK];
    text_printf(text, "%%%u = %s", id, kind_name[node->kind]);
    if (node->op)
        text_printf(text, " %s", op_spelling(node->op));
    if (node->kind == NODE_INPUT)
        text_printf(text, " %s", node->name);
    if (node->kind == NODE_NUMBER || node->kind == NODE_PRODUCT) {
        text_putc(text, ' ');
        text_double(text, node->number);
    }
    if (node->kind == NODE_SELECT)
        print_map(text, graph, node);
    if (node->kind == NODE_DIM)
        text_printf(text, " %s", poly_string(graph->arena, graph->polys, node->dim));
    print_operands(text, graph, node);
    for (label l = 0; l < node->rank; l++)
        axes[l] = graph_order(graph, id)[l];
    text_puts(text, " -> ");
    print_labels(text, axes, node->rank);
    for (label l = 0; l < node->labels; l++)
        text_printf(text, "%s%c=%s", l ? ", " : " : ", letter(l),
                    poly_string(graph->arena, graph->polys, node->size[l]));
    for (label l = 0; l < node->rank && node->kind == NODE_ALONG; l++)
        if (node->along >> l & 1)
            text_printf(text, ", along %c", letter(l));
    text_puts(text, node->kind == NODE_MATRIX && node->along & SOLVE_TRANSPOSED ? ", transposed" : "");
    if (graph->spans.at[id].end)
        text_printf(text, "  # line %u", source_place(sources, graph->spans.at[id].begin).line);
    text_putc(text, '\n');
}

void graph_print(struct text *text, const struct graph *graph, const node_id *roots, size_t count,
                 const struct sources *sources) {
    bool *needed = NEW_ARRAY(graph->arena, graph->nodes.len, bool);
    graph_mark(graph, roots, count, needed);
    for (node_id id = 1; id < graph->nodes.len; id++)
        if (needed[id])
            print_node(text, graph, id, sources);
}

static const char *verify_operand(const struct graph *graph, node_id id, const struct operand *operand,
                                  bool used[MAX_LABELS]) {
    const struct node *node = graph_node(graph, id), *from = graph_node(graph, operand->node);
    if (operand->node == 0 || operand->node >= id)
        return "an operand does not come before its user";
    for (uint8_t a = 0; a < from->rank; a++) {
        if (operand->at[a] >= node->labels)
            return "an operand is read at a label that its user does not have";
        if (from->size[a] != node->size[operand->at[a]])
            return "a label and an axis read at it differ in size";
        used[operand->at[a]] = true;
    }
    return NULL;
}

static const char *verify_node(const struct graph *graph, node_id id) {
    const struct node *node = graph_node(graph, id);
    bool used[MAX_LABELS] = {false};
    if (node->rank > MAX_RANK || node->labels > MAX_LABELS || node->rank > node->labels)
        return "too many axes or labels";
    if (node->kind != NODE_PRODUCT && node->kind != NODE_REDUCE && node->kind != NODE_MATRIX &&
        node->labels != node->rank)
        return "a label is summed outside a product or reduction";
    for (uint32_t i = 0; i < node->count; i++) {
        const char *wrong = verify_operand(graph, id, &node->operands[i], used);
        if (wrong)
            return wrong;
    }
    for (label l = node->rank; l < node->labels; l++)
        if (!used[l])
            return "a summed label has no operand";
    return NULL;
}

const char *graph_verify(const struct graph *graph) {
    for (node_id id = 1; id < graph->nodes.len; id++) {
        const char *wrong = verify_node(graph, id);
        if (wrong)
            return format_string(graph->arena, "graph: node %%%u: %s", id, wrong);
    }
    return NULL;
}
