#include "backfill/failed_documents_retry.h"

#include "backfill/failed_documents.h"
#include "base/limits.h"

#include <stdlib.h>

/* What is written for one session: its ledger, and its stream for what fails again. */
struct home {
	struct str folder;
	struct retried_ledger *ledger;
	struct failed_documents *stream; /* NULL until something fails */
};

/* What is kept of a record while its document is in the bulk. */
struct item {
	struct retried_entry ids;
	size_t home, index;
	struct str session, work_item, target_index, id, action;
};

struct retrying {
	const struct failed_retry *retry;
	const atomic_bool *cancel;
	struct failed_retry_report *report;
	size_t index_capacity;
	struct home *homes;
	size_t home_count;
	struct bulk bulk;
	struct item *items; /* one for each of the bulk */
	struct arena mem;   /* of the items */
};

static void release(struct retrying *r)
{
	for (size_t i = 0; i < r->home_count; i++) {
		retried_ledger_close(r->homes[i].ledger);
		failed_documents_close(r->homes[i].stream, NULL);
	}
	free(r->homes);
	free(r->items);
	bulk_release(&r->bulk);
	arena_release(&r->mem);
}

void failed_retry_report_release(struct failed_retry_report *report)
{
	free(report->indices);
	arena_release(&report->mem);
	*report = (struct failed_retry_report){.mem = ARENA_INIT(MIB(64))};
}

static int index_of(struct retrying *r, struct str name, size_t *at, struct err *err)
{
	struct failed_retry_report *report = r->report;

	for (*at = 0; *at < report->count; (*at)++)
		if (str_eq(report->indices[*at].name, name))
			return 0;
	if (report->count == r->index_capacity) {
		r->index_capacity = MAX(r->index_capacity * 2, (size_t)16);
		report->indices =
			mem_realloc(report->indices, r->index_capacity * sizeof(*report->indices));
	}
	name = arena_str(&report->mem, name);
	if (!name.ptr)
		return arena_fail(&report->mem, "the report of failed documents", err);
	report->indices[report->count++] = (struct failed_retry_index){.name = name};
	return 0;
}

static int home_of(struct retrying *r, struct str folder, size_t *at, struct err *err)
{
	struct home home = {0};
	int rc;

	for (*at = 0; *at < r->home_count; (*at)++)
		if (str_eq(r->homes[*at].folder, folder))
			return 0;
	home.folder = arena_str(&r->report->mem, folder);
	if (!home.folder.ptr)
		return arena_fail(&r->report->mem, "the sessions of failed documents", err);
	rc = retried_ledger_open(folder.ptr, &home.ledger, err);
	if (rc < 0)
		return rc;
	r->homes = mem_realloc(r->homes, (r->home_count + 1) * sizeof(*r->homes));
	r->homes[r->home_count++] = home;
	return 0;
}

/* The stream that a session's documents go to when they fail again: beside where they came from. */
static int stream_of(struct home *home, struct str session, struct failed_documents **out,
		     struct err *err)
{
	cleanup(mem_freep) char *name = str_dup(session), *folder = str_dup(home->folder);
	char *last = strrchr(folder, '/');
	int rc = 0;

	if (last && str_starts(str_from(last + 1), STR("session=")))
		*last = '\0';
	if (!home->stream)
		rc = failed_documents_open(*folder ? folder : "/", *name ? name : "retry",
					   &home->stream, err);
	*out = home->stream;
	return rc;
}

static int record_again(struct retrying *r, const struct bulk_failure *failure, struct err *err)
{
	const struct bulk_item *at = &r->bulk.items[failure->item];
	const struct item *item = &r->items[failure->item];
	struct failed_retry_index *index = &r->report->indices[item->index];
	struct failed_documents *stream;
	struct failed_document record = {.work_item = item->work_item,
					 .target_index = item->target_index,
					 .id = item->id,
					 .failure_type = failure->type,
					 .reason = failure->reason,
					 .status = failure->status,
					 .action = item->action};
	int rc = stream_of(&r->homes[item->home], item->session, &stream, err);

	if (rc < 0)
		return rc;
	if (at->end > at->source_start)
		record.source =
			str_of(r->bulk.body.ptr + at->source_start, at->end - 1 - at->source_start);
	index->failed++;
	r->report->failed++;
	index->reason = arena_str(&r->report->mem, failure->reason);
	return failed_documents_add(stream, &record, err);
}

static int settle(struct retrying *r, size_t item, enum retried_outcome outcome, struct err *err)
{
	const struct item *at = &r->items[item];

	if (outcome == RETRIED_SENT) {
		r->report->indices[at->index].sent++;
		r->report->sent++;
	}
	return retried_ledger_add(r->homes[at->home].ledger, &at->ids, outcome, err);
}

/* New records first: until the ledger says otherwise the old ones count. */
static int account(struct retrying *r, const struct bulk_result *result, struct err *err)
{
	cleanup(mem_freep) bool *failed = mem_zalloc(r->bulk.count * sizeof(*failed));
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < result->failure_count; i++) {
		failed[result->failures[i].item] = true;
		rc = record_again(r, &result->failures[i], err);
	}
	for (size_t i = 0; rc == 0 && i < r->home_count; i++)
		if (r->homes[i].stream)
			rc = failed_documents_flush(r->homes[i].stream, err);
	for (size_t i = 0; rc == 0 && i < r->bulk.count; i++)
		rc = settle(r, i, failed[i] ? RETRIED_FAILED_AGAIN : RETRIED_SENT, err);
	for (size_t i = 0; rc == 0 && i < r->home_count; i++)
		rc = retried_ledger_sync(r->homes[i].ledger, err);
	return rc;
}

static int send_bulk(struct retrying *r, struct err *err)
{
	cleanup(bulk_result_release) struct bulk_result result;
	int rc = 0;

	bulk_result_init(&result);
	if (r->bulk.count > 0) {
		rc = bulk_send(r->retry->target, &r->bulk, r->retry->compress, &result, err);
		allowed_failures_apply(&r->retry->allowed, &result);
		if (rc == 0)
			rc = account(r, &result, err);
	}
	bulk_reset(&r->bulk);
	r->bulk.body.limit = r->retry->bytes_per_bulk;
	arena_reset(&r->mem);
	return rc;
}

static int keep_item(struct retrying *r, const struct failed_pending *pending, size_t home,
		     size_t index, struct err *err)
{
	const struct failed_record *record = pending->record;
	struct item *item = &r->items[r->bulk.count];

	*item = (struct item){
		.ids = pending->ids,
		.home = home,
		.index = index,
		.session = arena_str(&r->mem, record->session),
		.work_item = arena_str(&r->mem, record->work_item),
		.target_index = arena_str(&r->mem, record->target_index),
		.id = record->id.ptr ? arena_str(&r->mem, record->id) : STR_NONE,
		.action = arena_printf(&r->mem, "{\"%s\":" STR_FMT "}",
				       failed_record_operation_name(record),
				       STR_ARG(record->metadata)),
	};
	return r->mem.failed ? arena_fail(&r->mem, "the documents of a bulk", err) : 0;
}

static struct bulk_document to_send(const struct failed_record *record)
{
	return (struct bulk_document){
		.index = record->target_index,
		.id = record->id,
		.routing = record->routing,
		.type = record->type,
		.source = record->operation == BULK_DELETE ? STR_NONE : record->document,
		.version = record->version,
		.operation = record->operation,
		.external = record->external,
	};
}

static int add_to_bulk(struct retrying *r, const struct failed_pending *pending, size_t home,
		       size_t index, struct err *err)
{
	struct bulk_document document = to_send(pending->record);
	size_t size = bulk_size_of(&document);
	int rc = 0;

	if (r->bulk.count >= r->retry->documents_per_bulk ||
	    size > r->bulk.body.limit - r->bulk.body.len)
		rc = send_bulk(r, err);
	if (rc < 0)
		return rc;
	r->bulk.body.limit = MAX(r->bulk.body.limit, size);
	rc = keep_item(r, pending, home, index, err);
	return rc < 0 ? rc : bulk_add(&r->bulk, &document, err);
}

static bool can_be_sent(const struct failed_record *record)
{
	return record->document.ptr || record->operation == BULK_DELETE;
}

static void tell(void *user, bool damaged, const char *what)
{
	const struct failed_retry *retry = ((struct retrying *)user)->retry;

	if (retry->tell)
		retry->tell(retry->tell_user, damaged, what);
}

static int visit(void *user, const struct failed_pending *pending, struct err *err)
{
	struct retrying *r = user;
	size_t home = 0, index;
	int rc;

	if (atomic_load(r->cancel))
		return err_set(err, ERR_CANCELLED,
			       "interrupted; run the same command again to send the others");
	if (r->retry->target && (rc = home_of(r, pending->home, &home, err)) < 0)
		return rc;
	if (pending->repeated)
		return r->retry->target ? retried_ledger_add(r->homes[home].ledger, &pending->ids,
							     RETRIED_REPEATED, err)
					: 0;
	rc = index_of(r, pending->record->target_index, &index, err);
	if (rc < 0)
		return rc;
	r->report->indices[index].pending++;
	r->report->pending++;
	if (!can_be_sent(pending->record)) {
		r->report->indices[index].unsendable++;
		r->report->unsendable++;
		return 0;
	}
	return r->retry->target ? add_to_bulk(r, pending, home, index, err) : 0;
}

int failed_documents_retry(const struct failed_retry *retry, const atomic_bool *cancel,
			   struct failed_retry_report *report, struct err *err)
{
	cleanup(release) struct retrying r = {
		.retry = retry, .cancel = cancel, .report = report, .mem = ARENA_INIT(MIB(256))};
	const struct failed_visitor visitor = {.visit = visit, .tell = tell, .user = &r};
	int rc;

	*report = (struct failed_retry_report){.mem = ARENA_INIT(MIB(64))};
	bulk_init(&r.bulk, retry->bytes_per_bulk);
	r.items = mem_zalloc(retry->documents_per_bulk * sizeof(*r.items));
	rc = failed_documents_visit(&retry->filter, &visitor, err);
	if (rc == 0 && retry->target)
		rc = send_bulk(&r, err);
	return rc;
}
