#include "cli/coordinator_options.h"

#define COORDINATOR(member) OPT_FIELD(struct coordinator_fields, member), .category = "Work"

const struct opt coordinator_options[] = {
	{.name = "coordinator-host",
	 .env = "RFS_COORDINATOR_HOST",
	 .type = OPT_STRING,
	 COORDINATOR(host),
	 .metavar = "local|target|URL",
	 .fallback = "local",
	 .help = "Where workers agree who does what: local is a file below --state-dir, for the "
		 "processes of this host; target an index of the target, for many hosts; a URL one "
		 "of another cluster."},
	{.name = "coordinator-compat",
	 .type = OPT_CHOICE,
	 COORDINATOR(compat),
	 .choices = "own|java",
	 .fallback = "own",
	 .help = "java: work items that the workers of the Java tool understand; shards stay "
		 "whole."},
	{.name = "coordinator-username",
	 .env = "COORDINATOR_USERNAME",
	 .type = OPT_STRING,
	 COORDINATOR(username),
	 .metavar = "USER",
	 .help = "User for the coordinator's cluster."},
	{.name = "coordinator-password",
	 .env = "COORDINATOR_PASSWORD",
	 .type = OPT_SECRET,
	 COORDINATOR(password),
	 .help = "Its password."},
	{.name = "coordinator-cacert",
	 .env = "RFS_COORDINATOR_CACERT",
	 .type = OPT_STRING,
	 COORDINATOR(cacert),
	 .metavar = "FILE",
	 .help = "PEM file of the authority that signed the coordinator's certificate."},
	{.name = "coordinator-aws-region",
	 .env = "COORDINATOR_AWS_REGION",
	 .type = OPT_STRING,
	 COORDINATOR(aws_region),
	 .metavar = "REGION",
	 .help = "Sign requests to the coordinator for this region of AWS (SigV4), by the "
		 "credentials of AWS's usual places, instead of a user."},
	{.name = "coordinator-aws-service-signing-name",
	 .env = "COORDINATOR_AWS_SERVICE_SIGNING_NAME",
	 .type = OPT_STRING,
	 COORDINATOR(aws_service),
	 .metavar = "es|aoss",
	 .help = "The service that is signed for: es for a domain (the default), aoss for a "
		 "serverless collection."},
	{.name = "coordinator-insecure",
	 .env = "RFS_COORDINATOR_INSECURE",
	 .type = OPT_BOOL,
	 COORDINATOR(insecure),
	 .help = "Do not check the coordinator's certificate and name. For tests."},
	{0},
};

bool coordinator_is_java(const struct coordinator_fields *fields)
{
	return strcmp(fields->compat, "java") == 0;
}

int coordinator_connect(const struct coordinator_fields *fields, const struct target_fields *target,
			const struct cluster *target_cluster, struct cluster **out, struct err *err)
{
	const struct http_options http = {
		.host = fields->host,
		.username = fields->username,
		.password = fields->password,
		.ca_file = fields->cacert,
		.aws_region = fields->aws_region,
		.aws_service = fields->aws_service,
		.insecure = fields->insecure,
		.connect_timeout_ms = target->connect_timeout_ms,
		.request_timeout_ms = target->request_timeout_ms,
	};
	const struct cluster_retry retry = {
		.initial_delay_ms = 1000, .max_delay_ms = 64000, .max_total_ms = target->retry_ms};

	if (strcmp(fields->host, "target") != 0)
		return cluster_connect(&http, &retry, out, err) < 0
			       ? err_wrap(err, "--coordinator-host")
			       : 0;
	if (!target_cluster)
		return err_set(err, ERR_USAGE,
			       "--coordinator-host target: '%s' is no cluster; leave it out",
			       target->host);
	return cluster_clone(target_cluster, out, err);
}
