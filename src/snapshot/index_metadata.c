#include "snapshot/metadata_format.h"
#include "snapshot/repository_internal.h"
#include "snapshot/snapshot_blob.h"
#include "snapshot/text_blob.h"

/* Blobs of codec "index-metadata" and "metadata":
 *
 *   {"<index>": {version, routing_num_shards, state "open"|"close", settings {"index.x.y": "…"},
 *    mappings [{"<type>": {…}}], aliases {"<alias>": {…}}, primary_terms, in_sync_allocations, …}}
 *   {"meta-data": {version, cluster_uuid, settings, templates, …}}
 *
 * Every version from 1.7 on writes settings flat, mappings as one object a type and aliases as one
 * object. Readers of the same versions also accept nested settings, a mapping as compressed bytes,
 * and so does this one.
 *
 * Source: Elasticsearch 1.7.6, 5.6.16 and 7.10.2 IndexMetaData, Settings, CompressedXContent. */

/* A node that can be put into another tree; its children are shared. */
static struct json *shell(struct arena *mem, const struct json *v)
{
	struct json *copy = json_new(mem, v->type);

	if (copy) {
		*copy = *v;
		copy->next = NULL;
	}
	return copy;
}

static struct json *setting_value(struct arena *mem, const struct json *v)
{
	if (v->type == JSON_NUMBER)
		return json_new_string(mem, v->text);
	if (v->type == JSON_TRUE || v->type == JSON_FALSE)
		return json_new_string(mem, v->type == JSON_TRUE ? STR("true") : STR("false"));
	return shell(mem, v);
}

/* Appends the settings below `from` to the flat object; recursion is as deep as the tree, which the
 * decoder bounds. Failure shows in mem->failed. */
static void flatten(const struct json *from, struct str prefix, struct json *flat,
		    struct arena *mem)
{
	json_each (v, from) {
		struct str key = v->key;
		struct json *value;

		if (mem->failed)
			return;
		if (prefix.len > 0)
			key = arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(prefix), STR_ARG(key));
		if (v->type == JSON_OBJECT) {
			flatten(v, key, flat, mem);
			continue;
		}
		value = setting_value(mem, v);
		if (value)
			value->key = key;
		json_append(flat, value);
	}
}

/* "a.b.17": true, with the prefix and the number. */
static bool list_element(struct str key, struct str *prefix, uint64_t *number)
{
	size_t digits = 0;
	struct str tail;

	while (digits < key.len && key.ptr[key.len - 1 - digits] >= '0' &&
	       key.ptr[key.len - 1 - digits] <= '9')
		digits++;
	tail = str_from_offset(key, key.len - digits);
	if (digits == 0 || digits + 1 >= key.len || tail.ptr[-1] != '.' ||
	    (digits > 1 && tail.ptr[0] == '0'))
		return false;
	*prefix = str_of(key.ptr, key.len - 1 - digits);
	return str_to_u64(tail, number);
}

static struct json *nth_element(const struct member_table *table, struct str prefix, uint64_t n,
				struct arena *mem)
{
	struct str key = arena_printf(mem, STR_FMT ".%llu", STR_ARG(prefix), (unsigned long long)n);

	return key.ptr ? member_table_get(table, key) : NULL;
}

/* The array "x" of x.0, x.1, … as far as they go on. */
static struct json *gather_list(const struct member_table *table, struct str prefix,
				struct arena *mem)
{
	struct json *array = json_new(mem, JSON_ARRAY), *element, *copy;

	for (uint64_t n = 0; array && (element = nth_element(table, prefix, n, mem)); n++) {
		copy = shell(mem, element);
		if (copy)
			copy->key = STR_NONE;
		json_append(array, copy);
	}
	if (array)
		array->key = prefix;
	return array;
}

static int find_lists(const struct json *flat, struct arena *mem, struct member_table *out,
		      struct err *err)
{
	struct json *lists = json_new(mem, JSON_OBJECT);
	struct member_table table;
	struct str prefix;
	uint64_t number;
	int rc = member_table_build(flat, mem, &table, err);

	if (rc < 0)
		return rc;
	json_each (v, flat) {
		if (list_element(v->key, &prefix, &number) && number == 0)
			json_append(lists, gather_list(&table, prefix, mem));
	}
	return member_table_build(lists, mem, out, err);
}

/* 5.x writes lists as x.0, x.1, …; later versions as arrays. */
static int gather_lists(const struct json *flat, struct arena *mem, struct json **out,
			struct err *err)
{
	struct json *settings = json_new(mem, JSON_OBJECT), *list;
	struct member_table lists;
	struct str prefix;
	uint64_t number;
	int rc = find_lists(flat, mem, &lists, err);

	if (rc < 0)
		return rc;
	json_each (v, flat) {
		list = NULL;
		if (list_element(v->key, &prefix, &number))
			list = member_table_get(&lists, prefix);
		if (!list || number >= list->count)
			json_append(settings, shell(mem, v));
		else if (number == 0)
			json_append(settings, shell(mem, list));
	}
	*out = settings;
	return 0;
}

static int read_settings(const struct json *body, struct arena *mem, struct index_metadata *out,
			 struct err *err)
{
	struct json *flat = json_new(mem, JSON_OBJECT);

	flatten(json_get(body, "settings"), STR_NONE, flat, mem);
	return gather_lists(flat, mem, &out->settings, err);
}

/* A mapping as text or bytes, compressed or not, to its tree. */
static int decode_mapping(const struct json *entry, struct arena *mem, struct json **out,
			  struct err *err)
{
	struct str text = entry->text;
	int rc = 0;

	if (dfl_is(text))
		rc = dfl_inflate(text, mem, &text, err);
	return rc < 0 ? rc : text_blob_decode(text, mem, out, err);
}

static int add_mapping(const struct json *entry, struct arena *mem, struct json *mappings,
		       struct err *err)
{
	struct json *decoded;
	int rc;

	if (entry->type == JSON_STRING || entry->type == JSON_BINARY) {
		rc = decode_mapping(entry, mem, &decoded, err);
		if (rc < 0)
			return rc;
		entry = decoded;
	}
	if (entry->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "a mapping is no object");
	json_each (type, entry)
		json_append(mappings, shell(mem, type));
	return 0;
}

static int read_mappings(const struct json *body, struct arena *mem, struct index_metadata *out,
			 struct err *err)
{
	const struct json *list = json_get(body, "mappings");
	int rc = 0;

	out->mappings = json_new(mem, JSON_OBJECT);
	if (list && list->type == JSON_OBJECT)
		return add_mapping(list, mem, out->mappings, err);
	json_each (entry, list) {
		rc = add_mapping(entry, mem, out->mappings, err);
		if (rc < 0)
			return err_wrap(err, "mappings");
	}
	return rc;
}

/* A source-only snapshot keeps mappings where they have no effect: {"<type>": {"enabled": false,
 * "_meta": {"<type>": {…}}}}.
 * Source: Elasticsearch 7.10.2 SourceOnlySnapshotRepository. */
static void restore_mappings(struct index_metadata *metadata, struct arena *mem)
{
	struct json *restored = json_new(mem, JSON_OBJECT);

	if (!json_bool_or(json_get(metadata->settings, "index.source_only"), false))
		return;
	json_each (type, metadata->mappings) {
		struct json *kept = json_get_str(json_get(type, "_meta"), type->key);

		json_append(restored, shell(mem, kept ? kept : type));
	}
	metadata->mappings = restored;
}

static int count_setting(const struct json *settings, const char *key, int64_t fallback,
			 int32_t *out, struct err *err)
{
	int64_t count = json_i64_or(json_get(settings, key), fallback);

	if (count < 0 || count > LIMIT_SHARDS)
		return err_set(err, ERR_FORMAT, "setting '%s' is missing or out of range", key);
	*out = (int32_t)count;
	return 0;
}

static int read_counts(const struct json *body, struct index_metadata *out, struct err *err)
{
	int64_t routing = json_i64_or(json_get(body, "routing_num_shards"), 0);
	int rc = count_setting(out->settings, "index.number_of_shards", -1, &out->shard_count, err);

	if (rc == 0)
		rc = count_setting(out->settings, "index.number_of_replicas", 1,
				   &out->replica_count, err);
	if (rc == 0 && (routing < 0 || routing > INT32_MAX))
		rc = err_set(err, ERR_FORMAT, "routing_num_shards is out of range");
	out->routing_shard_count = (int32_t)routing;
	return rc;
}

/* One object, or several in an array. */
static void read_aliases(const struct json *body, struct arena *mem, struct index_metadata *out)
{
	struct json *aliases = json_get(body, "aliases");

	out->aliases = aliases;
	if (aliases && aliases->type == JSON_OBJECT)
		return;
	out->aliases = json_new(mem, JSON_OBJECT);
	if (!aliases || aliases->type != JSON_ARRAY)
		return;
	json_each (some, aliases) {
		json_each (alias, some->type == JSON_OBJECT ? some : NULL)
			json_append(out->aliases, shell(mem, alias));
	}
}

static int read_body(const struct json *body, struct arena *mem, struct index_metadata *out,
		     struct err *err)
{
	int rc = read_settings(body, mem, out, err);

	if (rc == 0)
		rc = read_mappings(body, mem, out, err);
	if (rc == 0)
		rc = read_counts(body, out, err);
	if (rc < 0)
		return rc;
	restore_mappings(out, mem);
	out->closed = str_is(json_string(json_get(body, "state")), "close");
	out->created_version =
		json_text_or(json_get(out->settings, "index.version.created"), STR(""));
	read_aliases(body, mem, out);
	return mem->failed ? arena_fail(mem, "index metadata", err) : 0;
}

/* Without a checksum, 2 shards where there were 3 look as good; but then the third is there. More
 * than there were do not open. */
static int check_shard_count(const struct snapshot *snapshot, const struct snapshot_index *index,
			     int32_t count, struct arena *mem, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	const struct metadata_format *format = snapshot->format;
	struct str folder = arena_printf(mem, "indices/" STR_FMT "/%d", STR_ARG(index->id), count);
	struct str blob = metadata_format_blob(format, folder, format->snapshot_prefix,
					       snapshot->summary.uuid, mem);
	struct err other;
	int rc;

	if (mem->failed)
		return arena_fail(mem, "a blob's name", err);
	rc = blob_store_source(snapshot->repository->store, blob, &source, &other);
	if (rc == -ERR_NOT_FOUND)
		return 0;
	if (rc < 0)
		return err_set(err, other.kind, "%s", other.message);
	return err_set(err, ERR_FORMAT,
		       "says that there are %d shards, and blob '" STR_FMT
		       "' is of one more: one of them is damaged",
		       count, STR_ARG(blob));
}

int snapshot_index_metadata(const struct snapshot *snapshot, const struct snapshot_index *index,
			    struct arena *mem, struct index_metadata *out, struct err *err)
{
	struct json *root;
	int rc;

	if (snapshot->live) {
		*out = snapshot->live[index - snapshot->indices];
		return 0;
	}
	rc = snapshot->format->read(snapshot->repository->store, index->metadata_blob,
				    "index-metadata", mem, &root, err);
	if (rc < 0)
		return err_wrap(err, "metadata of index '" STR_FMT "'", STR_ARG(index->name));
	*out = (struct index_metadata){.name = index->name, .raw = json_get_str(root, index->name)};
	if (!out->raw || out->raw->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT,
			       "blob '" STR_FMT "' does not hold the metadata of index '" STR_FMT
			       "'",
			       STR_ARG(index->metadata_blob), STR_ARG(index->name));
	rc = read_body(out->raw, mem, out, err);
	if (rc == 0 && !snapshot->format->has_checksum)
		rc = check_shard_count(snapshot, index, out->shard_count, mem, err);
	if (rc < 0)
		return err_wrap(err, "metadata of index '" STR_FMT "' in blob '" STR_FMT "'",
				STR_ARG(index->name), STR_ARG(index->metadata_blob));
	return 0;
}

int snapshot_global_metadata(const struct snapshot *snapshot, struct arena *mem, struct json **out,
			     struct err *err)
{
	const struct metadata_format *format = snapshot->format;
	struct str blob = metadata_format_blob(format, STR(""), format->global_prefix,
					       snapshot->summary.uuid, mem);
	struct json *root;
	int rc;

	if (!blob.ptr)
		return arena_fail(mem, "a blob's name", err);
	*out = NULL;
	rc = format->read(snapshot->repository->store, blob, "metadata", mem, &root, err);
	if (rc == -ERR_NOT_FOUND && !snapshot->includes_global_state)
		return 0;
	if (rc < 0)
		return err_wrap(err, "global metadata");
	*out = json_get(root, "meta-data");
	if (!*out)
		return err_set(err, ERR_FORMAT, "blob '" STR_FMT "' holds no global metadata",
			       STR_ARG(blob));
	return 0;
}
