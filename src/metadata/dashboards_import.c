/* Saved objects into Dashboards. */
#include "metadata/dashboards_internal.h"

#define BATCH_OBJECTS 500
#define BATCH_BYTES MIB(4) /* below the smallest default of savedObjects.maxImportPayloadBytes */
#define BOUNDARY "shardlift-saved-objects"

struct importing {
	struct dashboards *d;
	struct saved_objects *set;
	struct arena mem; /* of one request */
	struct str tenant;
	bool overwrite;
	struct saved_object *batch[BATCH_OBJECTS];
	size_t count;
};

static void importing_release(struct importing *i)
{
	arena_release(&i->mem);
}

/* No line of JSON begins as the boundary does. */
static int print_form(const struct importing *i, struct buf *form, struct err *err)
{
	buf_printf(form, "--" BOUNDARY "\r\n"
			 "Content-Disposition: form-data; name=\"file\"; "
			 "filename=\"export.ndjson\"\r\n"
			 "Content-Type: application/x-ndjson\r\n\r\n");
	for (size_t n = 0; n < i->count; n++) {
		json_write(form, i->batch[n]->body);
		buf_append_byte(form, '\n');
	}
	buf_printf(form, "\r\n--" BOUNDARY "--\r\n");
	return buf_check(form, "an import of saved objects", err);
}

static struct saved_object *find_in_batch(const struct importing *i, const struct json *error)
{
	struct str type = json_string(json_get(error, "type"));
	struct str id = json_string(json_get(error, "id"));

	for (size_t n = 0; n < i->count; n++)
		if (str_eq(i->batch[n]->type, type) && str_eq(i->batch[n]->id, id))
			return i->batch[n];
	return NULL;
}

static void list_references(const struct json *error, struct buf *out)
{
	json_each (one, json_get(error, "references"))
		buf_printf(out, "%s" STR_FMT " '" STR_FMT "'", out->len ? ", " : "",
			   STR_ARG(json_string(json_get(one, "type"))),
			   STR_ARG(json_string(json_get(one, "id"))));
}

static void end_by_error(struct importing *i, struct saved_object *object, const struct json *error)
{
	cleanup(buf_release) struct buf missing = BUF_INIT(KIB(64));
	struct str kind = json_string(json_get(error, "type"));

	if (str_is(kind, "conflict")) {
		saved_object_end(i->set, object, SAVED_OBJECT_EXISTED,
				 "is there already; --overwrite replaces it");
	} else if (str_is(kind, "missing_references")) {
		list_references(error, &missing);
		saved_object_end(i->set, object, SAVED_OBJECT_FAILED,
				 "refers to what is neither there nor sent: %s",
				 buf_cstr(&missing));
	} else if (str_is(kind, "unsupported_type")) {
		saved_object_end(i->set, object, SAVED_OBJECT_FAILED,
				 "the target knows no objects of this type");
	} else if (str_is(kind, "ambiguous_conflict")) {
		saved_object_end(i->set, object, SAVED_OBJECT_FAILED,
				 "several objects of the target may be meant; delete or rename "
				 "them");
	} else {
		struct str message = json_string(json_get(error, "message"));

		saved_object_end(i->set, object, SAVED_OBJECT_FAILED,
				 "the target refuses it: " STR_FMT,
				 STR_ARG(message.len > 0 ? message : kind));
	}
}

/* Takes those out of the batch that have an outcome. How many went. */
static size_t drop_ended(struct importing *i)
{
	size_t kept = 0, before = i->count;

	for (size_t n = 0; n < i->count; n++)
		if (i->batch[n]->outcome == SAVED_OBJECT_READY)
			i->batch[kept++] = i->batch[n];
	i->count = kept;
	return before - kept;
}

static void end_all(struct importing *i, enum saved_object_outcome outcome, struct str reason)
{
	for (size_t n = 0; n < i->count; n++)
		saved_object_end(i->set, i->batch[n], outcome, STR_FMT, STR_ARG(reason));
	i->count = 0;
}

static int send_batch(struct importing *i, struct json **answer, struct err *err)
{
	cleanup(buf_release) struct buf form = BUF_INIT(LIMIT_SOURCE);
	struct dashboards_request request = {
		.method = "POST",
		.path = i->overwrite ? "/api/saved_objects/_import?overwrite=true"
				     : "/api/saved_objects/_import",
		.content_type = "multipart/form-data; boundary=" BOUNDARY,
		.space = i->tenant,
	};

	arena_reset(&i->mem);
	if (print_form(i, &form, err) < 0)
		return -(int)err->kind;
	request.body = buf_str(&form);
	if (dashboards_send(i->d, &request, err) < 0)
		return -(int)err->kind;
	*answer = dashboards_answer(i->d, &i->mem);
	return 0;
}

static void end_by_answer(struct importing *i, const struct json *answer)
{
	json_each (error, json_get(answer, "errors")) {
		struct saved_object *object = find_in_batch(i, error);

		if (object)
			end_by_error(i, object, json_get(error, "error"));
	}
}

/* Until all of the batch have an outcome: each turn takes at least one out. Objects that are well
 * stay out while others are not, and are sent again without these. */
static int import_batch(struct importing *i, struct err *err)
{
	while (i->count > 0) {
		struct json *answer = NULL;

		if (send_batch(i, &answer, err) < 0)
			return -(int)err->kind;
		if (i->d->response.status != 200) {
			struct str reason = dashboards_reason(i->d, answer, &i->mem);

			if (i->count > 1)
				return 1;
			end_all(i, SAVED_OBJECT_FAILED,
				arena_printf(&i->mem, "the target refuses it: " STR_FMT,
					     STR_ARG(reason)));
			return 0;
		}
		end_by_answer(i, answer);
		if (drop_ended(i) > 0)
			continue;
		if (json_bool_or(json_get(answer, "success"), false))
			end_all(i, SAVED_OBJECT_WRITTEN, STR_NONE);
		else
			end_all(i, SAVED_OBJECT_FAILED,
				STR("the target does not say what became of it"));
	}
	return 0;
}

/* A request that is refused as a whole goes object by object: the fault is one's. */
static int import_singly(struct importing *i, struct err *err)
{
	struct saved_object *all[BATCH_OBJECTS];
	size_t count = i->count;

	memcpy(all, i->batch, count * sizeof(all[0]));
	for (size_t n = 0; n < count; n++) {
		i->batch[0] = all[n];
		i->count = 1;
		if (import_batch(i, err) < 0)
			return -(int)err->kind;
	}
	i->count = 0;
	return 0;
}

static int flush(struct importing *i, struct err *err)
{
	int rc = import_batch(i, err);

	return rc > 0 ? import_singly(i, err) : rc;
}

int dashboards_import(struct dashboards *d, struct str space, struct str tenant, bool overwrite,
		      struct saved_objects *set, struct err *err)
{
	cleanup(importing_release) struct importing i = {.d = d,
							 .set = set,
							 .mem = ARENA_INIT(LIMIT_METADATA_ARENA),
							 .tenant = tenant,
							 .overwrite = overwrite};
	cleanup(buf_release) struct buf one = BUF_INIT(LIMIT_SOURCE);
	size_t bytes = 0;

	for (size_t n = 0; n < set->count; n++) {
		struct saved_object *object = set->items[n];

		if (object->outcome != SAVED_OBJECT_READY || !str_eq(object->space, space))
			continue;
		buf_reset(&one);
		json_write(&one, object->body);
		if ((i.count == BATCH_OBJECTS || bytes + one.len > BATCH_BYTES) &&
		    flush(&i, err) < 0)
			return err_wrap(err, "the import of saved objects");
		bytes = i.count == 0 ? one.len : bytes + one.len;
		i.batch[i.count++] = object;
	}
	return flush(&i, err) < 0 ? err_wrap(err, "the import of saved objects") : 0;
}

static int ask_existing(struct importing *i, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(MIB(8));
	struct dashboards_request request = {
		.method = "POST", .path = "/api/saved_objects/_bulk_get", .space = i->tenant};
	struct json *list;

	if (i->count == 0)
		return 0;
	arena_reset(&i->mem);
	list = json_new(&i->mem, JSON_ARRAY);
	for (size_t n = 0; n < i->count; n++) {
		struct json *one = json_new(&i->mem, JSON_OBJECT);

		json_set(one, STR("type"), json_new_string(&i->mem, i->batch[n]->type));
		json_set(one, STR("id"), json_new_string(&i->mem, i->batch[n]->id));
		json_append(list, one);
	}
	json_write(&body, list);
	request.body = buf_str(&body);
	if (buf_check(&body, "a question for saved objects", err) < 0 ||
	    dashboards_send(i->d, &request, err) < 0)
		return -(int)err->kind;
	json_each (found, json_get(dashboards_answer(i->d, &i->mem), "saved_objects")) {
		struct saved_object *object = find_in_batch(i, found);

		if (object && !json_get(found, "error") && json_get(found, "attributes"))
			saved_object_end(i->set, object, SAVED_OBJECT_EXISTED,
					 "is there already; --overwrite replaces it");
	}
	i->count = 0;
	return 0;
}

int dashboards_find_existing(struct dashboards *d, struct str space, struct str tenant,
			     struct saved_objects *set, struct err *err)
{
	cleanup(importing_release) struct importing i = {
		.d = d, .set = set, .mem = ARENA_INIT(LIMIT_METADATA_ARENA), .tenant = tenant};

	for (size_t n = 0; n < set->count; n++) {
		if (set->items[n]->outcome != SAVED_OBJECT_READY ||
		    !str_eq(set->items[n]->space, space))
			continue;
		if (i.count == BATCH_OBJECTS && ask_existing(&i, err) < 0)
			return -(int)err->kind;
		i.batch[i.count++] = set->items[n];
	}
	return ask_existing(&i, err);
}
