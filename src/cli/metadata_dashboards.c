/* metadata dashboards */
#include "cli/command.h"
#include "cli/metadata_dashboards_report.h"
#include "cli/source_options.h"

#include "base/small_file.h"
#include "metadata/dashboards_api.h"

struct dashboards_fields {
	struct general_fields general;
	struct source_fields source;
	struct target_fields target;
	const char *from;
	struct opt_list spaces, types, renames;
	bool overwrite, plan;
};

#define FIELD(member) OPT_FIELD(struct dashboards_fields, member), .category = "Saved objects"

static const struct opt dashboards_options[] = {
	{.name = "from",
	 .type = OPT_STRING,
	 FIELD(from),
	 .metavar = "URL",
	 .help = "The URL of Kibana (6 and later) or OpenSearch Dashboards, with its port, or "
		 "file:PATH of an export."},
	{.name = "space",
	 .type = OPT_LIST,
	 FIELD(spaces),
	 .metavar = "SPACE[=TENANT]",
	 .help = "The space of Kibana whose objects go, and the tenant of Dashboards that gets "
		 "them. '*' is every space, each to the tenant of its name. Without it, the "
		 "default space to the global tenant."},
	{.name = "type",
	 .type = OPT_LIST,
	 FIELD(types),
	 .metavar = "TYPE",
	 .help = "Only objects of these types: index-pattern, search, visualization, dashboard, "
		 "query, url."},
	{.name = "rename",
	 .type = OPT_LIST,
	 FIELD(renames),
	 .metavar = "FROM=TO",
	 .help = "Index patterns that are FROM are TO, also one of several in a title: "
		 "logs-*=old-logs-*. FROM may be regex:PATTERN, with its groups as $1 in TO."},
	{.name = "overwrite",
	 .type = OPT_BOOL,
	 FIELD(overwrite),
	 .help = "Replace objects that are there already."},
	{.name = "plan",
	 .type = OPT_BOOL,
	 FIELD(plan),
	 .help = "Tell what would be sent, and send nothing."},
	{0},
};

struct move {
	struct dashboards_fields *fields;
	struct arena *mem;
	struct dashboards *source, *target; /* NULL: a file */
	const char *in, *out;               /* NULL: none */
	struct json *spaces;                /* source to tenant, both "" for the default ones */
	struct buf file;
	struct index_renames *renames;
	struct saved_objects set;
};

static void move_release(struct move *move)
{
	saved_objects_release(&move->set);
	buf_release(&move->file);
	index_renames_free(move->renames);
	dashboards_close(move->source);
	dashboards_close(move->target);
}

static const char *path_of(const char *text)
{
	return text && strncmp(text, "file:", 5) == 0 ? text + 5 : NULL;
}

static int resolve(struct move *move, struct err *err)
{
	struct dashboards_fields *f = move->fields;
	struct repository_fields repository = {.from = f->from};
	enum source_origin origin;
	enum target_kind kind;

	move->in = path_of(f->from);
	if (!move->in &&
	    source_fields_resolve(&f->source, &repository, &origin, move->mem, err) < 0)
		return -(int)err->kind;
	if (!move->in && origin != SOURCE_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "--from '%s': saved objects come from the URL of Kibana or "
			       "Dashboards, or from file:PATH",
			       f->from ? f->from : "");
	if (target_fields_resolve(&f->target, &kind, &move->out, err) < 0)
		return -(int)err->kind;
	if (kind == TARGET_NULL)
		return err_set(err, ERR_USAGE,
			       "--to null: saved objects go to the URL of Dashboards, or to "
			       "file:PATH; --plan sends nothing");
	return index_renames_new(&f->renames, &move->renames, err);
}

static struct str space_name(struct str said)
{
	return str_is(said, "default") || str_is(said, "global") ? STR("") : said;
}

static void add_space(struct move *move, struct str space, struct str tenant)
{
	json_set(move->spaces, space_name(space), json_new_string(move->mem, space_name(tenant)));
}

static int add_all_spaces(struct move *move, struct err *err)
{
	struct json *all = NULL;

	if (!move->source)
		return err_set(err, ERR_USAGE, "--space: a file says nothing of spaces");
	if (dashboards_spaces(move->source, move->mem, &all, err) < 0)
		return -(int)err->kind;
	json_each (space, all)
		add_space(move, json_string(space), json_string(space));
	return 0;
}

/* A file has no spaces: what it holds goes to the tenant that is named for it. */
static int read_spaces(struct move *move, struct err *err)
{
	const struct opt_list *said = &move->fields->spaces;

	move->spaces = json_new(move->mem, JSON_OBJECT);
	if (said->count == 0)
		add_space(move, STR("default"), STR("default"));
	for (size_t i = 0; i < said->count; i++) {
		struct str space, tenant;

		if (str_is(str_from(said->items[i]), "*")) {
			if (add_all_spaces(move, err) < 0)
				return -(int)err->kind;
			continue;
		}
		if (!str_split(str_from(said->items[i]), '=', &space, &tenant))
			tenant = STR("default");
		if (space.len == 0)
			return err_set(err, ERR_USAGE, "--space '%s': write SPACE or SPACE=TENANT",
				       said->items[i]);
		add_space(move, space, tenant);
	}
	if (move->spaces->count > 1 && (move->in || move->out))
		return err_set(err, ERR_USAGE,
			       "--space: objects of several spaces do not fit into one file; give "
			       "one space, and a file each");
	return move->mem->failed ? arena_fail(move->mem, "the spaces", err) : 0;
}

static int open_both(struct move *move, struct err *err)
{
	struct http_options source = source_http_options(&move->fields->source);
	struct http_options target = target_http_options(&move->fields->target);

	if (!move->in &&
	    dashboards_open(&source, move->fields->source.retry_ms, &move->source, err) < 0)
		return err_wrap(err, "the source");
	if (!move->out &&
	    dashboards_open(&target, move->fields->target.retry_ms, &move->target, err) < 0)
		return err_wrap(err, "the target");
	return 0;
}

static int read_file(struct move *move, struct err *err)
{
	int rc = small_file_read(move->in, &move->file, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "--from file:%s: there is no such file",
			       move->in);
	return saved_objects_parse(&move->set, move->spaces->first->key, buf_str(&move->file), err);
}

static int read_objects(struct move *move, struct err *err)
{
	if (move->in)
		return read_file(move, err) < 0 ? err_wrap(err, "%s", move->in) : 0;
	json_each (space, move->spaces)
		if (dashboards_export(move->source, space->key, &move->set, err) < 0)
			return -(int)err->kind;
	return 0;
}

static int clean(struct move *move, struct err *err)
{
	const struct saved_objects_options options = {
		.types = &move->fields->types,
		.renames = move->renames,
		/* Kibana takes what Kibana wrote, and Dashboards what Dashboards did. */
		.from_kibana = (!move->source || dashboards_is_kibana(move->source)) &&
			       (!move->target || !dashboards_is_kibana(move->target)),
	};

	return saved_objects_clean(&move->set, &options, err);
}

/* Two spaces that go to one tenant may each have an object of one id; the first one stays. */
static void drop_clashes(struct move *move)
{
	struct saved_objects *set = &move->set;

	for (size_t i = 0; i < set->count; i++)
		for (size_t j = i + 1;
		     j < set->count && str_eq(set->items[i]->type, set->items[j]->type); j++) {
			struct saved_object *one = set->items[i], *other = set->items[j];

			if (other->outcome == SAVED_OBJECT_READY && str_eq(one->id, other->id) &&
			    one->outcome == SAVED_OBJECT_READY &&
			    str_eq(json_string(json_get_str(move->spaces, one->space)),
				   json_string(json_get_str(move->spaces, other->space))))
				saved_object_end(set, other, SAVED_OBJECT_FAILED,
						 "another space's object of this id goes to the "
						 "same tenant; give each space a tenant");
		}
}

static int write_file(struct move *move, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_HTTP_RESPONSE);

	saved_objects_print(&move->set, &text);
	if (buf_check(&text, "the saved objects", err) < 0 ||
	    small_file_replace(move->out, buf_str(&text), err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < move->set.count; i++)
		if (move->set.items[i]->outcome == SAVED_OBJECT_READY)
			move->set.items[i]->outcome = SAVED_OBJECT_WRITTEN;
	return 0;
}

static int write_objects(struct move *move, struct err *err)
{
	const struct dashboards_fields *f = move->fields;

	if (move->out)
		return f->plan ? 0 : write_file(move, err);
	json_each (space, move->spaces) {
		struct str tenant = json_string(space);
		int rc = 0;

		if (!f->plan)
			rc = dashboards_import(move->target, space->key, tenant, f->overwrite,
					       &move->set, err);
		else if (!f->overwrite)
			rc = dashboards_find_existing(move->target, space->key, tenant, &move->set,
						      err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static struct dashboards_report report_of(const struct move *move)
{
	const struct dashboards_fields *f = move->fields;

	return (struct dashboards_report){
		.set = &move->set,
		.spaces = move->spaces,
		.source = move->in ? "export" : dashboards_version_text(move->source),
		.source_place = move->in ? move->in : public_url(f->source.host, move->mem),
		.target = move->out ? "export" : dashboards_version_text(move->target),
		.target_place = move->out ? move->out : public_url(f->target.host, move->mem),
		.plan = f->plan,
	};
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	cleanup(move_release) struct move move = {
		.fields = fields, .mem = cli->mem, .file = BUF_INIT(LIMIT_HTTP_RESPONSE)};
	struct dashboards_report report;
	struct err ended = {0};
	int rc, printed;

	saved_objects_init(&move.set);
	if (resolve(&move, err) < 0 || open_both(&move, err) < 0 || read_spaces(&move, err) < 0 ||
	    read_objects(&move, err) < 0 || clean(&move, err) < 0)
		return -(int)err->kind;
	drop_clashes(&move);
	rc = write_objects(&move, &ended);
	report = report_of(&move);
	report.err = rc < 0 ? &ended : NULL;
	printed = move.fields->general.json ? dashboards_report_print_json(&report, cli->mem, err)
					    : dashboards_report_print(&report, cli->mem, err);
	if (rc < 0) {
		*err = ended;
		return rc;
	}
	if (printed < 0)
		return printed;
	return dashboards_report_problems(&report) ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

static const struct opt_part parts[] = {
	{dashboards_options, 0},
	{source_options, offsetof(struct dashboards_fields, source)},
	{target_options, offsetof(struct dashboards_fields, target)},
	{general_options, offsetof(struct dashboards_fields, general)},
	{0},
};

const struct command command_metadata_dashboards = {
	.options =
		{
			.name = "metadata dashboards",
			.summary = "Bring saved objects of Kibana to OpenSearch Dashboards",
			.parts = parts,
			.details =
				"The same command again leaves what is there, or replaces it with "
				"--overwrite.\n"
				"\n"
				"Examples:\n"
				"  shardlift metadata dashboards --from https://kibana:5601 --to "
				"https://dashboards:5601 --plan\n"
				"  shardlift metadata dashboards --from file:export.ndjson --to "
				"file:cleaned.ndjson",
		},
	.fields_size = sizeof(struct dashboards_fields),
	.run = run,
};
