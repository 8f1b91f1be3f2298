#include "replay/by_query.h"

#include "net/http_client.h"

#define REST "/_refresh?ignore_unavailable=true&allow_no_indices=true"

static void append_names(struct buf *out, const struct json *names)
{
	if (!names || names->type != JSON_ARRAY) {
		http_append_encoded(out, json_text_or(names, STR("")));
		return;
	}
	json_each (name, names) {
		if (name != names->first)
			buf_append_byte(out, ',');
		http_append_encoded(out, json_text_or(name, STR("")));
	}
}

/* A reindex from another cluster reads nothing here. */
static int append_read_by_reindex(struct job *job, struct buf *out)
{
	struct json *tree, *source;
	struct str body;
	struct err err;

	if (outgoing_decoded_body(&job->out, job->mem, &body, &err) < 0 ||
	    json_parse(body, job->mem, &tree, &err) < 0)
		return 0;
	source = json_get(tree, "source");
	if (!json_get(source, "index") || json_get(source, "remote"))
		return 0;
	append_names(out, json_get(source, "index"));
	return 1;
}

int by_query_plan(struct job *job, struct err *err)
{
	cleanup(buf_release) struct buf target = BUF_INIT(MIB(1));

	buf_append_byte(&target, '/');
	if (job->operation.raw_index.len)
		buf_append_str(&target, job->operation.raw_index);
	else if (append_read_by_reindex(job, &target) == 0)
		return 0;
	buf_append_str(&target, STR(REST));
	if (buf_check(&target, "a request's target", err) < 0)
		return -(int)err->kind;
	job->refresh = arena_str(job->mem, buf_str(&target));
	return job->refresh.ptr ? 0 : arena_fail(job->mem, "a request's target", err);
}

int by_query_write_refresh(struct job *job, struct buf *out, struct err *err)
{
	struct outgoing refresh = job->out;
	struct http_field fields[] = {
		{STR("Host"), STR("")},
		{STR("Authorization"), http_message_field(&job->out.captured, "authorization")}};

	refresh.method = STR("POST");
	refresh.target = job->refresh;
	refresh.fields = fields;
	refresh.field_count = fields[1].value.len ? 2 : 1;
	refresh.body = STR("");
	refresh.body_changed = true;
	job->probing = true;
	return outgoing_write(&refresh, &job->rules->outgoing, job->mem, out, err);
}
