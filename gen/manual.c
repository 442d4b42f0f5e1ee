#include "manual.h"

#include "base/page.h"
#include "compile.h"
#include "graph/ops.h"

#include <ctype.h>
#include <string.h>

static const char name[] = "mxc-language", about[] = "the language of mxc, a compiler of matrix calculus";

static const struct {
    const char *heading, *text; /* NULL: the functions */
} sections[] = {
#define SECTION(heading, text) {heading, text},
#define FUNCTIONS() {NULL, NULL},
#include "manual.def"
#undef SECTION
#undef FUNCTIONS
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* What the functions of one shape have in common. A shape that has no row is one of matrices, is called with
 * its arguments by position, and its records bring their own examples. */
static const char *const headings[] = {
    "Elementwise functions",     "Functions over axes",   "Functions along an axis",  "Products",
    "Constants of a given size", "Functions of matrices", "Arrangements of elements", "Derivatives",
};
enum { MATRICES = 5, HEADINGS = sizeof headings / sizeof *headings };

static const struct shape_form {
    int heading;         /* 1 + its place in headings; 0: that of matrices */
    const char *options; /* call forms beside the plain one: what follows the arguments, "; " between them */
    const char *arguments, *more, *result, *request; /* of the example: result = name(arguments more) */
} shape_forms[] = {
    [SHAPE_ELEMENTWISE] = {1, NULL, "X, Y, Z", "", "R", "vjp"},
    [SHAPE_REDUCE] = {2, ", axis=0; , axis=1; , axis=0, keepdims=true", "X", ", axis=1", "r", "vjp"},
    [SHAPE_SCALAR] = {2, NULL, "X", "", "f", "grad"},
    [SHAPE_ALONG] = {3, ", axis=0; , axis=1", "X", ", axis=1", "R", "vjp"},
    [SHAPE_DOT] = {4, NULL, "x, y", "", "f", "grad"},
    [SHAPE_INNER] = {4, NULL, "X, Y", "", "f", "grad"},
    [SHAPE_OUTER] = {4, NULL, "x, y", "", "R", "vjp"},
    [SHAPE_TRACE] = {6, NULL, "A", "", "f", "grad"},
    [SHAPE_SQUARE] = {6, NULL, "A", "", "R", "vjp"},
    [SHAPE_MATRIX] = {6, NULL, "A", "", "R", "vjp"},
    [SHAPE_SOLVE] = {6, NULL, "A, B", "", "R", "vjp"},
    [SHAPE_KRON] = {4, NULL, "X, Y", "", "R", "vjp"},
    [SHAPE_PATTERN] = {4},
    [SHAPE_VEC] = {7, NULL, "X", "", "R", "vjp"},
    [SHAPE_RESHAPE] = {7},
    [SHAPE_BESIDE] = {7},
    [SHAPE_BELOW] = {7},
    [SHAPE_DERIVATIVE] = {8},
    [SHAPE_DIAG] = {6, NULL, "x", "", "R", "vjp"},
    [SHAPE_EYE] = {5},
    [SHAPE_FILL] = {5},
};
static const struct shape_form no_form;

static const struct shape_form *form_of(const struct op_record *record) {
    size_t shape = (size_t)record->shape;
    return shape < sizeof shape_forms / sizeof *shape_forms ? &shape_forms[shape] : &no_form;
}

static int heading_of(const struct op_record *record) {
    int heading = form_of(record)->heading;
    return heading ? heading - 1 : MATRICES;
}

static bool is_listed(const struct op_record *record) {
    return record->name && !(record->flags & OP_HIDDEN);
}

/* ---- What is said of a function ------------------------------------------------------------------------------------
 */

/* "norm(x, 1)" for the spelling "norm(1)": a fixed second argument follows the others. */
static void put_call(struct text *text, enum op op, const char *arguments, size_t length, const char *more) {
    const char *spelling = op_spelling(op), *fixed = strchr(spelling, '(');
    size_t letters = fixed ? (size_t)(fixed - spelling) : strlen(spelling);
    text_printf(text, "%.*s(%.*s", (int)letters, spelling, (int)length, arguments);
    if (fixed)
        text_printf(text, ", %.*s", (int)strlen(fixed) - 2, fixed + 1);
    text_printf(text, "%s)", more);
}

/* The length of the first `count` of a list such as "a, b, c". */
static size_t list_length(const char *list, int count) {
    size_t length = 0;
    for (int i = 0; i < count && list[length]; i++)
        length += strcspn(list + length + (i > 0), ",") + (i > 0);
    return length;
}

/* The text up to the next "; ", and what is behind that. */
static const char *next_part(struct arena *arena, const char **text) {
    const char *end = strstr(*text, "; ");
    size_t length = end ? (size_t)(end - *text) : strlen(*text);
    const char *part = arena_string(arena, *text, length);
    *text += end ? length + 2 : length;
    return part;
}

/* "sum(a), sum(a, axis=0)" */
static const char *call_forms(struct arena *arena, enum op op) {
    const struct op_record *record = &op_records[op];
    const char *options = form_of(record)->options;
    struct text text = text_new(arena);
    for (const char *rest = record->forms; rest && *rest;)
        text_printf(&text, "%s%s", text.len ? ", " : "", next_part(arena, &rest));
    if (record->forms)
        return text_string(&text);
    size_t length = list_length("a, b, c", record->arity);
    put_call(&text, op, "a, b, c", length, "");
    while (options && *options) {
        text_puts(&text, ", ");
        put_call(&text, op, "a, b, c", length, next_part(arena, &options));
    }
    return text_string(&text);
}

/* NULL: neither the record nor its shape has one. */
static const char *example_of(struct arena *arena, enum op op) {
    const struct op_record *record = &op_records[op];
    const struct shape_form *form = form_of(record);
    struct text text = text_new(arena);
    if (record->example || !form->arguments)
        return record->example;
    size_t length = list_length(form->arguments, record->arity);
    text_printf(&text, "%s = ", form->result);
    put_call(&text, op, form->arguments, length, form->more);
    text_printf(&text, "\n%s %s wrt %.*s", form->request, form->result, (int)length, form->arguments);
    return text_string(&text);
}

static bool is_letter(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* The hidden operators that a text calls, with what they are: "step(a) is 1 where a > 0, else 0". NULL: none. */
static const char *hidden_terms(struct arena *arena, const char *s) {
    struct text text = text_new(arena);
    bool seen[OPS] = {false};
    for (size_t i = 0, begin = 0; s[i]; i++) {
        if (!is_letter(s[i])) {
            enum op op =
                s[i] == '(' && i > begin ? op_find(arena_string(arena, s + begin, i - begin), NULL, true) : OP_NONE;
            begin = i + 1;
            if (!op || seen[op] || !(op_records[op].flags & OP_HIDDEN))
                continue;
            text_puts(&text, text.len ? "; " : "where ");
            put_call(&text, op, "a, b, c", list_length("a, b, c", op_records[op].arity), "");
            text_printf(&text, " is %s", op_records[op].doc);
            seen[op] = true;
        }
    }
    return text.len ? text_string(&text) : NULL;
}

static const char *by_kind(const struct op_record *record) {
    switch (record->kind) {
    case KIND_SUM:
    case KIND_EINSUM:
    case KIND_ARRANGE:
        return "linear: each argument in turn is replaced by its differential";
    case KIND_DERIVATIVE:
        return "that of the derivative, an expression like any other";
    case KIND_POWER:
        return "that of the product, or of the inverse of one";
    case KIND_EYE:
    case KIND_FILL:
        return "0, a constant";
    default:
        return "that of its definition";
    }
}

/* The differential: the record's own, or what follows from its kind. */
static const char *differential_of(const struct op_record *record) {
    return record->differential ? record->differential : by_kind(record);
}

/* How a function of whole matrices is computed depends on their structure, and is no definition. */
static const char *definition_of(const struct op_record *record) {
    return record->kind == KIND_MATRIX ? NULL : record->definition;
}

/* ---- Entries -------------------------------------------------------------------------------------------------------
 */

static void put_fact(const struct page *page, const char *label, const char *fact) {
    if (fact)
        page_item_text(page, format_string(page->out->arena, "%s%s", label, fact));
}

/* "at (1, 1) it is (1, 0)" for each kink. */
static void put_kinks(const struct page *page, const struct op_record *record) {
    struct arena *arena = page->out->arena;
    struct text text = text_new(arena);
    const char *rest = record->kinks ? record->kinks : "";
    while (*rest) {
        const char *kink = next_part(arena, &rest), *arrow = strstr(kink, " -> ");
        bool several = record->arity > 1;
        if (!arrow)
            continue;
        text_printf(&text, "%s at %s%.*s%s it is %s%s%s", text.len ? ";" : "", several ? "(" : "", (int)(arrow - kink),
                    kink, several ? ")" : "", several ? "(" : "", arrow + 4, several ? ")" : "");
    }
    if (text.len)
        put_fact(page, "Derivative:", text_string(&text));
}

static void put_entry(const struct page *page, enum op op) {
    const struct op_record *record = &op_records[op];
    struct arena *arena = page->out->arena;
    const char *example = example_of(arena, op);
    page_item(page, call_forms(arena, op));
    page_item_text(page, record->doc);
    put_fact(page, "Definition: ", definition_of(record));
    put_fact(page, "Indices: ", record->pattern);
    put_fact(page, "Differential: ", differential_of(record));
    if (record->differential)
        put_fact(page, "", hidden_terms(arena, record->differential));
    if (definition_of(record))
        put_fact(page, "", hidden_terms(arena, definition_of(record)));
    put_fact(page, "Domain: ", record->domain);
    put_kinks(page, record);
    if (example)
        page_item_lines(page, example);
}

static void put_functions(const struct page *page) {
    page_heading(page, "Functions");
    page_prose(page,
               "In an entry a, b, c are the arguments, y is the result, and da, db, dc are the differentials of the "
               "arguments: the differential of y is that expression, linear in them, from which mxc makes every "
               "derivative. axis=0 runs over the rows, axis=1 over the columns; with keepdims=true the axis "
               "stays, of size 1. Where the derivative at a point is a choice, the entry says which is used. "
               "The lines at the end are a whole program.\n");
    for (int heading = 0; heading < HEADINGS; heading++) {
        page_subheading(page, headings[heading]);
        for (enum op op = 1; op < OPS; op++)
            if (is_listed(&op_records[op]) && heading_of(&op_records[op]) == heading)
                put_entry(page, op);
    }
}

/* ---- For programs --------------------------------------------------------------------------------------------------
 */

static void put_member(struct text *out, const char *key, const char *value) {
    text_printf(out, ", \"%s\": ", key);
    if (value)
        text_json(out, value);
    else
        text_puts(out, "null");
}

static void put_record(struct text *out, enum op op) {
    const struct op_record *record = &op_records[op];
    text_puts(out, "{\"record\": ");
    text_json(out, record->name);
    text_printf(out, ", \"arity\": %d", record->arity);
    put_member(out, "spelling", op_spelling(op));
    put_member(out, "forms", call_forms(out->arena, op));
    put_member(out, "doc", record->doc);
    put_member(out, "definition", definition_of(record));
    put_member(out, "differential", differential_of(record));
    put_member(out, "domain", record->domain);
    put_member(out, "kinks", record->kinks);
    put_member(out, "example", example_of(out->arena, op));
    text_puts(out, "}");
}

/* The lines up to the next empty one, without their indentation. */
static const char *program_block(struct arena *arena, const char **s) {
    struct text program = text_new(arena);
    while (**s && **s != '\n') {
        size_t length = strcspn(*s, "\n");
        text_printf(&program, "%.*s\n", (int)length - 4, *s + 4);
        *s += length + ((*s)[length] == '\n');
    }
    return text_string(&program);
}

/* A block of lines that begins with four spaces is a program. */
static void put_programs(struct text *out, const char *s, bool *first) {
    while (s && *s) {
        if (strncmp(s, "    ", 4) == 0) {
            text_puts(out, *first ? "\n" : ",\n");
            text_json(out, program_block(out->arena, &s));
            *first = false;
        } else {
            const char *end = strstr(s, "\n\n");
            s = end ? end + 2 : s + strlen(s);
        }
        s += *s == '\n';
    }
}

static void put_json(struct text *out) {
    bool first = true;
    text_puts(out, "{\"functions\": [\n");
    for (enum op op = 1; op < OPS; op++) {
        if (!is_listed(&op_records[op]))
            continue;
        text_puts(out, first ? "" : ",\n");
        put_record(out, op);
        first = false;
    }
    first = true;
    text_puts(out, "],\n\"programs\": [");
    for (size_t i = 0; i < SECTIONS; i++)
        put_programs(out, sections[i].text, &first);
    text_puts(out, "]}\n");
}

void manual_print(struct text *out, enum manual_format format) {
    struct page page = {out, format == MANUAL_MAN};
    if (format == MANUAL_JSON) {
        put_json(out);
        return;
    }
    page_begin(&page, name, "7", about, "mxc " MXC_VERSION);
    for (size_t i = 0; i < SECTIONS; i++) {
        if (!sections[i].text) {
            put_functions(&page);
            continue;
        }
        page_heading(&page, sections[i].heading);
        page_prose(&page, sections[i].text);
    }
}
