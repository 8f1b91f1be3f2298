#include "backfill/file_lines.h"

#include "base/json.h"

static void append_member(struct buf *out, const char *name, struct str raw)
{
	if (raw.ptr)
		buf_printf(out, ",\"%s\":" STR_FMT, name, STR_ARG(raw));
}

/* As elasticdump writes a hit; it takes up _routing from there. */
static void append_dumped(const struct bulk *bulk, size_t item, struct buf *out)
{
	bool create = bulk->items[item].operation == BULK_CREATE;
	struct str action =
		json_raw_member(bulk_item_action(bulk, item), create ? "create" : "index");
	struct str type = json_raw_member(action, "_type");
	struct str routing = json_raw_member(action, "routing");

	buf_printf(out, "{\"_index\":" STR_FMT, STR_ARG(json_raw_member(action, "_index")));
	append_member(out, "_type", type.ptr ? type : STR("\"_doc\""));
	append_member(out, "_id", json_raw_member(action, "_id"));
	append_member(out, "_score", STR("1"));
	append_member(out, "_routing", routing.ptr ? routing : json_raw_member(action, "_routing"));
	buf_append_str(out, STR(",\"_source\":"));
	buf_append_str(out, bulk_item_source(bulk, item));
	buf_append_byte(out, '}');
}

int file_lines_write(const struct bulk *bulk, enum file_lines lines, struct buf *out,
		     struct err *err)
{
	for (size_t i = 0; i < bulk->count; i++) {
		if (bulk->items[i].operation == BULK_DELETE)
			return err_set(err, ERR_UNSUPPORTED,
				       "a delete can be written in --format bulk alone");
		if (lines == FILE_LINES_ELASTICDUMP)
			append_dumped(bulk, i, out);
		else
			buf_append_str(out, bulk_item_source(bulk, i));
		buf_append_byte(out, '\n');
	}
	return buf_check(out, "the lines of a file", err);
}
