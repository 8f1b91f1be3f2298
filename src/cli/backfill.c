#include "cli/transfer.h"

struct backfill_fields {
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
	struct delta_fields delta;
};

static const struct opt backfill_options[] = {
	{.name = "plan",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct backfill_fields, plan),
	 .category = "Documents",
	 .help = "Tell what would be moved, and do nothing: the target is sent nothing but "
		 "questions."},
	{0},
};

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct backfill_fields *f = fields;
	const struct transfer_request request = {
		.command = "backfill",
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
		.delta = &f->delta,
	};

	return transfer_run(&request, cli, err);
}

static const struct opt_part parts[] = {
	{backfill_options, 0},
	{repository_options, offsetof(struct backfill_fields, repository)},
	{store_options, offsetof(struct backfill_fields, repository.store)},
	{target_options, offsetof(struct backfill_fields, target)},
	{transfer_options, offsetof(struct backfill_fields, transfer)},
	{delta_options, offsetof(struct backfill_fields, delta)},
	{failed_store_options, offsetof(struct backfill_fields, transfer.failed.store)},
	{failed_keep_options, offsetof(struct backfill_fields, transfer.failed)},
	{allowed_options, offsetof(struct backfill_fields, allowed)},
	{metrics_options, offsetof(struct backfill_fields, metrics)},
	{doc_transformer_options, offsetof(struct backfill_fields, transform.transformer)},
	{transform_run_options, offsetof(struct backfill_fields, transform.run)},
	{care_options, offsetof(struct backfill_fields, care)},
	{work_options, offsetof(struct backfill_fields, work)},
	{coordinator_options, offsetof(struct backfill_fields, work.coordinator)},
	{general_options, offsetof(struct backfill_fields, general)},
	{0},
};

const struct command command_backfill = {
	.options =
		{
			.name = "backfill",
			.summary = "Send a snapshot's documents to a cluster, to files or nowhere",
			.parts = parts,
			.details =
				"The indices are there already, made by hand or by migrate; a "
				"cluster makes those that are not as its templates and defaults "
				"say. Files are bulk lines and can be sent with any bulk client.\n"
				"\n"
				"Examples:\n"
				"  shardlift backfill --from /backups#nightly --to "
				"dir:/tmp/nightly "
				"--compress zstd\n"
				"  shardlift backfill --from /backups#nightly --to null:\n"
				"  shardlift backfill --from /backups#tuesday "
				"--previous-snapshot-name monday --to "
				"https://search:9200",
		},
	.fields_size = sizeof(struct backfill_fields),
	.run = run,
};
