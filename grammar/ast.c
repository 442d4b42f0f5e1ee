#include "ast.h"

const char *ast_op_spelling(enum ast_op op) {
    static const char *const spellings[AST_OPS] = {"<", "<=", ">", ">=", "==", "!=", "+",
                                                   "-", "*",  "/", "@",  "\\", "^"};
    return spellings[op];
}

const char *ast_request_spelling(enum ast_request request) {
    static const char *const spellings[AST_REQUESTS] = {"grad", "vjp", "jvp", "jac", "hess", "hvp"};
    return spellings[request];
}

/* ---- Expressions in the language's notation ------------------------------------------------------------------------
 */

/* How tightly a node holds together; an operand below what its place asks for needs brackets. */
enum level { LEVEL_COMPARE, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_UNARY, LEVEL_EXPONENT, LEVEL_POSTFIX };

static enum level op_level(enum ast_op op) {
    return op <= AST_NE ? LEVEL_COMPARE : op <= AST_SUB ? LEVEL_SUM : op < AST_POW ? LEVEL_PRODUCT : LEVEL_EXPONENT;
}

static enum level node_level(const struct ast_node *node) {
    if (node->kind == AST_BINARY)
        return op_level(node->op);
    return node->kind == AST_NEGATE ? LEVEL_UNARY : LEVEL_POSTFIX;
}

/* An expression is printed from a stack of what is still to come, the next on top. */
struct item {
    const char *text; /* or, if NULL, the expression */
    ast_id id;
    enum level level; /* the loosest that may stand here without brackets */
};

struct printer {
    const struct ast *ast;
    VEC(struct item) stack;
};

static void push_text(struct printer *printer, const char *text) {
    vec_push(printer->ast->arena, &printer->stack, (struct item){.text = text});
}

static void push_node(struct printer *printer, ast_id id, enum level level) {
    if (id)
        vec_push(printer->ast->arena, &printer->stack, (struct item){.id = id, .level = level});
}

static void push_list(struct printer *printer, const struct ast_node *node, uint32_t first, const char *separator) {
    for (uint32_t i = node->count; i-- > first;) {
        push_node(printer, printer->ast->children.at[node->first + i], LEVEL_COMPARE);
        if (i > first)
            push_text(printer, separator);
    }
}

/* A comparison's left operand may not be one: they do not chain. The exponent of '^' may be negated or a power. */
static void push_binary(struct printer *printer, const struct ast_node *node) {
    const ast_id *operands = &printer->ast->children.at[node->first];
    enum level own = op_level(node->op), tighter = own + 1;
    bool power = node->op == AST_POW;
    push_node(printer, operands[1], power ? LEVEL_UNARY : tighter);
    push_text(printer, power ? "" : " ");
    push_text(printer, ast_op_spelling(node->op));
    push_text(printer, power ? "" : " ");
    push_node(printer, operands[0], own == LEVEL_COMPARE || power ? tighter : own);
}

static void push_parts(struct printer *printer, const struct ast_node *node) {
    const ast_id *children = printer->ast->children.at ? &printer->ast->children.at[node->first] : NULL;
    switch (node->kind) {
    case AST_NONE:
        break;
    case AST_NUMBER:
    case AST_NAME:
        push_text(printer, node->name);
        break;
    case AST_STRING:
        push_text(printer, "\"");
        push_text(printer, node->name);
        push_text(printer, "\"");
        break;
    case AST_NEGATE:
        push_node(printer, children[0], LEVEL_UNARY);
        push_text(printer, "-");
        break;
    case AST_TRANSPOSE:
        push_text(printer, "'");
        push_node(printer, children[0], LEVEL_POSTFIX);
        break;
    case AST_BINARY:
        push_binary(printer, node);
        break;
    case AST_CALL:
        push_text(printer, ")");
        push_list(printer, node, 0, ", ");
        push_text(printer, "(");
        push_text(printer, node->name);
        break;
    case AST_NAMED:
        push_node(printer, children[0], LEVEL_COMPARE);
        push_text(printer, "=");
        push_text(printer, node->name);
        break;
    case AST_INDEX:
        push_text(printer, "]");
        push_list(printer, node, 1, ", ");
        push_text(printer, "[");
        push_node(printer, children[0], LEVEL_POSTFIX);
        break;
    case AST_SLICE:
        push_node(printer, children[1], LEVEL_COMPARE);
        push_text(printer, ":");
        push_node(printer, children[0], LEVEL_COMPARE);
        break;
    case AST_BLOCK:
        push_text(printer, "]");
        push_list(printer, node, 0, "; ");
        push_text(printer, "[");
        break;
    case AST_LIST:
        push_list(printer, node, 0, ", ");
        break;
    }
}

void ast_print_expression(struct text *text, const struct ast *ast, ast_id id) {
    struct printer printer = {.ast = ast};
    push_node(&printer, id, LEVEL_COMPARE);
    while (printer.stack.len) {
        struct item item = vec_pop(&printer.stack);
        if (item.text) {
            text_puts(text, item.text);
            continue;
        }
        const struct ast_node *node = ast_node(ast, item.id);
        bool brackets = node_level(node) < item.level;
        if (brackets) {
            text_putc(text, '(');
            push_text(&printer, ")");
        }
        push_parts(&printer, node);
    }
}

/* ---- The tree ------------------------------------------------------------------------------------------------------
 */

static void print_span(struct text *text, const struct sources *sources, struct span span) {
    struct place begin = source_place(sources, span.begin), end = source_place(sources, span.end);
    text_printf(text, "  %u:%u-%u:%u\n", begin.line, begin.column, end.line, end.column);
}

static void print_node_head(struct text *text, const struct ast_node *node) {
    static const char *const kinds[] = {"none", "number", "name",  "string", "negate", "transpose", "binary",
                                        "call", "named",  "index", "slice",  "block",  "row"};
    text_puts(text, kinds[node->kind]);
    if (node->kind == AST_BINARY)
        text_printf(text, " %s", ast_op_spelling(node->op));
    if (node->kind == AST_STRING)
        text_printf(text, " \"%s\"", node->name);
    else if (node->name)
        text_printf(text, " %s", node->name);
}

struct line {
    ast_id id;
    uint32_t depth;
};

/* Depth past this is not shown by more indentation, or a deep tree's dump would grow as its square. */
#define INDENT_MAX 64

static void print_tree(struct text *text, const struct ast *ast, const struct sources *sources, ast_id root) {
    VEC(struct line) stack = {0};
    vec_push(ast->arena, &stack, (struct line){root, 1});
    while (stack.len) {
        struct line line = vec_pop(&stack);
        text_repeat(text, ' ', 2 * (line.depth < INDENT_MAX ? line.depth : INDENT_MAX));
        if (!line.id) {
            text_puts(text, "none\n");
            continue;
        }
        const struct ast_node *node = ast_node(ast, line.id);
        print_node_head(text, node);
        print_span(text, sources, node->span);
        for (uint32_t i = node->count; i-- > 0;)
            vec_push(ast->arena, &stack, (struct line){ast_child(ast, line.id, i), line.depth + 1});
    }
}

static void print_children(struct text *text, const struct ast *ast, const struct sources *sources, uint32_t first,
                           uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        print_tree(text, ast, sources, ast->children.at[first + i]);
}

static void print_statement_head(struct text *text, const struct ast_statement *s) {
    static const char *const kinds[] = {"declare", "assign", "dim",     "real",   "output",
                                        "request", "def",    "include", "mention"};
    text_puts(text, kinds[s->kind]);
    if (s->kind == STATEMENT_REQUEST)
        text_printf(text, " %s", ast_request_spelling(s->request));
    if (s->kind == STATEMENT_INCLUDE)
        text_printf(text, " \"%s\"", s->name);
    else if (s->name)
        text_printf(text, " %s", s->name);
    if (s->attribute)
        text_printf(text, " %s", s->attribute);
    if (s->as)
        text_printf(text, " as %s", s->as);
    if (s->compressed)
        text_puts(text, " compressed");
    if (s->kind == STATEMENT_DEF && s->body_count)
        text_printf(text, " body %u", s->body_count);
}

void ast_print(struct text *text, const struct ast *ast, const struct sources *sources) {
    for (size_t i = 0; i < ast->statements.len; i++) {
        const struct ast_statement *s = &ast->statements.at[i];
        print_statement_head(text, s);
        print_span(text, sources, s->span);
        print_children(text, ast, sources, s->first_size, s->size_count);
        print_children(text, ast, sources, s->first_target, s->target_count);
        print_children(text, ast, sources, s->first_parameter, s->parameter_count);
        if (s->value)
            print_tree(text, ast, sources, s->value);
    }
}
