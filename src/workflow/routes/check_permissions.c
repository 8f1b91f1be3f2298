#include "workflow/routes/check_internal.h"

/* What is read of a source and asked of a target. Endpoints that a version lacks are no matter. */
static const char *const source_paths[] = {"/_cat/indices?format=json&h=index",
					   "/_cluster/settings?flat_settings=true",
					   "/_template",
					   "/_search?size=0",
					   "/_stats/docs,store",
					   "/_snapshot"};
static const char *const target_paths[] = {"/_cat/indices?format=json&h=index", "/_template",
					   "/_cluster/settings?flat_settings=true"};

/* The names that _has_privileges answers by.
 * Source: "Security privileges" of Elasticsearch's reference. */
#define SOURCE_PRIVILEGES                                                                    \
	"{\"cluster\":[\"monitor\"],\"index\":[{\"names\":[\"*\"],\"privileges\":[\"read\"," \
	"\"view_index_metadata\",\"monitor\"]}]}"
#define TARGET_PRIVILEGES                                                                      \
	"{\"cluster\":[\"monitor\",\"manage_index_templates\",\"manage_pipeline\"],\"index\":" \
	"[{\"names\":[\"*\"],\"privileges\":[\"create_index\",\"write\",\"manage\",\"read\"]}]}"

static bool is_allowed(struct check_report *report, struct cluster *cluster, const char *path,
		       struct err *err)
{
	struct json *answer;
	int status;

	return cluster_request(cluster, "GET", path, STR_NONE, true, report->mem, &status, &answer,
			       err) != -ERR_AUTH;
}

/* Appends the names in `privileges` that are false. */
static void list_missing(const struct json *privileges, struct buf *missing)
{
	json_each (privilege, privileges) {
		if (privilege->type == JSON_OBJECT)
			list_missing(privilege, missing);
		else if (!json_bool_or(privilege, true))
			buf_printf(missing, "%s" STR_FMT, missing->len > 0 ? ", " : "",
				   STR_ARG(privilege->key));
	}
}

/* Elasticsearch with security tells what a user may do. False: it does not. */
static bool ask_privileges(struct check_report *report, const char *side, struct cluster *cluster)
{
	const struct cluster_version *version = cluster_version(cluster);
	cleanup(buf_release) struct buf missing = BUF_INIT(KIB(4));
	struct str wanted =
		strcmp(side, "source") == 0 ? STR(SOURCE_PRIVILEGES) : STR(TARGET_PRIVILEGES);
	const char *path = version->major >= 7 ? "/_security/user/_has_privileges"
					       : "/_xpack/security/user/_has_privileges";
	struct json *answer = NULL;
	struct check_row *row;
	int status;

	if (version->flavour != CLUSTER_ELASTICSEARCH || version->major < 6 ||
	    cluster_request(cluster, "POST", path, wanted, true, report->mem, &status, &answer,
			    NULL) < 0 ||
	    status != 200)
		return false;
	list_missing(json_get(answer, "cluster"), &missing);
	list_missing(json_get(answer, "index"), &missing);
	row = check_add(report, side, "permissions", missing.len > 0 ? CHECK_FAILED : CHECK_OK);
	if (missing.len == 0) {
		check_say(report, &row->detail, "the user may do all that is asked of the %s",
			  side);
		return true;
	}
	check_say(report, &row->detail, "the user lacks: " STR_FMT, STR_ARG(buf_str(&missing)));
	check_say(report, &row->next, "grant its role these privileges, on the indices that move");
	return true;
}

static void warn_of_writes(struct check_report *report, struct cluster *target)
{
	struct check_row *row = check_add(report, "target", "write permissions", CHECK_WARNING);

	check_say(report, &row->detail, "%s does not tell what a role may write",
		  cluster_version(target)->serverless ? "a collection" : "this cluster");
	check_say(report, &row->next,
		  "the role needs: indices:admin/*, indices:data/write/*, cluster:monitor/*, "
		  "templates and pipelines");
}

void check_permissions(struct check_report *report, const char *side, struct cluster *cluster)
{
	bool source = strcmp(side, "source") == 0;
	const char *const *paths = source ? source_paths : target_paths;
	size_t count = source ? COUNT_OF(source_paths) : COUNT_OF(target_paths);
	struct err err = {0};
	struct check_row *row;

	for (size_t i = 0; i < count; i++) {
		if (is_allowed(report, cluster, paths[i], &err))
			continue;
		row = check_add(report, side, "permissions", CHECK_FAILED);
		row->kind = ERR_AUTH;
		check_say(report, &row->detail, "%s", err.message);
		check_say(report, &row->next, "let its role read this");
		return;
	}
	if (ask_privileges(report, side, cluster))
		return;
	row = check_add(report, side, "permissions", CHECK_OK);
	check_say(report, &row->detail, "all that is read of the %s is answered", side);
	if (!source)
		warn_of_writes(report, cluster);
}
