#include "cli/workflow_log_filter.h"

#include "base/limits.h"

int workflow_log_filter_read(struct workflow_log_filter *filter, struct err *err)
{
	const struct {
		const char *label, **value;
	} known[] = {
		{"source", &filter->source},
		{"target", &filter->target},
		{"snapshot", &filter->snapshot},
		{"task", &filter->task},
		{"from-snapshot-migration", &filter->migration},
	};
	struct str prefix = str_from(filter->prefix), name, value;

	for (size_t i = 0; i < filter->labels.count; i++) {
		const char *label = filter->labels.items[i];
		bool found = false;

		if (!str_split(str_from(label), '=', &name, &value))
			return err_set(err, ERR_USAGE, "--label '%s' is not NAME=VALUE", label);
		if (prefix.len > 0 && str_starts(name, prefix))
			name = str_from_offset(name, prefix.len);
		for (size_t j = 0; j < COUNT_OF(known); j++)
			if (str_is(name, known[j].label)) {
				*known[j].value = value.ptr;
				found = true;
			}
		if (!found)
			return err_set(err, ERR_USAGE,
				       "there is no label '" STR_FMT
				       "'; source, target, snapshot, task and "
				       "from-snapshot-migration are",
				       STR_ARG(name));
	}
	return 0;
}

/* The steps that do what Migration Assistant calls by these names. */
static bool is_task(struct str step, const char *task)
{
	static const struct {
		const char *task, *step;
	} names[] = {
		{"snapshot", "createsnapshot."},
		{"snapshot", "externalsnapshot."},
		{"snapshot-import", "externalsnapshot."},
		{"metadataEvaluate", "evaluatemetadata."},
		{"metadataMigrate", "migratemetadata."},
		{"reindexFromSnapshot", "documentbackfill."},
		{"trafficReplayer", "trafficreplay."},
		{"captureProxy", "captureproxy."},
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(names[i].task, task) == 0 && str_starts(step, str_from(names[i].step)))
			return true;
	return str_starts(step, str_from(task));
}

/* Names are SOURCE-TARGET-SNAPSHOT-LABEL, SOURCE-SNAPSHOT, SOURCE-TARGET: `part` is one of their
 * parts, at the beginning, or behind a dash. */
static bool has_part(struct str name, const char *part, bool first)
{
	struct str wanted = str_from(part);

	for (size_t at = 0; at + wanted.len <= name.len; at++) {
		struct str rest = str_from_offset(name, at);

		if (first != (at == 0) || (at > 0 && name.ptr[at - 1] != '-') ||
		    !str_starts(rest, wanted))
			continue;
		if (rest.len == wanted.len || rest.ptr[wanted.len] == '-')
			return true;
	}
	return false;
}

static bool is_of(struct str step, const char *const *kinds)
{
	for (size_t i = 0; kinds[i]; i++)
		if (str_starts(step, str_from(kinds[i])))
			return true;
	return false;
}

bool workflow_log_filter_means(const struct workflow_log_filter *filter,
			       const struct workflow_step *step)
{
	static const char *const from_source[] = {
		"checkconnection.", "createsnapshot.",   "externalsnapshot.", "evaluatemetadata.",
		"migratemetadata.", "documentbackfill.", "verify.",           NULL};
	static const char *const to_target[] = {
		"checkconnection.", "evaluatemetadata.", "migratemetadata.", "documentbackfill.",
		"verify.",          "trafficreplay.",    "cutover.",         NULL};
	static const char *const of_snapshot[] = {"createsnapshot.",
						  "externalsnapshot.",
						  "evaluatemetadata.",
						  "migratemetadata.",
						  "documentbackfill.",
						  "verify.",
						  NULL};
	struct str kind, name;

	if (!str_split(step->name, '.', &kind, &name))
		name = step->name;
	if (filter->task && !is_task(step->name, filter->task))
		return false;
	if (filter->source &&
	    (!is_of(step->name, from_source) || !has_part(name, filter->source, true)))
		return false;
	if (filter->target &&
	    (!is_of(step->name, to_target) || !has_part(name, filter->target, false)))
		return false;
	if (filter->snapshot &&
	    (!is_of(step->name, of_snapshot) || !has_part(name, filter->snapshot, false)))
		return false;
	return !filter->migration || (str_starts(step->resource, STR("snapshotmigration.")) &&
				      str_is(name, filter->migration));
}
