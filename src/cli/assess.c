/* assess */
#include "cli/assess_report.h"
#include "cli/command.h"
#include "cli/metadata_source.h"

#include "base/small_file.h"
#include "cluster/cluster_version.h"
#include "metadata/assess.h"

#include <errno.h>
#include <stdlib.h>

#define LIMIT_PAGE MIB(64)
#define VERSION_MAX 100

struct assess_fields {
	struct general_fields general;
	struct repository_fields repository;
	struct source_fields source;
	struct target_fields target;
	struct selection_fields selection;
	struct opt_list traffic, queries;
	const char *target_version, *report, *multi_type, *on_unsupported;
};

#define ASSESS(member) OPT_FIELD(struct assess_fields, member), .category = "Assessment"

static const struct opt assess_options[] = {
	{.name = "target-version",
	 .type = OPT_STRING,
	 ASSESS(target_version),
	 .metavar = "VERSION",
	 .help = "What the target will be, such as \"OS 2.19\" or \"ES 8.15\", where there is none "
		 "to ask yet."},
	{.name = "traffic",
	 .type = OPT_LIST,
	 ASSESS(traffic),
	 .metavar = "FILE",
	 .help = "Requests of clients, one a line: JSON objects with method, path, headers and "
		 "body, or an access log."},
	{.name = "queries",
	 .type = OPT_LIST,
	 ASSESS(queries),
	 .metavar = "FILE",
	 .help = "Bodies of searches: JSON objects, or \"GET /index/_search\" with the body "
		 "below."},
	{.name = "report",
	 .type = OPT_STRING,
	 ASSESS(report),
	 .metavar = "html=FILE",
	 .help = "Write the assessment as one HTML page, too."},
	{.name = "multi-type-behavior",
	 .type = OPT_CHOICE,
	 ASSESS(multi_type),
	 .choices = "UNION|SPLIT|NONE",
	 .fallback = "UNION",
	 .help = "What will be done with indices of several mapping types, as in metadata "
		 "migrate."},
	{.name = "on-unsupported",
	 .type = OPT_CHOICE,
	 ASSESS(on_unsupported),
	 .choices = "block|disable",
	 .fallback = "block",
	 .help = "What will be done with fields that the target has nothing for, as in metadata "
		 "migrate."},
	{0},
};

struct assessing {
	struct assess_fields *fields;
	struct arena *mem;
	struct metadata_source source;
	struct cluster *target;
	struct metadata_set set;
	struct assessment assessment;
	struct assess_facts facts;
	struct cluster_version target_version;
	const char *page; /* of --report; NULL: none */
};

static void assessing_release(struct assessing *s)
{
	assessment_release(&s->assessment);
	metadata_set_release(&s->set);
	cluster_close(s->target);
	metadata_source_release(&s->source);
}

static int check_report(struct assessing *s, struct err *err)
{
	const char *report = s->fields->report;

	if (!report)
		return 0;
	if (strncmp(report, "html=", 5) != 0 || !report[5])
		return err_set(err, ERR_USAGE, "--report '%s': write html=FILE", report);
	s->page = report + 5;
	return 0;
}

static int find_target(struct assessing *s, struct err *err)
{
	struct assess_fields *f = s->fields;
	enum target_kind kind;
	const char *path;
	char text[VERSION_MAX];

	if (f->target_version && (f->target.to || f->target.host))
		return err_set(err, ERR_USAGE, "give either --to or --target-version");
	if (!f->target_version && !f->target.to && !f->target.host)
		return err_set(err, ERR_USAGE,
			       "where to? Give --to URL, or --target-version \"OS 2.19\"");
	if (f->target_version) {
		if (assess_parse_version(f->target_version, &s->target_version, err) < 0)
			return err_wrap(err, "--target-version");
	} else {
		if (target_fields_resolve(&f->target, &kind, &path, err) < 0)
			return -(int)err->kind;
		if (kind != TARGET_CLUSTER)
			return err_set(err, ERR_USAGE,
				       "--to '%s' is no cluster; give its URL, or "
				       "--target-version",
				       f->target.host);
		if (target_connect(&f->target, &s->target, err) < 0)
			return -(int)err->kind;
		s->target_version = *cluster_version(s->target);
	}
	cluster_version_print(&s->target_version, text, sizeof(text));
	s->facts.target = arena_str(s->mem, str_from(text));
	return 0;
}

static int read_source(struct assessing *s, struct err *err)
{
	static const struct metadata_read_options everything = {0};
	struct assess_fields *f = s->fields;
	int rc = metadata_source_read(&s->source, &f->source, &f->repository, &f->selection,
				      &everything, s->mem, &s->set, err);

	s->facts.source = s->source.name;
	return rc;
}

static int assess(struct assessing *s, struct err *err)
{
	const struct assess_fields *f = s->fields;
	const struct rule_options options = {
		.target = s->target_version,
		.multi_type = strcmp(f->multi_type, "SPLIT") == 0  ? MULTI_TYPE_SPLIT
			      : strcmp(f->multi_type, "NONE") == 0 ? MULTI_TYPE_NONE
								   : MULTI_TYPE_UNION,
		.on_unsupported = strcmp(f->on_unsupported, "disable") == 0 ? UNSUPPORTED_DISABLE
									    : UNSUPPORTED_BLOCK,
		.replicas = -1,
	};

	return assess_metadata(&s->assessment, &s->set, &options, err);
}

static int read_lines(struct assessing *s, FILE *file, const char *path, struct err *err)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int rc = 0;

	while (rc == 0 && (length = getline(&line, &size, file)) >= 0)
		rc = assess_request_line(&s->assessment, str_of(line, (size_t)length), err);
	free(line);
	if (rc < 0)
		return err_wrap(err, "%s", path);
	if (ferror(file))
		return err_set_errno(err, ERR_IO, errno, "reading %s", path);
	return assess_request_end(&s->assessment, err);
}

static int read_requests(struct assessing *s, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	int rc;

	if (!file)
		return err_set_errno(err, ERR_IO, errno, "opening %s", path);
	rc = read_lines(s, file, path, err);
	fclose(file);
	return rc;
}

static int read_all_requests(struct assessing *s, struct err *err)
{
	const struct opt_list *lists[] = {&s->fields->traffic, &s->fields->queries};

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (size_t j = 0; j < lists[i]->count; j++) {
			s->facts.looked_at_requests = true;
			if (read_requests(s, lists[i]->items[j], err) < 0)
				return -(int)err->kind;
		}
	return 0;
}

static int write_page(struct assessing *s, struct err *err)
{
	cleanup(buf_release) struct buf page = BUF_INIT(LIMIT_PAGE);

	if (!s->page)
		return 0;
	assess_report_html(&s->assessment, &s->facts, &page);
	if (buf_check(&page, "the page", err) < 0)
		return -(int)err->kind;
	return small_file_replace(s->page, buf_str(&page), err);
}

static int run_assess(struct cli *cli, void *fields, struct err *err)
{
	struct assess_fields *f = fields;
	cleanup(assessing_release) struct assessing s = {.fields = f, .mem = cli->mem};

	metadata_set_init(&s.set);
	if (check_report(&s, err) < 0 || find_target(&s, err) < 0 || read_source(&s, err) < 0 ||
	    assess(&s, err) < 0 || read_all_requests(&s, err) < 0 || write_page(&s, err) < 0)
		return -(int)err->kind;
	if (!f->general.json)
		assess_report_print(&s.assessment, &s.facts, stdout);
	else if (assess_report_print_json(&s.assessment, &s.facts, stdout, err) < 0)
		return -(int)err->kind;
	return assess_count(&s.assessment, ASSESS_BLOCK) ? EXIT_CODE_BLOCKED : EXIT_CODE_OK;
}

static const struct opt_part parts[] = {
	{repository_options, offsetof(struct assess_fields, repository)},
	{store_options, offsetof(struct assess_fields, repository.store)},
	{source_options, offsetof(struct assess_fields, source)},
	{target_options, offsetof(struct assess_fields, target)},
	{assess_options, 0},
	{selection_options, offsetof(struct assess_fields, selection)},
	{general_options, offsetof(struct assess_fields, general)},
	{0},
};

const struct command command_assess = {
	.options =
		{
			.name = "assess",
			.summary = "Tell what a move to another version breaks, and who must act",
			.parts = parts,
			.details =
				"Exits with 4 when something blocks the move.\n"
				"\n"
				"Examples:\n"
				"  shardlift assess --from /backups#nightly --target-version \"OS "
				"2.19\"\n"
				"  shardlift assess --from https://old:9200 --to https://new:9200 "
				"--traffic access.log --report html=assessment.html",
		},
	.fields_size = sizeof(struct assess_fields),
	.run = run_assess,
};
