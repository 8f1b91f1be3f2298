#include "cli/capture_options.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

struct control_fields {
	struct general_fields general;
};

static int run_control(struct cli *cli, void *fields_void, struct err *err)
{
	const struct control_fields *fields = fields_void;
	cleanup(buf_release) struct buf line = BUF_INIT(LIMIT_PATH);
	cleanup(buf_release) struct buf answer = BUF_INIT(MIB(1));
	const char *const *words = cli->parsed->positionals;
	const char *path;
	int got = capture_socket_path(fields->general.state_dir, words[0], false, cli->mem, &path,
				      err);

	if (got < 0)
		return got;
	for (size_t i = 1; i < cli->parsed->positional_count; i++)
		buf_printf(&line, "%s%s", i > 1 ? " " : "", words[i]);
	if ((got = buf_check(&line, "what the proxy is told", err)) < 0 ||
	    (got = control_ask(path, buf_str(&line), &answer, err)) < 0)
		return got;
	fwrite(answer.ptr, 1, answer.len, stdout);
	return str_starts(buf_str(&answer), STR("{\"ok\":true")) ? EXIT_CODE_OK : EXIT_CODE_BLOCKED;
}

static const struct opt_part control_parts[] = {{general_options, 0}, {0}};

const struct command command_capture_control = {
	.options =
		{.name = "capture control",
		 .summary = "Ask a capture proxy that runs, or tell it what to do",
		 .arguments = "NAME status|hold|switch URL [capture]|release|drain",
		 .details =
			 "status: counts, and where requests go.\n"
			 "hold: mutating requests that begin now wait, those under way do not.\n"
			 "switch URL: requests go there from now on; they are no longer recorded "
			 "unless `capture` follows.\n"
			 "release: what is held goes on.\n"
			 "drain: end as on SIGTERM.\n"
			 "The answer is one JSON line.\n",
		 .parts = control_parts,
		 .min_positionals = 2,
		 .max_positionals = 4},
	.fields_size = sizeof(struct control_fields),
	.run = run_control,
};
