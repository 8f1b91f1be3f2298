#include "metadata/lifecycle_bindings.h"

#include "metadata/settings_tree.h"

#include <stdlib.h>

void lifecycle_bindings_release(struct lifecycle_bindings *bindings)
{
	free(bindings->items);
	*bindings = (struct lifecycle_bindings){0};
}

/* An object index -> explanation; NULL: none is given. */
static int read_explanations(struct metadata_set *set, struct cluster *source, struct json **out,
			     struct err *err)
{
	bool opensearch = set->version.flavour == CLUSTER_OPENSEARCH;
	struct json *answer = NULL;
	struct err refused = {0};
	int status, rc;

	*out = NULL;
	if (!source)
		return 0;
	rc = cluster_request(source, "GET",
			     opensearch ? "/_plugins/_ism/explain/*" : "/*/_ilm/explain", STR_NONE,
			     true, &set->mem, &status, &answer, &refused);
	if (rc < 0 && refused.kind != ERR_AUTH) {
		*err = refused;
		return rc;
	}
	if (rc == 0 && status == 200)
		*out = opensearch ? answer : json_get(answer, "indices");
	return 0;
}

/* An alias writes to the index that says so, or to its only one. */
static bool is_written_by_alias(const struct metadata_set *set, const struct metadata_item *index,
				struct str alias)
{
	const struct json *body = json_get_str(json_get(index->source, "aliases"), alias);
	const struct json *said = json_get(body, "is_write_index");
	size_t members = 0;

	if (!body)
		return false;
	if (said)
		return json_bool_or(said, false);
	for (size_t i = 0; i < set->count; i++)
		members += set->items[i]->kind == METADATA_INDEX &&
			   json_get_str(json_get(set->items[i]->source, "aliases"), alias);
	return members == 1;
}

/* The stream that has the index behind it; NULL: none that goes to the target. */
static const struct metadata_item *stream_of(const struct metadata_set *set, struct str index)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct metadata_item *item = set->items[i];

		if (item->kind != METADATA_DATA_STREAM || item->outcome == OUTCOME_EXCLUDED)
			continue;
		json_each (member, json_get(item->source, "indices"))
			if (str_eq(json_string(json_get(member, "index_name")), index))
				return item;
	}
	return NULL;
}

static bool is_written(const struct metadata_set *set, const struct metadata_item *index)
{
	const struct json *settings = json_get(index->source, "settings");
	struct str alias = json_string(settings_get(settings, "lifecycle.rollover_alias"));

	if (alias.len == 0)
		alias = json_string(
			settings_get(settings, "plugins.index_state_management.rollover_alias"));
	if (alias.len == 0)
		alias = json_string(
			settings_get(settings, "opendistro.index_state_management.rollover_alias"));
	if (json_bool_or(settings_get(settings, "lifecycle.indexing_complete"), false))
		return false;
	return is_written_by_alias(set, index, alias);
}

/* ILM's own word first; then what it goes by: the date that was set, the rollover. */
static int64_t since(const struct metadata_item *index, const struct json *explained)
{
	static const char *const dates[] = {"lifecycle_date_millis", "lifecycle_date"};
	const struct json *settings = json_get(index->source, "settings");
	int64_t ms = 0;

	for (size_t i = 0; ms == 0 && i < COUNT_OF(dates); i++)
		ms = json_i64_or(json_get(explained, dates[i]), 0);
	if (ms == 0)
		ms = json_i64_or(settings_get(settings, "lifecycle.origination_date"), 0);
	return ms ? ms : index->rolled_over_ms;
}

static bool bind(const struct metadata_set *set, const struct metadata_item *index,
		 const struct json *explained, struct lifecycle_binding *binding)
{
	const struct json *settings = json_get(index->source, "settings");
	bool opensearch = set->version.flavour == CLUSTER_OPENSEARCH;
	struct str policy = opensearch ? json_string(json_get(explained, "policy_id"))
				       : json_string(settings_get(settings, "lifecycle.name"));

	if (policy.len == 0)
		return false;
	*binding = (struct lifecycle_binding){
		.index = index,
		.policy = policy,
		.writes = is_written(set, index),
		.since_ms = opensearch ? 0 : since(index, explained),
		.created_ms = json_i64_or(settings_get(settings, "creation_date"), 0),
	};
	return true;
}

/* What the stream says, or the last of its indices. */
static bool bind_stream(const struct metadata_set *set, const struct metadata_item *stream,
			const struct json *explanations, struct lifecycle_binding *binding)
{
	const struct json *indices = json_get(stream->source, "indices");
	struct str last = json_string(json_get(indices ? indices->last : NULL, "index_name"));
	const struct metadata_item *index = metadata_set_find(set, METADATA_INDEX, last);
	struct str policy = json_string(json_get(stream->source, "ilm_policy"));

	if (policy.len == 0)
		policy = json_string(json_get(json_get_str(explanations, last), "policy_id"));
	if (policy.len == 0 && index)
		policy = json_string(
			settings_get(json_get(index->source, "settings"), "lifecycle.name"));
	if (policy.len == 0)
		return false;
	*binding = (struct lifecycle_binding){.index = stream, .policy = policy, .writes = true};
	return true;
}

static bool bind_item(const struct metadata_set *set, const struct metadata_item *item,
		      const struct json *explanations, struct lifecycle_binding *binding)
{
	if (item->outcome == OUTCOME_EXCLUDED)
		return false;
	if (item->kind == METADATA_DATA_STREAM)
		return bind_stream(set, item, explanations, binding);
	return item->kind == METADATA_INDEX && !stream_of(set, item->name) &&
	       bind(set, item, json_get_str(explanations, item->name), binding);
}

int lifecycle_bindings_read(struct metadata_set *set, struct cluster *source,
			    struct lifecycle_bindings *out, struct err *err)
{
	struct json *explanations;

	*out = (struct lifecycle_bindings){0};
	if (read_explanations(set, source, &explanations, err) < 0)
		return err_wrap(err, "how far the lifecycles of the source are cannot be read");
	out->items = mem_zalloc((set->count + 1) * sizeof(*out->items));
	for (size_t i = 0; i < set->count; i++)
		if (bind_item(set, set->items[i], explanations, &out->items[out->count]))
			out->count++;
	return 0;
}
