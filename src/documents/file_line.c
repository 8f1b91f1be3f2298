#include "documents/file_line.h"

static bool is_one_of(struct str key, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(key, names[i]))
			return true;
	return false;
}

#define IS_ONE_OF(key, names) is_one_of(key, names, COUNT_OF(names))

static const char *const operations[] = {"index", "create", "delete", "update"};

/* What is understood; a version type is that of the run. */
static const char *const kept[] = {"_index",   "_type",        "_id",          "routing",
				   "_routing", "parent",       "_parent",      "version",
				   "_version", "version_type", "_version_type"};
/* What would be lost. */
static const char *const lost[] = {"pipeline",
				   "if_seq_no",
				   "if_primary_term",
				   "require_alias",
				   "require_data_stream",
				   "dynamic_templates",
				   "list_executed_pipelines",
				   "retry_on_conflict",
				   "_retry_on_conflict",
				   "_source",
				   "op_type",
				   "timestamp",
				   "_timestamp",
				   "ttl",
				   "_ttl"};

bool file_line_is_action(const struct json *line)
{
	if (!line || line->type != JSON_OBJECT || line->count != 1 ||
	    line->first->type != JSON_OBJECT || !IS_ONE_OF(line->first->key, operations))
		return false;
	json_each (member, line->first)
		if (!IS_ONE_OF(member->key, kept) && !IS_ONE_OF(member->key, lost))
			return false;
	return true;
}

static bool is_dumped(const struct json *line)
{
	const struct json *source = json_get(line, "_source");

	return source && source->type == JSON_OBJECT && json_get(line, "_id") &&
	       json_get(line, "_index");
}

/* {"name": {"mappings": …}, …}, and the like for what else elasticdump writes. */
static bool holds_only(const struct json *line, const char *const *names, size_t count)
{
	if (line->count == 0)
		return false;
	json_each (body, line) {
		if (body->type != JSON_OBJECT || body->count == 0)
			return false;
		json_each (member, body)
			if (!is_one_of(member->key, names, count))
				return false;
	}
	return true;
}

static bool has_member(const struct json *line, const char *name)
{
	json_each (body, line)
		if (!json_get(body, name))
			return false;
	return true;
}

static const char *metadata_of(const struct json *line)
{
	static const char *const parts[] = {"mappings", "settings", "aliases", "warmers"};
	static const char *const templates[] = {
		"index_patterns", "template",    "order",    "version", "settings",   "mappings",
		"aliases",        "composed_of", "priority", "_meta",   "data_stream"};

	if (holds_only(line, parts, 1))
		return "mappings of an index, as elasticdump's --type=mapping writes them: create "
		       "the index with them (PUT /INDEX), then read the file of its documents";
	if (holds_only(line, parts + 1, 1))
		return "settings of an index, as elasticdump's --type=settings writes them: create "
		       "the index with them (PUT /INDEX), then read the file of its documents";
	if (holds_only(line, parts + 2, 1))
		return "aliases of an index, as elasticdump's --type=alias writes them: set them "
		       "with POST /_aliases once the documents are there";
	if (holds_only(line, parts, COUNT_OF(parts)))
		return "an index without its documents, as elasticdump's --type=index writes it: "
		       "create the index with it (PUT /INDEX), then read the file of its documents";
	if (holds_only(line, templates, COUNT_OF(templates)) &&
	    (has_member(line, "index_patterns") || has_member(line, "template")))
		return "templates, as elasticdump's --type=template writes them: put them with PUT "
		       "/_template/NAME or /_index_template/NAME";
	return NULL;
}

enum file_format file_line_format(const struct json *line, const char **what)
{
	*what = NULL;
	if (!line || line->type != JSON_OBJECT) {
		*what = "no JSON object in its first line, so that nobody can tell what it holds: "
			"mend that line, or say --file-format documents, bulk or elasticdump";
		return FILE_FORMAT_AUTO;
	}
	if (file_line_is_action(line))
		return FILE_FORMAT_BULK;
	if (is_dumped(line))
		return FILE_FORMAT_ELASTICDUMP;
	*what = metadata_of(line);
	return *what ? FILE_FORMAT_AUTO : FILE_FORMAT_DOCUMENTS;
}

static struct str member_text(const struct json *line, const char *name, const char *other)
{
	struct str text = json_text_or(json_get(line, name), STR_NONE);

	return text.ptr ? text : json_text_or(json_get(line, other), STR_NONE);
}

static void read_metadata(const struct json *from, struct document *out)
{
	int64_t version = json_i64_or(json_get(from, "version"), -1);

	out->index = json_string(json_get(from, "_index"));
	out->type = json_string(json_get(from, "_type"));
	if (str_is(out->type, "_doc"))
		out->type = STR_NONE;
	out->id = json_text_or(json_get(from, "_id"), STR_NONE);
	out->routing = member_text(from, "routing", "_routing");
	out->parent = member_text(from, "parent", "_parent");
	if (!out->routing.ptr)
		out->routing = out->parent;
	out->version = version >= 0 ? version : json_i64_or(json_get(from, "_version"), -1);
}

void file_line_read_action(const struct json *line, struct document *out)
{
	const struct json *action = line->first;

	*out = (struct document){.live = true, .version = -1};
	read_metadata(action, out);
	out->created = str_is(action->key, "create");
	out->deleted = str_is(action->key, "delete");
	if (str_is(action->key, "update"))
		out->problem = "it is an update, which needs the document that it changes: only "
			       "index, create and delete are understood";
	else if (out->deleted && !out->id.ptr)
		out->problem = "it deletes a document and does not say which: _id is missing";
	json_each (member, action)
		if (!out->problem && IS_ONE_OF(member->key, lost))
			out->problem = "its action asks for more than index, id, routing and "
				       "version, such as a pipeline, which would be lost";
}

void file_line_read_dumped(const struct json *line, struct document *out)
{
	struct str above, inner = STR_NONE;
	const struct json *fields = json_get(line, "fields");

	*out = (struct document){.live = true, .version = -1};
	read_metadata(line, out);
	above = out->routing;
	if (!above.ptr)
		inner = member_text(fields, "_routing", "routing");
	if (!above.ptr && !inner.ptr)
		inner = member_text(fields, "_parent", "parent");
	if (inner.ptr)
		out->routing = inner;
}

/* What its name leads to in `at`, and in whom it is. */
static struct json *find(struct json *at, struct str path, struct json **parent, struct str *key)
{
	struct json *found = json_get_str(at, path);
	struct str head, tail;

	if (found) {
		*parent = at;
		*key = path;
		return found;
	}
	if (!str_split(path, '.', &head, &tail))
		return NULL;
	found = json_get_str(at, head);
	return found ? find(found, tail, parent, key) : NULL;
}

const struct json *file_line_field(struct json *document, struct str path, bool remove)
{
	struct json *parent, *found;
	struct str key;

	found = find(document, path, &parent, &key);
	if (!found || (found->type != JSON_STRING && found->type != JSON_NUMBER))
		return NULL;
	return remove ? json_remove(parent, key) : found;
}
