#include "transform/declarative.h"
#include "transform/transform_internal.h"
#include "transform/value_step.h"

#include <stdlib.h>

/* {"rules": [{"when": {key: value}, "set": {key: value}, "remove": [key]}]}: every object of a
 * metadata item's body that has all of `when` gets `set` and loses `remove`. */

static bool has_all(const struct json *node, const struct json *when)
{
	json_each (member, when) {
		const struct json *mine = json_get_str(node, member->key);

		if (!mine || !json_equal(mine, member))
			return false;
	}
	return true;
}

static int apply_rule(struct json *node, const struct json *rule, struct arena *mem)
{
	if (!has_all(node, json_get(rule, "when")))
		return 0;
	json_each (member, json_get(rule, "set")) {
		struct json *copy = json_copy(mem, member);

		json_set(node, copy ? copy->key : member->key, copy);
	}
	json_each (key, json_get(rule, "remove"))
		json_remove(node, key->text);
	return 1;
}

/* As deep as the tree is: at most LIMIT_JSON_DEPTH. */
static int apply_rules(struct json *node, const struct json *rules, struct arena *mem)
{
	int changed = 0;

	if (node->type != JSON_ARRAY && node->type != JSON_OBJECT)
		return 0;
	if (node->type == JSON_OBJECT)
		json_each (rule, rules)
			changed |= apply_rule(node, rule, mem);
	json_each (child, node)
		changed |= apply_rules(child, rules, mem);
	return changed;
}

static int update(void *state, struct json *value, struct arena *mem, struct json **out,
		  struct err *err)
{
	const struct json *rules = *(const struct json **)state;
	struct json *body = json_get(value, "body");

	(void)out;
	(void)err;
	return body ? apply_rules(body, rules, mem) : 0;
}

static int check_rule(const struct json *rule, size_t position, struct err *err)
{
	static const char *const keys[] = {"when", "set", "remove", NULL};
	const struct json *when = json_get(rule, "when"), *set = json_get(rule, "set");
	const struct json *remove = json_get(rule, "remove");

	if (transform_check_keys(rule, keys, err) < 0)
		return err_wrap(err, "rules[%zu]", position);
	if (!when || when->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "rules[%zu].when is no object {key: value}",
			       position);
	if (set && set->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, "rules[%zu].set is no object {key: value}",
			       position);
	if (remove && remove->type != JSON_ARRAY)
		return err_set(err, ERR_USAGE, "rules[%zu].remove is no list of keys", position);
	json_each (key, remove)
		if (key->type != JSON_STRING)
			return err_set(err, ERR_USAGE, "rules[%zu].remove is no list of keys",
				       position);
	return 0;
}

static int make(const struct json *configuration, const struct transform_context *context,
		struct transform_step **out, struct err *err)
{
	static const char *const keys[] = {"rules", NULL};
	const struct json *rules = json_get(configuration, "rules"), **state;
	int status = transform_check_keys(configuration, keys, err);
	size_t position = 0;

	if (status < 0)
		return status;
	if (context->kind != TRANSFORM_METADATA)
		return err_set(err, ERR_USAGE, "it is for metadata only");
	if (!rules || rules->type != JSON_ARRAY)
		return err_set(err, ERR_USAGE,
			       "rules is %s; give {\"rules\":[{\"when\":{\"type\":\"flattened\"},"
			       "\"set\":{\"type\":\"flat_object\"},\"remove\":[\"index\"]}]}",
			       rules ? "no list" : "missing");
	json_each (rule, rules)
		if ((status = check_rule(rule, position++, err)) < 0)
			return status;
	state = mem_alloc(sizeof(const struct json *));
	*state = rules;
	*out = value_step_new(update, state, free);
	return 0;
}

const struct transform_provider transform_provider_metadata_updater = {
	"MetadataUpdaterTransformerProvider", make};
