#include "poly.h"

#include <stdlib.h>
#include <string.h>

static int64_t clamp_add(int64_t a, int64_t b) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static int64_t clamp_mul(int64_t a, int64_t b) {
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
    return product;
}

void polys_init(struct polys *polys, struct arena *arena) {
    memset(polys, 0, sizeof *polys);
    polys->arena = arena;
    polys->name_index.arena = polys->by_hash.arena = arena;
    polys->sums.arena = polys->differences.arena = polys->products.arena = arena;
    vec_push(arena, &polys->all, (struct poly_terms){0});
}

/* Falling degree, then names in lexicographic order of their indices. */
static int compare_powers(const struct monomial *a, const struct monomial *b) {
    if (a->degree != b->degree)
        return a->degree > b->degree ? -1 : 1;
    for (uint32_t i = 0; i < a->degree; i++)
        if (a->names[i] != b->names[i])
            return a->names[i] < b->names[i] ? -1 : 1;
    return 0;
}

static int compare_monomials(const void *a, const void *b) {
    return compare_powers(a, b);
}

static uint64_t hash_terms(const struct monomial *terms, uint32_t count) {
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) {
        hash = hash_bytes(hash, &terms[i].coefficient, sizeof terms[i].coefficient);
        hash = hash_bytes(hash, terms[i].names, terms[i].degree * sizeof *terms[i].names);
    }
    return hash;
}

static bool same_terms(struct poly_terms a, const struct monomial *terms, uint32_t count) {
    if (a.count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (a.at[i].coefficient != terms[i].coefficient || compare_powers(&a.at[i], &terms[i]) != 0)
            return false;
    return true;
}

static poly intern_terms(struct polys *polys, const struct monomial *terms, uint32_t count) {
    uint64_t hash = hash_terms(terms, count);
    struct hash_search search = hashes_search(hash);
    for (poly p; (p = hashes_next(&polys->by_hash, &search));)
        if (same_terms(polys->all.at[p], terms, count))
            return p;
    poly made = (poly)polys->all.len;
    const struct monomial *kept = arena_copy(polys->arena, terms, count * sizeof *terms);
    vec_push(polys->arena, &polys->all, (struct poly_terms){count, kept});
    hashes_add(&polys->by_hash, hash, made);
    return made;
}

/* Sorts, adds up equal powers, drops zeros. */
static poly normalise(struct polys *polys, struct monomial *terms, size_t count) {
    uint32_t kept = 0;
    if (count)
        qsort(terms, count, sizeof *terms, compare_monomials);
    for (size_t i = 0; i < count;) {
        struct monomial sum = terms[i++];
        while (i < count && compare_powers(&sum, &terms[i]) == 0)
            sum.coefficient = clamp_add(sum.coefficient, terms[i++].coefficient);
        if (sum.coefficient != 0)
            terms[kept++] = sum;
    }
    return intern_terms(polys, terms, kept);
}

poly poly_number(struct polys *polys, int64_t value) {
    struct monomial term = {.coefficient = value};
    const bool small = value >= 0 && value < POLYS_KNOWN;
    if (small && polys->number[value])
        return polys->number[value];
    const poly made = normalise(polys, &term, 1);
    if (small)
        polys->number[value] = made;
    return made;
}

poly poly_name(struct polys *polys, const char *name) {
    uint32_t *index = map_at(&polys->name_index, key_of(name));
    if (!*index) {
        vec_push(polys->arena, &polys->names, name);
        *index = (uint32_t)polys->names.len;
    }
    uint32_t variable = *index - 1;
    struct monomial term = {1, 1, arena_copy(polys->arena, &variable, sizeof variable)};
    return intern_terms(polys, &term, 1);
}

static uint64_t pair_key(poly a, poly b) {
    return (uint64_t)a << 32 | b;
}

static poly add_scaled(struct polys *polys, poly a, poly b, int64_t scale) {
    struct poly_terms x = polys->all.at[a], y = polys->all.at[b];
    struct monomial *terms = NEW_ARRAY(polys->arena, (size_t)x.count + y.count, struct monomial);
    if (x.count)
        memcpy(terms, x.at, x.count * sizeof *terms);
    for (uint32_t i = 0; i < y.count; i++) {
        terms[x.count + i] = y.at[i];
        terms[x.count + i].coefficient = clamp_mul(y.at[i].coefficient, scale);
    }
    return normalise(polys, terms, (size_t)x.count + y.count);
}

poly poly_add(struct polys *polys, poly a, poly b) {
    poly *known = map_at(&polys->sums, pair_key(a, b));
    return *known ? *known : (*known = add_scaled(polys, a, b, 1));
}

poly poly_sub(struct polys *polys, poly a, poly b) {
    poly *known = map_at(&polys->differences, pair_key(a, b));
    return *known ? *known : (*known = add_scaled(polys, a, b, -1));
}

static struct monomial multiply(struct arena *arena, const struct monomial *a, const struct monomial *b) {
    uint32_t degree = a->degree + b->degree, i = 0, j = 0;
    uint32_t *names = NEW_ARRAY(arena, degree, uint32_t);
    for (uint32_t k = 0; k < degree; k++)
        names[k] = j == b->degree || (i < a->degree && a->names[i] <= b->names[j]) ? a->names[i++] : b->names[j++];
    return (struct monomial){clamp_mul(a->coefficient, b->coefficient), degree, names};
}

static poly multiply_terms(struct polys *polys, poly a, poly b) {
    struct poly_terms x = polys->all.at[a], y = polys->all.at[b];
    size_t count = (size_t)x.count * y.count;
    struct monomial *terms = NEW_ARRAY(polys->arena, count, struct monomial);
    for (uint32_t i = 0; i < x.count; i++)
        for (uint32_t j = 0; j < y.count; j++)
            terms[(size_t)i * y.count + j] = multiply(polys->arena, &x.at[i], &y.at[j]);
    return normalise(polys, terms, count);
}

poly poly_mul(struct polys *polys, poly a, poly b) {
    const poly one = poly_number(polys, 1);
    if (a == one || b == one)
        return a == one ? b : a;
    poly *known = map_at(&polys->products, pair_key(a, b));
    return *known ? *known : (*known = multiply_terms(polys, a, b));
}

static poly substitute_monomial(struct polys *polys, const struct monomial *term, uint32_t variable, poly by) {
    poly product = poly_number(polys, term->coefficient);
    for (uint32_t i = 0; i < term->degree; i++) {
        poly factor = term->names[i] == variable ? by : poly_name(polys, polys->names.at[term->names[i]]);
        product = poly_mul(polys, product, factor);
    }
    return product;
}

poly poly_substitute(struct polys *polys, poly p, uint32_t variable, poly by) {
    if (!poly_mentions(polys, p, variable))
        return p;
    struct poly_terms terms = polys->all.at[p];
    poly sum = poly_number(polys, 0);
    for (uint32_t i = 0; i < terms.count; i++)
        sum = poly_add(polys, sum, substitute_monomial(polys, &terms.at[i], variable, by));
    return sum;
}

struct poly_terms poly_terms(const struct polys *polys, poly p) {
    return polys->all.at[p];
}

bool poly_is_number(const struct polys *polys, poly p, int64_t *value) {
    struct poly_terms terms = polys->all.at[p];
    if (p == POLY_NONE || terms.count > 1 || (terms.count == 1 && terms.at[0].degree > 0))
        return false;
    *value = terms.count ? terms.at[0].coefficient : 0;
    return true;
}

bool poly_is_name(const struct polys *polys, poly p, uint32_t *variable) {
    struct poly_terms terms = polys->all.at[p];
    if (terms.count != 1 || terms.at[0].degree != 1 || terms.at[0].coefficient != 1)
        return false;
    *variable = terms.at[0].names[0];
    return true;
}

bool poly_is_nonnegative(const struct polys *polys, poly p) {
    struct poly_terms terms = polys->all.at[p];
    for (uint32_t i = 0; i < terms.count; i++)
        if (terms.at[i].coefficient < 0)
            return false;
    return true;
}

bool poly_mentions(const struct polys *polys, poly p, uint32_t variable) {
    struct poly_terms terms = polys->all.at[p];
    for (uint32_t i = 0; i < terms.count; i++)
        for (uint32_t j = 0; j < terms.at[i].degree; j++)
            if (terms.at[i].names[j] == variable)
                return true;
    return false;
}

static void print_monomial(struct text *text, const struct polys *polys, const struct monomial *term, bool first) {
    uint64_t size = term->coefficient < 0 ? 0 - (uint64_t)term->coefficient : (uint64_t)term->coefficient;
    if (!first)
        text_puts(text, term->coefficient < 0 ? " - " : " + ");
    else if (term->coefficient < 0)
        text_putc(text, '-');
    if (size != 1 || term->degree == 0)
        text_printf(text, "%llu", (unsigned long long)size);
    for (uint32_t i = 0; i < term->degree; i++)
        text_printf(text, "%s%s", i == 0 && size == 1 ? "" : "*", polys->names.at[term->names[i]]);
}

void poly_print(struct text *text, const struct polys *polys, poly p) {
    struct poly_terms terms = polys->all.at[p];
    bool first = true;
    if (terms.count == 0)
        text_putc(text, '0');
    for (int minus = 0; minus < 2; minus++)
        for (uint32_t i = 0; i < terms.count; i++)
            if ((terms.at[i].coefficient < 0) == minus) {
                print_monomial(text, polys, &terms.at[i], first);
                first = false;
            }
}

const char *poly_string(struct arena *arena, const struct polys *polys, poly p) {
    struct text text = text_new(arena);
    poly_print(&text, polys, p);
    return text_string(&text);
}

void poly_sum_add(struct poly_sum *sum, struct polys *polys, poly p) {
    struct poly_terms terms = polys->all.at[p];
    for (uint32_t i = 0; i < terms.count; i++)
        vec_push(polys->arena, &sum->terms, terms.at[i]);
}

poly poly_sum_total(struct poly_sum *sum, struct polys *polys) {
    return normalise(polys, sum->terms.at, sum->terms.len);
}
