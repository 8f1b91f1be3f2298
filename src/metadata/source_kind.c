#include "metadata/source_kind.h"

/* Filters come as one pattern or as an array of them. */
static bool has_patterns(const struct json *filter)
{
	return filter &&
	       (filter->type == JSON_ARRAY ? filter->count > 0 : json_string(filter).len > 0);
}

static enum source_kind kind_of_mode(struct str mode)
{
	if (str_is(mode, "synthetic"))
		return SOURCE_SYNTHETIC;
	if (str_is(mode, "disabled"))
		return SOURCE_DISABLED;
	return SOURCE_STORED;
}

/* Source: Elasticsearch 8.17 index/mapper/SourceFieldMapper: the mapping's own mode wins over
 * index.mapping.source.mode, which wins over what index.mode implies. */
static enum source_kind kind_of_settings(const struct json *settings)
{
	struct str mode = json_string(json_get(settings, "index.mode"));
	struct str source_mode = json_string(json_get(settings, "index.mapping.source.mode"));

	if (source_mode.len > 0)
		return kind_of_mode(source_mode);
	return str_is(mode, "logsdb") || str_is(mode, "time_series") ? SOURCE_SYNTHETIC
								     : SOURCE_STORED;
}

static enum source_kind kind_of_mapping(const struct json *mapping, enum source_kind fallback)
{
	const struct json *source = json_get(mapping, "_source");
	struct str mode = json_string(json_get(source, "mode"));

	if (!json_bool_or(json_get(source, "enabled"), true))
		return SOURCE_DISABLED;
	if (mode.len > 0)
		fallback = kind_of_mode(mode);
	if (fallback != SOURCE_STORED)
		return fallback;
	return has_patterns(json_get(source, "includes")) ||
			       has_patterns(json_get(source, "excludes"))
		       ? SOURCE_FILTERED
		       : SOURCE_STORED;
}

enum source_kind index_source_kind(const struct index_metadata *metadata)
{
	enum source_kind fallback = kind_of_settings(metadata->settings);
	enum source_kind least = fallback;

	json_each (mapping, metadata->mappings) {
		enum source_kind kind = kind_of_mapping(mapping, fallback);

		if (mapping == metadata->mappings->first || kind > least)
			least = kind;
	}
	return least;
}

const char *source_kind_name(enum source_kind kind)
{
	switch (kind) {
	case SOURCE_STORED:
		return "stored";
	case SOURCE_FILTERED:
		return "filtered";
	case SOURCE_DISABLED:
		return "disabled";
	case SOURCE_SYNTHETIC:
		return "synthetic";
	}
	BUG("unknown source kind");
}

struct str index_only_type(const struct index_metadata *metadata)
{
	struct str found = STR_NONE;

	json_each (type, metadata->mappings) {
		if (str_is(type->key, "_default_"))
			continue;
		if (found.ptr || str_is(type->key, "_doc"))
			return STR_NONE;
		found = type->key;
	}
	return found;
}
