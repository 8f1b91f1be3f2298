#include "base/opt_internal.h"

/* The arguments on their way through. */
struct arguments {
	struct opt_settings settings;
	int count, at;
	char **values;
	struct opt_result *result;
	bool inline_json, flags, secret; /* what was among them so far */
};

static bool is_flag(const char *argument)
{
	return argument[0] == '-' && argument[1];
}

static bool help_is_asked(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int settings_init(struct opt_settings *settings, const struct opt_command *command,
			 void *fields, struct arena *mem, struct err *err)
{
	size_t count = 0;

	opt_each (part, row, command) {
		count++;
	}
	*settings = (struct opt_settings){.command = command, .mem = mem};
	settings->all = arena_zalloc(mem, count, sizeof(*settings->all));
	if (!settings->all)
		return arena_fail(mem, "the command line", err);
	opt_each (part, row, command) {
		char *field = (char *)fields + part->base + row->offset;

		settings->all[settings->count++] = (struct opt_setting){.row = row, .field = field};
	}
	return 0;
}

/* "--name=value" or "-n" in its parts. value.ptr is NULL when there is no '='. */
static struct str split_flag(const char *argument, const char **value)
{
	const char *name = argument + strspn(argument, "-"), *equals = strchr(name, '=');

	*value = equals ? equals + 1 : NULL;
	return str_of(name, equals ? (size_t)(equals - name) : strlen(name));
}

/* The setting that an argument names; a name of one letter takes one dash, longer ones two. */
static struct opt_setting *find_flag(const struct arguments *a, const char *argument,
				     const char **value, bool *is_file)
{
	struct str name = split_flag(argument, value);
	size_t dashes = (size_t)(name.ptr - argument);

	if (dashes != (name.len == 1 ? 1 : 2))
		return NULL;
	return opt_find(&a->settings, name, is_file);
}

static int fail_unknown(const struct arguments *a, const char *argument, struct err *err)
{
	const char *value;
	struct str name = split_flag(argument, &value), near;
	struct str shown = str_of(argument, (size_t)(name.ptr - argument) + name.len);

	near = opt_nearest(a->settings.command, name, a->settings.mem);
	return err_set(err, ERR_USAGE, "unknown flag " STR_FMT "%s" STR_FMT "%s", STR_ARG(shown),
		       near.ptr ? "; did you mean " : "", STR_ARG(near),
		       near.ptr ? "?" : "; see --help");
}

/* The argument after a flag that needs a value; NULL when there is none, or it is a flag. */
static const char *next_value(struct arguments *a)
{
	const char *next = a->at + 1 < a->count ? a->values[a->at + 1] : NULL, *ignored;
	bool is_file;

	if (!next || strncmp(next, "--", 2) == 0)
		return NULL;
	if (is_flag(next) && find_flag(a, next, &ignored, &is_file))
		return NULL;
	a->at++;
	return next;
}

static const char *bool_value(struct arguments *a)
{
	const char *next = a->at + 1 < a->count ? a->values[a->at + 1] : "";

	if (strcmp(next, "true") != 0 && strcmp(next, "false") != 0)
		return "true";
	a->at++;
	return next;
}

static int take_flag(struct arguments *a, struct err *err)
{
	const char *argument = a->values[a->at], *value;
	struct opt_setting *setting;
	bool is_file;

	setting = find_flag(a, argument, &value, &is_file);
	if (!setting)
		return fail_unknown(a, argument, err);
	a->flags = true;
	if (!value && setting->row->type == OPT_BOOL) {
		value = bool_value(a);
	} else if (!value) {
		value = next_value(a);
		if (!value)
			return err_set(err, ERR_USAGE,
				       "%s needs a value (one that starts with -- is given as "
				       "%s=VALUE)",
				       argument, argument);
	}
	if (setting->row->type == OPT_SECRET && !is_file)
		a->secret = true;
	return opt_set(&a->settings, setting, value, is_file, NULL, err);
}

static int take_inline_json(struct arguments *a, struct err *err)
{
	const char *value;

	split_flag(a->values[a->at], &value);
	if (!value && ++a->at < a->count)
		value = a->values[a->at];
	if (!value)
		return err_set(err, ERR_USAGE, "---INLINE-JSON needs a JSON object");
	a->inline_json = true;
	return opt_set_inline_json(&a->settings, value, err);
}

static int take_positional(struct arguments *a, struct err *err)
{
	const struct opt_command *command = a->settings.command;
	struct opt_result *result = a->result;

	if (result->positional_count < command->max_positionals) {
		result->positionals[result->positional_count++] = a->values[a->at];
		return 0;
	}
	/* It may be the rest of a secret with spaces in it. */
	if (a->secret)
		return err_set(err, ERR_USAGE,
			       "unexpected argument after a secret (not shown; a value with spaces "
			       "needs quotes)");
	return err_set(err, ERR_USAGE,
		       "unexpected argument '%s' (usage: shardlift %s [options]%s%s)",
		       a->values[a->at], command->name, command->arguments ? " " : "",
		       command->arguments ? command->arguments : "");
}

static int take_arguments(struct arguments *a, struct err *err)
{
	bool options_ended = false;
	int code = 0;

	for (a->at = 0; a->at < a->count && code == 0; a->at++) {
		const char *argument = a->values[a->at];

		if (options_ended || !is_flag(argument))
			code = take_positional(a, err);
		else if (strcmp(argument, "--") == 0)
			options_ended = true;
		else if (str_is(str_of(argument, strcspn(argument, "=")), "---INLINE-JSON"))
			code = take_inline_json(a, err);
		else
			code = take_flag(a, err);
	}
	if (code == 0 && a->inline_json && a->flags)
		return err_set(err, ERR_USAGE,
			       "---INLINE-JSON replaces all flags; give it alone, or flags alone");
	return code;
}

static int check_required(const struct opt_settings *settings, struct err *err)
{
	char variable[128];

	for (size_t i = 0; i < settings->count; i++) {
		const struct opt_setting *setting = &settings->all[i];
		const struct opt *row = setting->row;
		bool text = row->type == OPT_STRING || row->type == OPT_SECRET;

		if (!row->required)
			continue;
		if (text && setting->given && !**(const char **)setting->field)
			return err_set(err, ERR_USAGE, "--%s is empty", row->name);
		if (setting->given || row->fallback)
			continue;
		opt_variable(row, "", variable);
		return err_set(err, ERR_USAGE, "--%s is required (or the variable %s)", row->name,
			       variable);
	}
	return 0;
}

int opt_parse(const struct opt_command *command, int argc, char **argv, void *fields,
	      struct arena *mem, struct opt_result *result, struct err *err)
{
	struct arguments a = {.count = argc, .values = argv, .result = result};
	int code;

	*result = (struct opt_result){.help = help_is_asked(argc, argv)};
	if (result->help)
		return 0;
	result->positionals = arena_zalloc(mem, (size_t)argc + 1, sizeof(*result->positionals));
	if (!result->positionals)
		return arena_fail(mem, "the command line", err);
	code = settings_init(&a.settings, command, fields, mem, err);
	if (code == 0)
		code = take_arguments(&a, err);
	if (code == 0)
		code = opt_set_remaining(&a.settings, err);
	if (code == 0)
		code = check_required(&a.settings, err);
	if (code == 0 && result->positional_count < command->min_positionals)
		return err_set(err, ERR_USAGE, "%s is missing (usage: shardlift %s [options] %s)",
			       command->arguments, command->name, command->arguments);
	return code;
}
