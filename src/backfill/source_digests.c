#include "backfill/source_digests.h"

#include "backfill/source_digest_file.h"
#include "base/log.h"

/* Adds what an item's checkpoint holds. */
static int add_row(const struct work_status *row, struct digest *sum, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(2 * ITEM_STATE_MAX);
	struct item_state state;
	struct digest part;

	if (item_state_parse(row->progress.state, &mem, &state, err) < 0)
		return -(int)err->kind;
	if (!state.digest_json)
		return 0;
	if (digest_read(state.digest_json, &part, err) < 0)
		return -(int)err->kind;
	if (part.bucket_count >= sum->bucket_count)
		digest_merge(sum, &part);
	digest_release(&part);
	return 0;
}

static int write_index(const struct pipeline *p, size_t index, const struct work_status *rows,
		       size_t count, const struct backfill_index_result *result, struct err *err)
{
	const char *folder = p->options->digest_folder;
	struct str name = p->indices[index].source->name;
	cleanup(digest_release) struct digest sum;
	bool complete = !result->unreadable;
	int rc = 0;

	digest_init(&sum, SOURCE_DIGEST_BUCKETS);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!str_eq(rows[i].item.index, name))
			continue;
		complete = complete && rows[i].state == WORK_COMPLETED;
		rc = add_row(&rows[i], &sum, err);
	}
	if (rc < 0)
		return rc;
	if (complete && digest_documents(&sum) == result->documents)
		return source_digest_file_write(folder, p->snapshot->summary.uuid, name, &sum, err);
	log_warn("backfill",
		 "index '" STR_FMT "' has no digest: not all of its documents were read with "
		 "--digest",
		 STR_ARG(name));
	return source_digest_file_remove(folder, name, err);
}

int source_digests_write(const struct pipeline *p, const struct work_status *rows, size_t count,
			 const struct backfill_report *report, struct err *err)
{
	for (size_t i = 0; i < p->index_count; i++)
		if (write_index(p, i, rows, count, &report->indices[i], err) < 0)
			return err_wrap(err, "--digest");
	return 0;
}
