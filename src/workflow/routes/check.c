#include "workflow/routes/check.h"

#include "base/clock.h"
#include "workflow/routes/check_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define LARGEST_SKEW_MS 15000 /* leases and signatures bear no more */

const char *check_outcome_name(enum check_outcome outcome)
{
	static const char *const names[] = {[CHECK_OK] = "ok",
					    [CHECK_WARNING] = "warning",
					    [CHECK_FAILED] = "failed",
					    [CHECK_SKIPPED] = "skipped"};

	return names[outcome];
}

struct check_row *check_add(struct check_report *report, const char *side, const char *name,
			    enum check_outcome outcome)
{
	static struct check_row surplus;
	struct check_row *row =
		report->count < CHECK_ROWS_MAX ? &report->rows[report->count++] : &surplus;

	*row = (struct check_row){.side = side, .name = name, .outcome = outcome};
	return row;
}

void check_say(struct check_report *report, struct str *field, const char *fmt, ...)
{
	char text[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*field = arena_str(report->mem, str_from(text));
}

struct str check_bytes(struct check_report *report, uint64_t bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
	double amount = (double)bytes;
	size_t unit = 0;

	while (amount >= 1000 && unit + 1 < COUNT_OF(units)) {
		amount /= 1000;
		unit++;
	}
	return arena_printf(report->mem, unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
}

struct json *check_ask(struct check_report *report, const char *side, const char *name,
		       struct cluster *cluster, const char *method, const char *path,
		       struct str body)
{
	struct json *answer = NULL;
	struct check_row *row;
	struct err err = {0};
	int status = 0;

	if (cluster_request(cluster, method, path, body, true, report->mem, &status, &answer,
			    &err) == 0) {
		if (status == 200)
			return answer;
		if (status == 400 || status == 404 || status == 405)
			return NULL;
		err_set(&err, ERR_HTTP, "%s %s: status %d", method, path, status);
	}
	row = check_add(report, side, name, CHECK_SKIPPED);
	check_say(report, &row->detail, "%s", err.message);
	return NULL;
}

static void check_health(struct check_report *report, const char *side, struct cluster *cluster)
{
	struct json *health =
		check_ask(report, side, "health", cluster, "GET", "/_cluster/health", STR_NONE);
	struct str status = json_string(json_get(health, "status"));
	bool red = str_is(status, "red"), source = strcmp(side, "source") == 0;
	struct check_row *row;

	if (!health)
		return;
	row = check_add(report, side, "health",
			!red     ? CHECK_OK
			: source ? CHECK_WARNING
				 : CHECK_FAILED);
	check_say(report, &row->detail, STR_FMT ", %" PRId64 " nodes with data", STR_ARG(status),
		  json_i64_or(json_get(health, "number_of_data_nodes"), 0));
	if (red && source)
		check_say(report, &row->next,
			  "some shards are missing, and so would their documents be: see "
			  "_cluster/allocation/explain");
	else if (red)
		check_say(report, &row->next,
			  "writes to missing shards wait: see _cluster/allocation/explain");
}

static void check_clock(struct check_report *report, const char *side, struct cluster *cluster)
{
	int64_t before_ms = clock_wall_ms(), after_ms, theirs_ms, skew_ms = 0;
	struct json *answer = check_ask(report, side, "clock", cluster, "GET",
					"/_cat/health?format=json&h=epoch", STR_NONE);
	struct check_row *row;

	after_ms = clock_wall_ms();
	theirs_ms = json_i64_or(json_get(answer ? answer->first : NULL, "epoch"), 0) * 1000;
	if (!theirs_ms)
		return;
	/* It is told in whole seconds. */
	if (theirs_ms + 999 < before_ms)
		skew_ms = before_ms - theirs_ms - 999;
	else if (theirs_ms > after_ms)
		skew_ms = theirs_ms - after_ms;
	row = check_add(report, side, "clock", skew_ms > LARGEST_SKEW_MS ? CHECK_FAILED : CHECK_OK);
	if (skew_ms <= LARGEST_SKEW_MS) {
		check_say(report, &row->detail, "agrees with this machine's");
		return;
	}
	check_say(report, &row->detail, "%" PRId64 " seconds %s this machine's", skew_ms / 1000,
		  theirs_ms > after_ms ? "ahead of" : "behind");
	check_say(report, &row->next, "set both by NTP: leases and signatures bear %d seconds",
		  LARGEST_SKEW_MS / 1000);
}

static void check_cluster(struct check_report *report, const char *side, struct cluster *cluster)
{
	struct check_row *row = check_add(report, side, "connection", CHECK_OK);

	check_say(report, &row->detail, "%s%s", cluster_version_text(cluster),
		  cluster_version(cluster)->compatibility_mode ? ", which calls itself 7.10.2"
							       : "");
	/* A collection has neither health nor nodes. */
	if (!cluster_version(cluster)->serverless) {
		check_health(report, side, cluster);
		check_clock(report, side, cluster);
	}
	check_permissions(report, side, cluster);
}

void check_source(struct check_report *report, struct cluster *source)
{
	check_cluster(report, "source", source);
}

void check_target(struct check_report *report, struct cluster *target)
{
	check_cluster(report, "target", target);
	if (!cluster_version(target)->serverless)
		check_zones(report, target);
}

int check_exit_code(const struct check_report *report)
{
	int code = EXIT_CODE_OK;

	for (size_t i = 0; i < report->count; i++) {
		const struct check_row *row = &report->rows[i];
		struct err err = {.kind = row->kind};

		if (row->outcome == CHECK_FAILED && row->kind != ERR_NONE)
			return (int)err_exit_code(&err);
		if (row->outcome == CHECK_FAILED)
			code = EXIT_CODE_BLOCKED;
	}
	return code;
}
