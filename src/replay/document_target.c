#include "replay/document_target.h"

#include <inttypes.h>

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

void document_target_query(struct buf *target, struct str query, struct arena *mem)
{
	static const char *const gone[] = {"op_type",   "version",         "version_type",
					   "if_seq_no", "if_primary_term", "retry_on_conflict"};

	for (size_t i = 0; i < COUNT_OF(gone); i++) {
		cleanup(buf_release) struct buf less = BUF_INIT(query.len + 2);

		request_query_append_without(&less, query, str_from(gone[i]));
		query = arena_str(mem, buf_str(&less));
	}
	buf_append_str(target, query);
}

void document_target_add(struct buf *target, const char *name, const char *text, int64_t number)
{
	bool first = !memchr(target->ptr, '?', target->len);

	if (text)
		buf_printf(target, "%c%s=%s", first ? '?' : '&', name, text);
	else
		buf_printf(target, "%c%s=%" PRId64, first ? '?' : '&', name, number);
}

int document_target_set(struct job *job, struct buf *target, struct err *err)
{
	if (buf_check(target, "a request's target", err) < 0)
		return -(int)err->kind;
	job->out.target = arena_str(job->mem, buf_str(target));
	return job->out.target.ptr ? 1 : arena_fail(job->mem, "a request's target", err);
}

void document_target_append(const struct job *job, struct buf *target, const char *endpoint,
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
