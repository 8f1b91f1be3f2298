#include "cluster/collection_type.h"

#include "base/clock.h"

#include <inttypes.h>

#define PROBE_BODY                                                                     \
	STR("{\"settings\":{\"index.knn\":true},\"mappings\":{\"properties\":{\"v\":{" \
	    "\"type\":\"knn_vector\",\"dimension\":-1}}}}")
#define ANSWER_MAX MIB(16)

static enum collection_type type_by_words(struct str reason)
{
	static const struct {
		struct str words;
		enum collection_type type;
	} answers[] = {
		{STR("KNN features not supported on TIMESERIES collection type"),
		 COLLECTION_TIMESERIES},
		{STR("KNN features not supported on SEARCH collection type"), COLLECTION_SEARCH},
		{STR("Dimension value must be greater than 0"), COLLECTION_VECTORSEARCH},
	};

	for (size_t i = 0; reason.len && i < COUNT_OF(answers); i++)
		if (memmem(reason.ptr, reason.len, answers[i].words.ptr, answers[i].words.len))
			return answers[i].type;
	return COLLECTION_UNKNOWN;
}

int cluster_collection_type(struct cluster *cluster, enum collection_type *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer = NULL;
	int status, failed;

	*out = COLLECTION_NONE;
	if (!cluster_version(cluster)->serverless)
		return 0;
	buf_printf(&path, "/migrations_type_probe_%" PRId64, clock_wall_ms());
	failed = cluster_request(cluster, "PUT", buf_cstr(&path), PROBE_BODY, true, &mem, &status,
				 &answer, err);
	if (failed < 0)
		return err_wrap(err, "the type of the Serverless collection");
	if (status >= 400) {
		*out = type_by_words(cluster_error_reason(answer, status, &mem));
		return 0;
	}
	/* Only where vectors are at home could it be taken at all. */
	*out = COLLECTION_VECTORSEARCH;
	return cluster_request(cluster, "DELETE", buf_cstr(&path), STR_NONE, true, &mem, &status,
			       &answer, err);
}

bool collection_needs_generated_ids(enum collection_type type)
{
	return type == COLLECTION_TIMESERIES || type == COLLECTION_VECTORSEARCH;
}

const char *collection_type_name(enum collection_type type)
{
	static const char *const names[] = {
		[COLLECTION_NONE] = "none",
		[COLLECTION_SEARCH] = "SEARCH",
		[COLLECTION_TIMESERIES] = "TIMESERIES",
		[COLLECTION_VECTORSEARCH] = "VECTORSEARCH",
		[COLLECTION_UNKNOWN] = "unknown",
	};

	return names[type];
}
