#include "diag.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- The table ----------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *code;
    enum diag_level level;
    const char *name, *format, *explanation;
} table[DIAG_CODES] = {
#define DIAG(code, level, name, format, explanation) {#code, level, name, format, explanation},
#include "diag.def"
#undef DIAG
};

const char *diag_code_name(enum diag_code code) {
    return table[code].code;
}

static bool same_but_case(const char *a, const char *b) {
    while (*a && toupper((unsigned char)*a) == toupper((unsigned char)*b))
        a++, b++;
    return *a == '\0' && *b == '\0';
}

const char *diag_explanation(const char *code) {
    for (size_t i = 0; i < DIAG_CODES; i++)
        if (same_but_case(table[i].code, code))
            return table[i].explanation;
    return NULL;
}

enum diag_code diag_warning_named(const char *name) {
    size_t i = 0;
    while (i < DIAG_CODES && (table[i].level != DIAG_WARNING || strcmp(table[i].name, name) != 0))
        i++;
    return (enum diag_code)i;
}

/* ---- Collecting ---------------------------------------------------------------------------------------------------
 */

static const char *format_text(struct arena *arena, const char *format, va_list args) {
    struct text text = text_new(arena);
    text_vprintf(&text, format, args);
    return text_string(&text);
}

static enum diag_level level_of(const struct diags *diags, enum diag_code code) {
    bool raised = table[code].level == DIAG_WARNING && diags->warnings_are_errors;
    return raised ? DIAG_ERROR : table[code].level;
}

struct diag *diag_report(struct diags *diags, enum diag_code code, struct span span, ...) {
    struct diag *diag = NEW(diags->arena, struct diag);
    diag->code = code;
    diag->span = span;
    diag->text = "";
    if (diags->silenced[code])
        return diag;
    bool error = level_of(diags, code) == DIAG_ERROR;
    diags->warnings += !error;
    diags->errors += error;
    if (error && diags->errors > DIAG_MAX_ERRORS)
        return diag;
    va_list args;
    va_start(args, span);
    diag->text = format_text(diags->arena, table[code].format, args);
    va_end(args);
    vec_push(diags->arena, &diags->all, diag);
    return diag;
}

void diag_operand(struct diags *diags, struct diag *diag, struct span span, const char *format, ...) {
    struct diag_part part = {.span = span};
    if (format) {
        va_list args;
        va_start(args, format);
        part.text = format_text(diags->arena, format, args);
        va_end(args);
    }
    vec_push(diags->arena, &diag->operands, part);
}

void diag_note(struct diags *diags, struct diag *diag, struct span span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vec_push(diags->arena, &diag->notes, (struct diag_part){span, format_text(diags->arena, format, args)});
    va_end(args);
}

void diag_help(struct diags *diags, struct diag *diag, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vec_push(diags->arena, &diag->helps, (struct diag_part){.text = format_text(diags->arena, format, args)});
    va_end(args);
}

/* A copy of all messages by place, those of one place as reported. Merging is stable and needs no more than one copy.
 */
static struct diag **in_order(const struct diags *diags) {
    size_t count = diags->all.len;
    struct diag **from = arena_copy(diags->arena, diags->all.at, count * sizeof *from);
    struct diag **to = NEW_ARRAY(diags->arena, count, struct diag *);
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t low = 0; low < count; low += 2 * run) {
            size_t middle = low + run < count ? low + run : count, high = middle + run < count ? middle + run : count;
            for (size_t k = low, i = low, j = middle; k < high; k++)
                to[k] = j == high || (i < middle && from[i]->span.begin <= from[j]->span.begin) ? from[i++] : from[j++];
        }
        struct diag **swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* ---- One source line with what is marked in it ---------------------------------------------------------------------
 */

#define TAB_WIDTH 4
#define WIDTH 100 /* of a source line as shown */
#define REACH 400 /* bytes before the caret that are looked at */

/* A column of the terminal: a character of the line, or a part of a tab. */
struct cell {
    uint32_t at;     /* offset in the line */
    uint32_t length; /* bytes; 0: a blank */
    char mark;       /* ' ', '~' or '^' */
};

struct view {
    struct arena *arena;
    const char *line;
    uint32_t length;
    VEC(struct cell) cells; /* the last one is the line's end */
    size_t from, to;        /* cells shown; `to` is past the last */
};

static uint32_t character_length(const char *line, uint32_t at, uint32_t end) {
    uint32_t length = 1;
    while (at + length < end && ((unsigned char)line[at + length] & 0xc0) == 0x80)
        length++;
    return length;
}

static void split_cells(struct view *view, uint32_t from, uint32_t to) {
    for (uint32_t at = from; at < to;) {
        uint32_t length = character_length(view->line, at, to);
        bool tab = view->line[at] == '\t';
        do
            vec_push(view->arena, &view->cells, (struct cell){at, tab ? 0 : length, ' '});
        while (tab && view->cells.len % TAB_WIDTH != 0);
        at += length;
    }
    vec_push(view->arena, &view->cells, (struct cell){to, 0, ' '});
}

/* The cell of an offset in the line; the nearest there is. */
static size_t cell_at(const struct view *view, uint32_t at) {
    size_t i = 0;
    while (i + 1 < view->cells.len && view->cells.at[i + 1].at <= at)
        i++;
    while (i > 0 && view->cells.at[i - 1].at == view->cells.at[i].at)
        i--;
    return i;
}

static size_t shown_cell(const struct view *view, uint32_t at) {
    size_t i = cell_at(view, at);
    return i < view->from ? view->from : i >= view->to ? view->to - 1 : i;
}

/* Shows so much of the line that the marks from `begin` to `end` are in sight, `begin` at least. */
static void choose_window(struct view *view, uint32_t begin, uint32_t caret) {
    view->from = 0;
    view->to = view->cells.len;
    if (view->to <= WIDTH)
        return;
    size_t first = cell_at(view, begin), primary = cell_at(view, caret);
    if (primary - first > WIDTH * 3 / 4)
        first = primary > WIDTH / 2 ? primary - WIDTH / 2 : 0;
    view->from = first > WIDTH / 8 ? first - WIDTH / 8 : 0;
    view->to = view->from + WIDTH < view->cells.len ? view->from + WIDTH : view->cells.len;
}

/* Marks a piece of the line; an empty one gets one mark, so that the end of a line can be pointed at. */
static void mark(struct view *view, uint32_t begin, uint32_t end, char with) {
    size_t first = cell_at(view, begin), last = cell_at(view, end);
    for (size_t i = first; i < last || i == first; i++)
        if (view->cells.at[i].mark != '^')
            view->cells.at[i].mark = with;
}

/* ---- Printing ------------------------------------------------------------------------------------------------------
 */

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define MAGENTA "\033[1;35m"
#define CYAN "\033[1;36m"
#define BLUE "\033[1;34m"
#define PLAIN "\033[0m"

struct printer {
    struct text *text;
    const struct diags *diags;
    bool colour;
};

static void paint(const struct printer *printer, const char *colour) {
    if (printer->colour)
        text_puts(printer->text, colour);
}

static void gutter(const struct printer *printer, uint32_t line, uint32_t shown) {
    char number[16] = "";
    int digits = 0;
    for (uint32_t rest = shown; rest; rest /= 10)
        digits++;
    if (line)
        snprintf(number, sizeof number, "%u", line);
    paint(printer, BLUE);
    text_printf(printer->text, "%*s |", digits > 5 ? digits : 5, number);
    paint(printer, PLAIN);
}

/* A byte that would disturb the terminal is shown as '?'. */
static void print_cell(struct text *text, const struct view *view, const struct cell *cell) {
    unsigned char c = cell->length ? (unsigned char)view->line[cell->at] : ' ';
    bool odd = c < 0x20 || c == 0x7f || (c >= 0x80 && (c < 0xc2 || cell->length == 1)) ||
               (c == 0xc2 && (unsigned char)view->line[cell->at + 1] < 0xa0);
    if (odd || !cell->length)
        text_putc(text, odd ? '?' : ' ');
    else
        text_write(text, view->line + cell->at, cell->length);
}

static void print_source(const struct printer *printer, const struct view *view) {
    bool cut_left = view->from > 0 || view->cells.at[0].at > 0;
    bool cut_right = view->to < view->cells.len || vec_last(&view->cells).at < view->length;
    size_t last = view->to;
    if (!cut_right)
        while (last > view->from && view->cells.at[last - 1].length == 0)
            last--;
    if (last > view->from || cut_left)
        text_putc(printer->text, ' ');
    if (cut_left)
        text_puts(printer->text, "...");
    for (size_t i = view->from; i < last; i++)
        print_cell(printer->text, view, &view->cells.at[i]);
    text_puts(printer->text, cut_right ? "...\n" : "\n");
}

static const char *mark_colour(char mark) {
    return mark == '^' ? RED : mark == '~' ? CYAN : PLAIN;
}

static void indent(const struct printer *printer, const struct view *view) {
    text_puts(printer->text, view->from > 0 || view->cells.at[0].at > 0 ? "    " : " ");
}

static void print_marks(const struct printer *printer, const struct view *view) {
    size_t last = view->to;
    while (last > view->from && view->cells.at[last - 1].mark == ' ')
        last--;
    indent(printer, view);
    for (size_t i = view->from; i < last; i++) {
        char now = view->cells.at[i].mark;
        if (i == view->from || now != view->cells.at[i - 1].mark)
            paint(printer, mark_colour(now));
        text_putc(printer->text, now);
    }
    paint(printer, PLAIN);
    text_putc(printer->text, '\n');
}

struct label {
    size_t cell;
    const char *text;
};

/* Rightmost first; on each line the labels still to come hang on a '|'. */
static void print_labels(const struct printer *printer, const struct view *view, const struct label *labels,
                         size_t count, uint32_t line) {
    for (size_t i = 0; i < count; i++) {
        gutter(printer, 0, line);
        indent(printer, view);
        size_t column = view->from;
        for (size_t j = count; j-- > i;) {
            if (j > i && (labels[j].cell == labels[j - 1].cell || labels[j].cell < column))
                continue;
            text_repeat(printer->text, ' ', labels[j].cell - column);
            paint(printer, CYAN);
            text_puts(printer->text, j > i ? "|" : labels[j].text);
            paint(printer, PLAIN);
            column = labels[j].cell + 1;
        }
        text_putc(printer->text, '\n');
    }
}

/* ---- A message -----------------------------------------------------------------------------------------------------
 */

/* The part of a span that lies in its first line, as offsets in the line. */
struct piece {
    uint32_t begin, end;
};

static struct piece piece_of(const struct diags *diags, struct span span) {
    struct place place = source_place(diags->sources, span.begin);
    uint32_t length, column = place.column - 1, width = span.end > span.begin ? span.end - span.begin : 0;
    source_line(place.source, place.line, &length);
    if (column > length)
        column = length;
    return (struct piece){column, width > length - column ? length : column + width};
}

static bool on_line(const struct diags *diags, struct span span, struct place line) {
    struct place place = source_place(diags->sources, span.begin);
    return span.end && place.source == line.source && place.line == line.line;
}

/* Insertion by falling column; equal columns stay as reported. */
static size_t collect_labels(const struct printer *printer, const struct diag *diag, struct place line,
                             const struct view *view, struct label *labels) {
    size_t count = 0;
    for (size_t i = 0; i < diag->operands.len; i++) {
        const struct diag_part *operand = &diag->operands.at[i];
        if (!operand->text || !on_line(printer->diags, operand->span, line))
            continue;
        struct label label = {shown_cell(view, piece_of(printer->diags, operand->span).begin), operand->text};
        size_t j = count++;
        for (; j > 0 && labels[j - 1].cell < label.cell; j--)
            labels[j] = labels[j - 1];
        labels[j] = label;
    }
    return count;
}

/* What the caret and the operands on the line span; the caret is the primary's, or the first operand's. */
static struct piece extent(const struct printer *printer, const struct diag *diag, struct place line,
                           struct piece caret) {
    struct piece all = caret;
    for (size_t i = 0; i < diag->operands.len; i++)
        if (on_line(printer->diags, diag->operands.at[i].span, line)) {
            struct piece piece = piece_of(printer->diags, diag->operands.at[i].span);
            all.begin = piece.begin < all.begin ? piece.begin : all.begin;
            all.end = piece.end > all.end ? piece.end : all.end;
        }
    return all;
}

static void mark_all(const struct printer *printer, const struct diag *diag, struct place line, struct view *view) {
    if (on_line(printer->diags, diag->span, line)) {
        struct piece piece = piece_of(printer->diags, diag->span);
        mark(view, piece.begin, piece.end, '^');
    }
    for (size_t i = 0; i < diag->operands.len; i++)
        if (on_line(printer->diags, diag->operands.at[i].span, line)) {
            struct piece piece = piece_of(printer->diags, diag->operands.at[i].span);
            mark(view, piece.begin, piece.end, '~');
        }
}

/* A line of source, its marks and its labels; `at` is the span that the view is centred on. */
static void print_line(const struct printer *printer, const struct diag *diag, struct span at) {
    struct place line = source_place(printer->diags->sources, at.begin);
    struct view view = {.arena = printer->diags->arena};
    view.line = source_line(line.source, line.line, &view.length);
    struct piece caret = piece_of(printer->diags, at);
    uint32_t from = caret.begin > REACH ? caret.begin - REACH : 0;
    while (from && from < view.length && ((unsigned char)view.line[from] & 0xc0) == 0x80)
        from--;
    uint32_t to = view.length - from > 3 * REACH ? from + 3 * REACH : view.length;
    while (to < view.length && ((unsigned char)view.line[to] & 0xc0) == 0x80)
        to++;
    split_cells(&view, from, to);
    choose_window(&view, extent(printer, diag, line, caret).begin, caret.begin);
    mark_all(printer, diag, line, &view);
    gutter(printer, line.line, line.line);
    print_source(printer, &view);
    gutter(printer, 0, line.line);
    print_marks(printer, &view);
    struct label *labels = NEW_ARRAY(view.arena, diag->operands.len, struct label);
    print_labels(printer, &view, labels, collect_labels(printer, diag, line, &view, labels), line.line);
}

/* Was this operand's line shown with the primary or an earlier operand? */
static bool line_shown(const struct printer *printer, const struct diag *diag, size_t operand) {
    struct place line = source_place(printer->diags->sources, diag->operands.at[operand].span.begin);
    if (on_line(printer->diags, diag->span, line))
        return true;
    for (size_t i = 0; i < operand; i++)
        if (on_line(printer->diags, diag->operands.at[i].span, line))
            return true;
    return false;
}

static void print_lines(const struct printer *printer, const struct diag *diag) {
    struct place primary = source_place(printer->diags->sources, diag->span.begin);
    print_line(printer, diag, diag->span);
    for (size_t i = 0; i < diag->operands.len; i++) {
        struct span span = diag->operands.at[i].span;
        if (!span.end || line_shown(printer, diag, i))
            continue;
        struct place place = source_place(printer->diags->sources, span.begin);
        if (place.source != primary.source)
            text_printf(printer->text, "  in %s:\n", place.source->name);
        print_line(printer, diag, span);
    }
}

static const char *level_name(enum diag_level level) {
    return level == DIAG_ERROR ? "error" : level == DIAG_WARNING ? "warning" : "note";
}

static void print_head(const struct printer *printer, const struct diag *diag) {
    enum diag_level level = level_of(printer->diags, diag->code);
    paint(printer, BOLD);
    if (diag->span.end) {
        struct place place = source_place(printer->diags->sources, diag->span.begin);
        text_printf(printer->text, "%s:%u:%u: ", place.source->name, place.line, place.column);
    } else {
        text_puts(printer->text, "mxc: ");
    }
    paint(printer, level == DIAG_ERROR ? RED : level == DIAG_WARNING ? MAGENTA : CYAN);
    text_printf(printer->text, "%s[%s]:", level_name(level), diag_code_name(diag->code));
    paint(printer, PLAIN);
    paint(printer, BOLD);
    text_printf(printer->text, " %s", diag->text);
    paint(printer, PLAIN);
    text_putc(printer->text, '\n');
}

static void print_remark(const struct printer *printer, const char *kind, const char *remark) {
    paint(printer, CYAN);
    text_printf(printer->text, "  %s:", kind);
    paint(printer, PLAIN);
    text_printf(printer->text, " %s", remark);
}

static void print_note(const struct printer *printer, const struct diag *diag, const struct diag_part *note) {
    print_remark(printer, "note", note->text);
    if (note->span.end) {
        struct place at = source_place(printer->diags->sources, note->span.begin);
        bool same = diag->span.end && source_place(printer->diags->sources, diag->span.begin).source == at.source;
        text_printf(printer->text, " at %s%s%u:%u", same ? "" : at.source->name, same ? "" : ":", at.line, at.column);
    }
    text_putc(printer->text, '\n');
}

static void print_message(const struct printer *printer, const struct diag *diag) {
    print_head(printer, diag);
    if (diag->span.end)
        print_lines(printer, diag);
    for (size_t i = 0; i < diag->notes.len; i++)
        print_note(printer, diag, &diag->notes.at[i]);
    for (size_t i = 0; i < diag->helps.len; i++) {
        print_remark(printer, "help", diag->helps.at[i].text);
        text_putc(printer->text, '\n');
    }
}

void diags_print_text(struct text *text, const struct diags *diags, bool colour) {
    struct printer printer = {text, diags, colour};
    struct diag **all = in_order(diags);
    for (size_t i = 0; i < diags->all.len; i++)
        print_message(&printer, all[i]);
    int more = diags->errors - DIAG_MAX_ERRORS;
    if (more > 0)
        text_printf(text, "\xe2\x80\xa6 and %d more error%s\n", more, more == 1 ? "" : "s");
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------
 */

/* The text may hold bytes that are not UTF-8 (a file's name); JSON may not. */
static void json_string(struct text *text, const char *key, const char *value) {
    text_printf(text, "\"%s\": ", key);
    text_json(text, value);
}

static void json_span(struct text *text, const struct diags *diags, struct span span) {
    struct place begin = source_place(diags->sources, span.begin);
    struct place end = source_place(diags->sources, span.end > span.begin ? span.end : span.begin);
    text_printf(text, "\"line\": %u, \"column\": %u, \"end_line\": %u, \"end_column\": %u", begin.line, begin.column,
                end.line, end.column);
}

static void json_labels(struct text *text, const struct diags *diags, const struct diag *diag) {
    text_puts(text, ", \"labels\": [");
    for (size_t i = 0; i < diag->operands.len; i++) {
        const struct diag_part *operand = &diag->operands.at[i];
        text_puts(text, i ? ", {" : "{");
        if (operand->span.end) {
            json_span(text, diags, operand->span);
            text_puts(text, ", ");
        }
        json_string(text, "text", operand->text ? operand->text : "");
        text_putc(text, '}');
    }
    text_putc(text, ']');
}

static void json_remarks(struct text *text, const char *key, const struct diag_part *parts, size_t count) {
    text_printf(text, ", \"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        text_puts(text, i ? ", " : "");
        text_json(text, parts[i].text);
    }
    text_putc(text, ']');
}

static void json_message(struct text *text, const struct diags *diags, const struct diag *diag) {
    text_puts(text, "  {");
    json_string(text, "code", diag_code_name(diag->code));
    text_puts(text, ", ");
    json_string(text, "level", level_name(level_of(diags, diag->code)));
    text_puts(text, ", ");
    json_string(text, "name", table[diag->code].name);
    text_puts(text, ", ");
    if (diag->span.end) {
        json_string(text, "file", source_place(diags->sources, diag->span.begin).source->name);
        text_puts(text, ", ");
        json_span(text, diags, diag->span);
        text_puts(text, ", ");
    }
    json_string(text, "message", diag->text);
    json_labels(text, diags, diag);
    json_remarks(text, "notes", diag->notes.at, diag->notes.len);
    json_remarks(text, "help", diag->helps.at, diag->helps.len);
    text_putc(text, '}');
}

void diags_print_json(struct text *text, const struct diags *diags) {
    struct diag **all = in_order(diags);
    text_putc(text, '[');
    for (size_t i = 0; i < diags->all.len; i++) {
        text_puts(text, i ? ",\n" : "\n");
        json_message(text, diags, all[i]);
    }
    text_puts(text, diags->all.len ? "\n]\n" : "]\n");
}

/* ---- Spelling ------------------------------------------------------------------------------------------------------
 */

#define WORD_MAX 64

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, replacements, swaps of neighbours; each piece is edited once.
 * Both words are shorter than WORD_MAX. */
static size_t edits(const char *a, const char *b) {
    size_t rows[3][WORD_MAX], length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        rows[0][j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= length; j++) {
            now[j] = least(before[j - 1] + (a[i - 1] != b[j - 1]), least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[strlen(a) % 3][length];
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same_but_case(const char *a, const char *b) {
    while (*a && lower(*a) == lower(*b))
        a++, b++;
    return *a == *b;
}

const char *word_of_other_case(const char *word, const char *const *candidates, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_same_but_case(word, candidates[i]))
            return candidates[i];
    return NULL;
}

const char *nearest_word(const char *word, const char *const *candidates, size_t count) {
    const char *best = NULL;
    size_t best_edits = strlen(word) / 3 + 1;
    if (strlen(word) >= WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = strlen(candidates[i]) < WORD_MAX ? edits(word, candidates[i]) : best_edits;
        if (distance < best_edits) {
            best = candidates[i];
            best_edits = distance;
        }
    }
    return best;
}
