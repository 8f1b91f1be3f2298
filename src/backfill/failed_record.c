#include "backfill/failed_record.h"

static const char *const operation_names[] = {
	[BULK_INDEX] = "index", [BULK_CREATE] = "create", [BULK_DELETE] = "delete"};

const char *failed_record_operation_name(const struct failed_record *record)
{
	return operation_names[record->operation];
}

/* The text of a member that is a string; ptr NULL if it is none. */
static struct str text_of(struct str object, const char *key, struct arena *mem)
{
	struct json *value;

	if (json_parse(json_raw_member(object, key), mem, &value, NULL) < 0)
		return STR_NONE;
	return json_string(value);
}

static int read_operation(struct str request, struct arena *mem, struct failed_record *out,
			  struct err *err)
{
	struct str name = text_of(request, "operation_type", mem);
	size_t i = 0;

	while (i < COUNT_OF(operation_names) && !str_is(name, operation_names[i]))
		i++;
	if (i == COUNT_OF(operation_names))
		return err_set(err, ERR_FORMAT, "operation_type is none of index, create, delete");
	out->operation = (enum bulk_operation)i;
	return 0;
}

static int read_metadata(struct str request, struct arena *mem, struct failed_record *out,
			 struct err *err)
{
	struct json *metadata;
	struct str type;

	out->metadata = json_raw_member(request, "operation");
	if (!out->metadata.ptr)
		out->metadata = STR("{}");
	if (json_parse(out->metadata, mem, &metadata, err) < 0)
		return -(int)err->kind;
	if (!out->id.ptr)
		out->id = json_string(json_get(metadata, "_id"));
	if (!out->target_index.len)
		out->target_index = json_string(json_get(metadata, "_index"));
	out->type = json_string(json_get(metadata, "_type"));
	out->routing = json_string(json_get(metadata, "routing"));
	if (!out->routing.ptr)
		out->routing = json_string(json_get(metadata, "_routing"));
	type = json_string(json_get(metadata, "version_type"));
	out->version = json_i64_or(json_get(metadata, "version"), -1);
	out->external = str_starts(type, STR("external")) && out->version >= 0;
	return out->target_index.len ? 0 : err_set(err, ERR_FORMAT, "it names no index");
}

static void read_response(struct str line, struct arena *mem, struct failed_record *out)
{
	struct json *response, *item;

	if (json_parse(json_raw_member(line, "responseItem"), mem, &response, NULL) < 0)
		return;
	item = response->type == JSON_OBJECT ? response->first : NULL;
	out->status = (int)json_i64_or(json_get(item, "status"), 0);
	out->reason = json_string(json_path(item, "error", "reason", NULL));
}

int failed_record_read(struct str line, struct arena *mem, struct failed_record *out,
		       struct err *err)
{
	struct str request;
	int rc = json_validate(line, err);

	*out = (struct failed_record){0};
	if (rc < 0)
		return rc;
	request = json_raw_member(line, "requestItem");
	if (!request.ptr || request.ptr[0] != '{')
		return err_set(err, ERR_FORMAT, "no record of a failed document: no requestItem");
	out->session = text_of(line, "sessionId", mem);
	out->work_item = text_of(line, "workItemId", mem);
	out->target_index = text_of(line, "targetIndex", mem);
	out->id = text_of(line, "documentId", mem);
	out->failure_type = text_of(line, "failureType", mem);
	out->timestamp = text_of(line, "timestamp", mem);
	out->document = json_raw_member(request, "document");
	if (out->document.ptr && out->document.ptr[0] != '{')
		out->document = STR_NONE;
	rc = read_operation(request, mem, out, err);
	if (rc == 0)
		rc = read_metadata(request, mem, out, err);
	if (rc < 0)
		return rc;
	read_response(line, mem, out);
	return mem->failed ? arena_fail(mem, "a record of a failed document", err) : 0;
}
