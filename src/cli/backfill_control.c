/* backfill pause, resume and rate: what a user wants of a backfill that is running elsewhere. */
#include "cli/command.h"
#include "cli/common_options.h"

#include "backfill/control.h"
#include "base/state_dir.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

struct control_fields {
	struct general_fields general;
	const char *session;
	const char *documents_per_second; /* texts, so that "not given" differs from 0 */
	const char *bytes_per_second;
};

#define FIELD(member) OPT_FIELD(struct control_fields, member)
#define SESSION_ROW                 \
	{.name = "session-name",    \
	 .env = "RFS_SESSION_NAME", \
	 .type = OPT_STRING,        \
	 FIELD(session),            \
	 .metavar = "NAME",         \
	 .required = true,          \
	 .help = "The session of the run: its --session-name, or the name it logs."}

static const struct opt session_rows[] = {SESSION_ROW, {0}};

static const struct opt rate_rows[] = {
	SESSION_ROW,
	{.name = "max-docs-per-second",
	 .type = OPT_STRING,
	 FIELD(documents_per_second),
	 .metavar = "N",
	 .help = "Documents a second; 0: no limit."},
	{.name = "max-bytes-per-second",
	 .type = OPT_STRING,
	 FIELD(bytes_per_second),
	 .metavar = "BYTES",
	 .help = "Bytes of bulk bodies a second, as 500K or 20MiB; 0: no limit."},
	{0},
};

static int check_session(const char *session, struct err *err)
{
	for (const char *c = session; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return err_set(err, ERR_USAGE,
				       "--session-name '%s': only letters, digits and '-'",
				       session);
	if (!*session)
		return err_set(err, ERR_USAGE, "--session-name is empty; give the session's name");
	return 0;
}

/* Where the wish stands, and what it is now; one that cannot be read is replaced. */
static int begin(struct control_fields *fields, struct cli *cli, const char **state,
		 struct control_wish *wish, struct err *err)
{
	if (check_session(fields->session, err) < 0 ||
	    state_dir_path(fields->general.state_dir, cli->mem, state, err) < 0)
		return -(int)err->kind;
	if (control_read(*state, fields->session, wish, err) == -ERR_IO)
		return -ERR_IO;
	return 0;
}

static void append_rate(struct buf *out, const char *name, int64_t rate)
{
	if (rate != CONTROL_UNSAID)
		buf_printf(out, ",\"%s\":%" PRId64, name, rate);
}

static int tell(const struct control_fields *fields, const struct control_wish *wish,
		struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

	if (!fields->general.json) {
		printf("session '%s' %s; processes of this host and state directory notice within "
		       "a second or two, those of other hosts are not told: run this there too\n",
		       fields->session, wish->paused ? "is to pause" : "is to run");
		return 0;
	}
	buf_printf(&text, "{\"session\":");
	json_write_string(&text, str_from(fields->session));
	buf_printf(&text, ",\"paused\":%s", wish->paused ? "true" : "false");
	append_rate(&text, "documents_per_second", wish->documents_per_second);
	append_rate(&text, "bytes_per_second", wish->bytes_per_second);
	if (buf_check(&text, "the answer", err) < 0)
		return -(int)err->kind;
	printf("%s}\n", buf_cstr(&text));
	return 0;
}

static int set_paused(struct cli *cli, void *fields, bool paused, struct err *err)
{
	struct control_fields *f = fields;
	struct control_wish wish;
	const char *state;

	if (begin(f, cli, &state, &wish, err) < 0)
		return -(int)err->kind;
	wish.paused = paused;
	if (control_write(state, f->session, &wish, err) < 0)
		return -(int)err->kind;
	return tell(f, &wish, err);
}

static int run_pause(struct cli *cli, void *fields, struct err *err)
{
	return set_paused(cli, fields, true, err);
}

static int run_resume(struct cli *cli, void *fields, struct err *err)
{
	return set_paused(cli, fields, false, err);
}

static int parse_rate(const char *flag, const char *text, int64_t *rate, struct err *err)
{
	if (!text)
		return 0;
	if (opt_parse_bytes(text, rate, err) < 0)
		return err_wrap(err, "--%s", flag);
	return 0;
}

static int run_rate(struct cli *cli, void *fields, struct err *err)
{
	struct control_fields *f = fields;
	struct control_wish wish;
	const char *state;

	if (!f->documents_per_second && !f->bytes_per_second)
		return err_set(err, ERR_USAGE,
			       "no rate is given; pass --max-docs-per-second or "
			       "--max-bytes-per-second, 0 for no limit");
	if (begin(f, cli, &state, &wish, err) < 0 ||
	    parse_rate("max-docs-per-second", f->documents_per_second, &wish.documents_per_second,
		       err) < 0 ||
	    parse_rate("max-bytes-per-second", f->bytes_per_second, &wish.bytes_per_second, err) <
		    0 ||
	    control_write(state, f->session, &wish, err) < 0)
		return -(int)err->kind;
	return tell(f, &wish, err);
}

static const struct opt_part session_parts[] = {
	{session_rows, 0},
	{general_options, offsetof(struct control_fields, general)},
	{0},
};

static const struct opt_part rate_parts[] = {
	{rate_rows, 0},
	{general_options, offsetof(struct control_fields, general)},
	{0},
};

const struct command command_backfill_pause = {
	.options =
		{
			.name = "backfill pause",
			.summary = "Hold a running backfill back",
			.parts = session_parts,
			.details = "Bulks in flight end, no other begins. The session stays paused "
				   "over restarts, until `backfill resume`. Processes of this host "
				   "with this state directory are told, no others: where several "
				   "hosts share a session, pause each.\n"
				   "\n"
				   "Example:\n"
				   "  shardlift backfill pause --session-name nightly",
		},
	.fields_size = sizeof(struct control_fields),
	.run = run_pause,
};

const struct command command_backfill_resume = {
	.options =
		{
			.name = "backfill resume",
			.summary = "Let a paused backfill go on",
			.parts = session_parts,
		},
	.fields_size = sizeof(struct control_fields),
	.run = run_resume,
};

const struct command command_backfill_rate = {
	.options =
		{
			.name = "backfill rate",
			.summary = "Change the rates of a running backfill",
			.parts = rate_parts,
			.details = "They take the place of the run's own --max-docs-per-second and "
				   "--max-bytes-per-second; what is not given stays.\n"
				   "\n"
				   "Example:\n"
				   "  shardlift backfill rate --session-name nightly "
				   "--max-docs-per-second 5000",
		},
	.fields_size = sizeof(struct control_fields),
	.run = run_rate,
};
