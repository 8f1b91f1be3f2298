/* Remote reindex, as a check of both sides. */
#include "cluster/reindex_api.h"
#include "workflow/routes/check_internal.h"
#include "workflow/routes/reindex_allowlist.h"

#define ADVICE_MAX KIB(64)

static struct check_row *add(struct check_report *report, enum check_outcome outcome)
{
	return check_add(report, "both", "remote reindex", outcome);
}

static bool is_accepted(const struct json *patterns, struct str address)
{
	json_each (pattern, patterns)
		if (reindex_pattern_accepts(json_string(pattern), address))
			return true;
	return false;
}

/* What to set, on one line. */
static void say_advice(struct check_report *report, struct check_row *row, struct cluster *target,
		       const struct json *patterns, struct str address, bool tls)
{
	cleanup(buf_release) struct buf text = BUF_INIT(ADVICE_MAX);

	reindex_allowlist_advice(cluster_version(target), patterns, address, tls, &text);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '\n')
			text.ptr[i] = ' ';
	check_say(report, &row->next,
		  "for `copy --mode remote-reindex` (pull needs it not): " STR_FMT,
		  STR_ARG(str_trim(buf_str(&text))));
}

void check_allowlist(struct check_report *report, struct cluster *source, struct cluster *target,
		     const char *source_url)
{
	const char *why = reindex_cannot(cluster_version(source), cluster_version(target));
	const struct json *patterns = NULL;
	struct check_row *row;
	struct str address;
	struct url url;
	struct err err = {0};

	if (why) {
		row = add(report, CHECK_WARNING);
		check_say(report, &row->detail, "%s cannot reindex from %s: %s",
			  cluster_version_text(target), cluster_version_text(source), why);
		check_say(report, &row->next, "`shardlift copy` pulls");
		return;
	}
	if (url_parse(source_url, report->mem, &url, &err) < 0 ||
	    reindex_allowlist_read(target, report->mem, &patterns, &err) < 0) {
		row = add(report, CHECK_SKIPPED);
		check_say(report, &row->detail, "%s", err.message);
		return;
	}
	address = reindex_source_address(&url, report->mem);
	if (is_accepted(patterns, address)) {
		row = add(report, CHECK_OK);
		check_say(report, &row->detail, "%s of the target accepts '" STR_FMT "'",
			  reindex_allowlist_name(cluster_version(target)), STR_ARG(address));
		return;
	}
	row = add(report, patterns ? CHECK_WARNING : CHECK_SKIPPED);
	check_say(report, &row->detail,
		  patterns ? "%s of the target does not accept '" STR_FMT "'"
			   : "this user may not see whether %s of the target accepts '" STR_FMT "'",
		  reindex_allowlist_name(cluster_version(target)), STR_ARG(address));
	say_advice(report, row, target, patterns, address, url.tls);
}
