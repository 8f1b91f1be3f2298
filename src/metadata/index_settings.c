#include "metadata/index_create_internal.h"

enum rule_target { ANY, OPENSEARCH };

/* Settings that stay behind. */
struct setting_rule {
	const char *name; /* "…*": every setting that starts so */
	enum rule_target target;
	const char *told; /* the reason, where it was the user's own choice; NULL: not worth a word
			   */
};

static const struct setting_rule rules[] = {
	/* The target writes these itself and refuses them from outside. */
	{"index.creation_date*", ANY, NULL},
	{"index.uuid", ANY, NULL},
	{"index.provided_name", ANY, NULL},
	{"index.version.*", ANY, NULL},
	{"index.history.uuid", ANY, NULL},
	{"index.verified_before_close", ANY, NULL},
	{"index.resize.*", ANY, NULL},
	{"index.shrink.*", ANY, NULL},
	{"index.number_of_routing_shards", ANY, NULL}, /* comes from the metadata */
	{"index.search.throttled", ANY, NULL},
	{"index.frozen", ANY, NULL},

	/* Where the source kept the index: its nodes, disks and repositories. */
	{"index.routing.allocation.include._tier_preference", ANY, NULL},
	{"index.routing.allocation.initial_recovery.*", ANY, NULL},
	{"index.routing.allocation.*", ANY, "it is about the source's nodes"},
	{"index.data_path", ANY, "it is a path of the source's nodes"},
	{"index.store.type", ANY, NULL},
	{"index.store.snapshot.*", ANY, NULL},
	{"index.searchable_snapshot.*", ANY, NULL},
	{"index.source_only", ANY, NULL},
	{"index.remote_store.*", ANY, NULL},

	/* What would stop or alter the documents on their way in. */
	{"index.blocks.*", ANY, "the documents could not be written"},
	{"index.default_pipeline", ANY, "it would run again over documents it has seen"},
	{"index.final_pipeline", ANY, "it would run again over documents it has seen"},

	/* Of earlier versions, refused or without effect since. */
	{"index.soft_deletes.enabled", ANY, NULL},
	{"index.translog.retention.*", ANY, NULL},
	{"index.mapping.single_type", ANY, NULL},
	{"index.mapper.dynamic", ANY, NULL},
	{"archived.*", ANY, NULL},

	/* Elasticsearch's alone. */
	{"index.lifecycle.*", OPENSEARCH, "OpenSearch has no index lifecycle management"},
	{"index.mode", OPENSEARCH, "OpenSearch has no index modes"},
	{"index.routing_path", OPENSEARCH, NULL},
	{"index.time_series.*", OPENSEARCH, NULL},
	{"index.logsdb.*", OPENSEARCH, NULL},
	{"index.look_ahead_time", OPENSEARCH, NULL},
	{"index.look_back_time", OPENSEARCH, NULL},
	{"index.mapping.source.mode", OPENSEARCH, NULL},
	{"index.mapping.synthetic_source_keep", OPENSEARCH, NULL},
	{"index.recovery.use_synthetic_source", OPENSEARCH, NULL},
	{"index.bloom_filter_for_id_field.*", OPENSEARCH, NULL},
	{"index.fast_refresh", OPENSEARCH, NULL},
	{"index.xpack.*", OPENSEARCH, NULL},
};

static bool rule_matches(const struct setting_rule *rule, struct str name,
			 const struct cluster_version *target)
{
	struct str pattern = str_from(rule->name);

	if (rule->target == OPENSEARCH && target->flavour != CLUSTER_OPENSEARCH)
		return false;
	if (!str_ends(pattern, STR("*")))
		return str_eq(name, pattern);
	pattern.len--;
	return str_starts(name, pattern);
}

static const struct setting_rule *find_rule(struct str name, const struct cluster_version *target)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (rule_matches(&rules[i], name, target))
			return &rules[i];
	return NULL;
}

/* Drops what a rule names, in one pass over the members. */
static void apply_rules(struct json *settings, const struct cluster_version *target,
			struct buf *changes)
{
	struct json *member = settings->first;

	settings->first = settings->last = NULL;
	settings->count = 0;
	while (member) {
		struct json *next = member->next;
		const struct setting_rule *rule = find_rule(member->key, target);

		member->next = NULL;
		if (!rule) {
			*(settings->last ? &settings->last->next : &settings->first) = member;
			settings->last = member;
			settings->count++;
		} else if (rule->told) {
			changes_add(changes, "left out " STR_FMT ": %s", STR_ARG(member->key),
				    rule->told);
		}
		member = next;
	}
}

/* Elasticsearch 5 keeps lists as "name.0", "name.1", …, which later versions take for settings of
 * those names, and lose. */
static int join_numbered_list(struct json *settings, struct str name, struct arena *mem,
			      struct err *err)
{
	struct json *list = json_new(mem, JSON_ARRAY);
	struct json *element;

	if (!list)
		return arena_fail(mem, "index settings", err);
	for (size_t i = 0;; i++) {
		struct str key = arena_printf(mem, STR_FMT ".%zu", STR_ARG(name), i);

		if (!key.ptr)
			return arena_fail(mem, "index settings", err);
		element = json_remove(settings, key);
		if (!element)
			break;
		element->key = STR_NONE;
		json_append(list, element);
	}
	json_set(settings, name, list);
	return 0;
}

static int join_numbered_lists(struct json *settings, struct arena *mem, struct err *err)
{
	struct json *member = settings->first;

	while (member) {
		struct str name = member->key;

		if (!str_ends(name, STR(".0"))) {
			member = member->next;
			continue;
		}
		name.len -= 2;
		if (join_numbered_list(settings, name, mem, err) < 0)
			return -(int)err->kind;
		member = settings->first;
	}
	return 0;
}

static int set_number(struct json *settings, const char *name, int64_t value, struct arena *mem,
		      struct err *err)
{
	struct json *number = json_new_i64(mem, value);

	if (!number)
		return arena_fail(mem, "index settings", err);
	json_set(settings, str_from(name), number);
	return 0;
}

static int set_shards_and_replicas(struct json *settings, const struct index_metadata *metadata,
				   const struct index_create_options *options, struct arena *mem,
				   struct err *err)
{
	int32_t routing_shards = metadata->routing_shard_count;

	if (!json_get(settings, "index.number_of_shards") &&
	    set_number(settings, "index.number_of_shards", metadata->shard_count, mem, err) < 0)
		return -(int)err->kind;
	/* Documents with a routing of their own land on the same shard only so. */
	if (metadata->shard_count > 0 && routing_shards >= metadata->shard_count &&
	    routing_shards % metadata->shard_count == 0 &&
	    set_number(settings, "index.number_of_routing_shards", routing_shards, mem, err) < 0)
		return -(int)err->kind;
	if (options->replicas < 0)
		return 0;
	json_remove(settings, STR("index.auto_expand_replicas"));
	return set_number(settings, "index.number_of_replicas", options->replicas, mem, err);
}

int index_settings_for_target(const struct index_metadata *metadata,
			      const struct index_create_options *options, struct arena *mem,
			      struct json **out, struct buf *changes, struct err *err)
{
	struct json *settings = metadata->settings ? json_copy(mem, metadata->settings)
						   : json_new(mem, JSON_OBJECT);

	if (!settings)
		return arena_fail(mem, "index settings", err);
	apply_rules(settings, &options->target, changes);
	if (join_numbered_lists(settings, mem, err) < 0 ||
	    set_shards_and_replicas(settings, metadata, options, mem, err) < 0)
		return -(int)err->kind;
	*out = settings;
	return 0;
}
