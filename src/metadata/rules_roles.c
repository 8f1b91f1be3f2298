/* Roles: what one product's names say in the other's. A role never becomes more than it was: what
 * has no counterpart is left out, and told.
 *
 * Sources: Elasticsearch's security privileges and IndexPrivilege (6.8 to 8); OpenSearch's
 * static_config/static_action_groups.yml and the API of its security plugin. */
#include "metadata/rules_internal.h"

/* Privileges, each in the other's words. */
struct counterpart {
	const char *elasticsearch, *opensearch;
};

static const struct counterpart cluster_privileges[] = {
	{"all", "cluster_all"},
	{"monitor", "cluster_monitor"},
	{"manage_pipeline", "cluster_manage_pipelines"},
	{"manage_ingest_pipelines", "cluster_manage_pipelines"},
	{"manage_index_templates", "cluster_manage_index_templates"},
};
static const struct counterpart index_privileges[] = {
	{"all", "indices_all"},
	{"manage", "manage"},
	{"monitor", "indices_monitor"},
	{"read", "read"},
	{"write", "write"},
	{"index", "index"},
	{"delete", "delete"},
	{"create_index", "create_index"},
};
/* view_index_metadata, which has no action group. */
static const char *const view_metadata[] = {
	"indices:admin/get",
	"indices:admin/aliases/get",
	"indices:admin/mappings/get",
	"indices:admin/mappings/fields/get*",
	"indices:admin/shards/search_shards",
	"indices:admin/validate/query*",
	"indices:monitor/settings/get",
};
/* Who may write or read an index needs these of OpenSearch for _bulk, _msearch and scrolls; what
 * they reach is still asked index by index. */
#define COMPOSITE "cluster_composite_ops"
#define COMPOSITE_READ "cluster_composite_ops_ro"

static const char *find_counterpart(const struct counterpart *rows, size_t count, struct str name,
				    bool to_opensearch)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(name, to_opensearch ? rows[i].elasticsearch : rows[i].opensearch))
			return to_opensearch ? rows[i].opensearch : rows[i].elasticsearch;
	return NULL;
}

static bool holds(const struct json *array, const char *text)
{
	json_each (element, array)
		if (str_is(json_string(element), text))
			return true;
	return false;
}

static void append_text(struct rule_scope *scope, struct json *array, struct str text)
{
	json_append(array, json_new_string(&scope->set->mem, text));
}

static void append_once(struct rule_scope *scope, struct json *array, const char *text)
{
	if (!holds(array, text))
		append_text(scope, array, str_from(text));
}

static bool is_empty(const struct json *value)
{
	return !value || value->type == JSON_NULL || !value->first;
}

static void left_out(struct rule_scope *scope, const char *rule, const char *what, struct str name)
{
	rule_note(scope, rule, NOTE_WARN,
		  "left out %s '" STR_FMT "': the target has no such name, or it would grant more",
		  what, STR_ARG(name));
}

/* Members that nothing of the target stands for. */
static void tell_rest(struct rule_scope *scope, const char *rule, const struct json *role,
		      const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_empty(json_get(role, names[i])))
			rule_note(scope, rule, NOTE_WARN,
				  "left out %s: the target has nothing of the kind", names[i]);
}

static struct json *convert_cluster(struct rule_scope *scope, const char *rule,
				    const struct json *from, bool to_opensearch)
{
	struct json *out = json_new(&scope->set->mem, JSON_ARRAY);

	json_each (element, from) {
		struct str name = json_string(element);
		const char *other = find_counterpart(
			cluster_privileges, COUNT_OF(cluster_privileges), name, to_opensearch);

		/* There "all" has users and roles in it, which are apart here. */
		if (other && (to_opensearch || !str_is(name, "cluster_all")))
			append_once(scope, out, other);
		else if (!str_is(name, "none") && !str_is(name, COMPOSITE) &&
			 !str_is(name, COMPOSITE_READ))
			left_out(scope, rule, "the cluster privilege", name);
	}
	return out;
}

static void convert_index_privilege(struct rule_scope *scope, const char *rule, struct str name,
				    bool to_opensearch, struct json *out)
{
	const char *other =
		find_counterpart(index_privileges, COUNT_OF(index_privileges), name, to_opensearch);

	if (other) {
		append_once(scope, out, other);
	} else if (to_opensearch && str_is(name, "view_index_metadata")) {
		for (size_t i = 0; i < COUNT_OF(view_metadata); i++)
			append_once(scope, out, view_metadata[i]);
	} else if (!to_opensearch && str_is(name, "crud")) {
		append_once(scope, out, "read");
		append_once(scope, out, "write");
	} else if (!str_is(name, "none")) {
		left_out(scope, rule, "the privilege of indices", name);
	}
}

static struct json *convert_privileges(struct rule_scope *scope, const char *rule,
				       const struct json *from, bool to_opensearch)
{
	struct json *out = json_new(&scope->set->mem, JSON_ARRAY);

	json_each (element, from)
		convert_index_privilege(scope, rule, json_string(element), to_opensearch, out);
	return out;
}

/* "/…/" is a pattern in Lucene's dialect there, in Java's here. */
static bool has_dialect(const struct json *names)
{
	json_each (element, names)
		if (str_starts(json_string(element), STR("/")))
			return true;
	return false;
}

static bool grants_all(const struct json *grant)
{
	return !grant || holds(grant, "*");
}

static bool has_variables(struct str query)
{
	return query.len && memmem(query.ptr, query.len, "${", 2);
}

/* False: the restriction cannot be kept. */
static bool restrict_for_opensearch(struct rule_scope *scope, const struct json *entry,
				    struct json *out)
{
	struct arena *mem = &scope->set->mem;
	const struct json *query = json_get(entry, "query");
	const struct json *grant = json_path(entry, "field_security", "grant", NULL);
	const struct json *except = json_path(entry, "field_security", "except", NULL);
	struct json *fields = json_new(mem, JSON_ARRAY);
	struct str text = json_string(query);

	/* A template is filled in by the user's metadata; OpenSearch has other variables. */
	if (query && query->type != JSON_NULL &&
	    (!text.ptr || memmem(text.ptr, text.len, "\"template\"", 10) || has_variables(text)))
		return false;
	if (text.len)
		json_set(out, STR("dls"), json_copy(mem, query));
	if (!is_empty(except) && !grants_all(grant))
		return false;
	if (!is_empty(except))
		json_each (field, except)
			append_text(scope, fields,
				    arena_printf(mem, "~" STR_FMT, STR_ARG(json_string(field))));
	else if (!grants_all(grant))
		json_each (field, grant)
			append_text(scope, fields, json_string(field));
	/* An empty list would be every field, where it was none. */
	if (!grants_all(grant) && !fields->first)
		return false;
	if (fields->first)
		json_set(out, STR("fls"), fields);
	return true;
}

/* Fields of one kind each; false: both are there. */
static bool divide_fields(struct rule_scope *scope, const struct json *fls, struct json *grant,
			  struct json *except)
{
	json_each (field, fls) {
		struct str name = json_string(field);
		bool excluded = str_starts(name, STR("~")) || str_starts(name, STR("!"));

		append_text(scope, excluded ? except : grant,
			    excluded ? str_from_offset(name, 1) : name);
	}
	return !grant->first || !except->first;
}

static bool restrict_for_elasticsearch(struct rule_scope *scope, const struct json *entry,
				       struct json *out)
{
	struct arena *mem = &scope->set->mem;
	struct json *security = json_new(mem, JSON_OBJECT);
	struct json *grant = json_new(mem, JSON_ARRAY), *except = json_new(mem, JSON_ARRAY);
	struct str dls = json_string(json_get(entry, "dls"));

	/* A masked field would be readable, and variables mean something else. */
	if (!is_empty(json_get(entry, "masked_fields")) || has_variables(dls) ||
	    !divide_fields(scope, json_get(entry, "fls"), grant, except))
		return false;
	if (dls.len)
		json_set(out, STR("query"), json_new_string(mem, dls));
	if (!grant->first && !except->first)
		return true;
	if (except->first) {
		append_text(scope, grant, STR("*"));
		json_set(security, STR("except"), except);
	}
	json_set(security, STR("grant"), grant);
	json_set(out, STR("field_security"), security);
	return true;
}

/* One entry of a role's indices; NULL: nothing of it can be granted. */
static struct json *convert_entry(struct rule_scope *scope, const char *rule,
				  const struct json *entry, bool to_opensearch)
{
	struct arena *mem = &scope->set->mem;
	const struct json *names = json_get(entry, to_opensearch ? "names" : "index_patterns");
	const struct json *actions =
		json_get(entry, to_opensearch ? "privileges" : "allowed_actions");
	struct json *out = json_new(mem, JSON_OBJECT);
	struct json *converted = convert_privileges(scope, rule, actions, to_opensearch);
	bool kept = to_opensearch ? restrict_for_opensearch(scope, entry, out)
				  : restrict_for_elasticsearch(scope, entry, out);

	if (!kept || has_dialect(names)) {
		rule_note(scope, rule, NOTE_WARN,
			  "left out what it grants on '" STR_FMT
			  "': %s cannot be said on the target; write it by hand",
			  STR_ARG(json_string(names ? names->first : NULL)),
			  kept ? "its pattern" : "its restriction of documents or fields");
		return NULL;
	}
	if (!converted->first)
		return NULL;
	json_set(out, str_from(to_opensearch ? "index_patterns" : "names"), json_copy(mem, names));
	json_set(out, str_from(to_opensearch ? "allowed_actions" : "privileges"), converted);
	return out;
}

static struct json *convert_entries(struct rule_scope *scope, const char *rule,
				    const struct json *from, bool to_opensearch)
{
	struct json *out = json_new(&scope->set->mem, JSON_ARRAY);

	json_each (entry, from) {
		struct json *converted = convert_entry(scope, rule, entry, to_opensearch);

		if (converted)
			json_append(out, converted);
	}
	return out;
}

static void add_composite(struct rule_scope *scope, const struct json *entries,
			  struct json *cluster)
{
	bool writes = false;

	json_each (entry, entries) {
		const struct json *actions = json_get(entry, "allowed_actions");

		writes |= holds(actions, "write") || holds(actions, "index") ||
			  holds(actions, "delete") || holds(actions, "indices_all");
	}
	if (entries->first)
		append_once(scope, cluster, writes ? COMPOSITE : COMPOSITE_READ);
}

/* A role that grants nothing would hide that it is not the one it was. */
static void take_role(struct rule_scope *scope, struct json *role, const struct json *cluster,
		      const struct json *entries)
{
	if (cluster->first || entries->first) {
		scope->item->result = role;
		return;
	}
	scope->item->outcome = OUTCOME_REPORTED;
	scope->item->reason =
		STR("nothing that it grants has a name on the target; write it there by hand");
}

static bool role_to_opensearch(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const rest[] = {"applications", "run_as", "global", "remote_indices",
					   "remote_cluster"};
	static const char rule[] = "role-to-opensearch";
	struct arena *mem = &scope->set->mem;
	struct json *role = json_new(mem, JSON_OBJECT);
	struct json *cluster = convert_cluster(scope, rule, json_get(node, "cluster"), true);
	struct json *entries = convert_entries(scope, rule, json_get(node, "indices"), true);

	(void)name;
	tell_rest(scope, rule, node, rest, COUNT_OF(rest));
	add_composite(scope, entries, cluster);
	json_set(role, STR("cluster_permissions"), cluster);
	json_set(role, STR("index_permissions"), entries);
	json_set(role, STR("tenant_permissions"), json_new(mem, JSON_ARRAY));
	take_role(scope, role, cluster, entries);
	return true;
}

static bool role_to_elasticsearch(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const rest[] = {"tenant_permissions"};
	static const char rule[] = "role-to-elasticsearch";
	struct json *role = json_new(&scope->set->mem, JSON_OBJECT);
	struct json *cluster =
		convert_cluster(scope, rule, json_get(node, "cluster_permissions"), false);
	struct json *entries =
		convert_entries(scope, rule, json_get(node, "index_permissions"), false);

	(void)name;
	tell_rest(scope, rule, node, rest, COUNT_OF(rest));
	json_set(role, STR("cluster"), cluster);
	json_set(role, STR("indices"), entries);
	take_role(scope, role, cluster, entries);
	return true;
}

static bool strip_role(struct rule_scope *scope, struct str name, struct json *node)
{
	static const char *const keys[] = {"reserved", "hidden", "static", "transient_metadata"};
	bool changed = false;

	(void)scope;
	(void)name;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		changed |= json_remove(node, str_from(keys[i])) != NULL;
	return changed;
}

const struct rule rules_of_roles[] = {
	{"role-to-opensearch", NULL, RULE_ROLE, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "Roles in the words of OpenSearch, never more than they were", role_to_opensearch},
	{"role-to-elasticsearch", NULL, RULE_ROLE, ANY_OPENSEARCH, ANY_ELASTICSEARCH,
	 "Roles in the words of Elasticsearch, never more than they were", role_to_elasticsearch},
	{"role-read-only", NULL, RULE_ROLE, ANY_VERSION, ANY_VERSION,
	 "Keys of roles that a cluster writes itself are left out", strip_role},
	{0},
};
