#include "documents/delta_documents.h"

#include "base/buf.h"
#include "documents/delta_plan.h"
#include "documents/id_table.h"

#include <stdlib.h>

#define DEFAULT_MEMORY MIB(64)

enum phase {
	PHASE_COMPARE, /* ids of vanished documents with those of changed ones */
	PHASE_DELETES,
	PHASE_UPDATES,
	PHASE_END,
};

struct delta_documents {
	struct document_source source;
	struct lucene_directory *previous, *current; /* borrowed */
	struct delta_options options;
	struct delta_plan plan;
	enum phase phase;
	struct document_source *part; /* at hand */
	uint64_t bytes_done;          /* of the parts before */
	uint64_t vanished_bytes, changed_bytes, update_bytes;
	size_t passes;
	struct siphash_key key;
	struct id_table ids;
};

static const struct {
	const char *name, *java;
} modes[] = {
	[DELTA_UPDATES] = {"updates", "UPDATES_ONLY"},
	[DELTA_UPDATES_AND_DELETES] = {"updates-and-deletes", "UPDATES_AND_DELETES"},
	[DELTA_DELETES] = {"deletes", "DELETES_ONLY"},
};

bool delta_mode_parse(struct str text, enum delta_mode *out)
{
	for (size_t i = 0; i < COUNT_OF(modes); i++)
		if (str_is(text, modes[i].name) || str_is(text, modes[i].java)) {
			*out = (enum delta_mode)i;
			return true;
		}
	return false;
}

const char *delta_mode_name(enum delta_mode mode)
{
	return modes[mode].name;
}

static int64_t count_vanished(const struct delta_documents *d)
{
	int64_t count = 0;

	for (size_t i = 0; i < d->plan.vanished.count; i++)
		count += d->plan.vanished.segments[i].count;
	return count;
}

/* ---- ids ---- */

/* Types were part of what names a document up to Elasticsearch 5. A type has no NUL. */
static struct siphash_value hash_of(const struct delta_documents *d,
				    const struct document *document, struct buf *text)
{
	if (!document->type.ptr)
		return siphash(&d->key, document->id);
	buf_reset(text);
	buf_append_str(text, document->type);
	buf_append_byte(text, '\0');
	buf_append_str(text, document->id);
	return siphash(&d->key, buf_str(text));
}

static size_t pass_of(const struct delta_documents *d, struct siphash_value hash)
{
	return (size_t)((hash.words[1] >> 32) * d->passes >> 32);
}

/* A document of the previous commit has come back. */
static void spare(struct delta_documents *d, int64_t doc)
{
	struct document_selection *vanished = &d->plan.vanished;
	size_t i = 0;

	while (doc >= vanished->segments[i].max_doc)
		doc -= vanished->segments[i++].max_doc;
	segment_selection_drop(&vanished->segments[i], (int32_t)doc);
}

/* Documents [first, end) of a commit. */
static int open_part(struct delta_documents *d, struct lucene_directory *dir,
		     const struct document_selection *selection, int64_t first, int64_t end,
		     struct err *err)
{
	const struct lucene_documents_options options = {.versions = d->options.versions,
							 .selection = selection,
							 .first_doc = first,
							 .end_doc = end};

	if (!dir || first >= end)
		return 0;
	return lucene_documents_open(dir, &options, &d->part, err);
}

static int open_vanished(struct delta_documents *d, struct err *err)
{
	return open_part(d, d->previous, &d->plan.vanished, d->options.first_doc,
			 MIN(d->options.end_doc, d->plan.previous_docs), err);
}

static int open_changed(struct delta_documents *d, struct err *err)
{
	return open_part(d, d->current, &d->plan.changed, 0, d->plan.current_docs, err);
}

/* Those of them that are in the range. */
static int open_updates(struct delta_documents *d, struct err *err)
{
	int64_t first = MAX(d->options.first_doc - d->plan.previous_docs, 0);
	int64_t end = MIN(d->options.end_doc - d->plan.previous_docs, d->plan.current_docs);

	if (d->options.mode == DELTA_DELETES)
		return 0;
	return open_part(d, d->current, &d->plan.changed, first, end, err);
}

static void close_part(struct delta_documents *d)
{
	if (d->part)
		d->bytes_done += d->part->total_bytes;
	document_source_close(d->part);
	d->part = NULL;
}

/* Reads one side to its end: takes the ids of this pass in, or looks for them. */
static int read_ids(struct delta_documents *d, bool vanished, size_t pass, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct document document;
	int got = 0;

	if ((vanished ? open_vanished(d, err) : open_changed(d, err)) < 0)
		return -(int)err->kind;
	while (d->part && (got = document_source_next(d->part, &document, err)) > 0) {
		struct siphash_value hash = hash_of(d, &document, &text);

		if (pass_of(d, hash) != pass)
			continue;
		if (vanished) {
			id_table_put(&d->ids, hash, (uint32_t)document.doc);
		} else {
			int64_t doc = id_table_find(&d->ids, hash);

			if (doc >= 0)
				spare(d, doc);
		}
	}
	close_part(d);
	return got < 0 ? got : buf_check(&text, "a document's type and id", err);
}

/* Leaves in plan.vanished only what is to be deleted. */
static int compare_ids(struct delta_documents *d, struct err *err)
{
	size_t expected = d->passes ? (size_t)count_vanished(d) / d->passes : 0;
	int failed = 0;

	for (size_t pass = 0; pass < d->passes && failed == 0; pass++) {
		id_table_start(&d->ids, expected);
		failed = read_ids(d, true, pass, err);
		if (failed == 0)
			failed = read_ids(d, false, pass, err);
	}
	id_table_release(&d->ids);
	return failed;
}

/* ---- the range ---- */

/* Vanished documents outside of [first_doc, end_doc) are not this run's. */
static void cut_vanished(struct delta_documents *d)
{
	int64_t base = 0, first = d->options.first_doc, end = d->options.end_doc;

	for (size_t i = 0; i < d->plan.vanished.count; i++) {
		struct segment_selection *segment = &d->plan.vanished.segments[i];
		bool inside = base >= first && base + segment->max_doc <= end;

		if (base >= end || base + segment->max_doc <= first)
			segment->count = 0;
		for (int32_t doc = 0; !inside && segment->count > 0 && doc < segment->max_doc;
		     doc++)
			if (base + doc < first || base + doc >= end)
				segment_selection_drop(segment, doc);
		base += segment->max_doc;
	}
}

/* ---- the stream ---- */

static int enter(struct delta_documents *d, enum phase phase, struct err *err)
{
	close_part(d);
	d->phase = phase;
	if (phase == PHASE_DELETES)
		return open_vanished(d, err);
	return phase == PHASE_UPDATES ? open_updates(d, err) : 0;
}

static void make_delete(struct document *document)
{
	document->deleted = true;
	document->source = STR_NONE;
	document->problem = NULL;
	if (document->version >= 0 && document->version < INT64_MAX)
		document->version++;
}

/* 1: a document; 0: the phase has no more. */
static int next_of_part(struct delta_documents *d, struct document *out, struct err *err)
{
	int got = d->part ? document_source_next(d->part, out, err) : 0;

	if (got <= 0)
		return got;
	if (d->phase == PHASE_DELETES)
		make_delete(out);
	else
		out->doc += d->plan.previous_docs;
	return 1;
}

static int delta_next(struct document_source *source, struct document *out, struct err *err)
{
	struct delta_documents *d = (struct delta_documents *)source;
	int got;

	if (d->phase == PHASE_COMPARE) {
		got = compare_ids(d, err);
		if (got < 0 || (got = enter(d, PHASE_DELETES, err)) < 0)
			return got;
	}
	while (d->phase != PHASE_END) {
		got = next_of_part(d, out, err);
		if (got != 0)
			return got;
		if (enter(d, d->phase + 1, err) < 0)
			return -(int)err->kind;
	}
	/* What was spared was not read again. */
	d->bytes_done = source->total_bytes;
	return 0;
}

static uint64_t delta_position(const struct document_source *source)
{
	const struct delta_documents *d = (const struct delta_documents *)source;

	return MIN(d->bytes_done + (d->part ? document_source_position(d->part) : 0),
		   source->total_bytes);
}

static void delta_close(struct document_source *source)
{
	struct delta_documents *d = (struct delta_documents *)source;

	document_source_close(d->part);
	id_table_release(&d->ids);
	delta_plan_release(&d->plan);
	free(d);
}

static const struct document_source_ops delta_ops = {
	.next = delta_next, .position = delta_position, .close = delta_close};

static int measure(struct delta_documents *d,
		   int (*open)(struct delta_documents *d, struct err *err), uint64_t *bytes,
		   struct err *err)
{
	if (open(d, err) < 0)
		return -(int)err->kind;
	*bytes = d->part ? d->part->total_bytes : 0;
	document_source_close(d->part);
	d->part = NULL;
	return 0;
}

/* As many passes as the ids need that do not fit into the memory at once; none where there is
 * nothing to compare. */
static void plan_passes(struct delta_documents *d)
{
	size_t room = id_table_room(d->options.memory);
	size_t vanished = (size_t)count_vanished(d);

	d->passes = d->changed_bytes > 0 ? vanished / room + (vanished % room != 0) : 0;
	d->source.total_bytes = d->passes * (d->vanished_bytes + d->changed_bytes) +
				d->vanished_bytes + d->update_bytes;
}

static int open_delta(struct delta_documents *d, struct err *err)
{
	bool deletes = d->options.mode != DELTA_UPDATES;

	if (delta_plan_make(d->previous, d->current, deletes, &d->plan, err) < 0)
		return -(int)err->kind;
	cut_vanished(d);
	if (measure(d, open_vanished, &d->vanished_bytes, err) < 0 ||
	    measure(d, open_changed, &d->changed_bytes, err) < 0 ||
	    measure(d, open_updates, &d->update_bytes, err) < 0)
		return -(int)err->kind;
	plan_passes(d);
	return 0;
}

int delta_documents_open(struct lucene_directory *previous, struct lucene_directory *current,
			 const struct delta_options *options, struct document_source **out,
			 struct err *err)
{
	struct delta_documents *d = mem_zalloc(sizeof(*d));

	d->source.ops = &delta_ops;
	d->previous = previous;
	d->current = current;
	d->options = *options;
	d->options.memory = options->memory ? options->memory : DEFAULT_MEMORY;
	d->options.end_doc = options->end_doc ? options->end_doc : INT64_MAX;
	d->key = siphash_key_random();
	if (open_delta(d, err) < 0) {
		delta_close(&d->source);
		return -(int)err->kind;
	}
	*out = &d->source;
	return 0;
}
