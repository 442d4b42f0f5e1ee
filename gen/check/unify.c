/* Sizes made equal. An unknown size is a variable of the polynomials that may be bound to a polynomial. Invariants: a
 * binding never leads back to its variable, because both sides are resolved before one is bound; of two unknowns the
 * later in the source is bound to the earlier, so what stays open already has the name of its first place. */
#include "unify.h"

#include "report.h"

struct variable *variable_at(struct checker *c, uint32_t index) {
    while (c->variables.len <= index)
        vec_push(c->arena, &c->variables, (struct variable){0});
    return &c->variables.at[index];
}

poly unknown_new(struct checker *c, const char *name) {
    poly p = poly_name(c->polys, name);
    uint32_t index = 0;
    poly_is_name(c->polys, p, &index);
    variable_at(c, index)->unknown = ++c->unknowns;
    return p;
}

static void bind(struct checker *c, uint32_t index, poly to, ast_id at) {
    struct variable *variable = variable_at(c, index);
    vec_push(c->arena, &c->trail, (struct binding){index, variable->bound, variable->bound_at});
    variable->bound = to;
    variable->bound_at = at;
}

void unify_undo(struct checker *c, size_t trail_length) {
    while (c->trail.len > trail_length) {
        struct binding was = vec_pop(&c->trail);
        c->variables.at[was.variable].bound = was.bound;
        c->variables.at[was.variable].bound_at = was.bound_at;
    }
}

/* The first variable of p that is bound; false if none is. */
static bool first_bound(struct checker *c, poly p, uint32_t *index) {
    struct poly_terms terms = poly_terms(c->polys, p);
    for (uint32_t i = 0; i < terms.count; i++)
        for (uint32_t j = 0; j < terms.at[i].degree; j++)
            if (variable_at(c, terms.at[i].names[j])->bound) {
                *index = terms.at[i].names[j];
                return true;
            }
    return false;
}

/* Follows names, then shortens the way for the next time. */
static poly resolve_name(struct checker *c, poly name, uint32_t index) {
    poly end = name;
    for (uint32_t i = index; poly_is_name(c->polys, end, &i) && variable_at(c, i)->bound;)
        end = variable_at(c, i)->bound;
    for (uint32_t i = index; variable_at(c, i)->bound && variable_at(c, i)->bound != end;) {
        poly next = variable_at(c, i)->bound;
        bind(c, i, end, variable_at(c, i)->bound_at);
        if (!poly_is_name(c->polys, next, &i))
            break;
    }
    return end;
}

poly resolve(struct checker *c, poly p) {
    uint32_t index;
    if (poly_is_name(c->polys, p, &index))
        p = resolve_name(c, p, index);
    while (first_bound(c, p, &index))
        p = poly_substitute(c->polys, p, index, variable_at(c, index)->bound);
    return p;
}

struct type resolve_type(struct checker *c, struct type type) {
    for (int i = 0; type.rank != RANK_UNKNOWN && i < type.rank; i++)
        type.size[i] = resolve(c, type.size[i]);
    return type;
}

/* In how many terms of p the variable stands. */
static uint32_t occurrences(const struct poly_terms *terms, uint32_t variable) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < terms->count; i++)
        for (uint32_t j = 0; j < terms->at[i].degree; j++)
            if (terms->at[i].names[j] == variable) {
                count++;
                break;
            }
    return count;
}

/* The latest unknown in which the resolved p is linear with coefficient 1 or -1; NULL if there is none. *open: p has
 * any unknown. */
static const struct monomial *solvable_term(struct checker *c, poly p, bool *open) {
    struct poly_terms terms = poly_terms(c->polys, p);
    const struct monomial *best = NULL;
    for (uint32_t i = 0; i < terms.count; i++) {
        const struct monomial *term = &terms.at[i];
        for (uint32_t j = 0; j < term->degree; j++)
            *open |= variable_at(c, term->names[j])->unknown != 0;
        if (term->degree != 1 || (term->coefficient != 1 && term->coefficient != -1))
            continue;
        uint32_t unknown = variable_at(c, term->names[0])->unknown;
        if (unknown && occurrences(&terms, term->names[0]) == 1 &&
            (!best || unknown > variable_at(c, best->names[0])->unknown))
            best = term;
    }
    return best;
}

enum outcome { AGREES, DIFFERS, WAITS };

/* Solves a - b = 0 for an unknown: c v + rest = 0 gives v = -rest / c, where c is 1 or -1. */
static enum outcome solve(struct checker *c, poly a, poly b, ast_id at) {
    poly zero = poly_number(c->polys, 0), difference = poly_sub(c->polys, resolve(c, a), resolve(c, b));
    bool open = false;
    int64_t number;
    if (difference == zero)
        return AGREES;
    const struct monomial *term = solvable_term(c, difference, &open);
    if (!term)
        return open ? WAITS : DIFFERS;
    poly variable = poly_name(c->polys, c->polys->names.at[term->names[0]]);
    poly value =
        term->coefficient == 1 ? poly_sub(c->polys, variable, difference) : poly_add(c->polys, variable, difference);
    if (poly_is_number(c->polys, value, &number) && number < 1)
        return DIFFERS;
    bind(c, term->names[0], value, at);
    return AGREES;
}

bool unify(struct checker *c, poly a, poly b, ast_id at) {
    if (a == b || a == POLY_NONE || b == POLY_NONE)
        return true;
    enum outcome outcome = solve(c, a, b, at);
    if (outcome == WAITS && !c->trial)
        vec_push(c->arena, &c->deferred, (struct equation){a, b, at, c->ast->statements.at[c->statement].expansion});
    return outcome != DIFFERS;
}

static void report_unsolved(struct checker *c, const struct equation *equation) {
    const char *left = poly_string(c->arena, c->polys, resolve(c, equation->left));
    const char *right = poly_string(c->arena, c->polys, resolve(c, equation->right));
    const char *sizes = format_string(c->arena, "%s and %s", left, right);
    size_t first = c->diags->all.len;
    complain(c, DIAG_E0205, ast_node(c->ast, equation->at)->span, "what stands here", sizes);
    note_calls(c, first, equation->expansion);
}

/* Rounds over the equations that had to wait, until a round solves none; what is left does not hold for every size. */
void unify_rest(struct checker *c) {
    size_t waiting = c->deferred.len, before;
    do {
        before = waiting;
        waiting = 0;
        for (size_t i = 0; i < before; i++) {
            struct equation equation = c->deferred.at[i];
            if (solve(c, equation.left, equation.right, equation.at) != AGREES)
                c->deferred.at[waiting++] = equation;
        }
    } while (waiting < before);
    for (size_t i = 0; i < waiting; i++)
        report_unsolved(c, &c->deferred.at[i]);
    c->deferred.len = waiting;
}
