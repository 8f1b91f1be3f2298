#include "documents/source_format.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/lzf.h"
#include "documents/cbor.h"
#include "documents/json_text.h"
#include "documents/yaml_source.h"
#include "snapshot/smile.h"
#include "snapshot/snapshot_blob.h"

static bool is_cbor(struct str source)
{
	uint8_t first = (uint8_t)source.ptr[0];

	/* The tag that says so, or a map of whatever length. */
	return (first >= 0xa0 && first <= 0xbf) || str_starts(source, STR("\xd9\xd9\xf7"));
}

static bool is_json(struct str source)
{
	size_t first = 0;

	while (first < source.len && memchr(" \t\r\n", source.ptr[first], 4))
		first++;
	return first < source.len && source.ptr[first] == '{';
}

enum source_format source_format_of(struct str source)
{
	if (source_is_plain_json(source))
		return SOURCE_JSON;
	if (source.len == 0)
		return SOURCE_UNKNOWN;
	if (str_starts(source, STR(":)\n")))
		return SOURCE_SMILE;
	if (is_cbor(source))
		return SOURCE_CBOR;
	if (str_starts(source, STR("---")))
		return SOURCE_YAML;
	if (lzf_is_chunked(source))
		return SOURCE_LZF;
	if (dfl_is(source))
		return SOURCE_DEFLATE;
	if (json_text_encoding(source).width)
		return SOURCE_UNICODE;
	return is_json(source) ? SOURCE_JSON : SOURCE_UNKNOWN;
}

void source_converter_init(struct source_converter *converter)
{
	*converter = (struct source_converter){
		.unpacked = BUF_INIT(LIMIT_SOURCE),
		.text = BUF_INIT(LIMIT_SOURCE),
		.mem = ARENA_INIT(LIMIT_SOURCE_ARENA),
	};
}

void source_converter_release(struct source_converter *converter)
{
	buf_release(&converter->unpacked);
	buf_release(&converter->text);
	arena_release(&converter->mem);
}

static int parse(struct source_converter *converter, enum source_format format, struct str source,
		 struct json **root, struct err *err)
{
	if (format == SOURCE_SMILE)
		return smile_parse(source, &converter->mem, root, err);
	if (format == SOURCE_CBOR)
		return cbor_parse(source, &converter->mem, root, err);
	return yaml_source_parse(source, &converter->mem, root, err);
}

static int convert_tree(struct source_converter *converter, enum source_format format,
			struct str source, struct str *json, struct err *err)
{
	struct json *root;
	int rc = parse(converter, format, source, &root, err);

	if (rc < 0)
		return rc;
	if (root->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "%s holds no object",
			       format == SOURCE_SMILE  ? "SMILE"
			       : format == SOURCE_CBOR ? "CBOR"
						       : "YAML");
	json_write(&converter->text, root);
	*json = buf_str(&converter->text);
	return buf_check(&converter->text, "a source as JSON", err);
}

static int convert_text(struct source_converter *converter, struct str source, struct str *json,
			struct err *err)
{
	int rc = json_text_to_utf8(&converter->text, source, json_text_encoding(source), err);

	*json = buf_str(&converter->text);
	return rc;
}

/* Takes the compression off. One layer: nothing puts on two. */
static int unpack(struct source_converter *converter, enum source_format format, struct str *source,
		  struct err *err)
{
	int rc;

	if (format == SOURCE_DEFLATE)
		return dfl_inflate(*source, &converter->mem, source, err) < 0
			       ? err_wrap(err, "DEFLATE")
			       : 0;
	rc = lzf_decode(&converter->unpacked, *source, err);
	*source = buf_str(&converter->unpacked);
	return rc;
}

int source_to_json(struct source_converter *converter, struct str source, struct str *json,
		   struct err *err)
{
	enum source_format format = source_format_of(source);
	int rc;

	buf_reset(&converter->unpacked);
	buf_reset(&converter->text);
	arena_reset(&converter->mem);
	if (format == SOURCE_LZF || format == SOURCE_DEFLATE) {
		rc = unpack(converter, format, &source, err);
		if (rc < 0)
			return rc;
		format = source_format_of(source);
	}
	*json = source;
	switch (format) {
	case SOURCE_SMILE:
	case SOURCE_CBOR:
	case SOURCE_YAML:
		return convert_tree(converter, format, source, json, err);
	case SOURCE_UNICODE:
		return convert_text(converter, source, json, err);
	case SOURCE_LZF:
	case SOURCE_DEFLATE:
		return err_set(err, ERR_UNSUPPORTED, "the source is compressed twice");
	case SOURCE_JSON:
	case SOURCE_UNKNOWN:
		break;
	}
	return 0;
}
