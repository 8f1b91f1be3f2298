/* The connections that the steps will need, tried in the engine's own environment. */
#include "workflow/engine_command.h"
#include "workflow/engine_step.h"

#include "base/limits.h"
#include "base/small_file.h"

#define CREDENTIALS                                                                             \
	"; the engine and its steps take AWS credentials from the engine's environment "        \
	"(AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) or a role of the machine: " \
	"end the engine, set them, and `workflow submit` starts another"

int command_make_check(struct command_builder *b, struct err *err)
{
	bool is_there = json_string(json_path(b->spec, "source", "endpoint", NULL)).len > 0;

	command_add_words(b, (const char *const[]){"check", "--connections", "--json", NULL});
	if (json_get(b->spec, "repository"))
		command_add_repository(b, json_string(json_get(b->spec, "snapshot")));
	if (is_there && command_add_cluster(b, &command_to_source, err) < 0)
		return -(int)err->kind;
	return command_add_cluster(b, &command_to_target, err);
}

static void say_row(struct buf *out, const struct json *row)
{
	buf_printf(out, "%s" STR_FMT ": " STR_FMT, out->len > 0 ? "; " : "",
		   STR_ARG(json_string(json_get(row, "side"))),
		   STR_ARG(json_string(json_get(row, "found"))));
}

static bool is_identity(const struct json *row)
{
	return str_is(json_string(json_get(row, "check")), "aws identity");
}

/* Who answered, and who we are. */
static struct str say_found(struct engine *engine, const struct json *rows)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	json_each (row, rows)
		if (is_identity(row) || str_is(json_string(json_get(row, "check")), "connection"))
			say_row(&text, row);
	return arena_str(&engine->run.look, buf_str(&text));
}

/* The first of what is wrong: the next submit tells the next. */
static struct str say_failed(struct engine *engine, const struct json *rows)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
	size_t more = 0;

	json_each (row, rows) {
		struct str next = json_string(json_get(row, "next"));

		if (!str_is(json_string(json_get(row, "outcome")), "failed"))
			continue;
		if (text.len > 0) {
			more++;
			continue;
		}
		say_row(&text, row);
		if (is_identity(row))
			buf_append_str(&text, STR(CREDENTIALS));
		else if (next.len > 0)
			buf_printf(&text, "; " STR_FMT, STR_ARG(next));
	}
	if (more > 0)
		buf_printf(&text, "; and %zu more", more);
	return arena_str(&engine->run.look, buf_str(&text));
}

int engine_check_ended(struct engine *engine, struct engine_step *step, int code, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(4));
	struct arena *mem = &engine->run.look;
	bool failed = code != EXIT_CODE_OK;
	struct str path = engine_step_output(engine, step), summary = STR("");
	struct json *answer = NULL;
	struct err why;

	if (path.ptr && small_file_read(path.ptr, &text, &why) > 0 &&
	    json_parse(arena_str(mem, buf_str(&text)), mem, &answer, &why) == 0)
		summary = failed ? say_failed(engine, json_get(answer, "checks"))
				 : say_found(engine, json_get(answer, "checks"));
	if (!failed)
		return engine_step_finish(engine, step, summary, err);
	if (summary.len == 0)
		summary = engine_step_last_words(engine, step);
	return engine_step_failed(engine, step, false, summary, err);
}
