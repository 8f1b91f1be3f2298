/* console tuples show */
#include "cli/console_common.h"
#include "cli/output.h"

#include "base/base64.h"
#include "traffic/tuple_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct tuples_fields {
	struct console_fields console;
	const char *in, *out;
};

/* The body in the place of its coded form: JSON, the documents of NDJSON, or text. */
static struct json *body_of(const struct tuple_message *message, struct arena *mem)
{
	switch (message->body) {
	case TUPLE_BODY_JSON:
		return json_copy(mem, message->json);
	case TUPLE_BODY_BYTES:
		return json_new_string(mem, message->bytes);
	case TUPLE_BODY_NONE:
		break;
	}
	return NULL;
}

static struct json *show_message(const struct tuple_message *message, struct arena *mem)
{
	struct json *out = json_copy(mem, message->object), *body = body_of(message, mem);

	json_remove(out, STR("payload"));
	json_remove(out, STR("body"));
	if (body)
		json_set(out, STR("body"), body);
	return out;
}

/* Members that are none of the messages stay as they are. */
static int show_line(struct str line, struct arena *mem, struct output *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(256));
	struct json *root, *responses = json_new(mem, JSON_ARRAY);
	struct tuple tuple;

	if (tuple_parse(line, mem, &tuple, err) < 0 || json_parse(line, mem, &root, err) < 0)
		return -(int)err->kind;
	if (tuple.source_request.object)
		json_set(root, STR("sourceRequest"), show_message(&tuple.source_request, mem));
	if (tuple.source_response.object)
		json_set(root, STR("sourceResponse"), show_message(&tuple.source_response, mem));
	if (tuple.target_request.object)
		json_set(root, STR("targetRequest"), show_message(&tuple.target_request, mem));
	for (size_t i = 0; i < tuple.target_response_count; i++)
		if (tuple.target_responses[i].object)
			json_append(responses, show_message(&tuple.target_responses[i], mem));
	if (tuple.target_response_count > 0)
		json_set(root, STR("targetResponses"), responses);
	if (mem->failed)
		return arena_fail(mem, "a tuple", err);
	json_write_pretty(&text, root);
	buf_append_byte(&text, '\n');
	if (buf_check(&text, "a tuple", err) < 0)
		return -(int)err->kind;
	output_append(out, buf_str(&text));
	return 0;
}

static int show_each(FILE *in, const char *name, char **line, size_t *room, struct output *out,
		     struct err *err)
{
	size_t number = 0;
	ssize_t len;

	while ((len = getline(line, room, in)) >= 0 && output_is_open(out)) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1024));
		struct str text = str_trim(str_of(*line, (size_t)len));

		number++;
		if (text.len == 0)
			continue;
		if (text.len > TUPLE_LINE_MAX)
			return err_set(err, ERR_LIMIT, "%s, line %zu: longer than %d MiB", name,
				       number, (int)(TUPLE_LINE_MAX >> 20));
		if (show_line(text, &mem, out, err) < 0)
			return err_wrap(err, "%s, line %zu", name, number);
	}
	return 0;
}

static int show_all(FILE *in, const char *name, struct output *out, struct err *err)
{
	char *line = NULL;
	size_t room = 0;
	int rc = show_each(in, name, &line, &room, out, err);

	free(line);
	return rc;
}

static int show_file(const char *path, struct output *out, struct err *err)
{
	FILE *in;
	int rc;

	if (!path || strcmp(path, "-") == 0)
		return show_all(stdin, "standard input", out, err);
	in = fopen(path, "re");
	if (!in)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read '%s'", path);
	rc = show_all(in, path, out, err);
	fclose(in);
	return rc;
}

static void restore_fd(int *fd)
{
	if (*fd < 0)
		return;
	fflush(stdout);
	dup2(*fd, STDOUT_FILENO);
	close(*fd);
}

static int redirect(const char *path, int *kept, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
	fflush(stdout);
	*kept = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct tuples_fields *f = fields;
	cleanup(output_release) struct output out;
	cleanup(restore_fd) int kept = -1;
	struct err flushed = {0};
	int rc;

	(void)cli;
	output_init(&out);
	if (f->out && strcmp(f->out, "-") != 0 && redirect(f->out, &kept, err) < 0)
		return -(int)err->kind;
	rc = show_file(f->in, &out, err);
	if (output_flush(&out, &flushed) < 0 && rc == 0) {
		*err = flushed;
		rc = -(int)flushed.kind;
	}
	return rc;
}

static const struct opt options[] = {
	{.name = "in",
	 .type = OPT_STRING,
	 OPT_FIELD(struct tuples_fields, in),
	 .metavar = "FILE",
	 .help = "A file of tuples; without it standard input."},
	{.name = "out",
	 .type = OPT_STRING,
	 OPT_FIELD(struct tuples_fields, out),
	 .metavar = "FILE",
	 .help = "Where to; without it standard output."},
	{0},
};
static const struct opt_part parts[] = {{options, 0}, CONSOLE_PARTS, {0}};

const struct command command_console_tuples_show = {
	.options = {.name = "console tuples show",
		    .summary = "Tuples with their bodies decoded",
		    .parts = parts,
		    .details =
			    "Of the forms of today and of before: base64 bodies are decoded, JSON "
			    "is parsed, lines of bulks and multi-searches become lists.\n"
			    "\n"
			    "Example:\n"
			    "  zcat tuples/*.gz | console tuples show | less"},
	.fields_size = sizeof(struct tuples_fields),
	.run = run,
};
