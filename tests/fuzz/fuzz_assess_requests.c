/* Requests of clients, line by line: each is counted, or said to be none. */
#include "fuzz.h"
#include "metadata/assess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};
	const struct rule_options options = {.target = {CLUSTER_OPENSEARCH, 3, 1}, .replicas = -1};
	struct str rest = str_of(data, size), line;
	struct err err = {0};
	int rc;

	metadata_set_init(&set);
	set.version = (struct cluster_version){CLUSTER_ELASTICSEARCH, 1, 7, 6};
	rc = assess_metadata(&a, &set, &options, &err);
	while (rc == 0 && rest.len > 0) {
		struct str tail = STR_NONE;

		str_split(rest, '\n', &line, &tail);
		rest = tail;
		rc = assess_request_line(&a, line, &err);
	}
	if (rc == 0)
		rc = assess_request_end(&a, &err);
	if (rc < 0 && (!err.kind || !err.message[0]))
		BUG("an error that says nothing");
	return 0;
}
