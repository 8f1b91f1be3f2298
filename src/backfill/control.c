#include "backfill/control.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/small_file.h"

#include <inttypes.h>
#include <stdlib.h>

#define POLL_MS 1000
#define FILE_MAX KIB(16)

static const struct control_wish nothing = {
	.documents_per_second = CONTROL_UNSAID,
	.bytes_per_second = CONTROL_UNSAID,
};

struct control {
	char *state_dir, *session;
	int64_t documents_per_second, bytes_per_second; /* by the run's flags */
	struct control_wish last;
	int64_t looked_ms; /* monotonic */
	bool looked, complained;
};

/* "<state>/work/<session>.control"; owned. */
static char *path_of(const char *state_dir, const char *session)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_printf(&path, "%s/work/%s.control", state_dir, session);
	return mem_strdup(buf_cstr(&path));
}

static int decode(struct str text, struct control_wish *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct json *wish;
	int failed = json_parse(text, &mem, &wish, err);

	if (failed < 0)
		return failed;
	if (wish->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "it is no JSON object");
	out->paused = json_bool_or(json_get(wish, "paused"), false);
	out->documents_per_second =
		MAX(json_i64_or(json_get(wish, "documents_per_second"), CONTROL_UNSAID),
		    CONTROL_UNSAID);
	out->bytes_per_second = MAX(json_i64_or(json_get(wish, "bytes_per_second"), CONTROL_UNSAID),
				    CONTROL_UNSAID);
	return 0;
}

int control_read(const char *state_dir, const char *session, struct control_wish *out,
		 struct err *err)
{
	cleanup(mem_freep) char *path = path_of(state_dir, session);
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	int found = small_file_read(path, &text, err);

	*out = nothing;
	if (found <= 0)
		return found;
	if (decode(buf_str(&text), out, err) < 0)
		return err_wrap(err, "'%s' (`shardlift backfill resume` writes it anew)", path);
	return 0;
}

static void append_rate(struct buf *text, const char *name, int64_t rate)
{
	if (rate != CONTROL_UNSAID)
		buf_printf(text, ",\"%s\":%" PRId64, name, rate);
}

int control_write(const char *state_dir, const char *session, const struct control_wish *wish,
		  struct err *err)
{
	cleanup(mem_freep) char *path = path_of(state_dir, session);
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);

	buf_printf(&text, "{\"paused\":%s", wish->paused ? "true" : "false");
	append_rate(&text, "documents_per_second", wish->documents_per_second);
	append_rate(&text, "bytes_per_second", wish->bytes_per_second);
	buf_append_str(&text, STR("}\n"));
	return small_file_replace(path, buf_str(&text), err);
}

int control_forget(const char *state_dir, const char *session, struct err *err)
{
	cleanup(mem_freep) char *path = path_of(state_dir, session);

	return small_file_remove(path, err);
}

struct control *control_new(const char *state_dir, const char *session,
			    const struct pressure_options *options)
{
	struct control *control = mem_zalloc(sizeof(*control));

	control->state_dir = mem_strdup(state_dir);
	control->session = mem_strdup(session);
	control->documents_per_second = options->documents_per_second;
	control->bytes_per_second = options->bytes_per_second;
	control->last = nothing;
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	free(control->state_dir);
	free(control->session);
	free(control);
}

static bool is_same(const struct control_wish *a, const struct control_wish *b)
{
	return a->paused == b->paused && a->documents_per_second == b->documents_per_second &&
	       a->bytes_per_second == b->bytes_per_second;
}

static int64_t or_flag(int64_t wished, int64_t by_flag)
{
	return wished == CONTROL_UNSAID ? by_flag : wished;
}

static void log_change(const struct control *control, const struct control_wish *wish)
{
	if (wish->paused && !control->last.paused)
		log_info("backfill",
			 "session '%s' is paused; `shardlift backfill resume --session-name %s` "
			 "lets it go on",
			 control->session, control->session);
	if (!wish->paused && control->last.paused)
		log_info("backfill", "session '%s' goes on", control->session);
	if (wish->documents_per_second != control->last.documents_per_second ||
	    wish->bytes_per_second != control->last.bytes_per_second)
		log_info("backfill",
			 "session '%s' sends %" PRId64 " documents and %" PRId64
			 " bytes a second at most from now on (0: no limit)",
			 control->session,
			 or_flag(wish->documents_per_second, control->documents_per_second),
			 or_flag(wish->bytes_per_second, control->bytes_per_second));
}

static void apply(const struct control *control, const struct control_wish *wish,
		  struct pressure *pressure)
{
	pressure_set_rates(pressure,
			   or_flag(wish->documents_per_second, control->documents_per_second),
			   or_flag(wish->bytes_per_second, control->bytes_per_second));
	pressure_pause(pressure, wish->paused);
	log_change(control, wish);
}

void control_look(struct control *control, struct pressure *pressure)
{
	struct control_wish wish;
	struct err err = {0};

	if (control_read(control->state_dir, control->session, &wish, &err) < 0) {
		if (!control->complained)
			log_warn("backfill", "%s", err.message);
		control->complained = true;
		return;
	}
	control->complained = false;
	if (is_same(&wish, &control->last))
		return;
	apply(control, &wish, pressure);
	control->last = wish;
}

void control_poll(struct control *control, struct pressure *pressure)
{
	int64_t now_ms = clock_monotonic_ms();

	if (control->looked && now_ms - control->looked_ms < POLL_MS)
		return;
	control->looked = true;
	control->looked_ms = now_ms;
	control_look(control, pressure);
}
