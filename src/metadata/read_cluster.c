/* Metadata of a live cluster, endpoint by endpoint. Endpoints by version: docs/metadata.md. */
#include "metadata/read_internal.h"

#include <stdio.h>
#include <stdlib.h>

struct reading {
	struct cluster *cluster;
	const struct metadata_read_options *options;
	struct metadata_set *set;
	const struct cluster_version *version;
};

static int number_of(const struct cluster_version *version)
{
	return version->major * 100 + version->minor;
}

static bool is_elasticsearch_from(const struct reading *r, int number)
{
	return r->version->flavour == CLUSTER_ELASTICSEARCH && number_of(r->version) >= number;
}

static bool is_opensearch_from(const struct reading *r, int number)
{
	return r->version->flavour == CLUSTER_OPENSEARCH && number_of(r->version) >= number;
}

/* *answer NULL: this version does not have the endpoint, or does not let us in (noted). */
static int get(struct reading *r, enum metadata_kind kind, const char *path, struct json **answer,
	       struct err *err)
{
	struct err refused = {0};
	int status, rc = cluster_request(r->cluster, "GET", path, STR_NONE, true, &r->set->mem,
					 &status, answer, &refused);

	if (rc < 0 && refused.kind == ERR_AUTH) {
		*answer = NULL;
		metadata_note_unreadable(r->set, kind, str_from(refused.message));
		return 0;
	}
	if (rc < 0) {
		*err = refused;
		return rc;
	}
	if (status == 200)
		return 0;
	if (status != 400 && status != 404 && status != 405)
		metadata_note_unreadable(r->set, kind,
					 cluster_error_reason(*answer, status, &r->set->mem));
	*answer = NULL;
	return 0;
}

static int add(struct reading *r, enum metadata_kind kind, struct str name, struct json *source,
	       struct err *err)
{
	if (!source || !metadata_read_add(r->set, r->options, kind, name, source))
		return arena_fail(&r->set->mem, "the metadata of the cluster", err);
	return 0;
}

/* {"name": body}; `member`: of the body, what is wanted of it. */
static int read_named(struct reading *r, enum metadata_kind kind, const char *path,
		      const char *member, struct err *err)
{
	struct json *answer = NULL;
	int rc = get(r, kind, path, &answer, err);

	json_each (item, answer) {
		struct json *body = item;

		if (rc < 0)
			break;
		if (member) {
			body = json_new(&r->set->mem, JSON_OBJECT);
			json_set(body, str_from(member),
				 json_copy(&r->set->mem, json_get(item, member)));
		}
		rc = add(r, kind, item->key, json_copy(&r->set->mem, body), err);
	}
	return rc;
}

static int read_settings(struct reading *r, struct err *err)
{
	struct json *answer = NULL;
	int rc = get(r, METADATA_CLUSTER_SETTINGS, "/_cluster/settings?flat_settings=true", &answer,
		     err);

	json_each (part, answer)
		if (rc == 0 && part->first)
			rc = add(r, METADATA_CLUSTER_SETTINGS, part->key,
				 json_copy(&r->set->mem, part), err);
	return rc;
}

static int read_security(struct reading *r, struct err *err)
{
	if (r->version->flavour == CLUSTER_OPENSEARCH)
		return read_named(r, METADATA_SECURITY, "/_plugins/_security/api/roles", NULL, err);
	if (is_elasticsearch_from(r, 700))
		return read_named(r, METADATA_SECURITY, "/_security/role", NULL, err);
	if (is_elasticsearch_from(r, 500))
		return read_named(r, METADATA_SECURITY, "/_xpack/security/role", NULL, err);
	return 0;
}

/* [{"_id": …, "policy": …}] under "policies". */
static int read_plugin_policies(struct reading *r, enum metadata_kind kind, const char *path,
				const char *member, struct err *err)
{
	struct json *answer = NULL;
	int rc = get(r, kind, path, &answer, err);

	json_each (entry, json_get(answer, "policies")) {
		struct json *body = json_new(&r->set->mem, JSON_OBJECT);
		struct str id = json_string(json_get(entry, "_id"));

		if (rc < 0)
			break;
		if (!id.ptr)
			continue;
		json_set(body, str_from(member), json_copy(&r->set->mem, json_get(entry, member)));
		rc = add(r, kind, id, body, err);
	}
	return rc;
}

static int read_snapshot_policies(struct reading *r, struct err *err)
{
	if (is_elasticsearch_from(r, 704))
		return read_named(r, METADATA_SNAPSHOT_POLICY, "/_slm/policy", "policy", err);
	if (is_opensearch_from(r, 201))
		return read_plugin_policies(r, METADATA_SNAPSHOT_POLICY, "/_plugins/_sm/policies",
					    "sm_policy", err);
	return 0;
}

static int read_lifecycle_policies(struct reading *r, struct err *err)
{
	if (is_elasticsearch_from(r, 606))
		return read_named(r, METADATA_LIFECYCLE_POLICY, "/_ilm/policy", "policy", err);
	if (r->version->flavour == CLUSTER_OPENSEARCH)
		return read_plugin_policies(r, METADATA_LIFECYCLE_POLICY,
					    "/_plugins/_ism/policies?size=1000", "policy", err);
	return 0;
}

static int read_pipelines(struct reading *r, struct err *err)
{
	if (r->version->flavour == CLUSTER_OPENSEARCH || is_elasticsearch_from(r, 500))
		return read_named(r, METADATA_PIPELINE, "/_ingest/pipeline", NULL, err);
	return 0;
}

static int add_script(struct reading *r, struct str id, const struct json *script, struct err *err)
{
	struct json *body = json_new(&r->set->mem, JSON_OBJECT);

	json_set(body, STR("script"), json_copy(&r->set->mem, script));
	return add(r, METADATA_SCRIPT, id, body, err);
}

/* Elasticsearch 1 and 2 keep scripts as documents: type = language. */
static int read_script_index(struct reading *r, struct err *err)
{
	struct json *answer = NULL;
	int rc = get(r, METADATA_SCRIPT, "/.scripts/_search?size=1000", &answer, err);

	json_each (hit, json_path(answer, "hits", "hits", NULL)) {
		struct json *script = json_new(&r->set->mem, JSON_OBJECT);
		struct json *text = json_path(hit, "_source", "script", NULL);

		if (rc < 0)
			break;
		json_set(script, STR("lang"), json_copy(&r->set->mem, json_get(hit, "_type")));
		json_set(script, STR("source"),
			 json_copy(&r->set->mem,
				   text ? text : json_path(hit, "_source", "template", NULL)));
		rc = add_script(r, json_string(json_get(hit, "_id")), script, err);
	}
	return rc;
}

static int read_scripts(struct reading *r, struct err *err)
{
	struct json *answer = NULL;
	int rc;

	if (r->version->flavour == CLUSTER_ELASTICSEARCH && r->version->major < 5)
		return read_script_index(r, err);
	rc = get(r, METADATA_SCRIPT, "/_cluster/state/metadata?filter_path=metadata.stored_scripts",
		 &answer, err);
	if (rc == 0)
		rc = metadata_add_scripts(r->set, r->options,
					  json_path(answer, "metadata", "stored_scripts", NULL),
					  err);
	return rc;
}

/* [{"name": …, `member`: body}] under `list`, what is inside "template" in the one form. */
static int read_templates(struct reading *r, enum metadata_kind kind, const char *path,
			  const char *list, const char *member, struct err *err)
{
	struct json *answer = NULL;
	int rc = get(r, kind, path, &answer, err);

	json_each (entry, json_get(answer, list)) {
		struct json *body = json_copy(&r->set->mem, json_get(entry, member));
		const struct json *inner = json_get(body, "template");

		if (rc < 0)
			break;
		if (inner)
			json_set(body, STR("template"), metadata_body(inner, false, &r->set->mem));
		rc = add(r, kind, json_string(json_get(entry, "name")), body, err);
	}
	return rc;
}

static bool has_composable_templates(const struct reading *r)
{
	return r->version->flavour == CLUSTER_OPENSEARCH || is_elasticsearch_from(r, 708);
}

static int read_component_templates(struct reading *r, struct err *err)
{
	if (!has_composable_templates(r))
		return 0;
	return read_templates(r, METADATA_COMPONENT_TEMPLATE, "/_component_template",
			      "component_templates", "component_template", err);
}

static int read_index_templates(struct reading *r, struct err *err)
{
	if (!has_composable_templates(r))
		return 0;
	return read_templates(r, METADATA_INDEX_TEMPLATE, "/_index_template", "index_templates",
			      "index_template", err);
}

static int read_legacy_templates(struct reading *r, struct err *err)
{
	struct json *answer = NULL;
	int rc = get(r, METADATA_LEGACY_TEMPLATE, "/_template", &answer, err);

	json_each (item, answer)
		if (rc == 0)
			rc = add(r, METADATA_LEGACY_TEMPLATE, item->key,
				 metadata_body(item, metadata_has_types(r->version), &r->set->mem),
				 err);
	return rc;
}

static int read_data_streams(struct reading *r, struct err *err)
{
	struct json *answer = NULL;
	int rc;

	if (r->version->flavour == CLUSTER_ELASTICSEARCH && !is_elasticsearch_from(r, 709))
		return 0;
	rc = get(r, METADATA_DATA_STREAM, "/_data_stream?expand_wildcards=all", &answer, err);
	json_each (stream, json_get(answer, "data_streams"))
		if (rc == 0)
			rc = add(r, METADATA_DATA_STREAM, json_string(json_get(stream, "name")),
				 json_copy(&r->set->mem, stream), err);
	return rc;
}

/* Names of closed indices, as members of an object; none where that is not for us (noted). */
static int read_closed(struct reading *r, const char *wildcards, struct json **out, struct err *err)
{
	struct str text, line, rest, status, name, ignored;
	struct err refused = {0};
	char path[100];
	int code, rc;

	*out = json_new(&r->set->mem, JSON_OBJECT);
	snprintf(path, sizeof(path), "/_cat/indices?h=status,index&expand_wildcards=%s", wildcards);
	rc = cluster_request_text(r->cluster, "GET", path, STR_NONE, true, &code, &text, &refused);
	if (rc < 0 && refused.kind == ERR_AUTH) {
		metadata_note_unreadable(r->set, METADATA_INDEX, str_from(refused.message));
		return 0;
	}
	if (rc < 0) {
		*err = refused;
		return rc;
	}
	for (rest = code == 200 ? text : STR_NONE; rest.len > 0;) {
		struct str tail = STR_NONE;

		str_split(rest, '\n', &line, &tail);
		rest = line.len == rest.len ? STR_NONE : tail;
		while (line.len && line.ptr[0] == ' ')
			line = str_from_offset(line, 1);
		if (!str_split(line, ' ', &status, &name) || !str_is(status, "close"))
			continue;
		while (name.len && name.ptr[0] == ' ')
			name = str_from_offset(name, 1);
		str_split(name, ' ', &name, &ignored);
		json_set(*out, arena_str(&r->set->mem, name), json_new_bool(&r->set->mem, true));
	}
	return 0;
}

static int read_indices(struct reading *r, struct err *err)
{
	bool all = r->version->flavour == CLUSTER_OPENSEARCH || is_elasticsearch_from(r, 707);
	const char *wildcards = all ? "all" : "open,closed";
	struct json *answer = NULL, *closed = NULL;
	char path[100];
	int rc = read_closed(r, wildcards, &closed, err);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "/*?expand_wildcards=%s&ignore_unavailable=true", wildcards);
	rc = get(r, METADATA_INDEX, path, &answer, err);
	json_each (index, answer) {
		struct json *body;

		if (rc < 0)
			break;
		body = metadata_body(index, metadata_has_types(r->version), &r->set->mem);
		if (!body)
			return arena_fail(&r->set->mem, "the metadata of the indices", err);
		/* Searches of Elasticsearch 1 and 2 that no later version knows. */
		json_remove(body, STR("warmers"));
		rc = metadata_add_index(r->set, r->options, index->key, body,
					json_get_str(closed, index->key) != NULL, err);
	}
	return rc;
}

static const struct {
	enum metadata_kind kind;
	int (*read)(struct reading *r, struct err *err);
	bool serverless; /* is there, too */
} readers[] = {
	{METADATA_CLUSTER_SETTINGS, read_settings, false},
	{METADATA_SECURITY, read_security, false},
	{METADATA_SNAPSHOT_POLICY, read_snapshot_policies, false},
	{METADATA_LIFECYCLE_POLICY, read_lifecycle_policies, false},
	{METADATA_PIPELINE, read_pipelines, true},
	{METADATA_SCRIPT, read_scripts, false},
	{METADATA_COMPONENT_TEMPLATE, read_component_templates, true},
	{METADATA_INDEX_TEMPLATE, read_index_templates, true},
	{METADATA_LEGACY_TEMPLATE, read_legacy_templates, false},
	{METADATA_DATA_STREAM, read_data_streams, false},
	{METADATA_INDEX, read_indices, true},
};

int metadata_read_cluster(struct cluster *source, const struct metadata_read_options *options,
			  struct metadata_set *out, struct err *err)
{
	struct reading r = {source, options, out, cluster_version(source)};

	metadata_set_init(out);
	out->version = *r.version;
	out->live = true;
	out->description = arena_printf(&out->mem, "Remote Cluster (%s %d.%d.%d)",
					r.version->flavour == CLUSTER_OPENSEARCH ? "OPENSEARCH"
										 : "ELASTICSEARCH",
					r.version->major, r.version->minor, r.version->patch);
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		bool wanted = metadata_read_wants(options, readers[i].kind) ||
			      (readers[i].kind == METADATA_INDEX &&
			       metadata_read_wants(options, METADATA_ALIAS));

		if (!wanted || (r.version->serverless && !readers[i].serverless))
			continue;
		if (readers[i].read(&r, err) < 0)
			return err_wrap(err, "the %s of the cluster cannot be read",
					metadata_kind_heading(readers[i].kind));
	}
	return metadata_read_finish(out, err);
}
