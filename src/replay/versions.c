#include "replay/versions.h"

#include "replay/bulk.h"

#include "base/json_hash.h"

#include <inttypes.h>
#include <stdio.h>

static void percent_encode(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z') || (c && strchr("-._~", c));

		if (plain)
			buf_append_byte(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

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

/* --- One document --- */

/* The query without what the source's answer replaces. */
static void append_query(struct buf *out, struct str query, struct arena *mem)
{
	static const char *const gone[] = {"op_type",   "version",         "version_type",
					   "if_seq_no", "if_primary_term", "retry_on_conflict"};

	for (size_t i = 0; i < COUNT_OF(gone); i++) {
		cleanup(buf_release) struct buf less = BUF_INIT(query.len + 2);

		request_query_append_without(&less, query, str_from(gone[i]));
		query = arena_str(mem, buf_str(&less));
	}
	buf_append_str(out, query);
}

static void add_parameter(struct buf *target, const char *name, const char *text, int64_t number)
{
	bool first = !memchr(target->ptr, '?', target->len);

	if (text)
		buf_printf(target, "%c%s=%s", first ? '?' : '&', name, text);
	else
		buf_printf(target, "%c%s=%" PRId64, first ? '?' : '&', name, number);
}

static int set_target(struct job *job, struct buf *target, struct err *err)
{
	if (buf_check(target, "a request's target", err) < 0)
		return -(int)err->kind;
	job->out.target = arena_str(job->mem, buf_str(target));
	return job->out.target.ptr ? 1 : arena_fail(job->mem, "a request's target", err);
}

static void append_document(struct job *job, struct buf *target, const char *endpoint,
			    struct str id)
{
	const struct operation *op = &job->operation;

	buf_append_byte(target, '/');
	buf_append_str(target, op->raw_index);
	buf_append_byte(target, '/');
	buf_append_str(target, op->raw_type.len ? op->raw_type : str_from(endpoint));
	buf_append_byte(target, '/');
	if (op->raw_id.len)
		buf_append_str(target, op->raw_id);
	else
		percent_encode(target, id);
}

static int plan_index(struct job *job, const struct json *result, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(MIB(1));
	int64_t version = json_i64_or(json_get(result, "_version"), -1);
	struct str id = job->operation.id;
	bool create;

	if (id.len == 0 && (id = json_string(json_get(result, "_id"))).len > 0)
		job->counts->ids_taken++;
	if (id.len == 0)
		id = derived_id(job, 0);
	/* What the source said of it is not known: nothing may be overwritten. */
	create = in_data_stream(result) ||
		 (version <= 0 && (job->operation.create || job->operation.id.len == 0));
	append_document(job, &target, create ? "_create" : "_doc", id);
	if (create && job->operation.raw_type.len)
		buf_append_str(&target, STR("/_create"));
	append_query(&target, job->operation.query, job->mem);
	if (version > 0 && !in_data_stream(result)) {
		add_parameter(&target, "version", NULL, version);
		add_parameter(&target, "version_type", "external_gte", 0);
		job->source_version = version;
	}
	job->out.method = STR("PUT");
	return set_target(job, &target, err);
}

static int plan_delete(struct job *job, const struct json *result, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(MIB(1));
	int64_t version = json_i64_or(json_get(result, "_version"), -1);

	if (version <= 0)
		return 1;
	append_document(job, &target, "_doc", job->operation.id);
	append_query(&target, job->operation.query, job->mem);
	add_parameter(&target, "version", NULL, version);
	add_parameter(&target, "version_type", "external_gte", 0);
	job->source_version = version;
	return set_target(job, &target, err);
}

static int plan_update(struct job *job, const struct json *result, struct err *err)
{
	struct str body, created = STR_NONE;

	job->source_version = json_i64_or(json_get(result, "_version"), 0);
	if (outgoing_decoded_body(&job->out, job->mem, &body, err) == 0)
		created = created_document(job, result, body);
	if (!created.ptr)
		return 1;
	job->out.body = created;
	job->out.body_changed = true;
	job->operation.kind = OPERATION_INDEX;
	return plan_index(job, result, err);
}

/* --- Bulk --- */

static void drop_members(struct json *meta)
{
	static const char *const gone[] = {"version",        "_version", "version_type",
					   "_version_type",  "op_type",  "if_seq_no",
					   "if_primary_term"};

	for (size_t i = 0; i < COUNT_OF(gone); i++)
		json_remove(meta, str_from(gone[i]));
}

static void keep_source_result(struct job *job, struct bulk_item *item, struct json *outer)
{
	cleanup(buf_release) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);

	json_write(&text, outer);
	item->result = arena_str(job->mem, buf_str(&text));
	item->done = item->failed = true;
	job->counts->skipped_refused++;
}

static void plan_item(struct job *job, struct bulk_item *item, size_t number, struct json *outer)
{
	const struct json *result = bulk_result(outer);
	int64_t version = json_i64_or(json_get(result, "_version"), -1);
	struct str id = json_text_or(json_get(item->meta, "_id"), STR(""));
	struct str created;
	bool update = str_is(item->verb, "update"), removal = str_is(item->verb, "delete");

	if (result && json_get(result, "error")) {
		keep_source_result(job, item, outer);
		return;
	}
	if (update && (created = created_document(job, result, item->source)).ptr) {
		item->source = created;
		update = false;
	}
	if (update) {
		item->captured_version = version;
		item->ungoverned = version > 0;
		return;
	}
	if (id.len == 0 && !removal) {
		id = json_string(json_get(result, "_id"));
		job->counts->ids_taken += id.len > 0;
		if (id.len == 0)
			id = derived_id(job, number);
		json_set(item->meta, STR("_id"), json_new_string(job->mem, id));
	}
	drop_members(item->meta);
	item->versioned = true;
	if (in_data_stream(result))
		return;
	if (version <= 0)
		return;
	if (!removal)
		item->verb = STR("index");
	json_remove(item->meta, STR("retry_on_conflict"));
	json_set(item->meta, STR("version"), json_new_i64(job->mem, version));
	json_set(item->meta, STR("version_type"), json_new_string(job->mem, STR("external_gte")));
}

static int plan_bulk(struct job *job, const struct json *source, const char **why)
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
		plan_item(job, &bulk->items[i], i, outer);
		left += !bulk->items[i].done;
		outer = outer ? outer->next : NULL;
	}
	bulk->changed = true;
	if (left > 0)
		return 1;
	*why = "the source refused all of its items";
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
		return plan_bulk(job, result, why);
	return plan_update(job, result, err);
}

/* --- Updates: is it in already? --- */

bool versions_wants_probe(const struct job *job)
{
	if (!job->rules->source_versions || job->probes >= VERSIONS_PROBES || job->probed)
		return false;
	if (job->operation.kind == OPERATION_UPDATE)
		return job->source_version > 0;
	for (size_t i = 0; job->bulk && i < job->bulk->count; i++)
		if (job->bulk->items[i].ungoverned && !job->bulk->items[i].done)
			return true;
	return false;
}

static void add_doc(struct job *job, struct json *docs, struct str index, struct str id,
		    struct str routing)
{
	struct json *doc = json_new(job->mem, JSON_OBJECT);

	if (index.len)
		json_set(doc, STR("_index"), json_new_string(job->mem, index));
	json_set(doc, STR("_id"), json_new_string(job->mem, id));
	if (routing.len)
		json_set(doc, STR("routing"), json_new_string(job->mem, routing));
	json_set(doc, STR("_source"), json_new_bool(job->mem, false));
	json_append(docs, doc);
}

static struct str item_text(const struct bulk_item *item, const char *key, struct str fallback)
{
	return json_text_or(json_get(item->meta, key), fallback);
}

int versions_write_probe(struct job *job, struct buf *out, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(OUTGOING_BODY_MAX);
	struct json *root = json_new(job->mem, JSON_OBJECT), *docs = json_new(job->mem, JSON_ARRAY);
	struct outgoing probe = job->out;
	struct http_field fields[3];
	struct str routing = STR("");

	if (job->operation.kind == OPERATION_UPDATE) {
		request_query_get(job->operation.query, STR("routing"), &routing);
		add_doc(job, docs, job->operation.index, job->operation.id, routing);
	}
	for (size_t i = 0; job->bulk && i < job->bulk->count; i++) {
		const struct bulk_item *item = &job->bulk->items[i];

		if (!item->ungoverned || item->done)
			continue;
		add_doc(job, docs, item_text(item, "_index", job->operation.index),
			item_text(item, "_id", STR("")),
			item_text(item, "routing", item_text(item, "_routing", STR(""))));
	}
	json_set(root, STR("docs"), docs);
	json_write(&body, root);
	if (buf_check(&body, "a question for versions", err) < 0)
		return -(int)err->kind;
	fields[0] = (struct http_field){STR("Host"), STR("")};
	fields[1] = (struct http_field){STR("Content-Type"), STR("application/json")};
	fields[2] = (struct http_field){STR("Authorization"),
					http_message_field(&job->out.captured, "authorization")};
	probe.method = STR("POST");
	probe.target = STR("/_mget");
	probe.fields = fields;
	probe.field_count = fields[2].value.len ? 3 : 2;
	probe.body = buf_str(&body);
	probe.body_changed = true;
	job->probing = true;
	job->probes++;
	return outgoing_write(&probe, &job->rules->outgoing, job->mem, out, err);
}

enum probe_result { PROBE_THERE, PROBE_SEND, PROBE_EARLY };

static enum probe_result judge(const struct json *doc, int64_t captured)
{
	int64_t version = json_i64_or(json_get(doc, "_version"), 0);

	if (!json_bool_or(json_get(doc, "found"), false))
		return captured > 1 ? PROBE_EARLY : PROBE_SEND;
	if (version >= captured)
		return PROBE_THERE;
	return version == captured - 1 ? PROBE_SEND : PROBE_EARLY;
}

/* Of a document that is there: bound to what was seen, an update may not offer another one. */
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

static enum job_verdict take_single(struct job *job, const struct json *doc)
{
	cleanup(buf_release) struct buf target = BUF_INIT(MIB(1));
	const struct operation *op = &job->operation;
	enum probe_result found = judge(doc, job->source_version);
	struct str body;
	struct err err;

	if (found == PROBE_THERE) {
		job->counts->skipped_newer++;
		return JOB_FINAL;
	}
	if (found == PROBE_EARLY && job->probes < VERSIONS_PROBES)
		return JOB_AGAIN;
	job->counts->updates_out_of_order += found == PROBE_EARLY;
	/* One that was not the first must not bring back what was deleted since. */
	if ((found == PROBE_EARLY || json_get(doc, "_seq_no")) &&
	    outgoing_decoded_body(&job->out, job->mem, &body, &err) == 0) {
		job->out.body = without_upsert(job, body);
		job->out.body_changed = true;
	}
	buf_append_byte(&target, '/');
	buf_append_str(&target, op->raw_index);
	if (op->raw_type.len) {
		buf_append_byte(&target, '/');
		buf_append_str(&target, op->raw_type);
	} else {
		buf_append_str(&target, STR("/_update"));
	}
	buf_append_byte(&target, '/');
	buf_append_str(&target, op->raw_id);
	if (op->raw_type.len)
		buf_append_str(&target, STR("/_update"));
	append_query(&target, op->query, job->mem);
	if (json_get(doc, "_seq_no")) {
		add_parameter(&target, "if_seq_no", NULL, json_i64_or(json_get(doc, "_seq_no"), 0));
		add_parameter(&target, "if_primary_term", NULL,
			      json_i64_or(json_get(doc, "_primary_term"), 0));
	}
	return set_target(job, &target, &err) < 0 ? JOB_FINAL : JOB_NEXT;
}

static void take_item(struct job *job, struct bulk_item *item, const struct json *doc)
{
	enum probe_result found = judge(doc, item->captured_version);

	json_remove(item->meta, STR("if_seq_no"));
	json_remove(item->meta, STR("if_primary_term"));
	if (found == PROBE_THERE) {
		job->counts->skipped_newer++;
		item->done = true;
		item->failed = false;
		item->result = arena_printf(job->mem,
					    "{\"update\":{\"_id\":\"\",\"_version\":%" PRId64
					    ",\"result\":\"noop\",\"status\":200}}",
					    json_i64_or(json_get(doc, "_version"), 0));
		return;
	}
	if (found == PROBE_EARLY && job->probes < VERSIONS_PROBES)
		return;
	job->counts->updates_out_of_order += found == PROBE_EARLY;
	item->ungoverned = false;
	if (found == PROBE_EARLY || json_get(doc, "_seq_no"))
		item->source = without_upsert(job, item->source);
	if (!json_get(doc, "_seq_no"))
		return;
	json_set(item->meta, STR("if_seq_no"),
		 json_new_i64(job->mem, json_i64_or(json_get(doc, "_seq_no"), 0)));
	json_set(item->meta, STR("if_primary_term"),
		 json_new_i64(job->mem, json_i64_or(json_get(doc, "_primary_term"), 0)));
}

static enum job_verdict take_items(struct job *job, const struct json *docs)
{
	const struct json *doc = docs->first;
	size_t left = 0, ready = 0;

	for (size_t i = 0; i < job->bulk->count; i++) {
		struct bulk_item *item = &job->bulk->items[i];

		if (item->ungoverned && !item->done && doc) {
			take_item(job, item, doc);
			doc = doc->next;
		}
		left += !item->done;
		ready += !item->done && !item->ungoverned;
	}
	return left == 0 ? JOB_FINAL : ready == 0 ? JOB_AGAIN : JOB_NEXT;
}

enum job_verdict versions_take_probe(struct job *job, int status, struct str answer)
{
	const struct json *docs =
		status == 200 ? json_get(answer_json(answer, job->mem), "docs") : NULL;
	enum job_verdict verdict;

	job->probing = false;
	if (!docs || docs->count == 0)
		verdict = job->probes < VERSIONS_PROBES ? JOB_AGAIN : JOB_NEXT;
	else if (job->bulk)
		verdict = take_items(job, docs);
	else
		verdict = take_single(job, docs->first);
	if (verdict == JOB_NEXT && !job->bulk)
		job->source_version = -job->source_version;
	job->probed = verdict == JOB_NEXT;
	return verdict;
}

bool versions_take_answer(struct job *job, int status, enum job_verdict *verdict)
{
	enum operation_kind kind = job->operation.kind;

	if (!job->rules->source_versions)
		return false;
	if (kind == OPERATION_UPDATE && job->source_version < 0 && status == 409 &&
	    job->probes < VERSIONS_PROBES) {
		job->source_version = -job->source_version;
		*verdict = JOB_AGAIN;
		return true;
	}
	/* What it needs was asked for long enough. */
	if (kind == OPERATION_UPDATE && status == 404 && job->probes >= VERSIONS_PROBES) {
		job->counts->updates_lost++;
		*verdict = JOB_FINAL;
		return true;
	}
	if ((kind == OPERATION_INDEX && status == 409) ||
	    (kind == OPERATION_DELETE && (status == 409 || status == 404))) {
		job->counts->conflicts_newer += status == 409;
		*verdict = JOB_FINAL;
		return true;
	}
	return false;
}
