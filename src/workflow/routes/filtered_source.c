#include "workflow/routes/filtered_source.h"

/* The names below "includes" or "excludes" of a mapping's _source, as "excludes a, b". */
static void append_names(struct buf *out, const struct json *source, const char *key,
			 const char *verb)
{
	const struct json *names = json_get(source, key);

	if (!names || (names->type == JSON_ARRAY && names->count == 0))
		return;
	buf_printf(out, "%s%s ", out->len ? ", " : "", verb);
	if (names->type != JSON_ARRAY) {
		buf_append_str(out, json_string(names));
		return;
	}
	json_each (name, names) {
		buf_append_str(out, json_string(name));
		if (name->next)
			buf_append_str(out, STR(" "));
	}
}

void filtered_source_words(const struct json *mappings, struct buf *out)
{
	cleanup(buf_release) struct buf names = BUF_INIT(KIB(4));

	json_each (type, mappings) {
		const struct json *source = json_get(type, "_source");

		append_names(&names, source, "excludes", "without");
		append_names(&names, source, "includes", "only");
	}
	buf_append_str(out, STR("_source was stored in part by its mapping"));
	if (names.len && !names.failed)
		buf_printf(out, " (" STR_FMT ")", STR_ARG(buf_str(&names)));
}
