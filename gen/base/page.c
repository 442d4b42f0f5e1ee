#include "page.h"

#include <string.h>

enum { INDENT = 2, ITEM_INDENT = 6, CODE_INDENT = 4 };

/* What roff would take for its own. */
static void put_roff(struct text *out, const char *s, size_t length) {
    static const char special[] = "\\-'^`~";
    static const char *const spelling[] = {"\\e", "\\-", "\\(aq", "\\(ha", "\\(ga", "\\(ti"};
    if (length && *s == '.')
        text_puts(out, "\\&");
    for (size_t i = 0; i < length; i++) {
        const char *found = s[i] ? strchr(special, s[i]) : NULL;
        if (found)
            text_puts(out, spelling[found - special]);
        else
            text_putc(out, s[i]);
    }
}

static void put(const struct page *page, const char *s, size_t length) {
    if (page->roff)
        put_roff(page->out, s, length);
    else
        text_write(page->out, s, length);
}

/* Words in lines of PAGE_WIDTH; the first column is where the text begins, further lines begin at `indent`. In roff, as
 * they come: it fills. */
static void fill(const struct page *page, const char *s, size_t length, size_t indent) {
    size_t column = 0;
    for (size_t i = 0; i < length;) {
        size_t word = strcspn(s + i, " \n");
        if (word > length - i)
            word = length - i;
        bool wraps = !page->roff && column && column + 1 + word > PAGE_WIDTH;
        if (word && (wraps || !column)) {
            text_puts(page->out, wraps ? "\n" : "");
            text_repeat(page->out, ' ', page->roff ? 0 : indent);
            column = page->roff ? 0 : indent;
        } else if (word) {
            text_putc(page->out, ' ');
            column++;
        }
        put(page, s + i, word);
        column += word;
        i += word + 1;
    }
    text_putc(page->out, '\n');
}

static void put_lines(const struct page *page, const char *s, size_t length, size_t indent) {
    text_puts(page->out, page->roff ? ".nf\n" : "");
    for (size_t i = 0; i < length;) {
        size_t line = strcspn(s + i, "\n");
        if (line > length - i)
            line = length - i;
        text_repeat(page->out, ' ', page->roff ? 0 : indent);
        put(page, s + i, line);
        text_putc(page->out, '\n');
        i += line + 1;
    }
    text_puts(page->out, page->roff ? ".fi\n" : "");
}

void page_begin(const struct page *page, const char *name, const char *section, const char *about,
                const char *version) {
    if (page->roff) {
        text_printf(page->out, ".TH \"%s\" %s \"\" \"%s\"\n.SH NAME\n", name, section, version);
        put(page, name, strlen(name));
        text_puts(page->out, " \\- ");
        put(page, about, strlen(about));
        text_putc(page->out, '\n');
    } else {
        text_printf(page->out, "%s: %s (%s)\n", name, about, version);
    }
}

static void begin_part(const struct page *page, const char *macro, const char *heading) {
    text_puts(page->out, page->roff ? macro : "\n");
    put(page, heading, strlen(heading));
    text_puts(page->out, page->roff ? "\n" : "\n\n");
}

void page_heading(const struct page *page, const char *heading) {
    begin_part(page, ".SH ", heading);
}

void page_subheading(const struct page *page, const char *heading) {
    begin_part(page, ".SS ", heading);
}

/* The end of the block that begins here: of the lines that begin with a space, or of the paragraph. */
static const char *block_end(const char *s) {
    bool lines = *s == ' ';
    while (*s && *s != '\n' && (*s == ' ') == lines) {
        s += strcspn(s, "\n");
        s += *s == '\n';
    }
    return s;
}

void page_prose(const struct page *page, const char *text) {
    for (bool first = true; *text; first = false) {
        const char *end = block_end(text);
        size_t length = (size_t)(end - text);
        if (!first)
            text_puts(page->out, page->roff ? ".PP\n" : "\n");
        if (*text == ' ')
            put_lines(page, text, length, INDENT);
        else
            fill(page, text, length, INDENT);
        for (text = end; *text == '\n';)
            text++;
    }
}

void page_item(const struct page *page, const char *title) {
    text_puts(page->out, page->roff ? ".TP\n.B " : "");
    if (page->roff)
        put(page, title, strlen(title));
    else
        text_printf(page->out, "  %s", title);
    text_putc(page->out, '\n');
}

void page_item_text(const struct page *page, const char *text) {
    fill(page, text, strlen(text), ITEM_INDENT);
    text_puts(page->out, page->roff ? ".br\n" : "");
}

void page_item_lines(const struct page *page, const char *lines) {
    text_puts(page->out, page->roff ? ".RS\n" : "");
    put_lines(page, lines, strlen(lines), ITEM_INDENT + CODE_INDENT);
    text_puts(page->out, page->roff ? ".RE\n" : "");
}
