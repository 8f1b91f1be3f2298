#include "cluster/bulk_answer.h"

static void skip_space(struct str *text)
{
	while (text->len && memchr(" \t\r\n", text->ptr[0], 4))
		*text = str_from_offset(*text, 1);
}

static bool cut(struct str *text, struct str word)
{
	skip_space(text);
	if (!str_starts(*text, word))
		return false;
	*text = str_from_offset(*text, word.len);
	return true;
}

static bool cut_duration(struct str *text)
{
	size_t digits = 0;

	if (!cut(text, STR("\"took\"")) && !cut(text, STR("\"ingest_took\"")))
		return false;
	if (!cut(text, STR(":")))
		return false;
	skip_space(text);
	while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9')
		digits++;
	*text = str_from_offset(*text, digits);
	return digits > 0 && cut(text, STR(","));
}

/* No text of a document can look like this: a quote within a JSON string has a backslash before it,
 * and after the quote that ends a value there is no colon. */
static size_t count_statuses(struct str body)
{
	static const struct str status = STR("\"status\":");
	const char *at = body.ptr, *end = body.ptr + body.len;
	size_t count = 0;

	while ((at = memmem(at, (size_t)(end - at), status.ptr, status.len))) {
		at += status.len;
		count++;
	}
	return count;
}

/* Whether the answer begins by saying that there are no errors, and is about `count` items. Of an
 * answer where this is false nothing is known yet. */
static bool is_plain_success(struct str body, size_t count)
{
	struct str rest = body;

	if (!cut(&rest, STR("{")))
		return false;
	while (cut_duration(&rest))
		;
	return cut(&rest, STR("\"errors\"")) && cut(&rest, STR(":")) && cut(&rest, STR("false")) &&
	       count_statuses(rest) == count;
}

static bool read_item(const struct json *item, struct bulk_item_answer *out)
{
	/* {"index": {"status": 201}}, under the name of whatever the action was. */
	const struct json *action =
		item->type == JSON_OBJECT && item->count == 1 ? item->first : NULL;
	int64_t status = json_i64_or(json_get(action, "status"), -1);

	if (status < 100 || status > 999)
		return false;
	out->status = (int)status;
	out->error = json_get(action, "error");
	/* A refusal without words is one, too. */
	out->wordless = !out->error && (status < 200 || status > 299);
	if (out->wordless)
		out->error = action;
	return true;
}

int bulk_answer_read(struct str body, size_t count, struct arena *mem, struct bulk_answer *out,
		     struct err *err)
{
	struct err reason = {0};
	struct json *answer, *items;
	size_t i = 0;

	*out = (struct bulk_answer){0};
	out->all_taken = is_plain_success(body, count);
	if (out->all_taken)
		return 0;
	if (json_parse(body, mem, &answer, &reason) < 0)
		return err_set(err, ERR_HTTP, "the answer to a bulk cannot be read: %s",
			       reason.message);
	items = json_get(answer, "items");
	if (!items || items->type != JSON_ARRAY || items->count != count)
		return err_set(err, ERR_HTTP,
			       "a bulk of %zu documents is answered for %zu of them; whether they "
			       "were taken is not known",
			       count, items && items->type == JSON_ARRAY ? items->count : 0);
	out->items = arena_zalloc(mem, count, sizeof(*out->items));
	if (!out->items)
		return arena_fail(mem, "answer to a bulk", err);
	for (const struct json *item = items->first; item; item = item->next)
		if (!read_item(item, &out->items[i++]))
			return err_set(err, ERR_HTTP,
				       "the answer to a bulk has no status for item %zu of %zu", i,
				       count);
	return 0;
}
