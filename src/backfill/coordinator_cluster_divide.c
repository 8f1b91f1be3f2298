#include "backfill/coordinator_cluster_internal.h"

/* A cluster changes one document at a time. So the ranges are first written into the document that
 * is divided: from then on, whoever has its lease creates those that are missing, and narrows it
 * last. */

static void note_ranges(struct json *source, const struct work_item *ranges, size_t count,
			struct arena *mem)
{
	struct json *list = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < count; i++) {
		struct json *range = json_new(mem, JSON_OBJECT);

		document_set_int(range, "firstDoc", ranges[i].first_doc, mem);
		document_set_int(range, "endDoc", ranges[i].end_doc, mem);
		document_set_int(range, "bytes", (int64_t)MIN(ranges[i].bytes, (uint64_t)INT64_MAX),
				 mem);
		json_append(list, range);
	}
	json_set(document_own(source, mem), STR("dividing"), list);
}

static struct work_item read_range(const struct work_item *whole, const struct json *range)
{
	struct work_item item = *whole;

	item.first_doc = json_i64_or(json_get(range, "firstDoc"), whole->first_doc);
	item.end_doc = json_i64_or(json_get(range, "endDoc"), WORK_TO_END);
	item.bytes = (uint64_t)json_i64_or(json_get(range, "bytes"), 0);
	return item;
}

static int create_ranges(struct cluster_coordinator *cc, const struct item_document *item,
			 struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf lines = BUF_INIT(LIMIT_STATE_DOCUMENT);
	int failed;

	json_each (range, item->dividing) {
		struct work_item part = read_range(&item->item, range);

		if (range != item->dividing->first)
			document_append_create(cc, &lines, &part, true, mem);
	}
	if ((failed = buf_check(&lines, "a bulk of work items", err)) < 0 || !lines.len)
		return failed;
	return state_bulk_create(cc, buf_str(&lines), mem, err);
}

static void narrow(struct json *source, const struct work_item *first, struct arena *mem)
{
	struct json *own = document_own(source, mem);

	document_set_int(source, "bytes", (int64_t)first->bytes, mem);
	if (first->end_doc != WORK_TO_END)
		document_set_int(own, "endDoc", first->end_doc, mem);
	document_set_bool(own, "divided", true, mem);
	json_remove(own, STR("dividing"));
}

int cluster_finish_division(struct cluster_coordinator *cc, struct held_item *held,
			    struct arena *mem, bool *lost, struct err *err)
{
	struct item_document item;
	struct work_item first;
	struct json *source;
	int failed = held_read(held, mem, &source, err);

	if (failed < 0)
		return failed;
	if (!document_read(str_from(held->id), source, mem, &item) || !item.dividing)
		BUG("a work item without a division to finish");
	if ((failed = create_ranges(cc, &item, mem, err)) < 0)
		return failed;
	first = read_range(&item.item, item.dividing->first);
	narrow(source, &first, mem);
	return held_write(cc, held, source, mem, lost, err);
}

static int divide(struct cluster_coordinator *cc, struct held_item *held,
		  const struct work_item *ranges, size_t count, bool *lost, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_STATE_ANSWERS);
	struct json *source;
	int failed = held_read(held, &mem, &source, err);

	if (failed < 0)
		return failed;
	note_ranges(source, ranges, count, &mem);
	if ((failed = held_write(cc, held, source, &mem, lost, err)) < 0 || *lost)
		return failed;
	return cluster_finish_division(cc, held, &mem, lost, err);
}

static int divide_held(struct cluster_coordinator *cc, struct work_claim *claim,
		       const struct work_item *ranges, size_t count, struct err *err)
{
	struct held_item *held = held_find(cc, claim);
	bool lost = false;
	int failed;

	if (!held)
		return coordinator_lease_lost(claim, err);
	if ((failed = divide(cc, held, ranges, count, &lost, err)) < 0)
		return failed;
	if (lost) {
		held_remove(cc, held);
		return coordinator_lease_lost(claim, err);
	}
	work_claim_narrow(claim, &ranges[0]);
	return 0;
}

int cluster_divide(struct coordinator *c, struct work_claim *claim, const struct work_item *ranges,
		   size_t count, struct err *err)
{
	struct cluster_coordinator *cc = cluster_of(c);
	int failed;

	if (cc->compat == COORDINATOR_JAVA)
		return err_set(err, ERR_UNSUPPORTED,
			       "work items that the Java tool's workers understand are whole "
			       "shards: leave out --coordinator-compat to divide them");
	coordinator_check_division(claim, ranges, count);
	pthread_mutex_lock(&cc->mutex);
	failed = divide_held(cc, claim, ranges, count, err);
	pthread_mutex_unlock(&cc->mutex);
	return failed;
}
