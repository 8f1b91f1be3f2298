#include "metadata/name_pattern.h"

#include <ctype.h>
#include <stdlib.h>

/* A pattern in POSIX's words: \d and (?: translated, what has no counterpart refused. */
static int translate_escape(const char *pattern, const char *at, struct buf *out, struct err *err)
{
	char c = at[1];

	if (c == 'd')
		buf_append_str(out, STR("[0-9]"));
	else if (c == 'D')
		buf_append_str(out, STR("[^0-9]"));
	else if (c == 'w' || c == 'W' || (c != '\0' && !isalnum((unsigned char)c)))
		buf_append(out, at, 2);
	else
		return err_set(err, ERR_USAGE,
			       "regular expression '%s': '\\%c' is not understood; use a bracket "
			       "expression such as [0-9a-z]",
			       pattern, c ? c : ' ');
	return 0;
}

/* Copies "[…]" from `at`; returns what follows it, or NULL with *err. */
static const char *translate_bracket(const char *pattern, const char *at, struct buf *out,
				     struct err *err)
{
	const char *end = at + 1;

	end += *end == '^';
	end += *end == ']'; /* first in the list: an ordinary character */
	while (end && *end != ']' && *end != '\0')
		end = end[0] == '[' && end[1] == ':' ? strstr(end, ":]") + 1 : end + 1;
	if (!end || *end == '\0') {
		err_set(err, ERR_USAGE, "regular expression '%s': '[' has no ']'", pattern);
		return NULL;
	}
	end++;
	if (memchr(at, '\\', (size_t)(end - at))) {
		err_set(err, ERR_USAGE,
			"regular expression '%s': no '\\' inside [ ]; write the characters as they "
			"are, '-' last",
			pattern);
		return NULL;
	}
	buf_append(out, at, (size_t)(end - at));
	return end;
}

static int translate(const char *pattern, struct buf *out, struct err *err)
{
	const char *p = pattern;

	while (p && *p) {
		if (*p == '\\') {
			if (translate_escape(pattern, p, out, err) < 0)
				return -ERR_USAGE;
			p += 2;
		} else if (*p == '[') {
			p = translate_bracket(pattern, p, out, err);
		} else if (p[0] == '(' && p[1] == '?') {
			if (p[2] != ':')
				return err_set(err, ERR_USAGE,
					       "regular expression '%s': '(?%c' is not understood",
					       pattern, p[2] ? p[2] : ' ');
			buf_append_byte(out, '(');
			p += 3;
		} else {
			buf_append_byte(out, *p++);
		}
	}
	return p ? buf_check(out, "regular expression", err) : -ERR_USAGE;
}

int name_pattern_compile(const char *pattern, regex_t *out, struct err *err)
{
	cleanup(buf_release) struct buf posix = BUF_INIT(KIB(64));
	char reason[128];
	int status;

	if (translate(pattern, &posix, err) < 0)
		return -(int)err->kind;
	status = regcomp(out, buf_cstr(&posix), REG_EXTENDED);
	if (status == 0)
		return 0;
	regerror(status, out, reason, sizeof(reason));
	return err_set(err, ERR_USAGE, "regular expression '%s': %s", pattern, reason);
}

bool name_pattern_matches(const regex_t *pattern, struct str name, regmatch_t *groups, size_t count)
{
	cleanup(mem_freep) char *text = NULL;

	if (name.len == 0 || memchr(name.ptr, '\0', name.len))
		return false;
	text = str_dup(name);
	/* The leftmost longest match is the whole name where the pattern matches it at all. */
	return regexec(pattern, text, count, groups, 0) == 0 && groups[0].rm_so == 0 &&
	       (size_t)groups[0].rm_eo == name.len;
}
