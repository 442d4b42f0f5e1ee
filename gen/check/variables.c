#include "variables.h"

#include "faults.h"
#include "report.h"

#include <string.h>

/* ---- Names --------------------------------------------------------------------------------------------------------
 */

void report_no_such(struct checker *c, ast_id id, const struct name *name) {
    VEC(const char *) words = {0};
    for (size_t i = 1; i < c->out->symbols.len && is_shown(c); i++) {
        const struct symbol *symbol = &c->out->symbols.at[i];
        if ((symbol->kind == SYMBOL_INPUT || symbol->kind == SYMBOL_VALUE) && !symbol->hidden)
            vec_push(c->arena, &words, symbol->name);
    }
    struct diag *diag = complain(c, DIAG_E0232, ast_node(c->ast, id)->span, name->text, "");
    const char *near = word_of_other_case(name->text, words.at, words.len);
    if (!near)
        near = nearest_word(name->text, words.at, words.len);
    if (near)
        diag_help(c->diags, diag, "did you mean %s ?", near);
}

bool is_new(struct checker *c, uint32_t *stamps, uint32_t list, uint32_t symbol, ast_id id) {
    if (stamps[symbol] != list) {
        stamps[symbol] = list;
        return true;
    }
    complain(c, DIAG_E0303, ast_node(c->ast, id)->span, c->out->symbols.at[symbol].name, "");
    return false;
}

/* "Z, W and b": the inputs that a value's own statement reads; "" if there are none. */
static const char *inputs_read(struct checker *c, const struct symbol *value) {
    const struct ast_statement *statement = &c->ast->statements.at[value->statement];
    uint32_t found[4] = {0}, count = 0;
    for (ast_id id = statement->begin; id < statement->end && count < 4; id++) {
        uint32_t symbol = c->context[id] == CONTEXT_VALUE ? c->out->symbol_of[id] : 0;
        bool known = !symbol || c->out->symbols.at[symbol].kind != SYMBOL_INPUT;
        for (uint32_t i = 0; i < count; i++)
            known |= found[i] == symbol;
        if (!known)
            found[count++] = symbol;
    }
    struct text text = text_new(c->arena);
    for (uint32_t i = 0; i < count; i++)
        text_printf(&text, "%s%s", i == 0 ? "" : ", ", c->out->symbols.at[found[i]].name);
    return text_string(&text);
}

static void report_no_input(struct checker *c, ast_id id, const struct symbol *symbol) {
    bool computed = symbol->kind == SYMBOL_VALUE;
    struct diag *diag =
        complain(c, DIAG_E0302, ast_node(c->ast, id)->span, symbol->name, computed ? "computed" : "a dimension");
    if (!computed || !is_shown(c))
        return;
    diag_note(c->diags, diag, (struct span){0}, "it is computed by %s", statement_string(c, symbol->statement));
    const char *inputs = inputs_read(c, symbol);
    if (*inputs)
        diag_help(c->diags, diag, "ask for the inputs that it is computed from: %s", inputs);
}

/* ---- Elements -----------------------------------------------------------------------------------------------------
 */

#define MAX_INDEX ((double)((int64_t)1 << 48))

static bool is_dimension(struct checker *c, const struct name *name, poly p) {
    if (name->is_dim)
        return true;
    for (size_t i = 0; i < c->out->dims.len; i++)
        if (c->out->dims.at[i] == p)
            return true;
    return false;
}

static const char *name_fault(struct checker *c, const char *text) {
    const struct name *name = name_of(c, text);
    bool value = (name->symbol || strcmp(text, "pi") == 0) && !is_dimension(c, name, poly_name(c->polys, text));
    return value ? format_string(c->arena, "'%s' is a value", text) : NULL;
}

/* Why it cannot be an index, NULL if it can: a number, a dimension or a name that nothing defines, which is an argument
 * of the function. */
static const char *index_fault(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (node->kind == AST_NAME)
        return name_fault(c, node->name);
    if (node->kind == AST_SLICE)
        return "this is a slice";
    bool number = node->kind == AST_NUMBER && node->number <= MAX_INDEX;
    return number && node->number == (double)(int64_t)node->number ? NULL : "this is an expression";
}

/* Of an index without fault. */
static poly index_poly(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (node->kind == AST_NUMBER)
        return poly_number(c->polys, (int64_t)node->number);
    const struct name *name = name_of(c, node->name);
    return name->fixed ? name->fixed : poly_name(c->polys, node->name);
}

/* Outside for all sizes? An index that may be is checked when the function is called. */
static bool is_outside(struct checker *c, poly index, poly size) {
    int64_t beyond;
    return poly_is_number(c->polys, poly_sub(c->polys, index, size), &beyond) && beyond >= 0;
}

static void add_index(struct checker *c, struct request *request, ast_id id, poly index) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (node->kind != AST_NAME || is_dimension(c, name_of(c, node->name), index))
        return;
    for (uint32_t i = 0; i < request->index_count; i++)
        if (c->out->indices.at[request->first_index + i] == index)
            return;
    vec_push(c->arena, &c->out->indices, index);
    request->index_count++;
}

static bool index_of(struct checker *c, struct request *request, ast_id id, poly size, poly *index) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (node->kind == AST_NAME && name_of(c, node->name)->clash)
        return false;
    const char *fault = index_fault(c, id);
    if (fault) {
        complain(c, DIAG_E0313, node->span, fault, "");
        return false;
    }
    *index = index_poly(c, id);
    add_index(c, request, id, *index);
    if (!is_outside(c, *index, size))
        return true;
    complain(c, DIAG_E0312, node->span, poly_string(c->arena, c->polys, *index), poly_string(c->arena, c->polys, size));
    return false;
}

/* Would 'jac' take the element? */
static bool is_element(struct checker *c, ast_id id, const struct symbol *symbol) {
    uint32_t indices = ast_node(c->ast, id)->count - 1;
    if (indices != symbol->type.rank)
        return false;
    for (uint32_t i = 0; i < indices; i++) {
        ast_id index = ast_child(c->ast, id, i + 1);
        if (index_fault(c, index) || is_outside(c, index_poly(c, index), symbol->type.size[i]))
            return false;
    }
    return true;
}

static bool report_element(struct checker *c, const struct request *request, ast_id id, const struct symbol *symbol) {
    const struct symbol *target = &c->out->symbols.at[request->target];
    const char *text = shown(c, id);
    struct diag *diag = complain(c, DIAG_E0314, ast_node(c->ast, id)->span, ast_request_spelling(request->kind), "");
    if (text && request->target && target->kind == SYMBOL_VALUE && is_element(c, id, symbol))
        diag_help(c->diags, diag, "jac %s wrt %s gives the derivative by this element", target->name, text);
    return false;
}

static bool check_element(struct checker *c, const struct request *request, ast_id id, const struct symbol *symbol) {
    const struct ast_node *node = ast_node(c->ast, id);
    if (request->kind != REQUEST_JAC)
        return report_element(c, request, id, symbol);
    if (symbol->type.rank == RANK_UNKNOWN)
        return false;
    if (node->count - 1 == symbol->type.rank)
        return true;
    const char *given = format_string(c->arena, "%d ind%s, not %u", symbol->type.rank,
                                      symbol->type.rank == 1 ? "ex" : "ices", (unsigned)node->count - 1);
    complain(c, DIAG_E0315, node->span, kind_string(c, symbol->type), symbol->type.rank ? given : "no index");
    return false;
}

static bool is_same(const struct element *a, const struct element *b) {
    return a->rank == b->rank && a->index[0] == b->index[0] && (a->rank < 2 || a->index[1] == b->index[1]);
}

static bool element_is_new(struct checker *c, const struct request *request, uint32_t symbol,
                           const struct element *element, ast_id id) {
    for (size_t i = request->first_variable; i < c->out->variables.len; i++)
        if (c->out->variables.at[i] == symbol && is_same(&c->out->elements.at[i], element)) {
            const char *text = shown(c, id);
            complain(c, DIAG_E0303, ast_node(c->ast, id)->span, text ? text : c->out->symbols.at[symbol].name, "");
            return false;
        }
    return true;
}

static bool element_of(struct checker *c, struct request *request, ast_id id, uint32_t symbol,
                       struct element *element) {
    struct type type = c->out->symbols.at[symbol].type;
    if (!check_element(c, request, id, &c->out->symbols.at[symbol]))
        return false;
    for (element->rank = 0; element->rank < type.rank; element->rank++) {
        ast_id index = ast_child(c->ast, id, element->rank + 1u);
        if (!index_of(c, request, index, type.size[element->rank], &element->index[element->rank]))
            return false;
        element->spelled[element->rank] = ast_node(c->ast, index)->name;
    }
    return element_is_new(c, request, symbol, element, id);
}

/* ---- Variables ----------------------------------------------------------------------------------------------------
 */

bool add_variable(struct checker *c, struct request *request, ast_id id, uint32_t *stamps, uint32_t list) {
    bool whole = ast_node(c->ast, id)->kind == AST_NAME;
    ast_id named = whole ? id : ast_child(c->ast, id, 0);
    const struct name *name = name_of(c, ast_node(c->ast, named)->name);
    struct element element = {0};
    if (name->clash)
        return false;
    struct symbol *symbol = &c->out->symbols.at[name->symbol];
    if (!name->symbol || symbol->kind == SYMBOL_ABSTRACT) {
        report_no_such(c, named, name);
        return false;
    }
    symbol->read |= symbol->kind == SYMBOL_INPUT;
    if (symbol->kind != SYMBOL_INPUT) {
        report_no_input(c, named, symbol);
        return false;
    }
    if (whole ? !is_new(c, stamps, list, name->symbol, id) : !element_of(c, request, id, name->symbol, &element))
        return false;
    vec_push(c->arena, &c->out->variables, name->symbol);
    vec_push(c->arena, &c->out->elements, element);
    return true;
}
