#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/inspect_columns.h"
#include "cli/inspect_indexed.h"
#include "cli/inspect_segments.h"
#include "cli/number_text.h"
#include "cli/output.h"
#include "cli/table.h"

#include "base/json.h"
#include "documents/lucene_documents.h"
#include "lucene/numeric_doc_values.h"

struct inspect_fields {
	struct general_fields general;
	bool all, segments;
	int64_t first_doc, end_doc;
	const char *numbers;
	const char *indexed;
	bool columns;
};

/* What stands between the sources: ids and the like. */
#define LINE_MAX MIB(16)

/* A stored source may span lines; between its tokens, a line break is as good as a space. */
static void append_on_one_line(struct output *out, struct str source)
{
	while (source.len > 0) {
		size_t len = 0;

		while (len < source.len && source.ptr[len] != '\n' && source.ptr[len] != '\r')
			len++;
		output_append(out, str_of(source.ptr, len));
		if (len < source.len)
			output_append(out, STR(" "));
		source = str_from_offset(source, len + 1);
	}
}

static void add_member(struct buf *line, const char *name, struct str text)
{
	if (!text.ptr)
		return;
	buf_printf(line, "%s\"%s\":", line->len > 1 ? "," : "", name);
	json_write_string(line, text);
}

static int print_document(const struct document *document, bool tell_live, struct buf *line,
			  struct output *out, struct err *err)
{
	const struct json raw = {.type = JSON_BINARY, .text = document->source};
	bool is_json = document->source.ptr && json_validate(document->source, NULL) == 0;

	buf_reset(line);
	buf_append_byte(line, '{');
	add_member(line, "_id", document->id);
	add_member(line, "_routing", document->routing);
	add_member(line, "_parent", document->parent);
	add_member(line, "_type", document->type);
	if (tell_live)
		buf_append_str(line,
			       document->live ? STR(",\"live\":true") : STR(",\"live\":false"));
	output_append(out, buf_str(line));
	if (buf_check(line, "a document's id, routing, parent and type", err) < 0)
		return -(int)err->kind;
	buf_reset(line);
	if (is_json) {
		output_append(out, STR(",\"_source\":"));
		append_on_one_line(out, document->source);
	} else if (!document->source.ptr) {
		output_append(out, STR(",\"_source\":null"));
	} else {
		line->limit = document->source.len * 2 + LINE_MAX;
		buf_append_str(line, STR(",\"_source_base64\":"));
		json_write(line, &raw);
		output_append(out, buf_str(line));
	}
	output_append(out, STR("}\n"));
	return buf_check(line, "a document's source as base64", err);
}

static void close_sourcep(struct document_source **source)
{
	document_source_close(*source);
}

static int print_documents(struct lucene_directory *dir, const struct inspect_fields *fields,
			   struct err *err)
{
	const struct lucene_documents_options options = {.include_deleted = fields->all,
							 .first_doc = fields->first_doc,
							 .end_doc = fields->end_doc};
	cleanup(close_sourcep) struct document_source *source = NULL;
	cleanup(buf_release) struct buf line = BUF_INIT(LINE_MAX);
	cleanup(output_release) struct output out;
	struct document document;
	int got = 0;

	output_init(&out);
	if (lucene_documents_open(dir, &options, &source, err) < 0)
		return -(int)err->kind;
	while (output_is_open(&out) && (got = document_source_next(source, &document, err)) > 0)
		if (print_document(&document, fields->all, &line, &out, err) < 0)
			return -(int)err->kind;
	/* What was read before the damage is worth seeing; the error follows it. */
	if (output_flush(&out, got < 0 ? NULL : err) < 0 && got >= 0)
		return -(int)err->kind;
	return got < 0 ? -(int)err->kind : 0;
}

static void close_numbersp(struct numeric_doc_values **values)
{
	numeric_doc_values_close(*values);
}

/* Of a segment whose first document is `base` in the directory. */
static int print_segment_numbers(const struct segment_reader *segment, const char *field,
				 int64_t base, struct output *out, struct err *err)
{
	cleanup(close_numbersp) struct numeric_doc_values *values = NULL;
	cleanup(buf_release) struct buf line = BUF_INIT(KIB(1));

	if (numeric_doc_values_open(segment, str_from(field), true, &values, err) < 0)
		return -(int)err->kind;
	for (int32_t doc = 0; values && doc < segment->info.max_doc && output_is_open(out); doc++) {
		int64_t value;
		bool has;

		if (numeric_doc_values_get(values, doc, &value, &has, err) < 0)
			return -(int)err->kind;
		if (!has)
			continue;
		buf_reset(&line);
		buf_printf(&line, "{\"doc\":%lld,\"value\":%lld}\n", (long long)(base + doc),
			   (long long)value);
		output_append(out, buf_str(&line));
	}
	return 0;
}

static int print_numbers(struct lucene_directory *dir, const char *field, struct arena *mem,
			 struct err *err)
{
	return inspect_each_segment(dir, mem, print_segment_numbers, field, err);
}

static void add_row(struct table *table, const struct segment_summary *segment)
{
	char bytes[NUMBER_TEXT_MAX];

	table_cell(table, segment->name);
	table_cell(table, segment->version);
	table_cell(table, segment->compound ? STR("yes") : STR("no"));
	table_cell_printf(table, "%d", segment->max_doc);
	table_cell_printf(table, "%d", segment->live_docs);
	table_cell_printf(table, "%d", segment->deleted_docs);
	table_cell_printf(table, "%d", segment->soft_deleted_docs);
	table_cell(table, str_from(bytes_text(segment->stored_bytes, bytes)));
	table_cell(table, segment->info_format);
	table_cell(table, segment->fields_format);
	table_cell(table, segment->stored_format);
}

static int print_segment_table(const struct segment_summary *segments, size_t count,
			       struct arena *mem, struct err *err)
{
	static const struct table_column columns[] = {
		{"segment", TABLE_LEFT},       {"lucene", TABLE_LEFT},
		{"compound", TABLE_LEFT},      {"documents", TABLE_RIGHT},
		{"live", TABLE_RIGHT},         {"deleted", TABLE_RIGHT},
		{"soft", TABLE_RIGHT},         {"stored bytes", TABLE_RIGHT},
		{"segment info", TABLE_LEFT},  {"field infos", TABLE_LEFT},
		{"stored fields", TABLE_LEFT},
	};
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++)
		add_row(&table, &segments[i]);
	return table_print(&table, stdout, err);
}

static struct json *segment_json(const struct segment_summary *segment, struct arena *mem)
{
	struct json *one = json_new(mem, JSON_OBJECT);

	json_set(one, STR("segment"), json_new_string(mem, segment->name));
	json_set(one, STR("lucene"), json_new_string(mem, segment->version));
	json_set(one, STR("compound"), json_new_bool(mem, segment->compound));
	json_set(one, STR("documents"), json_new_i64(mem, segment->max_doc));
	json_set(one, STR("live"), json_new_i64(mem, segment->live_docs));
	json_set(one, STR("deleted"), json_new_i64(mem, segment->deleted_docs));
	json_set(one, STR("soft_deleted"), json_new_i64(mem, segment->soft_deleted_docs));
	json_set(one, STR("stored_bytes"), json_new_i64(mem, (int64_t)segment->stored_bytes));
	json_set(one, STR("segment_info"), json_new_string(mem, segment->info_format));
	json_set(one, STR("field_infos"), json_new_string(mem, segment->fields_format));
	json_set(one, STR("stored_fields"), json_new_string(mem, segment->stored_format));
	return one;
}

static int print_segments(struct lucene_directory *dir, bool as_json, struct arena *mem,
			  struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct segment_summary *segments;
	struct json *list;
	size_t count;

	if (lucene_segments_summarise(dir, mem, &segments, &count, err) < 0)
		return -(int)err->kind;
	if (!as_json)
		return print_segment_table(segments, count, mem, err);
	list = json_new(mem, JSON_ARRAY);
	for (size_t i = 0; i < count; i++)
		json_append(list, segment_json(&segments[i], mem));
	if (mem->failed)
		return arena_fail(mem, "the list of segments", err);
	json_write_pretty(&text, list);
	if (buf_check(&text, "the list of segments", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

static void close_directoryp(struct lucene_directory **dir)
{
	lucene_directory_close(*dir);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct inspect_fields *f = fields;
	cleanup(close_directoryp) struct lucene_directory *dir = NULL;
	int others;

	others = f->segments + (f->numbers != NULL) + f->columns + (f->indexed != NULL);
	if (others && (f->all || f->first_doc || f->end_doc))
		return err_set(err, ERR_USAGE,
			       "--all, --first-doc and --end-doc are about documents; --segments, "
			       "--numbers, --columns and --indexed print none of them");
	if (others > 1)
		return err_set(err, ERR_USAGE,
			       "choose one of --segments, --numbers, --columns and --indexed");
	if (f->end_doc && f->end_doc <= f->first_doc)
		return err_set(err, ERR_USAGE,
			       "--end-doc %lld is not behind --first-doc %lld: there is nothing "
			       "between them",
			       (long long)f->end_doc, (long long)f->first_doc);
	if (lucene_folder_open(cli->parsed->positionals[0], &dir, err) < 0)
		return -(int)err->kind;
	if (f->numbers)
		return print_numbers(dir, f->numbers, cli->mem, err);
	if (f->columns)
		return inspect_columns(dir, cli->mem, err);
	if (f->indexed)
		return inspect_indexed(dir, f->indexed, cli->mem, err);
	return f->segments ? print_segments(dir, f->general.json, cli->mem, err)
			   : print_documents(dir, f, err);
}

static const struct opt inspect_options[] = {
	{.name = "all",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct inspect_fields, all),
	 .help = "Deleted documents too, with \"live\" true or false in each line."},
	{.name = "first-doc",
	 .type = OPT_INT,
	 OPT_FIELD(struct inspect_fields, first_doc),
	 .fallback = "0",
	 .max = INT64_MAX,
	 .metavar = "N",
	 .help = "Begin with this document: Lucene's ids, counted through all segments, deleted "
		 "documents included. Reading begins with the chunk that holds it."},
	{.name = "end-doc",
	 .type = OPT_INT,
	 OPT_FIELD(struct inspect_fields, end_doc),
	 .fallback = "0",
	 .max = INT64_MAX,
	 .metavar = "N",
	 .help = "End before this document; 0: at the end. A checksum is compared only for "
		 "segments that are read whole."},
	{.name = "segments",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct inspect_fields, segments),
	 .help = "A table of the segments instead: formats and counts."},
	{.name = "numbers",
	 .type = OPT_STRING,
	 OPT_FIELD(struct inspect_fields, numbers),
	 .metavar = "FIELD",
	 .help = "The numbers of a field of doc values instead, such as _version or _seq_no: a "
		 "line for each document that has one, deleted ones too."},
	{.name = "columns",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct inspect_fields, columns),
	 .help = "The doc values of all fields instead: a line for each document, deleted ones "
		 "too, with the values of each field in an array. Bytes that are not UTF-8 come as "
		 "{\"hex\":\"...\"}."},
	{.name = "indexed",
	 .type = OPT_STRING,
	 OPT_FIELD(struct inspect_fields, indexed),
	 .metavar = "FIELD",
	 .help = "What is indexed of a field instead, its points or terms: a line for each "
		 "document "
		 "that has any, deleted ones too. Terms whose positions are kept come as "
		 "[position, term]."},
	{0},
};

static const struct opt_part parts[] = {
	{inspect_options, 0},
	{general_options, offsetof(struct inspect_fields, general)},
	{0},
};

const struct command command_inspect_lucene = {
	.options =
		{
			.name = "inspect lucene",
			.summary = "Print the documents of a Lucene directory as lines of JSON",
			.arguments = "DIR",
			.parts = parts,
			.details =
				"DIR is a folder with a segments_N, such as "
				"nodes/0/indices/<uuid>/0/index below a node's data path. Each "
				"line has _id, _routing, _parent and _type where stored, and "
				"_source as it was sent, made JSON if it was SMILE, CBOR or YAML; "
				"a source that cannot be made JSON comes as _source_base64, one "
				"that is not stored as null.",
			.min_positionals = 1,
			.max_positionals = 1,
		},
	.fields_size = sizeof(struct inspect_fields),
	.run = run,
};
