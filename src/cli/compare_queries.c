#include "cli/command.h"
#include "cli/compare_options.h"
#include "cli/interrupt.h"
#include "cli/source_options.h"

#include "base/small_file.h"
#include "verify/query_rounds.h"

#define FILE_MAX MIB(64)

struct compare_queries_fields {
	struct general_fields general;
	struct source_fields source;
	struct target_fields target;
	struct compare_rule_fields rules;
	const char *from, *file;
	int64_t rate, rounds;
};

static struct str same_name(const void *user, struct str index)
{
	(void)user;
	return index;
}

static int read_queries(const char *path, struct verify_query_list *list, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	int rc = small_file_read(path, &text, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_IO, "--file: there is no file '%s'", path);
	rc = verify_queries_read(list, buf_str(&text), same_name, NULL, err);
	if (rc == 0 && list->count == 0)
		return err_set(err, ERR_USAGE, "--file: there is no query in '%s'", path);
	return rc;
}

static int resolve(struct compare_queries_fields *f, struct arena *mem, struct err *err)
{
	struct repository_fields none = {.from = f->from};
	enum source_origin origin;
	enum target_kind kind;
	const char *path;

	if (source_fields_resolve(&f->source, &none, &origin, mem, err) < 0 ||
	    target_fields_resolve(&f->target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (origin != SOURCE_CLUSTER || kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "queries are asked of two clusters: give --from URL and --to URL");
	return 0;
}

static int compare(struct compare_queries_fields *f, const struct verify_query_list *list,
		   struct err *err)
{
	cleanup(cluster_closep) struct cluster *source = NULL, *target = NULL;
	const struct query_rounds how = {.rounds = f->rounds, .rate = f->rate};
	struct tuple_rules rules;
	struct tuple_limits limits;
	struct compare_facts facts = {.source = "source", .target = "target", .limits = &limits};
	struct tuple_tally tally;
	int rc;

	if (compare_rules_of(&f->rules, &rules, &limits, err) < 0 ||
	    source_connect(&f->source, &source, err) < 0 ||
	    target_connect(&f->target, &target, err) < 0)
		return -(int)err->kind;
	tuple_tally_init(&tally, &rules, (size_t)f->rules.max_named);
	rc = query_rounds_run(list, (struct cluster *[2]){source, target}, &how, interrupt_catch(),
			      &tally, err);
	facts.interrupted = rc == -ERR_CANCELLED;
	if (rc == 0 || facts.interrupted)
		rc = compare_conclude(&f->rules, &tally, &facts, f->general.json, err);
	tuple_tally_release(&tally);
	return rc;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct compare_queries_fields *f = fields;
	struct verify_query_list list;
	int rc;

	verify_queries_init(&list);
	rc = resolve(f, cli->mem, err);
	if (rc == 0)
		rc = read_queries(f->file, &list, err);
	if (rc == 0)
		rc = compare(f, &list, err);
	verify_queries_release(&list);
	return rc;
}

static const struct opt options[] = {
	{.name = "file",
	 .type = OPT_STRING,
	 OPT_FIELD(struct compare_queries_fields, file),
	 .metavar = "FILE",
	 .required = true,
	 .help = "Lines of {\"index\": NAME, \"body\": {…}}: each body is sent to both as it is."},
	{.name = "rate",
	 .type = OPT_INT,
	 OPT_FIELD(struct compare_queries_fields, rate),
	 .metavar = "N",
	 .fallback = "0",
	 .min = 0,
	 .max = 100000,
	 .help = "Queries a second, each to both. 0: as fast as both answer."},
	{.name = "rounds",
	 .type = OPT_INT,
	 OPT_FIELD(struct compare_queries_fields, rounds),
	 .metavar = "N",
	 .fallback = "1",
	 .min = 1,
	 .max = 1000000,
	 .help = "How often the whole file is asked."},
	{.name = "from",
	 .type = OPT_STRING,
	 OPT_FIELD(struct compare_queries_fields, from),
	 .category = "Source cluster",
	 .metavar = "URL",
	 .help = "Short for --source-host."},
	{0},
};

static const struct opt_part parts[] = {
	{options, 0},
	{source_options, offsetof(struct compare_queries_fields, source)},
	{target_options, offsetof(struct compare_queries_fields, target)},
	{compare_rule_options, offsetof(struct compare_queries_fields, rules)},
	{general_options, offsetof(struct compare_queries_fields, general)},
	{0},
};

const struct command command_compare_queries = {
	.options = {.name = "compare queries",
		    .summary = "Ask two clusters the same, and compare answers and times",
		    .details = "One query after another goes to both, who is first taking turns; "
			       "answers are compared as those of tuples. Exit code 0: within the "
			       "limits; 1: beyond.\n",
		    .parts = parts},
	.fields_size = sizeof(struct compare_queries_fields),
	.run = run,
};
