#include "cli/inspect_columns.h"

#include "base/json.h"
#include "base/utf8.h"
#include "cli/inspect_segments.h"
#include "lucene/column.h"

#include <stdlib.h>

#define LINE_MOST MIB(1024)

struct columns {
	size_t count;
	struct column **columns;
	const struct str *names;
};

static void close_columns(struct columns *columns)
{
	for (size_t i = 0; i < columns->count; i++)
		column_close(columns->columns[i]);
	free(columns->columns);
}

static bool is_text(struct str s)
{
	while (s.len > 0) {
		size_t len = utf8_length(s.ptr, s.len);

		if (len == 0)
			return false;
		s = str_from_offset(s, len);
	}
	return true;
}

void inspect_add_bytes(struct buf *line, struct str s)
{
	if (is_text(s)) {
		json_write_string(line, s);
		return;
	}
	buf_append_str(line, STR("{\"hex\":\""));
	for (size_t i = 0; i < s.len; i++)
		buf_printf(line, "%02x", (uint8_t)s.ptr[i]);
	buf_append_str(line, STR("\"}"));
}

static void add_field(struct buf *line, struct str name, const struct column_values *values)
{
	json_write_string(line, name);
	buf_append_str(line, STR(":["));
	for (size_t i = 0; i < values->count; i++) {
		if (i > 0)
			buf_append_byte(line, ',');
		if (values->numbers)
			buf_printf(line, "%lld", (long long)values->numbers[i]);
		else
			inspect_add_bytes(line, values->bytes[i]);
	}
	buf_append_byte(line, ']');
}

static int print_document(const struct columns *columns, int32_t doc, int64_t number,
			  struct buf *line, struct output *out, struct err *err)
{
	bool first = true;

	buf_reset(line);
	buf_printf(line, "{\"doc\":%lld,\"values\":{", (long long)number);
	for (size_t i = 0; i < columns->count; i++) {
		struct column_values values;

		if (column_get(columns->columns[i], doc, &values, err) < 0)
			return -(int)err->kind;
		if (values.count == 0)
			continue;
		if (!first)
			buf_append_byte(line, ',');
		first = false;
		add_field(line, columns->names[i], &values);
	}
	buf_append_str(line, STR("}}\n"));
	if (buf_check(line, "the doc values of one document", err) < 0)
		return -(int)err->kind;
	output_append(out, buf_str(line));
	return 0;
}

static int open_columns(const struct segment_reader *segment, struct columns *columns,
			struct str *names, struct err *err)
{
	const struct field_infos *infos = &segment->field_infos;

	columns->names = names;
	for (size_t i = 0; i < infos->count; i++) {
		struct column *column;

		if (column_open(segment, infos->fields[i].name, &column, err) < 0)
			return -(int)err->kind;
		if (!column)
			continue;
		names[columns->count] = infos->fields[i].name;
		columns->columns[columns->count++] = column;
	}
	return 0;
}

/* Of a segment whose first document is `base` in the directory. */
static int print_segment(const struct segment_reader *segment, const char *field, int64_t base,
			 struct output *out, struct err *err)
{
	cleanup(buf_release) struct buf line = BUF_INIT(LINE_MOST);
	cleanup(close_columns) struct columns columns = {0};
	cleanup(mem_freep) struct str *names = NULL;
	size_t fields = segment->field_infos.count;

	(void)field;
	columns.columns = mem_alloc((fields + 1) * sizeof(struct column *));
	names = mem_alloc((fields + 1) * sizeof(*names));
	if (open_columns(segment, &columns, names, err) < 0)
		return -(int)err->kind;
	for (int32_t doc = 0; doc < segment->info.max_doc && output_is_open(out); doc++)
		if (print_document(&columns, doc, base + doc, &line, out, err) < 0)
			return -(int)err->kind;
	return 0;
}

int inspect_columns(struct lucene_directory *dir, struct arena *mem, struct err *err)
{
	return inspect_each_segment(dir, mem, print_segment, NULL, err);
}
