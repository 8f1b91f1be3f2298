#include "cli/workflow_common.h"

#include "base/clock.h"
#include "base/small_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct show_fields {
	struct workflow_fields common;
	bool list, history, all, clean;
	const char *run;
};

struct showing {
	const struct workflow_session *session;
	const struct show_fields *fields;
	const struct workflow_run *run; /* NULL: any */
};

static bool is_of_run(const struct workflow_run *run, int64_t wall_ms)
{
	/* Files know whole seconds here. */
	return wall_ms >= run->started_ms / 1000 * 1000 &&
	       (run->finished_ms == 0 || wall_ms <= run->finished_ms);
}

/* "1763807041000", or how its beginning is written: "2026-11-22T10". */
static int find_run(const struct workflow_session *session, const char *wanted,
		    struct workflow_run *out, struct err *err)
{
	struct workflow_run *runs;
	size_t count = 0;
	uint64_t id = 0;

	str_to_u64(str_from(wanted), &id);
	if (session->state && workflow_run_list(session->state, session->fields->workflow,
						session->mem, &runs, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		char time[26] = "";

		if (runs[i].started_ms)
			clock_format_utc(runs[i].started_ms, time);
		if ((id && (uint64_t)runs[i].id == id) ||
		    (*wanted && str_starts(str_from(time), str_from(wanted)))) {
			*out = runs[i];
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND,
		       "there is no run '%s'; `workflow status --all --json` has their numbers",
		       wanted);
}

static int print_output(const struct showing *s, const struct workflow_resource *resource,
			struct str uid, const char *name, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(256));
	struct str path =
		arena_printf(s->session->mem, "%s/outputs/" STR_FMT "/" STR_FMT "/" STR_FMT "/%s",
			     s->session->state_dir, STR_ARG(resource->kind),
			     STR_ARG(resource->name), STR_ARG(uid), name);
	struct stat about;
	char time[26] = "";

	if (!path.ptr)
		return arena_fail(s->session->mem, "a path", err);
	if (stat(path.ptr, &about) == 0)
		clock_format_utc(about.st_mtim.tv_sec * 1000, time);
	if (s->run && !is_of_run(s->run, about.st_mtim.tv_sec * 1000))
		return 0;
	if (!s->fields->clean || s->fields->list)
		printf("=== " STR_FMT "." STR_FMT " / %s / %s%s ===\n", STR_ARG(resource->kind),
		       STR_ARG(resource->name), name, time,
		       str_eq(uid, resource->uid) ? "" : " / before a reset");
	if (s->fields->list)
		return 0;
	if (small_file_read(path.ptr, &text, err) < 0)
		return -(int)err->kind;
	fwrite(text.ptr, 1, text.len, stdout);
	if (!s->fields->clean)
		putchar('\n');
	return 0;
}

static int print_outputs(const struct showing *s, const struct workflow_resource *resource,
			 struct str uid, const char *task, struct err *err)
{
	struct str folder =
		arena_printf(s->session->mem, "%s/outputs/" STR_FMT "/" STR_FMT "/" STR_FMT,
			     s->session->state_dir, STR_ARG(resource->kind),
			     STR_ARG(resource->name), STR_ARG(uid));
	struct dirent **entries;
	int count, rc = 0;

	if (!folder.ptr)
		return arena_fail(s->session->mem, "a path", err);
	count = scandir(folder.ptr, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (rc == 0 && name[0] != '.' &&
		    (!task || str_starts(str_from(name), str_from(task))))
			rc = print_output(s, resource, uid, name, err);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return rc;
}

/* Those of the resource as it was before it was reset, too, where they were kept. */
static int print_history(const struct showing *s, const struct workflow_resource *resource,
			 const char *task, struct err *err)
{
	struct str folder = arena_printf(s->session->mem, "%s/outputs/" STR_FMT "/" STR_FMT,
					 s->session->state_dir, STR_ARG(resource->kind),
					 STR_ARG(resource->name));
	struct dirent **entries;
	int count, rc = 0;

	if (!folder.ptr)
		return arena_fail(s->session->mem, "a path", err);
	count = scandir(folder.ptr, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		struct str uid = arena_str(s->session->mem, str_from(entries[i]->d_name));

		if (rc == 0 && uid.len > 0 && uid.ptr[0] != '.')
			rc = print_outputs(s, resource, uid, task, err);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return rc;
}

static int show(const struct showing *s, const struct workflow_resource *resource, const char *task,
		struct err *err)
{
	return s->fields->history ? print_history(s, resource, task, err)
				  : print_outputs(s, resource, resource->uid, task, err);
}

static int show_those_meant(const struct showing *s, const char *pattern, const char *task,
			    struct err *err)
{
	struct arena *mem = s->session->mem;
	struct workflow_resource *resources;
	size_t count = 0;

	if (s->session->state &&
	    workflow_resource_list(s->session->state, mem, &resources, &count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++) {
		struct str label =
			arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(resources[i].kind),
				     STR_ARG(resources[i].name));

		if ((!pattern || workflow_name_matches(label, pattern) ||
		     workflow_name_matches(resources[i].name, pattern)) &&
		    show(s, &resources[i], task, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct show_fields *f = fields;
	struct showing s = {.fields = f};
	struct workflow_run chosen;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	const struct opt_result *words = cli->parsed;
	const char *pattern = words->positional_count > 0 ? words->positionals[0] : NULL;
	const char *task = words->positional_count > 1 ? words->positionals[1] : NULL;

	if (f->all && pattern)
		return err_set(err, ERR_USAGE, "--all and '%s' are two; give one", pattern);
	if (workflow_session_open(&session, cli, &f->common, false, err) < 0)
		return -(int)err->kind;
	s.session = &session;
	if (f->run && find_run(&session, f->run, &chosen, err) < 0)
		return -(int)err->kind;
	s.run = f->run ? &chosen : NULL;
	return show_those_meant(&s, pattern, task, err);
}

#define FIELD(member) OPT_FIELD(struct show_fields, member), .category = "Show"

static const struct opt show_options[] = {
	{.name = "list", .type = OPT_BOOL, FIELD(list), .help = "Only the names."},
	{.name = "history",
	 .type = OPT_BOOL,
	 FIELD(history),
	 .help = "Those from before a reset, too, where they were kept."},
	{.name = "all", .type = OPT_BOOL, FIELD(all), .help = "Of all resources; the default."},
	{.name = "run",
	 .type = OPT_STRING,
	 FIELD(run),
	 .metavar = "N|TIME",
	 .help = "Only what this run made: its number, or how the time of its beginning begins, "
		 "such "
		 "as 2026-11-22T10."},
	{.name = "clean",
	 .type = OPT_BOOL,
	 FIELD(clean),
	 .help = "The reports alone, without headings, for other programs."},
	{0}};

static const struct opt_part parts[] = {{show_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_show = {
	.options = {.name = "workflow show",
		    .summary = "Reports of the steps: evaluation, migration, comparison",
		    .arguments = "[RESOURCE] [TASK]",
		    .parts = parts,
		    .max_positionals = 2},
	.fields_size = sizeof(struct show_fields),
	.run = run,
};
