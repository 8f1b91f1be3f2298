/* What metadata evaluate and migrate tell. */
#ifndef CLI_METADATA_REPORT_H
#define CLI_METADATA_REPORT_H

#include "metadata/metadata_item.h"

#include <stdio.h>

struct metadata_facts {
	bool plan;          /* evaluate: nothing was written */
	const char *source; /* repository or URL, without secrets */
	const char *target;
	struct str target_description; /* "Remote Cluster (OPENSEARCH 2.19.6)" */
	bool show_excluded;
	bool source_insecure, target_insecure; /* of clusters: their certificates are not checked */
	bool source_signed, target_signed;     /* for AWS */
	bool uncompressed;                     /* requests to the target */
	int code;                              /* the exit code */
	const struct err *err;                 /* why it ended early; NULL: it did not */
};

/* How many items failed or are blocked. */
size_t metadata_report_problems(const struct metadata_set *set);
void metadata_report_print(const struct metadata_set *set, const struct metadata_facts *facts,
			   FILE *out);
int metadata_report_print_json(const struct metadata_set *set, const struct metadata_facts *facts,
			       FILE *out, struct err *err);

#endif
