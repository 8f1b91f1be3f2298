#include "base/json.h"
#include "base/json_internal.h"
#include "base/limits.h"

/* The open arrays and objects: one bit a level, set for an object. */
struct levels {
	size_t depth;
	bool in_object;
	uint64_t objects[LIMIT_JSON_SCAN_DEPTH / 64];
};

static bool enter(struct levels *l, bool object)
{
	uint64_t bit = UINT64_C(1) << (l->depth % 64), *word = &l->objects[l->depth / 64];

	if (l->depth == LIMIT_JSON_SCAN_DEPTH)
		return false;
	if (l->depth % 64 == 0)
		*word = 0;
	*word = object ? *word | bit : *word & ~bit;
	l->depth++;
	l->in_object = object;
	return true;
}

static void leave(struct levels *l)
{
	size_t top = --l->depth - 1;

	l->in_object = l->depth && (l->objects[top / 64] >> (top % 64) & 1);
}

static bool scan_scalar(struct json_scan *s, char first)
{
	struct str ignored;
	bool has_escapes;

	switch (first) {
	case '"':
		return json_scan_string(s, &ignored, &has_escapes);
	case 't':
		return json_scan_word(s, "true");
	case 'f':
		return json_scan_word(s, "false");
	case 'n':
		return json_scan_word(s, "null");
	default:
		if (first == '-' || (first >= '0' && first <= '9'))
			return json_scan_number(s, &ignored);
		return json_scan_refuse_byte(s, "a value must stand here");
	}
}

/* After a value: closes what ends here. *more is set when another value follows. */
static bool scan_closings(struct json_scan *s, struct levels *l, bool *more)
{
	struct str ignored;
	bool has_escapes;

	*more = false;
	while (l->depth) {
		char c = json_scan_peek(s);

		if (c == ',') {
			s->at++;
			*more = true;
			return !l->in_object || json_scan_key(s, &ignored, &has_escapes);
		}
		if (c != (l->in_object ? '}' : ']'))
			return json_scan_refuse_byte(s, l->in_object
								? "',' or '}' must stand here"
								: "',' or ']' must stand here");
		s->at++;
		leave(l);
	}
	return true;
}

/* *empty is left for scan_closings to close. */
static bool scan_opening(struct json_scan *s, struct levels *l, char first, bool *empty)
{
	bool object = first == '{', has_escapes;
	struct str ignored;

	if (!enter(l, object))
		return json_scan_refuse(s, "nested too deep");
	s->at++;
	*empty = json_scan_peek(s) == (object ? '}' : ']');
	return *empty || !object || json_scan_key(s, &ignored, &has_escapes);
}

bool json_scan_value(struct json_scan *s)
{
	struct levels l;
	bool more = true, empty = false;

	l.depth = 0;
	l.in_object = false;
	while (more) {
		char first = json_scan_peek(s);

		if (first == '{' || first == '[') {
			if (!scan_opening(s, &l, first, &empty))
				return false;
			if (!empty)
				continue;
		} else if (!scan_scalar(s, first)) {
			return false;
		}
		if (!scan_closings(s, &l, &more))
			return false;
	}
	return true;
}

int json_validate(struct str text, struct err *err)
{
	struct json_scan s = json_scan_over(text);

	if (!json_scan_value(&s) || !json_scan_end(&s))
		return json_scan_fail(&s, err);
	return 0;
}
