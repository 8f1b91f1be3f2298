#include "replay/updates.h"

#include "replay/bulk.h"
#include "replay/document_target.h"

#include <inttypes.h>
#include <stdlib.h>

/* Tombstones are asked for at first, at last, and each so many questions between: each question is
 * a write. */
enum { DELETED_EVERY = 8 };

int updates_add(struct job *job, const struct pending_update *update, struct err *err)
{
	struct pending_update *added;

	if (!job->updates)
		job->updates = arena_zalloc(job->mem, job->bulk ? job->bulk->count : 1,
					    sizeof(*job->updates));
	if (!job->updates)
		return arena_fail(job->mem, "updates", err);
	added = &job->updates[job->update_count++];
	*added = *update;
	if (added->item)
		added->item->update = added;
	return 0;
}

static bool is_open(const struct pending_update *u)
{
	return u->open && !(u->item && u->item->done);
}

/* The index may have two names in requests, and has one in answers. */
static bool are_of_one_document(const struct pending_update *a, const struct pending_update *b)
{
	return str_eq(a->id, b->id) &&
	       (a->home.len == 0 || b->home.len == 0 || str_eq(a->home, b->home));
}

bool updates_are_before(const struct job *other, const struct pending_update *update)
{
	for (size_t i = 0; i < other->update_count; i++)
		if (is_open(&other->updates[i]) && other->updates[i].captured < update->captured &&
		    are_of_one_document(&other->updates[i], update))
			return true;
	return false;
}

bool updates_are_behind(const struct job *other, const struct pending_update *update)
{
	for (size_t i = 0; i < other->update_count; i++)
		if (is_open(&other->updates[i]) && other->updates[i].captured > update->captured &&
		    are_of_one_document(&other->updates[i], update))
			return true;
	return false;
}

bool updates_want_probe(const struct job *job)
{
	for (size_t i = 0; !job->probed && i < job->update_count; i++)
		if (is_open(&job->updates[i]))
			return true;
	return false;
}

/* --- The questions --- */

static struct json *name_document(const struct pending_update *u, struct arena *mem)
{
	struct json *doc = json_new(mem, JSON_OBJECT);

	if (u->index.len)
		json_set(doc, STR("_index"), json_new_string(mem, u->index));
	json_set(doc, STR("_id"), json_new_string(mem, u->id));
	if (u->routing.len)
		json_set(doc, STR("routing"), json_new_string(mem, u->routing));
	return doc;
}

static void ask_for_versions(struct job *job, struct arena *mem, struct buf *body)
{
	struct json *root = json_new(mem, JSON_OBJECT), *docs = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < job->update_count; i++) {
		struct json *doc;

		if (!is_open(&job->updates[i]))
			continue;
		doc = name_document(&job->updates[i], mem);
		json_set(doc, STR("_source"), json_new_bool(mem, false));
		json_append(docs, doc);
	}
	json_set(root, STR("docs"), docs);
	json_write(body, root);
}

/* What a script made where no document was: it was deleted by then, with the version before. That
 * delete may be one that nothing brings any more, so it is done here. */
static int64_t version_asked(const struct pending_update *u)
{
	return u->made ? u->captured - 1 : 0;
}

static void ask_for_tombstones(struct job *job, struct arena *mem, struct buf *body)
{
	for (size_t i = 0; i < job->update_count; i++) {
		const struct pending_update *u = &job->updates[i];
		struct json *meta;

		if (!is_open(u) || !u->absent)
			continue;
		meta = name_document(u, mem);
		if (u->type.len)
			json_set(meta, STR("_type"), json_new_string(mem, u->type));
		json_set(meta, STR("version"), json_new_i64(mem, version_asked(u)));
		json_set(meta, STR("version_type"), json_new_string(mem, STR("external_gte")));
		buf_append_str(body, STR("{\"delete\":"));
		json_write(body, meta);
		buf_append_str(body, STR("}\n"));
	}
}

int updates_write_probe(struct job *job, struct buf *out, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(OUTGOING_BODY_MAX);
	cleanup(arena_release) struct arena scratch = ARENA_INIT(ANSWER_TREE_MAX);
	struct outgoing probe = job->out;
	struct http_field fields[3];

	if (job->asks_deleted) {
		ask_for_tombstones(job, &scratch, &body);
	} else {
		ask_for_versions(job, &scratch, &body);
		job->probes++;
	}
	if (buf_check(&body, "a question for versions", err) < 0)
		return -(int)err->kind;
	fields[0] = (struct http_field){STR("Host"), STR("")};
	fields[1] = (struct http_field){STR("Content-Type"), job->asks_deleted
								     ? STR("application/x-ndjson")
								     : STR("application/json")};
	fields[2] = (struct http_field){STR("Authorization"),
					http_message_field(&job->out.captured, "authorization")};
	probe.method = STR("POST");
	probe.target = job->asks_deleted ? STR("/_bulk") : STR("/_mget");
	probe.fields = fields;
	probe.field_count = fields[2].value.len ? 3 : 2;
	probe.body = buf_str(&body);
	probe.body_changed = true;
	job->probing = true;
	return outgoing_write(&probe, &job->rules->outgoing, job->mem, out, err);
}

/* --- What becomes of an update --- */

static void is_in(struct job *job, struct pending_update *u, int64_t version)
{
	job->counts->skipped_newer++;
	u->open = false;
	if (!u->item) {
		job->is_in = true;
		return;
	}
	u->item->done = true;
	u->item->failed = false;
	u->item->result = arena_printf(job->mem,
				       "{\"update\":{\"_id\":\"\",\"_version\":%" PRId64
				       ",\"result\":\"noop\",\"status\":200}}",
				       version);
}

/* An update that was not the first must not bring back what was deleted since. */
static struct str without_upsert(struct job *job, struct str body)
{
	cleanup(buf_release) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);
	struct json *update;
	struct err err;

	if (json_parse(body, job->mem, &update, &err) < 0 || update->type != JSON_OBJECT)
		return body;
	json_remove(update, STR("upsert"));
	json_remove(update, STR("doc_as_upsert"));
	json_remove(update, STR("scripted_upsert"));
	json_write(&text, update);
	return arena_str(job->mem, buf_str(&text));
}

static void drop_upsert(struct job *job, struct pending_update *u)
{
	struct str body;
	struct err err;

	if (u->made)
		return;
	if (u->item) {
		u->item->source = without_upsert(job, u->item->source);
	} else if (outgoing_decoded_body(&job->out, job->mem, &body, &err) == 0) {
		job->out.body = without_upsert(job, body);
		job->out.body_changed = true;
	}
}

/* `doc`: as it was seen; NULL: it is not there. */
static void send_it(struct job *job, struct pending_update *u, const struct json *doc)
{
	static const char *const names[] = {"if_seq_no", "if_primary_term"};
	static const char *const seen[] = {"_seq_no", "_primary_term"};

	u->open = false;
	u->bound = json_get(doc, "_seq_no") != NULL;
	drop_upsert(job, u);
	if (job->bulk)
		job->bulk->is_written = false;
	if (!u->item) {
		job->seen = u->bound ? doc : NULL;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		json_remove(u->item->meta, str_from(names[i]));
		if (u->bound)
			json_set(u->item->meta, str_from(names[i]),
				 json_new_i64(job->mem, json_i64_or(json_get(doc, seen[i]), 0)));
	}
}

/* An item before it in its bulk, of the same document, is not done: it was refused, or waits. */
static bool follows_in_bulk(const struct job *job, const struct pending_update *u)
{
	const struct bulk_item *item = u->item ? job->bulk->items : NULL;

	for (; item && item < u->item; item++)
		if (!item->done &&
		    str_eq(json_text_or(json_get(item->meta, "_id"), STR("")), u->id) &&
		    str_eq(json_text_or(json_get(item->meta, "_index"), job->operation.index),
			   u->index))
			return true;
	return false;
}

/* False: it waits on, or was in. */
static bool is_given_up(struct job *job, struct pending_update *u)
{
	if (job->may_wait && !u->in_vain)
		return false;
	if (job->is_overwritten) {
		is_in(job, u, u->captured);
		return false;
	}
	if (u->follows || follows_in_bulk(job, u))
		return false;
	job->counts->updates_out_of_order += !u->given_up;
	u->given_up = true;
	return true;
}

static void comes_early(struct job *job, struct pending_update *u, const struct json *doc)
{
	if (is_given_up(job, u))
		send_it(job, u, doc);
}

/* It is not sent: what makes the document anew may be on its way, and is no document of its own. */
static void is_lost(struct job *job, struct pending_update *u)
{
	job->counts->updates_lost++;
	u->open = false;
	if (!u->item) {
		job->is_lost = true;
		return;
	}
	u->item->done = u->item->failed = true;
	u->item->result = STR("{\"update\":{\"_id\":\"\",\"status\":404,\"error\":{\"type\":"
			      "\"document_missing_exception\",\"reason\":\"nothing to update is "
			      "there\"}}}");
}

static bool is_found(const struct json *doc)
{
	return json_bool_or(json_get(doc, "found"), false);
}

/* The shard is away or busy, so nothing is known of the document: to go on as if it were not there
 * would update it twice. */
static bool is_away(const struct json *doc)
{
	static const char *const types[] = {"unavailable", "not_available", "no_shard_available",
					    "rejected",    "circuit",       "not_connected",
					    "disconnected"};
	struct str type = json_string(json_path(doc, "error", "type", NULL));

	for (size_t i = 0; i < COUNT_OF(types) && type.ptr; i++)
		if (memmem(type.ptr, type.len, types[i], strlen(types[i])))
			return true;
	return false;
}

static void judge(struct job *job, struct pending_update *u, const struct json *doc)
{
	int64_t version = json_i64_or(json_get(doc, "_version"), 0);

	u->absent = false;
	if (!is_found(doc) && is_away(doc))
		job->refused = true;
	else if (!is_found(doc) && json_get(doc, "error") && u->captured == 1)
		send_it(job, u, NULL); /* its index is not there */
	else if (!is_found(doc) && json_get(doc, "error"))
		comes_early(job, u, NULL);
	else if (version >= u->captured)
		is_in(job, u, version);
	else if (!is_found(doc) || u->made)
		u->absent = true;
	else if (version == u->captured - 1)
		send_it(job, u, doc);
	else
		comes_early(job, u, doc);
}

/* "[1]: version conflict, current version [5] is higher than the one provided [0]": 5. */
static int64_t conflicting_version(const struct json *result)
{
	struct str reason = json_string(json_path(result, "error", "reason", NULL));
	const char *at;

	if (json_i64_or(json_get(result, "status"), 0) != 409 || !reason.ptr)
		return -1;
	at = memmem(reason.ptr, reason.len, "current version [", 17);
	return at ? strtoll(at + 17, NULL, 10) : -1;
}

static bool is_done(const struct json *result)
{
	return result && !json_get(result, "error");
}

static void judge_absent(struct job *job, struct pending_update *u, const struct json *result)
{
	int64_t deleted = conflicting_version(result);

	u->absent = false;
	if (is_away(result))
		job->refused = true;
	else if (deleted >= u->captured)
		is_in(job, u, deleted);
	else if (u->made && is_done(result))
		/* NOLINTNEXTLINE(bugprone-branch-clone): others come between */
		send_it(job, u, NULL);
	else if (!is_given_up(job, u))
		return;
	/* A document may have been made between the two questions: asked once more, it is found. */
	else if (is_done(result) || (deleted >= 0 && deleted == u->deleted))
		is_lost(job, u);
	else if (deleted >= 0)
		u->deleted = deleted;
	else
		send_it(job, u, NULL);
}

/* --- The answers --- */

static bool asks_for_tombstones(const struct job *job)
{
	for (size_t i = 0; i < job->update_count; i++)
		if (is_open(&job->updates[i]) && (job->updates[i].in_vain || job->updates[i].made))
			return true;
	return job->probes == 1 || !job->may_wait || job->probes % DELETED_EVERY == 0;
}

static enum job_verdict send_single(struct job *job)
{
	cleanup(buf_release) struct buf target = BUF_INIT(MIB(1));
	const struct operation *op = &job->operation;
	struct err err;

	document_target_append(job, &target, "_update", STR(""));
	if (op->raw_type.len)
		buf_append_str(&target, STR("/_update"));
	document_target_query(&target, op->query, job->mem);
	if (job->seen) {
		document_target_add(&target, "if_seq_no", NULL,
				    json_i64_or(json_get(job->seen, "_seq_no"), 0));
		document_target_add(&target, "if_primary_term", NULL,
				    json_i64_or(json_get(job->seen, "_primary_term"), 0));
	}
	return document_target_set(job, &target, &err) < 0 ? JOB_FINAL : JOB_NEXT;
}

/* Items that can go do, while others wait. */
static enum job_verdict verdict_of(struct job *job)
{
	size_t left = 0, ready = 0;

	if (!job->bulk)
		return job->is_in || job->is_lost ? JOB_FINAL
		       : job->updates[0].open     ? JOB_AGAIN
						  : send_single(job);
	for (size_t i = 0; i < job->bulk->count; i++) {
		left += !job->bulk->items[i].done;
		ready += bulk_item_is_ready(&job->bulk->items[i]);
	}
	return left == 0 ? JOB_FINAL : ready == 0 ? JOB_AGAIN : JOB_NEXT;
}

/* True: some are not there. */
static bool take_versions(struct job *job, const struct json *docs)
{
	const struct json *doc = docs->first;
	bool absent = false;

	for (size_t i = 0; i < job->update_count && doc; i++) {
		struct pending_update *u = &job->updates[i];

		if (!is_open(u))
			continue;
		judge(job, u, doc);
		absent |= u->absent;
		doc = doc->next;
	}
	return absent;
}

static void take_tombstones(struct job *job, const struct json *items)
{
	struct json *item = items ? items->first : NULL;

	for (size_t i = 0; i < job->update_count; i++) {
		struct pending_update *u = &job->updates[i];

		if (!is_open(u) || !u->absent)
			continue;
		judge_absent(job, u, bulk_result(item));
		item = item ? item->next : NULL;
	}
}

enum job_verdict updates_take_probe(struct job *job, int status, struct str answer)
{
	cleanup(arena_release) struct arena scratch = ARENA_INIT(ANSWER_TREE_MAX);
	const struct json *tree = status == 200 ? answer_json(answer, &scratch) : NULL;
	const struct json *docs = json_get(tree, "docs");
	enum job_verdict verdict;

	job->probing = false;
	if (job->asks_deleted) {
		job->asks_deleted = false;
		take_tombstones(job, json_get(tree, "items"));
	} else if (docs && docs->count > 0) {
		if (take_versions(job, docs)) {
			job->asks_deleted = asks_for_tombstones(job);
			if (job->asks_deleted)
				return JOB_NEXT;
		}
	} else {
		for (size_t i = 0; i < job->update_count; i++)
			if (is_open(&job->updates[i]))
				comes_early(job, &job->updates[i], NULL);
	}
	verdict = verdict_of(job);
	job->seen = NULL;
	job->probed = verdict == JOB_NEXT;
	return verdict;
}

void updates_ask_again(struct job *job)
{
	for (size_t i = 0; i < job->update_count; i++) {
		struct pending_update *u = &job->updates[i];

		u->open |= !u->bound && !(u->item && u->item->done);
	}
}

bool updates_take_answer(struct job *job, struct pending_update *u, int status, bool *lost)
{
	*lost = status == 404 && u->given_up;
	if (*lost)
		job->counts->updates_lost++;
	/* Also of one that is bound to nothing: what another replayer had under way when it was
	 * killed may have made the document meanwhile. */
	if (*lost || (status != 404 && status != 409) || ++u->conflicts > UPDATES_CONFLICTS)
		return false;
	u->open = true;
	return true;
}
