#include "base/json_numbers.h"

#include "base/json_internal.h"
#include "base/limits.h"

/* An open array or object. */
struct level {
	uint64_t place;
	uint64_t index; /* of the element in an array */
	bool object;
};

struct walk {
	struct json_scan scan;
	json_number_fn fn;
	void *user;
	struct str key; /* of the value that comes next, in an object */
	bool too_deep;
	size_t depth;
	struct level levels[LIMIT_JSON_DEPTH];
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return x;
}

static uint64_t hash_key(struct str key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
	return mix(hash);
}

/* Where the value that comes next stands. */
static uint64_t place_of(const struct walk *w)
{
	const struct level *top;

	if (w->depth == 0)
		return 0;
	top = &w->levels[w->depth - 1];
	return mix(top->place * 31 + (top->object ? hash_key(w->key) : top->index));
}

static bool walk_key(struct walk *w)
{
	bool has_escapes;

	return json_scan_key(&w->scan, &w->key, &has_escapes);
}

static bool walk_scalar(struct walk *w, char first)
{
	struct str text;
	bool has_escapes;

	switch (first) {
	case '"':
		return json_scan_string(&w->scan, &text, &has_escapes);
	case 't':
		return json_scan_word(&w->scan, "true");
	case 'f':
		return json_scan_word(&w->scan, "false");
	case 'n':
		return json_scan_word(&w->scan, "null");
	default:
		if (first != '-' && (first < '0' || first > '9'))
			return json_scan_refuse_byte(&w->scan, "a value must stand here");
		if (!json_scan_number(&w->scan, &text))
			return false;
		w->fn(w->user, text, place_of(w));
		return true;
	}
}

/* *empty is left for walk_closings to close. */
static bool walk_opening(struct walk *w, char first, bool *empty)
{
	bool object = first == '{';

	if (w->depth == LIMIT_JSON_DEPTH) {
		w->too_deep = true;
		return false;
	}
	w->levels[w->depth] = (struct level){.place = place_of(w), .object = object};
	w->depth++;
	w->scan.at++;
	*empty = json_scan_peek(&w->scan) == (object ? '}' : ']');
	return *empty || !object || walk_key(w);
}

/* After a value: closes what ends here. *more is set when another value follows. */
static bool walk_closings(struct walk *w, bool *more)
{
	*more = false;
	while (w->depth) {
		struct level *top = &w->levels[w->depth - 1];
		char c = json_scan_peek(&w->scan);

		if (c == ',') {
			w->scan.at++;
			top->index++;
			*more = true;
			return !top->object || walk_key(w);
		}
		if (c != (top->object ? '}' : ']'))
			return json_scan_refuse_byte(&w->scan,
						     top->object ? "',' or '}' must stand here"
								 : "',' or ']' must stand here");
		w->scan.at++;
		w->depth--;
	}
	return true;
}

static bool walk_all(struct walk *w)
{
	bool more = true, empty = false;

	while (more) {
		char first = json_scan_peek(&w->scan);

		if (first == '{' || first == '[') {
			if (!walk_opening(w, first, &empty))
				return false;
			if (!empty)
				continue;
		} else if (!walk_scalar(w, first)) {
			return false;
		}
		if (!walk_closings(w, &more))
			return false;
	}
	return json_scan_end(&w->scan);
}

int json_numbers(struct str text, json_number_fn fn, void *user, struct err *err)
{
	struct walk w;

	w.scan = json_scan_over(text);
	w.fn = fn;
	w.user = user;
	w.key = STR_NONE;
	w.too_deep = false;
	w.depth = 0;
	if (walk_all(&w))
		return 0;
	if (w.too_deep)
		return err_set(err, ERR_LIMIT, "JSON is nested deeper than %d levels at byte %zu",
			       LIMIT_JSON_DEPTH, (size_t)(w.scan.at - w.scan.start));
	return json_scan_fail(&w.scan, err);
}
