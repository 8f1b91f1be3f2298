/* Where two JSON values differ, in words. */
#include "base/json_number_text.h"
#include "verify/verify.h"

#define PATH_MAX_BYTES KIB(1)

struct walk {
	struct buf *out;
	struct buf path;
	size_t found, most;
};

static void tell(struct walk *w, const char *what)
{
	if (w->found++ >= w->most)
		return;
	if (w->found > 1)
		buf_append_str(w->out, STR(", "));
	if (w->path.len == 0 || w->path.failed)
		buf_append_str(w->out, STR("(the whole)"));
	else
		buf_append_str(w->out, buf_str(&w->path));
	buf_append_str(w->out, str_from(what));
}

static void compare(struct walk *w, const struct json *a, const struct json *b);

static void compare_member(struct walk *w, struct str key, const struct json *a,
			   const struct json *b)
{
	size_t length = w->path.len;

	if (length > 0)
		buf_append_byte(&w->path, '.');
	buf_append_str(&w->path, key);
	if (!b)
		tell(w, " (only on the source)");
	else if (!a)
		tell(w, " (only on the target)");
	else
		compare(w, a, b);
	w->path.len = length;
	w->path.failed = false;
}

static void compare_objects(struct walk *w, const struct json *a, const struct json *b)
{
	json_each (member, a)
		compare_member(w, member->key, member, json_get_str(b, member->key));
	json_each (member, b)
		if (!json_get_str(a, member->key))
			compare_member(w, member->key, NULL, member);
}

static void compare_arrays(struct walk *w, const struct json *a, const struct json *b)
{
	const struct json *x = a->first, *y = b->first;
	size_t length = w->path.len;

	if (a->count != b->count) {
		tell(w, " (another number of elements)");
		return;
	}
	for (size_t i = 0; x && y; x = x->next, y = y->next, i++) {
		buf_printf(&w->path, "[%zu]", i);
		compare(w, x, y);
		w->path.len = length;
		w->path.failed = false;
	}
}

static void compare(struct walk *w, const struct json *a, const struct json *b)
{
	if (a->type == JSON_OBJECT && b->type == JSON_OBJECT)
		compare_objects(w, a, b);
	else if (a->type == JSON_ARRAY && b->type == JSON_ARRAY)
		compare_arrays(w, a, b);
	else if (a->type == JSON_NUMBER && b->type == JSON_NUMBER) {
		if (!json_numbers_equal(a->text, b->text))
			tell(w, "");
	} else if (a->type != b->type || !str_eq(a->text, b->text)) {
		tell(w, "");
	}
}

void json_differences(struct buf *out, const struct json *source, const struct json *target,
		      size_t most)
{
	struct walk w = {.out = out, .path = BUF_INIT(PATH_MAX_BYTES), .most = most};

	compare(&w, source, target);
	if (w.found > most)
		buf_printf(out, " and %zu more", w.found - most);
	buf_release(&w.path);
}
