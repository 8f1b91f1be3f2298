#include "verify/verify.h"

#include "verify/difference_table.h"
#include "verify/passes.h"

#include <inttypes.h>
#include <stdlib.h>

#define PATHS_MAX 8                  /* told of one changed document */
#define BUCKETS_UNCOUNTED (1u << 16) /* where nobody says how many documents there are */
#define DIGESTS_MAX MIB(256)         /* of all threads */

/* One pair of indices under comparison. */
struct comparing {
	struct pass pass;
	const struct verify_options *options;
	struct verify_report *report;
	struct index_comparison *result;
	struct digest digests[2];
	uint8_t *looked; /* one byte a bucket: differs, and is looked at */
	struct difference_table *table;
	atomic_bool overflow; /* the table was full */
	uint64_t sourceless;  /* documents without a source, of both sides */
	struct document_difference *differences;
	size_t capacity;
};

/* First pass: digests. */

/* Buckets of a large index are not in the cache: each is asked for a few documents before it is
 * added to. */
#define AHEAD 8

struct digest_pair {
	struct digest digests[2];
	struct document_hash waiting[2][AHEAD];
	uint64_t added[2]; /* waiting ones included */
	uint64_t sourceless;
};

static void *start_digests(void *shared)
{
	const struct comparing *c = shared;
	struct digest_pair *pair = mem_zalloc(sizeof(*pair));

	for (int side = 0; side < 2; side++)
		digest_init(&pair->digests[side], c->digests[side].bucket_count);
	return pair;
}

static void add_to_digest(void *user, int side, const struct document *document,
			  const struct document_hash *hash)
{
	struct digest_pair *pair = user;

	struct document_hash *slot = &pair->waiting[side][pair->added[side] % AHEAD];

	pair->sourceless += !document->source.ptr;
	if (pair->added[side]++ >= AHEAD)
		digest_add(&pair->digests[side], slot);
	*slot = *hash;
	digest_prefetch(&pair->digests[side], hash);
}

static void end_digests(void *user, void *shared)
{
	struct digest_pair *pair = user;
	struct comparing *c = shared;

	c->sourceless += pair->sourceless;
	for (int side = 0; side < 2; side++) {
		for (uint64_t i = 0; i < MIN(pair->added[side], (uint64_t)AHEAD); i++)
			digest_add(&pair->digests[side], &pair->waiting[side][i]);
		digest_merge(&c->digests[side], &pair->digests[side]);
		digest_release(&pair->digests[side]);
	}
	free(pair);
}

/* Each thread has two digests of its own. */
static uint32_t buckets_of(const struct comparing *c)
{
	uint64_t documents = MAX(c->pass.indices[0].documents, c->pass.indices[1].documents);
	uint32_t buckets = documents > 0 ? digest_buckets_for(documents) : BUCKETS_UNCOUNTED;
	size_t digests = 2 * ((size_t)MAX(c->options->threads, 1) + 1);

	while (buckets > 1 && digests * buckets * sizeof(struct digest_bucket) > DIGESTS_MAX)
		buckets /= 2;
	return buckets;
}

/* 1: the source's digest was taken earlier, and it need not be read for it. */
static int begin_digests(struct comparing *c, struct err *err)
{
	const struct verify_options *options = c->options;
	uint32_t buckets = buckets_of(c);
	int rc = 0;

	if (options->source_digest)
		rc = options->source_digest(options->source_digest_user, c->result->source_index,
					    &c->digests[0], err);
	if (rc < 0)
		return rc;
	if (rc == 1)
		buckets = c->digests[0].bucket_count;
	else
		digest_init(&c->digests[0], buckets);
	digest_init(&c->digests[1], buckets);
	return rc;
}

static int take_digests(struct comparing *c, struct err *err)
{
	const struct pass_visitor visitor = {add_to_digest, start_digests, end_digests, c};
	struct pass pass = c->pass;
	int rc = begin_digests(c, err);

	if (rc == 1)
		pass.indices[0].parts = 0;
	if (rc >= 0)
		rc = pass_run(&pass, &visitor, err);
	if (rc < 0)
		return rc;
	c->result->source_documents = digest_documents(&c->digests[0]);
	c->result->target_documents = digest_documents(&c->digests[1]);
	return 0;
}

/* Marks buckets that differ, as many as may be looked at. Returns how many differ. */
static size_t choose_buckets(struct comparing *c)
{
	uint64_t held = 0;
	size_t differing = 0;

	c->looked = mem_zalloc(c->digests[0].bucket_count);
	for (uint32_t i = 0; i < c->digests[0].bucket_count; i++) {
		const struct digest_bucket *a = &c->digests[0].buckets[i],
					   *b = &c->digests[1].buckets[i];

		if (digest_bucket_equal(a, b))
			continue;
		differing++;
		/* At least one is looked at, however full. */
		if (held > 0 && held + a->count + b->count > (uint64_t)c->options->max_looked) {
			c->result->counted_in_part = true;
			continue;
		}
		held += a->count + b->count;
		c->looked[i] = 1;
	}
	return differing;
}

/* Second pass: the ids of differing buckets. */

static bool is_looked_at(const struct comparing *c, const struct document_hash *hash)
{
	return c->looked[digest_bucket_of(&c->digests[0], hash)];
}

static void add_to_table(void *user, int side, const struct document *document,
			 const struct document_hash *hash)
{
	struct comparing *c = user;

	if (is_looked_at(c, hash) &&
	    !difference_table_add(c->table, side, document->id, hash->hash))
		atomic_store(&c->overflow, true);
}

/* Third pass: sources of changed documents. */

static void keep_text(void *user, int side, const struct document *document,
		      const struct document_hash *hash)
{
	struct comparing *c = user;

	if (is_looked_at(c, hash))
		difference_table_keep(c->table, side, document->id, document->source);
}

static struct str describe(struct comparing *c, const struct difference_entry *entry)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SOURCE_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(16));
	struct json *sides[2];

	for (int side = 0; side < 2; side++)
		if (!entry->texts[side] ||
		    json_parse(str_of(entry->texts[side], entry->text_lengths[side]), &mem,
			       &sides[side], NULL) < 0)
			return STR_NONE;
	json_differences(&text, sides[0], sides[1], PATHS_MAX);
	if (text.len == 0)
		return STR("(routing)");
	return text.failed ? STR_NONE : arena_str(&c->report->mem, buf_str(&text));
}

static void add_difference(struct comparing *c, const struct difference_entry *entry,
			   enum difference_kind kind)
{
	struct index_comparison *result = c->result;

	if (result->difference_count >= (size_t)c->options->max_named)
		return;
	if (result->difference_count == c->capacity) {
		c->capacity = MAX(c->capacity * 2, (size_t)64);
		c->differences = mem_realloc(c->differences, c->capacity * sizeof(*c->differences));
	}
	c->differences[result->difference_count++] = (struct document_difference){
		.id = arena_str(&c->report->mem, entry->id),
		.kind = kind,
		.paths = kind == DOCUMENT_CHANGED ? describe(c, entry) : STR_NONE,
	};
}

static void judge_entry(struct difference_entry *entry, void *user)
{
	struct comparing *c = user;

	if (entry->counts[0] > 1 || entry->counts[1] > 1) {
		if (entry->counts[0] == entry->counts[1] &&
		    hash128_equal(entry->sums[0], entry->sums[1]))
			return;
		c->result->doubled++;
		add_difference(c, entry, DOCUMENT_DOUBLED);
	} else if (!entry->counts[1]) {
		c->result->missing++;
		add_difference(c, entry, DOCUMENT_MISSING);
	} else if (!entry->counts[0]) {
		c->result->extra++;
		add_difference(c, entry, DOCUMENT_EXTRA);
	} else if (difference_is_changed(entry)) {
		c->result->changed++;
		add_difference(c, entry, DOCUMENT_CHANGED);
	}
}

static void count_changed(struct difference_entry *entry, void *user)
{
	*(size_t *)user += difference_is_changed(entry);
}

static int by_kind_and_id(const void *a, const void *b)
{
	const struct document_difference *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return str_cmp(x->id, y->id);
}

static int keep_differences(struct comparing *c, struct err *err)
{
	struct index_comparison *result = c->result;
	struct arena *mem = &c->report->mem;

	result->differences =
		arena_zalloc(mem, result->difference_count + 1, sizeof(*result->differences));
	if (!result->differences)
		return arena_fail(mem, "the differences", err);
	if (result->difference_count > 0)
		memcpy(result->differences, c->differences,
		       result->difference_count * sizeof(*c->differences));
	qsort(result->differences, result->difference_count, sizeof(*result->differences),
	      by_kind_and_id);
	return 0;
}

static int name_differences(struct comparing *c, struct err *err)
{
	const struct pass_visitor ids = {.document = add_to_table, .shared = c};
	const struct pass_visitor texts = {.document = keep_text, .shared = c};
	size_t changed = 0;
	int rc;

	atomic_store(&c->pass.progress->pass, 2);
	c->table = difference_table_new((size_t)c->options->max_looked);
	rc = pass_run(&c->pass, &ids, err);
	if (rc < 0)
		return rc;
	c->result->counted_in_part |= atomic_load(&c->overflow);
	difference_table_each(c->table, count_changed, &changed);
	if (changed > 0) {
		atomic_store(&c->pass.progress->pass, 3);
		rc = pass_run(&c->pass, &texts, err);
		if (rc < 0)
			return rc;
	}
	difference_table_each(c->table, judge_entry, c);
	return keep_differences(c, err);
}

/* What a cluster counts and what was read of it must agree, or something was not read or has come
 * since: *reason says so. */
static bool is_whole(const struct comparing *c, struct str *reason, struct err *err)
{
	const uint64_t read[2] = {c->result->source_documents, c->result->target_documents};

	for (int side = 0; side < 2; side++) {
		const struct verify_index *index = &c->pass.indices[side];

		if (!index->counted || c->options->sample < 1 || index->documents == read[side])
			continue;
		err_set(err, ERR_CONFLICT,
			"index '" STR_FMT "' of %s had %" PRIu64 " documents and %" PRIu64
			" were read: it is still being written to; compare again when it rests",
			STR_ARG(index->name), c->pass.sides[side]->what, index->documents,
			read[side]);
		*reason = arena_str(&c->report->mem, str_from(err->message));
		return false;
	}
	return true;
}

static bool names_anything(const struct index_comparison *result)
{
	return result->missing || result->extra || result->changed || result->doubled;
}

static int compare(struct comparing *c, struct err *err)
{
	size_t differing;
	bool whole;
	int rc;

	atomic_store(&c->pass.progress->pass, 1);
	rc = take_digests(c, err);
	if (rc < 0)
		return rc;
	if (c->sourceless > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "%" PRIu64 " documents of both sides store no _source: what they "
			       "hold cannot be compared",
			       c->sourceless);
	differing = choose_buckets(c);
	whole = is_whole(c, &c->result->reason, err);
	if (differing == 0 && !whole)
		return -(int)err->kind;
	if (differing == 0) {
		c->result->verdict = VERDICT_EQUAL;
		return 0;
	}
	c->result->verdict = VERDICT_DIFFERENT;
	/* Without ids of its own nothing names a document. */
	if (c->options->hash.without_id)
		return 0;
	rc = name_differences(c, err);
	if (rc == 0 && whole && !names_anything(c->result))
		c->result->reason = STR("the digests differ and a second reading found no "
					"difference: one side is still being written");
	return rc;
}

static void release(struct comparing *c)
{
	for (int side = 0; side < 2; side++)
		digest_release(&c->digests[side]);
	difference_table_free(c->table);
	free(c->looked);
	free(c->differences);
}

/* What keeps one pair from being compared is told of it, and the rest goes on. */
static bool ends_run(const struct err *err)
{
	return err->kind == ERR_CANCELLED || err->kind == ERR_AUTH ||
	       err->kind == ERR_UNREACHABLE || err->kind == ERR_NOMEM;
}

static int compare_pair(struct comparing *c, struct err *err)
{
	int rc = 0;

	for (int side = 0; rc == 0 && side < 2; side++)
		rc = c->pass.sides[side]->ops->look(c->pass.sides[side], &c->pass.indices[side],
						    err);
	for (int side = 0; rc == 0 && side < 2; side++)
		if (c->pass.indices[side].parts == 0)
			rc = err_set(err, ERR_FORMAT, "index '" STR_FMT "' of %s has no shards",
				     STR_ARG(c->pass.indices[side].name),
				     c->pass.sides[side]->what);
	if (rc == 0)
		rc = compare(c, err);
	if (rc == 0 || ends_run(err))
		return rc;
	/* What the first reading told is not undone by one that failed later. */
	if (c->result->verdict != VERDICT_DIFFERENT && err->kind == ERR_NOT_FOUND)
		c->result->verdict = VERDICT_DIFFERENT;
	c->result->reason = arena_str(&c->report->mem, str_from(err->message));
	return 0;
}

int verify_run(struct verify_side *source, struct verify_side *target,
	       const struct verify_pair *pairs, size_t count, const struct verify_options *options,
	       struct verify_progress *progress, const atomic_bool *cancel,
	       struct verify_report *report, struct err *err)
{
	int rc = 0;

	*report = (struct verify_report){.mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
	report->indices = arena_zalloc(&report->mem, count + 1, sizeof(*report->indices));
	if (!report->indices)
		return arena_fail(&report->mem, "the report", err);
	atomic_store(&progress->indices_total, count);
	report->equal = count > 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct comparing c = {
			.pass = {.sides = {source, target},
				 .indices = {{.name = pairs[i].source_index},
					     {.name = pairs[i].target_index}},
				 .options = options,
				 .progress = progress,
				 .cancel = cancel},
			.options = options,
			.report = report,
			.result = &report->indices[i],
		};

		*c.result = (struct index_comparison){.source_index = pairs[i].source_index,
						      .target_index = pairs[i].target_index,
						      .verdict = VERDICT_NOT_COMPARED};
		report->count++;
		rc = compare_pair(&c, err);
		if (rc < 0 && c.result->verdict == VERDICT_NOT_COMPARED)
			c.result->reason = STR("the run ended before");
		report->equal = report->equal && c.result->verdict == VERDICT_EQUAL;
		release(&c);
		atomic_fetch_add(&progress->indices_done, 1);
	}
	report->equal = report->equal && rc == 0;
	return rc;
}

void verify_report_release(struct verify_report *report)
{
	arena_release(&report->mem);
	*report = (struct verify_report){0};
}
