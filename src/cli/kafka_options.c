#include "cli/kafka_options.h"

#include "base/log.h"

#include <string.h>

#define KAFKA(member) OPT_FIELD(struct kafka_fields, member), .category = "Kafka"

const struct opt kafka_options[] = {
	{.name = "kafka-brokers",
	 .aliases = "kafka-connection kafka-traffic-brokers",
	 .env = "CAPTURE_PROXY_KAFKA_BROKERS",
	 .type = OPT_STRING,
	 KAFKA(brokers),
	 .metavar = "HOST:PORT,...",
	 .help = "Records are in Kafka; some of its brokers."},
	{.name = "kafka-topic",
	 .aliases = "kafka-traffic-topic",
	 .env = "CAPTURE_PROXY_KAFKA_TOPIC",
	 .type = OPT_STRING,
	 KAFKA(topic),
	 .fallback = "logging-traffic-topic",
	 .help = "The topic."},
	{.name = "kafka-client-id",
	 .env = "CAPTURE_PROXY_KAFKA_CLIENT_ID",
	 .type = OPT_STRING,
	 KAFKA(client_id),
	 .help = "Name that the brokers' logs and quotas know us by."},
	{.name = "kafka-config-file",
	 .aliases = "kafka-property-file kafka-traffic-property-file",
	 .env = "CAPTURE_PROXY_KAFKA_PROPERTY_FILE",
	 .type = OPT_STRING,
	 KAFKA(config_file),
	 .metavar = "FILE",
	 .help = "Lines key=value, properties of the Java client or of librdkafka; flags "
		 "win over them."},
	{.name = "kafka-auth-type",
	 .aliases = "kafka-traffic-auth-type",
	 .env = "CAPTURE_PROXY_KAFKA_AUTH_TYPE",
	 .type = OPT_CHOICE,
	 KAFKA(auth_type),
	 .choices = "none|ssl|scram-sha-512|msk-iam",
	 .fallback = "none",
	 .help = "As the Java tool: TLS; TLS and SCRAM-SHA-512; TLS and AWS's IAM."},
	{.name = "enable-msk-auth",
	 .aliases = "enableMSKAuth kafka-traffic-enable-msk-auth kafkaTrafficEnableMSKAuth",
	 .env = "CAPTURE_PROXY_ENABLE_MSK_AUTH",
	 .type = OPT_BOOL,
	 KAFKA(msk_auth),
	 .help = "As --kafka-auth-type msk-iam."},
	{.name = "kafka-aws-region",
	 .type = OPT_STRING,
	 KAFKA(region),
	 .metavar = "REGION",
	 .help = "Of MSK, where its brokers' names do not tell."},
	{.name = "kafka-sasl-mechanism",
	 .type = OPT_CHOICE,
	 KAFKA(mechanism),
	 .choices = "PLAIN|SCRAM-SHA-256|SCRAM-SHA-512",
	 .help = "How --kafka-username is shown. SCRAM needs librdkafka 2.6.1 for Kafka 4."},
	{.name = "kafka-username",
	 .aliases = "kafka-traffic-user-name kafka-user-name",
	 .env = "CAPTURE_PROXY_KAFKA_USER_NAME",
	 .type = OPT_STRING,
	 KAFKA(username),
	 .metavar = "USER",
	 .help = "For SASL."},
	{.name = "kafka-password",
	 .aliases = "kafka-traffic-password",
	 .env = "CAPTURE_PROXY_KAFKA_PASSWORD",
	 .type = OPT_SECRET,
	 KAFKA(password),
	 .help = "For SASL."},
	{.name = "kafka-tls",
	 .type = OPT_BOOL,
	 KAFKA(tls),
	 .help = "The brokers speak TLS; so with any of the three files below."},
	{.name = "kafka-ca-cert",
	 .type = OPT_STRING,
	 KAFKA(ca),
	 .metavar = "FILE",
	 .help = "PEM certificates that the brokers' are checked against. Default: the "
		 "system's."},
	{.name = "kafka-client-cert",
	 .type = OPT_STRING,
	 KAFKA(cert),
	 .metavar = "FILE",
	 .help = "PEM certificate to show to the brokers."},
	{.name = "kafka-client-key",
	 .type = OPT_STRING,
	 KAFKA(key),
	 .metavar = "FILE",
	 .help = "PEM key to it."},
	{.name = "kafka-listener-name",
	 .aliases = "kafka-traffic-listener-name",
	 .env = "CAPTURE_PROXY_KAFKA_LISTENER_NAME",
	 .type = OPT_STRING,
	 KAFKA(listener_name),
	 .help = "Accepted and not used."},
	{.name = "kafka-secret-name",
	 .aliases = "kafka-traffic-secret-name",
	 .env = "CAPTURE_PROXY_KAFKA_SECRET_NAME",
	 .type = OPT_STRING,
	 KAFKA(secret_name),
	 .help = "Accepted and not used."},
	{0},
};

static void warn(void *module, const char *message)
{
	log_warn(module, "%s", message);
}

static int check(const struct kafka_fields *f, bool msk, const char *mechanism, struct err *err)
{
	if (msk && (f->username || f->mechanism))
		return err_set(err, ERR_USAGE,
			       "MSK's IAM takes no --kafka-username and no --kafka-sasl-mechanism");
	if (!mechanism && (f->username || f->password))
		return err_set(err, ERR_USAGE,
			       "--kafka-username and --kafka-password need "
			       "--kafka-sasl-mechanism, or --kafka-auth-type scram-sha-512");
	if (mechanism && !f->config_file && (!f->username || !f->password))
		return err_set(err, ERR_USAGE,
			       "SASL %s needs --kafka-username and --kafka-password", mechanism);
	if (!f->cert != !f->key)
		return err_set(err, ERR_USAGE,
			       "--kafka-client-cert and --kafka-client-key need one another");
	return 0;
}

int kafka_fields_read(const struct kafka_fields *fields, const char *group, const char *module,
		      struct kafka_options *out, struct err *err)
{
	bool scram = strcmp(fields->auth_type, "scram-sha-512") == 0;
	bool msk = fields->msk_auth || strcmp(fields->auth_type, "msk-iam") == 0;
	const char *mechanism = fields->mechanism ? fields->mechanism
				: scram           ? "SCRAM-SHA-512"
						  : NULL;
	int got = check(fields, msk, mechanism, err);

	*out = (struct kafka_options){
		.brokers = fields->brokers,
		.topic = fields->topic,
		.client_id = fields->client_id,
		.group = group,
		.tls = fields->tls || strcmp(fields->auth_type, "none") != 0,
		.ca = fields->ca,
		.cert = fields->cert,
		.key = fields->key,
		.mechanism = mechanism,
		.username = fields->username,
		.password = fields->password,
		.msk_iam = msk,
		.region = fields->region,
		.property_file = fields->config_file,
		.warn = warn,
		.user = (void *)(uintptr_t)module,
	};
	return got;
}
