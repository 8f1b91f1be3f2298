/* console clusters connection-check */
#include "cli/check_report.h"
#include "cli/console_common.h"

#include "cluster/collection_type.h"
#include "net/aws_identity.h"

struct check_fields {
	struct console_fields console;
	struct console_cluster_fields clusters;
};

/* One cluster on its way through. */
struct looking {
	struct check_report *report;
	const struct services_cluster *cluster;
	const char *side;
	struct aws_identity who;
};

static bool is_signed(const struct looking *l)
{
	return l->cluster->http.aws_region != NULL;
}

static bool is_collection(const struct looking *l)
{
	return is_signed(l) && strcmp(l->cluster->http.aws_service, "aoss") == 0;
}

static void say_authentication(const struct looking *l)
{
	const struct http_options *http = &l->cluster->http;
	struct check_row *row = check_add(l->report, l->side, "authentication", CHECK_OK);

	if (http->aws_region)
		check_say(l->report, &row->detail, "AWS signatures (SigV4) for '%s' in %s",
			  http->aws_service, http->aws_region);
	else if (http->username)
		check_say(l->report, &row->detail, "user '%s' with a password", http->username);
	else if (http->api_key)
		check_say(l->report, &row->detail, "an API key");
	else if (http->client_cert)
		check_say(l->report, &row->detail, "the certificate '%s'", http->client_cert);
	else
		check_say(l->report, &row->detail, "none");
}

/* The role behind "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION", which mappings name. */
static const char *role_arn(const struct looking *l)
{
	struct str arn = str_from(l->who.arn ? l->who.arn : "ARN-OF-THIS-ROLE"), head, role, rest;

	if (!str_split(arn, '/', &head, &rest) || !str_ends(head, STR(":assumed-role")))
		return arena_str(l->report->mem, arn).ptr;
	str_split(rest, '/', &role, &rest);
	return arena_printf(l->report->mem, "arn:aws:iam::%s:role/" STR_FMT,
			    l->who.account ? l->who.account : "ACCOUNT", STR_ARG(role))
		.ptr;
}

static void say_mapping(const struct looking *l, struct check_row *row)
{
	if (is_collection(l))
		check_say(
			l->report, &row->next,
			"the collection's data-access policy must name %s, with "
			"aoss:DescribeCollectionItems, aoss:CreateCollectionItems on "
			"collection/NAME "
			"and aoss:DescribeIndex, aoss:CreateIndex, aoss:UpdateIndex, "
			"aoss:DeleteIndex, aoss:ReadDocument, aoss:WriteDocument on index/NAME/*; "
			"the role itself needs aoss:APIAccessAll",
			role_arn(l));
	else
		check_say(
			l->report, &row->next,
			"as an administrator of the domain: PUT "
			"_plugins/_security/api/rolesmapping/all_access "
			"{\"backend_roles\":[\"%s\"]} (it replaces the mapping: add what GET "
			"shows); "
			"afterwards map a role that may do less. The role itself needs es:ESHttp*",
			role_arn(l));
}

static bool speaks_of_time(struct str text)
{
	static const char *const words[] = {"expired", "not yet current", "RequestTimeTooSkewed",
					    "clock"};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (text.len > 0 && memmem(text.ptr, text.len, words[i], strlen(words[i])))
			return true;
	return false;
}

static void say_refusal(const struct looking *l, struct check_row *row)
{
	if (!is_signed(l) && row->next.len == 0)
		check_say(l->report, &row->next,
			  "check the credentials of this cluster; `workflow configure credentials` "
			  "keeps them");
	else if (is_signed(l) && speaks_of_time(row->detail))
		check_say(l->report, &row->next,
			  "set this machine's clock by NTP: signatures bear 5 minutes");
	else if (is_signed(l) && !l->who.source)
		check_say(l->report, &row->next,
			  "give this machine credentials: a role, a profile, or AWS_ACCESS_KEY_ID "
			  "and "
			  "AWS_SECRET_ACCESS_KEY");
	else if (is_signed(l))
		say_mapping(l, row);
}

/* What to do about a row that failed. */
static void say_next(const struct looking *l, struct check_row *row)
{
	if (row->outcome != CHECK_FAILED || strcmp(row->name, "aws identity") == 0)
		return;
	if (row->kind == ERR_AUTH)
		say_refusal(l, row);
	else if (row->kind == ERR_UNREACHABLE || row->kind == ERR_TIMEOUT)
		check_say(l->report, &row->next,
			  "let this machine through: security group, IP allowlist, VPC route, "
			  "port");
}

static void look_collection(const struct looking *l, struct cluster *cluster)
{
	enum collection_type type;
	struct err err = {0};
	struct check_row *row;

	if (!cluster_version(cluster)->serverless)
		return;
	row = check_add(l->report, l->side, "collection", CHECK_OK);
	if (cluster_collection_type(cluster, &type, &err) == 0) {
		check_say(l->report, &row->detail, "type %s%s", collection_type_name(type),
			  collection_needs_generated_ids(type)
				  ? "; it gives documents ids of its own"
				  : "");
		return;
	}
	row->outcome = CHECK_FAILED;
	row->kind = err.kind;
	check_say(l->report, &row->detail, "%s", err.message);
}

static void look(struct looking *l)
{
	const struct aws_credentials_options aws = {.region = l->cluster->http.aws_region};
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	size_t first = l->report->count;
	struct err err = {0};
	struct check_row *row;

	say_authentication(l);
	if (is_signed(l)) {
		check_aws(l->report, l->side, &aws);
		aws_identity_find(&aws, l->report->mem, &l->who, &err);
	}
	if (console_connect(l->cluster, &cluster, &err) < 0) {
		row = check_add(l->report, l->side, "connection", CHECK_FAILED);
		row->kind = err.kind;
		check_say(l->report, &row->detail, "%s", err.message);
	} else {
		(l->cluster->role == SERVICES_TARGET ? check_target : check_source)(l->report,
										    cluster);
		look_collection(l, cluster);
	}
	for (size_t i = first; i < l->report->count; i++) {
		l->report->rows[i].side = l->side;
		say_next(l, &l->report->rows[i]);
	}
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	struct check_fields *f = fields;
	struct check_report report = {.mem = cli->mem};
	struct console_clusters clusters;
	int rc = console_open(&console, cli, &f->console, err);

	if (rc == 0)
		rc = console_pick_clusters(&console, &f->clusters, &clusters, err);
	for (size_t i = 0; rc == 0 && i < clusters.count; i++) {
		struct looking looking = {.report = &report,
					  .cluster = &clusters.list[i],
					  .side = arena_str(cli->mem, clusters.list[i].name).ptr};

		if (!looking.side)
			return arena_fail(cli->mem, "the checks", err);
		look(&looking);
	}
	if (rc == 0)
		rc = check_report_print(&report, f->console.general.json, err);
	return rc < 0 ? rc : check_exit_code(&report);
}

static const struct opt_part parts[] = {
	{console_cluster_options, offsetof(struct check_fields, clusters)}, CONSOLE_PARTS, {0}};

const struct command command_console_clusters_connection_check = {
	.options = {.name = "console clusters connection-check",
		    .summary = "Whether clusters answer, as whom, and what may be done there",
		    .parts = parts,
		    .details = "Version, authentication, AWS identity, permissions, clock, health, "
			       "type of a serverless collection; for what fails, the next step. "
			       "Exits 1 when something failed."},
	.fields_size = sizeof(struct check_fields),
	.run = run,
};
