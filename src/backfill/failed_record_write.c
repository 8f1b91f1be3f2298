#include "backfill/failed_record_write.h"

#include "base/clock.h"
#include "base/json.h"

/* ,"name":"text"; null when there is none. */
static void append_text(struct buf *out, const char *name, struct str text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text.ptr)
		json_write_string(out, text);
	else
		buf_append_str(out, STR("null"));
}

static void append_base64(struct buf *out, struct str bytes)
{
	struct json value = {.type = JSON_BINARY, .text = bytes};

	json_write(out, &value);
}

/* What was to be done: of {"create":{"_index":…,"_id":…}} its name and its metadata. */
struct operation {
	struct str name, metadata;
};

static struct operation operation_of(struct str action)
{
	static const char *const names[] = {"index", "create", "delete"};

	for (size_t i = 0; json_validate(action, NULL) == 0 && i < COUNT_OF(names); i++) {
		struct str metadata = json_raw_member(action, names[i]);

		if (metadata.ptr)
			return (struct operation){str_from(names[i]), metadata};
	}
	return (struct operation){STR("index"), STR("{}")};
}

/* The Java tool's bulk operation: schema, operation, document. */
static void append_request(struct buf *out, const struct failed_document *document,
			   const struct operation *operation)
{
	buf_printf(out,
		   ",\"requestItem\":{\"schema\":\"rfs-opensearch-bulk-v1\","
		   "\"operation_type\":\"" STR_FMT "\",\"include_document\":%s,\"operation\":",
		   STR_ARG(operation->name), str_is(operation->name, "delete") ? "false" : "true");
	buf_append_str(out, operation->metadata);
	if (document->source.ptr && json_validate(document->source, NULL) == 0) {
		buf_append_str(out, STR(",\"document\":"));
		buf_append_str(out, document->source);
	} else if (document->source.ptr) {
		buf_append_str(out, STR(",\"documentBase64\":"));
		append_base64(out, document->source);
	}
	buf_append_byte(out, '}');
}

static void append_response(struct buf *out, const struct failed_document *document,
			    const struct operation *operation)
{
	buf_printf(out, ",\"responseItem\":{\"" STR_FMT "\":{", STR_ARG(operation->name));
	if (document->status != 0)
		buf_printf(out, "\"status\":%d,", document->status);
	buf_append_str(out, STR("\"error\":{\"type\":"));
	json_write_string(out, document->failure_type);
	append_text(out, "reason", document->reason);
	buf_append_str(out, STR("}}}}\n"));
}

void failed_record_write(struct buf *out, const struct failed_stream_ids *ids,
			 const struct failed_document *document)
{
	bool exhausted = document->status == 429 || document->status >= 500;
	struct operation operation = operation_of(document->action);
	char now[25];

	clock_format_utc(clock_wall_ms(), now);
	buf_append_str(out, STR("{\"sessionId\":"));
	json_write_string(out, str_from(ids->session));
	append_text(out, "workerId", str_from(ids->worker));
	append_text(out, "workItemId", document->work_item);
	append_text(out, "targetIndex", document->target_index);
	append_text(out, "documentId", document->id);
	append_text(out, "failureType", document->failure_type);
	append_text(out, "failureClass",
		    exhausted ? STR("RETRYABLE_EXHAUSTED") : STR("NON_RETRYABLE"));
	append_text(out, "timestamp", str_from(now));
	append_request(out, document, &operation);
	append_response(out, document, &operation);
}
