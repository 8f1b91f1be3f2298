#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/text_diff.h"
#include "cli/transform_options.h"

#include "base/json.h"

#include <errno.h>
#include <unistd.h>

#define INPUT_MAX MIB(256)
#define READ_SIZE KIB(64)

struct try_fields {
	struct general_fields general;
	struct transform_run_fields run;
	const char *config, *kind;
};

/* The messages of one run, and what they were. */
struct trial {
	struct transform_message *messages;
	struct str *before; /* as text, since steps may change them in place */
	size_t count;
	bool as_json;
	struct arena *mem;
};

static int read_input(struct buf *input, struct err *err)
{
	ssize_t n;
	char *to;

	do {
		to = buf_reserve(input, READ_SIZE);
		if (!to)
			return buf_check(input, "the messages", err);
		n = read(STDIN_FILENO, to, READ_SIZE);
		if (n > 0)
			input->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? err_set_errno(err, ERR_IO, errno, "reading standard input") : 0;
}

static bool is_blank(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!strchr(" \t\r\n", line.ptr[i]))
			return false;
	return true;
}

/* One value for each line, or one value in all: a message or a list of them. */
static int parse_messages(struct str text, struct arena *mem, struct json **out, struct err *err)
{
	struct json *list = json_new(mem, JSON_ARRAY), *value;
	struct str line, rest = text;
	struct err whole = {0};
	size_t number = 0;

	if (json_parse(text, mem, &value, &whole) == 0) {
		if (value->type == JSON_ARRAY)
			list = value;
		else
			json_append(list, value);
		rest = STR_NONE;
	}
	while (rest.len > 0) {
		str_split(rest, '\n', &line, &rest);
		number++;
		if (is_blank(line))
			continue;
		if (json_parse(line, mem, &value, err) < 0)
			return err_wrap(err,
					"standard input, line %zu (one message a line, or all in "
					"one list)",
					number);
		json_append(list, value);
	}
	*out = list;
	return mem->failed ? arena_fail(mem, "the messages", err) : 0;
}

static struct str text_at(const struct json *value, const char *key)
{
	return json_text_or(json_get(value, key), STR(""));
}

static struct str name_of(const struct json *value, enum transform_kind kind, size_t number,
			  struct arena *mem)
{
	const struct json *operation = json_get(value, "operation");

	if (kind == TRANSFORM_DOCUMENT && operation)
		return arena_printf(mem, STR_FMT "/" STR_FMT, STR_ARG(text_at(operation, "_index")),
				    STR_ARG(text_at(operation, "_id")));
	if (kind == TRANSFORM_METADATA && json_get(value, "name"))
		return arena_printf(mem, STR_FMT " " STR_FMT, STR_ARG(text_at(value, "type")),
				    STR_ARG(text_at(value, "name")));
	if (kind == TRANSFORM_REQUEST && json_get(value, "URI"))
		return arena_printf(mem, STR_FMT " " STR_FMT, STR_ARG(text_at(value, "method")),
				    STR_ARG(text_at(value, "URI")));
	if (kind == TRANSFORM_TUPLE && json_get(value, "connectionId"))
		return text_at(value, "connectionId");
	return arena_printf(mem, "message %zu", number);
}

static struct str pretty_text(const struct json *value, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(INPUT_MAX);

	json_write_pretty(&text, value);
	if (text.failed)
		mem->failed = true;
	return text.failed ? STR_NONE : arena_str(mem, buf_str(&text));
}

static int make_messages(struct trial *trial, const struct json *list, enum transform_kind kind,
			 struct err *err)
{
	struct json *next;

	trial->messages = arena_zalloc(trial->mem, list->count, sizeof(*trial->messages));
	trial->before = arena_zalloc(trial->mem, list->count, sizeof(*trial->before));
	if (!trial->messages || !trial->before)
		return arena_fail(trial->mem, "the messages", err);
	for (struct json *value = list->first; value; value = next) {
		size_t i = trial->count++;

		next = value->next;
		value->next = NULL;
		if (value->type != JSON_OBJECT)
			return err_set(err, ERR_USAGE,
				       "message %zu of standard input is no JSON object", i + 1);
		trial->messages[i].name = name_of(value, kind, i + 1, trial->mem);
		trial->messages[i].value = value;
		trial->before[i] = pretty_text(value, trial->mem);
	}
	return trial->mem->failed ? arena_fail(trial->mem, "the messages", err) : 0;
}

static const char *outcome_of(const struct transform_message *message)
{
	if (message->error.kind != ERR_NONE)
		return "failed";
	if (!message->value || (message->value->type == JSON_ARRAY && !message->value->first))
		return "dropped";
	if (message->value->type == JSON_ARRAY)
		return "split";
	return message->changed ? "changed" : "unchanged";
}

static void show_text(const struct trial *trial, size_t i, struct buf *out)
{
	const struct transform_message *message = &trial->messages[i];
	const char *outcome = outcome_of(message);
	struct str name = text_printable(message->name, trial->mem), after = STR("");

	buf_printf(out, "%s" STR_FMT ": %s", i > 0 ? "\n" : "", STR_ARG(name), outcome);
	if (message->error.kind != ERR_NONE) {
		buf_printf(out, "\n  %s\n", message->error.message);
		return;
	}
	buf_append_byte(out, '\n');
	if (strcmp(outcome, "unchanged") == 0)
		return;
	if (strcmp(outcome, "dropped") != 0)
		after = pretty_text(message->value, trial->mem);
	text_diff(out, trial->before[i], after);
}

static void show_json(const struct trial *trial, size_t i, struct buf *out)
{
	const struct transform_message *message = &trial->messages[i];
	struct arena *mem = trial->mem;
	struct json *line = json_new(mem, JSON_OBJECT), *before = NULL;
	struct err ignored;

	/* It was written by json_write_pretty. */
	if (json_parse(trial->before[i], mem, &before, &ignored) < 0)
		before = NULL;
	json_set(line, STR("name"), json_new_string(mem, message->name));
	json_set(line, STR("outcome"), json_new_string(mem, str_from(outcome_of(message))));
	json_set(line, STR("before"), before);
	if (message->error.kind != ERR_NONE)
		json_set(line, STR("error"),
			 json_new_string(mem, str_from(message->error.message)));
	else
		json_set(line, STR("after"),
			 message->value ? message->value : json_new(mem, JSON_ARRAY));
	if (line)
		json_write(out, line);
	buf_append_byte(out, '\n');
}

static int show(const struct trial *trial, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(2 * INPUT_MAX);
	cleanup(output_release) struct output out;
	int code = EXIT_CODE_OK;

	output_init(&out);
	for (size_t i = 0; i < trial->count; i++) {
		buf_reset(&text);
		if (trial->as_json)
			show_json(trial, i, &text);
		else
			show_text(trial, i, &text);
		if (trial->messages[i].error.kind != ERR_NONE)
			code = EXIT_CODE_COMPLETED_WITH_ERRORS;
		if (buf_check(&text, "a message", err) < 0)
			return -(int)err->kind;
		output_append(&out, buf_str(&text));
	}
	if (trial->mem->failed)
		return arena_fail(trial->mem, "the messages", err);
	return output_flush(&out, err) < 0 ? -(int)err->kind : code;
}

static enum transform_kind kind_of(const char *name)
{
	switch (name[0]) {
	case 'm':
		return TRANSFORM_METADATA;
	case 'r':
		return TRANSFORM_REQUEST;
	case 't':
		return TRANSFORM_TUPLE;
	default:
		return TRANSFORM_DOCUMENT;
	}
}

static void transform_freep(struct transform **transform)
{
	transform_free(*transform);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct try_fields *f = fields;
	const struct transform_context context = transform_context_of(&f->run, kind_of(f->kind));
	const struct transformer_fields source = {.file = f->config};
	struct trial trial = {.mem = cli->mem, .as_json = f->general.json};
	cleanup(transform_freep) struct transform *transform = NULL;
	cleanup(buf_release) struct buf input = BUF_INIT(INPUT_MAX);
	struct json *list = NULL;
	struct str text;

	if (transformer_fields_read(&source, cli->mem, &text, err) < 0 ||
	    transform_new(text, &context, &transform, err) < 0 || read_input(&input, err) < 0 ||
	    parse_messages(buf_str(&input), cli->mem, &list, err) < 0 ||
	    make_messages(&trial, list, context.kind, err) < 0 ||
	    transform_apply(transform, trial.messages, trial.count, cli->mem, err) < 0)
		return -(int)err->kind;
	return show(&trial, err);
}

static const struct opt try_options[] = {
	{.name = "config",
	 .type = OPT_STRING,
	 OPT_FIELD(struct try_fields, config),
	 .metavar = "FILE",
	 .required = true,
	 .help = "The transformer configuration: a provider's name, or a JSON list of objects with "
		 "one key."},
	{.name = "kind",
	 .type = OPT_CHOICE,
	 OPT_FIELD(struct try_fields, kind),
	 .choices = "document|metadata|request|tuple",
	 .fallback = "document",
	 .help = "What the messages are."},
	{0},
};

static const struct opt_part parts[] = {
	{try_options, 0},
	{transform_run_options, offsetof(struct try_fields, run)},
	{general_options, offsetof(struct try_fields, general)},
	{0},
};

const struct command command_transform_try = {
	.options =
		{
			.name = "transform try",
			.summary = "Show what a transformer configuration makes of messages",
			.parts = parts,
			.details =
				"Reads messages from standard input, one JSON object a line or all "
				"in one list, and prints of each what it was and what it became. "
				"docs/transform-messages.md tells their shapes. With --json, a "
				"line of JSON for each: name, outcome (unchanged, changed, split, "
				"dropped, failed), before, and after or error.\n"
				"\n"
				"Exit codes: 0 done; 1 a message failed; 2 the configuration is "
				"wrong.\n"
				"\n"
				"Example:\n"
				"  shardlift transform try --config steps.json --kind document "
				"<documents.ndjson",
		},
	.fields_size = sizeof(struct try_fields),
	.run = run,
};
