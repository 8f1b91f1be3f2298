#include "verify/metadata_differences.h"

#include "base/json_number_text.h"
#include "metadata/settings_tree.h"

#define TEXT_MAX_BYTES KIB(64)
#define VALUE_SHOWN 200 /* bytes of a value in a finding */

struct walk {
	struct verify_findings *out;
	struct str index;
	struct buf path;
	uint64_t found;
};

/* What a field or mapping has when it does not say so; by the last part of the path. */
static const struct {
	const char *name, *value;
} mapping_defaults[] = {
	{"boost", "1.0"},
	{"coerce", "true"},
	{"date_detection", "true"},
	{"depth_limit", "20"},
	{"doc_values", "true"},
	{"dynamic", "true"},
	{"eager_global_ordinals", "false"},
	{"enabled", "true"},
	{"fielddata", "false"},
	{"format", "strict_date_optional_time||epoch_millis"},
	{"ignore_above", "2147483647"},
	{"ignore_malformed", "false"},
	{"ignore_z_value", "true"},
	{"include_in_parent", "false"},
	{"include_in_root", "false"},
	{"index", "true"},
	{"max_input_length", "50"},
	{"max_shingle_size", "3"},
	{"numeric_detection", "false"},
	{"position_increment_gap", "100"},
	{"preserve_position_increments", "true"},
	{"preserve_separators", "true"},
	{"required", "false"},
	{"search_quote_analyzer", "standard"},
	{"similarity", "BM25"},
	{"split_queries_on_whitespace", "false"},
	{"store", "false"},
	{"type", "object"},
};

static const struct {
	const char *name, *value;
} setting_defaults[] = {
	{"codec", "default"},
	{"mapping.total_fields.limit", "1000"},
	{"max_result_window", "10000"},
	{"refresh_interval", "1s"},
};

static bool is_scalar_text(const struct json *v, struct str *text)
{
	switch (v->type) {
	case JSON_TRUE:
		*text = STR("true");
		return true;
	case JSON_FALSE:
		*text = STR("false");
		return true;
	case JSON_NUMBER:
	case JSON_STRING:
		*text = v->text;
		return true;
	case JSON_NULL:
	case JSON_BINARY:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return false;
}

static bool is_number(struct str text)
{
	struct json *value;
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));

	return text.len > 0 && text.len < 64 && json_parse(text, &mem, &value, NULL) == 0 &&
	       value->type == JSON_NUMBER;
}

/* true and "true", 1 and "1.0". */
static bool texts_equal(struct str a, struct str b)
{
	return str_eq(a, b) || (is_number(a) && is_number(b) && json_numbers_equal(a, b));
}

static struct str last_part(struct str path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '.')
			return str_from_offset(path, i);
	return path;
}

static bool is_default(struct str path, struct str value)
{
	struct str settings = STR("settings."), name;

	if (str_starts(path, settings)) {
		name = str_from_offset(path, settings.len);
		for (size_t i = 0; i < COUNT_OF(setting_defaults); i++)
			if (str_is(name, setting_defaults[i].name))
				return texts_equal(value, str_from(setting_defaults[i].value));
		return false;
	}
	name = last_part(path);
	for (size_t i = 0; i < COUNT_OF(mapping_defaults); i++)
		if (str_is(name, mapping_defaults[i].name))
			return texts_equal(value, str_from(mapping_defaults[i].value));
	return false;
}

/* Nothing in it says more than saying nothing does. */
static bool says_nothing(struct walk *w, const struct json *v)
{
	struct str text;
	size_t length = w->path.len;
	bool nothing = true;

	if (!v || v->type == JSON_NULL)
		return true;
	if (is_scalar_text(v, &text))
		return is_default(buf_str(&w->path), text);
	if (v->type == JSON_ARRAY)
		return v->count == 0;
	json_each (member, v) {
		buf_append_byte(&w->path, '.');
		buf_append_str(&w->path, member->key);
		nothing = nothing && says_nothing(w, member);
		w->path.len = length;
	}
	/* A field without a type is an object, and is there. */
	return nothing && !str_starts(last_part(buf_str(&w->path)), STR("properties"));
}

static struct str shown(const struct json *v, struct buf *text)
{
	if (!v)
		return STR("(nothing)");
	json_write(text, v);
	if (text->len > VALUE_SHOWN) {
		text->len = VALUE_SHOWN;
		while (text->len > 0 && ((uint8_t)text->ptr[text->len] & 0xc0) == 0x80)
			text->len--;
		buf_append_str(text, STR("…"));
	}
	return buf_str(text);
}

static void tell(struct walk *w, const struct json *expected, const struct json *found)
{
	cleanup(buf_release) struct buf a = BUF_INIT(MIB(16)), b = BUF_INIT(MIB(16));

	w->found++;
	verify_findings_add(w->out, &(struct verify_finding){.index = w->index,
							     .where = buf_str(&w->path),
							     .expected = shown(expected, &a),
							     .found = shown(found, &b)});
}

static void compare(struct walk *w, const struct json *expected, const struct json *found);

static void compare_member(struct walk *w, struct str key, const struct json *expected,
			   const struct json *found)
{
	size_t length = w->path.len;

	if (length > 0)
		buf_append_byte(&w->path, '.');
	buf_append_str(&w->path, key);
	compare(w, expected, found);
	w->path.len = length;
	w->path.failed = false;
}

/* Members of "properties" are fields: one that only one side has is told as a whole. */
static void compare_objects(struct walk *w, const struct json *expected, const struct json *found)
{
	json_each (member, expected)
		compare_member(w, member->key, member, json_get_str(found, member->key));
	json_each (member, found)
		if (!json_get_str(expected, member->key))
			compare_member(w, member->key, NULL, member);
}

/* A list of one is what stands in it. */
static const struct json *alone(const struct json *v)
{
	return v && v->type == JSON_ARRAY && v->count == 1 ? v->first : v;
}

static bool scalars_equal(const struct json *a, const struct json *b)
{
	struct str x, y;

	return is_scalar_text(a, &x) && is_scalar_text(b, &y) ? texts_equal(x, y)
							      : json_equal(a, b);
}

static bool arrays_equal(const struct json *a, const struct json *b)
{
	const struct json *x = a->first, *y = b->first;

	for (; x && y; x = x->next, y = y->next)
		if (!scalars_equal(x, y))
			return false;
	return !x && !y;
}

static bool is_field(struct str path)
{
	struct str parent = str_of(path.ptr, path.len - MIN(path.len, last_part(path).len + 1));

	return str_is(last_part(parent), "properties") || str_is(last_part(parent), "fields");
}

static void compare(struct walk *w, const struct json *expected, const struct json *found)
{
	expected = alone(expected);
	found = alone(found);
	if (!expected || !found) {
		const struct json *only = expected ? expected : found;

		if (is_field(buf_str(&w->path)) || !says_nothing(w, only))
			tell(w, expected, found);
	} else if (expected->type == JSON_OBJECT && found->type == JSON_OBJECT) {
		compare_objects(w, expected, found);
	} else if (expected->type == JSON_ARRAY && found->type == JSON_ARRAY) {
		if (!arrays_equal(expected, found))
			tell(w, expected, found);
	} else if (!scalars_equal(expected, found)) {
		tell(w, expected, found);
	}
}

/* How many copies there are is how an index is kept, not what it is. */
static struct json *without_copies(const struct json *settings, const struct rule_options *rules,
				   struct arena *mem)
{
	struct json *copy = settings ? json_copy(mem, settings) : json_new(mem, JSON_OBJECT);

	if (copy && rules->replicas < 0) {
		settings_remove(copy, "number_of_replicas");
		settings_remove(copy, "auto_expand_replicas");
	}
	if (copy)
		settings_remove(copy, "number_of_routing_shards");
	return copy;
}

static void compare_items(struct walk *w, const struct metadata_item *source,
			  const struct metadata_item *target, const struct rule_options *rules,
			  struct arena *mem)
{
	compare_member(w, STR("settings"),
		       without_copies(json_get(source->result, "settings"), rules, mem),
		       without_copies(json_get(target->result, "settings"), rules, mem));
	compare_member(w, STR("mappings"), json_get(source->result, "mappings"),
		       json_get(target->result, "mappings"));
}

static const struct metadata_item *find_target_name(const struct metadata_set *set, struct str name,
						    struct str source_name)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->kind == METADATA_INDEX &&
		    str_eq(set->items[i]->target_name, name) &&
		    (!source_name.ptr || str_eq(set->items[i]->name, source_name)))
			return set->items[i];
	return NULL;
}

static void not_compared(struct verify_findings *out, struct str index, struct str why)
{
	out->unclear++;
	verify_findings_add(out, &(struct verify_finding){.index = index,
							  .where = STR("mappings and settings"),
							  .found = why,
							  .not_compared = true});
}

static void compare_pair(const struct metadata_set *source, const struct metadata_set *target,
			 const struct verify_pair *pair, const struct rule_options *rules,
			 struct verify_findings *out)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	const struct metadata_item *a =
		find_target_name(source, pair->target_index, pair->source_index);
	const struct metadata_item *b = find_target_name(target, pair->target_index, STR_NONE);
	struct walk w = {out, pair->target_index, BUF_INIT(TEXT_MAX_BYTES), 0};

	out->compared++;
	if (!a || !b)
		not_compared(out, pair->target_index,
			     a ? STR("the target has no index of that name")
			       : STR("the source has no index of that name"));
	else if (a->outcome == OUTCOME_BLOCKED || !a->result)
		not_compared(out, pair->target_index,
			     a->reason.len ? a->reason
					   : STR("the rules make no index for this target of it"));
	else if (!b->result)
		not_compared(out, pair->target_index, STR("the target's could not be read"));
	else
		compare_items(&w, a, b, rules, &mem);
	out->different += w.found > 0;
	buf_release(&w.path);
}

int metadata_differences(struct metadata_set *source, struct metadata_set *target,
			 const struct verify_pair *pairs, size_t count,
			 const struct rule_options *rules, struct verify_findings *out,
			 struct err *err)
{
	/* What the target has is not to be changed as the user would have it. */
	struct rule_options own = *rules;

	own.replicas = -1;
	own.awareness_attributes = 1;
	if (rules_apply(source, rules, err) < 0 || rules_apply(target, &own, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		compare_pair(source, target, &pairs[i], rules, out);
	return out->mem.failed ? arena_fail(&out->mem, "the differences of metadata", err) : 0;
}
