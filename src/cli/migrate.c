#include "cli/transfer.h"

struct migrate_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct target_fields target;
	struct transfer_fields transfer;
	struct allowed_fields allowed;
	struct metrics_fields metrics;
	struct document_transform_fields transform;
	struct care_fields care;
	struct work_fields work;
	bool plan;
	struct create_fields create;
};

static const struct opt migrate_options[] = {
	{.name = "plan",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct migrate_fields, plan),
	 .category = "Documents",
	 .help = "Tell what would be moved, and do nothing: the target is sent nothing but "
		 "questions."},
	{0},
};

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct migrate_fields *f = fields;
	const struct transfer_request request = {
		.command = "migrate",
		.general = &f->general,
		.repository = &f->repository,
		.plan = f->plan,
		.target = &f->target,
		.transfer = &f->transfer,
		.allowed = &f->allowed,
		.metrics = &f->metrics,
		.transform = &f->transform,
		.care = &f->care,
		.work = &f->work,
		.create = &f->create,
	};

	return transfer_run(&request, cli, err);
}

static const struct opt_part parts[] = {
	{migrate_options, 0},
	{repository_options, offsetof(struct migrate_fields, repository)},
	{store_options, offsetof(struct migrate_fields, repository.store)},
	{target_options, offsetof(struct migrate_fields, target)},
	{creation_options, offsetof(struct migrate_fields, create.creation)},
	{create_options, offsetof(struct migrate_fields, create)},
	{transfer_options, offsetof(struct migrate_fields, transfer)},
	{failed_store_options, offsetof(struct migrate_fields, transfer.failed.store)},
	{failed_keep_options, offsetof(struct migrate_fields, transfer.failed)},
	{allowed_options, offsetof(struct migrate_fields, allowed)},
	{metrics_options, offsetof(struct migrate_fields, metrics)},
	{transformer_options, offsetof(struct migrate_fields, create.transformer)},
	{doc_transformer_options, offsetof(struct migrate_fields, transform.transformer)},
	{transform_run_options, offsetof(struct migrate_fields, transform.run)},
	{care_options, offsetof(struct migrate_fields, care)},
	{work_options, offsetof(struct migrate_fields, work)},
	{coordinator_options, offsetof(struct migrate_fields, work.coordinator)},
	{general_options, offsetof(struct migrate_fields, general)},
	{0},
};

const struct command command_migrate = {
	.options =
		{
			.name = "migrate",
			.summary = "Move a snapshot's indices into a cluster and prove the counts",
			.parts = parts,
			.details =
				"Indices are created with their mappings, settings and aliases, as "
				"`shardlift metadata migrate` does, and so is what else the "
				"snapshot knows: templates, pipelines, scripts. What the target "
				"has "
				"no place for is left out and told; `shardlift metadata evaluate` "
				"tells it before. Then every "
				"live document is sent under its id and routing. At the end a "
				"table shows for each index the documents in the snapshot, on the "
				"target, and failed.\n"
				"\n"
				"Exit codes: 0 all indices agree; 1 documents failed, an index was "
				"refused or does not agree; 5 an index could not be read; 8 "
				"interrupted.\n"
				"\n"
				"Example:\n"
				"  shardlift migrate --repo-uri /backups --snapshot-name nightly "
				"--target-host https://search:9200 --target-username admin",
		},
	.fields_size = sizeof(struct migrate_fields),
	.run = run,
};
