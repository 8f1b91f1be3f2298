#include "rules_case.h"

#include "metadata/read_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct cluster_version version_of(const char *text)
{
	struct cluster_version version = {.flavour = CLUSTER_OPENSEARCH};
	char *rest;

	if (text[0] == 'e')
		version.flavour = CLUSTER_ELASTICSEARCH;
	version.major = (int)strtol(text + 2, &rest, 10);
	version.minor = (int)strtol(rest + 1, NULL, 10);
	return version;
}

static bool is_inside(enum metadata_kind kind)
{
	return kind == METADATA_INDEX_TEMPLATE || kind == METADATA_COMPONENT_TEMPLATE;
}

static struct json *parsed(const char *text, struct arena *mem)
{
	struct json *value = NULL;
	struct err err = {0};

	if (json_parse(str_from(text), mem, &value, &err) < 0)
		fail_msg("%s in %s", err.message, text);
	return value;
}

static void drop_empty(struct json *body)
{
	static const char *const names[] = {"settings", "mappings", "aliases"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct json *member = json_get(body, names[i]);

		if (member && !member->first)
			json_remove(body, str_from(names[i]));
	}
}

static struct metadata_item *add(struct metadata_set *set, const struct rules_case *c,
				 const char *text)
{
	enum metadata_kind kind = c->kind ? c->kind : METADATA_INDEX;
	struct json *body = parsed(text, &set->mem), *inner = json_get(body, "template");
	struct metadata_item *item;

	if (is_inside(kind) && inner)
		json_set(body, STR("template"), metadata_body(inner, false, &set->mem));
	else if (!is_inside(kind))
		body = metadata_body(body, metadata_has_types(&set->version), &set->mem);
	item = metadata_set_add(set, kind, str_from(c->name ? c->name : "books"), body);
	item->typed = !is_inside(kind) && metadata_has_types(&set->version);
	item->closed = c->closed;
	item->partial_source = c->partial_source;
	item->routing_shards = c->routing_shards;
	return item;
}

static bool has_noted(const struct metadata_item *item, const char *rule)
{
	for (size_t i = 0; i < item->note_count; i++)
		if (strcmp(item->notes[i].rule, rule) == 0)
			return true;
	return false;
}

static struct metadata_item *run(struct metadata_set *set, const struct rules_case *c,
				 const char *source, const char *target, const char *body)
{
	static const struct rule_options defaults = {.replicas = -1, .awareness_attributes = 1};
	struct rule_options options = c->options ? *c->options : defaults;
	struct metadata_item *item;
	struct err err = {0};

	metadata_set_init(set);
	set->version = version_of(source);
	options.target = version_of(target);
	item = add(set, c, body);
	if (rules_apply(set, &options, &err) < 0)
		fail_msg("%s: %s", c->rule, err.message);
	drop_empty(item->result);
	drop_empty(json_get(item->result, "template"));
	return item;
}

static void assert_result(const struct rules_case *c, const struct metadata_item *item,
			  const char *expected, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	if (json_equal(item->result, parsed(expected, mem)))
		return;
	json_write(&text, item->result);
	fail_msg("%s makes\n%s\nand not\n%s", c->rule, buf_cstr(&text), expected);
}

static void check_acting(const struct rules_case *c)
{
	struct metadata_set set;
	const struct metadata_item *item = run(&set, c, c->source, c->target, c->before);

	if (!c->silent && !has_noted(item, c->rule))
		fail_msg("%s is not noted", c->rule);
	if (!c->after && (item->outcome != OUTCOME_BLOCKED || !item->reason.len))
		fail_msg("%s does not block", c->rule);
	if (c->after && item->outcome == OUTCOME_BLOCKED)
		fail_msg("%s blocks: " STR_FMT, c->rule, STR_ARG(item->reason));
	if (c->after)
		assert_result(c, item, c->after, &set.mem);
	metadata_set_release(&set);
}

static const struct rule *find_rule(const char *id)
{
	size_t count;
	const struct rule *const *rules = rules_all(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(rules[i]->id, id) == 0)
			return rules[i];
	fail_msg("there is no rule %s", id);
	return NULL;
}

static void check_idle(const struct rules_case *c)
{
	const char *source = c->idle_source ? c->idle_source : c->source;
	const char *target = c->idle_target ? c->idle_target : c->target;
	const struct cluster_version from = version_of(source), to = version_of(target);
	const struct rule *rule = find_rule(c->rule);
	struct rules_case plain = *c;
	struct metadata_set set;
	const struct metadata_item *item;

	plain.closed = plain.partial_source = false;
	if (c->untouched)
		plain.name = NULL;
	item = run(&set, &plain, source, target, c->untouched ? c->untouched : c->before);
	if (c->untouched)
		assert_result(c, item, c->untouched, &set.mem);
	else if (rule_range_holds(&rule->source, &from) && rule_range_holds(&rule->target, &to))
		fail_msg("%s holds from %s to %s", c->rule, source, target);
	if (has_noted(item, c->rule))
		fail_msg("%s acts from %s to %s", c->rule, source, target);
	metadata_set_release(&set);
}

void rules_case_check(const struct rules_case *c)
{
	check_acting(c);
	check_idle(c);
}
