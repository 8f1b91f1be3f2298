/* Clients that ask who answers, told by the User-Agents of their requests. */
#include "workflow/routes/check_internal.h"

#include <inttypes.h>

#define WORDS_MAX KIB(8)
#define FIRST_THAT_ASKS 7014 /* 1000 * major + minor */

/* 1000 * major + minor behind "/"; 0: none is told. */
static int version_after(struct str text, const char *name)
{
	size_t length = strlen(name);
	struct str major, minor, rest;
	uint64_t a, b;

	for (size_t i = 0; i + length < text.len; i++) {
		if (memcmp(text.ptr + i, name, length) != 0)
			continue;
		str_split(str_from_offset(text, i + length), '/', &rest, &rest);
		if (!str_split(rest, '.', &major, &rest))
			return 0;
		for (minor = rest, minor.len = 0; minor.len < rest.len &&
						  rest.ptr[minor.len] >= '0' &&
						  rest.ptr[minor.len] <= '9';)
			minor.len++;
		return str_to_u64(major, &a) && str_to_u64(minor, &b) && a < 1000 && b < 1000
			       ? (int)(1000 * a + b)
			       : 0;
	}
	return 0;
}

/* elasticsearch-py/7.17.0, go-elasticsearch/8.1.0, elastic-transport-python/8.4.0, … */
static bool asks(struct str agent)
{
	return version_after(agent, "elastic") >= FIRST_THAT_ASKS;
}

void check_agents(struct check_report *report, const struct check_agent *agents, size_t count,
		  struct cluster *target)
{
	cleanup(buf_release) struct buf text = BUF_INIT(WORDS_MAX);
	bool matters = cluster_version(target)->flavour == CLUSTER_OPENSEARCH;
	struct check_row *row;
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (!asks(agents[i].name))
			continue;
		if (found++ < 20)
			buf_printf(&text, "%s" STR_FMT " (%" PRIu64 " requests)",
				   text.len ? ", " : "", STR_ARG(agents[i].name),
				   agents[i].requests);
	}
	row = check_add(report, "both", "traffic", found > 0 && matters ? CHECK_WARNING : CHECK_OK);
	if (found == 0) {
		check_say(report, &row->detail,
			  "%zu clients are in it, and none that asks who answers", count);
		return;
	}
	check_say(report, &row->detail, "clients that ask who answers: " STR_FMT,
		  STR_ARG(buf_str(&text)));
	if (matters)
		check_say(report, &row->next,
			  "they refuse OpenSearch: take their versions up to 7.13, or OpenSearch's "
			  "clients");
}
