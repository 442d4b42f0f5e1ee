/* Dimensions: what fixes them, and the polynomials of declared shapes. */
#include "sizes.h"

#include "report.h"
#include "types.h"
#include "unify.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TERMS = 256, MAX_DEGREE = 64 };
#define MAX_SIZE ((int64_t)1 << 48)

static poly size_error(struct checker *c, ast_id id) {
    struct span span = ast_node(c->ast, id)->span;
    complain(c, DIAG_E0211, span, "", "");
    return POLY_NONE;
}

static poly too_large(struct checker *c, ast_id id) {
    complain(c, DIAG_E0231, ast_node(c->ast, id)->span, "", "");
    return POLY_NONE;
}

/* p, unless it is too large to compute with; coefficients saturate, so that they stand beyond the limit. */
poly size_bounded(struct checker *c, ast_id id, poly p) {
    struct poly_terms terms = poly_terms(c->polys, p);
    bool fits = terms.count <= MAX_TERMS && (terms.count == 0 || terms.at[0].degree <= MAX_DEGREE);
    for (uint32_t i = 0; fits && i < terms.count; i++)
        fits = terms.at[i].coefficient < MAX_SIZE && terms.at[i].coefficient > -MAX_SIZE;
    return fits ? p : too_large(c, id);
}

static poly size_number(struct checker *c, ast_id id) {
    double number = ast_node(c->ast, id)->number;
    if (number >= (double)MAX_SIZE)
        return too_large(c, id);
    if (number != (double)(int64_t)number)
        return size_error(c, id);
    return poly_number(c->polys, (int64_t)number);
}

static poly size_name(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    struct name *name = name_of(c, node->name);
    c->out->symbol_of[id] = name->symbol;
    if (name->clash)
        return POLY_NONE;
    if (name->fixed)
        return name->fixed;
    poly p = poly_name(c->polys, node->name);
    uint32_t index = 0;
    poly_is_name(c->polys, p, &index);
    struct variable *variable = variable_at(c, index);
    if (!variable->statement)
        variable->statement = c->statement + 1;
    return p;
}

static poly size_power(struct checker *c, ast_id id, poly base) {
    const struct ast_node *exponent = ast_node(c->ast, ast_child(c->ast, id, 1));
    poly power = poly_number(c->polys, 1);
    if (exponent->kind != AST_NUMBER)
        return size_error(c, id);
    if (exponent->number > MAX_DEGREE)
        return too_large(c, id);
    if (exponent->number != (double)(int)exponent->number)
        return size_error(c, id);
    for (int i = 0; power && i < (int)exponent->number; i++)
        power = size_bounded(c, id, poly_mul(c->polys, power, base));
    return power;
}

static poly size_binary(struct checker *c, ast_id id) {
    poly a = c->size_of[ast_child(c->ast, id, 0)], b = c->size_of[ast_child(c->ast, id, 1)];
    if (!a || !b)
        return POLY_NONE;
    switch (ast_node(c->ast, id)->op) {
    case AST_ADD:
        return size_bounded(c, id, poly_add(c->polys, a, b));
    case AST_SUB:
        return size_bounded(c, id, poly_sub(c->polys, a, b));
    case AST_MUL:
        return size_bounded(c, id, poly_mul(c->polys, a, b));
    case AST_POW:
        return size_power(c, id, a);
    default:
        return size_error(c, id);
    }
}

poly size_node(struct checker *c, ast_id id) {
    const struct ast_node *node = ast_node(c->ast, id);
    switch (node->kind) {
    case AST_NUMBER:
        return size_number(c, id);
    case AST_NAME:
        return size_name(c, id);
    case AST_NEGATE: {
        poly operand = c->size_of[ast_child(c->ast, id, 0)];
        return operand ? poly_sub(c->polys, poly_number(c->polys, 0), operand) : POLY_NONE;
    }
    case AST_BINARY:
        return size_binary(c, id);
    default:
        return size_error(c, id);
    }
}

/* Has it a positive term? Without one it is below 1 for all dimensions. */
static bool can_be_positive(struct checker *c, poly size) {
    struct poly_terms terms = poly_terms(c->polys, size);
    for (uint32_t i = 0; i < terms.count; i++)
        if (terms.at[i].coefficient > 0)
            return true;
    return false;
}

poly size_checked(struct checker *c, ast_id id) {
    if (!c->size_of[id] || can_be_positive(c, c->size_of[id]))
        return c->size_of[id];
    complain(c, DIAG_E0212, ast_node(c->ast, id)->span, poly_string(c->arena, c->polys, c->size_of[id]), "");
    return POLY_NONE;
}

static void size_statement(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    c->statement = index;
    for (ast_id id = statement->begin; id < statement->end; id++)
        if (c->context[id] == CONTEXT_SIZE)
            c->size_of[id] = size_node(c, id);
}

/* ---- What fixes a dimension ---------------------------------------------------------------------------------------
 */

static void fix(struct checker *c, struct name *name, poly value, struct span span) {
    if (!name->fixed || name->fixed == value) {
        name->fixed = value;
        name->fixed_span = name->fixed_span.end ? name->fixed_span : span;
        return;
    }
    const char *first = poly_string(c->arena, c->polys, name->fixed);
    const char *second = poly_string(c->arena, c->polys, value);
    struct diag *diag = complain(c, DIAG_E0213, span, name->text, format_string(c->arena, "%s and %s", first, second));
    if (name->fixed_span.begin != span.begin)
        diag_note(c->diags, diag, (struct span){0}, "it is fixed to %s at %s", first,
                  place_string(c, name->fixed_span));
    else
        diag_note(c->diags, diag, (struct span){0}, "-D %s=%s fixes it on the command line", name->text, second);
}

static void fix_statement(struct checker *c, uint32_t index) {
    const struct ast_statement *statement = &c->ast->statements.at[index];
    int64_t number;
    if (statement->kind != STATEMENT_DIM || !statement->value)
        return;
    size_statement(c, index);
    poly value = size_checked(c, statement->value);
    if (!value)
        return;
    if (poly_is_number(c->polys, value, &number))
        fix(c, name_of(c, statement->name), value, statement->name_span);
    else
        complain(c, DIAG_E0215, ast_node(c->ast, statement->value)->span, statement->name,
                 poly_string(c->arena, c->polys, value));
}

/* "n=128" in its parts. */
poly option_value(struct checker *c, const char *option, const char **name) {
    size_t length = strcspn(option, "=");
    *name = intern_n(c->interner, option, length);
    int64_t number = strtoll(option[length] ? option + length + 1 : "", NULL, 10);
    if (number > 0 && number < MAX_SIZE)
        return poly_number(c->polys, number);
    bool large = number >= MAX_SIZE;
    complain(c, large ? DIAG_E0231 : DIAG_E0212, (struct span){0}, option, "");
    return POLY_NONE;
}

void sizes_fix(struct checker *c) {
    for (uint32_t i = 0; i < c->ast->statements.len; i++)
        fix_statement(c, i);
    for (size_t i = 0; i < c->options->fixed_count; i++) {
        const char *text;
        poly value = option_value(c, c->options->fixed[i], &text);
        struct name *name = name_find(c, text);
        if (value && name && name->is_dim)
            fix(c, name, value, name->fixed_span);
    }
}

/* ---- Declarations -------------------------------------------------------------------------------------------------
 */

static struct type shape_error(struct checker *c, const struct ast_statement *statement, const char *text) {
    complain(c, DIAG_E0225, statement->span, text, "");
    return type_unknown();
}

static bool is_structure(const char *attribute) {
    static const char *const structures[] = {"symmetric", "spd", "diagonal", "lower", "upper", "orthogonal"};
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++)
        if (strcmp(attribute, structures[i]) == 0)
            return true;
    return false;
}

static void report_attribute(struct checker *c, const struct ast_statement *statement) {
    static const char *const all[] = {"scalar", "row", "symmetric", "spd", "diagonal", "lower", "upper", "orthogonal"};
    struct diag *diag = complain(c, DIAG_E0230, statement->attribute_span, statement->attribute, "");
    const char *near = nearest_word(statement->attribute, all, sizeof all / sizeof *all);
    if (near)
        diag_help(c->diags, diag, "did you mean %s ?", near);
}

static struct type declared_type(struct checker *c, const struct ast_statement *statement) {
    const char *attribute = statement->attribute ? statement->attribute : "";
    bool scalar = strcmp(attribute, "scalar") == 0, row = strcmp(attribute, "row") == 0;
    poly size[2] = {POLY_NONE, POLY_NONE};
    for (uint32_t i = 0; i < statement->size_count && i < 2; i++)
        size[i] = size_checked(c, c->ast->children.at[statement->first_size + i]);
    bool structured = is_structure(attribute);
    if (*attribute && !scalar && !row && !structured)
        report_attribute(c, statement);
    if (scalar)
        return statement->has_shape ? shape_error(c, statement, "a scalar has no shape") : type_scalar();
    if (!statement->has_shape || statement->size_count == 0)
        return shape_error(c, statement, "the shape is missing: write [n] or [m, n]");
    if (statement->size_count > 2)
        return shape_error(c, statement, "a value has at most two dimensions");
    if (row && statement->size_count == 2)
        return shape_error(c, statement, "a row vector has one dimension: write row [n]");
    if (structured && (statement->size_count != 2 || size[0] != size[1]))
        return shape_error(c, statement,
                           format_string(c->arena, "a matrix that is %s has as many rows as columns: write %s [n, n]",
                                         attribute, attribute));
    return statement->size_count == 2 ? type_matrix(size[0], size[1]) : type_list(size[0], row);
}

static poly implicit_size(struct checker *c, const char *name, const char *suffix) {
    const char *text = intern(c->interner, format_string(c->arena, "%s_%s", name, suffix));
    while (map_get(&c->name_index, key_of(text)))
        text = intern(c->interner, format_string(c->arena, "%s_", text));
    return unknown_new(c, text);
}

/* An input that nothing declares: its first letter says what it is. */
static struct type implicit_type(struct checker *c, const char *name) {
    if (*name < 'A' || *name > 'Z')
        return type_list(implicit_size(c, name, "len"), false);
    poly rows = implicit_size(c, name, "rows");
    return type_matrix(rows, implicit_size(c, name, "cols"));
}

/* Types of all symbols except values that no declaration types. */
void sizes_declare(struct checker *c) {
    for (uint32_t i = 1; i < c->out->symbols.len; i++) {
        struct symbol *symbol = &c->out->symbols.at[i];
        const struct name *name = name_of(c, symbol->name);
        if (name->declared) {
            size_statement(c, name->declared - 1);
            const struct ast_statement *statement = &c->ast->statements.at[name->declared - 1];
            symbol->type = declared_type(c, statement);
            if (statement->attribute && is_structure(statement->attribute))
                symbol->structure = statement->attribute;
        } else if (symbol->kind == SYMBOL_INPUT && !name->clash) {
            symbol->type = implicit_type(c, symbol->name);
        } else if (symbol->kind == SYMBOL_DIM) {
            symbol->fixed = name->fixed;
        } else {
            symbol->type = type_unknown();
        }
    }
}
