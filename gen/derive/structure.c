/* A tensor T with the axes of y and then those of x is, term by term, c * deltas * F_1 * F_2 …, where no two of the F
 * have an axis in common: deltas between axes of y and of x make it diagonal or block-diagonal, several F that have
 * axes of both a Kronecker product, F that have axes of one side only a matrix of rank 1. A term of a sum may also be a
 * matrix of low rank, sum_a F_1 F_2, where F_1 has the axes of y and F_2 those of x. */
#include "structure.h"

#include <string.h>

/* Factors that hang together through labels, as an expression of its own. */
struct component {
    uint64_t labels;   /* all that its factors have */
    uint64_t operands; /* of the node: its factors */
    struct value value;
    label
        axes[MAX_RANK]; /* of the tensor, of each axis of the value; from rank on: those that the term is summed over */
    const char *name;
};

struct term {
    struct node node;   /* a product */
    label at[MAX_RANK]; /* of each axis of the node, the axis of the tensor */
    double coefficient;
    uint8_t deltas;
    label delta[MAX_RANK][2]; /* axes of the tensor */
    uint64_t free;            /* axes of the tensor along which the term is the same */
    uint64_t cut;             /* summed labels that several components have */
    poly inner;               /* how many elements the sum over those has; POLY_NONE: there is none */
    uint32_t count;
    struct component components[MAX_RANK];
};

/* A tensor being looked at; its axes are counted without those of size 1. */
struct tensor {
    struct graph *graph;
    const struct argument *output;
    uint8_t rank, rows; /* axes in all, and of y */
    label axis[MAX_RANK];
    VEC(struct term) terms;
};

/* ---- Taking a tensor apart ----------------------------------------------------------------------------------------
 */

static uint64_t labels_of(const struct graph *graph, const struct operand *operand) {
    uint64_t labels = 0;
    for (uint8_t a = 0; a < graph_node(graph, operand->node)->rank; a++)
        labels |= (uint64_t)1 << operand->at[a];
    return labels;
}

/* Notes delta k if it ties two axes of the tensor; every factor is read at the lower of the two labels already. */
static bool take_delta(const struct tensor *t, struct term *term, const struct operand *operand) {
    if (graph_node(t->graph, operand->node)->kind != NODE_DELTA || operand->at[0] == operand->at[1])
        return false;
    label p = term->at[operand->at[0]], q = term->at[operand->at[1]];
    term->delta[term->deltas][0] = p < q ? p : q;
    term->delta[term->deltas++][1] = p < q ? q : p;
    return true;
}

/* Joins operand k to the components that have one of its labels. */
static void join(struct term *term, uint32_t k, uint64_t labels) {
    struct component joined = {.labels = labels, .operands = (uint64_t)1 << k};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < term->count; i++)
        if (term->components[i].labels & joined.labels) {
            joined.labels |= term->components[i].labels;
            joined.operands |= term->components[i].operands;
        } else {
            term->components[kept++] = term->components[i];
        }
    term->components[kept] = joined;
    term->count = kept + 1;
}

static void find_components(const struct tensor *t, struct term *term) {
    const struct node *product = &term->node;
    uint64_t tied = 0, seen = 0;
    for (uint32_t i = 0; i < product->count; i++) {
        const struct operand *operand = &product->operands[i];
        if (take_delta(t, term, operand))
            tied |= labels_of(t->graph, operand);
        else if (graph_node(t->graph, operand->node)->rank)
            join(term, i, labels_of(t->graph, operand));
    }
    for (uint32_t i = 0; i < term->count; i++)
        seen |= term->components[i].labels;
    for (label l = 0; l < product->rank; l++)
        if (!((tied | seen) >> l & 1))
            term->free |= (uint64_t)1 << term->at[l];
}

/* The labels of a component's value: axes of the tensor in its order, then cut labels. */
static uint8_t axes_of(const struct tensor *t, const struct term *term, struct component *component, label *result) {
    const struct node *node = &term->node;
    uint8_t count = 0, cut = t->rank;
    for (label axis = 0; axis < t->rank; axis++)
        for (label l = 0; l < node->rank; l++)
            if (term->at[l] == axis && component->labels >> l & 1) {
                component->axes[count] = axis;
                result[count++] = l;
            }
    for (label l = node->rank; l < node->labels; l++)
        if (term->cut >> l & 1) {
            component->axes[count] = cut++;
            result[count] = l;
            count = (uint8_t)(count + (component->labels >> l & 1));
        }
    return count;
}

/* The product of a component's factors, the first one's with the scalars. */
static void make_component(const struct tensor *t, struct term *term, uint32_t index) {
    struct component *component = &term->components[index];
    const struct node node = term->node;
    struct index_form form = {0};
    label of[MAX_LABELS], labels[MAX_RANK], result[MAX_RANK];
    for (label l = 0; l < node.labels; l++)
        if (component->labels >> l & 1)
            of[l] = form_label(&form, node.size[l]);
    for (uint32_t i = 0; i < node.count; i++) {
        struct operand operand = node.operands[i];
        uint8_t rank = graph_node(t->graph, operand.node)->rank;
        if (rank ? !(component->operands >> i & 1) : index > 0)
            continue;
        for (uint8_t a = 0; a < rank; a++)
            operand.at[a] = of[operand.at[a]];
        vec_push(t->graph->arena, &form.operands, operand);
    }
    uint8_t rank = axes_of(t, term, component, labels);
    for (uint8_t i = 0; i < rank; i++)
        result[i] = of[labels[i]];
    double number = index == 0 ? term->coefficient : 1;
    bool sign = number == 1 || number == -1;
    component->value = graph_product(t->graph, sign ? 1 : number, &form, result, rank);
    if (index == 0 && !sign)
        term->coefficient = 1;
}

/* ---- Low rank ------------------------------------------------------------------------------------------------------
 */

static bool is_row(const struct tensor *t, label axis) {
    return axis < t->rows;
}

/* Which side's axes a factor has: bit 0 those of y, bit 1 those of x. */
static unsigned side_of(const struct tensor *t, const struct term *term, uint64_t labels) {
    unsigned side = 0;
    for (label l = 0; l < term->node.rank; l++)
        if (labels >> l & 1)
            side |= is_row(t, term->at[l]) ? 1u : 2u;
    return side;
}

/* Splits a term that is one piece into what has axes of y and what has axes of x, and sums over what both have. Factors
 * of neither go with y's. */
static bool split_sides(const struct tensor *t, struct term *term) {
    const struct node *node = &term->node;
    struct component sides[2] = {{0}, {0}};
    for (uint32_t i = 0; i < node->count; i++) {
        uint64_t labels = labels_of(t->graph, &node->operands[i]);
        unsigned side = side_of(t, term, labels);
        if (side == 3)
            return false;
        sides[side == 2].labels |= labels;
        sides[side == 2].operands |= labels ? (uint64_t)1 << i : 0;
    }
    term->cut = sides[0].labels & sides[1].labels;
    if (__builtin_popcountll(term->cut) > MAX_RANK - t->rank)
        return false;
    term->inner = poly_number(t->graph->polys, 1);
    for (label l = 0; l < node->labels; l++)
        if (term->cut >> l & 1)
            term->inner = poly_mul(t->graph->polys, term->inner, node->size[l]);
    memcpy(term->components, sides, sizeof sides);
    term->count = 2;
    return true;
}

/* The node as a product: of itself alone, if it is none. */
static struct node as_product(const struct tensor *t, node_id id) {
    struct node node = *graph_node(t->graph, id);
    struct operand self = {.node = id, .at = {0, 1, 2, 3, 4, 5, 6, 7}, .coefficient = 1};
    if (node.kind == NODE_PRODUCT)
        return node;
    return (struct node){.kind = NODE_PRODUCT,
                         .rank = node.rank,
                         .labels = node.rank,
                         .count = 1,
                         .operands = arena_copy(t->graph->arena, &self, sizeof self),
                         .size = node.size,
                         .number = 1};
}

/* False where the term is nothing smaller than the tensor. at: the axis of the tensor of each axis of the node. */
static bool add_term(struct tensor *t, node_id id, const label *at, double coefficient) {
    struct term term = {.node = as_product(t, id)};
    term.coefficient = coefficient * term.node.number;
    memcpy(term.at, at, term.node.rank);
    if (term.node.count >= 64)
        return false;
    find_components(t, &term);
    for (label axis = 0; axis < t->rank; axis++) {
        bool has = false;
        for (label l = 0; l < term.node.rank; l++)
            has = has || at[l] == axis;
        term.free |= has ? 0 : (uint64_t)1 << axis;
    }
    if (term.deltas == 0 && term.count == 1 && !term.free && !split_sides(t, &term))
        return false;
    term.count += term.count == 0; /* nothing but scalars */
    for (uint32_t i = 0; i < term.count; i++)
        make_component(t, &term, i);
    vec_push(t->graph->arena, &t->terms, term);
    return true;
}

static bool take_apart(struct tensor *t) {
    const struct node node = *graph_node(t->graph, t->output->value.node);
    label at[MAX_RANK] = {0};
    for (label i = 0; i < t->rank; i++)
        at[t->axis[i]] = i;
    if (node.kind != NODE_SUM)
        return add_term(t, t->output->value.node, at, 1) && !t->terms.at[0].inner;
    bool other = false; /* than of low rank */
    for (uint32_t k = 0; k < node.count; k++) {
        const struct operand *operand = &node.operands[k];
        label read[MAX_RANK] = {0};
        for (uint8_t a = 0; a < graph_node(t->graph, operand->node)->rank; a++)
            read[a] = at[operand->at[a]];
        if (!add_term(t, operand->node, read, operand->coefficient))
            return false;
        other = other || !vec_last(&t->terms).inner;
    }
    return other;
}

/* ---- Saying what it is --------------------------------------------------------------------------------------------
 */

/* Do the deltas tie every axis of y to one of x, and the other way round? */
static bool is_diagonal(const struct tensor *t, const struct term *term) {
    uint64_t tied = 0;
    uint8_t across = 0;
    for (uint8_t i = 0; i < term->deltas; i++)
        if (is_row(t, term->delta[i][0]) != is_row(t, term->delta[i][1])) {
            across++;
            tied |= (uint64_t)1 << term->delta[i][0] | (uint64_t)1 << term->delta[i][1];
        }
    return across == t->rows && t->rank == 2 * t->rows && tied == ((uint64_t)1 << t->rank) - 1;
}

static bool ties_sides(const struct tensor *t, const struct term *term) {
    for (uint8_t i = 0; i < term->deltas; i++)
        if (is_row(t, term->delta[i][0]) != is_row(t, term->delta[i][1]))
            return true;
    return false;
}

static bool separates_sides(const struct tensor *t, const struct term *term) {
    for (uint32_t i = 0; i < term->count; i++)
        for (uint8_t a = 1; a < term->components[i].value.rank && term->components[i].axes[a] < t->rank; a++)
            if (is_row(t, term->components[i].axes[a]) != is_row(t, term->components[i].axes[0]))
                return false;
    return true;
}

static bool is_zero(const struct tensor *t, const struct term *term) {
    double number;
    return graph_is_fill(t->graph, term->components[0].value.node, &number) && number == 0;
}

static const char *kind_of(const struct tensor *t, const struct term *term) {
    if (is_zero(t, term))
        return "zero";
    if (is_diagonal(t, term))
        return "diagonal";
    if (ties_sides(t, term))
        return "block-diagonal";
    if (term->deltas)
        return "sparse";
    if (separates_sides(t, term))
        return "of rank 1";
    return term->count > 1 ? "a Kronecker product" : "constant along some axes";
}

/* "diagonal plus a matrix of rank 2 plus a matrix of rank at most m" */
static const char *structure_string(const struct tensor *t) {
    static const char *const kinds[] = {
        "zero", "diagonal", "block-diagonal", "sparse", "of rank 1", "a Kronecker product", "constant along some axes"};
    struct text text = text_new(t->graph->arena);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        uint32_t count = 0;
        for (size_t i = 0; i < t->terms.len; i++)
            count += !t->terms.at[i].inner && strcmp(kind_of(t, &t->terms.at[i]), kinds[k]) == 0;
        bool rank = strcmp(kinds[k], "of rank 1") == 0;
        if (count && rank)
            text_printf(&text, "%sof rank %u", text.len ? " plus a matrix " : "", (unsigned)count);
        else if (count)
            text_printf(&text, "%s%s", text.len ? " plus " : "", kinds[k]);
    }
    for (size_t i = 0; i < t->terms.len; i++)
        if (t->terms.at[i].inner)
            text_printf(&text, " plus a matrix of rank at most %s",
                        poly_string(t->graph->arena, t->graph->polys, t->terms.at[i].inner));
    return text_string(&text);
}

static char letter(label axis) {
    return "ijklmnpqrstuvwxyz"[axis];
}

static void print_component(struct text *text, const struct component *component) {
    text_puts(text, component->name);
    for (uint8_t a = 0; a < component->value.rank; a++)
        text_printf(text, "%s%c", a ? ", " : "[", letter(component->axes[a]));
    text_puts(text, component->value.rank ? "]" : "");
}

/* "[i, j, k, l] = delta(i, k) * d2f_dU_dU[j, l]" */
static const char *layout_string(const struct tensor *t) {
    struct text text = text_new(t->graph->arena);
    const struct value *value = &t->output->value;
    for (uint8_t i = 0, next = 0; i < value->rank; i++)
        text_printf(&text, "%s%c", i ? ", " : "[", value->axis[i] == AXIS_UNIT ? '0' : letter(next++));
    text_puts(&text, "] =");
    for (size_t i = 0; i < t->terms.len; i++) {
        const struct term *term = &t->terms.at[i];
        text_puts(&text, term->coefficient < 0 ? " - " : i ? " + " : " ");
        for (uint8_t k = 0; k < term->deltas; k++)
            text_printf(&text, "delta(%c, %c) * ", letter(term->delta[k][0]), letter(term->delta[k][1]));
        for (int k = 0; k < __builtin_popcountll(term->cut); k++)
            text_printf(&text, "sum(%c) ", letter((label)(t->rank + k)));
        for (uint32_t k = 0; k < term->count; k++) {
            text_puts(&text, k ? " * " : "");
            print_component(&text, &term->components[k]);
        }
    }
    return text_string(&text);
}

/* ---- Outputs ------------------------------------------------------------------------------------------------------
 */

static struct argument factor_output(const struct graph *graph, const struct component *component) {
    struct argument argument = {.name = component->name,
                                .role = ROLE_OUTPUT,
                                .structure = "dense",
                                .rank = component->value.rank,
                                .value = component->value};
    for (uint8_t a = 0; a < argument.rank; a++)
        argument.size[a] = value_size(graph, component->value, a);
    return argument;
}

static bool same_value(struct value a, struct value b) {
    return a.node == b.node && a.rank == b.rank && memcmp(a.axis, b.axis, a.rank) == 0;
}

/* The factor before, in the tensor's order, that is the same array; NULL: it is new. */
static const struct component *same_before(const struct tensor *t, const struct component *component) {
    for (size_t i = 0; i < t->terms.len; i++)
        for (uint32_t k = 0; k < t->terms.at[i].count; k++) {
            const struct component *before = &t->terms.at[i].components[k];
            if (before == component)
                return NULL;
            if (same_value(before->value, component->value))
                return before;
        }
    return NULL;
}

static uint32_t name_components(struct tensor *t) {
    uint32_t count = 0;
    for (size_t i = 0; i < t->terms.len; i++)
        for (uint32_t k = 0; k < t->terms.at[i].count; k++) {
            struct component *component = &t->terms.at[i].components[k];
            const struct component *before = same_before(t, component);
            component->name =
                before ? before->name : format_string(t->graph->arena, "%s_%u", t->output->name, (unsigned)++count);
        }
    for (size_t i = 0; count == 1 && i < t->terms.len; i++)
        for (uint32_t k = 0; k < t->terms.at[i].count; k++)
            t->terms.at[i].components[k].name = t->output->name;
    return count;
}

static void add_factors(struct function *function, struct tensor *t) {
    for (size_t i = 0; i < t->terms.len; i++)
        for (uint32_t k = 0; k < t->terms.at[i].count; k++)
            if (!same_before(t, &t->terms.at[i].components[k]))
                vec_push(t->graph->arena, &function->outputs, factor_output(t->graph, &t->terms.at[i].components[k]));
}

static void look_at(struct graph *graph, struct function *function, const struct argument *output) {
    struct tensor t = {.graph = graph, .output = output};
    for (uint8_t i = 0; i < output->rank; i++)
        if (output->value.axis[i] != AXIS_UNIT) {
            t.rows = (uint8_t)(t.rows + (i < output->rows));
            t.axis[t.rank++] = output->value.axis[i];
        }
    struct tensor_note note = {.name = output->name};
    if (t.rank && t.rows && t.rows < t.rank && take_apart(&t))
        note.structure = structure_string(&t);
    if (note.structure && function->compressed) {
        name_components(&t);
        note.layout = layout_string(&t);
        add_factors(function, &t);
    } else {
        vec_push(graph->arena, &function->outputs, *output);
    }
    if (note.structure || function->compressed)
        vec_push(graph->arena, &function->notes, note);
}

void module_structure(struct graph *graph, struct module *module) {
    for (size_t f = 0; f < module->functions.len; f++) {
        struct function *function = &module->functions.at[f];
        size_t count = function->outputs.len;
        const struct argument *outputs = arena_copy(graph->arena, function->outputs.at, count * sizeof *outputs);
        function->outputs.len = 0;
        for (size_t i = 0; i < count; i++)
            if (outputs[i].tensor)
                look_at(graph, function, &outputs[i]);
            else
                vec_push(graph->arena, &function->outputs, outputs[i]);
    }
}
