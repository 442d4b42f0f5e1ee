#include "emit.h"

void emit_graph(struct text *out, const struct emission *e) {
    VEC(node_id) roots = {0};
    for (size_t f = 0; f < e->module->functions.len; f++) {
        const struct function *function = &e->module->functions.at[f];
        for (size_t i = 0; i < function->outputs.len; i++) {
            const struct value value = function->outputs.at[i].value;
            vec_push(e->arena, &roots, value.node);
            text_printf(out, "# %s: %s = %%%u[", function->name, function->outputs.at[i].name, value.node);
            for (uint8_t a = 0, next = 0; a < value.rank; a++)
                if (value.axis[a] != AXIS_UNIT)
                    text_printf(out, "%s%d", next++ ? ", " : "", value.axis[a]);
            text_puts(out, "]\n");
        }
    }
    graph_print(out, e->graph, roots.at, roots.len, e->sources);
}
