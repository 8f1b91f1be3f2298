/* Aligned columns for people: numbers to the right, text to the left, widths in characters. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/arena.h"
#include "cli/terminal.h"

#include <stdio.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *title;
	enum table_align align;
};

#define TABLE_COLUMNS_MAX 16

struct table {
	struct arena *mem; /* borrowed; holds the cells */
	const struct table_column *columns;
	size_t column_count;
	struct table_row *first, *last;
	size_t widths[TABLE_COLUMNS_MAX];
	size_t filled; /* cells of the last row */
	bool failed;   /* the arena is full */
};

void table_init(struct table *table, struct arena *mem, const struct table_column *columns,
		size_t column_count);
/* The next cell, row by row; the text is copied, its control characters become '?' (names come
 * from strangers). */
void table_cell(struct table *table, struct str text);
/* The same of a word for how something is: in its colour on terminals that have some. */
void table_cell_state(struct table *table, struct str word);
void table_cell_printf(struct table *table, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Makes the widest columns narrower until rows take `width` columns, if that can be. */
void table_fit(struct table *table, size_t width);
/* Titles in capitals, then the rows; no spaces at the ends of lines. Fitted to a terminal, where
 * texts that are cut end in "…"; whole elsewhere. */
int table_print(const struct table *whole, FILE *out, struct err *err);

/* Columns of a terminal that the text takes: code points, wide ones twice, marks none. */
size_t text_width(struct str text);
/* Bytes of the longest beginning that takes no more than `columns`. */
size_t text_fit(struct str text, size_t columns);
/* A copy in which control characters are '?', for terminals. ptr NULL at the ceiling. */
struct str text_printable(struct str text, struct arena *mem);

#endif
