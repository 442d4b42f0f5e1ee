/* A product is read back by eliminating its summed labels one at a time, as in a network of resistances: factors
 * between the same two labels join elementwise; a summed label with one matrix at it turns that matrix into a vector at
 * its other end; one with two matrices makes their matrix product. What cannot be reduced that way is said as an
 * einsum. */
#include "pieces.h"

#include <string.h>

enum { DEEPEST = 200, NEVER = 9 };

static struct piece write_node(struct printer *p, node_id id, const label *order, bool top);

static bool is_reciprocal(const struct printer *p, node_id id) {
    const struct node *node = graph_node(p->graph, id);
    label order[MAX_RANK];
    return node->kind == NODE_MAP && op_records[node->op].flags & OP_RECIPROCAL &&
           !p->names.name(p->names.context, id, order);
}

static void take_out(struct parts *parts, uint32_t i) {
    memmove(&parts->at[i], &parts->at[i + 1], (parts->count - i - 1) * sizeof *parts->at);
    parts->count--;
}

/* The order in which a factor is written: that of its name, or as it was first read; but along the result's two axes
 * where it has just those, so that nothing is transposed twice. */
static void order_of_part(struct printer *p, const struct node *product, const label *result,
                          const struct operand *operand, node_id id, label order[MAX_RANK]) {
    if (!p->names.name(p->names.context, id, order))
        memcpy(order, graph_order(p->graph, id), MAX_RANK);
    if (product->rank == 2 && operand->at[order[0]] == result[1] && operand->at[order[1]] == result[0]) {
        label first = order[0];
        order[0] = order[1];
        order[1] = first;
    }
}

/* Of a factor 1 / x, x as the factor was read; false if it is none. */
static bool take_divisor(const struct printer *p, struct operand *operand) {
    const struct node *node = graph_node(p->graph, operand->node);
    struct operand divisor = node->count ? node->operands[0] : *operand;
    if (!is_reciprocal(p, operand->node) || graph_node(p->graph, divisor.node)->rank != node->rank)
        return false;
    for (uint8_t a = 0; a < node->rank; a++)
        divisor.at[a] = operand->at[node->operands[0].at[a]];
    *operand = divisor;
    return true;
}

static struct part part_of(struct printer *p, const struct node *product, const label *result, struct operand operand) {
    label order[MAX_RANK] = {0};
    struct part part = {.divides = take_divisor(p, &operand)};
    part.rank = graph_node(p->graph, operand.node)->rank;
    part.symmetric = graph_structure(p->graph, operand.node) & STRUCTURE_SYMMETRIC;
    if (part.rank == 2)
        order_of_part(p, product, result, &operand, operand.node, order);
    part.piece = write_node(p, operand.node, order, false);
    for (uint8_t i = 0; i < part.rank; i++)
        part.at[i] = operand.at[order[i]];
    if (part.rank == 2 && part.at[0] == part.at[1]) {
        part.piece = call(p, "diag", part.piece);
        part.rank = 1;
    }
    return part;
}

static struct parts split(struct printer *p, const struct node *node, const label *order) {
    struct parts parts = {.count = 0};
    bool *index = NEW_ARRAY(p->arena, node->count, bool);
    for (uint32_t i = 0; i < node->count && p->length <= p->longest; i++) {
        index[i] = factor_of(p, node, i)->kind == NODE_SELECT || factor_of(p, node, i)->kind == NODE_LOWER;
        if (index[i])
            continue;
        if (graph_node(p->graph, node->operands[i].node)->rank > 2 || parts.count == MAX_LABELS)
            parts.stuck = true;
        else
            parts.at[parts.count++] = part_of(p, node, order, node->operands[i]);
    }
    for (uint32_t i = 0; i < node->count && p->length <= p->longest; i++) {
        if (!index[i] || piece_apply_index(p, &parts, node, i))
            continue;
        if (factor_of(p, node, i)->rank > 2 || parts.count == MAX_LABELS)
            parts.stuck = true;
        else
            parts.at[parts.count++] = part_of(p, node, order, node->operands[i]);
    }
    return parts;
}

/* All vectors (scalars: rank 0) at a label as one; false if there is none. */
static bool join_at(struct printer *p, struct parts *parts, uint8_t rank, label l, struct part *joined) {
    struct piece up = {NULL, LEVEL_SUM};
    for (int divides = 0; divides < 2; divides++)
        for (uint32_t i = 0; i < parts->count;) {
            struct part part = parts->at[i];
            if (part.rank != rank || part.divides != divides || (rank == 1 && part.at[0] != l)) {
                i++;
                continue;
            }
            take_out(parts, i);
            if (!up.text && divides)
                up = make(p, LEVEL_POSTFIX, "1");
            up = up.text ? binary(p, up, divides ? "/" : "*", part.piece) : part.piece;
        }
    *joined = (struct part){.at = {l}, .rank = rank, .piece = up};
    return up.text != NULL;
}

static void put(struct parts *parts, struct part part) {
    parts->at[parts->count++] = part;
}

static struct piece oriented(struct printer *p, const struct part *matrix, label rows) {
    return matrix->at[0] == rows || matrix->symmetric ? matrix->piece : transposed(p, matrix->piece);
}

static bool are_parallel(const struct part *a, const struct part *b) {
    return a->rank == 2 && b->rank == 2 &&
           ((a->at[0] == b->at[0] && a->at[1] == b->at[1]) || (a->at[0] == b->at[1] && a->at[1] == b->at[0]));
}

/* A matrix that divides others between the same two labels, or ones. */
static void divide_matrices(struct printer *p, struct parts *parts) {
    for (uint32_t i = 0; i < parts->count; i++) {
        struct part *a = &parts->at[i], *b = NULL;
        if (a->rank != 2 || !a->divides)
            continue;
        for (uint32_t k = 0; k < parts->count && !b; k++)
            if (k != i && !parts->at[k].divides && are_parallel(a, &parts->at[k]))
                b = &parts->at[k];
        a->divides = false;
        if (!b) {
            a->piece = binary(p, make(p, LEVEL_POSTFIX, "1"), "/", a->piece);
            continue;
        }
        b->piece = binary(p, b->piece, "/", oriented(p, a, b->at[0]));
        b->symmetric = a->symmetric && b->symmetric;
        take_out(parts, i--);
    }
}

/* Matrices between the same two labels become one, elementwise. */
static void join_parallel(struct printer *p, struct parts *parts) {
    for (uint32_t i = 0; i < parts->count; i++)
        for (uint32_t k = i + 1; parts->at[i].rank == 2 && k < parts->count;) {
            struct part *a = &parts->at[i], *b = &parts->at[k];
            if (!are_parallel(a, b) || a->divides != b->divides) {
                k++;
                continue;
            }
            a->piece = binary(p, a->piece, "*", oriented(p, b, a->at[0]));
            a->symmetric = a->symmetric && b->symmetric;
            take_out(parts, k);
        }
}

static uint32_t matrices_at(const struct parts *parts, label l, uint32_t found[2]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->at[i].rank == 2 && (parts->at[i].at[0] == l || parts->at[i].at[1] == l)) {
            if (count < 2)
                found[count] = i;
            count++;
        }
    return count;
}

static label other_end(const struct part *matrix, label l) {
    return matrix->at[0] == l ? matrix->at[1] : matrix->at[0];
}

/* sum_l v_l: a scalar. Two plain factors are a dot product. */
static void sum_vector(struct printer *p, struct parts *parts, label l) {
    struct part vectors[2], joined;
    uint32_t count = 0;
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->at[i].rank == 1 && parts->at[i].at[0] == l) {
            if (count < 2)
                vectors[count] = parts->at[i];
            count += parts->at[i].divides ? 3 : 1;
        }
    join_at(p, parts, 1, l, &joined);
    struct piece sum = count == 2
                           ? make(p, LEVEL_POSTFIX,
                                  format_string(p->arena, "dot(%s, %s)", vectors[0].piece.text, vectors[1].piece.text))
                           : call(p, "sum", joined.piece);
    put(parts, (struct part){.piece = sum});
}

static bool has_part_at(const struct parts *parts, label l) {
    for (uint32_t i = 0; i < parts->count; i++)
        if ((parts->at[i].rank && parts->at[i].at[0] == l) || (parts->at[i].rank == 2 && parts->at[i].at[1] == l))
            return true;
    return false;
}

/* sum_l M_ol v_l: a vector at o; sum_ol M_ol, with nothing else at either, a scalar. */
static void absorb_into_vector(struct printer *p, struct parts *parts, label l, uint32_t matrix, bool *summed) {
    struct part m = parts->at[matrix], vector;
    label o = other_end(&m, l);
    take_out(parts, matrix);
    struct piece piece;
    if (summed[o] && !has_part_at(parts, l) && !has_part_at(parts, o)) {
        summed[o] = false;
        put(parts, (struct part){.piece = call(p, "sum", m.piece)});
        return;
    }
    if (join_at(p, parts, 1, l, &vector))
        piece = binary(p, oriented(p, &m, o), "@", vector.piece);
    else
        piece = make(p, LEVEL_POSTFIX, format_string(p->arena, "sum(%s, axis=%d)", m.piece.text, m.at[0] == o));
    put(parts, (struct part){.at = {o}, .rank = 1, .piece = piece});
}

/* sum_l M_al (v_l) N_lb: a matrix. */
static void chain(struct printer *p, struct parts *parts, label l, const uint32_t two[2], label first_row) {
    struct part m = parts->at[two[0]], n = parts->at[two[1]], vector;
    if (other_end(&n, l) == first_row) {
        struct part swap = m;
        m = n;
        n = swap;
    }
    label a = other_end(&m, l), b = other_end(&n, l);
    take_out(parts, two[1]);
    take_out(parts, two[0]);
    struct piece left = oriented(p, &m, a);
    if (join_at(p, parts, 1, l, &vector))
        left = binary(p, left, "*", vector.piece);
    put(parts, (struct part){.at = {a, b}, .rank = 2, .piece = binary(p, left, "@", oriented(p, &n, l))});
}

/* How late a product of two matrices comes in a chain: a square one times one that is not changes no shape, so nothing
 * grows; two square ones can wait. Of equal ones the first one in the chain, so that it reads from left to right. */
static int lateness(const struct node *node, const struct part *a, const struct part *b, label first_row) {
    bool square[2] = {node->size[a->at[0]] == node->size[a->at[1]], node->size[b->at[0]] == node->size[b->at[1]]};
    bool first = a->at[0] == first_row || a->at[1] == first_row || b->at[0] == first_row || b->at[1] == first_row;
    return (square[0] != square[1] ? 2 : square[0] ? 6 : 4) + !first;
}

/* When a summed label is eliminated, with the matrices that have it: vectors first, then chains. */
static int turn_of(const struct node *node, const struct parts *parts, label l, label first_row, uint32_t found[2]) {
    uint32_t ends = matrices_at(parts, l, found);
    return ends < 2   ? (int)ends
           : ends > 2 ? NEVER
                      : lateness(node, &parts->at[found[0]], &parts->at[found[1]], first_row);
}

/* Eliminates one summed label; false if none of those left can be. */
static bool eliminate(struct printer *p, struct parts *parts, bool *summed, const struct node *node, label first_row) {
    uint32_t found[2];
    label next = 0;
    int turn = NEVER;
    for (label l = 0; l < node->labels; l++) {
        int own = summed[l] ? turn_of(node, parts, l, first_row, found) : NEVER;
        next = own < turn ? l : next;
        turn = own < turn ? own : turn;
    }
    if (turn == NEVER)
        return false;
    matrices_at(parts, next, found);
    summed[next] = false;
    if (turn == 0)
        sum_vector(p, parts, next);
    else if (turn == 1)
        absorb_into_vector(p, parts, next, found[0], summed);
    else
        chain(p, parts, next, found, first_row);
    join_parallel(p, parts);
    return true;
}

static struct piece ones(struct printer *p, poly size) {
    return make(p, LEVEL_POSTFIX, format_string(p->arena, "ones(%s)", poly_string(p->arena, p->graph->polys, size)));
}

static struct piece matrix_result(struct printer *p, struct parts *parts, const struct node *node, label rows,
                                  label columns) {
    struct part matrix = {.rank = 0}, left, right;
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->at[i].rank == 2) {
            matrix = parts->at[i];
            take_out(parts, i);
            break;
        }
    bool has_left = join_at(p, parts, 1, rows, &left), has_right = join_at(p, parts, 1, columns, &right);
    if (!matrix.rank && !has_left && !has_right)
        return make(p, LEVEL_POSTFIX,
                    format_string(p->arena, "ones(%s, %s)", poly_piece(p, node->size[rows]).text,
                                  poly_piece(p, node->size[columns]).text));
    if (!matrix.rank)
        return make(p, LEVEL_POSTFIX,
                    format_string(p->arena, "outer(%s, %s)", (has_left ? left.piece : ones(p, node->size[rows])).text,
                                  (has_right ? right.piece : ones(p, node->size[columns])).text));
    struct piece piece = oriented(p, &matrix, rows);
    if (has_left && piece.level == LEVEL_POSTFIX && strncmp(piece.text, "eye(", 4) == 0)
        piece = call(p, "diag", left.piece);
    else if (has_left)
        piece = binary(p, call(p, "diag", left.piece), "@", piece);
    return has_right ? binary(p, piece, "*", right.piece) : piece;
}

/* coefficient * scalars * piece / scalars; piece.text NULL: nothing but scalars. */
static struct piece scaled(struct printer *p, double number, struct parts *parts, struct piece piece) {
    struct piece up = {NULL, LEVEL_SUM}, down = up;
    bool minus = number < 0;
    if (number != 1 && number != -1)
        up = number_piece(p, minus ? -number : number);
    for (uint32_t i = 0; i < parts->count; i++) {
        struct piece *joined = parts->at[i].divides ? &down : &up;
        if (parts->at[i].rank == 0)
            *joined = joined->text ? binary(p, *joined, "*", parts->at[i].piece) : parts->at[i].piece;
    }
    if (piece.text)
        up = up.text ? binary(p, up, "*", piece) : piece;
    if (!up.text)
        up = make(p, LEVEL_POSTFIX, "1");
    if (down.text)
        up = binary(p, up, "/", down);
    if (minus)
        up = make(p, LEVEL_PRODUCT, format_string(p->arena, "-%s", at_level(p, up, LEVEL_PRODUCT)));
    return up;
}

static bool is_dimension(const struct polys *polys, char c) {
    for (size_t i = 0; i < polys->names.len; i++)
        if (polys->names.at[i][0] == c && !polys->names.at[i][1])
            return true;
    return false;
}

/* The letter of a label; none that a dimension is called by, while there are others. */
static char letter(const struct printer *p, label l) {
    static const char letters[] = "ijklmnpqrstuvwxyzabcdefgho";
    label left = l;
    for (const char *c = letters; *c; c++)
        if (!is_dimension(p->graph->polys, *c) && left-- == 0)
            return *c;
    return letters[l % 26];
}

/* "1 + i", of a selector's axes behind the first. */
static const char *selected(struct printer *p, const struct node *select, const label *at) {
    struct text text = text_new(p->arena);
    for (uint8_t a = 1; a < select->rank; a++) {
        struct piece step = poly_piece(p, select->step[a]);
        text_puts(&text, a > 1 ? " + " : "");
        if (strcmp(step.text, "1") != 0)
            text_printf(&text, "%s*", at_level(p, step, LEVEL_PRODUCT));
        text_putc(&text, letter(p, at[a]));
    }
    struct piece offset = poly_piece(p, select->dim);
    if (strcmp(offset.text, "0") != 0 || select->rank == 1)
        text_printf(&text, "%s%s", text.len ? " + " : "", offset.text);
    return text_string(&text);
}

/* "where p = i*n + j": how the indices of the others hang together. */
static bool print_where(struct printer *p, struct text *text, const struct node *node) {
    bool any = false;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        const struct node *factor = graph_node(p->graph, operand->node);
        if (factor->kind != NODE_SELECT)
            continue;
        text_printf(text, "%s%c = %s", any ? ", " : " where ", letter(p, operand->at[0]),
                    selected(p, factor, operand->at));
        any = true;
    }
    return any;
}

static struct piece einsum(struct printer *p, const struct node *node, const label *order) {
    struct text text = text_new(p->arena), operands = text_new(p->arena);
    text_puts(&text, "einsum(\"");
    bool first = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct operand *operand = &node->operands[i];
        const label *read = graph_order(p->graph, operand->node);
        if (graph_node(p->graph, operand->node)->kind == NODE_SELECT)
            continue;
        text_puts(&text, first ? "" : ",");
        first = false;
        for (uint8_t a = 0; a < graph_node(p->graph, operand->node)->rank; a++)
            text_putc(&text, letter(p, operand->at[read[a]]));
        text_printf(&operands, ", %s", write_node(p, operand->node, read, false).text);
    }
    text_puts(&text, "->");
    for (uint8_t a = 0; a < node->rank; a++)
        text_putc(&text, letter(p, order[a]));
    text_printf(&text, "\"%s)", text_string(&operands));
    enum level level = print_where(p, &text, node) ? LEVEL_COMPARISON : LEVEL_POSTFIX;
    struct parts none = {.count = 0};
    return scaled(p, node->number, &none, make(p, level, text_string(&text)));
}

static struct piece fill(struct printer *p, const struct node *node, const label *order) {
    struct text text = text_new(p->arena);
    text_puts(&text, node->number == 0 ? "zeros(" : "ones(");
    for (uint8_t a = 0; a < node->rank; a++)
        text_printf(&text, "%s%s", a ? ", " : "", poly_string(p->arena, p->graph->polys, node->size[order[a]]));
    text_putc(&text, ')');
    struct parts none = {.count = 0};
    return scaled(p, node->number == 0 ? 1 : node->number, &none, make(p, LEVEL_POSTFIX, text_string(&text)));
}

static struct piece product(struct printer *p, const struct node *node, const label *order) {
    struct piece whole;
    bool summed[MAX_LABELS] = {false};
    struct part vector;
    if (node->count == 0)
        return fill(p, node, order);
    if (piece_of_call(p, node, order, &whole))
        return whole;
    struct parts parts = split(p, node, order);
    if (parts.stuck || node->rank > 2)
        return einsum(p, node, order);
    for (label l = node->rank; l < node->labels; l++)
        summed[l] = has_part_at(&parts, l); /* slices have taken the others */
    join_parallel(p, &parts);
    divide_matrices(p, &parts);
    while (eliminate(p, &parts, summed, node, node->rank ? order[0] : 0))
        continue;
    for (label l = 0; l < node->labels; l++)
        if (summed[l])
            return einsum(p, node, order);
    struct piece piece = {NULL, LEVEL_SUM};
    if (node->rank == 2)
        piece = matrix_result(p, &parts, node, order[0], order[1]);
    else if (node->rank == 1)
        piece = join_at(p, &parts, 1, 0, &vector) ? vector.piece : ones(p, node->size[0]);
    return scaled(p, node->number, &parts, piece);
}

/* An operand among others that broadcast along the last axes to the axes in order. */
static struct piece broadcast(struct printer *p, const struct node *node, const struct operand *operand,
                              const label *order) {
    uint8_t rank = graph_node(p->graph, operand->node)->rank;
    label own[MAX_RANK];
    if (rank == 2 && node->rank == 2 && operand->at[0] != operand->at[1]) {
        own[operand->at[0] != order[0]] = 0;
        own[operand->at[0] == order[0]] = 1;
        return write_node(p, operand->node, own, false);
    }
    struct piece piece = write_node(p, operand->node, graph_order(p->graph, operand->node), false);
    if (rank == 2)
        return call(p, "diag", piece);
    if (rank == 1 && node->rank == 2 && operand->at[0] == order[0])
        return make(p, LEVEL_POSTFIX,
                    format_string(p->arena, "outer(%s, %s)", piece.text, ones(p, node->size[order[1]]).text));
    return piece;
}

static void add_term(struct printer *p, struct text *text, struct piece piece, double coefficient) {
    double size = coefficient < 0 ? -coefficient : coefficient;
    bool first = text->len == 0;
    text_puts(text, first ? (coefficient < 0 ? "-" : "") : coefficient < 0 ? " - " : " + ");
    if (size != 1) {
        text_double(text, size);
        text_puts(text, " * ");
    }
    text_puts(text, at_level(p, piece,
                             size != 1                  ? LEVEL_NEGATE
                             : first && coefficient > 0 ? LEVEL_SUM
                                                        : LEVEL_PRODUCT));
}

static void print_terms(struct printer *p, struct text *text, const struct node *node, const label *order, uint8_t rank,
                        bool minus) {
    for (uint32_t i = 0; i < node->count && p->length <= p->longest; i++) {
        const struct operand *term = &node->operands[i];
        const struct node *of = graph_node(p->graph, term->node);
        if (of->rank != rank || (term->coefficient < 0) != minus)
            continue;
        if (of->kind == NODE_NUMBER)
            add_term(p, text, number_piece(p, of->number * (minus ? -term->coefficient : term->coefficient)),
                     minus ? -1 : 1);
        else
            add_term(p, text, broadcast(p, node, term, order), term->coefficient);
    }
}

/* Terms with a plus first, so that the sum seldom begins with a minus; matrices before vectors before scalars. */
static struct piece sum(struct printer *p, const struct node *node, const label *order) {
    struct text text = text_new(p->arena);
    struct piece stack;
    if (piece_of_stack(p, node, order, &stack))
        return stack;
    for (int minus = 0; minus < 2; minus++)
        for (int rank = MAX_RANK; rank >= 0; rank--)
            print_terms(p, &text, node, order, (uint8_t)rank, minus);
    return make(p, LEVEL_SUM, text_string(&text));
}

static bool has_name(const struct printer *p, node_id id) {
    label order[MAX_RANK];
    return p->names.name(p->names.context, id, order) != NULL;
}

/* "softmax(x)": exp(x - logsumexp(x)) over one axis of x. */
static bool weights(struct printer *p, const struct node *node, const label *order, struct piece *piece) {
    const struct node *sum = graph_node(p->graph, node->operands[0].node);
    if (node->op != OP_exp || sum->kind != NODE_SUM || sum->count != 2 || has_name(p, node->operands[0].node))
        return false;
    uint32_t which = graph_node(p->graph, sum->operands[0].node)->kind == NODE_REDUCE ? 1 : 0;
    const struct operand *x = &sum->operands[which], *total = &sum->operands[!which];
    const struct node *reduced = graph_node(p->graph, total->node);
    if (!op_records[reduced->op].weights || reduced->operands[0].node != x->node || has_name(p, total->node) ||
        x->coefficient != 1 || total->coefficient != -1 || reduced->rank + 1 != node->rank)
        return false;
    label over = 0, own[MAX_RANK] = {0};
    for (uint8_t a = 0; a < node->rank; a++) {
        label kept = reduced->operands[0].at[a], l = node->operands[0].at[x->at[a]];
        if (kept < reduced->rank && total->at[kept] != x->at[a])
            return false;
        for (uint8_t i = 0; i < node->rank; i++)
            if (order[i] == l) {
                own[i] = a;
                over = kept >= reduced->rank ? i : over;
            }
    }
    const char *text = write_node(p, x->node, own, false).text, *name = op_spelling(op_records[reduced->op].weights);
    *piece = make(p, LEVEL_POSTFIX,
                  node->rank == 1 ? format_string(p->arena, "%s(%s)", name, text)
                                  : format_string(p->arena, "%s(%s, axis=%d)", name, text, over));
    return true;
}

/* The first operand of an elementwise operator; x of an f(x) that has no name, if the operator ignores f. */
static struct operand without_ignored(const struct printer *p, const struct node *node) {
    struct operand operand = node->operands[0];
    const struct node *inner = graph_node(p->graph, operand.node);
    if (inner->kind != NODE_MAP || inner->op != op_records[node->op].ignores || has_name(p, operand.node))
        return operand;
    struct operand of = inner->operands[0];
    for (uint8_t a = 0; a < graph_node(p->graph, of.node)->rank; a++)
        of.at[a] = operand.at[of.at[a]];
    return of;
}

static struct piece map(struct printer *p, const struct node *node, const label *order) {
    struct piece whole;
    if (weights(p, node, order, &whole))
        return whole;
    struct operand first = without_ignored(p, node);
    struct piece a = broadcast(p, node, &first, order);
    if (op_records[node->op].flags & OP_RECIPROCAL)
        return binary(p, make(p, LEVEL_POSTFIX, "1"), "/", a);
    if (op_records[node->op].said_as)
        return call(p, op_spelling(op_records[node->op].said_as),
                    call(p, op_spelling(op_records[node->op].said_of), a));
    struct text text = text_new(p->arena);
    if (op_records[node->op].infix) {
        text_printf(&text, "%s %s ", at_level(p, a, LEVEL_SUM), op_records[node->op].infix);
        text_puts(&text, at_level(p, broadcast(p, node, &node->operands[1], order), LEVEL_SUM));
        return make(p, LEVEL_COMPARISON, text_string(&text));
    }
    text_printf(&text, "%s(%s", op_spelling(node->op), a.text);
    for (uint32_t i = 1; i < node->count; i++)
        text_printf(&text, ", %s", broadcast(p, node, &node->operands[i], order).text);
    text_putc(&text, ')');
    return make(p, LEVEL_POSTFIX, text_string(&text));
}

/* A reduction, or an operator along axes: its operand with its axes in order, and the axis if it is not all of them. */
static struct piece over_axes(struct printer *p, const struct node *node, const label *order) {
    const struct operand *operand = &node->operands[0];
    bool along = node->kind == NODE_ALONG;
    const char *name = op_records[node->op].name;
    uint8_t rank = graph_node(p->graph, operand->node)->rank;
    const label *read = along ? order : graph_order(p->graph, operand->node);
    struct piece a = write_node(p, operand->node, read, false);
    int axis = -1, over = 0;
    for (uint8_t i = 0; i < rank; i++)
        if (along ? node->along >> read[i] & 1 : operand->at[read[i]] >= node->rank) {
            axis = i;
            over++;
        }
    if (over == rank)
        return call(p, name, a);
    return make(p, LEVEL_POSTFIX, format_string(p->arena, "%s(%s, axis=%d)", name, a.text, axis));
}

/* "inv(A)", "solve(L', x)"; the operands in their own order. */
static struct piece matrix(struct printer *p, const struct node *node) {
    static const label identity[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    const struct operand *first = &node->operands[0];
    struct piece a = write_node(p, first->node, identity, false);
    bool swapped = graph_node(p->graph, first->node)->rank == 2 && first->at[0] > first->at[1];
    if (node->along & SOLVE_TRANSPOSED || swapped)
        a = transposed(p, a);
    if (node->count == 1)
        return call(p, op_spelling(node->op), a);
    const struct operand *divided = &node->operands[1];
    label order[MAX_RANK] = {0};
    for (uint8_t i = 0; i < node->rank; i++)
        order[divided->at[i]] = i;
    return make(p, LEVEL_POSTFIX,
                format_string(p->arena, "solve(%s, %s)", a.text, write_node(p, divided->node, order, false).text));
}

static struct piece in_order(struct printer *p, struct piece piece, node_id id, bool swapped) {
    bool differs = graph_node(p->graph, id)->rank == 2 && !(graph_structure(p->graph, id) & STRUCTURE_SYMMETRIC);
    return differs && swapped ? transposed(p, piece) : piece;
}

/* A selector alone: columns of an identity. */
static struct piece selector(struct printer *p, const struct node *node, const label *order) {
    const char *size = poly_piece(p, node->size[0]).text, *begin = poly_piece(p, node->dim).text;
    if (node->rank == 1)
        return make(p, LEVEL_POSTFIX, format_string(p->arena, "eye(%s)[:, %s]", size, begin));
    if (node->rank == 2 && node->step[1] == poly_number(p->graph->polys, 1)) {
        const char *end = poly_piece(p, poly_add(p->graph->polys, node->dim, node->size[1])).text;
        struct piece columns = make(p, LEVEL_POSTFIX, format_string(p->arena, "eye(%s)[:, %s:%s]", size, begin, end));
        return order[0] == 0 ? columns : transposed(p, columns);
    }
    const label at[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    return make(p, LEVEL_COMPARISON, format_string(p->arena, "%c == %s", letter(p, 0), selected(p, node, at)));
}

static struct piece lower(struct printer *p, const struct node *node, const label *order) {
    const char *rows = poly_piece(p, node->size[order[0]]).text;
    if (node->rank == 1)
        return make(p, LEVEL_POSTFIX, format_string(p->arena, "eye(%s)[:, 0]", rows));
    return make(p, LEVEL_POSTFIX,
                format_string(p->arena, "tri%c(ones(%s, %s))", order[0] == 0 ? 'l' : 'u', rows,
                              poly_piece(p, node->size[order[1]]).text));
}

/* A diagonal matrix is called by its name, what is stored of it is its diagonal. */
static struct piece named_piece(struct printer *p, node_id id, const char *name) {
    struct piece piece = make(p, LEVEL_POSTFIX, name);
    return graph_structure(p->graph, id) & STRUCTURE_STORED ? call(p, "diag", piece) : piece;
}

static struct piece written_out(struct printer *p, node_id id, const label *order) {
    const struct node *node = graph_node(p->graph, id);
    switch (node->kind) {
    case NODE_NUMBER:
        return number_piece(p, node->number);
    case NODE_DIM:
        return poly_piece(p, node->dim);
    case NODE_DELTA:
        return call(p, "eye", poly_piece(p, node->size[0]));
    case NODE_SELECT:
        return selector(p, node, order);
    case NODE_LOWER:
        return lower(p, node, order);
    case NODE_PRODUCT:
        return product(p, node, order);
    case NODE_SUM:
        return sum(p, node, order);
    case NODE_MAP:
        return map(p, node, order);
    case NODE_REDUCE:
    case NODE_ALONG:
        return over_axes(p, node, order);
    case NODE_MATRIX:
        return in_order(p, matrix(p, node), id, order[0] == 1);
    default:
        return in_order(p, named_piece(p, id, node->name), id, order[0] == 1);
    }
}

/* Pivots are their argument; where they are computed the formula says what is asked of them, "R, if …". */
static struct piece judged(struct printer *p, const struct node *node, const label *order, bool top) {
    struct piece piece = write_node(p, node->operands[0].node, order, false);
    const char *condition = strchr(op_records[node->op].doc, ',');
    return top && condition ? make(p, LEVEL_COMPARISON, format_string(p->arena, "%s%s", piece.text, condition)) : piece;
}

/* A node with its axes in this order, by its name where it has one (but not at the top). */
static struct piece write_node(struct printer *p, node_id id, const label *order, bool top) {
    label named[MAX_RANK];
    const char *name = top ? NULL : p->names.name(p->names.context, id, named);
    if (name)
        return in_order(p, named_piece(p, id, name), id, named[0] != order[0]);
    if (p->length > p->longest || p->depth == DEEPEST) {
        p->length = p->longest + 1;
        return (struct piece){"", LEVEL_POSTFIX};
    }
    const struct node *node = graph_node(p->graph, id);
    if (node->kind == NODE_MATRIX && op_records[node->op].shape == SHAPE_PIVOTS)
        return judged(p, node, order, top);
    p->depth++;
    struct piece piece = written_out(p, id, order);
    p->depth--;
    return piece;
}

struct piece piece_of_product(struct printer *p, const struct node *node, const label *order) {
    return product(p, node, order);
}

struct piece piece_of_node(struct printer *p, node_id id, const label *order) {
    return write_node(p, id, order, false);
}

struct piece piece_scaled(struct printer *p, double number, struct piece piece) {
    struct parts none = {.count = 0};
    return scaled(p, number, &none, piece);
}

const char *formula_of_part(struct arena *arena, struct graph *graph, struct formula_names names, struct value value,
                            size_t longest, const char **place) {
    struct printer p = {.arena = arena, .graph = graph, .names = names, .longest = longest * 8};
    label order[MAX_RANK] = {0};
    *place = "";
    if (graph_node(graph, value.node)->kind != NODE_PRODUCT)
        return formula_of(arena, graph, names, value, longest);
    memcpy(order, value.axis, value.rank);
    struct node rest = piece_take_ranges(&p, *graph_node(graph, value.node), order, place);
    const char *text = product(&p, &rest, order).text;
    return p.length > p.longest || strlen(text) > longest ? NULL : text;
}

const char *formula_of(struct arena *arena, struct graph *graph, struct formula_names names, struct value value,
                       size_t longest) {
    struct printer p = {.arena = arena, .graph = graph, .names = names, .longest = longest * 8};
    label order[MAX_RANK] = {0};
    for (uint8_t i = 0, next = 0; i < value.rank; i++)
        if (value.axis[i] != AXIS_UNIT)
            order[next++] = value.axis[i];
    const char *text = write_node(&p, value.node, order, true).text;
    return p.length > p.longest || strlen(text) > longest ? NULL : text;
}
