/* Between the files that read formulas back: pieces of text, and the parts of a product. */
#ifndef MX_EMIT_PIECES_H
#define MX_EMIT_PIECES_H

#include "formula.h"

#include <string.h>

enum level { LEVEL_COMPARISON, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_NEGATE, LEVEL_POSTFIX };

struct piece {
    const char *text;
    enum level level;
};

/* A factor, or what factors have joined to: at one label a vector, at two a matrix with rows at[0] and columns at[1].
 */
struct part {
    label at[2];
    uint8_t rank;
    bool divides;
    bool symmetric; /* a matrix that is its transpose */
    struct piece piece;
    const char *sliced;   /* what it is a slice of; NULL: it is none */
    const char *range[2]; /* of each axis of that */
    uint8_t axis[2];      /* at[i] is along this axis of that */
};

struct printer {
    struct arena *arena;
    struct graph *graph;
    struct formula_names names;
    size_t length, longest; /* characters put into pieces so far */
    int depth;
};

static inline struct piece make(struct printer *p, enum level level, const char *text) {
    p->length += strlen(text);
    return (struct piece){text, level};
}

/* The text, in brackets if it binds less tightly than asked. */
static inline const char *at_level(struct printer *p, struct piece piece, enum level level) {
    return piece.level >= level ? piece.text : format_string(p->arena, "(%s)", piece.text);
}

static inline struct piece transposed(struct printer *p, struct piece piece) {
    size_t length = strlen(piece.text);
    if (piece.level == LEVEL_POSTFIX && length && piece.text[length - 1] == '\'')
        return make(p, LEVEL_POSTFIX, arena_string(p->arena, piece.text, length - 1));
    return make(p, LEVEL_POSTFIX, format_string(p->arena, "%s'", at_level(p, piece, LEVEL_POSTFIX)));
}

static inline struct piece binary(struct printer *p, struct piece a, const char *operator, struct piece b) {
    return make(
        p, LEVEL_PRODUCT,
        format_string(p->arena, "%s %s %s", at_level(p, a, LEVEL_PRODUCT), operator, at_level(p, b, LEVEL_NEGATE)));
}

static inline struct piece call(struct printer *p, const char *name, struct piece a) {
    return make(p, LEVEL_POSTFIX, format_string(p->arena, "%s(%s)", name, a.text));
}

static inline struct piece number_piece(struct printer *p, double number) {
    struct text text = text_new(p->arena);
    text_double(&text, number);
    return make(p, number < 0 ? LEVEL_NEGATE : LEVEL_POSTFIX, text_string(&text));
}

static inline struct piece poly_piece(struct printer *p, poly size) {
    const char *text = poly_string(p->arena, p->graph->polys, size);
    return make(p, strchr(text, ' ') ? LEVEL_SUM : strchr(text, '*') ? LEVEL_PRODUCT : LEVEL_POSTFIX, text);
}

/* Parts of one product. */
struct parts {
    struct part at[MAX_LABELS];
    uint32_t count;
    bool stuck; /* some factor has more than two axes, or there are too many */
};

static inline const struct node *factor_of(const struct printer *p, const struct node *product, uint32_t i) {
    return graph_node(p->graph, product->operands[i].node);
}

/* formula.c: a product, a node, with its axes in this order; coefficient * scalars * piece / scalars. */
struct piece piece_of_product(struct printer *p, const struct node *node, const label *order);
struct piece piece_of_node(struct printer *p, node_id id, const label *order);
struct piece piece_scaled(struct printer *p, double number, struct piece piece);

/* arranged.c: what selectors and triangles are written as. */

/* Writes selector or triangle i of a product onto parts of it; false if it must be a factor. */
bool piece_apply_index(struct printer *p, struct parts *parts, const struct node *product, uint32_t i);
/* A product, a sum, that programs write as one call: vec, kron, tril, hcat. */
bool piece_of_call(struct printer *p, const struct node *product, const label *order, struct piece *piece);
bool piece_of_stack(struct printer *p, const struct node *sum, const label *order, struct piece *piece);
/* Takes the selectors of ranges from the result; order goes along, place gets "[1:3, :]". */
struct node piece_take_ranges(struct printer *p, struct node node, label *order, const char **place);

#endif
