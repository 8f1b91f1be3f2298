#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/metadata_source.h"
#include "cli/progress_bar.h"
#include "cli/transfer_session.h"
#include "cli/transform_options.h"
#include "cli/verify_html.h"
#include "cli/verify_report.h"

#include "backfill/source_digest_file.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/processors.h"
#include "base/state_dir.h"
#include "metadata/index_filter.h"
#include "metadata/index_renames.h"
#include "verify/transformed_side.h"

#include <pthread.h>
#include <stdlib.h>

struct verify_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct source_fields source;
	struct target_fields target;
	struct opt_list index_allowlist, renames;
	int64_t threads, max_named, max_looked;
	const char *sample, *query, *progress, *report, *digest_from;
	int64_t page_bytes, documents_per_second;
	bool without_ids;
	struct transformer_fields transformer;
	struct transform_run_fields transform_run;
};

#define VERIFY(member) OPT_FIELD(struct verify_fields, member), .category = "Comparison"

static const struct opt verify_options[] = {
	{.name = "index-allowlist",
	 .type = OPT_LIST,
	 VERIFY(index_allowlist),
	 .metavar = "NAME|regex:PATTERN",
	 .help = "Indices to compare, by their names on the source. Without it, all but system and "
		 "tool indices."},
	{.name = "rename",
	 .type = OPT_LIST,
	 VERIFY(renames),
	 .metavar = "FROM=TO",
	 .help = "The index FROM of the source is called TO on the target. FROM is a name, or "
		 "regex: and a pattern for the whole name, whose groups TO takes up as $1."},
	{.name = "sample",
	 .type = OPT_STRING,
	 VERIFY(sample),
	 .metavar = "PERCENT",
	 .fallback = "100%",
	 .help = "Compare this part of the ids, the same on both sides: 1%."},
	{.name = "query",
	 .type = OPT_STRING,
	 VERIFY(query),
	 .metavar = "JSON",
	 .help = "A query clause; of live clusters only documents that fulfil it are compared."},
	{.name = "ignore-ids",
	 .type = OPT_BOOL,
	 VERIFY(without_ids),
	 .help = "The target made its own ids: compare contents alone. What differs is counted, "
		 "not "
		 "named."},
	{.name = "digest-from",
	 .type = OPT_STRING,
	 VERIFY(digest_from),
	 .metavar = "FOLDER|SESSION",
	 .help = "Take the snapshot's side from the digests that a session of migrate or backfill "
		 "took with --digest; it is read only where something differs."},
	{.name = "threads",
	 .type = OPT_INT,
	 VERIFY(threads),
	 .min = 1,
	 .max = 256,
	 .help = "Shards read at once; without it one for each processor."},
	{.name = "max-named",
	 .type = OPT_INT,
	 VERIFY(max_named),
	 .fallback = "1000",
	 .min = 0,
	 .max = 10000000,
	 .help = "Documents named for an index, at most."},
	{.name = "max-looked-at",
	 .type = OPT_INT,
	 VERIFY(max_looked),
	 .fallback = "1000000",
	 .min = 1,
	 .max = 1000000000,
	 .help = "Documents held in memory (about 150 bytes each) to name those that differ. Where "
		 "more would be needed, the report says that it counted in part."},
	{.name = "max-docs-per-second",
	 .type = OPT_INT,
	 VERIFY(documents_per_second),
	 .min = 1,
	 .max = 1000000000,
	 .help = "Documents read of each live cluster in a second, at most."},
	{.name = "page-size",
	 .type = OPT_BYTES,
	 VERIFY(page_bytes),
	 .fallback = "8MiB",
	 .min = 1024,
	 .max = (int64_t)1 << 30,
	 .help = "Bytes aimed at for one answer of a live cluster; each thread holds one."},
	{.name = "progress",
	 .type = OPT_CHOICE,
	 VERIFY(progress),
	 .choices = "auto|always|never",
	 .fallback = "auto",
	 .help = "A bar on standard error, of the reading that goes on: auto draws it on a "
		 "terminal "
		 "and logs a line every ten seconds elsewhere; always prints it line by line "
		 "elsewhere."},
	{.name = "report",
	 .type = OPT_STRING,
	 VERIFY(report),
	 .metavar = "html=FILE",
	 .help = "Writes the report into a file too, as one page that needs nothing else."},
	{0},
};

/* All that is open. */
struct verifying {
	struct verify_fields *fields;
	struct arena *mem;
	struct snapshot_source snapshots[2];
	struct cluster *clusters[2];
	const char *names[2];
	struct verify_side *sides[2];
	struct verify_side *transformed; /* what is compared in place of the source; or NULL */
	struct str transformer;
	struct verify_transformed_counts counts;
	const struct verify_made_index *made; /* of the pairs, where there is a transform */
	struct index_filter *filter;
	struct index_renames *renames;
	struct verify_pair *pairs;
	size_t pair_count;
	const char *digest_folder; /* NULL: none */
};

static void verifying_release(struct verifying *v)
{
	index_filter_free(v->filter);
	index_renames_free(v->renames);
	verify_side_close(v->transformed);
	for (int side = 0; side < 2; side++) {
		verify_side_close(v->sides[side]);
		cluster_close(v->clusters[side]);
		snapshot_source_release(&v->snapshots[side]);
	}
}

static int open_snapshot(struct verifying *v, int side, const struct repository_fields *fields,
			 struct err *err)
{
	struct snapshot_source *source = &v->snapshots[side];

	if (snapshot_source_open(source, fields, err) < 0 ||
	    snapshot_check_complete(source->snapshot, false, err) < 0)
		return -(int)err->kind;
	v->names[side] = arena_printf(v->mem, "%s#%s", fields->repo_uri, fields->snapshot_name).ptr;
	if (!v->names[side])
		return arena_fail(v->mem, "a name", err);
	v->sides[side] = verify_side_of_snapshot(source->snapshot, v->names[side]);
	return 0;
}

static struct verify_side *cluster_side(const struct verifying *v, int side)
{
	const struct verify_cluster_options options = {
		.query = str_from(v->fields->query),
		.page_bytes = v->fields->page_bytes,
		.documents_per_second = v->fields->documents_per_second,
	};

	return verify_side_of_cluster(v->clusters[side], v->names[side], &options);
}

static int open_source(struct verifying *v, struct err *err)
{
	struct verify_fields *f = v->fields;
	enum source_origin origin;

	if (source_fields_resolve(&f->source, &f->repository, &origin, v->mem, err) < 0)
		return -(int)err->kind;
	if (origin == SOURCE_SNAPSHOT)
		return open_snapshot(v, 0, &f->repository, err);
	v->names[0] = public_url(f->source.host, v->mem);
	if (source_connect(&f->source, &v->clusters[0], err) < 0)
		return -(int)err->kind;
	v->sides[0] = cluster_side(v, 0);
	return 0;
}

static int open_target(struct verifying *v, struct err *err)
{
	struct verify_fields *f = v->fields;
	struct repository_fields repository = {.from = f->target.to};
	enum target_kind kind;
	const char *path;

	if (f->target.to && strchr(f->target.to, '#')) {
		if (repository_fields_resolve(&repository, true, v->mem, err) < 0)
			return -(int)err->kind;
		return open_snapshot(v, 1, &repository, err);
	}
	if (target_fields_resolve(&f->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "--to '%s': a comparison is with a cluster (URL) or a snapshot "
			       "(REPO-URI#SNAPSHOT)",
			       f->target.host);
	v->names[1] = public_url(f->target.host, v->mem);
	if (target_connect(&f->target, &v->clusters[1], err) < 0)
		return -(int)err->kind;
	v->sides[1] = cluster_side(v, 1);
	return 0;
}

static bool is_named(const struct str *names, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* An index that was asked for by its name and is not there is told of, not passed over. */
static void add_absent(struct verifying *v, const struct str *names, size_t count)
{
	for (size_t i = 0; i < index_filter_entry_count(v->filter); i++) {
		struct str entry = str_from(index_filter_entry(v->filter, i));

		if (!str_starts(entry, STR("regex:")) && !is_named(names, count, entry))
			v->pairs[v->pair_count++] = (struct verify_pair){entry, entry};
	}
}

static int rename_pairs(struct verifying *v, struct err *err)
{
	struct str *names = arena_zalloc(v->mem, v->pair_count + 1, sizeof(*names)), *targets;

	if (!names)
		return arena_fail(v->mem, "--rename", err);
	for (size_t i = 0; i < v->pair_count; i++)
		names[i] = v->pairs[i].source_index;
	if (index_renames_apply(v->renames, names, v->pair_count, v->mem, &targets, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < v->pair_count; i++)
		v->pairs[i].target_index = targets[i];
	return 0;
}

static int choose_pairs(struct verifying *v, struct err *err)
{
	struct str *names;
	size_t count;

	if (index_renames_new(&v->fields->renames, &v->renames, err) < 0 ||
	    index_filter_new(&v->fields->index_allowlist, &v->filter, err) < 0 ||
	    v->sides[0]->ops->list(v->sides[0], v->mem, &names, &count, err) < 0)
		return -(int)err->kind;
	v->pairs = arena_zalloc(v->mem, count + index_filter_entry_count(v->filter) + 1,
				sizeof(*v->pairs));
	if (!v->pairs)
		return arena_fail(v->mem, "the indices", err);
	for (size_t i = 0; i < count; i++)
		if (index_filter_accepts(v->filter, names[i]))
			v->pairs[v->pair_count++] = (struct verify_pair){names[i], names[i]};
	add_absent(v, names, count);
	if (v->pair_count > 0)
		return rename_pairs(v, err);
	return err_set(err, ERR_USAGE,
		       "none of the %zu indices of %s is selected; name some with "
		       "--index-allowlist",
		       count, v->names[0]);
}

static int parse_sample(const char *text, double *out, struct err *err)
{
	char *end;
	double percent = strtod(text, &end);

	if (*end == '%')
		end++;
	if (*end || end == text || !(percent > 0 && percent <= 100))
		return err_set(err, ERR_USAGE,
			       "--sample '%s': a part of the ids in percent, above 0%% and at most "
			       "100%%",
			       text);
	*out = percent / 100;
	return 0;
}

/* Digests are of whole snapshots. */
static int open_digests(struct verifying *v, struct err *err)
{
	const struct verify_fields *f = v->fields;
	const char *state_dir;

	if (!f->digest_from || !*f->digest_from)
		return 0;
	if (!v->snapshots[0].snapshot || f->without_ids || f->query ||
	    strcmp(f->sample, "100%") != 0)
		return err_set(err, ERR_USAGE,
			       "--digest-from is for a whole snapshot: it does not go with a live "
			       "source, --sample, --query and --ignore-ids");
	v->digest_folder = f->digest_from;
	if (strchr(f->digest_from, '/'))
		return 0;
	if (state_dir_path(f->general.state_dir, v->mem, &state_dir, err) < 0)
		return -(int)err->kind;
	v->digest_folder = digest_folder_of(state_dir, f->digest_from, v->mem);
	return v->digest_folder ? 0 : arena_fail(v->mem, "--digest-from", err);
}

static int source_digest(void *user, struct str index, struct digest *out, struct err *err)
{
	const struct verifying *v = user;
	int rc = source_digest_file_read(v->digest_folder, v->snapshots[0].snapshot->summary.uuid,
					 index, out, err);

	if (rc == 0)
		log_info("verify", "index '" STR_FMT "' has no digest in '%s': it is read",
			 STR_ARG(index), v->digest_folder);
	return rc;
}

static int open_transform(void *user, struct transform **out, struct err *err)
{
	const struct verifying *v = user;
	const struct transform_context context =
		transform_context_of(&v->fields->transform_run, TRANSFORM_DOCUMENT);

	return transform_new(v->transformer, &context, out, err);
}

/* What is wrong with it is told before anything is read. */
static int check_transform(struct verifying *v, struct err *err)
{
	struct transform *transform;

	if (transformer_fields_read(&v->fields->transformer, v->mem, &v->transformer, err) < 0)
		return -(int)err->kind;
	if (!v->transformer.ptr)
		return 0;
	if (v->fields->digest_from && *v->fields->digest_from)
		return err_set(
			err, ERR_USAGE,
			"--digest-from is of documents as they were read; leave it out where "
			"transformers change them");
	if (open_transform(v, &transform, err) < 0)
		return -(int)err->kind;
	transform_free(transform);
	return 0;
}

/* The pairs become those of the indices that the transformers make. */
static int plan_transformed(struct verifying *v, const struct verify_options *options,
			    struct verify_progress *progress, const atomic_bool *cancel,
			    struct err *err)
{
	const struct verify_transform_options transform = {
		.open = open_transform,
		.user = v,
		.on_error = transform_error_policy_of(&v->fields->transform_run),
		.without_ids = v->fields->without_ids,
	};
	size_t count;

	v->transformed = verify_side_transformed(v->sides[0], &transform);
	if (verify_transformed_plan(v->transformed, v->pairs, v->pair_count, options, progress,
				    cancel, &v->made, &count, &v->counts, err) < 0)
		return -(int)err->kind;
	v->pairs = arena_zalloc(v->mem, count + 1, sizeof(*v->pairs));
	if (!v->pairs)
		return arena_fail(v->mem, "the indices", err);
	v->pair_count = count;
	for (size_t i = 0; i < count; i++)
		v->pairs[i] = (struct verify_pair){v->made[i].name, v->made[i].name};
	return 0;
}

static int run_comparison(struct verifying *v, const struct verify_options *options,
			  struct verify_report *report, struct err *err)
{
	struct verify_progress progress = {0};
	const atomic_bool *cancel = interrupt_catch();
	struct progress_bar *bar =
		progress_bar_start_of("verify", &progress.counters, v->fields->progress);
	int rc = 0;

	if (v->transformer.ptr)
		rc = plan_transformed(v, options, &progress, cancel, err);
	if (rc == 0)
		rc = verify_run(v->transformed ? v->transformed : v->sides[0], v->sides[1],
				v->pairs, v->pair_count, options, &progress, cancel, report, err);
	progress_bar_stop(bar);
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

static int check_usage(const struct verify_fields *f, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct json *query;

	if (f->report && (strncmp(f->report, "html=", 5) != 0 || !f->report[5]))
		return err_set(err, ERR_USAGE, "--report '%s': write html=FILE", f->report);
	if (f->query &&
	    (json_parse(str_from(f->query), &mem, &query, NULL) < 0 || query->type != JSON_OBJECT))
		return err_set(err, ERR_USAGE, "--query: it is no JSON object");
	if (f->without_ids && strcmp(f->sample, "100%") != 0)
		return err_set(err, ERR_USAGE,
			       "--sample chooses documents by their ids, which --ignore-ids says "
			       "differ; leave one of them out");
	return 0;
}

static int compare(struct verifying *v, struct err *err)
{
	const struct verify_fields *f = v->fields;
	struct verify_options options = {
		.threads = f->threads ? f->threads : processors(),
		.max_named = f->max_named,
		.max_looked = f->max_looked,
		.hash = {.without_id = f->without_ids},
		.source_digest = v->digest_folder ? source_digest : NULL,
		.source_digest_user = v,
	};
	struct verify_report report = {0};
	struct verify_facts facts = {.source = v->names[0],
				     .target = v->names[1],
				     .query = f->query,
				     .without_ids = f->without_ids};
	int64_t started = clock_monotonic_ms();
	struct err ended = {0};
	int rc, printed;

	if (parse_sample(f->sample, &options.sample, err) < 0)
		return -(int)err->kind;
	rc = run_comparison(v, &options, &report, &ended);
	facts.transformed = v->transformed ? &v->counts : NULL;
	facts.sample = options.sample;
	facts.elapsed_ms = clock_monotonic_ms() - started;
	facts.err = rc < 0 ? &ended : NULL;
	printed = print(v, &report, &facts, err);
	if (printed == 0 && rc < 0)
		*err = ended;
	rc = printed < 0 ? printed : rc;
	if (rc == 0)
		rc = report.equal ? EXIT_CODE_OK : EXIT_CODE_COMPLETED_WITH_ERRORS;
	verify_report_release(&report);
	return rc;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	cleanup(verifying_release) struct verifying v = {.fields = fields, .mem = cli->mem};

	if (check_usage(v.fields, err) < 0 || check_transform(&v, err) < 0 ||
	    open_source(&v, err) < 0 || open_target(&v, err) < 0 || choose_pairs(&v, err) < 0 ||
	    open_digests(&v, err) < 0)
		return -(int)err->kind;
	return compare(&v, err);
}

static const struct opt_part parts[] = {
	{repository_options, offsetof(struct verify_fields, repository)},
	{source_options, offsetof(struct verify_fields, source)},
	{target_options, offsetof(struct verify_fields, target)},
	{verify_options, 0},
	{doc_transformer_options, offsetof(struct verify_fields, transformer)},
	{transform_run_options, offsetof(struct verify_fields, transform_run)},
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
				"spelling of numbers. Exit code 0: equal; 1: different.\n"
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
