#include "cli/check_traffic.h"

#include "metadata/assess.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int read_file(struct assessment *a, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int rc = 0;

	if (!file)
		return err_set_errno(err, ERR_IO, errno, "--traffic: opening '%s'", path);
	while (rc == 0 && (length = getline(&line, &size, file)) >= 0)
		rc = assess_request_line(a, str_of(line, (size_t)length), err);
	if (rc == 0 && ferror(file))
		rc = err_set_errno(err, ERR_IO, errno, "--traffic: reading '%s'", path);
	if (rc == 0)
		rc = assess_request_end(a, err);
	free(line);
	fclose(file);
	return rc;
}

static void add_row(struct check_report *report, const struct assessment *a, struct cluster *target)
{
	struct check_agent agents[ASSESS_AGENTS_MAX];

	for (size_t i = 0; i < a->agent_count; i++)
		agents[i] = (struct check_agent){a->agents[i].name, a->agents[i].requests};
	check_agents(report, agents, a->agent_count, target);
}

int check_traffic(struct check_report *report, const struct opt_list *files, struct cluster *source,
		  struct cluster *target, struct err *err)
{
	const struct rule_options options = {.target = *cluster_version(target), .replicas = -1};
	struct assessment *a = mem_zalloc(sizeof(*a));
	struct metadata_set set;
	int rc;

	metadata_set_init(&set);
	set.version = *cluster_version(source);
	rc = assess_metadata(a, &set, &options, err);
	for (size_t i = 0; rc == 0 && i < files->count; i++)
		rc = read_file(a, files->items[i], err);
	if (rc == 0)
		add_row(report, a, target);
	assessment_release(a);
	metadata_set_release(&set);
	free(a);
	return rc;
}
