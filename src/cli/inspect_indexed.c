#include "cli/inspect_indexed.h"

#include "base/json.h"
#include "base/utf8.h"
#include "cli/inspect_columns.h"
#include "cli/inspect_segments.h"
#include "lucene/points.h"
#include "lucene/terms.h"

#define LINE_MOST MIB(1024)
/* What one field of a segment may take. */
#define INVERSION_MOST MIB(8192)

static void add_value(struct buf *line, const struct inverted_value *value)
{
	if (value->position < 0) {
		inspect_add_bytes(line, value->bytes);
		return;
	}
	buf_printf(line, "[%d,", value->position);
	inspect_add_bytes(line, value->bytes);
	buf_append_byte(line, ']');
}

static int print_document(struct inversion *inversion, int32_t doc, int64_t number,
			  struct buf *line, struct output *out, struct err *err)
{
	struct inverted_values values;

	inversion_get(inversion, doc, &values);
	if (values.count == 0)
		return 0;
	buf_reset(line);
	buf_printf(line, "{\"doc\":%lld,\"values\":[", (long long)number);
	for (size_t i = 0; i < values.count; i++) {
		if (i > 0)
			buf_append_byte(line, ',');
		add_value(line, &values.list[i]);
	}
	buf_append_str(line, STR("]}\n"));
	if (buf_check(line, "what is indexed of one document", err) < 0)
		return -(int)err->kind;
	output_append(out, buf_str(line));
	return 0;
}

static int print_segment(const struct segment_reader *segment, const char *name, int64_t base,
			 struct output *out, struct err *err)
{
	cleanup(buf_release) struct buf line = BUF_INIT(LINE_MOST);
	struct str field = str_from(name);
	struct inversion *inversion;
	int rc = points_invert(segment, field, INVERSION_MOST, &inversion, err);

	if (rc == 0 && !inversion)
		rc = terms_invert(segment, field, true, STR(""), INVERSION_MOST, &inversion, err);
	if (rc < 0 || !inversion)
		return rc;
	for (int32_t doc = 0; rc == 0 && doc < segment->info.max_doc && output_is_open(out); doc++)
		rc = print_document(inversion, doc, base + doc, &line, out, err);
	inversion_free(inversion);
	return rc;
}

int inspect_indexed(struct lucene_directory *dir, const char *field, struct arena *mem,
		    struct err *err)
{
	return inspect_each_segment(dir, mem, print_segment, field, err);
}
