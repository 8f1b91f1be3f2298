#include "documents/file_documents.h"

#include "base/json_hash.h"
#include "base/log.h"
#include "documents/line_stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A place is twice an offset: half a step lies behind a document and before the next one. */
#define OFFSET_BITS 44
#define FILE_NUMBER_MAX ((INT64_C(1) << (63 - OFFSET_BITS)) - 1)
#define OFFSET_MAX ((INT64_C(1) << (OFFSET_BITS - 1)) - 1)
#define PROBLEM_MAX 700
#define ACTION_MAX MIB(1) /* bytes of an action line, parsed */

struct file_documents {
	struct document_source base;
	struct file_documents_options options;
	size_t file;                /* read now, or next */
	struct line_stream *stream; /* NULL: none is open */
	enum file_format format;    /* of the file that is open */
	uint64_t before;            /* bytes of the files before */
	uint64_t begun_at;          /* where reading began, of all */
	bool begun;
	struct arena mem;        /* of one document */
	struct buf text, action; /* of one document */
	struct text_line pushed; /* was read ahead */
	bool has_pushed;
	char problem[PROBLEM_MAX], id[64];
};

static const struct input_file *file_of(const struct file_documents *d)
{
	return &d->options.files->files[d->file];
}

static int next_line(struct file_documents *d, struct text_line *line, struct err *err)
{
	if (d->has_pushed) {
		d->has_pushed = false;
		*line = d->pushed;
		return 1;
	}
	return line_stream_next(d->stream, line, err);
}

/* Until the next one of the stream is asked for. */
static void push_back(struct file_documents *d, const struct text_line *line)
{
	d->pushed = *line;
	d->has_pushed = true;
}

static struct str words(const struct text_line *line)
{
	struct str text = str_trim(line->text);

	if (line->offset == 0 && str_starts(text, STR("\xef\xbb\xbf")))
		text = str_from_offset(text, 3);
	return text;
}

static const char *file_name(const struct file_documents *d)
{
	return d->options.files->once ? "standard input" : file_of(d)->path;
}

/* 1: a line that is not empty. */
static int next_with_words(struct file_documents *d, struct text_line *line, struct err *err)
{
	int rc;

	while ((rc = line_stream_next(d->stream, line, err)) > 0)
		if (line->too_long || words(line).len > 0)
			break;
	return rc;
}

/* FILE_FORMAT_AUTO: the line is of none, *what says of what; *parsed is its JSON, or NULL. */
static enum file_format format_of(struct file_documents *d, const struct text_line *line,
				  struct json **parsed, const char **what)
{
	enum file_format format;
	bool quoted;

	*parsed = NULL;
	arena_reset(&d->mem);
	d->mem.limit = LIMIT_SOURCE_ARENA;
	if (!line->too_long && json_parse(words(line), &d->mem, parsed, NULL) < 0)
		*parsed = NULL;
	quoted = *parsed && (*parsed)->type == JSON_STRING;
	if (quoted && json_parse((*parsed)->text, &d->mem, parsed, NULL) < 0)
		*parsed = NULL;
	format = file_line_format(*parsed, what);
	if (!quoted || format == FILE_FORMAT_AUTO)
		return format;
	*what = "a text with JSON in it, as elasticdump writes aliases and settings: no documents";
	return FILE_FORMAT_AUTO;
}

/* Told by the first line that is not empty. 1: read it; 0: it is to be passed over. */
static int tell_format(struct file_documents *d, struct err *err)
{
	struct text_line line;
	struct json *parsed;
	const char *what;
	int rc;

	d->format = d->options.format;
	if (d->format != FILE_FORMAT_AUTO)
		return 1;
	rc = next_with_words(d, &line, err);
	if (rc <= 0)
		return rc;
	d->format = format_of(d, &line, &parsed, &what);
	push_back(d, &line);
	if (d->format != FILE_FORMAT_AUTO)
		return 1;
	if (!d->options.files->folder || !parsed || parsed->type != JSON_OBJECT)
		return err_set(err, ERR_UNSUPPORTED, "'%s' holds %s", file_name(d), what);
	log_warn("copy", "'%s' is passed over: it holds %s", file_name(d), what);
	return 0;
}

static void close_file(struct file_documents *d)
{
	line_stream_close(d->stream);
	d->stream = NULL;
	d->has_pushed = false;
}

static void end_file(struct file_documents *d)
{
	close_file(d);
	d->before += file_of(d)->size;
	d->file++;
}

/* Where the file's reading begins. */
static int64_t first_of(const struct file_documents *d)
{
	int64_t first = d->options.first_doc;

	return (size_t)(first >> OFFSET_BITS) == d->file
		       ? (first & ((INT64_C(1) << OFFSET_BITS) - 1)) >> 1
		       : 0;
}

static int go_to(struct file_documents *d, uint64_t offset, struct err *err)
{
	if (offset == 0 || (d->has_pushed && d->pushed.offset >= offset))
		return 0;
	d->has_pushed = false;
	return line_stream_skip(d->stream, offset, err);
}

/* 1: a file is open; 0: there is none any more. */
static int open_next(struct file_documents *d, struct err *err)
{
	int rc;

	while (!d->stream && d->file < d->options.files->count) {
		rc = line_stream_open(file_of(d)->path, d->options.line_limit, &d->stream, err);
		if (rc == 0)
			rc = tell_format(d, err);
		if (rc > 0 && go_to(d, (uint64_t)first_of(d), err) < 0)
			return -(int)err->kind;
		if (rc < 0)
			return rc;
		if (rc == 0)
			end_file(d);
	}
	if (d->stream && !d->begun)
		d->begun_at = d->before + line_stream_position(d->stream);
	d->begun = true;
	return d->stream != NULL;
}

/* The line given last, or the one before. */
static void set_problem(struct file_documents *d, struct document *out, uint64_t back,
			const char *why)
{
	snprintf(d->problem, sizeof(d->problem), "line %" PRIu64 " of '%s': %s",
		 line_stream_number(d->stream) - back - d->has_pushed, file_name(d), why);
	out->problem = d->problem;
}

/* Always the same, of the same file. */
static void make_id(struct file_documents *d, struct document *out, uint64_t offset)
{
	if (d->options.files->once || out->id.ptr || out->deleted)
		return;
	snprintf(d->id, sizeof(d->id), "%016" PRIx64 "-%" PRIx64, file_of(d)->identity, offset);
	out->id = str_from(d->id);
}

static int take_field(struct json *tree, struct str path, bool remove, struct str *out)
{
	const struct json *value = file_line_field(tree, path, remove);

	if (!value || value->text.len == 0)
		return -1;
	*out = value->text;
	return 0;
}

/* Ids and routing that the source says itself. */
static void read_fields(struct file_documents *d, struct document *out)
{
	const struct file_documents_options *options = &d->options;
	char why[256];
	struct json *tree;
	struct err bad;

	if (out->deleted || out->problem || (!options->id_field.ptr && !options->routing_field.ptr))
		return;
	if (json_parse(out->source, &d->mem, &tree, &bad) < 0) {
		set_problem(d, out, 0, bad.message);
		return;
	}
	if (options->routing_field.ptr &&
	    take_field(tree, options->routing_field, false, &out->routing) < 0) {
		snprintf(why, sizeof(why), "the document has no field '" STR_FMT "' to route by",
			 STR_ARG(options->routing_field));
		set_problem(d, out, 0, why);
		return;
	}
	if (!options->id_field.ptr)
		return;
	if (take_field(tree, options->id_field, options->remove_id_field, &out->id) < 0) {
		snprintf(why, sizeof(why), "the document has no field '" STR_FMT "' for its id",
			 STR_ARG(options->id_field));
		set_problem(d, out, 0, why);
		return;
	}
	if (!options->remove_id_field)
		return;
	buf_reset(&d->text);
	json_write(&d->text, tree);
	if (d->text.failed)
		set_problem(d, out, 0, "it is too large without its id field");
	else
		out->source = buf_str(&d->text);
}

static void name_index(struct file_documents *d, struct document *out)
{
	if (d->options.index.ptr)
		out->index = d->options.index;
	else if (out->index.len == 0)
		out->index = file_of(d)->index;
	if (out->index.len == 0 && !out->problem)
		set_problem(d, out, 0, "it does not say its index: give --index");
}

static void check_source(struct file_documents *d, struct document *out)
{
	struct err bad;

	if (out->problem || out->deleted)
		return;
	if (out->source.len == 0 || out->source.ptr[0] != '{')
		set_problem(d, out, 0, "it is no JSON object");
	else if (json_validate(out->source, &bad) < 0)
		set_problem(d, out, 0, bad.message);
}

static void read_plain(struct file_documents *d, const struct text_line *line, struct document *out)
{
	*out = (struct document){.live = true, .version = -1, .source = words(line)};
	if (line->too_long)
		set_problem(d, out, 0, "it is longer than --max-line allows");
	check_source(d, out);
	read_fields(d, out);
}

static void read_dumped(struct file_documents *d, const struct text_line *line,
			struct document *out)
{
	struct json *parsed = NULL;
	struct err bad;

	*out = (struct document){.live = true, .version = -1, .source = words(line)};
	if (line->too_long) {
		set_problem(d, out, 0, "it is longer than --max-line allows");
	} else if (json_parse(words(line), &d->mem, &parsed, &bad) < 0) {
		set_problem(d, out, 0, bad.message);
	} else if (!json_get(parsed, "_source")) {
		set_problem(d, out, 0, "it is no document of elasticdump: _source is missing");
	} else {
		file_line_read_dumped(parsed, out);
		out->source = json_raw_member(words(line), "_source");
		read_fields(d, out);
	}
	if (!out->problem && (out->source.len == 0 || out->source.ptr[0] != '{'))
		set_problem(d, out, 0, "its _source is no JSON object");
}

static struct json *parse_action(struct file_documents *d, struct str text)
{
	struct json *parsed = NULL;

	if (text.len > ACTION_MAX || json_parse(text, &d->mem, &parsed, NULL) < 0)
		return NULL;
	return file_line_is_action(parsed) ? parsed : NULL;
}

/* The line behind what should have been an action is its source, unless it is an action itself. */
static int pass_source(struct file_documents *d, struct err *err)
{
	struct text_line line;
	int rc;

	while ((rc = next_line(d, &line, err)) > 0 && !line.too_long && words(&line).len == 0)
		;
	if (rc <= 0)
		return rc;
	if (!line.too_long && parse_action(d, words(&line)))
		push_back(d, &line);
	return 0;
}

static int bad_action(struct file_documents *d, const struct text_line *line, struct document *out,
		      struct err *err)
{
	*out = (struct document){.live = true, .version = -1};
	set_problem(d, out, 0,
		    line->too_long ? "it is longer than --max-line allows"
				   : "it is no action of a bulk body; it and the document behind "
				     "it are left out");
	out->source = buf_str(&d->action);
	return pass_source(d, err);
}

/* On record are both lines, which together are no document that somebody could send by mistake. */
static void refuse_action(struct file_documents *d, const struct text_line *source,
			  struct document *out)
{
	set_problem(d, out, 1, out->problem);
	buf_reset(&d->text);
	buf_append_str(&d->text, buf_str(&d->action));
	buf_append_byte(&d->text, '\n');
	buf_append_str(&d->text, words(source));
	out->source = d->text.failed ? STR_NONE : buf_str(&d->text);
}

/* Of an action that has one. */
static int read_source(struct file_documents *d, struct document *out, struct err *err)
{
	struct text_line line;
	int rc = next_line(d, &line, err);

	if (rc < 0)
		return rc;
	if (rc == 0) {
		set_problem(d, out, 0, "no document follows its action: the file is cut off");
		out->source = buf_str(&d->action);
		return 0;
	}
	out->source = words(&line);
	if (line.too_long)
		set_problem(d, out, 0, "it is longer than --max-line allows");
	else if (out->problem)
		refuse_action(d, &line, out);
	check_source(d, out);
	read_fields(d, out);
	return 0;
}

static int read_action(struct file_documents *d, const struct text_line *line, struct document *out,
		       struct err *err)
{
	struct json *action;
	const char *why;

	buf_reset(&d->action);
	buf_append_str(&d->action, words(line));
	action = parse_action(d, buf_str(&d->action));
	if (!action)
		return bad_action(d, line, out, err);
	file_line_read_action(action, out);
	if (!out->deleted)
		return read_source(d, out, err);
	why = out->problem;
	if (why)
		set_problem(d, out, 0, why);
	return 0;
}

static int read_document(struct file_documents *d, const struct text_line *line,
			 struct document *out, struct err *err)
{
	int rc = 0;

	arena_reset(&d->mem);
	if (d->format == FILE_FORMAT_BULK)
		rc = read_action(d, line, out, err);
	else if (d->format == FILE_FORMAT_ELASTICDUMP)
		read_dumped(d, line, out);
	else
		read_plain(d, line, out);
	if (rc < 0)
		return rc;
	name_index(d, out);
	if (out->problem) /* it is to be told as a failure */
		out->deleted = false;
	make_id(d, out, line->offset);
	return 0;
}

static int place_of(const struct file_documents *d, uint64_t offset, int64_t *out, struct err *err)
{
	if ((int64_t)d->file > FILE_NUMBER_MAX || offset > (uint64_t)OFFSET_MAX)
		return err_set(err, ERR_LIMIT, "'%s' is larger than 8 TiB; split it", file_name(d));
	*out = (int64_t)d->file << OFFSET_BITS | (int64_t)offset << 1;
	return 0;
}

static int next(struct document_source *source, struct document *out, struct err *err)
{
	struct file_documents *d = (struct file_documents *)source;
	struct text_line line;
	int64_t place = 0;
	int rc;

	while ((rc = open_next(d, err)) > 0) {
		rc = next_line(d, &line, err);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			end_file(d);
			continue;
		}
		if (!line.too_long && words(&line).len == 0)
			continue;
		if (place_of(d, line.offset, &place, err) < 0 ||
		    read_document(d, &line, out, err) < 0)
			return -(int)err->kind;
		out->doc = place;
		if (place >= d->options.first_doc)
			return 1;
	}
	return rc;
}

static uint64_t position(const struct document_source *source)
{
	const struct file_documents *d = (const struct file_documents *)source;
	uint64_t at = d->before + (d->stream ? line_stream_position(d->stream) : 0);

	return at > d->begun_at ? MIN(at - d->begun_at, source->total_bytes) : 0;
}

static void close_source(struct document_source *source)
{
	struct file_documents *d = (struct file_documents *)source;

	close_file(d);
	arena_release(&d->mem);
	buf_release(&d->text);
	buf_release(&d->action);
	free(d);
}

enum file_format file_documents_format(const struct document_source *source)
{
	return ((const struct file_documents *)source)->format;
}

int file_documents_open(const struct file_documents_options *options, struct document_source **out,
			struct err *err)
{
	static const struct document_source_ops ops = {next, position, close_source};
	int64_t first = options->first_doc >> OFFSET_BITS;
	struct file_documents *d;

	if (options->files->once && options->first_doc > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "standard input cannot be read again; begin anew with --restart");
	d = mem_zalloc(sizeof(*d));
	d->base.ops = &ops;
	d->options = *options;
	d->mem = ARENA_INIT(LIMIT_SOURCE_ARENA);
	d->text = BUF_INIT(LIMIT_SOURCE);
	d->action = BUF_INIT(ACTION_MAX);
	while ((int64_t)d->file < first && d->file < options->files->count)
		d->before += options->files->files[d->file++].size;
	d->begun_at = d->before;
	d->base.total_bytes = options->files->bytes - MIN(d->before, options->files->bytes);
	*out = &d->base;
	return 0;
}
