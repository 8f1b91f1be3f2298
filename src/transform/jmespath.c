#include "transform/jmespath.h"

#include "transform/jmespath_internal.h"

#include "base/utf8.h"

#include <stdlib.h>

static bool is_lone_surrogate(struct str text)
{
	return text.len >= 3 && (unsigned char)text.ptr[0] == 0xed &&
	       ((unsigned char)text.ptr[1] & 0xe0) == 0xa0 &&
	       ((unsigned char)text.ptr[2] & 0xc0) == 0x80;
}

/* Texts of the expression get into what is written as JSON. A lone surrogate is kept, as json.h
 * has it. */
static bool check_utf8(struct str text, struct err *err)
{
	for (size_t at = 0; at < text.len;) {
		struct str rest = str_from_offset(text, at);
		size_t length = is_lone_surrogate(rest) ? 3 : utf8_length(rest.ptr, rest.len);

		if (!length) {
			err_set(err, ERR_USAGE, "JMESPath expression: byte %zu: this is no UTF-8",
				at);
			return false;
		}
		at += length;
	}
	return true;
}

int jmespath_new(struct str text, struct jmespath **out, struct err *err)
{
	struct jmespath *expression = mem_zalloc(sizeof(*expression));
	struct err local, *why = err ? err : &local;
	struct str copy;

	expression->mem = ARENA_INIT(MIB(64));
	if (text.len > JMESPATH_TEXT_MAX)
		err_set(why, ERR_USAGE, "JMESPath expression: it is longer than %zu bytes",
			JMESPATH_TEXT_MAX);
	else if (!(copy = arena_str(&expression->mem, text)).ptr)
		arena_fail(&expression->mem, "a JMESPath expression", why);
	else if (check_utf8(copy, why))
		expression->root = jmespath_parse(expression, copy, why);
	if (!expression->root) {
		jmespath_free(expression);
		return -(int)why->kind;
	}
	*out = expression;
	return 0;
}

void jmespath_free(struct jmespath *expression)
{
	if (!expression)
		return;
	arena_release(&expression->mem);
	free(expression);
}
