/* The tokens of a client of MSK: made when librdkafka asks, on its background thread. */
#include "traffic/kafka_internal.h"

#include "base/clock.h"

#include <stdlib.h>

/* What librdkafka puts before the reason that it was given. */
#define NO_TOKEN "Failed to acquire SASL OAUTHBEARER token: "
#define REFUSED "the brokers refuse it"

/* What the brokers refused may have ended, or been taken back: its place may have others by now. */
static int get_key(struct kafka_client *client, struct arena *mem, struct sigv4_key *key,
		   struct err *err)
{
	bool refused = atomic_exchange(&client->token_refused, false);
	int got = aws_credentials_get(client->credentials, mem, key, err);

	if (got < 0 || !refused)
		return got;
	aws_credentials_expire(client->credentials, key);
	return aws_credentials_get(client->credentials, mem, key, err);
}

static int make_token(struct kafka_client *client, struct buf *token, const char **name,
		      int64_t *end_ms, struct arena *mem, struct err *err)
{
	int64_t now = clock_wall_ms();
	struct sigv4_key key;
	int got = get_key(client, mem, &key, err);

	if (got < 0)
		return got;
	*name = key.access_key_id;
	*end_ms = kafka_msk_token_end_ms(now, aws_credentials_end_ms(client->credentials));
	return kafka_msk_token(client->region, &key, now, token, err);
}

static void on_token_due(rd_kafka_t *rk, const char *config, void *opaque)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf token = BUF_INIT(MIB(1));
	struct kafka_client *client = opaque;
	const char *name = "";
	struct err err = {0};
	int64_t end_ms = 0;
	char why[256];

	(void)config;
	if (make_token(client, &token, &name, &end_ms, &mem, &err) < 0) {
		rd_kafka_oauthbearer_set_token_failure(rk, err.message);
	} else if (rd_kafka_oauthbearer_set_token(rk, buf_cstr(&token), end_ms, name, NULL, 0, why,
						  sizeof(why)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		rd_kafka_oauthbearer_set_token_failure(rk, why);
	}
}

bool kafka_client_msk_refused(struct kafka_client *client, rd_kafka_t *rk, const char *reason,
			      struct err *told)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct str text = str_from(reason);

	if (str_is(text, NO_TOKEN REFUSED))
		return false;
	if (str_starts(text, STR(NO_TOKEN))) {
		err_set(told, ERR_AUTH, "no token for the brokers at %s can be signed: %s",
			client->options.brokers, reason + strlen(NO_TOKEN));
		return true;
	}
	/* librdkafka would keep the token for most of its life; so it asks again in ten seconds. */
	if (!atomic_exchange(&client->token_refused, true))
		rd_kafka_oauthbearer_set_token_failure(rk, REFUSED);
	err_set(told, ERR_AUTH,
		"the brokers at %s refuse a token for the region %s by the AWS credentials of %s: "
		"check that these are right and may kafka-cluster:Connect to this cluster, the "
		"region (--kafka-aws-region), and this machine's clock: %s",
		client->options.brokers, client->region,
		aws_credentials_origin(client->credentials, &mem), reason);
	return true;
}

int kafka_client_msk_prepare(struct kafka_client *client, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct str named = kafka_msk_region(client->options.brokers);
	const char *region = aws_region(client->options.region, NULL, &mem);

	if (!client->options.msk_iam || client->credentials)
		return 0;
	if (!client->options.region && named.ptr)
		client->region = str_dup(named);
	else if (region)
		client->region = mem_strdup(region);
	else
		return err_set(err, ERR_USAGE,
			       "MSK's IAM needs a region: --kafka-aws-region, or AWS_REGION");
	client->credentials =
		aws_credentials_new(&(struct aws_credentials_options){.region = client->region});
	return 0;
}

void kafka_client_msk_configure(rd_kafka_conf_t *conf)
{
	rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_due);
	rd_kafka_conf_enable_sasl_queue(conf, 1);
}

void kafka_client_msk_release(struct kafka_client *client)
{
	aws_credentials_free(client->credentials);
	client->credentials = NULL;
	free(client->region);
	client->region = NULL;
}
