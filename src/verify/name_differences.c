/* The second and third pass: which documents differ, and where. */
#include "verify/comparing.h"

#include <stdlib.h>

#define PATHS_MAX 8 /* told of one changed document */

/* Second pass: the ids of differing buckets. */

static bool is_looked_at(const struct comparing *c, const struct document_hash *hash)
{
	return c->looked[digest_bucket_of(&c->kept.digests[0], hash)];
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

	if (entry->in_motion) {
		c->result->in_motion++;
		return;
	}
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

int comparing_name_differences(struct comparing *c, struct err *err)
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
	if (c->options->settle_ms > 0)
		rc = comparing_settle(c, err);
	if (rc < 0)
		return rc;
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
