#include "metadata/snapshot_policy.h"

#include <ctype.h>

#define CRON_FIELDS 7 /* seconds, minutes, hours, day of month, month, day of week, year */
#define DAY_OF_WEEK 5
#define CRON_MAX 256

static size_t split_fields(struct str text, struct str fields[CRON_FIELDS + 1])
{
	size_t count = 0;

	while (text.len > 0 && count <= CRON_FIELDS) {
		struct str head, tail = STR_NONE;

		str_split(text, ' ', &head, &tail);
		if (head.len > 0)
			fields[count++] = head;
		text = head.len == text.len ? STR_NONE : tail;
	}
	return count;
}

static bool is_letter(char c)
{
	return isalpha((unsigned char)c) != 0;
}

/* L, W and # are Quartz's alone; in names of days and months (JUL, WED) they are letters. */
static bool has_quartz_marks(struct str field)
{
	for (size_t i = 0; i < field.len; i++) {
		char c = (char)toupper((unsigned char)field.ptr[i]);
		bool word = (i > 0 && is_letter(field.ptr[i - 1])) ||
			    (i + 1 < field.len && is_letter(field.ptr[i + 1]));

		if (c == '#' || ((c == 'L' || c == 'W') && !word))
			return true;
	}
	return str_is(field, "LW");
}

/* Sunday is 1 there, and 0 here; what stands behind a '/' is a step, and no day. */
static void append_field(struct buf *out, struct str field, bool days_of_week)
{
	for (size_t i = 0; i < field.len; i++) {
		char c = field.ptr[i];
		bool step = i > 0 && field.ptr[i - 1] == '/';

		if (c == '?')
			c = '*';
		else if (days_of_week && !step && c >= '1' && c <= '7')
			c--;
		buf_append_byte(out, c);
	}
}

/* "0 30 1 ? * MON-FRI" to "30 1 * * MON-FRI": without seconds and year, '?' is '*', days of the
 * week count from 0. ptr NULL: it has what Unix's cron has not (L, W, #, a year). */
static struct str cron_without_seconds(struct str expression, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(CRON_MAX);
	struct str fields[CRON_FIELDS + 1];
	size_t count = split_fields(expression, fields);

	if (count < 6 || count > CRON_FIELDS || (count == CRON_FIELDS && !str_is(fields[6], "*")))
		return STR_NONE;
	for (size_t i = 1; i <= DAY_OF_WEEK; i++) {
		if (has_quartz_marks(fields[i]))
			return STR_NONE;
		if (i > 1)
			buf_append_byte(&text, ' ');
		append_field(&text, fields[i], i == DAY_OF_WEEK);
	}
	return text.failed ? STR_NONE : arena_str(mem, buf_str(&text));
}

static struct json *schedule(struct rule_scope *scope, struct str cron)
{
	struct arena *mem = &scope->set->mem;
	struct json *inner = json_new(mem, JSON_OBJECT), *outer = json_new(mem, JSON_OBJECT);

	json_set(inner, STR("expression"), json_new_string(mem, cron));
	json_set(inner, STR("timezone"), json_new_string(mem, STR("UTC")));
	json_set(outer, STR("cron"), inner);
	return outer;
}

static struct json *creation(struct rule_scope *scope, struct str cron)
{
	struct json *part = json_new(&scope->set->mem, JSON_OBJECT);

	json_set(part, STR("schedule"), schedule(scope, cron));
	return part;
}

static void copy_member(struct rule_scope *scope, const struct json *from, const char *name,
			struct json *to, const char *as)
{
	const struct json *value = json_get(from, name);

	if (value && value->type != JSON_NULL)
		json_set(to, str_from(as), json_copy(&scope->set->mem, value));
}

/* NULL: nothing is ever deleted. */
static struct json *deletion(struct rule_scope *scope, const struct json *retention)
{
	struct arena *mem = &scope->set->mem;
	struct json *part = json_new(mem, JSON_OBJECT), *condition = json_new(mem, JSON_OBJECT);

	copy_member(scope, retention, "expire_after", condition, "max_age");
	copy_member(scope, retention, "max_count", condition, "max_count");
	if (!condition || !condition->first)
		return NULL;
	copy_member(scope, retention, "min_count", condition, "min_count");
	json_set(part, STR("condition"), condition);
	return part;
}

/* A list, or a text with commas, as SM's text. */
static struct str index_names(struct rule_scope *scope, const struct json *indices)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	if (!indices || indices->type != JSON_ARRAY)
		return json_text_or(indices, STR("*"));
	json_each (name, indices) {
		if (text.len > 0)
			buf_append_byte(&text, ',');
		buf_append_str(&text, json_string(name));
	}
	return text.len && !text.failed ? arena_str(&scope->set->mem, buf_str(&text)) : STR("*");
}

static struct json *snapshot_config(struct rule_scope *scope, const struct json *policy)
{
	static const char *const kept[] = {"ignore_unavailable", "include_global_state", "partial",
					   "metadata"};
	struct arena *mem = &scope->set->mem;
	const struct json *config = json_get(policy, "config");
	struct json *out = json_new(mem, JSON_OBJECT);

	json_set(out, STR("indices"),
		 json_new_string(mem, index_names(scope, json_get(config, "indices"))));
	copy_member(scope, policy, "repository", out, "repository");
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		copy_member(scope, config, kept[i], out, kept[i]);
	json_each (member, config) {
		bool known = str_is(member->key, "indices");

		for (size_t i = 0; i < COUNT_OF(kept); i++)
			known |= str_is(member->key, kept[i]);
		if (!known)
			rule_note(scope, "slm-to-sm", NOTE_WARN,
				  "dropped config." STR_FMT ": SM has nothing like it",
				  STR_ARG(member->key));
	}
	return out;
}

static void note_names(struct rule_scope *scope, const struct json *policy)
{
	rule_note(scope, "slm-to-sm", NOTE_CHANGE,
		  "snapshots are called " STR_FMT "-<date>-<random>, no longer " STR_FMT
		  "; the repository '" STR_FMT "' must be registered on the target",
		  STR_ARG(scope->item->name), STR_ARG(json_string(json_get(policy, "name"))),
		  STR_ARG(json_string(json_get(policy, "repository"))));
}

struct json *slm_to_sm(struct rule_scope *scope, const struct json *slm)
{
	struct arena *mem = &scope->set->mem;
	const struct json *wrapped = json_get(slm, "policy"), *policy = wrapped ? wrapped : slm;
	struct str said = json_string(json_get(policy, "schedule"));
	struct str cron = cron_without_seconds(said, mem);
	struct json *out = json_new(mem, JSON_OBJECT), *deleting;

	if (cron.len == 0) {
		rule_block(scope, "slm-to-sm",
			   "its schedule '" STR_FMT
			   "' cannot be said by a cron of five fields; change it on the source, or "
			   "write an SM policy by hand",
			   STR_ARG(said));
		return NULL;
	}
	json_set(out, STR("description"),
		 json_new_string(mem, arena_printf(mem, "Converted from the SLM policy " STR_FMT,
						   STR_ARG(scope->item->name))));
	json_set(out, STR("creation"), creation(scope, cron));
	deleting = deletion(scope, json_get(policy, "retention"));
	if (deleting)
		json_set(out, STR("deletion"), deleting);
	json_set(out, STR("snapshot_config"), snapshot_config(scope, policy));
	note_names(scope, policy);
	return mem->failed ? NULL : out;
}
