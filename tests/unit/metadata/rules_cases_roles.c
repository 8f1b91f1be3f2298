#include "rules_case.h"

static const char plain[] = "{\"cluster\":[\"monitor\",\"manage_ilm\"],"
			    "\"indices\":[{\"names\":[\"a\",\"b*\"],\"privileges\":[\"write\","
			    "\"create_doc\",\"create_index\"]},{\"names\":[\"logs-*\"],"
			    "\"privileges\":[\"read\"]}],\"run_as\":[\"x\"],\"metadata\":{},"
			    "\"transient_metadata\":{\"enabled\":true}}";
static const char plain_opensearch[] =
	"{\"cluster_permissions\":[\"cluster_monitor\","
	"\"cluster_composite_ops\"],"
	"\"index_permissions\":[{\"index_patterns\":[\"a\",\"b*\"],"
	"\"allowed_actions\":[\"write\",\"create_index\"]},"
	"{\"index_patterns\":[\"logs-*\"],\"allowed_actions\":[\"read\"]}],"
	"\"tenant_permissions\":[]}";
/* Restrictions of documents and of fields are kept, or nothing is granted. */
static const char restricted[] =
	"{\"cluster\":[],\"indices\":[{\"names\":[\"logs-*\"],"
	"\"privileges\":[\"read\"],\"query\":\"{\\\"term\\\":{\\\"a\\\":1}}\","
	"\"field_security\":{\"grant\":[\"a\",\"b.*\"]}},"
	"{\"names\":[\"logs-*\"],\"privileges\":[\"read\"],"
	"\"field_security\":{\"grant\":[\"*\"],\"except\":[\"c\"]}},"
	"{\"names\":[\"logs-*\"],\"privileges\":[\"read\"],"
	"\"field_security\":{\"grant\":[\"a*\"],\"except\":[\"ab\"]}},"
	"{\"names\":[\"logs-*\"],\"privileges\":[\"read\"],"
	"\"field_security\":{\"grant\":[]}},{\"names\":[\"logs-*\"],"
	"\"privileges\":[\"read\"],"
	"\"query\":\"{\\\"template\\\":{\\\"source\\\":\\\"x\\\"}}\"},"
	"{\"names\":[\"/l.*/\"],\"privileges\":[\"read\"]}]}";
static const char restricted_opensearch[] =
	"{\"cluster_permissions\":[\"cluster_composite_ops_ro\"],"
	"\"index_permissions\":[{\"index_patterns\":[\"logs-*\"],"
	"\"dls\":\"{\\\"term\\\":{\\\"a\\\":1}}\",\"fls\":[\"a\",\"b.*\"],"
	"\"allowed_actions\":[\"read\"]},{\"index_patterns\":[\"logs-*\"],"
	"\"fls\":[\"~c\"],\"allowed_actions\":[\"read\"]}],"
	"\"tenant_permissions\":[]}";
static const char opensearch[] =
	"{\"reserved\":false,\"hidden\":false,\"static\":false,"
	"\"cluster_permissions\":[\"cluster_monitor\",\"cluster_all\","
	"\"cluster_composite_ops\",\"cluster:admin/odd\"],"
	"\"index_permissions\":[{\"index_patterns\":[\"logs-*\"],"
	"\"dls\":\"{\\\"match_all\\\":{}}\",\"fls\":[\"~c\"],"
	"\"allowed_actions\":[\"read\"]},{\"index_patterns\":[\"logs-*\"],"
	"\"masked_fields\":[\"c\"],\"allowed_actions\":[\"read\"]},"
	"{\"index_patterns\":[\"logs-*\"],"
	"\"dls\":\"{\\\"term\\\":{\\\"u\\\":\\\"${user.name}\\\"}}\","
	"\"allowed_actions\":[\"read\"]},{\"index_patterns\":[\"logs-*\"],"
	"\"fls\":[\"a\",\"~ab\"],\"allowed_actions\":[\"read\"]},"
	"{\"index_patterns\":[\"b\"],\"allowed_actions\":[\"crud\","
	"\"search\"]}],\"tenant_permissions\":[{\"tenant_patterns\":[\"t\"]}]}";
static const char elasticsearch[] =
	"{\"cluster\":[\"monitor\"],\"indices\":[{\"names\":[\"logs-*\"],"
	"\"query\":\"{\\\"match_all\\\":{}}\","
	"\"field_security\":{\"except\":[\"c\"],\"grant\":[\"*\"]},"
	"\"privileges\":[\"read\"]},{\"names\":[\"b\"],"
	"\"privileges\":[\"read\",\"write\"]}]}";
static const char read_only[] = "{\"reserved\":false,\"hidden\":false,\"static\":false,"
				"\"cluster_permissions\":[\"x\"]}";
static const char bare[] = "{\"cluster_permissions\":[\"x\"]}";

const struct rules_case cases_of_roles[] = {
	{
		.rule = "role-to-opensearch",
		.source = "es7.10",
		.target = "os2.19",
		.before = plain,
		.after = plain_opensearch,
		.idle_target = "es8.19",
		.kind = METADATA_SECURITY,
	},
	{
		.rule = "role-to-opensearch",
		.source = "es8.19",
		.target = "os3.1",
		.before = restricted,
		.after = restricted_opensearch,
		.idle_source = "os2.19",
		.kind = METADATA_SECURITY,
	},
	{
		.rule = "role-to-elasticsearch",
		.source = "os2.19",
		.target = "es8.19",
		.before = opensearch,
		.after = elasticsearch,
		.idle_target = "os3.1",
		.kind = METADATA_SECURITY,
	},
	{
		.rule = "role-read-only",
		.source = "os1.3",
		.target = "os2.19",
		.before = read_only,
		.after = bare,
		.untouched = bare,
		.silent = true,
		.kind = METADATA_SECURITY,
	},
	{0},
};
