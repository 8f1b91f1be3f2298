#include "metadata/metadata_write.h"

#include "metadata/index_body.h"
#include "metadata/settings_tree.h"

struct writing {
	struct metadata_set *set;
	struct cluster *target;
	const struct metadata_write_options *options;
	const struct cluster_version *version;
	bool ours; /* the index at hand is taken as it is, if it is there */
};

static const char *endpoint_of_roles(const struct writing *w)
{
	if (!w->options->roles)
		return NULL;
	if (w->version->flavour == CLUSTER_OPENSEARCH)
		return "/_plugins/_security/api/roles/";
	return w->version->major >= 7 ? "/_security/role/" : "/_xpack/security/role/";
}

/* Where items of a kind live; NULL: they are not written by themselves. */
static const char *endpoint_of(const struct writing *w, enum metadata_kind kind)
{
	bool opensearch = w->version->flavour == CLUSTER_OPENSEARCH;

	switch (kind) {
	case METADATA_SNAPSHOT_POLICY:
		return opensearch ? "/_plugins/_sm/policies/" : "/_slm/policy/";
	case METADATA_LIFECYCLE_POLICY:
		return opensearch ? "/_plugins/_ism/policies/" : "/_ilm/policy/";
	case METADATA_PIPELINE:
		return "/_ingest/pipeline/";
	case METADATA_SCRIPT:
		return "/_scripts/";
	case METADATA_COMPONENT_TEMPLATE:
		return "/_component_template/";
	case METADATA_INDEX_TEMPLATE:
		return "/_index_template/";
	case METADATA_LEGACY_TEMPLATE:
		return "/_template/";
	case METADATA_DATA_STREAM:
		return "/_data_stream/";
	case METADATA_INDEX:
		return "/";
	case METADATA_SECURITY:
		return endpoint_of_roles(w);
	case METADATA_CLUSTER_SETTINGS:
	case METADATA_ALIAS:
	case METADATA_KINDS:
		return NULL;
	}
	BUG("unknown kind of metadata");
}

static void flatten(const struct json *node, struct str prefix, struct json *flat,
		    struct arena *mem)
{
	json_each (member, node) {
		struct str name = arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(prefix),
					       STR_ARG(member->key));

		if (member->type == JSON_OBJECT && member->first)
			flatten(member, name, flat, mem);
		else
			json_set(flat, name, json_copy(mem, member));
	}
}

/* Settings travel flat, as answers name them. */
static void flatten_settings(struct json *content, struct arena *mem)
{
	const struct json *settings = json_get(content, "settings");
	struct json *flat = json_new(mem, JSON_OBJECT);

	if (!settings)
		return;
	flatten(settings, STR("index"), flat, mem);
	json_set(content, STR("settings"), flat);
}

/* The one mapping type that the source had, under which its documents are sent; else _doc. */
static struct str type_of(const struct metadata_item *item)
{
	struct str found = STR_NONE;

	json_each (type, item->typed ? json_get(item->source, "mappings") : NULL) {
		if (str_is(type->key, "_default_"))
			continue;
		if (found.ptr)
			return STR("_doc");
		found = type->key;
	}
	return found.ptr ? found : STR("_doc");
}

/* Before Elasticsearch 7, mappings lie below a type. */
static void wrap_mappings(const struct writing *w, const struct metadata_item *item,
			  struct json *content, struct arena *mem)
{
	struct json *mappings = json_get(content, "mappings"), *wrapped;

	if (!mappings || w->version->flavour != CLUSTER_ELASTICSEARCH || w->version->major >= 7)
		return;
	wrapped = json_new(mem, JSON_OBJECT);
	json_set(wrapped, type_of(item), json_copy(mem, mappings));
	json_set(content, STR("mappings"), wrapped);
}

static void drop_empty(struct json *content, const char *name)
{
	struct json *member = json_get(content, name);

	if (member && member->type == JSON_OBJECT && !member->first)
		json_remove(content, str_from(name));
}

/* Settings, mappings and aliases of the body; NULL: it has none. */
static struct json *content_of(enum metadata_kind kind, struct json *body)
{
	if (kind == METADATA_INDEX_TEMPLATE || kind == METADATA_COMPONENT_TEMPLATE)
		return json_get(body, "template");
	return kind == METADATA_INDEX || kind == METADATA_LEGACY_TEMPLATE ? body : NULL;
}

static struct json *body_to_send(const struct writing *w, const struct metadata_item *item)
{
	struct arena *mem = &w->set->mem;
	struct json *body = json_copy(mem, item->result);
	struct json *content = content_of(item->kind, body);

	if (!content)
		return body;
	flatten_settings(content, mem);
	wrap_mappings(w, item, content, mem);
	drop_empty(content, "settings");
	drop_empty(content, "mappings");
	drop_empty(content, "aliases");
	return body;
}

static int append_path(struct buf *path, const struct writing *w, const struct metadata_item *item,
		       const char *rest, struct err *err)
{
	buf_append_str(path, str_from(endpoint_of(w, item->kind)));
	http_append_encoded(path, item->target_name);
	buf_append_str(path, str_from(rest));
	return buf_check(path, "the path of a request", err);
}

static int is_there(struct writing *w, const struct metadata_item *item, bool *there,
		    struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer;
	int status;

	if (append_path(&path, w, item, item->kind == METADATA_INDEX ? "/_settings" : "", err) <
		    0 ||
	    cluster_request(w->target, "GET", buf_cstr(&path), STR_NONE, true, &w->set->mem,
			    &status, &answer, err) < 0)
		return -(int)err->kind;
	/* Before Elasticsearch 7 and for scripts an absence is an answer, too. */
	*there = status == 200 && answer && answer->first &&
		 json_bool_or(json_get(answer, "found"), true);
	return 0;
}

static void found_existing(const struct writing *w, struct metadata_item *item)
{
	if (item->kind == METADATA_INDEX && !w->options->allow_existing && !w->ours) {
		item->outcome = OUTCOME_FAILED;
		item->reason = STR("already exists on the target; delete it there, or pass "
				   "--allow-existing-indexes true to take it as it is");
		return;
	}
	item->outcome = OUTCOME_EXISTED;
	item->reason = STR("already exists");
}

static bool is_existing_answer(const struct json *answer, int status)
{
	struct str type = json_string(json_path(answer, "error", "type", NULL));

	return status == 400 && (str_is(type, "resource_already_exists_exception") ||
				 str_is(type, "index_already_exists_exception"));
}

static int send_body(struct writing *w, const struct metadata_item *item, const struct json *body,
		     int *status, struct json **answer, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	bool index = item->kind == METADATA_INDEX;
	bool post =
		item->kind == METADATA_SNAPSHOT_POLICY && w->version->flavour == CLUSTER_OPENSEARCH;

	/* The documents do not wait for replicas, so neither does the index. */
	if (append_path(&path, w, item, index ? "?wait_for_active_shards=0" : "", err) < 0)
		return -(int)err->kind;
	if (item->kind != METADATA_DATA_STREAM)
		json_write(&text, body);
	if (buf_check(&text, "the body of an item", err) < 0)
		return -(int)err->kind;
	return cluster_request(w->target, post ? "POST" : "PUT", buf_cstr(&path), buf_str(&text),
			       true, &w->set->mem, status, answer, err);
}

static void note_repairs(struct writing *w, struct metadata_item *item, const struct buf *changes)
{
	if (changes->len > 0)
		metadata_item_note(w->set, item, NOTE_CHANGE, "repair", STR_NONE, STR_FMT,
				   STR_ARG(buf_str(changes)));
}

static int create(struct writing *w, struct metadata_item *item, struct err *err)
{
	cleanup(buf_release) struct buf changes = BUF_INIT(CHANGES_MAX);
	struct json *body = body_to_send(w, item), *content, *answer = NULL;
	int status = 0;

	if (!body)
		return arena_fail(&w->set->mem, "the body of an item", err);
	content = content_of(item->kind, body);
	for (int repairs = 0;; repairs++) {
		if (send_body(w, item, body, &status, &answer, err) < 0)
			return -(int)err->kind;
		if (status != 400 || !content || repairs == METADATA_REPAIRS ||
		    is_existing_answer(answer, status) ||
		    index_body_repair(content, answer, &w->set->mem, &changes) == 0)
			break;
	}
	note_repairs(w, item, &changes);
	if (status < 300) {
		item->outcome = OUTCOME_WRITTEN;
	} else if (is_existing_answer(answer, status)) {
		found_existing(w, item);
	} else {
		item->outcome = OUTCOME_FAILED;
		item->reason = cluster_error_reason(answer, status, &w->set->mem);
	}
	return 0;
}

static int begin_index(struct writing *w, const struct metadata_item *item, struct err *err)
{
	w->ours = false;
	if (item->kind != METADATA_INDEX || !w->options->begin_index || w->options->plan)
		return 0;
	return w->options->begin_index(w->options->user, item->target_name, &w->ours, err);
}

static int write_item(struct writing *w, struct metadata_item *item, struct err *err)
{
	bool there = false;

	if (!endpoint_of(w, item->kind)) {
		if (item->kind != METADATA_ALIAS)
			item->outcome = OUTCOME_REPORTED;
		return 0;
	}
	if (begin_index(w, item, err) < 0 || is_there(w, item, &there, err) < 0)
		return -(int)err->kind;
	if (there)
		found_existing(w, item);
	else if (w->options->plan)
		item->outcome = OUTCOME_READY;
	else
		return create(w, item, err);
	return 0;
}

/* What one user may not write is that item's failure; the rest goes on. */
static int write_or_refused(struct writing *w, struct metadata_item *item, struct err *err)
{
	struct err refused = {0};
	int rc = write_item(w, item, &refused);

	if (rc == 0)
		return 0;
	if (refused.kind != ERR_AUTH) {
		*err = refused;
		return rc;
	}
	item->outcome = OUTCOME_FAILED;
	item->reason = arena_str(&w->set->mem, str_from(refused.message));
	return 0;
}

/* Aliases travel in the bodies of their indices, and end as these do. */
static void judge_alias(const struct metadata_set *set, struct metadata_item *alias)
{
	alias->outcome = OUTCOME_NONE;
	json_each (member, alias->source) {
		const struct metadata_item *index =
			metadata_set_find(set, METADATA_INDEX, member->key);

		if (!index || index->outcome == OUTCOME_EXCLUDED)
			continue;
		if (alias->outcome == OUTCOME_NONE || index->outcome == OUTCOME_FAILED ||
		    index->outcome == OUTCOME_BLOCKED) {
			alias->outcome = index->outcome;
			alias->reason = index->reason;
		}
	}
	if (alias->outcome == OUTCOME_NONE)
		alias->outcome = OUTCOME_EXCLUDED;
}

int metadata_write(struct metadata_set *set, struct cluster *target,
		   const struct metadata_write_options *options, const atomic_bool *cancel,
		   struct err *err)
{
	struct writing w = {set, target, options, cluster_version(target), false};

	for (size_t i = 0; i < set->count; i++) {
		struct metadata_item *item = set->items[i];

		if (item->outcome != OUTCOME_NONE)
			continue;
		if (cancel && atomic_load(cancel))
			return err_set(
				err, ERR_CANCELLED,
				"interrupted; the same command again goes on where it stopped");
		if (write_or_refused(&w, item, err) < 0)
			return err_wrap(err, "%s '" STR_FMT "'", metadata_kind_name(item->kind),
					STR_ARG(item->name));
	}
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->kind == METADATA_ALIAS && set->items[i]->outcome == OUTCOME_NONE)
			judge_alias(set, set->items[i]);
	return 0;
}
