/* Calls of the runtime's factorisations and solves. */
#include "failure.h"
#include "kernels.h"

#include <string.h>

/* A matrix of one call: where it is, its strides along rows and columns. */
static void print_array(struct text *out, const struct body *b, uint32_t buffer, label rows, label columns) {
    print_start(out, b, buffer);
    text_puts(out, ", ");
    print_stride(out, b, buffer, rows);
    text_puts(out, ", ");
    print_stride(out, b, buffer, columns);
}

static poly matrix_size(const struct body *b, const struct node *node) {
    const struct node *first = graph_node(b->e->graph, node->operands[0].node);
    if (op_records[node->op].shape == SHAPE_OF_FACTOR)
        first = graph_node(b->e->graph, first->operands[0].node);
    return op_records[node->op].shape == SHAPE_SOLVE ? node->size[0] : first->size[0];
}

/* "mx_check_regular_f64(n, t3)"; of a scalar "(1, &s1)". */
static void print_check(struct text *out, const struct body *b, const struct node *node, uint32_t target) {
    if (node->rank) {
        signature_poly(out, b->e, b->s, node->size[0], false);
        text_printf(out, ", %s)", b->buffer_name[target]);
    } else {
        text_puts(out, "1, &");
        c_element(out, b, target, NULL);
        text_putc(out, ')');
    }
}

static void print_columns(struct text *out, const struct body *b, const struct node *node) {
    if (node->rank > 1)
        print_call_size(out, b, node->size[1]);
    else
        text_putc(out, '1');
}

/* Triangular: 1 if what is solved with is lower, its strides as it is read. LU: 1 if the transpose is solved with. */
static void print_divisor(struct text *out, const struct body *b, const struct node *node, uint32_t divisor) {
    bool transposed = node->along & SOLVE_TRANSPOSED, lower = node->along & SOLVE_LOWER;
    if (node->op == OP_lu_solve) {
        text_printf(out, "%d, %s", transposed, b->buffer_name[divisor]);
        return;
    }
    text_printf(out, "%d, ", lower != transposed);
    print_array(out, b, divisor, transposed, !transposed);
}

static void print_scalar(struct text *out, const struct body *b, uint32_t target, const char *divisor, bool fails) {
    if (fails) {
        text_printf(out, ", %s, &", divisor);
        c_element(out, b, target, NULL);
        text_putc(out, ')');
    } else {
        text_printf(out, ", %s)", divisor);
    }
}

/* "mx_solve_lu_f64(n, 1, 0, F, x, 1, 1, work)". */
static void print_call(struct text *out, const struct body *b, const struct kernel *kernel) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    const struct op_record *record = &op_records[node->op];
    uint32_t divisor = sparse_get(&b->s->plan->buffer_of, node->operands[0].node);
    text_printf(out, "%s_%s(", record->c, real_suffix(b->e));
    if (record->shape == SHAPE_PIVOTS) {
        print_check(out, b, node, kernel->target);
        return;
    }
    print_call_size(out, b, matrix_size(b, node));
    if (record->shape == SHAPE_OF_FACTOR) {
        print_scalar(out, b, kernel->target, b->buffer_name[divisor], record->status != NULL);
        return;
    }
    text_puts(out, ", ");
    if (record->shape == SHAPE_SOLVE) {
        print_columns(out, b, node);
        text_puts(out, ", ");
        print_divisor(out, b, node, divisor);
        text_puts(out, ", ");
        print_array(out, b, kernel->target, 0, node->rank > 1 ? 1 : AXIS_UNIT);
    } else {
        bool swapped = node->operands[0].at[0] > node->operands[0].at[1];
        print_array(out, b, divisor, swapped, !swapped);
        text_puts(out, ", ");
        if (record->shape == SHAPE_FACTOR)
            text_puts(out, b->buffer_name[kernel->target]);
        else
            print_array(out, b, kernel->target, 0, 1);
    }
    text_printf(out, ", %s)", b->gemm_work);
}

void print_matrix_call(struct text *out, const struct body *b, const struct kernel *kernel, int depth) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    const struct op_record *record = &op_records[node->op];
    indent(out, depth);
    if (record->status) {
        text_puts(out, "const int status = ");
    } else if (record->shape == SHAPE_OF_FACTOR) {
        c_element(out, b, kernel->target, NULL);
        text_puts(out, " = ");
    }
    print_call(out, b, kernel);
    text_puts(out, ";\n");
    if (record->status)
        print_failure(out, b, "status", depth);
}

/* "mx_lu_f64_worksize(n)": what the call needs; nothing where it needs none. */
bool print_matrix_worksize(struct text *out, const struct body *b, const struct kernel *kernel) {
    const struct node *node = graph_node(b->e->graph, kernel->node);
    static const char *const factors[] = {[OP_lu] = "lu", [OP_cholesky_factor] = "cholesky"};
    bool solves = op_records[node->op].shape == SHAPE_SOLVE;
    if (!kernel_calls(b->e->graph, kernel))
        return false;
    text_printf(out, "mx_%s_%s_worksize(", solves ? "trsm" : factors[node->op], real_suffix(b->e));
    print_call_size(out, b, matrix_size(b, node));
    if (solves) {
        text_puts(out, ", ");
        print_columns(out, b, node);
    }
    text_putc(out, ')');
    return true;
}
