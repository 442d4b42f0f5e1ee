/* How each derivative came about: --emit=derivation. */
#include "formula.h"
#include "signature.h"

#include <string.h>

static const char *named(void *context, node_id id, label order[MAX_RANK]) {
    return graph_name(context, id, order);
}

static const char *formula(const struct emission *e, struct value value) {
    struct formula_names names = {named, e->graph};
    const char *text = formula_of(e->arena, e->graph, names, value, FORMULA_LONGEST);
    return text ? text : "(a long formula)";
}

/* A node, or something with its axes, in the order of the node's name, or as the node was first read. */
static struct value as_read(const struct emission *e, node_id id, struct value value) {
    label order[MAX_RANK];
    struct value read = value;
    if (!graph_name(e->graph, id, order))
        memcpy(order, graph_order(e->graph, id), sizeof order);
    for (uint8_t i = 0; i < value.rank; i++)
        read.axis[i] = value.axis[order[i]];
    return read;
}

static const char *name_or_formula(const struct emission *e, node_id id) {
    label order[MAX_RANK];
    const char *name = graph_name(e->graph, id, order);
    return name ? name : formula(e, as_read(e, id, graph_value(e->graph, id)));
}

static void print_step(struct text *out, const struct emission *e, const struct derivation *d,
                       const struct derive_step *step) {
    label order[MAX_RANK];
    const char *name = graph_name(e->graph, step->node, order);
    if (graph_node(e->graph, step->node)->kind == NODE_INPUT)
        return;
    text_printf(out, "  %s%s%s\n", name ? name : "", name ? " = " : "",
                formula(e, as_read(e, step->node, graph_value(e->graph, step->node))));
    text_printf(out, "      cotangent  %s\n      rule       %s\n", formula(e, as_read(e, step->node, step->cotangent)),
                step->rule);
    for (uint32_t i = 0; i < step->count; i++) {
        const struct derive_gift *gift = &d->gifts.at[step->first + i];
        text_printf(out, "      to %s:  %s\n", name_or_formula(e, gift->to),
                    formula(e, as_read(e, gift->to, gift->cotangent)));
    }
}

static void print_note(struct text *out, const struct tensor_note *note) {
    if (note->structure)
        text_printf(out, "  %s is %s%s%s%s\n", note->name, note->structure, note->layout ? ": " : "",
                    note->layout ? note->name : "", note->layout ? note->layout : "");
}

void emit_derivation(struct text *out, const struct emission *e) {
    for (size_t f = 0; f < e->module->functions.len; f++) {
        const struct function *function = &e->module->functions.at[f];
        const struct derivation *d = function->derivation;
        if (!d)
            continue;
        text_printf(out, "%s\n", function->name);
        for (size_t i = 0; i < d->steps.len; i++)
            print_step(out, e, d, &d->steps.at[i]);
        for (size_t i = 0; i < function->outputs.len; i++) {
            const struct argument *output = &function->outputs.at[i];
            const char *text = argument_formula(e, output, 4096);
            text_printf(out, "  %s = %s\n", output->name, text ? text : "(a long formula)");
        }
        for (size_t i = 0; i < function->notes.len; i++)
            print_note(out, &function->notes.at[i]);
    }
}
