/* The grammar: from tokens to the tree and nothing else. Names, shapes and meanings are for later stages. */

%code requires {
#include "ast.h"

struct token {
    int kind;
    struct span span;
    const char *name; /* words, numbers and strings: the text, interned; else NULL */
    double number;
    uint32_t match; /* brackets: the partner's index among the raw tokens */
    bool matched;
    bool boundary; /* begins a line and can begin nothing but a statement, in or out of brackets */
    bool mended; /* reported, and put in or kept so that reading can go on: no message is due at it */
    bool semicolon; /* a T_SEP or ';' that stands in the text */
};

struct reader {
    struct arena *arena;
    struct interner *interner;
    struct diags *diags;
    const struct source *source;
    uint32_t at; /* offset where the scanner is */
    VEC(struct token) raw, tokens; /* as scanned; as laid out */
    size_t next; /* index of the next token for the parser */
    size_t start; /* index of the statement's first token */
    int depth, start_depth; /* of { }, now and at the statement's start */
    bool begun; /* the parser has had its first token */
    bool failed; /* the statement has a syntax error: what is left of it is skipped */

    struct ast *ast;
    VEC(ast_id) pending; /* items of the lists that are being read, innermost last */
    ast_id mark; /* where the statement's nodes begin */
    size_t def; /* 1 + index of the 'def' that is being read, or 0 */
    bool in_body, returned;
    VEC(const struct token *) parameters; /* of that 'def' */
    size_t def_parameters; /* how many it has */
    ast_id *value; /* where an expression alone goes, or NULL */
};

/* The text, cut off where it is too long to be quoted in a message. */
const char *shorten(struct reader *reader, const char *text, size_t length);
/* The keyword that a statement could begin with and that this word could be a slip for, or NULL. */
const char *keyword_near(const char *word);
/* Fills reader->tokens. */
void read_tokens(struct reader *reader);
}

%define api.pure full
%define api.prefix {mx_}
%define api.token.prefix {T_}
%define api.location.type {struct span}
%define parse.error custom
%locations
%expect 0
%param {struct reader *reader}

%code {
#include <string.h>

#define YYMAXDEPTH 100000000
#define YYMALLOC(bytes) arena_alloc(reader->arena, (size_t)(bytes))
#define YYFREE(block) ((void)(block))
#define YYLLOC_DEFAULT(whole, parts, count)                                                                            \
    do {                                                                                                               \
        (whole).begin = (count) ? YYRHSLOC(parts, 1).begin : YYRHSLOC(parts, 0).end;                                   \
        (whole).end = YYRHSLOC(parts, count).end;                                                                      \
    } while (0)

static int yylex(YYSTYPE *value, struct span *location, struct reader *reader);
static void yyerror(const struct span *location, struct reader *reader, const char *message);

static ast_id leaf(struct reader *reader, enum ast_kind kind, const struct token *token);
static ast_id unary(struct reader *reader, enum ast_kind kind, struct span span, struct span op, ast_id x);
static ast_id binary(struct reader *reader, struct span span, const struct token *op, ast_id x, ast_id y);
static ast_id listed(struct reader *reader, enum ast_kind kind, struct span span, const struct token *name,
                     uint32_t count);
static ast_id indexed(struct reader *reader, struct span span, ast_id x, uint32_t count);
static ast_id slice(struct reader *reader, struct span span, ast_id begin, ast_id end);
static void check_comparison(struct reader *reader, struct span left, ast_id x, const struct token *op);
static void check_argument_order(struct reader *reader, uint32_t count);
static void pend(struct reader *reader, ast_id id);
static uint32_t keep(struct reader *reader, uint32_t count);

static struct ast_statement *statement(struct reader *reader, enum ast_statement_kind kind, struct span span,
                                       const struct token *name);
static void assign(struct reader *reader, enum ast_statement_kind kind, struct span span, const struct token *name,
                   ast_id value);
static void declare(struct reader *reader, struct span span, const struct token *name, const struct token *attribute,
                    bool has_shape, uint32_t sizes);
static void real(struct reader *reader, struct span span, const struct token *type);
static void outputs(struct reader *reader, struct span span, const struct token *word, uint32_t count);
static void request(struct reader *reader, struct span span, const struct token *word, uint32_t count);
static bool define(struct reader *reader, struct span span, const struct token *name);
static void define_value(struct reader *reader, struct span span, ast_id value);
static void define_end(struct reader *reader, struct span span);
static void lone_expression(struct reader *reader, struct span span, ast_id x);
static void abandon(struct reader *reader);

#define STATEMENT vec_last(&reader->ast->statements)
}

%union {
    const struct token *token;
    ast_id id;
    uint32_t count; /* of the last items on reader->pending */
}

%token <token> NAME NUMBER STRING REQUEST FUNCTION COMPRESSED
%token <token> OUTPUT DIM REAL INCLUDE DEF RETURN WRT AS
%token <token> LE GE EQ NE SEP BAD DROPPED END_OF_TEXT PROGRAM EXPRESSION
%token <token> '<' '>' '+' '-' '*' '/' '@' '\\' '^' '\'' '(' ')' '[' ']' '{' '}' '=' ',' ':' ';'
%token END 0

%type <token> comparator adder multiplier callee
%type <id> expression sum product unary power exponent postfix primary argument index element
%type <count> arguments some_arguments indices rows row sizes targets

%%

start
    : PROGRAM lines
    | EXPRESSION expression SEP                 { *reader->value = $2; }
    | EXPRESSION error SEP
    ;

lines
    : %empty
    | lines line
    ;

line
    : SEP
    | statement SEP
    | expression SEP                            { lone_expression(reader, @1, $1); }
    | error SEP                                 { yyerrok; abandon(reader); }
    ;

statement
    : NAME '=' expression                       { assign(reader, STATEMENT_ASSIGN, @$, $1, $3); }
    | NAME ':' NAME                             { declare(reader, @$, $1, $3, false, 0); }
    | NAME ':' '[' sizes ']'                    { declare(reader, @$, $1, NULL, true, $4); }
    | NAME ':' NAME '[' sizes ']'               { declare(reader, @$, $1, $3, true, $5); }
    | DIM dims
    | REAL NAME                                 { real(reader, @$, $2); }
    | INCLUDE STRING                            { statement(reader, STATEMENT_INCLUDE, @$, $2); }
    | OUTPUT targets                            { outputs(reader, @$, $1, $2); }
    | asked options                             { STATEMENT.span.end = @$.end; }
    | define '=' expression                     { define_value(reader, @$, $3); define_end(reader, @$); }
    | define '{'                                { reader->in_body = true; }
      lines '}'                                 { define_end(reader, @$); }
    | RETURN expression                         { define_value(reader, @$, $2); }
    ;

dims
    : dimension
    | dims ',' dimension
    ;

dimension
    : NAME                                      { assign(reader, STATEMENT_DIM, @$, $1, 0); }
    | NAME '=' expression                       { assign(reader, STATEMENT_DIM, @$, $1, $3); }
    ;

sizes
    : expression                                { pend(reader, $1); $$ = 1; }
    | sizes ',' expression                      { pend(reader, $3); $$ = $1 + 1; }
    ;

targets
    : expression                                { pend(reader, $1); $$ = 1; }
    | targets ',' expression                    { pend(reader, $3); $$ = $1 + 1; }
    ;

asked
    : REQUEST expression                        { pend(reader, $2); }
      WRT targets                               { request(reader, @$, $1, 1 + $5); }
    ;

options
    : %empty
    | options AS NAME                           { STATEMENT.as = $3->name; STATEMENT.as_span = @3; }
    | options COMPRESSED                        { STATEMENT.compressed = true; }
    ;

define
    : DEF NAME '(' parameters ')'               { if (!define(reader, @$, $2)) YYERROR; }
    ;

parameters
    : NAME                                      { vec_push(reader->arena, &reader->parameters, $1); }
    | parameters ',' NAME                       { vec_push(reader->arena, &reader->parameters, $3); }
    ;

expression
    : sum
    | expression comparator sum                 { check_comparison(reader, @1, $1, $2);
                                                  $$ = binary(reader, @$, $2, $1, $3); }
    ;

sum
    : product
    | sum adder product                         { $$ = binary(reader, @$, $2, $1, $3); }
    ;

product
    : unary
    | product multiplier unary                  { $$ = binary(reader, @$, $2, $1, $3); }
    ;

unary
    : power
    | '-' unary                                 { $$ = unary(reader, AST_NEGATE, @$, @1, $2); }
    ;

power
    : postfix
    | postfix '^' exponent                      { $$ = binary(reader, @$, $2, $1, $3); }
    ;

exponent
    : power
    | '-' exponent                              { $$ = unary(reader, AST_NEGATE, @$, @1, $2); }
    ;

postfix
    : primary
    | postfix '\''                              { $$ = unary(reader, AST_TRANSPOSE, @$, @2, $1); }
    | postfix '[' indices ']'                   { $$ = indexed(reader, @$, $1, $3); }
    ;

primary
    : NUMBER                                    { $$ = leaf(reader, AST_NUMBER, $1); }
    | STRING                                    { $$ = leaf(reader, AST_STRING, $1); }
    | NAME                                      { $$ = leaf(reader, AST_NAME, $1); }
    | callee arguments                          { check_argument_order(reader, $2);
                                                  $$ = listed(reader, AST_CALL, @$, $1, $2); }
    | '(' expression ')'                        { $$ = $2; }
    | '[' rows ']'                              { $$ = listed(reader, AST_BLOCK, @$, NULL, $2); }
    ;

callee: NAME | FUNCTION;
comparator: '<' | '>' | LE | GE | EQ | NE;
adder: '+' | '-';
multiplier: '*' | '/' | '@' | '\\';

/* With the brackets: a rule for nothing would be reduced before what follows '(' is looked at, and messages would say
   that only ')' can. */
arguments
    : '(' ')'                                   { $$ = 0; }
    | '(' some_arguments ')'                    { $$ = $2; }
    ;

some_arguments
    : argument                                  { pend(reader, $1); $$ = 1; }
    | some_arguments ',' argument               { pend(reader, $3); $$ = $1 + 1; }
    ;

argument
    : expression
    | NAME '=' expression                       { pend(reader, $3); $$ = listed(reader, AST_NAMED, @$, $1, 1); }
    ;

indices
    : index                                     { pend(reader, $1); $$ = 1; }
    | indices ',' index                         { pend(reader, $3); $$ = $1 + 1; }
    ;

index
    : expression
    | element ':' element                       { $$ = slice(reader, @$, $1, $3); }
    ;

element
    : %empty                                    { $$ = 0; }
    | expression
    ;

rows
    : row                                       { pend(reader, listed(reader, AST_LIST, @1, NULL, $1)); $$ = 1; }
    | rows ';' row                              { pend(reader, listed(reader, AST_LIST, @3, NULL, $3)); $$ = $1 + 1; }
    ;

row
    : expression                                { pend(reader, $1); $$ = 1; }
    | row ',' expression                        { pend(reader, $3); $$ = $1 + 1; }
    ;

%%

/* ---- Tokens ------------------------------------------------------------------------------------------------------- */

const char *shorten(struct reader *reader, const char *text, size_t length) {
    size_t kept = length <= 40 ? length : 32;
    while (kept < length && kept && (text[kept] & 0xc0) == 0x80)
        kept--;
    return format_string(reader->arena, "%.*s%s", (int)kept, text, kept < length ? "..." : "");
}

/* After a syntax error what is left of the statement goes unread: up to the T_SEP of its own level. */
static void skip_statement(struct reader *reader) {
    const struct token *at = reader->tokens.at;
    for (; at[reader->next].kind != T_END; reader->next++) {
        int kind = at[reader->next].kind;
        if (kind == T_SEP && reader->depth <= reader->start_depth)
            return;
        reader->depth += kind == '{' ? 1 : kind == '}' ? -1 : 0;
    }
}

/* The grammar's two starts are told apart by a token that no text has. */
static int first_token(struct span *location, struct reader *reader) {
    reader->begun = true;
    *location = (struct span){reader->source->base, reader->source->base};
    return reader->value ? T_EXPRESSION : T_PROGRAM;
}

static int yylex(YYSTYPE *value, struct span *location, struct reader *reader) {
    if (!reader->begun)
        return first_token(location, reader);
    const struct token *before = reader->next ? &reader->tokens.at[reader->next - 1] : NULL;
    if (reader->failed && !(before->kind == T_SEP && reader->depth <= reader->start_depth))
        skip_statement(reader);
    reader->failed = false;
    const struct token *token = &reader->tokens.at[reader->next++];
    reader->depth += token->kind == '{' ? 1 : token->kind == '}' ? -1 : 0;
    if (!before || before->kind == T_SEP || before->kind == '{') {
        reader->start = reader->next - 1;
        reader->start_depth = reader->depth;
    }
    value->token = token;
    *location = token->span;
    return token->kind;
}

/* ---- Nodes -------------------------------------------------------------------------------------------------------- */

static ast_id node(struct reader *reader, enum ast_kind kind, struct span span) {
    vec_push(reader->arena, &reader->ast->nodes, (struct ast_node){.kind = kind, .span = span, .op_span = span});
    return (ast_id)reader->ast->nodes.len - 1;
}

static void pend(struct reader *reader, ast_id id) {
    vec_push(reader->arena, &reader->pending, id);
}

/* The last `count` pending items become children; their first index. */
static uint32_t keep(struct reader *reader, uint32_t count) {
    uint32_t first = (uint32_t)reader->ast->children.len;
    reader->pending.len -= count;
    for (uint32_t i = 0; i < count; i++)
        vec_push(reader->arena, &reader->ast->children, reader->pending.at[reader->pending.len + i]);
    return first;
}

static ast_id leaf(struct reader *reader, enum ast_kind kind, const struct token *token) {
    ast_id id = node(reader, kind, token->span);
    struct ast_node *made = &reader->ast->nodes.at[id];
    made->name = token->name;
    made->number = token->number;
    return id;
}

static ast_id listed(struct reader *reader, enum ast_kind kind, struct span span, const struct token *name,
                     uint32_t count) {
    uint32_t first = keep(reader, count);
    ast_id id = node(reader, kind, span);
    struct ast_node *made = &reader->ast->nodes.at[id];
    made->name = name ? name->name : NULL;
    made->op_span = name ? name->span : span;
    made->first = first;
    made->count = count;
    return id;
}

static ast_id unary(struct reader *reader, enum ast_kind kind, struct span span, struct span op, ast_id x) {
    pend(reader, x);
    ast_id id = listed(reader, kind, span, NULL, 1);
    reader->ast->nodes.at[id].op_span = op;
    return id;
}

static ast_id indexed(struct reader *reader, struct span span, ast_id x, uint32_t count) {
    pend(reader, x);
    ast_id *last = &vec_last(&reader->pending);
    for (uint32_t i = 0; i < count; i++)
        last[-(ptrdiff_t)i] = last[-(ptrdiff_t)i - 1];
    last[-(ptrdiff_t)count] = x;
    return listed(reader, AST_INDEX, span, NULL, count + 1);
}

static ast_id slice(struct reader *reader, struct span span, ast_id begin, ast_id end) {
    pend(reader, begin);
    pend(reader, end);
    return listed(reader, AST_SLICE, span, NULL, 2);
}

static enum ast_op op_of_token(int kind) {
    switch (kind) {
    case '<': return AST_LT;
    case T_LE: return AST_LE;
    case '>': return AST_GT;
    case T_GE: return AST_GE;
    case T_EQ: return AST_EQ;
    case T_NE: return AST_NE;
    case '+': return AST_ADD;
    case '-': return AST_SUB;
    case '*': return AST_MUL;
    case '/': return AST_DIV;
    case '@': return AST_MATMUL;
    case '\\': return AST_SOLVE;
    default: return AST_POW;
    }
}

static ast_id binary(struct reader *reader, struct span span, const struct token *op, ast_id x, ast_id y) {
    pend(reader, x);
    pend(reader, y);
    ast_id id = listed(reader, AST_BINARY, span, NULL, 2);
    reader->ast->nodes.at[id].op = op_of_token(op->kind);
    reader->ast->nodes.at[id].op_span = op->span;
    return id;
}

/* Brackets make no node, but they make the place of what was read wider than the node's. */
static void check_comparison(struct reader *reader, struct span left, ast_id x, const struct token *op) {
    const struct ast_node *first = ast_node(reader->ast, x);
    if (first->kind != AST_BINARY || first->op > AST_NE || first->span.begin != left.begin)
        return;
    struct diag *diag = diag_report(reader->diags, DIAG_E0112, op->span);
    diag_operand(reader->diags, diag, first->span, "this is already 0 or 1");
    diag_help(reader->diags, diag, "multiply conditions, as in (a < b) * (b < c)");
}

static void check_argument_order(struct reader *reader, uint32_t count) {
    bool named = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct ast_node *argument = ast_node(reader->ast, reader->pending.at[reader->pending.len - count + i]);
        if (named && argument->kind != AST_NAMED)
            diag_report(reader->diags, DIAG_E0121, argument->span);
        named |= argument->kind == AST_NAMED;
    }
}

/* ---- Statements --------------------------------------------------------------------------------------------------- */

static const char *statement_word(enum ast_statement_kind kind) {
    switch (kind) {
    case STATEMENT_DECLARE: return "a declaration";
    case STATEMENT_DIM: return "'dim'";
    case STATEMENT_REAL: return "'real'";
    case STATEMENT_OUTPUT: return "'output'";
    case STATEMENT_REQUEST: return "a request";
    case STATEMENT_INCLUDE: return "'include'";
    default: return "'def'";
    }
}

/* A new statement, which owns the nodes made since the last one. */
static struct ast_statement *statement(struct reader *reader, enum ast_statement_kind kind, struct span span,
                                       const struct token *name) {
    struct ast_statement made = {.kind = kind, .span = span, .begin = reader->mark};
    made.end = reader->mark = (ast_id)reader->ast->nodes.len;
    if (name) {
        made.name = name->name;
        made.name_span = name->span;
    }
    if (reader->in_body && kind != STATEMENT_ASSIGN)
        diag_report(reader->diags, DIAG_E0118, span, statement_word(kind));
    if (reader->in_body && reader->returned)
        diag_report(reader->diags, DIAG_E0117, span);
    vec_push(reader->arena, &reader->ast->statements, made);
    return &STATEMENT;
}

static void assign(struct reader *reader, enum ast_statement_kind kind, struct span span, const struct token *name,
                   ast_id value) {
    statement(reader, kind, span, name)->value = value;
}

static void declare(struct reader *reader, struct span span, const struct token *name, const struct token *attribute,
                    bool has_shape, uint32_t sizes) {
    uint32_t first = keep(reader, sizes);
    struct ast_statement *made = statement(reader, STATEMENT_DECLARE, span, name);
    made->attribute = attribute ? attribute->name : NULL;
    made->attribute_span = attribute ? attribute->span : (struct span){0, 0};
    made->has_shape = has_shape;
    made->first_size = first;
    made->size_count = sizes;
}

static void real(struct reader *reader, struct span span, const struct token *type) {
    if (strcmp(type->name, "f32") != 0 && strcmp(type->name, "f64") != 0) {
        struct diag *diag = diag_report(reader->diags, DIAG_E0119, type->span, type->name);
        bool single = strcmp(type->name, "float") == 0 || strcmp(type->name, "single") == 0;
        if (single || strcmp(type->name, "double") == 0)
            diag_help(reader->diags, diag, "did you mean real %s ?", single ? "f32" : "f64");
        return;
    }
    statement(reader, STATEMENT_REAL, span, type);
}

/* Are the last pending items all names, or, after the first, elements of names? */
static bool are_names(struct reader *reader, const struct token *word, uint32_t count) {
    bool elements = word->kind == T_REQUEST;
    for (uint32_t i = 0; i < count; i++) {
        const struct ast_node *item = ast_node(reader->ast, reader->pending.at[reader->pending.len - count + i]);
        bool element = item->kind == AST_INDEX && elements && i > 0 &&
                       ast_node(reader->ast, reader->ast->children.at[item->first])->kind == AST_NAME;
        if (item->kind == AST_NAME || element)
            continue;
        struct diag *diag = diag_report(reader->diags, DIAG_E0122, item->span, word->name);
        diag_help(reader->diags, diag, "give the value a name in a statement of its own, and write the name here");
        return false;
    }
    return true;
}

static void outputs(struct reader *reader, struct span span, const struct token *word, uint32_t count) {
    bool good = are_names(reader, word, count);
    uint32_t first = keep(reader, count);
    struct ast_statement *made = statement(reader, STATEMENT_OUTPUT, span, NULL);
    made->first_target = first;
    made->target_count = good ? count : 0;
}

static enum ast_request request_named(const char *name) {
    enum ast_request request = REQUEST_GRAD;
    while (strcmp(ast_request_spelling(request), name) != 0)
        request++;
    return request;
}

static void request(struct reader *reader, struct span span, const struct token *word, uint32_t count) {
    bool good = are_names(reader, word, count);
    uint32_t first = keep(reader, count);
    struct ast_statement *made = statement(reader, STATEMENT_REQUEST, span, NULL);
    made->request = request_named(word->name);
    made->name_span = word->span;
    made->first_target = first;
    made->target_count = good ? count : 0;
}

/* The 'def' comes before the statements of its body, but its own nodes (what it returns, its parameters) are made
 * after theirs: each statement's nodes must be one range. */
static bool define(struct reader *reader, struct span span, const struct token *name) {
    if (reader->in_body) {
        diag_report(reader->diags, DIAG_E0118, span, "'def'");
        reader->failed = true;
        return false;
    }
    statement(reader, STATEMENT_DEF, span, name);
    reader->def = reader->ast->statements.len;
    reader->def_parameters = reader->parameters.len;
    reader->returned = false;
    return true;
}

static void define_value(struct reader *reader, struct span span, ast_id value) {
    if (!reader->def) {
        diag_report(reader->diags, DIAG_E0115, span);
        return;
    }
    if (reader->returned)
        diag_report(reader->diags, DIAG_E0117, span);
    struct ast_statement *def = &reader->ast->statements.at[reader->def - 1];
    def->value = value;
    def->begin = reader->mark;
    def->end = reader->mark = (ast_id)reader->ast->nodes.len;
    reader->returned = true;
}

static void define_end(struct reader *reader, struct span span) {
    struct ast_statement *def = &reader->ast->statements.at[reader->def - 1];
    if (!reader->returned)
        diag_report(reader->diags, DIAG_E0116, def->name_span, def->name);
    for (size_t i = 0; i < reader->parameters.len; i++)
        pend(reader, leaf(reader, AST_NAME, reader->parameters.at[i]));
    def->parameter_count = (uint32_t)reader->parameters.len;
    def->first_parameter = keep(reader, def->parameter_count);
    def->begin = reader->returned ? def->begin : reader->mark;
    def->end = reader->mark = (ast_id)reader->ast->nodes.len;
    def->span = span;
    def->body_count = (uint32_t)(reader->ast->statements.len - reader->def);
    reader->def = reader->parameters.len = 0;
    reader->in_body = false;
}

static void lone_expression(struct reader *reader, struct span span, ast_id x) {
    const struct ast_node *alone = ast_node(reader->ast, x);
    struct diag *diag = diag_report(reader->diags, DIAG_E0108, span);
    if (alone->kind == AST_BINARY && alone->op == AST_EQ)
        diag_help(reader->diags, diag, "a value is given its name by '=', not by '=='");
    else
        diag_help(reader->diags, diag, "give it a name, as in Y = ...");
    abandon(reader);
}

/* What an unfinished statement has made so far belongs to none. */
static void abandon(struct reader *reader) {
    reader->mark = (ast_id)reader->ast->nodes.len;
    reader->pending.len = 0;
    if (reader->def && !reader->in_body) {
        reader->ast->statements.len = reader->def - 1;
        reader->def = 0;
    }
    reader->parameters.len = reader->in_body ? reader->def_parameters : 0;
}

/* ---- Syntax errors ------------------------------------------------------------------------------------------------ */

/* Only the stack's growth past its limit comes here; all else goes through yyreport_syntax_error. */
static void yyerror(const struct span *location, struct reader *reader, const char *message) {
    (void)message;
    diag_report(reader->diags, DIAG_E0901, *location, "it is nested too deeply");
}

struct expected {
    bool symbol[YYNTOKENS];
};

static bool may_be(const struct expected *expected, int kind) {
    return expected->symbol[YYTRANSLATE(kind)];
}

static bool is_word(const struct token *token) {
    return token->kind >= T_REQUEST && token->kind <= T_AS && token->kind != T_COMPRESSED;
}

static bool begins_operand(const struct token *token) {
    int kind = token->kind;
    return kind == T_NAME || kind == T_NUMBER || kind == T_STRING || kind == '(' || kind == T_FUNCTION;
}

static bool ends_operand(const struct token *token) {
    int kind = token->kind;
    return kind == T_NAME || kind == T_NUMBER || kind == T_STRING || kind == ')' || kind == ']' || kind == '\'';
}

static bool is_operator(const struct token *token) {
    return token->kind >= T_LE && token->kind <= T_NE ? true
           : token->kind && token->kind < 128 && strchr("<>+-*/@\\^", token->kind) != NULL;
}

static const char *quoted(struct reader *reader, const struct token *token) {
    const char *text = reader->source->text + (token->span.begin - reader->source->base);
    return format_string(reader->arena, "'%s'", shorten(reader, text, token->span.end - token->span.begin));
}

/* Does the text end, but for blanks and comments, where this token stands? */
static bool at_end(const struct reader *reader, const struct token *token) {
    return token->kind == T_END || token->span.begin >= reader->source->base + reader->source->length;
}

static const char *found(struct reader *reader, const struct token *token) {
    if (at_end(reader, token))
        return "the end of the file";
    if (token->kind == T_SEP && !token->semicolon)
        return token->span.begin == token->span.end ? "'}'" : "the end of the line";
    return token->kind == T_STRING ? "a string" : quoted(reader, token);
}

/* Could the text before this token be a whole expression, so that what is missing is an operator? */
static bool in_expression(const struct reader *reader, size_t end) {
    const struct token *first = &reader->tokens.at[reader->start];
    bool brackets = false, equals = false;
    for (const struct token *t = first; t < &reader->tokens.at[end]; t++) {
        brackets |= t->kind == '[' || t->kind == '(';
        equals |= t->kind == '=';
    }
    switch (first->kind) {
    case T_NAME: return first[1].kind != ':' || brackets;
    case T_DIM: case T_DEF: return equals;
    case T_REAL: case T_INCLUDE: case T_OUTPUT: case T_REQUEST: return false;
    default: return true;
    }
}

/* What the grammar would take, as words; operators are left out, since they are always possible after an operand. */
static const char *listed_words(struct reader *reader, const struct expected *expected) {
    static const struct {
        int kind;
        const char *text;
    } words[] = {
        {'(', "'('"}, {')', "')'"}, {']', "']'"}, {',', "','"}, {';', "';'"}, {':', "':'"}, {'=', "'='"}, {'{', "'{'"},
        {T_SEP, "the end of the statement"}, {T_END, "the end of the file"},
    };
    const char *found[sizeof words / sizeof *words];
    size_t count = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (may_be(expected, words[i].kind))
            found[count++] = words[i].text;
    struct text text = text_new(reader->arena);
    for (size_t i = 0; i < count; i++)
        text_printf(&text, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", found[i]);
    return text.len ? text_string(&text) : "something else";
}

static const char *expectation(struct reader *reader, const struct expected *expected, const struct token *before) {
    if (may_be(expected, T_NUMBER)) {
        if (may_be(expected, ')'))
            return "an argument or ')'";
        return is_operator(before) ? "an operand"
               : before->kind == T_WRT ? "a variable"
               : before->kind == T_REQUEST || before->kind == T_OUTPUT ? "the name of a value"
                                                                       : "an expression";
    }
    if (may_be(expected, ':') && (before->kind == '[' || before->kind == ','))
        return "an index";
    if (may_be(expected, T_NAME))
        return may_be(expected, '[') ? "a shape" : "a name";
    return may_be(expected, T_STRING) ? "a path in quotation marks" : listed_words(reader, expected);
}

/* NAME: [] or NAME: () */
static bool is_empty_shape(const struct reader *reader, const struct token *token) {
    const struct token *first = &reader->tokens.at[reader->start];
    if (first->kind != T_NAME || first[1].kind != ':')
        return false;
    return (token == first + 3 && first[2].kind == '[' && token->kind == ']') ||
           (token == first + 2 && token->kind == '(' && token[1].kind == ')');
}

static void unexpected(struct reader *reader, const struct expected *expected, const struct token *token) {
    const char *what = found(reader, token);
    if (token == &reader->tokens.at[reader->start]) {
        diag_report(reader->diags, DIAG_E0101, token->span,
                    format_string(reader->arena, "a statement cannot begin with %s", what));
        return;
    }
    const struct token *before = token - 1;
    const char *after = before->span.begin == before->span.end ? "" : " after ";
    struct diag *diag = diag_report(reader->diags, DIAG_E0101, token->span,
                                    format_string(reader->arena, "expected %s%s%s, found %s",
                                                  expectation(reader, expected, before), after,
                                                  *after ? quoted(reader, before) : "", what));
    diag_operand(reader->diags, diag, before->span, NULL);
    if (token->kind == '=')
        diag_help(reader->diags, diag, "two values are compared by '=='");
    else if (is_empty_shape(reader, token))
        diag_help(reader->diags, diag, "a number is declared by %s: scalar", reader->tokens.at[reader->start].name);
}

/* A word of the language where a name should stand, or NULL. */
static const struct token *keyword_as_name(const struct reader *reader, const struct expected *expected,
                                           const struct token *token) {
    const struct token *first = &reader->tokens.at[reader->start];
    if (token == first)
        return is_word(token) && (token[1].kind == '=' || token[1].kind == ':') ? token : NULL;
    if (token == first + 1 && is_word(first) && (token->kind == '=' || token->kind == ':'))
        return first;
    if (is_word(token - 1) && (token->kind == T_WRT || token->kind == T_AS))
        return NULL;
    bool word = is_word(token) || (token->kind == T_FUNCTION && !may_be(expected, T_FUNCTION));
    return word && may_be(expected, T_NAME) ? token : NULL;
}

/* Is this '=' the first of a statement that begins like an expression? */
static bool assigns_expression(const struct reader *reader, const struct expected *expected,
                               const struct token *token) {
    const struct token *first = &reader->tokens.at[reader->start];
    if (token->kind != '=' || token == first || !may_be(expected, T_SEP) || is_word(first))
        return false;
    for (const struct token *t = first; t < token; t++)
        if (t->kind == '=' || t->kind == ':')
            return false;
    return true;
}

/* Is the token a word behind the shape that a statement declares in one line? */
static bool is_behind_shape(const struct reader *reader, const struct token *token) {
    const struct token *first = &reader->tokens.at[reader->start];
    if (first[1].kind != ':' || first[2].kind != '[' || token[-1].kind != ']' || token->kind != T_NAME)
        return false;
    const char *shape = reader->source->text + (first[2].span.begin - reader->source->base);
    return !memchr(shape, '\n', token->span.begin - first[2].span.begin);
}

static void missing_operator(struct reader *reader, const struct token *token) {
    const struct token *before = token - 1, *first = &reader->tokens.at[reader->start];
    const char *left = quoted(reader, before), *right = quoted(reader, token);
    int left_length = (int)strlen(left) - 2, right_length = (int)strlen(right) - 2;
    const char *right_text = format_string(reader->arena, "%.*s", right_length, right + 1);
    struct diag *diag = diag_report(reader->diags, DIAG_E0120, token->span,
                                    format_string(reader->arena, "%.*s", left_length, left + 1), right_text);
    diag_operand(reader->diags, diag, before->span, NULL);
    const char *between = reader->source->text + (before->span.end - reader->source->base);
    const bool begins = before == first && before->kind == T_NAME;
    const char *keyword = begins ? keyword_near(before->name) : NULL;
    if (keyword)
        diag_help(reader->diags, diag, "did you mean %s %s ?", keyword, right_text);
    else if (is_behind_shape(reader, token))
        diag_help(reader->diags, diag, "did you mean %s: %s %.*s ?", first->name, token->name,
                  (int)(before->span.end - first[2].span.begin),
                  reader->source->text + (first[2].span.begin - reader->source->base));
    else if (memchr(between, '\n', token->span.begin - before->span.end))
        diag_help(reader->diags, diag, "the line goes on inside brackets; the rows of a matrix are parted by ';'");
    else if (before->kind == T_NUMBER && token->kind == T_NAME)
        diag_help(reader->diags, diag, "did you mean %s*%s ?", before->name, token->name);
    else if (before->kind == T_NAME && token->kind == T_NAME)
        diag_help(reader->diags, diag,
                  "did you mean %s @ %s (the matrix product), %s * %s (elementwise) or %s(%s) (a function)?",
                  before->name, token->name, before->name, token->name, before->name, token->name);
}

static void explain(struct reader *reader, const struct expected *expected, const struct token *token) {
    const struct token *first = &reader->tokens.at[reader->start];
    const struct token *word = keyword_as_name(reader, expected, token);
    if (word) {
        diag_report(reader->diags, DIAG_E0107, word->span, word->name);
    } else if (assigns_expression(reader, expected, token)) {
        struct span left = span_join(first->span, token[-1].span);
        struct diag *diag = diag_report(reader->diags, DIAG_E0114, token->span);
        diag_operand(reader->diags, diag, left, "this is an expression");
    } else if (may_be(expected, T_WRT) && first->kind == T_REQUEST) {
        diag_report(reader->diags, DIAG_E0109, first->span, first->name);
    } else if (token > first && ends_operand(token - 1) && begins_operand(token) &&
               in_expression(reader, reader->next - 1)) {
        missing_operator(reader, token);
    } else {
        unexpected(reader, expected, token);
    }
}

static int yyreport_syntax_error(const yypcontext_t *context, struct reader *reader) {
    const struct token *token = &reader->tokens.at[reader->next - 1];
    reader->failed = true;
    if (token->mended || token->kind == T_BAD)
        return 0;
    yysymbol_kind_t symbols[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
    struct expected expected = {{false}};
    for (int i = 0; i < count; i++)
        expected.symbol[symbols[i]] = true;
    explain(reader, &expected, token);
    return 0;
}

/* ---- Entry -------------------------------------------------------------------------------------------------------- */

static struct ast *parse(struct arena *arena, struct interner *interner, struct diags *diags,
                         const struct source *source, ast_id *value) {
    struct ast *ast = NEW(arena, struct ast);
    ast->arena = arena;
    vec_push(arena, &ast->nodes, (struct ast_node){.kind = AST_NONE});
    /* Adding a source later moves the sources; the reader keeps its own copy. */
    struct source *copy = arena_copy(arena, source, sizeof *source);
    struct reader *reader = NEW(arena, struct reader);
    *reader = (struct reader){.arena = arena, .interner = interner, .diags = diags, .source = copy, .ast = ast,
                              .mark = 1, .value = value};
    read_tokens(reader);
    if (mx_parse(reader) != 0 && value)
        *value = 0;
    return ast;
}

struct ast *ast_parse(struct arena *arena, struct interner *interner, struct diags *diags,
                      const struct source *source) {
    return parse(arena, interner, diags, source, NULL);
}

struct ast *ast_parse_expression(struct arena *arena, struct interner *interner, struct diags *diags,
                                 const struct source *source, ast_id *value) {
    int errors = diags->errors;
    *value = 0;
    struct ast *ast = parse(arena, interner, diags, source, value);
    if (diags->errors != errors)
        *value = 0;
    return ast;
}
