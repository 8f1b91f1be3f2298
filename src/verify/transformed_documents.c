#include "verify/transformed_documents.h"

#include <stdlib.h>

#define BATCH_DOCUMENTS 1024
#define BATCH_BYTES MIB(1)

struct transformed_documents {
	struct document_source base;
	struct document_source *documents;
	struct transform *transform;
	const struct verify_transform_options *options;
	struct str index, only_type, only;
	struct arena mem; /* of the batch, and of what was made of it */
	struct bulk_document inputs[BATCH_DOCUMENTS];
	size_t count, bytes;
	struct document_batch made;
	size_t next; /* of made.outputs */
	bool ended;
	struct str target;
	struct verify_transformed_counts counts;
};

static struct str copied(struct arena *mem, struct str text)
{
	return text.ptr ? arena_str(mem, text) : STR_NONE;
}

static void hold(struct transformed_documents *t, const struct document *document)
{
	struct arena *mem = &t->mem;

	t->inputs[t->count++] = (struct bulk_document){
		.index = t->index,
		.id = copied(mem, document->id),
		.routing = copied(mem, document->routing),
		.type = document->type.ptr ? copied(mem, document->type) : t->only_type,
		.source = copied(mem, document->source),
		.version = -1,
	};
	t->bytes += document->source.len;
}

/* What the migration would not even have sent. */
static bool is_refused(const struct document *document)
{
	return document->problem || !document->source.ptr;
}

/* As much as belongs into a batch; what cannot pass through is counted. */
static int fill(struct transformed_documents *t, struct err *err)
{
	struct document document;
	int rc;

	arena_reset(&t->mem);
	t->count = t->bytes = t->next = 0;
	t->made = (struct document_batch){0};
	while (t->count < BATCH_DOCUMENTS && t->bytes < BATCH_BYTES) {
		rc = document_source_next(t->documents, &document, err);
		if (rc < 0)
			return rc;
		t->base.total_bytes = t->documents->total_bytes;
		if (rc == 0) {
			t->ended = true;
			break;
		}
		if (is_refused(&document))
			t->counts.failed++;
		else
			hold(t, &document);
	}
	return t->mem.failed ? arena_fail(&t->mem, "documents to be transformed", err) : 0;
}

static int transform(struct transformed_documents *t, struct err *err)
{
	int rc =
		document_batch_transform(t->transform, t->inputs, t->count, &t->mem, &t->made, err);

	if (rc < 0)
		return rc;
	if (t->made.failure_count > 0 && t->options->on_error == TRANSFORM_ERROR_FAIL) {
		*err = *t->made.failures[0].error;
		return -(int)err->kind;
	}
	t->counts.failed += t->made.failure_count;
	t->counts.dropped += t->made.dropped;
	return 0;
}

/* False: it is no document of the index that is wanted. */
static bool give(struct transformed_documents *t, const struct bulk_document *made,
		 struct document *out)
{
	if (made->operation == BULK_DELETE) {
		t->counts.deletes++;
		return false;
	}
	if (t->only.ptr && !str_eq(t->only, made->index))
		return false;
	t->target = made->index;
	*out = (struct document){.id = made->id,
				 .routing = made->routing,
				 .type = made->type,
				 .source = made->source,
				 .version = -1,
				 .live = true};
	return true;
}

static int check_id(const struct transformed_documents *t, const struct document *document,
		    struct err *err)
{
	if (document->id.len > 0 || t->options->without_ids)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "documents leave the transformers without an id, and index '" STR_FMT
		       "' made its own; --ignore-ids compares contents",
		       STR_ARG(t->target));
}

static int next(struct document_source *source, struct document *out, struct err *err)
{
	struct transformed_documents *t = (struct transformed_documents *)source;
	int rc;

	for (;;) {
		while (t->next < t->made.count)
			if (give(t, &t->made.outputs[t->next++].document, out)) {
				rc = check_id(t, out, err);
				return rc < 0 ? rc : 1;
			}
		if (t->ended)
			return 0;
		if (fill(t, err) < 0 || (t->count > 0 && transform(t, err) < 0))
			return -(int)err->kind;
	}
}

static uint64_t position(const struct document_source *source)
{
	return document_source_position(((const struct transformed_documents *)source)->documents);
}

static void close_source(struct document_source *source)
{
	struct transformed_documents *t = (struct transformed_documents *)source;

	document_source_close(t->documents);
	transform_free(t->transform);
	arena_release(&t->mem);
	free(t);
}

struct str transformed_documents_index(const struct document_source *source)
{
	return ((const struct transformed_documents *)source)->target;
}

const struct verify_transformed_counts *transformed_documents_counts(
	const struct document_source *source)
{
	return &((const struct transformed_documents *)source)->counts;
}

int transformed_documents_open(struct document_source *documents,
			       const struct verify_transform_options *options, struct str index,
			       struct str only_type, struct str only, struct document_source **out,
			       struct err *err)
{
	static const struct document_source_ops ops = {next, position, close_source};
	struct transformed_documents *t = mem_zalloc(sizeof(*t));
	int rc;

	t->base = (struct document_source){.ops = &ops, .total_bytes = documents->total_bytes};
	t->documents = documents;
	t->options = options;
	t->index = index;
	t->only_type = only_type;
	t->only = only;
	t->mem = ARENA_INIT(LIMIT_SOURCE_ARENA);
	rc = options->open(options->user, &t->transform, err);
	if (rc < 0) {
		close_source(&t->base);
		return rc;
	}
	*out = &t->base;
	return 0;
}
