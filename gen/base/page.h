/* A page of a manual, as plain text of PAGE_WIDTH columns or in the man macros of roff. Everything put is ASCII. */
#ifndef MX_BASE_PAGE_H
#define MX_BASE_PAGE_H

#include "text.h"

#include <stdbool.h>

enum { PAGE_WIDTH = 92 };

struct page {
    struct text *out;
    bool roff;
};

/* The title: "mxc-language", "7", what it is, "mxc 0.1.0". */
void page_begin(const struct page *page, const char *name, const char *section, const char *about, const char *version);
void page_heading(const struct page *page, const char *heading);
void page_subheading(const struct page *page, const char *heading);
/* Paragraphs and lines: what begins in the first column is filled and ends at an empty line; what begins with a space
 * stands as it is. */
void page_prose(const struct page *page, const char *text);
/* An item of a list: its title, then filled text, and lines that stand as they are. */
void page_item(const struct page *page, const char *title);
void page_item_text(const struct page *page, const char *text);
void page_item_lines(const struct page *page, const char *lines);

#endif
