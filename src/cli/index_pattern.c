#include "cli/index_pattern.h"

#include "base/buf.h"

const char *index_pattern_entry(const char *pattern, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	if (!strchr(pattern, '*'))
		return pattern;
	buf_append_str(&text, STR("regex:"));
	/* As for clusters, a * at the beginning is for names that are not hidden. */
	if (*pattern == '*') {
		buf_append_str(&text, STR("(|[^.].*)"));
		pattern++;
	}
	for (const char *c = pattern; *c; c++) {
		if (*c == '*')
			buf_append_str(&text, STR(".*"));
		else if (strchr(".+?()[]{}|^$\\", *c))
			buf_printf(&text, "\\%c", *c);
		else
			buf_append_byte(&text, *c);
	}
	return text.failed ? NULL : arena_str(mem, buf_str(&text)).ptr;
}
