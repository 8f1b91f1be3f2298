/* lifecycle attach */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/metadata_source.h"
#include "cli/table.h"

#include "metadata/index_renames.h"
#include "metadata/lifecycle_attach.h"

struct attach_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct source_fields source;
	struct target_fields target;
	struct selection_fields selection;
	struct opt_list renames;
	bool plan;
};

#define ITEMS(member) OPT_FIELD(struct attach_fields, member), .category = "Items"

static const struct opt attach_options[] = {
	{.name = "rename",
	 .type = OPT_LIST,
	 ITEMS(renames),
	 .metavar = "FROM=TO",
	 .help = "The index FROM is called TO on the target. FROM is a name, or regex: and a "
		 "pattern for the whole name, whose groups TO takes up as $1."},
	{.name = "plan",
	 .type = OPT_BOOL,
	 ITEMS(plan),
	 .help = "Tell what would be done, and do nothing."},
	{0},
};

struct run {
	struct attach_fields *fields;
	struct arena *mem;
	struct metadata_source source;
	struct cluster *target;
	struct index_renames *renames;
	struct metadata_set set;
	struct lifecycle_bindings bindings;
	struct attach_report report;
};

static void run_release(struct run *run)
{
	attach_report_release(&run->report);
	lifecycle_bindings_release(&run->bindings);
	index_renames_free(run->renames);
	metadata_set_release(&run->set);
	cluster_close(run->target);
	metadata_source_release(&run->source);
}

static int open_target(struct run *run, struct err *err)
{
	struct target_fields *target = &run->fields->target;
	enum target_kind kind;
	const char *path;

	if (target_fields_resolve(target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE, "--to '%s': give the URL of a cluster",
			       target->host);
	if (target_connect(target, &run->target, err) < 0)
		return -(int)err->kind;
	if (cluster_version(run->target)->flavour != CLUSTER_OPENSEARCH ||
	    cluster_version(run->target)->serverless)
		return err_set(err, ERR_BLOCKED,
			       "the target is %s, which has no ISM; on Elasticsearch the setting "
			       "index.lifecycle.name attaches a policy",
			       cluster_version_text(run->target));
	return 0;
}

static int read_source(struct run *run, struct err *err)
{
	static const struct metadata_read_options options = {
		.kinds = {[METADATA_LIFECYCLE_POLICY] = true,
			  [METADATA_COMPONENT_TEMPLATE] = true,
			  [METADATA_INDEX_TEMPLATE] = true,
			  [METADATA_LEGACY_TEMPLATE] = true,
			  [METADATA_DATA_STREAM] = true,
			  [METADATA_INDEX] = true},
	};
	struct attach_fields *f = run->fields;

	return metadata_source_read(&run->source, &f->source, &f->repository, &f->selection,
				    &options, run->mem, &run->set, err);
}

static const char *outcome_name(enum attach_outcome outcome)
{
	switch (outcome) {
	case ATTACH_READY:
		return "planned";
	case ATTACH_DONE:
		return "done";
	case ATTACH_THERE:
		return "already";
	case ATTACH_OTHER:
		return "kept";
	case ATTACH_FAILED:
		return "failed";
	}
	BUG("unknown outcome");
}

static int print_table(const struct run *run, struct err *err)
{
	static const struct table_column columns[] = {{"kind", TABLE_LEFT},
						      {"name", TABLE_LEFT},
						      {"policy", TABLE_LEFT},
						      {"outcome", TABLE_LEFT},
						      {"remark", TABLE_LEFT}};
	struct table table;

	table_init(&table, run->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < run->report.count; i++) {
		const struct attach_step *step = &run->report.steps[i];

		table_cell(&table, step->is_policy ? STR("policy") : STR("index"));
		table_cell(&table, step->name);
		table_cell(&table, step->policy);
		table_cell(&table, str_from(outcome_name(step->outcome)));
		table_cell(&table, step->reason);
	}
	return table_print(&table, stdout, err);
}

static struct json *json_of(const struct attach_step *step, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	json_set(object, STR("kind"),
		 json_new_string(mem, step->is_policy ? STR("policy") : STR("index")));
	json_set(object, STR("name"), json_new_string(mem, step->name));
	if (!step->is_policy)
		json_set(object, STR("policy"), json_new_string(mem, step->policy));
	json_set(object, STR("outcome"),
		 json_new_string(mem, str_from(outcome_name(step->outcome))));
	if (step->reason.len > 0)
		json_set(object, STR("remark"), json_new_string(mem, step->reason));
	return object;
}

static int print_json(const struct run *run, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	struct arena *mem = run->mem;
	struct json *root = json_new(mem, JSON_OBJECT), *steps = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < run->report.count; i++)
		json_append(steps, json_of(&run->report.steps[i], mem));
	json_set(root, STR("plan"), json_new_bool(mem, run->fields->plan));
	json_set(root, STR("steps"), steps);
	json_set(root, STR("failures"),
		 json_new_i64(mem, (int64_t)attach_report_failures(&run->report)));
	if (mem->failed)
		return arena_fail(mem, "the report", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	fwrite(text.ptr, 1, text.len, stdout);
	fputc('\n', stdout);
	return 0;
}

static int attach(struct cli *cli, void *fields, struct err *err)
{
	struct attach_fields *f = fields;
	cleanup(run_release) struct run run = {.fields = f, .mem = cli->mem};
	struct err ended = {0};
	int rc, printed;

	metadata_set_init(&run.set);
	if (index_renames_new(&f->renames, &run.renames, err) < 0 || open_target(&run, err) < 0 ||
	    read_source(&run, err) < 0 ||
	    index_renames_apply_to_set(run.renames, &run.set, err) < 0 ||
	    lifecycle_bindings_read(&run.set, run.source.cluster, &run.bindings, err) < 0)
		return -(int)err->kind;
	rc = lifecycle_attach(&run.set, &run.bindings, run.target, f->plan, interrupt_catch(),
			      &run.report, &ended);
	printed = f->general.json ? print_json(&run, err) : print_table(&run, err);
	if (rc < 0) {
		*err = ended;
		return rc;
	}
	if (printed < 0)
		return printed;
	return attach_report_failures(&run.report) ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

static const struct opt_part parts[] = {
	{repository_options, offsetof(struct attach_fields, repository)},
	{store_options, offsetof(struct attach_fields, repository.store)},
	{source_options, offsetof(struct attach_fields, source)},
	{target_options, offsetof(struct attach_fields, target)},
	{selection_options, offsetof(struct attach_fields, selection)},
	{attach_options, 0},
	{general_options, offsetof(struct attach_fields, general)},
	{0},
};

const struct command command_lifecycle_attach = {
	.options =
		{
			.name = "lifecycle attach",
			.summary = "Attach lifecycle policies to the indices of the target, after "
				   "the backfill",
			.parts = parts,
			.details =
				"Policies are on the target already: `shardlift metadata migrate` "
				"made them. The same command again changes nothing that is there.\n"
				"\n"
				"Examples:\n"
				"  shardlift lifecycle attach --from https://old:9200 --to "
				"https://new:9200 --plan\n"
				"  shardlift lifecycle attach --from /backups#nightly --to "
				"https://new:9200",
		},
	.fields_size = sizeof(struct attach_fields),
	.run = attach,
};
