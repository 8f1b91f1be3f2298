#include "cli/interrupt.h"
#include "cli/workflow_common.h"
#include "cli/workflow_log_filter.h"

#include "base/clock.h"
#include "base/small_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct log_fields {
	struct workflow_fields common;
	struct workflow_log_filter filter;
	bool follow, timestamps, list, all_workflows;
};

#define TIME_LENGTH 24 /* 2026-11-21T10:24:00.123Z */

struct log_line {
	struct str text;
	size_t order; /* of lines of one time */
};

struct reading {
	const struct log_fields *fields;
	struct workflow_log_filter filter;
	struct workflow_session *session;
	const char *resource; /* pattern; NULL: all */
	const char *words[2]; /* all, resource or filter; and what of it */
	size_t word_count;
	size_t tail;    /* lines at first; SIZE_MAX: all */
	char since[25]; /* earlier lines are left out; "": none */
};

/* --- What stands behind `--`: --since 5m --tail 100 --container NAME, as kubectl has them --- */

static int take_passed(struct reading *r, struct str name, const char *value, struct err *err)
{
	int64_t since_ms;
	uint64_t lines;

	if (str_is(name, "--container"))
		return 0; /* a step is one process */
	if (str_is(name, "--tail")) {
		if (!str_to_u64(str_from(value), &lines))
			return err_set(err, ERR_USAGE, "--tail '%s' is no number of lines", value);
		r->tail = (size_t)lines;
		return 0;
	}
	if (!str_is(name, "--since"))
		return err_set(err, ERR_USAGE,
			       "'" STR_FMT
			       "' is not known behind `--`; --since, --tail and --container are",
			       STR_ARG(name));
	if (opt_parse_duration(value, &since_ms, err) < 0)
		return err_wrap(err, "--since");
	clock_format_utc(clock_wall_ms() - since_ms, r->since);
	return 0;
}

static int read_words(struct reading *r, const struct opt_result *parsed, struct err *err)
{
	for (size_t i = 0; i < parsed->positional_count; i++) {
		struct str word = str_from(parsed->positionals[i]), name, value;

		if (!str_starts(word, STR("--"))) {
			if (r->word_count == COUNT_OF(r->words))
				return err_set(err, ERR_USAGE,
					       "what is '%s'? One resource is enough", word.ptr);
			r->words[r->word_count++] = word.ptr;
			continue;
		}
		if (!str_split(word, '=', &name, &value)) {
			if (++i == parsed->positional_count)
				return err_set(err, ERR_USAGE, "%s needs a value", word.ptr);
			value = str_from(parsed->positionals[i]);
		}
		if (take_passed(r, name, value.ptr, err) < 0)
			return -(int)err->kind;
	}
	if (r->word_count == 0)
		r->words[r->word_count++] = "all";
	return 0;
}

static bool is_meant(const struct reading *r, const struct workflow_step *step)
{
	if (step->log.len == 0)
		return false;
	if (!workflow_log_filter_means(&r->filter, step))
		return false;
	return !r->resource || workflow_name_matches(step->resource, r->resource) ||
	       workflow_name_matches(step->group, r->resource);
}

static int by_time(const void *a, const void *b)
{
	const struct log_line *one = a, *other = b;
	struct str first = {one->text.ptr, MIN(one->text.len, (size_t)TIME_LENGTH)};
	struct str second = {other->text.ptr, MIN(other->text.len, (size_t)TIME_LENGTH)};
	int order = str_cmp(first, second);

	return order ? order : one->order < other->order ? -1 : 1;
}

/* Logs of earlier tries stand beside the last one's: NAME.1.log, NAME.2.log. */
static int read_step(const struct reading *r, const struct workflow_step *step, struct buf *out,
		     struct err *err)
{
	for (int64_t attempt = 1; attempt <= step->attempt; attempt++) {
		struct str path = arena_printf(r->session->mem, "%s/logs/%lld/" STR_FMT ".%lld.log",
					       r->session->state_dir, (long long)step->run,
					       STR_ARG(step->name), (long long)attempt),
			   old;

		if (!path.ptr)
			return arena_fail(r->session->mem, "the path of a log", err);
		/* A proxy's or a replayer's that was too long. */
		old = arena_printf(r->session->mem, STR_FMT ".old", STR_ARG(path));
		if (old.ptr && small_file_read(old.ptr, out, err) < 0)
			return -(int)err->kind;
		if (small_file_read(path.ptr, out, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int read_run(struct reading *r, int64_t run, struct buf *out, struct err *err)
{
	struct workflow_step *steps;
	size_t count;

	if (workflow_step_list(r->session->state, run, r->session->mem, &steps, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (is_meant(r, &steps[i]) && read_step(r, &steps[i], out, err) < 0)
			return -(int)err->kind;
	return 0;
}

static void print_line(const struct reading *r, struct str line)
{
	/* Their times are as long, and order as text does. */
	if (r->since[0] && str_cmp(line, str_from(r->since)) < 0)
		return;
	if (!r->fields->timestamps && line.len > TIME_LENGTH)
		line = str_from_offset(line, TIME_LENGTH + 1);
	fwrite(line.ptr, 1, line.len, stdout);
	putchar('\n');
}

/* Lines from `from` on; returns how many there are in all. */
static size_t print_from(struct reading *r, const struct buf *text, size_t from, struct err *err)
{
	struct str rest = buf_str(text), line;
	struct log_line *lines;
	size_t count = 0, capacity = 1;

	for (size_t i = 0; i < text->len; i++)
		capacity += text->ptr[i] == '\n';
	lines = calloc(capacity, sizeof(*lines));
	if (!lines) {
		err_set(err, ERR_NOMEM, "the logs do not fit in memory");
		return SIZE_MAX;
	}
	while (rest.len > 0 && count < capacity) {
		struct str whole = rest;

		if (!str_split(whole, '\n', &line, &rest))
			rest = STR_NONE;
		lines[count] = (struct log_line){line, count};
		count++;
	}
	qsort(lines, count, sizeof(*lines), by_time);
	if (from == 0 && count > r->tail)
		from = count - r->tail;
	for (size_t i = from; i < count; i++)
		print_line(r, lines[i].text);
	free(lines);
	return count;
}

static int print_logs(struct reading *r, size_t *printed, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(512));
	struct workflow_run *runs;
	size_t count, total;

	if (workflow_run_list(r->session->state,
			      r->fields->all_workflows ? NULL : r->fields->common.workflow,
			      r->session->mem, &runs, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = count; i-- > 0;)
		if (read_run(r, runs[i].id, &text, err) < 0)
			return -(int)err->kind;
	total = print_from(r, &text, *printed, err);
	if (total == SIZE_MAX)
		return -(int)err->kind;
	*printed = MAX(total, *printed);
	return 0;
}

static int list(struct reading *r, struct err *err)
{
	struct workflow_resource *resources;
	size_t count;

	if (workflow_resource_list(r->session->state, r->session->mem, &resources, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		printf(STR_FMT "." STR_FMT "\n", STR_ARG(resources[i].kind),
		       STR_ARG(resources[i].name));
	return 0;
}

static int follow(struct reading *r, size_t printed, struct err *err)
{
	const struct timespec pause = {.tv_sec = 1};
	const atomic_bool *stop = interrupt_catch();
	struct arena mem = ARENA_INIT(MIB(512));
	int rc = 0;

	r->session->mem = &mem;
	while (!*stop && rc == 0) {
		struct workflow_run latest;

		rc = workflow_read_run(r->session, &latest, err);
		if (rc == 0)
			rc = print_logs(r, &printed, err);
		fflush(stdout);
		if (rc == 0 && latest.phase != WORKFLOW_PENDING && latest.phase != WORKFLOW_RUNNING)
			break;
		arena_reset(&mem);
		nanosleep(&pause, NULL);
	}
	arena_release(&mem);
	return rc;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct log_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	struct reading r = {
		.fields = f, .filter = f->filter, .session = &session, .tail = SIZE_MAX};
	struct workflow_run latest;
	size_t printed = 0;

	if (read_words(&r, cli->parsed, err) < 0 || workflow_log_filter_read(&r.filter, err) < 0 ||
	    workflow_session_open(&session, cli, &f->common, false, err) < 0 ||
	    (!(f->all_workflows && session.state) && workflow_read_run(&session, &latest, err) < 0))
		return -(int)err->kind;
	if (f->list)
		return list(&r, err);
	if (strcmp(r.words[0], "resource") == 0) {
		if (r.word_count < 2)
			return err_set(err, ERR_USAGE,
				       "which resource? `workflow log resource --list` names them");
		r.resource = r.words[1];
	} else if (strcmp(r.words[0], "all") != 0 && strcmp(r.words[0], "filter") != 0) {
		return err_set(err, ERR_USAGE, "'%s' is none of all, resource, filter", r.words[0]);
	}
	if (print_logs(&r, &printed, err) < 0)
		return -(int)err->kind;
	return f->follow ? follow(&r, printed, err) : 0;
}

#define FIELD(member) OPT_FIELD(struct log_fields, member), .category = "Log"

static const struct opt log_options[] = {
	{.name = "follow",
	 .aliases = "f",
	 .type = OPT_BOOL,
	 FIELD(follow),
	 .help = "Go on until the run ends."},
	{.name = "timestamps",
	 .type = OPT_BOOL,
	 FIELD(timestamps),
	 .help = "The time of each line, too."},
	{.name = "list", .type = OPT_BOOL, FIELD(list), .help = "Names that may be given."},
	{.name = "all-workflows",
	 .type = OPT_BOOL,
	 FIELD(all_workflows),
	 .help = "Of all workflows in the state directory, not of --workflow-name alone."},
	{.name = "task",
	 .type = OPT_STRING,
	 FIELD(filter.task),
	 .metavar = "STEP",
	 .help = "filter: only steps whose name begins so, such as documentbackfill; or snapshot, "
		 "snapshot-import, metadataEvaluate, metadataMigrate, reindexFromSnapshot, "
		 "trafficReplayer, captureProxy."},
	{.name = "source",
	 .type = OPT_STRING,
	 FIELD(filter.source),
	 .metavar = "NAME",
	 .help = "filter: only steps that read this cluster of sourceClusters."},
	{.name = "target",
	 .type = OPT_STRING,
	 FIELD(filter.target),
	 .metavar = "NAME",
	 .help = "filter: only steps that write to this cluster of targetClusters."},
	{.name = "snapshot",
	 .type = OPT_STRING,
	 FIELD(filter.snapshot),
	 .metavar = "NAME",
	 .help = "filter: only steps of this snapshot."},
	{.name = "from-snapshot-migration",
	 .type = OPT_STRING,
	 FIELD(filter.migration),
	 .metavar = "NAME",
	 .help = "filter: only steps of this migration."},
	{.name = "label",
	 .type = OPT_LIST,
	 FIELD(filter.labels),
	 .metavar = "NAME=VALUE",
	 .help = "filter: the same as labels, such as task=captureProxy."},
	{.name = "prefix",
	 .type = OPT_STRING,
	 FIELD(filter.prefix),
	 .metavar = "TEXT",
	 .fallback = "migrations.opensearch.org/",
	 .help = "May stand before the names of --label."},
	{0},
};

static const struct opt_part parts[] = {{log_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_log = {
	.options = {.name = "workflow log",
		    .summary = "What the steps said, by time",
		    .arguments = "all|resource|filter [TYPE.NAME] [-- --since TIME --tail N]",
		    .parts = parts,
		    .details =
			    "Behind `--` stand --since TIME (lines of the last 5m, 2h), --tail N "
			    "(the last N lines) and --container NAME (without effect on one "
			    "machine).",
		    .min_positionals = 1,
		    .max_positionals = 8},
	.fields_size = sizeof(struct log_fields),
	.run = run,
};
