#include "workflow/plan_spec.h"

#include "base/limits.h"
#include "workflow/platform.h"
#include "workflow/schema_shapes.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

/* Members of a spec that are resolved from a part of the schema. */
static const struct section {
	const char *member, *path;
} sections[] = {
	{"metadata", "snapshotMigrationConfigs.perSnapshotConfig.metadataMigrationConfig"},
	{"backfill", "snapshotMigrationConfigs.perSnapshotConfig.documentBackfillConfig"},
	{"verify", "snapshotMigrationConfigs.perSnapshotConfig.verifyConfig"},
	{"create", "sourceClusters.snapshotInfo.snapshots.config.createSnapshotConfig"},
	{"proxy", "traffic.proxies.proxyConfig"},
	{"replayer", "traffic.replayers.replayerConfig"},
};

/* Ways in may change while what is behind them stays. */
static const char *const safe_members[] = {"allowInsecure", "authConfig", "awsRegion", "s3RoleArn"};

static const struct schema *below(const struct schema *schema, struct str name)
{
	const struct schema_field *field;

	while (schema->kind == SCHEMA_LIST || schema->kind == SCHEMA_MAP)
		schema = schema->items;
	if (schema->kind == SCHEMA_ONE_OF) {
		for (size_t i = 0; schema->variants[i]; i++) {
			const struct schema *found = below(schema->variants[i], name);

			if (found)
				return found;
		}
		return NULL;
	}
	field = schema->fields ? schema_field_find(schema, name) : NULL;
	return field ? field->schema : NULL;
}

const struct schema *plan_schema(const char *path)
{
	const struct schema *schema = &schema_root;
	struct str rest = str_from(path), name;

	while (schema && rest.len > 0) {
		struct str whole = rest;

		if (!str_split(whole, '.', &name, &rest))
			rest = STR_NONE;
		schema = below(schema, name);
	}
	return schema;
}

static const struct schema *variant_of(const struct schema *schema,
				       const struct config_value *value)
{
	for (size_t i = 0; schema->variants[i]; i++) {
		const struct schema *variant = schema->variants[i];
		bool fits =
			variant->fields ? value->type == CONFIG_MAP : value->type == CONFIG_STRING;

		for (const struct schema_field *field = variant->fields;
		     fits && field && field->name; field++) {
			const struct config_value *given = config_get(value, field->name);
			const char *choice = field->schema->choices;

			fits = given ? !choice || strchr(choice, '|') || str_is(given->text, choice)
				     : !field->required;
		}
		if (fits)
			return variant;
	}
	return NULL;
}

struct json *plan_plain(const struct config_value *value, struct arena *mem)
{
	struct json *out;

	switch (value->type) {
	case CONFIG_NULL:
		return json_new(mem, JSON_NULL);
	case CONFIG_BOOLEAN:
		return json_new_bool(mem, str_is(value->text, "true"));
	case CONFIG_NUMBER:
		return json_validate(value->text, NULL) == 0 ? json_new_number(mem, value->text)
							     : json_new_string(mem, value->text);
	case CONFIG_STRING:
		return json_new_string(mem, value->text);
	case CONFIG_LIST:
		out = json_new(mem, JSON_ARRAY);
		config_each (child, value)
			json_append(out, plan_plain(child, mem));
		return out;
	case CONFIG_MAP:
		break;
	}
	out = json_new(mem, JSON_OBJECT);
	config_each (child, value)
		json_set(out, child->key, plan_plain(child, mem));
	return out;
}

/* What a pod of a step gets has an effect where there are pods. */
static bool is_of_a_pod(const struct schema_field *field)
{
	static const char *const names[] = {"serviceType", "internetFacing"};
	bool is = field->schema == &schema_resources;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		is |= strcmp(field->name, names[i]) == 0;
	return is && workflow_platform() == PLATFORM_KUBERNETES;
}

static bool counts(const struct schema_field *field)
{
	return (field->scope != SCHEMA_KUBERNETES || is_of_a_pod(field)) &&
	       strncmp(field->name, "skip", 4) != 0;
}

static struct json *resolve_object(const struct schema *schema, const struct config_value *value,
				   struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT), *fallback;

	for (const struct schema_field *field = schema->fields; field->name; field++) {
		const struct config_value *given = config_get(value, field->name);

		if (!counts(field))
			continue;
		if (given && given->type != CONFIG_NULL)
			json_set(out, str_from(field->name),
				 plan_resolve(field->schema, given, mem));
		else if (field->fallback &&
			 json_parse(str_from(field->fallback), mem, &fallback, NULL) == 0)
			json_set(out, str_from(field->name), fallback);
	}
	return out;
}

struct json *plan_resolve(const struct schema *schema, const struct config_value *value,
			  struct arena *mem)
{
	struct json *out;

	if (schema->kind == SCHEMA_ONE_OF)
		schema = value ? variant_of(schema, value) : NULL;
	if (schema == &schema_resources)
		return plan_plain(value, mem);
	if (schema && schema->kind == SCHEMA_OBJECT)
		return resolve_object(schema, value, mem);
	if (!value)
		return json_new(mem, JSON_NULL);
	if (!schema || (schema->kind != SCHEMA_LIST && schema->kind != SCHEMA_MAP))
		return plan_plain(value, mem);
	out = json_new(mem, schema->kind == SCHEMA_LIST ? JSON_ARRAY : JSON_OBJECT);
	if (schema->kind == SCHEMA_LIST && value->type != CONFIG_LIST) {
		json_append(out, plan_resolve(schema->items, value, mem));
		return out;
	}
	config_each (child, value) {
		struct json *item = plan_resolve(schema->items, child, mem);

		if (schema->kind == SCHEMA_LIST)
			json_append(out, item);
		else
			json_set(out, child->key, item);
	}
	return out;
}

static const struct schema *section_of(struct str member)
{
	for (size_t i = 0; i < COUNT_OF(sections); i++)
		if (str_is(member, sections[i].member))
			return plan_schema(sections[i].path);
	return NULL;
}

static enum change_policy policy_of(const struct schema *section, struct str member)
{
	const struct schema_field *field = section ? schema_field_find(section, member) : NULL;

	if (section)
		return field ? field->policy : CHANGE_SAFE;
	for (size_t i = 0; i < COUNT_OF(safe_members); i++)
		if (str_is(member, safe_members[i]))
			return CHANGE_SAFE;
	return CHANGE_IMPOSSIBLE;
}

static bool is_side(struct str member)
{
	return str_is(member, "source") || str_is(member, "target") || str_is(member, "repository");
}

static void take_members(struct json *out, const struct json *object, const struct schema *section,
			 enum change_policy least, struct arena *mem)
{
	json_each (child, object)
		if (policy_of(section, child->key) >= least)
			json_set(out, child->key, json_copy(mem, child));
}

struct json *plan_spec_part(const struct json *spec, enum change_policy least, struct arena *mem)
{
	struct json *out = json_new(mem, JSON_OBJECT);

	json_each (member, spec) {
		const struct schema *section = section_of(member->key);
		struct json *part = json_new(mem, JSON_OBJECT);

		if (!section && !is_side(member->key)) {
			json_set(out, member->key, json_copy(mem, member));
			continue;
		}
		take_members(part, member, section, least, mem);
		json_set(out, member->key, part);
	}
	return out;
}

static int by_key(const void *a, const void *b)
{
	const struct json *const *one = a, *const *other = b;

	return str_cmp((*one)->key, (*other)->key);
}

static void write_sorted(struct buf *out, const struct json *value, struct arena *mem)
{
	struct json **members;
	size_t count = 0;

	if (value->type != JSON_OBJECT && value->type != JSON_ARRAY) {
		json_write(out, value);
		return;
	}
	members = arena_zalloc(mem, value->count, sizeof(struct json *));
	if (!members)
		return;
	json_each (child, value)
		members[count++] = child;
	if (value->type == JSON_OBJECT && count > 0)
		qsort(members, count, sizeof(struct json *), by_key);
	buf_append_byte(out, value->type == JSON_OBJECT ? '{' : '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_byte(out, ',');
		if (value->type == JSON_OBJECT) {
			json_write_string(out, members[i]->key);
			buf_append_byte(out, ':');
		}
		write_sorted(out, members[i], mem);
	}
	buf_append_byte(out, value->type == JSON_OBJECT ? '}' : ']');
}

struct str plan_checksum(const struct json *value, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(16));
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[PLAN_CHECKSUM_LENGTH + 1];

	if (!value || mem->failed)
		return STR_NONE;
	write_sorted(&text, value, mem);
	if (text.failed || mem->failed)
		return STR_NONE;
	SHA256((const unsigned char *)text.ptr, text.len, digest);
	for (size_t i = 0; i < PLAN_CHECKSUM_LENGTH / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return arena_str(mem, str_from(hex));
}

struct comparison {
	struct arena *mem;
	struct plan_change *change;
	bool differs;
};

static void note(struct comparison *c, enum change_policy policy, struct str outer,
		 struct str member)
{
	struct plan_change *change = c->change;
	const char *dot = outer.len > 0 ? "." : "";

	if (!c->differs || policy > change->policy)
		*change = (struct plan_change){.policy = policy,
					       .paths = arena_printf(c->mem, STR_FMT "%s" STR_FMT,
								     STR_ARG(outer), dot,
								     STR_ARG(member))};
	else if (policy == change->policy)
		change->paths =
			arena_printf(c->mem, STR_FMT ", " STR_FMT "%s" STR_FMT,
				     STR_ARG(change->paths), STR_ARG(outer), dot, STR_ARG(member));
	c->differs = true;
}

static bool differ(const struct json *a, const struct json *b)
{
	return !a || !b ? a != b : !json_equal(a, b);
}

static void compare_members(struct comparison *c, struct str outer, const struct schema *section,
			    const struct json *before, const struct json *after)
{
	json_each (member, before)
		if (differ(member, json_get_str(after, member->key)))
			note(c, policy_of(section, member->key), outer, member->key);
	json_each (member, after)
		if (!json_get_str(before, member->key))
			note(c, policy_of(section, member->key), outer, member->key);
}

/* A part that is new or gone is a step more or less; nothing that was done is undone. */
static void compare_part(struct comparison *c, struct str name, const struct json *before,
			 const struct json *after)
{
	const struct schema *section = section_of(name);

	if (!differ(before, after))
		return;
	if (section && (!before || !after))
		note(c, CHANGE_SAFE, STR_NONE, name);
	else if (section || is_side(name))
		compare_members(c, name, section, before, after);
	else
		note(c, CHANGE_IMPOSSIBLE, STR_NONE, name);
}

bool plan_compare(const struct json *before, const struct json *after, struct arena *mem,
		  struct plan_change *out)
{
	struct comparison c = {.mem = mem, .change = out};

	*out = (struct plan_change){0};
	json_each (member, before)
		compare_part(&c, member->key, member, json_get_str(after, member->key));
	json_each (member, after)
		if (!json_get_str(before, member->key))
			compare_part(&c, member->key, NULL, member);
	return c.differs;
}
