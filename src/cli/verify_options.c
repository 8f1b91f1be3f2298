#include "cli/verify_internal.h"

#include "cli/sourceless_options.h"
#include "cli/transfer_check.h"

#include <stdlib.h>

#define VERIFY(member) OPT_FIELD(struct verify_fields, member), .category = "Comparison"

const struct opt verify_options[] = {
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
	{.name = "only",
	 .type = OPT_LIST,
	 VERIFY(only),
	 .metavar = "documents|metadata|queries",
	 .help = "What is compared. Without it documents, mappings and settings, and queries where "
		 "some are asked for."},
	{.name = "queries",
	 .type = OPT_STRING,
	 VERIFY(queries),
	 .metavar = "FILE",
	 .help = "Searches to ask both clusters: lines of {\"index\": NAME on the source, "
		 "\"body\": "
		 "{…}}; totals and ids found must agree."},
	{.name = "generated-queries",
	 .type = OPT_INT,
	 VERIFY(generated_queries),
	 .fallback = "0",
	 .min = 0,
	 .max = 100000,
	 .help = "Make about so many queries for each index (term, range, match on values that its "
		 "documents hold). Of a snapshot, each must find its document on the target."},
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
	{.name = "enable-sourceless-migrations",
	 .type = OPT_BOOL,
	 VERIFY(sourceless),
	 .help = "Of a snapshot: compare the documents of indices that store no _source, a part of "
		 "it or a synthetic one as they are rebuilt, which is how `migrate` sends them "
		 "with the same flag. Without it such an index cannot be compared."},
	SOURCELESS_OPTIONS(VERIFY),
	{.name = "digest-from",
	 .type = OPT_STRING,
	 VERIFY(digest_from),
	 .metavar = "FOLDER|SESSION",
	 .help = "Take the snapshot's side from the digests that a session of migrate or backfill "
		 "took with --digest; it is read only where something differs."},
	{.name = "since-snapshot",
	 .type = OPT_STRING,
	 VERIFY(since),
	 .metavar = "SNAPSHOT",
	 .help = "Of a snapshot, compare only what changed since this earlier one of the same "
		 "repository: new and changed documents must be on the target, deleted ones must "
		 "not."},
	{.name = "settle",
	 .type = OPT_DURATION,
	 VERIFY(settle_ms),
	 .fallback = "0s",
	 .max = INT32_MAX,
	 .help = "For live traffic: documents that differ are read again for so long, until they "
		 "are equal. Those that were written to meanwhile and still differ are in motion, "
		 "not different, and the report counts them."},
	{.name = "restart",
	 .type = OPT_BOOL,
	 VERIFY(restart),
	 .help = "Forget what an interrupted run of the same comparison came to, and begin anew."},
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

static int choose_parts(struct verifying *v, struct err *err)
{
	static const char *const names[VERIFY_PARTS] = {"documents", "metadata", "queries"};
	const struct opt_list *only = &v->fields->only;

	for (int part = 0; part < VERIFY_PARTS; part++)
		v->parts[part] = only->count == 0;
	for (size_t i = 0; i < only->count; i++) {
		int part = 0;

		while (part < VERIFY_PARTS && strcmp(only->items[i], names[part]) != 0)
			part++;
		if (part == VERIFY_PARTS)
			return err_set(err, ERR_USAGE,
				       "--only '%s': there are documents, metadata and queries",
				       only->items[i]);
		v->parts[part] = true;
	}
	return 0;
}

static int check_scope(const struct verify_fields *f, struct err *err)
{
	bool sampled = strcmp(f->sample, "100%") != 0;
	bool digests = f->digest_from && *f->digest_from;
	bool snapshot = !f->source.host && !(f->repository.from &&
					     str_starts(str_from(f->repository.from), STR("http")));

	if (f->queries && snapshot)
		return err_set(err, ERR_USAGE,
			       "--queries asks both sides, and a snapshot cannot be asked; "
			       "--generated-queries works with one");
	if (f->since && (f->without_ids || sampled || f->query || f->settle_ms > 0 || digests))
		return err_set(err, ERR_USAGE,
			       "--since-snapshot does not go with --sample, --query, --ignore-ids, "
			       "--settle and --digest-from");
	if (transfer_check_recovery(f->sourceless, f->recovery_source, err) < 0)
		return -(int)err->kind;
	if (f->without_ids && sampled)
		return err_set(err, ERR_USAGE,
			       "--sample chooses documents by their ids, which --ignore-ids says "
			       "differ; leave one of them out");
	return 0;
}

int verify_check_usage(struct verifying *v, struct err *err)
{
	const struct verify_fields *f = v->fields;
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct json *query;

	if (f->report && (strncmp(f->report, "html=", 5) != 0 || !f->report[5]))
		return err_set(err, ERR_USAGE, "--report '%s': write html=FILE", f->report);
	if (f->query &&
	    (json_parse(str_from(f->query), &mem, &query, NULL) < 0 || query->type != JSON_OBJECT))
		return err_set(err, ERR_USAGE, "--query: it is no JSON object");
	if (check_scope(f, err) < 0 || parse_sample(f->sample, &v->sample, err) < 0)
		return -(int)err->kind;
	return choose_parts(v, err);
}
