/* How Kafka is reached: by the capture proxy, the replayer, and the commands for records.
 *
 * Kafka's client is librdkafka. Records are values, keys the connection id, partitions chosen as
 * the Java client does (murmur2), so that a connection is in one partition, in order. */
#ifndef TRAFFIC_KAFKA_H
#define TRAFFIC_KAFKA_H

#include "base/buf.h"
#include "net/aws_credentials.h"

/* Strings are borrowed for as long as the client that is made of them is there. NULL: not given. */
struct kafka_options {
	const char *brokers; /* HOST:PORT,... */
	const char *topic;
	const char *client_id;
	const char *group; /* of readers; NULL: all is read, nothing committed */
	bool tls;
	const char *ca, *cert, *key; /* PEM files; each turns TLS on */
	const char *mechanism;       /* PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; NULL: none */
	const char *username, *password;
	/* MSK's IAM: TLS, and a token of ours (kafka_msk_token) that is renewed. */
	bool msk_iam;
	const char *region;        /* NULL: that of the brokers' names, else of the environment */
	const char *property_file; /* key=value lines, of the Java client or of librdkafka */
	/* A line for the operator. Any thread; NULL: not told. */
	void (*warn)(void *user, const char *message);
	void *user;
};

/* Property names of the Java client, where librdkafka has another. `*name` may become NULL: of no
 * use here, to be left out. False: `value` cannot be had here, *reason says why. */
bool kafka_property_of_java(const char **name, const char *value, const char **reason);
/* The user and password in a sasl.jaas.config. False: there are none. */
bool kafka_jaas_credentials(struct str config, struct str *username, struct str *password);

#define KAFKA_MSK_TOKEN_LIFE_MS INT64_C(900000)

/* The token that MSK takes by OAUTHBEARER: the address of a call of kafka-cluster:Connect, signed
 * (SigV4), in base64url without padding. Source: aws-msk-iam-sasl-signer. */
int kafka_msk_token(const char *region, const struct sigv4_key *key, int64_t wall_ms,
		    struct buf *out, struct err *err);
/* When a token of now is worth nothing any more (wall clock): it ends with the key that signs it.
 * key_end_ms 0: the key does not end. */
int64_t kafka_msk_token_end_ms(int64_t now_ms, int64_t key_end_ms);
/* b-1.name.abc123.c2.kafka.eu-west-1.amazonaws.com:9098 -> eu-west-1; STR_NONE: none of MSK's. */
struct str kafka_msk_region(const char *brokers);

#endif
