#include "cluster/data_stream.h"

#include "base/limits.h"

static bool is_named(const struct json *answer, struct str name)
{
	json_each (stream, json_get(answer, "data_streams"))
		if (str_eq(json_string(json_get(stream, "name")), name))
			return true;
	return false;
}

int cluster_is_data_stream(struct cluster *cluster, struct str name, bool *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	const struct cluster_version *version = cluster_version(cluster);
	struct json *answer = NULL;
	int status, rc;

	*out = false;
	if (version->flavour == CLUSTER_ELASTICSEARCH && version->major < 7)
		return 0;
	buf_append_str(&path, STR("/_data_stream/"));
	http_append_encoded(&path, name);
	if (buf_check(&path, "the path of a request", err) < 0)
		return -(int)err->kind;
	rc = cluster_request(cluster, "GET", buf_cstr(&path), STR_NONE, true, &mem, &status,
			     &answer, err);
	if (rc == -ERR_AUTH)
		return 0;
	if (rc == 0 && status == 200)
		*out = is_named(answer, name);
	return rc;
}
