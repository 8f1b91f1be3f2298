#include "base/base64.h"
#include "base/opt_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct opt_setting *opt_find(const struct opt_settings *settings, struct str name, bool *is_file)
{
	for (size_t i = 0; i < settings->count; i++)
		if (opt_name_matches(settings->all[i].row, name, is_file))
			return &settings->all[i];
	return NULL;
}

/* A secret's file: its content without one trailing newline. */
static int read_secret(const char *path, struct arena *mem, const char **out, struct err *err)
{
	cleanup(buf_release) struct buf content = BUF_INIT(LIMIT_SECRET + 1);
	FILE *file = fopen(path, "re");
	void *room;
	size_t got;
	int failure;

	if (!file)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read '%s'", path);
	room = buf_reserve(&content, LIMIT_SECRET + 1);
	got = fread(room, 1, LIMIT_SECRET + 1, file);
	failure = ferror(file) ? errno : 0;
	fclose(file);
	if (failure)
		return err_set_errno(err, ERR_USAGE, failure, "cannot read '%s'", path);
	if (got > LIMIT_SECRET)
		return err_set(err, ERR_USAGE, "'%s' is larger than a secret may be (%zu bytes)",
			       path, LIMIT_SECRET);
	content.len = got;
	if (content.len && content.ptr[content.len - 1] == '\n')
		content.len--;
	if (content.len && content.ptr[content.len - 1] == '\r' && content.len < got)
		content.len--;
	if (!content.len)
		return err_set(err, ERR_USAGE, "'%s' is empty", path);
	if (memchr(content.ptr, '\0', content.len))
		return err_set(err, ERR_USAGE, "'%s' holds a NUL byte", path);
	*out = arena_str(mem, buf_str(&content)).ptr;
	return *out ? 0 : arena_fail(mem, "a secret", err);
}

int opt_set(const struct opt_settings *settings, struct opt_setting *setting, const char *text,
	    bool is_file, const char *from, struct err *err)
{
	const char *suffix = is_file ? "-file" : "", *name = setting->row->name;
	int code = 0;

	if (setting->given && setting->by_file != is_file)
		return err_set(err, ERR_USAGE, "give --%s or --%s-file, not both", name, name);
	if (is_file)
		code = read_secret(text, settings->mem, &text, err);
	if (code == 0)
		code = opt_value_set(setting->row, setting->field, text, settings->mem, err);
	setting->given = true;
	setting->by_file = is_file;
	if (code < 0 && from)
		return err_wrap(err, "--%s%s (from %s)", name, suffix, from);
	return code < 0 ? err_wrap(err, "--%s%s", name, suffix) : 0;
}

#define INLINE_JSON "---INLINE-JSON"

static int set_from_text(const struct opt_settings *settings, struct opt_setting *setting,
			 struct str text, bool is_file, struct err *err)
{
	struct str copy = arena_str(settings->mem, text);

	if (!copy.ptr)
		return arena_fail(settings->mem, INLINE_JSON, err);
	if (memchr(copy.ptr, '\0', copy.len))
		return err_set(err, ERR_USAGE, "--%s (from " INLINE_JSON ") holds a NUL byte",
			       setting->row->name);
	return opt_set(settings, setting, copy.ptr, is_file, INLINE_JSON, err);
}

static int fail_unknown_key(const struct opt_settings *settings, struct str key, struct err *err)
{
	struct str near = opt_nearest(settings->command, key, settings->mem);

	if (!near.ptr)
		return err_set(err, ERR_USAGE,
			       INLINE_JSON ": unknown key '" STR_FMT "'; see --help", STR_ARG(key));
	return err_set(err, ERR_USAGE,
		       INLINE_JSON ": unknown key '" STR_FMT "'; did you mean that of " STR_FMT "?",
		       STR_ARG(key), STR_ARG(near));
}

static int fail_json_type(const struct opt *row, struct err *err)
{
	const char *accepted = row->type == OPT_LIST   ? "an array of strings"
			       : row->type == OPT_BOOL ? "true or false"
						       : "a string or a number";

	return err_set(err, ERR_USAGE, "--%s (from " INLINE_JSON ") must be %s", row->name,
		       accepted);
}

static int set_from_array(const struct opt_settings *settings, struct opt_setting *setting,
			  const struct json *array, struct err *err)
{
	setting->given = true;
	json_each (item, array) {
		struct str text = json_text_or(item, STR_NONE);

		if (!text.ptr || memchr(text.ptr, '\0', text.len))
			return fail_json_type(setting->row, err);
		if (opt_list_append(setting->field, text, settings->mem, err) < 0)
			return err_wrap(err, "--%s (from " INLINE_JSON ")", setting->row->name);
	}
	return 0;
}

static int set_from_json(const struct opt_settings *settings, const struct json *member,
			 struct err *err)
{
	bool is_file, truth = member->type == JSON_TRUE;
	struct opt_setting *setting = opt_find(settings, member->key, &is_file);

	if (!setting)
		return fail_unknown_key(settings, member->key, err);
	if (member->type == JSON_NULL)
		return 0;
	if (member->type == JSON_STRING || member->type == JSON_NUMBER)
		return set_from_text(settings, setting, member->text, is_file, err);
	if (member->type == JSON_ARRAY && setting->row->type == OPT_LIST)
		return set_from_array(settings, setting, member, err);
	if ((truth || member->type == JSON_FALSE) && setting->row->type == OPT_BOOL)
		return set_from_text(settings, setting, truth ? STR("true") : STR("false"), false,
				     err);
	return fail_json_type(setting->row, err);
}

int opt_set_inline_json(const struct opt_settings *settings, const char *text, struct err *err)
{
	cleanup(buf_release) struct buf decoded = BUF_INIT(strlen(text) + 1);
	struct str json = str_from(text + strspn(text, " \t\r\n"));
	struct json *flags;
	int code = 0;

	if (!str_starts(json, STR("{"))) {
		if (!base64_decode(&decoded, json))
			return err_set(err, ERR_USAGE,
				       INLINE_JSON " takes a JSON object, as it is or in base64");
		/* The tree points into it. */
		json = arena_str(settings->mem, buf_str(&decoded));
		if (!json.ptr)
			return arena_fail(settings->mem, INLINE_JSON, err);
	}
	if (json_parse(json, settings->mem, &flags, err) < 0) {
		if (err)
			err->kind = ERR_USAGE;
		return err_wrap(err, INLINE_JSON);
	}
	if (flags->type != JSON_OBJECT)
		return err_set(err, ERR_USAGE, INLINE_JSON " takes a JSON object");
	json_each (member, flags) {
		if (code == 0)
			code = set_from_json(settings, member, err);
	}
	return code;
}

/* An empty variable counts as not set. */
static int set_from_variable(const struct opt_settings *settings, struct opt_setting *setting,
			     const char *variable, bool is_file, struct err *err)
{
	const char *value = setting->given || !variable ? NULL : getenv(variable);
	struct str copy;

	if (!value || !*value)
		return 0;
	copy = arena_str(settings->mem, str_from(value));
	if (!copy.ptr)
		return arena_fail(settings->mem, variable, err);
	return opt_set(settings, setting, copy.ptr, is_file, variable, err);
}

static int set_from_java_variables(const struct opt_settings *settings, struct opt_setting *setting,
				   struct err *err)
{
	const char *prefix = settings->command->java_variables, *aliases = setting->row->aliases;
	struct str name = str_from(setting->row->name);
	char variable[128];
	int code = 0;

	for (; prefix && name.len > 0 && code == 0; name = opt_next_word(&aliases)) {
		if (name.len == 1)
			continue;
		opt_java_variable(prefix, name, variable);
		code = set_from_variable(settings, setting, variable, false, err);
	}
	return code;
}

static int set_from_variables(const struct opt_settings *settings, struct opt_setting *setting,
			      struct err *err)
{
	char variable[128];
	int code;

	opt_variable(setting->row, "", variable);
	code = set_from_variable(settings, setting, variable, false, err);
	if (code == 0 && setting->row->type == OPT_SECRET) {
		opt_variable(setting->row, "_FILE", variable);
		code = set_from_variable(settings, setting, variable, true, err);
	}
	if (code == 0)
		code = set_from_java_variables(settings, setting, err);
	return code < 0 ? code
			: set_from_variable(settings, setting, setting->row->env, false, err);
}

int opt_set_remaining(const struct opt_settings *settings, struct err *err)
{
	for (size_t i = 0; i < settings->count; i++) {
		struct opt_setting *setting = &settings->all[i];
		const struct opt *row = setting->row;
		int code = set_from_variables(settings, setting, err);

		if (code < 0)
			return code;
		if (!setting->given && row->fallback &&
		    opt_value_set(row, setting->field, row->fallback, settings->mem, err) < 0)
			BUG("the default of an option is not accepted");
	}
	return 0;
}
