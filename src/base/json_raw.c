#include "base/json.h"
#include "base/json_internal.h"

/* Past the value at s->at. The text is JSON: brackets outside strings are balanced. */
static bool skip_value(struct json_scan *s)
{
	size_t depth = 0;
	struct str ignored;
	bool has_escapes;

	do {
		char c = json_scan_peek(s);

		if (c == '"') {
			if (!json_scan_string(s, &ignored, &has_escapes))
				return false;
			continue;
		}
		if (c == '\0')
			return false;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		s->at++;
		while (depth == 0 && s->at < s->end && !strchr(",}] \t\r\n", *s->at))
			s->at++;
	} while (depth > 0);
	return true;
}

struct str json_raw_member(struct str object, const char *key)
{
	struct json_scan s = json_scan_over(object);
	struct str found = STR_NONE, name;
	bool has_escapes;

	if (json_scan_peek(&s) != '{')
		return STR_NONE;
	s.at++;
	while (json_scan_peek(&s) == '"' && json_scan_key(&s, &name, &has_escapes)) {
		const char *from;

		json_scan_peek(&s);
		from = s.at;
		if (!skip_value(&s))
			return STR_NONE;
		if (!has_escapes && str_is(name, key))
			found = str_of(from, (size_t)(s.at - from));
		if (json_scan_peek(&s) != ',')
			break;
		s.at++;
	}
	return found;
}
