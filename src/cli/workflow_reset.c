#include "cli/workflow_reset.h"

#include "cli/interrupt.h"

#include "traffic/segment_log.h"
#include "workflow/engine.h"
#include "workflow/platform.h"
#include "workflow/pods/pods.h"
#include "workflow/service.h"

#include <errno.h>
#include <ftw.h>
#include <unistd.h>

#define PROCESS_PATIENCE_MS 120000 /* a proxy lets its clients come to an end */
#define PODS_PATIENCE_MS 240000    /* the same, with what a pod's end takes beside */

struct reset_fields {
	struct workflow_fields common;
	bool list, all, cascade, include_proxies, delete_storage, keep_outputs;
};

struct reset {
	const struct workflow_reset_wish *wish;
	FILE *out;
	struct workflow_session *session;
	struct workflow_resource *resources;
	struct str *labels;
	bool *chosen;
	size_t count;
};

static struct json *depends_on(const struct reset *r, size_t i)
{
	struct json *list = NULL;

	if (json_parse(r->resources[i].depends_on, r->session->mem, &list, NULL) < 0)
		return NULL;
	return list;
}

static bool depends(const struct reset *r, size_t i, struct str label)
{
	json_each (item, depends_on(r, i))
		if (str_eq(item->text, label))
			return true;
	return false;
}

static void print_list(const struct reset *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const char *before = " (depends on: ";

		printf(STR_FMT "  (" STR_FMT ")", STR_ARG(r->labels[i]),
		       STR_ARG(r->resources[i].phase));
		json_each (item, depends_on(r, i)) {
			printf("%s" STR_FMT, before, STR_ARG(item->text));
			before = ", ";
		}
		puts(before[0] == ',' ? ")" : "");
	}
	if (r->count == 0)
		puts("There is nothing to reset.");
	else
		workflow_hint("`workflow reset NAME`, `workflow reset --all`, --cascade takes what "
			      "depends on it, too");
}

static bool choose(struct reset *r, const char *pattern)
{
	bool found = false;

	for (size_t i = 0; i < r->count; i++)
		if (workflow_name_matches(r->labels[i], pattern) ||
		    workflow_name_matches(r->resources[i].name, pattern)) {
			r->chosen[i] = true;
			found = true;
		}
	if (!found)
		fprintf(r->out, "There is no '%s'; `workflow reset --list` names what there is.\n",
			pattern);
	return found;
}

/* Whatever depends on what is chosen goes along, or stands in its way. */
static int take_dependents(struct reset *r, struct err *err)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < r->count; i++)
			for (size_t j = 0; j < r->count && !r->chosen[i]; j++) {
				if (!r->chosen[j] || !depends(r, i, r->labels[j]))
					continue;
				if (!r->wish->cascade)
					return err_set(err, ERR_LIMIT,
						       STR_FMT " depends on " STR_FMT
							       "; --cascade resets both",
						       STR_ARG(r->labels[i]),
						       STR_ARG(r->labels[j]));
				r->chosen[i] = more = true;
			}
	}
	return 0;
}

static bool is_kind(const struct reset *r, size_t i, const char *kind)
{
	return str_is(r->resources[i].kind, kind);
}

/* And what they write to. */
static void keep_proxies(struct reset *r)
{
	bool *kept = arena_zalloc(r->session->mem, r->count, sizeof(bool)), more = true;

	for (size_t i = 0; kept && i < r->count && !r->wish->include_proxies; i++)
		kept[i] = is_kind(r, i, "captureproxy");
	while (kept && more) {
		more = false;
		for (size_t i = 0; i < r->count; i++)
			for (size_t j = 0; j < r->count && !kept[i]; j++)
				if (kept[j] && depends(r, j, r->labels[i]))
					kept[i] = more = true;
	}
	for (size_t i = 0; kept && i < r->count; i++)
		if (kept[i] && r->chosen[i]) {
			r->chosen[i] = false;
			fprintf(r->out,
				STR_FMT " stays, clients may use it; --include-proxies resets it\n",
				STR_ARG(r->labels[i]));
		}
}

/* They are at work all the time, and end when they are reset. */
static bool is_lasting(const struct reset *r, size_t i)
{
	return is_kind(r, i, "captureproxy") || is_kind(r, i, "trafficreplay");
}

/* Work that goes on would write its records back. */
static int check_idle(const struct reset *r, struct err *err)
{
	struct workflow_step *steps;
	struct workflow_run latest;
	size_t count;

	if (workflow_engine_pid(r->session->state_dir) == 0)
		return 0;
	if (workflow_read_run(r->session, &latest, err) < 0 ||
	    workflow_step_list(r->session->state, latest.id, r->session->mem, &steps, &count, err) <
		    0)
		return -(int)err->kind;
	/* A cut-over that waited when its run failed is at work no more. */
	if (latest.phase == WORKFLOW_FAILED || latest.phase == WORKFLOW_SUCCEEDED ||
	    latest.phase == WORKFLOW_COMPLETED_WITH_ERRORS)
		return 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < r->count; j++)
			if (r->chosen[j] && steps[i].phase == STEP_RUNNING &&
			    !(is_lasting(r, j) && !str_starts(steps[i].name, STR("cutover."))) &&
			    str_eq(steps[i].resource, r->labels[j]))
				return err_set(err, ERR_BLOCKED,
					       "step " STR_FMT " is at work on " STR_FMT
					       "; reset it once the step has ended",
					       STR_ARG(steps[i].name), STR_ARG(r->labels[j]));
	return 0;
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *where)
{
	(void)about, (void)type, (void)where;
	return remove(path);
}

static int remove_outputs(const struct reset *r, size_t i, struct err *err)
{
	struct str path =
		arena_printf(r->session->mem, "%s/outputs/" STR_FMT "/" STR_FMT "/" STR_FMT,
			     r->session->state_dir, STR_ARG(r->resources[i].kind),
			     STR_ARG(r->resources[i].name), STR_ARG(r->resources[i].uid));

	if (!path.ptr)
		return arena_fail(r->session->mem, "a path", err);
	if (r->wish->keep_outputs) {
		fprintf(r->out, "outputs stay in %s\n", path.ptr);
		return 0;
	}
	if (nftw(path.ptr, remove_entry, 8, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return err_set_errno(err, ERR_IO, errno, "cannot remove '%s'", path.ptr);
	return 0;
}

static int remove_session(const struct reset *r, struct str session, struct err *err)
{
	static const char *const files[][2] = {{"work", ".db"},
					       {"work", ".db-wal"},
					       {"work", ".db-shm"},
					       {"run", ".work"},
					       {"run", ".work.new"}};

	for (size_t j = 0; session.len > 0 && j < COUNT_OF(files); j++) {
		struct str path =
			arena_printf(r->session->mem, "%s/%s/" STR_FMT "%s", r->session->state_dir,
				     files[j][0], STR_ARG(session), files[j][1]);

		if (path.ptr && unlink(path.ptr) < 0 && errno != ENOENT)
			return err_set_errno(err, ERR_IO, errno, "cannot remove '%s'", path.ptr);
	}
	return 0;
}

/* Its work items, so that the next time begins at the beginning: those of narrower allowlists of
 * before, too. */
static int remove_work(const struct reset *r, size_t i, struct err *err)
{
	struct json *status = NULL;

	if (json_parse(r->resources[i].status, r->session->mem, &status, NULL) < 0)
		return 0;
	json_each (fact, status)
		if (str_starts(fact->key, STR("rfs-")) && remove_session(r, fact->key, err) < 0)
			return -(int)err->kind;
	return remove_session(r, json_string(json_get(status, "workSession")), err);
}

/* Captured traffic of a producer stays unless it was asked for. */
static int remove_storage(const struct reset *r, size_t i, struct err *err)
{
	struct str name = r->resources[i].name, path;

	if (!is_kind(r, i, "capturedtraffic") || !str_ends(name, STR("-topic")))
		return 0;
	name.len -= strlen("-topic");
	path = arena_printf(r->session->mem, "%s/capture/" STR_FMT, r->session->state_dir,
			    STR_ARG(name));
	if (!path.ptr)
		return arena_fail(r->session->mem, "a path", err);
	if (access(path.ptr, F_OK) < 0)
		return 0; /* it is in Kafka */
	if (!r->wish->delete_storage) {
		fprintf(r->out, "captured traffic stays in %s; --delete-storage removes it\n",
			path.ptr);
		return 0;
	}
	if (nftw(path.ptr, remove_entry, 8, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return err_set_errno(err, ERR_IO, errno, "cannot remove '%s'", path.ptr);
	return 0;
}

/* A replayer begins at the beginning again. */
static int forget_progress(const struct reset *r, size_t i, struct err *err)
{
	struct json *status = NULL;
	struct str folder, group;
	uint64_t offset;
	int rc;

	if (json_parse(r->resources[i].status, r->session->mem, &status, NULL) < 0)
		return 0;
	folder = json_string(json_get(status, "logFolder"));
	group = arena_str(r->session->mem, json_string(json_get(status, "group")));
	folder = arena_str(r->session->mem, folder);
	if (folder.len == 0 || group.len == 0)
		return 0;
	rc = segment_log_group_committed(folder.ptr, group.ptr, &offset, err);
	return rc > 0 ? segment_log_group_commit(folder.ptr, group.ptr, 0, err) : rc;
}

static int end_process(const struct reset *r, size_t i, struct err *err)
{
	const struct pods_options pods = {.stop = interrupt_catch()};

	/* First what would make its pods again. */
	if (is_lasting(r, i) && service_remove(r->session->state_dir, r->resources[i].name,
					       PROCESS_PATIENCE_MS, err) < 0)
		return -(int)err->kind;
	return workflow_platform() == PLATFORM_KUBERNETES
		       ? pods_remove(&pods, r->labels[i], PODS_PATIENCE_MS, err)
		       : 0;
}

static int reset_one(const struct reset *r, size_t i, struct err *err)
{
	struct workflow_resource *resource = &r->resources[i];

	if (r->wish->only_tell) {
		fprintf(r->out, STR_FMT "  (" STR_FMT ")\n", STR_ARG(r->labels[i]),
			STR_ARG(resource->phase));
		return 0;
	}
	resource->phase = STR("Deleting");
	resource->converged = STR("");
	if (workflow_resource_put(r->session->state, resource, err) < 0 ||
	    end_process(r, i, err) < 0 || forget_progress(r, i, err) < 0 ||
	    remove_storage(r, i, err) < 0 || remove_outputs(r, i, err) < 0 ||
	    remove_work(r, i, err) < 0 ||
	    workflow_resource_remove(r->session->state, resource->kind.ptr, resource->name, err) <
		    0)
		return -(int)err->kind;
	fprintf(r->out, "✓ Reset " STR_FMT "\n", STR_ARG(r->labels[i]));
	return 0;
}

static bool has_dependents(const struct reset *r, size_t i)
{
	for (size_t j = 0; j < r->count; j++)
		if (r->chosen[j] && j != i && depends(r, j, r->labels[i]))
			return true;
	return false;
}

/* Leaves first. */
static int reset_chosen(struct reset *r, struct err *err)
{
	bool any = false, more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < r->count; i++) {
			if (!r->chosen[i] || has_dependents(r, i))
				continue;
			if (reset_one(r, i, err) < 0)
				return -(int)err->kind;
			r->chosen[i] = false;
			any = more = true;
		}
	}
	if (any && !r->wish->only_tell)
		fputs("\nHint: what is on the target stays there; `workflow submit` begins anew\n",
		      r->out);
	return 0;
}

static int load(struct reset *r, struct err *err)
{
	struct arena *mem = r->session->mem;

	if (r->session->state &&
	    workflow_resource_list(r->session->state, mem, &r->resources, &r->count, err) < 0)
		return -(int)err->kind;
	r->labels = arena_zalloc(mem, r->count, sizeof(struct str));
	r->chosen = arena_zalloc(mem, r->count, sizeof(bool));
	for (size_t i = 0; r->labels && i < r->count; i++)
		r->labels[i] = arena_printf(mem, STR_FMT "." STR_FMT, STR_ARG(r->resources[i].kind),
					    STR_ARG(r->resources[i].name));
	return mem->failed ? arena_fail(mem, "the resources", err) : 0;
}

int workflow_reset(struct workflow_session *session, const struct workflow_reset_wish *wish,
		   FILE *out, struct err *err)
{
	struct reset r = {.wish = wish, .out = out, .session = session};

	if (load(&r, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < r.count; i++)
		r.chosen[i] = wish->all;
	for (size_t i = 0; i < wish->pattern_count; i++)
		choose(&r, wish->patterns[i]);
	keep_proxies(&r);
	if (take_dependents(&r, err) < 0 || check_idle(&r, err) < 0)
		return -(int)err->kind;
	return reset_chosen(&r, err);
}

static int list(struct workflow_session *session, size_t *count, struct err *err)
{
	struct reset r = {.session = session};

	if (load(&r, err) < 0)
		return -(int)err->kind;
	print_list(&r);
	*count = r.count;
	return 0;
}

/* Lists what there is and asks which; an empty answer is none. */
static int ask(struct workflow_session *session, const struct workflow_reset_wish *wish,
	       struct err *err)
{
	char answer[512];
	const char *pattern = answer;
	struct workflow_reset_wish asked;
	size_t count;

	if (list(session, &count, err) < 0)
		return -(int)err->kind;
	if (count == 0)
		return 0;
	printf("\nWhich one (TYPE.NAME or a pattern; nothing: none)? ");
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return 0;
	answer[strcspn(answer, "\r\n")] = '\0';
	if (!answer[0])
		return 0;
	asked = *wish;
	asked.patterns = &pattern;
	asked.pattern_count = 1;
	return workflow_reset(session, &asked, stdout, err);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct reset_fields *f = fields;
	cleanup(workflow_session_close) struct workflow_session session = {0};
	const struct opt_result *words = cli->parsed;
	struct workflow_reset_wish wish = {.patterns = words->positionals,
					   .pattern_count = words->positional_count,
					   .all = f->all,
					   .cascade = f->cascade,
					   .include_proxies = f->include_proxies,
					   .delete_storage = f->delete_storage,
					   .keep_outputs = f->keep_outputs};
	bool bare = !f->list && !f->all && words->positional_count == 0;
	size_t count;
	bool asks = bare && workflow_can_ask(), only_list = f->list || (bare && !asks);

	if (workflow_session_open(&session, cli, &f->common, !only_list, err) < 0)
		return -(int)err->kind;
	if (asks)
		return ask(&session, &wish, err);
	return only_list ? list(&session, &count, err)
			 : workflow_reset(&session, &wish, stdout, err);
}

#define FIELD(member) OPT_FIELD(struct reset_fields, member), .category = "Reset"

static const struct opt reset_options[] = {
	{.name = "list", .type = OPT_BOOL, FIELD(list), .help = "Only tell what there is."},
	{.name = "all", .type = OPT_BOOL, FIELD(all), .help = "All but proxies."},
	{.name = "cascade", .type = OPT_BOOL, FIELD(cascade), .help = "What depends on it, too."},
	{.name = "include-proxies",
	 .type = OPT_BOOL,
	 FIELD(include_proxies),
	 .help = "Proxies, too: their clients lose the connection."},
	{.name = "delete-storage",
	 .type = OPT_BOOL,
	 FIELD(delete_storage),
	 .help = "Captured traffic, too."},
	{.name = "keep-output-artifacts",
	 .type = OPT_BOOL,
	 FIELD(keep_outputs),
	 .help = "Keep the reports of its steps."},
	{0},
};

static const struct opt_part parts[] = {{reset_options, 0}, WORKFLOW_PARTS, {0}};

const struct command command_workflow_reset = {
	.options = {.name = "workflow reset",
		    .summary = "Forget what was done for a resource, so that submit begins anew",
		    .arguments = "[TYPE.NAME]...",
		    .parts = parts,
		    .details = "Never touches the data on a target, nor a snapshot.\n\nExit codes: "
			       "0; 1 something depends on it; 4 a step is at work on it.",
		    .max_positionals = 1000},
	.fields_size = sizeof(struct reset_fields),
	.run = run,
};
