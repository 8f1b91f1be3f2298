#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress_bar.h"
#include "cli/progress_file.h"
#include "cli/verify_html.h"
#include "cli/verify_internal.h"
#include "cli/verify_report.h"

#include "base/clock.h"
#include "base/processors.h"
#include "base/state_dir.h"
#include "verify/since.h"

static int run_comparison(struct verifying *v, const struct verify_options *options,
			  struct verify_report *report, struct err *err)
{
	struct verify_progress progress = {0};
	const atomic_bool *cancel = interrupt_catch();
	struct progress_file *file;
	struct progress_bar *bar;
	const char *state_dir;
	int rc = 0;

	if (state_dir_path(v->fields->general.state_dir, v->mem, &state_dir, err) < 0)
		return -(int)err->kind;
	file = progress_file_start(state_dir, "verify", &progress.counters);
	bar = progress_bar_start_of("verify", &progress.counters, v->fields->progress);
	if (v->transformer.ptr)
		rc = verify_plan_transformed(v, options, &progress, cancel, err);
	if (v->previous)
		rc = verify_run_since(v->previous, v->snapshots[0].snapshot, v->sides[1], v->pairs,
				      v->pair_count, options, &progress, cancel, report, err);
	else if (rc == 0)
		rc = verify_run(v->transformed ? v->transformed : v->sides[0], v->sides[1],
				v->pairs, v->pair_count, options, &progress, cancel, report, err);
	progress_bar_stop(bar);
	progress_file_stop(file);
	for (size_t i = 0; v->made && i < report->count; i++)
		report->indices[i].source_index = v->made[i].sources;
	/* Documents that were recorded as failed are neither equal nor not. */
	if (v->counts.failed > 0 &&
	    transform_error_policy_of(&v->fields->transform_run) != TRANSFORM_ERROR_SKIP)
		report->equal = false;
	return rc;
}

static int print(const struct verifying *v, const struct verify_report *report,
		 const struct verify_facts *facts, struct err *err)
{
	int rc = v->fields->general.json ? verify_report_print_json(report, facts, stdout, err)
					 : verify_report_print(report, facts, stdout, err);

	if (rc == 0 && v->fields->report)
		rc = verify_html_write(report, facts, v->fields->report + strlen("html="), err);
	return rc;
}

/* What is compared besides documents, and whether that ended well. */
struct others {
	struct verify_findings metadata, queries;
	const char *metadata_skipped, *queries_skipped;
	bool equal;
};

static bool are_equal(const struct verify_findings *findings)
{
	return findings->different == 0 && findings->unclear == 0;
}

static int compare_others(struct verifying *v, struct others *others, struct err *err)
{
	const atomic_bool *cancel = interrupt_catch();
	int rc = 0;

	if (v->parts[VERIFY_METADATA])
		rc = verify_metadata(v, &others->metadata, &others->metadata_skipped, err);
	if (rc == 0 && verify_wants_queries(v))
		rc = verify_queries(v, cancel, &others->queries, &others->queries_skipped, err);
	others->equal = are_equal(&others->metadata) && are_equal(&others->queries);
	return rc;
}

static struct verify_facts facts_of(const struct verifying *v, const struct others *others)
{
	return (struct verify_facts){
		.source = v->names[0],
		.target = v->names[1],
		.sample = v->sample,
		.settle_ms = v->fields->settle_ms,
		.query = v->fields->query,
		.since = v->fields->since,
		.without_ids = v->fields->without_ids,
		.transformed = v->transformed ? &v->counts : NULL,
		.documents = v->parts[VERIFY_DOCUMENTS],
		.metadata = v->parts[VERIFY_METADATA] && !others->metadata_skipped
				    ? &others->metadata
				    : NULL,
		.metadata_skipped = others->metadata_skipped,
		.queries = verify_wants_queries(v) && !others->queries_skipped ? &others->queries
									       : NULL,
		.queries_skipped = others->queries_skipped,
	};
}

static int compare_all(struct verifying *v, struct others *others, struct verify_report *report,
		       struct err *err)
{
	const struct verify_fields *f = v->fields;
	struct verify_options options = {
		.threads = f->threads ? f->threads : processors(),
		.max_named = f->max_named,
		.max_looked = f->max_looked,
		.sample = v->sample,
		.settle_ms = f->settle_ms,
		.hash = {.without_id = f->without_ids},
		.source_digest = v->digest_folder ? verify_source_digest : NULL,
		.source_digest_user = v,
	};
	int rc = compare_others(v, others, err);

	if (rc == 0 && v->parts[VERIFY_DOCUMENTS])
		rc = verify_open_checkpoints(v, &options, err);
	if (rc == 0 && v->parts[VERIFY_DOCUMENTS])
		rc = run_comparison(v, &options, report, err);
	return rc;
}

static int compare(struct verifying *v, struct err *err)
{
	struct verify_report report = {0};
	struct others others = {0};
	int64_t started = clock_monotonic_ms();
	struct verify_facts facts;
	struct err ended = {0};
	int rc, printed;

	verify_findings_init(&others.metadata, (size_t)v->fields->max_named);
	verify_findings_init(&others.queries, (size_t)v->fields->max_named);
	rc = compare_all(v, &others, &report, &ended);
	facts = facts_of(v, &others);
	facts.equal = rc == 0 && others.equal && (report.equal || !facts.documents);
	facts.elapsed_ms = clock_monotonic_ms() - started;
	facts.err = rc < 0 ? &ended : NULL;
	printed = print(v, &report, &facts, err);
	if (printed == 0 && rc < 0)
		*err = ended;
	rc = printed < 0 ? printed : rc;
	if (rc == 0)
		rc = facts.equal ? EXIT_CODE_OK : EXIT_CODE_COMPLETED_WITH_ERRORS;
	verify_report_release(&report);
	verify_findings_release(&others.metadata);
	verify_findings_release(&others.queries);
	return rc;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	cleanup(verifying_release) struct verifying v = {.fields = fields, .mem = cli->mem};

	if (verify_check_usage(&v, err) < 0 || verify_check_transform(&v, err) < 0 ||
	    verify_open_sides(&v, err) < 0 || verify_choose_pairs(&v, err) < 0 ||
	    verify_open_digests(&v, err) < 0)
		return -(int)err->kind;
	return compare(&v, err);
}

static const struct opt_part parts[] = {
	{repository_options, offsetof(struct verify_fields, repository)},
	{store_options, offsetof(struct verify_fields, repository.store)},
	{source_options, offsetof(struct verify_fields, source)},
	{target_options, offsetof(struct verify_fields, target)},
	{verify_options, 0},
	{doc_transformer_options, offsetof(struct verify_fields, transformer)},
	{transform_run_options, offsetof(struct verify_fields, transform_run)},
	{creation_options, offsetof(struct verify_fields, creation)},
	{general_options, offsetof(struct verify_fields, general)},
	{0},
};

const struct command command_verify = {
	.options =
		{
			.name = "verify",
			.summary = "Prove that two sides hold the same documents, or name those "
				   "that differ",
			.parts = parts,
			.details =
				"Reads both sides whole: id, routing and everything that each "
				"_source says, but for the order of keys, white space and the "
				"spelling of numbers. Mappings and settings of the target are "
				"compared with what the metadata rules make of the source's, "
				"queries "
				"where some are given. Exit code 0: equal; 1: different.\n"
				"\n"
				"Examples:\n"
				"  shardlift verify --from /backups#nightly --to "
				"https://search.example:9200\n"
				"  shardlift verify --from https://old:9200 --to https://new:9200 "
				"--sample 1%",
		},
	.fields_size = sizeof(struct verify_fields),
	.run = run,
};
