#include "transform/document_batch.h"

#include "transform/transform_internal.h"

#define SCHEMA "rfs-opensearch-bulk-v1"

/* One call of document_batch_transform. */
struct batch {
	struct transform *transform;
	const struct bulk_document *inputs;
	size_t count;
	struct transform_message *messages;
	struct arena *mem;
	struct document_batch *out;
	struct buf text; /* of one source */
	size_t output_capacity;
	bool opaque; /* sources pass as they are, unparsed */
};

static void set_string(struct json *object, struct str key, struct str text, struct arena *mem)
{
	if (text.ptr)
		json_set(object, key, json_new_string(mem, text));
}

static struct json *operation_of(const struct bulk_document *document, struct arena *mem)
{
	struct json *operation = json_new(mem, JSON_OBJECT);

	set_string(operation, STR("_id"), document->id, mem);
	set_string(operation, STR("_index"), document->index, mem);
	set_string(operation, STR("_type"), document->type, mem);
	set_string(operation, STR("routing"), document->routing, mem);
	if (document->operation == BULK_CREATE)
		set_string(operation, STR("op_type"), STR("create"), mem);
	if (document->external) {
		json_set(operation, STR("version"), json_new_i64(mem, document->version));
		set_string(operation, STR("version_type"), STR("external_gte"), mem);
	}
	return operation;
}

static int source_of(const struct batch *batch, const struct bulk_document *document,
		     struct json **out, struct err *err)
{
	*out = NULL;
	if (!document->source.ptr)
		return 0;
	if (!batch->opaque) {
		if (json_parse(document->source, batch->mem, out, err) < 0)
			return err_wrap(err, "its source");
		if ((*out)->type != JSON_OBJECT)
			return err_set(err, ERR_FORMAT, "its source is no JSON object");
		return 0;
	}
	*out = json_new(batch->mem, JSON_BINARY);
	if (*out)
		(*out)->text = document->source;
	return 0;
}

/* "books/17"; printf would take longer than the rest of a message. */
static struct str name_of(const struct bulk_document *document, struct arena *mem)
{
	struct str index = document->index;
	struct str id = document->id.ptr ? document->id : STR("(no id)");
	size_t length = index.len + 1 + id.len;
	char *name = arena_alloc(mem, length);

	if (!name)
		return STR_NONE;
	memcpy(name, index.ptr, index.len);
	name[index.len] = '/';
	memcpy(name + index.len + 1, id.ptr, id.len);
	return str_of(name, length);
}

static void make_message(const struct batch *batch, size_t i)
{
	const struct bulk_document *document = &batch->inputs[i];
	struct transform_message *message = &batch->messages[i];
	struct arena *mem = batch->mem;
	bool is_delete = document->operation == BULK_DELETE;
	struct json *value, *source;

	message->value = NULL;
	message->changed = false;
	message->error.kind = ERR_NONE;
	message->name = name_of(document, mem);
	if (source_of(batch, document, &source, &message->error) < 0) {
		err_wrap(&message->error, STR_FMT, STR_ARG(message->name));
		return;
	}
	value = json_new(mem, JSON_OBJECT);
	set_string(value, STR("schema"), STR(SCHEMA), mem);
	set_string(value, STR("operation_type"), is_delete ? STR("delete") : STR("index"), mem);
	json_set(value, STR("include_document"), json_new_bool(mem, source != NULL));
	json_set(value, STR("operation"), operation_of(document, mem));
	json_set(value, STR("document"), source);
	message->value = value;
}

static int text_of(const struct json *member, struct str *out, struct err *err)
{
	if (member->type == JSON_NULL)
		return 0;
	if (member->type != JSON_STRING && member->type != JSON_NUMBER)
		return err_set(err, ERR_FORMAT, "'operation." STR_FMT "' is no string",
			       STR_ARG(member->key));
	*out = member->text;
	return 0;
}

static int read_op_type(const struct json *member, struct bulk_document *out, struct err *err)
{
	if (str_is(json_string(member), "create"))
		out->operation = BULK_CREATE;
	else if (!str_is(json_string(member), "index"))
		return err_set(err, ERR_FORMAT, "'operation.op_type' is neither index nor create");
	return 0;
}

static int read_version(const struct json *member, struct bulk_document *out, struct err *err)
{
	out->version = json_i64_or(member, -1);
	if (out->version < 0)
		return err_set(err, ERR_FORMAT, "'operation.version' is no version");
	return 0;
}

static int read_version_type(const struct json *member, struct bulk_document *out, struct err *err)
{
	if (!str_is(json_string(member), "external_gte"))
		return err_set(err, ERR_UNSUPPORTED,
			       "'operation.version_type' other than external_gte cannot be sent");
	out->external = true;
	return 0;
}

static int read_member(const struct json *member, struct bulk_document *out, struct err *err)
{
	if (str_is(member->key, "_id"))
		return text_of(member, &out->id, err);
	if (str_is(member->key, "_index"))
		return text_of(member, &out->index, err);
	if (str_is(member->key, "_type"))
		return text_of(member, &out->type, err);
	if (str_is(member->key, "routing"))
		return text_of(member, &out->routing, err);
	if (member->type == JSON_NULL)
		return 0;
	if (str_is(member->key, "op_type"))
		return read_op_type(member, out, err);
	if (str_is(member->key, "version"))
		return read_version(member, out, err);
	if (str_is(member->key, "version_type"))
		return read_version_type(member, out, err);
	return err_set(err, ERR_UNSUPPORTED, "'operation." STR_FMT "' cannot be sent",
		       STR_ARG(member->key));
}

static int read_operation(const struct json *value, struct bulk_document *out, struct err *err)
{
	const struct json *operation = json_get(value, "operation");
	struct str schema = json_string(json_get(value, "schema"));
	struct str type = json_string(json_get(value, "operation_type"));

	if (schema.ptr && !str_is(schema, SCHEMA))
		return err_set(err, ERR_FORMAT, "'schema' is not " SCHEMA);
	if (str_is(type, "delete"))
		out->operation = BULK_DELETE;
	else if (!str_is(type, "index"))
		return err_set(err, ERR_FORMAT, "'operation_type' is neither index nor delete");
	if (!operation || operation->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "'operation' is no object");
	json_each (member, operation)
		if (read_member(member, out, err) < 0)
			return -(int)err->kind;
	if (out->index.len == 0)
		return err_set(err, ERR_FORMAT, "'operation._index' is missing");
	if (type.ptr && str_is(type, "delete")) {
		out->operation = BULK_DELETE;
		if (out->id.len == 0)
			return err_set(err, ERR_FORMAT, "a delete has no 'operation._id'");
	}
	return 0;
}

static int write_source(struct batch *batch, const struct json *document, struct str *out,
			struct err *err)
{
	if (document->type == JSON_BINARY && batch->opaque) {
		*out = document->text;
		return 0;
	}
	buf_reset(&batch->text);
	batch->text.failed = false;
	json_write(&batch->text, document);
	if (buf_check(&batch->text, "the document that came out", err) < 0)
		return -(int)err->kind;
	*out = arena_str(batch->mem, buf_str(&batch->text));
	return out->ptr ? 0 : arena_fail(batch->mem, "the document that came out", err);
}

/* One object that came out, as a document. */
static int read_output(struct batch *batch, const struct json *value, struct bulk_document *out,
		       struct err *err)
{
	const struct json *document = json_get(value, "document");

	*out = (struct bulk_document){.version = -1};
	if (value->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "what came out is no object");
	if (read_operation(value, out, err) < 0)
		return -(int)err->kind;
	if (out->operation == BULK_DELETE)
		return 0;
	if (!document || (document->type != JSON_OBJECT && document->type != JSON_BINARY))
		return err_set(err, ERR_FORMAT, "'document' is no object");
	return write_source(batch, document, &out->source, err);
}

static struct document_batch_output *new_output(struct batch *batch)
{
	struct document_batch *out = batch->out;
	struct document_batch_output *larger;

	if (out->count < batch->output_capacity)
		return &out->outputs[out->count++];
	larger = arena_alloc(batch->mem, 2 * batch->output_capacity * sizeof(*larger));
	if (!larger)
		return NULL;
	memcpy(larger, out->outputs, out->count * sizeof(*larger));
	out->outputs = larger;
	batch->output_capacity *= 2;
	return &out->outputs[out->count++];
}

static int put_output(struct batch *batch, size_t input, const struct bulk_document *document,
		      struct err *err)
{
	struct document_batch_output *output = new_output(batch);

	if (!output)
		return arena_fail(batch->mem, "the documents that came out", err);
	*output = (struct document_batch_output){input, *document};
	return 0;
}

static int add_output(struct batch *batch, size_t input, const struct json *value, struct err *err)
{
	struct bulk_document document;

	if (read_output(batch, value, &document, err) < 0)
		return -(int)err->kind;
	return put_output(batch, input, &document, err);
}

static int add_outputs(struct batch *batch, size_t input, struct err *err)
{
	const struct transform_message *message = &batch->messages[input];
	size_t before = batch->out->count;
	int failed = 0;

	if (!message->value || (message->value->type == JSON_ARRAY && !message->value->first)) {
		batch->out->dropped++;
		return 0;
	}
	if (!message->changed)
		return put_output(batch, input, &batch->inputs[input], err);
	if (message->value->type != JSON_ARRAY) {
		failed = add_output(batch, input, message->value, err);
	} else {
		json_each (one, message->value)
			if (!failed)
				failed = add_output(batch, input, one, err);
	}
	if (failed) {
		batch->out->count = before;
		err_wrap(err, STR_FMT ": transformed", STR_ARG(message->name));
	}
	return failed;
}

static void batch_release(struct batch *batch)
{
	buf_release(&batch->text);
}

static void read_messages(struct batch *batch)
{
	struct document_batch *out = batch->out;

	for (size_t i = 0; i < batch->count; i++) {
		struct err *error = &batch->messages[i].error;

		if (error->kind == ERR_NONE && add_outputs(batch, i, error) == 0)
			continue;
		out->failures[out->failure_count++] = (struct document_batch_failure){i, error};
	}
}

int document_batch_transform(struct transform *transform, const struct bulk_document *inputs,
			     size_t count, struct arena *mem, struct document_batch *out,
			     struct err *err)
{
	cleanup(batch_release) struct batch batch = {
		.transform = transform,
		.inputs = inputs,
		.count = count,
		.mem = mem,
		.out = out,
		.text = BUF_INIT(LIMIT_SOURCE),
		.output_capacity = MAX(count, (size_t)16),
		.opaque = transform_takes_source_texts(transform),
	};

	batch.messages = arena_alloc(mem, count * sizeof(*batch.messages));
	*out = (struct document_batch){
		.outputs = arena_alloc(mem, batch.output_capacity * sizeof(*out->outputs)),
		.failures = arena_alloc(mem, count * sizeof(*out->failures)),
	};
	if (!batch.messages || !out->outputs || !out->failures)
		return arena_fail(mem, "a batch of documents", err);
	for (size_t i = 0; i < count; i++)
		make_message(&batch, i);
	if (mem->failed)
		return arena_fail(mem, "a batch of documents", err);
	if (transform_apply(transform, batch.messages, count, mem, err) < 0)
		return -(int)err->kind;
	read_messages(&batch);
	return mem->failed ? arena_fail(mem, "a batch of documents", err) : 0;
}
