#include "backfill/coordinator_cluster_internal.h"

#include "base/base64.h"

#include <inttypes.h>
#include <stdio.h>

#define OWN "shardlift"

int64_t seconds_up(int64_t ms)
{
	return (ms + 999) / 1000;
}

const char *document_script_version(enum coordinator_compat compat)
{
	return compat == COORDINATOR_JAVA ? "3.0" : "shardlift-1";
}

int document_check_version(const struct cluster_coordinator *cc, const struct json *source,
			   struct err *err)
{
	struct str version = json_string(json_get(source, "scriptVersion"));

	if (str_is(version, document_script_version(cc->compat)))
		return 0;
	return err_set(err, ERR_USAGE,
		       "the index '%s' of %s holds work items of another kind (scriptVersion "
		       "'" STR_FMT "', not '%s'): give another --session-name, or the same "
		       "--coordinator-compat as the others",
		       cc->index, cluster_version_text(cc->cluster), STR_ARG(version),
		       document_script_version(cc->compat));
}

/* RFC 4648, section 5, without padding. */
static void append_base64url(struct buf *out, struct str bytes)
{
	size_t from = out->len;

	base64_encode(out, bytes);
	while (out->len > from && out->ptr[out->len - 1] == '=')
		out->len--;
	for (size_t i = from; i < out->len; i++)
		out->ptr[i] = (char)(out->ptr[i] == '+'   ? '-'
				     : out->ptr[i] == '/' ? '_'
							  : out->ptr[i]);
}

static struct str decode_base64url(struct str text, struct arena *mem)
{
	cleanup(buf_release) struct buf plain = BUF_INIT(KIB(4)), bytes = BUF_INIT(KIB(4));

	for (size_t i = 0; i < text.len; i++)
		buf_append_byte(&plain, (char)(text.ptr[i] == '-'   ? '+'
					       : text.ptr[i] == '_' ? '/'
								    : text.ptr[i]));
	while (plain.len % 4 && !plain.failed)
		buf_append_byte(&plain, '=');
	if (plain.failed || !base64_decode(&bytes, buf_str(&plain)) || bytes.failed)
		return STR_NONE;
	return arena_str(mem, buf_str(&bytes));
}

void document_append_id(struct buf *out, const struct work_item *item)
{
	append_base64url(out, item->index);
	buf_printf(out, "__%" PRId32 "__%" PRId64, item->shard, item->first_doc);
}

/* Takes "__<digits>" off the end. */
static bool take_number(struct str *text, uint64_t *number)
{
	size_t at = text->len;

	while (at > 0 && text->ptr[at - 1] >= '0' && text->ptr[at - 1] <= '9')
		at--;
	if (at < 2 || text->ptr[at - 1] != '_' || text->ptr[at - 2] != '_' ||
	    !str_to_u64(str_from_offset(*text, at), number))
		return false;
	text->len = at - 2;
	return true;
}

static bool read_id(struct str id, struct arena *mem, struct work_item *item)
{
	uint64_t shard, first_doc;

	if (!take_number(&id, &first_doc) || !take_number(&id, &shard) || shard > INT32_MAX ||
	    first_doc > INT64_MAX)
		return false;
	item->index = decode_base64url(id, mem);
	item->shard = (int32_t)shard;
	item->first_doc = (int64_t)first_doc;
	return item->index.ptr != NULL;
}

void document_set_int(struct json *object, const char *key, int64_t value, struct arena *mem)
{
	json_set(object, str_from(key), json_new_i64(mem, value));
}

void document_set_bool(struct json *object, const char *key, bool value, struct arena *mem)
{
	json_set(object, str_from(key), json_new_bool(mem, value));
}

void document_set_text(struct json *object, const char *key, struct str value, struct arena *mem)
{
	json_set(object, str_from(key),
		 value.ptr ? json_new_string(mem, arena_str(mem, value))
			   : json_new(mem, JSON_NULL));
}

struct json *document_own(struct json *source, struct arena *mem)
{
	struct json *own = json_get(source, OWN);

	if (!own || own->type != JSON_OBJECT) {
		own = json_new(mem, JSON_OBJECT);
		json_set(source, STR(OWN), own);
	}
	return own;
}

void document_set_progress(struct json *source, const struct work_progress *progress,
			   struct arena *mem)
{
	struct json *own = document_own(source, mem);

	document_set_int(own, "nextDoc", progress->next_doc, mem);
	document_set_int(own, "documents", (int64_t)progress->documents, mem);
	document_set_int(own, "sent", (int64_t)progress->sent, mem);
	document_set_int(own, "failed", (int64_t)progress->failed, mem);
	document_set_int(own, "superseded", (int64_t)progress->superseded, mem);
	document_set_int(own, "sourceBytes", (int64_t)progress->source_bytes, mem);
	document_set_text(own, "state", progress->state, mem);
}

void document_set_process(struct json *source, const struct process_identity *process,
			  struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	document_set_text(object, "bootId", str_from(process->boot_id), mem);
	document_set_int(object, "pidNamespace", (int64_t)process->pid_namespace, mem);
	document_set_int(object, "pid", process->pid, mem);
	document_set_int(object, "startTicks", (int64_t)process->start_ticks, mem);
	json_set(document_own(source, mem), STR("process"), object);
}

static void read_process(const struct json *object, struct process_identity *out)
{
	*out = (struct process_identity){
		.pid_namespace = (uint64_t)json_i64_or(json_get(object, "pidNamespace"), 0),
		.pid = json_i64_or(json_get(object, "pid"), 0),
		.start_ticks = (uint64_t)json_i64_or(json_get(object, "startTicks"), 0),
	};
	snprintf(out->boot_id, sizeof(out->boot_id), STR_FMT,
		 STR_ARG(json_string(json_get(object, "bootId"))));
}

bool document_holder_is_gone(const struct cluster_coordinator *cc, const struct item_document *item)
{
	/* Another boot may be another host. */
	return item->holder.ptr && str_eq(item->holder, item->worker) && item->process.pid > 0 &&
	       strcmp(item->process.boot_id, cc->process.boot_id) == 0 &&
	       process_is_gone(&item->process, &cc->process);
}

void document_append_create(const struct cluster_coordinator *cc, struct buf *out,
			    const struct work_item *item, bool divided, struct arena *mem)
{
	const int64_t bytes = (int64_t)MIN(item->bytes, (uint64_t)INT64_MAX);
	struct json *source = json_new(mem, JSON_OBJECT), *own = document_own(source, mem);

	document_set_text(source, "scriptVersion", str_from(document_script_version(cc->compat)),
			  mem);
	document_set_text(source, "creatorId", str_from(cc->worker), mem);
	document_set_text(source, "indexName", item->index, mem);
	document_set_int(source, "expiration", 0, mem);
	document_set_int(source, "nextAcquisitionLeaseExponent", 0, mem);
	document_set_int(source, "bytes", bytes, mem);
	if (item->end_doc != WORK_TO_END)
		document_set_int(own, "endDoc", item->end_doc, mem);
	document_set_bool(own, "divided", divided, mem);
	buf_append_str(out, STR("{\"create\":{\"_id\":\""));
	document_append_id(out, item);
	buf_append_str(out, STR("\"}}\n"));
	json_write(out, source);
	buf_append_byte(out, '\n');
}

static void read_progress(const struct json *own, const struct work_item *item,
			  struct work_progress *out)
{
	*out = (struct work_progress){
		.next_doc = json_i64_or(json_get(own, "nextDoc"), item->first_doc),
		.documents = (uint64_t)json_i64_or(json_get(own, "documents"), 0),
		.sent = (uint64_t)json_i64_or(json_get(own, "sent"), 0),
		.failed = (uint64_t)json_i64_or(json_get(own, "failed"), 0),
		.superseded = (uint64_t)json_i64_or(json_get(own, "superseded"), 0),
		.source_bytes = (uint64_t)json_i64_or(json_get(own, "sourceBytes"), 0),
		.state = json_string(json_get(own, "state")),
	};
}

bool document_read(struct str id, const struct json *source, struct arena *mem,
		   struct item_document *out)
{
	const struct json *own = json_get(source, OWN),
			  *completed = json_get(source, "completedAt");

	*out = (struct item_document){
		.expiration_s = json_i64_or(json_get(source, "expiration"), 0),
		.exponent = json_i64_or(json_get(source, "nextAcquisitionLeaseExponent"), 0),
		.lease_ms = json_i64_or(json_get(own, "leaseMs"), 0),
		.failures = (int32_t)json_i64_or(json_get(own, "failures"), 0),
		.deaths = (int32_t)json_i64_or(json_get(own, "deaths"), 0),
		.completed = completed && completed->type != JSON_NULL,
		.parked = json_bool_or(json_get(source, "parked"), false),
		.divided = json_bool_or(json_get(own, "divided"), false),
		.progressed = json_bool_or(json_get(own, "progressed"), false),
		.holder = json_string(json_get(source, "leaseHolderId")),
		.worker = json_string(json_get(own, "worker")),
		.lease = json_string(json_get(own, "lease")),
		.reason = json_string(json_get(own, "reason")),
		.successors = json_string(json_get(source, "successor_items")),
		.dividing = json_get(own, "dividing"),
	};
	read_process(json_get(own, "process"), &out->process);
	if (!read_id(id, mem, &out->item))
		return false;
	out->item.bytes = (uint64_t)json_i64_or(json_get(source, "bytes"), 0);
	out->item.end_doc = json_i64_or(json_get(own, "endDoc"), WORK_TO_END);
	read_progress(own, &out->item, &out->progress);
	return true;
}
