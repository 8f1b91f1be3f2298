/* metadata evaluate, metadata migrate */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/metadata_begun.h"
#include "cli/metadata_options.h"
#include "cli/metadata_report.h"
#include "cli/metadata_source.h"
#include "cli/transform_options.h"

#include "metadata/index_filter.h"
#include "metadata/index_renames.h"
#include "metadata/metadata_read.h"
#include "metadata/metadata_write.h"
#include "metadata/rules.h"
#include "metadata/transform_items.h"

struct metadata_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct source_fields source;
	struct target_fields target;
	struct creation_fields creation;
	struct selection_fields selection;
	struct transformer_fields transformer;
	struct transform_run_fields script;
	struct opt_list kinds, renames;
	struct opt_list tier_attributes, attribute_map;
	bool open_only, show_excluded, succeed_on_empty, plan;
};

#define ITEMS(member) OPT_FIELD(struct metadata_fields, member), .category = "Items"
#define RULES(member) OPT_FIELD(struct metadata_fields, member), .category = "Rules"

static const struct opt metadata_options[] = {
	{.name = "kind",
	 .type = OPT_LIST,
	 ITEMS(kinds),
	 .metavar = "KIND",
	 .help = "Only these kinds: index, alias, legacy-template, index-template, "
		 "component-template, pipeline, script, lifecycle-policy, snapshot-policy, "
		 "data-stream, cluster-settings, security. Without it, all. Roles (security) are "
		 "written only when they are named here."},
	{.name = "rename",
	 .type = OPT_LIST,
	 ITEMS(renames),
	 .metavar = "FROM=TO",
	 .help = "The index FROM is called TO on the target. FROM is a name, or regex: and a "
		 "pattern for the whole name, whose groups TO takes up as $1."},
	{.name = "open-only",
	 .type = OPT_BOOL,
	 ITEMS(open_only),
	 .help = "Leave closed indices out."},
	{.name = "succeed-on-empty",
	 .type = OPT_BOOL,
	 ITEMS(succeed_on_empty),
	 .fallback = "true",
	 .help = "false: it is a failure when nothing is selected."},
	{.name = "show-excluded",
	 .type = OPT_BOOL,
	 ITEMS(show_excluded),
	 .help = "List what is left out, too."},
	{.name = "tier-attr",
	 .type = OPT_LIST,
	 RULES(tier_attributes),
	 .metavar = "PHASE=ATTR:VALUE",
	 .help = "Where ILM moves indices to the nodes of a tier, ISM moves them to nodes with "
		 "this "
		 "attribute: warm=temp:warm."},
	{.name = "attr-map",
	 .type = OPT_LIST,
	 RULES(attribute_map),
	 .metavar = "FROM=TO",
	 .help = "What an attribute of nodes in a lifecycle policy is called on the target: "
		 "data=temp, or with its value data:hot=temp:h."},
	{0},
};

static const struct opt metadata_plan_options[] = {
	{.name = "plan",
	 .type = OPT_BOOL,
	 ITEMS(plan),
	 .help = "Tell what would be created and changed, as `metadata evaluate` does, and write "
		 "nothing."},
	{0},
};

struct migrating {
	struct metadata_fields *fields;
	struct arena *mem;
	struct metadata_source source;
	struct cluster *target;
	struct transform *transform; /* NULL: none */
	struct index_renames *renames;
	struct metadata_set set;
	struct metadata_facts facts;
	struct metadata_begun begun;
};

static void migrating_release(struct migrating *m)
{
	metadata_begun_release(&m->begun);
	index_renames_free(m->renames);
	metadata_set_release(&m->set);
	transform_free(m->transform);
	cluster_close(m->target);
	metadata_source_release(&m->source);
}

static int read_options(struct migrating *m, struct metadata_read_options *options, struct err *err)
{
	const struct opt_list *kinds = &m->fields->kinds;

	options->open_only = m->fields->open_only;
	for (size_t i = 0; i < kinds->count; i++) {
		int kind = metadata_kind_parse(str_from(kinds->items[i]));

		if (kind < 0)
			return err_set(err, ERR_USAGE,
				       "--kind '%s': there is no such kind; --help lists them",
				       kinds->items[i]);
		options->kinds[kind] = true;
	}
	return 0;
}

static int read_source(struct migrating *m, const struct metadata_read_options *options,
		       struct err *err)
{
	struct metadata_fields *f = m->fields;
	int rc = metadata_source_read(&m->source, &f->source, &f->repository, &f->selection,
				      options, m->mem, &m->set, err);

	m->facts.source = m->source.name;
	return rc;
}

static int open_target(struct migrating *m, struct err *err)
{
	struct metadata_fields *f = m->fields;
	const struct cluster_version *version;
	enum target_kind kind;
	const char *path;

	if (target_fields_resolve(&f->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "--to '%s': metadata goes to a cluster; give its URL",
			       f->target.host);
	m->facts.target = public_url(f->target.host, m->mem);
	if (target_connect(&f->target, &m->target, err) < 0)
		return -(int)err->kind;
	version = cluster_version(m->target);
	m->facts.target_description = arena_printf(
		m->mem, "Remote Cluster (%s %d.%d.%d)",
		version->flavour == CLUSTER_OPENSEARCH ? "OPENSEARCH" : "ELASTICSEARCH",
		version->major, version->minor, version->patch);
	return 0;
}

/* What the user said wrong is told before any request. */
static int check_names(const struct metadata_fields *f, struct err *err)
{
	const struct opt_list *lists[] = {&f->selection.indices, &f->selection.index_templates,
					  &f->selection.component_templates, &f->selection.others};

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct index_filter *filter = NULL;

		if (lists[i]->count > 0 && index_filter_new(lists[i], &filter, err) < 0)
			return -(int)err->kind;
		index_filter_free(filter);
	}
	return 0;
}

static int apply_rules(struct migrating *m, struct err *err)
{
	struct rule_options options =
		rule_options_of(&m->fields->creation, cluster_version(m->target));

	options.tier_attributes = &m->fields->tier_attributes;
	options.attribute_map = &m->fields->attribute_map;
	if (transform_items(&m->set, m->transform, TRANSFORM_ITEMS_BEFORE_RULES, err) < 0 ||
	    rules_apply(&m->set, &options, err) < 0)
		return -(int)err->kind;
	return transform_items(&m->set, m->transform, TRANSFORM_ITEMS_AFTER_RULES, err);
}

static size_t count_selected(const struct metadata_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += set->items[i]->outcome != OUTCOME_EXCLUDED;
	return count;
}

static int finish(struct migrating *m, int rc, struct err *ended, struct err *err)
{
	const struct metadata_fields *f = m->fields;
	bool empty = count_selected(&m->set) == 0 && !f->succeed_on_empty;
	int code =
		metadata_report_problems(&m->set) ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;

	m->facts.err = rc < 0 ? ended : NULL;
	m->facts.code = rc < 0 ? (int)err_exit_code(ended) : empty ? EXIT_CODE_USAGE : code;
	m->facts.source_insecure = f->source.insecure;
	m->facts.source_signed = f->source.aws_region != NULL;
	m->facts.target_insecure = f->target.insecure;
	m->facts.target_signed = f->target.aws_region != NULL;
	m->facts.uncompressed = f->target.disable_compression;
	if (!m->fields->general.json)
		metadata_report_print(&m->set, &m->facts, stdout);
	else if (metadata_report_print_json(&m->set, &m->facts, stdout, err) < 0)
		return -(int)err->kind;
	if (rc < 0) {
		*err = *ended;
		return rc;
	}
	if (empty)
		return err_set(err, ERR_USAGE,
			       "nothing is selected, and --succeed-on-empty is false");
	return code;
}

/* What a run that stopped has created is its own. */
static int open_begun(struct migrating *m, struct metadata_write_options *options, struct err *err)
{
	if (options->plan)
		return 0;
	options->begin_index = metadata_begun_index;
	options->user = &m->begun;
	return metadata_begun_open(&m->begun, m->fields->general.state_dir, m->source.name,
				   m->facts.target, m->target, m->mem, err);
}

static int run_metadata(struct cli *cli, void *fields, bool plan, struct err *err)
{
	struct metadata_fields *f = fields;
	cleanup(migrating_release) struct migrating m = {.fields = f, .mem = cli->mem};
	struct metadata_write_options options = {.allow_existing = f->creation.allow_existing,
						 .plan = plan};
	struct metadata_read_options wanted = {0};
	struct err ended = {0};
	int rc;

	metadata_set_init(&m.set);
	m.facts.plan = plan;
	m.facts.show_excluded = f->show_excluded;
	if (read_options(&m, &wanted, err) < 0 || check_names(f, err) < 0 ||
	    metadata_transform_new(&f->transformer, &f->script, cli->mem, &m.transform, err) < 0 ||
	    index_renames_new(&f->renames, &m.renames, err) < 0 || open_target(&m, err) < 0 ||
	    read_source(&m, &wanted, err) < 0 ||
	    index_renames_apply_to_set(m.renames, &m.set, err) < 0 || apply_rules(&m, err) < 0 ||
	    open_begun(&m, &options, err) < 0)
		return -(int)err->kind;
	options.roles = wanted.kinds[METADATA_SECURITY];
	rc = metadata_check(&m.set, m.target, &options, &ended);
	if (rc == 0)
		rc = metadata_write(&m.set, m.target, &options, interrupt_catch(), &ended);
	if (rc == 0 && !metadata_report_problems(&m.set))
		metadata_begun_forget(&m.begun);
	return finish(&m, rc, &ended, err);
}

static int evaluate(struct cli *cli, void *fields, struct err *err)
{
	return run_metadata(cli, fields, true, err);
}

static int migrate(struct cli *cli, void *fields, struct err *err)
{
	const struct metadata_fields *f = fields;

	return run_metadata(cli, fields, f->plan, err);
}

#define METADATA_PARTS                                                                \
	{repository_options, offsetof(struct metadata_fields, repository)},           \
		{store_options, offsetof(struct metadata_fields, repository.store)},  \
		{source_options, offsetof(struct metadata_fields, source)},           \
		{target_options, offsetof(struct metadata_fields, target)},           \
		{selection_options, offsetof(struct metadata_fields, selection)},     \
		{metadata_options, 0},                                                \
		{creation_options, offsetof(struct metadata_fields, creation)},       \
		{transformer_options, offsetof(struct metadata_fields, transformer)}, \
		{script_options, offsetof(struct metadata_fields, script)},           \
	{                                                                             \
		general_options, offsetof(struct metadata_fields, general)            \
	}

static const struct opt_part evaluate_parts[] = {METADATA_PARTS, {0}};
static const struct opt_part migrate_parts[] = {METADATA_PARTS, {metadata_plan_options, 0}, {0}};

const struct command command_metadata_evaluate = {
	.options =
		{
			.name = "metadata evaluate",
			.summary =
				"Tell what of the source's metadata would be created, and how it "
				"would change; writes nothing",
			.parts = evaluate_parts,
			.details = "Examples:\n"
				   "  shardlift metadata evaluate --from /backups#nightly --to "
				   "https://search.example:9200\n"
				   "  shardlift metadata evaluate --from https://old:9200 --to "
				   "https://new:9200 --json",
		},
	.fields_size = sizeof(struct metadata_fields),
	.run = evaluate,
};

const struct command command_metadata_migrate = {
	.options =
		{
			.name = "metadata migrate",
			.summary = "Create templates, policies, pipelines, indices and aliases on "
				   "the target",
			.parts = migrate_parts,
			.details = "After a run that stopped, or left something undone, the same "
				   "command "
				   "again does the rest.\n"
				   "\n"
				   "Example:\n"
				   "  shardlift metadata migrate --from /backups#nightly --to "
				   "https://search.example:9200 --replicas 1",
		},
	.fields_size = sizeof(struct metadata_fields),
	.run = migrate,
};
