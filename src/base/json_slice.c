#include "base/json_slice.h"

#include "base/json_internal.h"

struct json_slices json_slices_of(struct str text)
{
	struct json_scan s = json_scan_over(text);
	char first = json_scan_peek(&s);
	struct json_slices slices = {.text = text, .object = first == '{'};

	slices.ended = first != '{' && first != '[';
	slices.at = slices.ended ? text.len : (size_t)(s.at + 1 - s.start);
	return slices;
}

/* Past the comma, or at the end. False: something else stands there. */
static bool step(struct json_slices *slices, struct json_scan *s, bool *end)
{
	char next = json_scan_peek(s);

	*end = next == (slices->object ? '}' : ']');
	if (*end || !slices->started)
		return true;
	if (next != ',')
		return json_scan_refuse_byte(s, "',' must stand here");
	s->at++;
	return true;
}

static bool scan_next(struct json_slices *slices, struct json_scan *s, struct str *key,
		      struct str *value, bool *end)
{
	struct str name = STR_NONE;
	const char *from;
	bool has_escapes;

	if (!step(slices, s, end) || *end)
		return *end;
	if (slices->object && !json_scan_key(s, &name, &has_escapes))
		return false;
	json_scan_peek(s);
	from = s->at;
	if (!json_scan_value(s))
		return false;
	*value = str_of(from, (size_t)(s->at - from));
	if (key)
		*key = name;
	slices->started = true;
	slices->at = (size_t)(s->at - s->start);
	return true;
}

int json_slices_next(struct json_slices *slices, struct str *key, struct str *value,
		     struct err *err)
{
	struct json_scan s = json_scan_over(slices->text);
	bool end = false;

	if (slices->ended)
		return 0;
	s.at = s.start + slices->at;
	if (!scan_next(slices, &s, key, value, &end))
		return json_scan_fail(&s, err);
	slices->ended = end;
	return !end;
}

struct str json_slice_get(struct str object, const char *key)
{
	struct json_slices slices = json_slices_of(object);
	struct str name, value;

	while (slices.object && json_slices_next(&slices, &name, &value, NULL) > 0)
		if (str_is(name, key))
			return value;
	return STR_NONE;
}
