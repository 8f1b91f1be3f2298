#include "verify/since.h"

#include "backfill/delta_shard.h"

#include <stdlib.h>

#define BATCH 100
#define BATCH_BYTES MIB(16)
#define PATHS_MAX 8

/* A document of the delta, and what the target has of it. */
struct awaited {
	struct str id, source;
	struct hash128 hash;
	bool deleted;
	uint32_t found;
	bool changed;
	struct str paths;
};

struct looking {
	const struct snapshot *previous, *current;
	struct verify_side *target;
	struct verify_index index;
	const struct verify_options *options;
	struct verify_progress *progress;
	const atomic_bool *cancel;
	struct verify_report *report;
	struct index_comparison *result;
	size_t capacity;
	struct json_hasher hasher;
	struct arena mem; /* of the batch */
	struct awaited batch[BATCH];
	size_t count, bytes;
};

static void describe(struct looking *l, struct awaited *awaited, struct str found)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SOURCE_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(16));
	struct json *a, *b;

	if (!found.ptr || !awaited->source.ptr || json_parse(awaited->source, &mem, &a, NULL) < 0 ||
	    json_parse(found, &mem, &b, NULL) < 0)
		return;
	json_differences(&text, a, b, PATHS_MAX);
	awaited->paths = text.len == 0 ? STR("(routing)") : arena_str(&l->mem, buf_str(&text));
}

static void take_found(void *user, const struct document *document)
{
	struct looking *l = user;
	struct document_hash hash;

	for (size_t i = 0; i < l->count; i++) {
		struct awaited *awaited = &l->batch[i];

		if (!str_eq(awaited->id, document->id))
			continue;
		awaited->found++;
		document_hash(&l->hasher, document, &l->options->hash, &hash);
		if (awaited->deleted || hash128_equal(hash.hash, awaited->hash))
			continue;
		awaited->changed = true;
		describe(l, awaited, document->source);
	}
}

static void name(struct looking *l, const struct awaited *awaited, enum difference_kind kind)
{
	struct index_comparison *result = l->result;
	struct arena *mem = &l->report->mem;

	if (result->difference_count >= (size_t)l->options->max_named)
		return;
	if (result->difference_count == l->capacity) {
		size_t capacity = MAX(l->capacity * 2, (size_t)64);
		struct document_difference *grown =
			arena_zalloc(mem, capacity, sizeof(*result->differences));

		if (!grown)
			return;
		if (l->capacity > 0)
			memcpy(grown, result->differences,
			       l->capacity * sizeof(*result->differences));
		result->differences = grown;
		l->capacity = capacity;
	}
	result->differences[result->difference_count++] = (struct document_difference){
		.id = arena_str(mem, awaited->id),
		.kind = kind,
		.paths = arena_str(mem, awaited->paths),
	};
}

static void judge(struct looking *l, const struct awaited *awaited)
{
	struct index_comparison *result = l->result;

	if (!awaited->deleted) {
		result->source_documents++;
		result->target_documents += awaited->found > 0;
	}
	if (awaited->deleted && awaited->found > 0) {
		result->extra++;
		name(l, awaited, DOCUMENT_EXTRA);
	} else if (!awaited->deleted && awaited->found == 0) {
		result->missing++;
		name(l, awaited, DOCUMENT_MISSING);
	} else if (!awaited->deleted && awaited->found > 1) {
		result->doubled++;
		name(l, awaited, DOCUMENT_DOUBLED);
	} else if (awaited->changed) {
		result->changed++;
		name(l, awaited, DOCUMENT_CHANGED);
	}
}

static int look_for_batch(struct looking *l, struct err *err)
{
	struct str ids[BATCH];
	int rc;

	if (l->mem.failed)
		return arena_fail(&l->mem, "documents that changed", err);
	if (l->count == 0)
		return 0;
	for (size_t i = 0; i < l->count; i++)
		ids[i] = l->batch[i].id;
	rc = l->target->ops->fetch(l->target, &l->index, ids, l->count, take_found, l, err);
	for (size_t i = 0; rc == 0 && i < l->count; i++)
		judge(l, &l->batch[i]);
	atomic_fetch_add(&l->progress->counters.documents_read, l->count);
	atomic_fetch_add(&l->progress->counters.documents_sent, l->count);
	l->count = l->bytes = 0;
	arena_reset(&l->mem);
	return rc;
}

static int add(struct looking *l, const struct document *document, struct err *err)
{
	struct awaited *awaited = &l->batch[l->count];
	struct document_hash hash;

	*awaited = (struct awaited){.id = arena_str(&l->mem, document->id),
				    .deleted = document->deleted};
	if (!document->deleted && !document->source.ptr)
		return err_set(err, ERR_UNSUPPORTED,
			       "documents store no _source: what they hold cannot be compared");
	if (!document->deleted) {
		document_hash(&l->hasher, document, &l->options->hash, &hash);
		awaited->hash = hash.hash;
		awaited->source = arena_str(&l->mem, document->source);
	}
	l->bytes += document->source.len;
	l->count++;
	return l->count == BATCH || l->bytes >= BATCH_BYTES ? look_for_batch(l, err) : 0;
}

static int look_for_shard(struct looking *l, const struct snapshot_index *index, int32_t shard,
			  struct err *err)
{
	const struct delta_options options = {.mode = DELTA_UPDATES_AND_DELETES};
	struct document_source *documents = NULL;
	struct document document;
	int rc = delta_shard_open(l->previous, l->current, index, shard, &options, &documents, err);

	while (rc == 0) {
		if (atomic_load(l->cancel))
			rc = err_set(err, ERR_CANCELLED, "interrupted");
		else if ((rc = document_source_next(documents, &document, err)) <= 0)
			break;
		else
			rc = add(l, &document, err);
	}
	document_source_close(documents);
	return rc < 0 ? rc : look_for_batch(l, err);
}

static int look_for_index(struct looking *l, const struct verify_pair *pair, struct err *err)
{
	const struct snapshot_index *index = snapshot_find_index(l->current, pair->source_index);
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct index_metadata metadata = {0};
	int rc;

	if (!index)
		return err_set(err, ERR_NOT_FOUND, "the snapshot has no index '" STR_FMT "'",
			       STR_ARG(pair->source_index));
	rc = snapshot_index_metadata(l->current, index, &mem, &metadata, err);
	if (rc == 0)
		rc = delta_shard_check(l->previous, l->current, index, err);
	if (rc == 0)
		rc = l->target->ops->look(l->target, &l->index, err);
	for (int32_t shard = 0; rc == 0 && shard < metadata.shard_count; shard++)
		rc = look_for_shard(l, index, shard, err);
	return rc;
}

static bool ends_run(const struct err *err)
{
	return err->kind == ERR_CANCELLED || err->kind == ERR_AUTH ||
	       err->kind == ERR_UNREACHABLE || err->kind == ERR_NOMEM;
}

static int look_for_pair(struct looking *l, const struct verify_pair *pair, struct err *err)
{
	struct index_comparison *result = l->result;
	bool differs;
	int rc = look_for_index(l, pair, err);

	differs = result->missing || result->extra || result->changed || result->doubled;
	if (rc < 0 && ends_run(err)) {
		result->reason = STR("the run ended before");
		return rc;
	}
	if (rc < 0)
		result->reason = arena_str(&l->report->mem, str_from(err->message));
	if (differs || (rc < 0 && err->kind == ERR_NOT_FOUND))
		result->verdict = VERDICT_DIFFERENT;
	else if (rc == 0)
		result->verdict = VERDICT_EQUAL;
	return 0;
}

int verify_run_since(const struct snapshot *previous, const struct snapshot *current,
		     struct verify_side *target, const struct verify_pair *pairs, size_t count,
		     const struct verify_options *options, struct verify_progress *progress,
		     const atomic_bool *cancel, struct verify_report *report, struct err *err)
{
	struct looking *l = mem_zalloc(sizeof(*l));
	int rc = 0;

	*report = (struct verify_report){.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
	*l = (struct looking){.previous = previous,
			      .current = current,
			      .target = target,
			      .options = options,
			      .progress = progress,
			      .cancel = cancel,
			      .report = report,
			      .mem = ARENA_INIT(LIMIT_SOURCE_ARENA)};
	json_hasher_init(&l->hasher);
	report->indices = arena_zalloc(&report->mem, count + 1, sizeof(*report->indices));
	if (!report->indices)
		rc = arena_fail(&report->mem, "the report", err);
	report->equal = count > 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		l->result = &report->indices[report->count++];
		l->capacity = l->count = l->bytes = 0;
		l->index = (struct verify_index){.name = pairs[i].target_index};
		*l->result = (struct index_comparison){.source_index = pairs[i].source_index,
						       .target_index = pairs[i].target_index,
						       .verdict = VERDICT_NOT_COMPARED};
		rc = look_for_pair(l, &pairs[i], err);
		report->equal = report->equal && l->result->verdict == VERDICT_EQUAL;
	}
	report->equal = report->equal && rc == 0;
	json_hasher_release(&l->hasher);
	arena_release(&l->mem);
	free(l);
	return rc;
}
