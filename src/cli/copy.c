#include "cli/transfer.h"

#include "base/json.h"
#include "cli/index_pattern.h"

struct copy_fields {
	struct general_fields general;
	struct repository_fields repository; /* takes --from on its way to the source */
	struct source_fields source;
	struct target_fields target;
	struct copy_selection_fields {
		const char *from;
		struct opt_list include, include_system;
		const char *query;
		bool allow_writes, plan;
		const char *mode;
	} copy;
	struct input_fields input;
	struct remote_fields remote;
	struct transfer_fields transfer;
	struct allowed_fields allowed;
	struct metrics_fields metrics;
	struct document_transform_fields transform;
	struct care_fields care;
	struct work_fields work;
	struct create_fields create;
};

#define DOCUMENTS(member) OPT_FIELD(struct copy_selection_fields, member), .category = "Documents"

static const struct opt copy_options[] = {
	{.name = "from",
	 .type = OPT_STRING,
	 OPT_FIELD(struct copy_selection_fields, from),
	 .category = "Source cluster",
	 .metavar = "URL|file:PATH",
	 .help = "The URL of a cluster (short for --source-host), or files of documents: NDJSON or "
		 "bulk bodies, elasticdump's too, gzip or zstd or neither; a folder is read in the "
		 "order of its names, file:- is standard input."},
	{.name = "include",
	 .type = OPT_LIST,
	 DOCUMENTS(include),
	 .metavar = "PATTERN",
	 .help = "Indices to copy: names, in which * stands for anything. Beside "
		 "--index-allowlist."},
	{.name = "include-system",
	 .type = OPT_LIST,
	 DOCUMENTS(include_system),
	 .metavar = "NAME",
	 .help = "Indices of products, such as .kibana_1, which are not copied unless they are "
		 "named here: with those of --include, or alone."},
	{.name = "mode",
	 .type = OPT_CHOICE,
	 DOCUMENTS(mode),
	 .choices = "pull|remote-reindex",
	 .fallback = "pull",
	 .help = "pull: documents go through here. remote-reindex: the target reads them from the "
		 "source itself, which its allowlist must permit."},
	{.name = "query",
	 .type = OPT_STRING,
	 DOCUMENTS(query),
	 .metavar = "JSON",
	 .help = "A query clause; only documents that fulfil it are copied."},
	{.name = "plan",
	 .type = OPT_BOOL,
	 DOCUMENTS(plan),
	 .help = "Tell what would be copied and created, and do nothing: neither source nor target "
		 "is sent anything but questions."},
	{.name = "allow-writes",
	 .type = OPT_BOOL,
	 DOCUMENTS(allow_writes),
	 .help = "Do not look whether the source is written to meanwhile. Without it, an index "
		 "that was does not agree."},
	{0},
};

static int add_patterns(struct copy_fields *f, struct arena *mem, struct err *err)
{
	struct opt_list *allowlist = &f->transfer.index_allowlist;
	const struct opt_list *system = &f->copy.include_system;
	size_t given = allowlist->count, named = given + f->copy.include.count;
	size_t count = named + system->count;
	const char **items = arena_zalloc(mem, count + 1, sizeof(*items));

	for (size_t i = 0; items && i < count; i++) {
		if (i < named)
			items[i] = i < given ? allowlist->items[i]
					     : index_pattern_entry(f->copy.include.items[i - given],
								   mem);
		else
			items[i] = system->items[i - named];
		if (!items[i])
			return err_set(err, ERR_USAGE, "--include: a pattern is too long");
	}
	if (!items)
		return arena_fail(mem, "--include", err);
	*allowlist = (struct opt_list){.items = items, .count = count};
	return 0;
}

static int check_query(const char *query, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(4));
	struct json *parsed;

	if (!query)
		return 0;
	if (json_parse(str_from(query), &mem, &parsed, err) < 0)
		return err_wrap(err, "--query");
	return parsed->type == JSON_OBJECT
		       ? 0
		       : err_set(err, ERR_USAGE, "--query: a query clause is a JSON object");
}

static int resolve_files(struct copy_fields *f, struct err *err)
{
	if (f->copy.include.count || f->copy.include_system.count || f->copy.query ||
	    f->copy.allow_writes || f->copy.plan || strcmp(f->copy.mode, "pull") != 0 ||
	    f->transfer.index_allowlist.count || f->transfer.renames.count || f->transfer.digest)
		return err_set(err, ERR_USAGE,
			       "--from file: does not go with --include, --index-allowlist, "
			       "--rename, --query, --plan, --mode, --allow-writes and --digest: "
			       "name one index with --index, or use a transform");
	f->repository.repo_uri = f->copy.from;
	return 0;
}

static int resolve(struct copy_fields *f, struct arena *mem, struct err *err)
{
	enum source_origin origin;

	f->input.path = input_path(f->copy.from);
	if (input_fields_check(&f->input, err) < 0)
		return -(int)err->kind;
	if (f->input.path)
		return resolve_files(f, err);
	f->repository.from = f->copy.from;
	if (source_fields_resolve(&f->source, &f->repository, &origin, mem, err) < 0)
		return -(int)err->kind;
	if (origin != SOURCE_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "--from '%s' is no URL of a cluster; a snapshot is moved by "
			       "`shardlift migrate`, or into files by `shardlift backfill`",
			       f->copy.from ? f->copy.from : "");
	if (f->transfer.digest)
		return err_set(err, ERR_USAGE,
			       "--digest is of a snapshot; compare live clusters with `shardlift "
			       "verify --from URL --to URL`");
	f->repository.repo_uri = public_url(f->source.host, mem);
	if (check_query(f->copy.query, err) < 0)
		return -(int)err->kind;
	return add_patterns(f, mem, err);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct copy_fields *f = fields;
	struct transfer_request request = {
		.command = "copy",
		.general = &f->general,
		.repository = &f->repository,
		.source = &f->source,
		.query = f->copy.query,
		.plan = f->copy.plan,
		.system = &f->copy.include_system,
		.allow_writes = f->copy.allow_writes,
		.remote = strcmp(f->copy.mode, "pull") == 0 ? NULL : &f->remote,
		.target = &f->target,
		.transfer = &f->transfer,
		.allowed = &f->allowed,
		.metrics = &f->metrics,
		.transform = &f->transform,
		.care = &f->care,
		.work = &f->work,
		.create = &f->create,
	};

	if (resolve(f, cli->mem, err) < 0)
		return -(int)err->kind;
	if (f->input.path) {
		request.source = NULL;
		request.create = NULL;
		request.input = &f->input;
	}
	return transfer_run(&request, cli, err);
}

static const struct opt_part parts[] = {
	{copy_options, offsetof(struct copy_fields, copy)},
	{input_options, offsetof(struct copy_fields, input)},
	{remote_options, offsetof(struct copy_fields, remote)},
	{source_options, offsetof(struct copy_fields, source)},
	{target_options, offsetof(struct copy_fields, target)},
	{creation_options, offsetof(struct copy_fields, create.creation)},
	{create_options, offsetof(struct copy_fields, create)},
	{transfer_options, offsetof(struct copy_fields, transfer)},
	{failed_store_options, offsetof(struct copy_fields, transfer.failed.store)},
	{failed_keep_options, offsetof(struct copy_fields, transfer.failed)},
	{allowed_options, offsetof(struct copy_fields, allowed)},
	{metrics_options, offsetof(struct copy_fields, metrics)},
	{transformer_options, offsetof(struct copy_fields, create.transformer)},
	{doc_transformer_options, offsetof(struct copy_fields, transform.transformer)},
	{transform_run_options, offsetof(struct copy_fields, transform.run)},
	{care_options, offsetof(struct copy_fields, care)},
	{work_options, offsetof(struct copy_fields, work)},
	{coordinator_options, offsetof(struct copy_fields, work.coordinator)},
	{general_options, offsetof(struct copy_fields, general)},
	{0},
};

const struct command command_copy = {
	.options =
		{
			.name = "copy",
			.summary = "Copy indices out of a live cluster into another one",
			.parts = parts,
			.details =
				"Indices are created as `shardlift migrate` does, then their "
				"documents are read from the source by searches, shard by shard, "
				"and sent under their ids and routing. The same command again goes "
				"on where one was stopped: after the last sequence number on "
				"Elasticsearch 6 and later and OpenSearch, with the whole shard on "
				"older versions. What is written to the source or deleted there "
				"meanwhile may be missed: stop writers first (docs/copy.md).\n"
				"\n"
				"Example:\n"
				"  shardlift copy --from https://old:9200 --to https://new:9200 "
				"--include 'logs-*'",
		},
	.fields_size = sizeof(struct copy_fields),
	.run = run,
};
