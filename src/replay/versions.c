#include "replay/versions.h"

#include "replay/bulk.h"
#include "replay/deletes.h"
#include "replay/document_target.h"
#include "replay/updates.h"

#include "base/json_hash.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

/* The same each time this request is replayed. */
static struct str derived_id(struct job *job, size_t item)
{
	char text[700];
	size_t len =
		(size_t)snprintf(text, sizeof(text), STR_FMT "/%zu", STR_ARG(job->identity), item);
	struct hash128 hash = bytes_hash(str_of(text, MIN(len, sizeof(text) - 1)));

	job->counts->ids_derived++;
	return arena_printf(job->mem, "sl-%016" PRIx64 "%04" PRIx64, hash.low, hash.high & 0xffff);
}

static struct json *source_json(struct job *job)
{
	struct json *tree;
	struct err err;

	if (!job->has_source || json_parse(job->source.body, job->mem, &tree, &err) < 0)
		return NULL;
	return tree;
}

static bool in_data_stream(const struct json *result)
{
	return str_starts(json_string(json_get(result, "_index")), STR(".ds-"));
}

/* The document that an update made where there was none; ptr NULL: it did not, or a script did. */
static struct str created_document(struct job *job, const struct json *result, struct str body)
{
	cleanup(buf_release) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);
	struct json *update;
	struct err err;

	if (!str_is(json_string(json_get(result, "result")), "created") ||
	    json_parse(body, job->mem, &update, &err) < 0 ||
	    json_bool_or(json_get(update, "scripted_upsert"), false))
		return STR_NONE;
	if (json_bool_or(json_get(update, "doc_as_upsert"), false))
		json_write(&text, json_get(update, "doc"));
	else if (json_get(update, "upsert"))
		json_write(&text, json_get(update, "upsert"));
	return text.len > 0 ? arena_str(job->mem, buf_str(&text)) : STR_NONE;
}

static void watch_deletes(struct job *job, const struct json *result, bool removal)
{
	struct deletes *deletes = job->rules->deletes;

	if (!deletes || !result)
		return;
	if (removal) {
		deletes_note(deletes, result);
		return;
	}
	if (!deletes_were_forgotten(deletes, result) || job->counts->deletes_forgotten++ > 0)
		return;
	log_warn(
		"replay",
		"document '" STR_FMT "' of index '" STR_FMT "' came back below the version of its "
		"delete, which the source had forgotten: the target refuses it and is behind until "
		"its versions are above; raise index.gc_deletes on the source, and send such "
		"documents again with a delta or a backfill without versions (more are only "
		"counted)",
		STR_ARG(json_text_or(json_get(result, "_id"), STR(""))),
		STR_ARG(json_text_or(json_get(result, "_index"), STR(""))));
}

/* --- One document --- */

static int plan_index(struct job *job, const struct json *result, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(MIB(1));
	int64_t version = json_i64_or(json_get(result, "_version"), -1);
	struct str id = job->operation.id;
	bool create;

	watch_deletes(job, result, false);
	if (id.len == 0 && (id = json_string(json_get(result, "_id"))).len > 0)
		job->counts->ids_taken++;
	if (id.len == 0)
		id = derived_id(job, 0);
	/* What the source said of it is not known: nothing may be overwritten. */
	create = in_data_stream(result) ||
		 (version <= 0 && (job->operation.create || job->operation.id.len == 0));
	document_target_append(job, &target, create ? "_create" : "_doc", id);
	if (create && job->operation.raw_type.len)
		buf_append_str(&target, STR("/_create"));
	document_target_query(&target, job->operation.query, job->mem);
	if (version > 0 && !in_data_stream(result)) {
		document_target_add(&target, "version", NULL, version);
		document_target_add(&target, "version_type", "external_gte", 0);
	}
	job->out.method = STR("PUT");
	return document_target_set(job, &target, err);
}

static int plan_delete(struct job *job, const struct json *result, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(MIB(1));
	int64_t version = json_i64_or(json_get(result, "_version"), -1);

	watch_deletes(job, result, true);
	if (version <= 0)
		return 1;
	document_target_append(job, &target, "_doc", job->operation.id);
	document_target_query(&target, job->operation.query, job->mem);
	document_target_add(&target, "version", NULL, version);
	document_target_add(&target, "version_type", "external_gte", 0);
	return document_target_set(job, &target, err);
}

static bool changed_nothing(const struct json *result)
{
	return str_is(json_string(json_get(result, "result")), "noop");
}

static bool made_document(const struct json *result)
{
	return str_is(json_string(json_get(result, "result")), "created");
}

static struct str home_of(const struct json *result)
{
	return json_text_or(json_get(result, "_index"), STR(""));
}

static int plan_update(struct job *job, const struct json *result, const char **why,
		       struct err *err)
{
	const struct operation *op = &job->operation;
	struct pending_update update = {.index = op->index,
					.type = op->raw_type,
					.id = op->id,
					.home = home_of(result),
					.captured = json_i64_or(json_get(result, "_version"), 0),
					.made = made_document(result),
					.open = true};
	struct str body, created = STR_NONE;

	if (changed_nothing(result)) {
		job->counts->skipped_unchanged++;
		*why = "it changed nothing at the source";
		return 0;
	}
	if (outgoing_decoded_body(&job->out, job->mem, &body, err) == 0)
		created = created_document(job, result, body);
	if (created.ptr) {
		job->out.body = created;
		job->out.body_changed = true;
		job->operation.kind = OPERATION_INDEX;
		return plan_index(job, result, err);
	}
	if (update.captured <= 0)
		return 1;
	if (!request_query_get(op->query, STR("routing"), &update.routing))
		update.routing = STR("");
	return updates_add(job, &update, err) < 0 ? -(int)err->kind : 1;
}

/* --- Bulk --- */

/* What we set ourselves, or what may not stand beside it: a bulk with one such item is refused as a
 * whole. */
static void drop_members(struct json *meta)
{
	static const char *const gone[] = {
		"version",   "_version",        "version_type",      "_version_type",     "op_type",
		"if_seq_no", "if_primary_term", "retry_on_conflict", "_retry_on_conflict"};

	for (size_t i = 0; i < COUNT_OF(gone); i++)
		json_remove(meta, str_from(gone[i]));
}

/* Elasticsearch up to 6 took it with a '_'; for what came later the whole bulk would be wrong. */
static void rename_routing(struct json *meta)
{
	struct json *routing = json_remove(meta, STR("_routing"));

	if (routing && !json_get(meta, "routing"))
		json_set(meta, STR("routing"), routing);
}

static void keep_source_result(struct job *job, struct bulk_item *item, struct json *outer,
			       bool failed)
{
	cleanup(buf_release) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);

	json_write(&text, outer);
	item->result = arena_str(job->mem, buf_str(&text));
	item->done = true;
	item->failed = failed;
	job->counts->skipped_refused += failed;
	job->counts->skipped_unchanged += !failed;
}

static struct str item_text(const struct bulk_item *item, const char *key, struct str fallback)
{
	return json_text_or(json_get(item->meta, key), fallback);
}

static int plan_item_update(struct job *job, struct bulk_item *item, const struct json *result,
			    struct err *err)
{
	struct pending_update update = {.item = item,
					.index = item_text(item, "_index", job->operation.index),
					.type = item_text(item, "_type", job->operation.raw_type),
					.id = item_text(item, "_id", STR("")),
					.routing = item_text(item, "routing", STR("")),
					.home = home_of(result),
					.captured = json_i64_or(json_get(result, "_version"), 0),
					.made = made_document(result),
					.open = true};

	if (update.captured <= 0)
		return 0;
	drop_members(item->meta);
	return updates_add(job, &update, err);
}

/* A document or a delete, with the version that the source gave it. */
static void plan_item_document(struct job *job, struct bulk_item *item, size_t number,
			       const struct json *result, bool removal)
{
	int64_t version = json_i64_or(json_get(result, "_version"), -1);
	struct str id = item_text(item, "_id", STR(""));

	watch_deletes(job, result, removal);
	if (id.len == 0 && !removal) {
		id = json_string(json_get(result, "_id"));
		job->counts->ids_taken += id.len > 0;
		if (id.len == 0)
			id = derived_id(job, number);
		json_set(item->meta, STR("_id"), json_new_string(job->mem, id));
	}
	drop_members(item->meta);
	item->versioned = true;
	if (in_data_stream(result) || version <= 0)
		return;
	if (!removal)
		item->verb = STR("index");
	json_set(item->meta, STR("version"), json_new_i64(job->mem, version));
	json_set(item->meta, STR("version_type"), json_new_string(job->mem, STR("external_gte")));
}

static int plan_item(struct job *job, struct bulk_item *item, size_t number, struct json *outer,
		     struct err *err)
{
	const struct json *result = bulk_result(outer);
	bool update = str_is(item->verb, "update");
	struct str created;

	rename_routing(item->meta);
	if (result && json_get(result, "error")) {
		keep_source_result(job, item, outer, true);
		return 0;
	}
	if (update && changed_nothing(result)) {
		keep_source_result(job, item, outer, false);
		return 0;
	}
	if (update && (created = created_document(job, result, item->source)).ptr) {
		item->source = created;
		update = false;
	}
	if (update)
		return plan_item_update(job, item, result, err);
	plan_item_document(job, item, number, result, str_is(item->verb, "delete"));
	return 0;
}

static int plan_bulk(struct job *job, const struct json *source, const char **why, struct err *err)
{
	struct json *items = json_get(source, "items"), *outer;
	struct bulk *bulk = job->bulk;
	size_t left = 0;

	if (!bulk)
		return 1;
	if (items && items->count != bulk->count)
		items = NULL;
	outer = items ? items->first : NULL;
	for (size_t i = 0; i < bulk->count; i++) {
		if (plan_item(job, &bulk->items[i], i, outer, err) < 0)
			return -(int)err->kind;
		left += !bulk->items[i].done;
		outer = outer ? outer->next : NULL;
	}
	bulk->changed = true;
	if (left > 0)
		return 1;
	*why = "the source refused all of its items, or they changed nothing";
	return 0;
}

int versions_plan(struct job *job, const char **why, struct err *err)
{
	enum operation_kind kind = job->operation.kind;
	const struct json *result;
	bool removed;

	if (kind != OPERATION_INDEX && kind != OPERATION_DELETE && kind != OPERATION_UPDATE &&
	    kind != OPERATION_BULK)
		return 1;
	result = source_json(job);
	removed = kind == OPERATION_DELETE && json_get(result, "_version");
	if (job->has_source && job->source.status >= 300 && !removed) {
		job->counts->skipped_refused++;
		*why = "the source refused it";
		return 0;
	}
	if (kind == OPERATION_INDEX)
		return plan_index(job, result, err);
	if (kind == OPERATION_DELETE)
		return plan_delete(job, result, err);
	if (kind == OPERATION_BULK)
		return plan_bulk(job, result, why, err);
	return plan_update(job, result, why, err);
}

bool versions_take_answer(struct job *job, int status, enum job_verdict *verdict)
{
	enum operation_kind kind = job->operation.kind;
	bool lost;

	if (!job->rules->source_versions)
		return false;
	if (kind == OPERATION_UPDATE && job->update_count > 0) {
		bool again = updates_take_answer(job, &job->updates[0], status, &lost);

		*verdict = again ? JOB_AGAIN : JOB_FINAL;
		return again || lost;
	}
	if ((kind == OPERATION_INDEX && status == 409) ||
	    (kind == OPERATION_DELETE && (status == 409 || status == 404))) {
		job->counts->conflicts_newer += status == 409;
		*verdict = JOB_FINAL;
		return true;
	}
	return false;
}
