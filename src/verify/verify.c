#include "verify/verify.h"

#include "base/log.h"
#include "verify/comparing.h"

#include <inttypes.h>
#include <stdlib.h>

/* Marks buckets that differ, as many as may be looked at. Returns how many differ. */
static size_t choose_buckets(struct comparing *c)
{
	uint64_t held = 0;
	size_t differing = 0;

	c->looked = mem_zalloc(c->kept.digests[0].bucket_count);
	for (uint32_t i = 0; i < c->kept.digests[0].bucket_count; i++) {
		const struct digest_bucket *a = &c->kept.digests[0].buckets[i],
					   *b = &c->kept.digests[1].buckets[i];

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

/* What a cluster counts and what was read of it must agree, or something was not read or has come
 * since: *reason says so. */
static bool is_whole(const struct comparing *c, struct str *reason, struct err *err)
{
	const uint64_t read[2] = {c->result->source_documents, c->result->target_documents};

	for (int side = 0; side < 2; side++) {
		const struct verify_index *index = &c->pass.indices[side];

		/* Where live traffic is waited for, counts move. */
		if (!index->counted || c->options->settle_ms > 0 || c->options->sample < 1 ||
		    index->documents == read[side])
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

/* All that differed at first became equal, or is still being written to. */
static bool has_settled(const struct comparing *c)
{
	return c->options->settle_ms > 0 && !c->result->counted_in_part &&
	       !names_anything(c->result);
}

static int compare(struct comparing *c, struct err *err)
{
	size_t differing;
	bool whole;
	int rc;

	atomic_store(&c->pass.progress->pass, 1);
	rc = comparing_take_digests(c, err);
	if (rc < 0)
		return rc;
	if (c->kept.sourceless > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "%" PRIu64 " documents of both sides store no _source: what they "
			       "hold cannot be compared",
			       c->kept.sourceless);
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
	rc = comparing_name_differences(c, err);
	if (rc == 0 && has_settled(c)) {
		c->result->verdict = VERDICT_EQUAL;
		return 0;
	}
	if (rc == 0 && whole && !names_anything(c->result))
		c->result->reason = STR("the digests differ and a second reading found no "
					"difference: one side is still being written");
	return rc;
}

static void release(struct comparing *c)
{
	verify_checkpoint_release(&c->kept);
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

enum { TAKEN_UP_WHOLE = 2 };

/* What an earlier run that was ended came to. */
static int take_up(struct comparing *c, struct err *err)
{
	if (!c->options->checkpoint_folder || c->options->source_digest || c->options->restart)
		return 0;
	return verify_checkpoint_load(c->options, c->pass.indices, &c->kept, c->result,
				      &c->report->mem, err);
}

/* What was not compared is tried again. */
static void keep_result(const struct comparing *c)
{
	struct err err;

	if (c->options->checkpoint_folder && !c->options->source_digest &&
	    c->result->verdict != VERDICT_NOT_COMPARED &&
	    verify_checkpoint_save_result(c->options, c->pass.indices, c->result, &err) < 0)
		log_warn("verify", "no checkpoint is kept: %s", err.message);
}

/* The run came to its end: the next one starts anew. */
static void forget(const struct verify_options *options, const struct verify_pair *pairs,
		   size_t count)
{
	struct err err;

	for (size_t i = 0; options->checkpoint_folder && i < count; i++)
		if (verify_checkpoint_remove(options, &pairs[i], &err) < 0)
			log_warn("verify", "%s", err.message);
}

/* What equality means there. */
static void tell_rebuilding(struct comparing *c)
{
	if ((c->pass.indices[0].rebuilt || c->pass.indices[1].rebuilt) && !c->result->reason.len)
		c->result->reason =
			STR("compared as rebuilt from doc values and stored fields: the "
			    "snapshot does not hold the sources as they were sent");
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
		rc = take_up(c, err);
	if (rc == TAKEN_UP_WHOLE)
		return 0;
	if (rc >= 0)
		rc = compare(c, err);
	if (rc < 0 && ends_run(err))
		return rc;
	if (rc == 0) {
		tell_rebuilding(c);
		keep_result(c);
		return 0;
	}
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
	if (rc == 0)
		forget(options, pairs, count);
	report->equal = report->equal && rc == 0;
	return rc;
}

void verify_report_release(struct verify_report *report)
{
	arena_release(&report->mem);
	*report = (struct verify_report){0};
}
