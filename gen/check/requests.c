/* What is asked for: outputs and derivatives. Runs after the statements, so that a request may stand anywhere. */
#include "requests.h"

#include "faults.h"
#include "report.h"
#include "variables.h"

#include "../base/cwords.h"

#include <ctype.h>
#include <string.h>

/* ---- Names that requests take -------------------------------------------------------------------------------------
 */

/* The parser takes nothing but names as targets. */
static struct name *target_name(struct checker *c, ast_id id) {
    return name_of(c, ast_node(c->ast, id)->name);
}

/* ---- Outputs ------------------------------------------------------------------------------------------------------
 */

static void add_output(struct checker *c, ast_id id, uint32_t *stamps) {
    const struct name *name = target_name(c, id);
    if (name->clash)
        return;
    struct symbol *symbol = &c->out->symbols.at[name->symbol];
    if (!name->symbol || symbol->kind == SYMBOL_ABSTRACT)
        report_no_such(c, id, name);
    else if (symbol->kind != SYMBOL_VALUE)
        complain(c, DIAG_E0307, ast_node(c->ast, id)->span, name->text,
                 symbol->kind == SYMBOL_DIM ? "a dimension" : "an input");
    else if (is_new(c, stamps, 1, name->symbol, id))
        vec_push(c->arena, &c->out->outputs, name->symbol);
    symbol->read = true;
}

static bool add_outputs(struct checker *c) {
    uint32_t *stamps = NEW_ARRAY(c->arena, c->out->symbols.len, uint32_t);
    bool any = false;
    for (uint32_t i = 0; i < c->ast->statements.len; i++) {
        const struct ast_statement *statement = &c->ast->statements.at[i];
        if (statement->kind != STATEMENT_OUTPUT)
            continue;
        any = true;
        for (uint32_t k = 0; k < statement->target_count; k++)
            add_output(c, c->ast->children.at[statement->first_target + k], stamps);
    }
    return any;
}

static void add_unread_outputs(struct checker *c) {
    for (uint32_t i = 0; i < c->ast->statements.len; i++) {
        const struct ast_statement *statement = &c->ast->statements.at[i];
        if (statement->kind != STATEMENT_ASSIGN || statement->hidden)
            continue;
        const struct name *name = name_of(c, statement->name);
        struct symbol *symbol = &c->out->symbols.at[name->symbol];
        if (name->assigned != i + 1 || name->clash || symbol->read)
            continue;
        vec_push(c->arena, &c->out->outputs, name->symbol);
        symbol->read = true;
    }
}

/* ---- Gradients ----------------------------------------------------------------------------------------------------
 */

/* A name that the program does not use. */
static const char *new_name(struct checker *c, const char *text) {
    while (name_find(c, intern(c->interner, text)))
        text = format_string(c->arena, "%s_", text);
    return text;
}

static void help_no_scalar(struct checker *c, struct diag *diag, const char *word, const char *y, const char *x) {
    const char *s = new_name(c, "s");
    diag_help(c->diags, diag, "vjp %s wrt %s takes a cotangent of its shape", y, x);
    diag_help(c->diags, diag, "jac %s wrt %s gives the whole Jacobian", y, x);
    diag_help(c->diags, diag, "%s = sum(%s); %s %s wrt %s differentiates the sum of its elements", s, y, word, s, x);
}

static void report_no_scalar(struct checker *c, ast_id id, const struct ast_statement *statement, struct type type) {
    const struct ast_node *node = ast_node(c->ast, id);
    const struct ast_node *variable = ast_node(c->ast, c->ast->children.at[statement->first_target + 1]);
    struct diag *diag = complain(c, DIAG_E0301, node->span, node->name, kind_string(c, type));
    diag_note(c->diags, diag, (struct span){0}, "it is %s", statement_string(c, name_of(c, node->name)->assigned - 1));
    uint32_t symbol = variable->kind == AST_NAME ? name_of(c, variable->name)->symbol : 0;
    if (c->out->symbols.at[symbol].kind == SYMBOL_INPUT && symbol)
        help_no_scalar(c, diag, ast_request_spelling(statement->request), node->name, variable->name);
}

static uint32_t abstract_symbol(struct checker *c, struct name *name, struct span span) {
    name->symbol = (uint32_t)c->out->symbols.len;
    vec_push(c->arena, &c->out->symbols,
             (struct symbol){.name = name->text, .kind = SYMBOL_ABSTRACT, .structure = "dense", .span = span});
    return name->symbol;
}

/* The symbol of f in 'grad f', of Y in 'vjp Y'; 0 after an error. Only the loss of grad may be defined nowhere. */
static uint32_t request_target(struct checker *c, const struct ast_statement *statement) {
    bool scalar =
        statement->request == REQUEST_GRAD || statement->request == REQUEST_HVP || statement->request == REQUEST_HESS;
    ast_id id = c->ast->children.at[statement->first_target];
    struct name *name = target_name(c, id);
    if (name->clash)
        return 0;
    struct span span = ast_node(c->ast, id)->span;
    if (!name->symbol && statement->request != REQUEST_GRAD) {
        report_no_such(c, id, name);
        return 0;
    }
    if (!name->symbol)
        abstract_symbol(c, name, span);
    struct symbol *symbol = &c->out->symbols.at[name->symbol];
    symbol->read = true;
    if (symbol->kind == SYMBOL_DIM || symbol->kind == SYMBOL_INPUT) {
        complain(c, DIAG_E0306, span, name->text, symbol->kind == SYMBOL_DIM ? "a dimension" : "an input");
        return 0;
    }
    if (symbol->type.rank == 0 || (!scalar && symbol->type.rank != RANK_UNKNOWN))
        return name->symbol;
    if (symbol->type.rank != RANK_UNKNOWN)
        report_no_scalar(c, id, statement, symbol->type);
    return 0;
}

/* Only Jacobians and Hessians have structure. */
static bool may_be_compressed(struct checker *c, const struct ast_statement *statement) {
    if (!statement->compressed || statement->request == REQUEST_JAC || statement->request == REQUEST_HESS)
        return true;
    complain(c, DIAG_E0316, statement->span, ast_request_spelling(statement->request), "");
    return false;
}

static void mark_target_read(struct checker *c, const struct ast_statement *statement) {
    const struct ast_node *node = ast_node(c->ast, c->ast->children.at[statement->first_target]);
    if (node->kind == AST_NAME)
        c->out->symbols.at[name_of(c, node->name)->symbol].read = true;
}

static void add_request(struct checker *c, const struct ast_statement *statement, uint32_t *stamps, uint32_t list) {
    struct request request = {
        .kind = statement->request, .span = statement->span, .as = statement->as, .compressed = statement->compressed};
    if (!may_be_compressed(c, statement)) {
        mark_target_read(c, statement);
        return;
    }
    request.target = request_target(c, statement);
    request.first_variable = (uint32_t)c->out->variables.len;
    request.first_index = (uint32_t)c->out->indices.len;
    for (uint32_t k = 1; k < statement->target_count; k++)
        request.variable_count +=
            add_variable(c, &request, c->ast->children.at[statement->first_target + k], stamps, list);
    if (request.target && request.variable_count + 1 == statement->target_count)
        vec_push(c->arena, &c->out->requests, request);
}

static bool add_requests(struct checker *c) {
    size_t most = c->out->symbols.len + c->ast->statements.len;
    uint32_t *stamps = NEW_ARRAY(c->arena, most, uint32_t), list = 0;
    for (uint32_t i = 0; i < c->ast->statements.len; i++)
        if (c->ast->statements.at[i].kind == STATEMENT_REQUEST)
            add_request(c, &c->ast->statements.at[i], stamps, ++list);
    return list > 0;
}

/* ---- Requests beside each other -----------------------------------------------------------------------------------
 */

/* The functions that a request makes; returns how many. */
static uint32_t function_names(struct checker *c, const struct request *request, const char *names[2]) {
    const struct symbol *target = &c->out->symbols.at[request->target];
    const char *module = c->options->module;
    const char *stem = request->as ? request->as : module;
    bool abstract = target->kind == SYMBOL_ABSTRACT;
    names[0] = abstract ? format_string(c->arena, "%s_forward", stem)
               : request->as
                   ? request->as
                   : format_string(c->arena, "%s_%s_%s", module, ast_request_spelling(request->kind), target->name);
    names[1] = format_string(c->arena, "%s_backward", stem);
    return abstract ? 2 : 1;
}

/* Takes a name for owner; the owner that has it already, or 0. */
static uint32_t claim(struct checker *c, struct map *claimed, const char *name, uint32_t owner) {
    uint32_t *now = map_at(claimed, key_of(intern(c->interner, name)));
    const uint32_t before = *now;
    *now = before ? before : owner;
    return before;
}

/* The same for a function and its size functions. */
static uint32_t claim_function(struct checker *c, struct map *claimed, const char *function, uint32_t owner) {
    static const char *const suffixes[] = {"", "_worksize", "_savedsize"};
    uint32_t first = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        uint32_t before = claim(c, claimed, format_string(c->arena, "%s%s", function, suffixes[i]), owner);
        first = first ? first : before;
    }
    return first;
}

/* Owners that are no requests. */
enum { OWNER_MODULE = UINT32_MAX - 1, OWNER_EVAL };

static void complain_of_names(struct checker *c, const struct request *request, uint32_t before, const char *name) {
    const char *word = request->as ? request->as : name;
    struct diag *diag;
    if (before == OWNER_EVAL) {
        diag = complain(c, DIAG_E0309, request->span, word, "the function that gives the values has it");
    } else if (before == OWNER_MODULE) {
        diag = complain(c, DIAG_E0309, request->span, word, "the table that describes the functions has it");
    } else {
        const char *place = place_string(c, c->out->requests.at[before - 1].span);
        diag = complain(c, DIAG_E0304, request->span, place, name);
    }
    diag_help(c->diags, diag, request->as ? "give it another name after 'as'" : "name it: ... as another_name");
}

static void check_functions(struct checker *c) {
    struct map claimed = {.arena = c->arena};
    claim_function(c, &claimed, format_string(c->arena, "%s_eval", c->options->module), OWNER_EVAL);
    claim(c, &claimed, format_string(c->arena, "%s_module", c->options->module), OWNER_MODULE);
    for (uint32_t i = 0; i < c->out->requests.len; i++) {
        const struct request *request = &c->out->requests.at[i];
        const char *names[2];
        uint32_t count = function_names(c, request, names);
        if (request->as && c_function_is_taken(names[0])) {
            complain(c, DIAG_E0309, request->span, request->as, "C, C++ or the runtime has it already");
            continue;
        }
        for (uint32_t k = 0; k < count; k++) {
            uint32_t before = claim_function(c, &claimed, names[k], i + 1);
            if (!before)
                continue;
            complain_of_names(c, request, before, names[k]);
            break;
        }
    }
}

/* ---- Warnings -----------------------------------------------------------------------------------------------------
 */

/* Does one insertion, deletion, substitution or exchange of neighbours make b of a? Of names below three letters only
 * the case may differ. */
static bool is_slip(const char *a, const char *b) {
    size_t m = strlen(a), n = strlen(b), begin = 0, end = 0;
    if (m == n) {
        size_t same = 0;
        while (same < m && tolower((unsigned char)a[same]) == tolower((unsigned char)b[same]))
            same++;
        if (same == m)
            return true;
    }
    size_t longer = m > n ? m : n, shorter = m > n ? n : m;
    if (longer < 3 || longer - shorter > 1)
        return false;
    while (begin < shorter && a[begin] == b[begin])
        begin++;
    while (end < shorter - begin && a[m - 1 - end] == b[n - 1 - end])
        end++;
    bool exchanged = m == n && begin + end + 2 == m && a[begin] == b[begin + 1] && a[begin + 1] == b[begin];
    return exchanged || begin + end + 1 >= longer;
}

static const char *slip_of(struct checker *c, const char *loss) {
    for (size_t i = 1; i < c->out->symbols.len; i++) {
        const struct symbol *symbol = &c->out->symbols.at[i];
        if (symbol->kind == SYMBOL_VALUE && !symbol->hidden && is_slip(loss, symbol->name))
            return symbol->name;
    }
    const struct symbol *only = c->out->outputs.len == 1 ? &c->out->symbols.at[c->out->outputs.at[0]] : NULL;
    return only && only->type.rank == 0 ? only->name : NULL;
}

static void warn_abstract(struct checker *c, const struct request *request) {
    const struct symbol *loss = &c->out->symbols.at[request->target];
    const char *meant = slip_of(c, loss->name);
    if (!meant)
        return;
    struct diag *diag = complain(c, DIAG_W0202, loss->span, loss->name, "");
    diag_help(c->diags, diag, "did you mean grad %s ?", meant);
}

/* Symbols that were reached: their stamp is the last one. */
struct marks {
    uint32_t *stamps, *stack;
    uint32_t stamp;
};

/* Marks all that the symbols on the stack are computed from. */
static void mark_sources(struct checker *c, struct marks *marks, uint32_t depth) {
    while (depth > 0) {
        const struct symbol *symbol = &c->out->symbols.at[marks->stack[--depth]];
        if (symbol->kind != SYMBOL_VALUE)
            continue;
        const struct ast_statement *statement = &c->ast->statements.at[symbol->statement];
        for (ast_id id = statement->begin; id < statement->end; id++) {
            uint32_t read = c->out->symbol_of[id];
            if (!read || marks->stamps[read] == marks->stamp)
                continue;
            marks->stamps[read] = marks->stamp;
            marks->stack[depth++] = read;
        }
    }
}

static void warn_independent(struct checker *c, const struct request *request, struct marks *marks) {
    const struct symbol *target = &c->out->symbols.at[request->target];
    uint32_t depth = 0;
    marks->stamp++;
    if (target->kind == SYMBOL_VALUE)
        marks->stack[depth++] = request->target;
    for (size_t i = 0; target->kind == SYMBOL_ABSTRACT && i < c->out->outputs.len; i++)
        marks->stack[depth++] = c->out->outputs.at[i];
    mark_sources(c, marks, depth);
    for (uint32_t i = 0; i < request->variable_count; i++) {
        uint32_t variable = c->out->variables.at[request->first_variable + i];
        if (marks->stamps[variable] != marks->stamp)
            complain(c, DIAG_W0203, request->span, target->name, c->out->symbols.at[variable].name);
    }
}

static void warn_requests(struct checker *c, struct marks *marks) {
    for (uint32_t i = 0; i < c->out->requests.len; i++) {
        const struct request *request = &c->out->requests.at[i];
        warn_independent(c, request, marks);
        if (c->out->symbols.at[request->target].kind == SYMBOL_ABSTRACT)
            warn_abstract(c, request);
    }
}

/* An input that nothing declares and whose name could be a slip for this one, or NULL. */
static const char *inferred_near(struct checker *c, const char *name) {
    VEC(const char *) words = {0};
    for (uint32_t i = 1; i < c->out->symbols.len; i++) {
        const struct symbol *symbol = &c->out->symbols.at[i];
        if (symbol->kind == SYMBOL_INPUT && !symbol->declared)
            vec_push(c->arena, &words, symbol->name);
    }
    return nearest_word(name, words.at, words.len);
}

/* An included file may declare what only some programs read. */
static bool is_included(struct checker *c, struct span span) {
    const struct source *program = &c->diags->sources->all.at[0];
    return span.begin > program->base + program->length;
}

static void warn_unread_input(struct checker *c, const struct symbol *symbol) {
    struct diag *diag = complain(c, DIAG_W0204, symbol->span, symbol->name, "");
    const char *near = inferred_near(c, symbol->name);
    if (near)
        diag_help(c->diags, diag, "did you mean %s where %s is read?", symbol->name, near);
}

static void warn_unread(struct checker *c) {
    for (uint32_t i = 1; i < c->out->symbols.len; i++) {
        const struct symbol symbol = c->out->symbols.at[i];
        if (symbol.read || symbol.hidden || is_included(c, symbol.span))
            continue;
        if (symbol.kind == SYMBOL_INPUT && symbol.declared)
            warn_unread_input(c, &symbol);
        else if (symbol.kind == SYMBOL_VALUE)
            diag_help(c->diags, complain(c, DIAG_W0205, symbol.span, symbol.name, ""), "output %s", symbol.name);
    }
}

/* Marks what an expression is computed from. Its nodes are met from the last one down, after those they belong to. */
static void mark_expression(struct checker *c, ast_id begin, ast_id id, struct marks *marks) {
    bool *inside = NEW_ARRAY(c->arena, id - begin + 1, bool);
    uint32_t depth = 0;
    marks->stamp++;
    inside[id - begin] = true;
    for (ast_id at = id + 1; at-- > begin;) {
        if (!inside[at - begin])
            continue;
        uint32_t read = c->out->symbol_of[at];
        if (read && marks->stamps[read] != marks->stamp) {
            marks->stamps[read] = marks->stamp;
            marks->stack[depth++] = read;
        }
        for (uint32_t i = 0; i < ast_node(c->ast, at)->count; i++)
            inside[ast_child(c->ast, at, i) - begin] = true;
    }
    mark_sources(c, marks, depth);
}

/* A parameter that the body does not use stands for what the caller names. */
static bool depends_on(struct checker *c, const struct marks *marks, uint32_t variable) {
    const struct symbol *symbol = &c->out->symbols.at[variable];
    while (marks->stamps[variable] != marks->stamp && symbol->hidden == HIDDEN_ARGUMENT) {
        variable = c->out->symbol_of[c->ast->statements.at[symbol->statement].value];
        symbol = &c->out->symbols.at[variable];
    }
    return symbol->kind != SYMBOL_DIM && marks->stamps[variable] == marks->stamp;
}

static void warn_derivative(struct checker *c, const struct ast_statement *statement, ast_id id, struct marks *marks) {
    ast_id value = ast_child(c->ast, id, 0), variable = ast_child(c->ast, id, 1);
    mark_expression(c, statement->begin, value, marks);
    if (depends_on(c, marks, c->out->symbol_of[variable]))
        return;
    const char *text = shown(c, value);
    complain(c, DIAG_W0203, ast_node(c->ast, id)->span, text ? text : "the first argument",
             ast_node(c->ast, variable)->name);
}

/* Of derivatives as expressions; a place in a function is warned of once, for the first call that gives reason to. */
static void warn_derivatives(struct checker *c, struct marks *marks) {
    struct map warned = {.arena = c->arena};
    for (uint32_t i = 0; i < c->ast->statements.len; i++) {
        const struct ast_statement *statement = &c->ast->statements.at[i];
        size_t first = c->diags->all.len;
        for (ast_id id = statement->begin; statement->kind == STATEMENT_ASSIGN && id < statement->end; id++)
            if (op_records[c->out->op_of[id]].kind == KIND_DERIVATIVE &&
                !map_get(&warned, ast_node(c->ast, id)->op_span.begin)) {
                size_t before = c->diags->all.len;
                warn_derivative(c, statement, id, marks);
                if (c->diags->all.len != before)
                    *map_at(&warned, ast_node(c->ast, id)->op_span.begin) = 1;
            }
        note_calls(c, first, statement->expansion);
    }
}

static void warn(struct checker *c) {
    size_t count = c->out->symbols.len;
    struct marks marks = {NEW_ARRAY(c->arena, count, uint32_t), NEW_ARRAY(c->arena, 2 * count, uint32_t), 0};
    warn_requests(c, &marks);
    warn_unread(c);
    warn_derivatives(c, &marks);
}

/* ---- All ----------------------------------------------------------------------------------------------------------
 */

static void report_nothing_left(struct checker *c, const struct request *abstract) {
    const char *loss = c->out->symbols.at[abstract->target].name, *meant = slip_of(c, loss);
    struct diag *diag = complain(c, DIAG_E0308, abstract->span, loss, "");
    if (meant)
        diag_help(c->diags, diag, "did you mean grad %s ?", meant);
}

static const struct request *first_abstract(struct checker *c) {
    for (size_t i = 0; i < c->out->requests.len; i++)
        if (c->out->symbols.at[c->out->requests.at[i].target].kind == SYMBOL_ABSTRACT)
            return &c->out->requests.at[i];
    return NULL;
}

static bool has_value(struct checker *c) {
    for (size_t i = 1; i < c->out->symbols.len; i++)
        if (c->out->symbols.at[i].kind == SYMBOL_VALUE)
            return true;
    return false;
}

void requests_check(struct checker *c) {
    bool requests = add_requests(c), outputs = add_outputs(c);
    const struct request *abstract = first_abstract(c);
    if (!outputs && (abstract || !requests))
        add_unread_outputs(c);
    check_functions(c);
    if (c->diags->errors)
        return;
    if (!has_value(c)) {
        size_t count = c->ast->statements.len;
        struct span start = {1, 2};
        complain(c, DIAG_E0305, count ? c->ast->statements.at[count - 1].span : start, "", "");
    } else if (abstract && c->out->outputs.len == 0) {
        report_nothing_left(c, abstract);
    } else {
        warn(c);
    }
}
