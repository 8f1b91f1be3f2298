/* Property files: those of the Java client are understood as far as librdkafka has the same. */
#include "traffic/kafka_internal.h"

#include "base/small_file.h"

#include <stdio.h>
#include <stdlib.h>

/* Java's name, librdkafka's; "": of no use here. */
static const char *const names[][2] = {
	{"max.request.size", "message.max.bytes"},
	{"max.block.ms", ""},
	{"buffer.memory", ""},
	{"key.serializer", ""},
	{"value.serializer", ""},
	{"key.deserializer", ""},
	{"value.deserializer", ""},
	{"sasl.login.callback.handler.class", ""},
	{"sasl.client.callback.handler.class", ""},
	{"ssl.truststore.type", ""},
	{"ssl.keystore.type", ""},
	{"ssl.truststore.password", ""},
	{"ssl.truststore.location", "ssl.ca.location"},
	{"max.poll.records", ""},
	{"partitioner.class", ""},
};

bool kafka_property_of_java(const char **name, const char *value, const char **reason)
{
	if (str_ends(str_from(value), STR(".jks"))) {
		*reason = "is a Java key store; give PEM files: --kafka-ca-cert, "
			  "--kafka-client-cert, --kafka-client-key";
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(*name, names[i][0]) == 0) {
			*name = names[i][1][0] ? names[i][1] : NULL;
			return true;
		}
	return true;
}

/* What stands in quotes behind `word`=. */
static bool find_quoted(struct str config, const char *word, struct str *out)
{
	const char *at = config.ptr, *end = config.ptr + config.len, *close;
	size_t len = strlen(word);

	while ((at = memmem(at, (size_t)(end - at), word, len)) && at[len] != '"')
		at += len;
	if (!at)
		return false;
	at += len + 1;
	close = memchr(at, '"', (size_t)(end - at));
	*out = str_of(at, close ? (size_t)(close - at) : 0);
	return close != NULL;
}

bool kafka_jaas_credentials(struct str config, struct str *username, struct str *password)
{
	return config.len > 0 && find_quoted(config, "username=", username) &&
	       find_quoted(config, "password=", password);
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size)
{
	return rd_kafka_conf_set(conf, name, value, why, size) == RD_KAFKA_CONF_OK ? 0 : -1;
}

static int set_jaas(rd_kafka_conf_t *conf, const char *value, char *why, size_t size)
{
	struct str username, password;
	cleanup(mem_freep) char *user = NULL;
	cleanup(mem_freep) char *secret = NULL;

	if (!kafka_jaas_credentials(str_from(value), &username, &password))
		return 0;
	user = str_dup(username);
	secret = str_dup(password);
	return set(conf, "sasl.username", user, why, size) < 0
		       ? -1
		       : set(conf, "sasl.password", secret, why, size);
}

/* Never with the value, which may be a secret. */
static int read_line(rd_kafka_conf_t *conf, struct str line, const char *path, size_t number,
		     struct err *err)
{
	struct str left, right;
	cleanup(mem_freep) char *name = NULL;
	cleanup(mem_freep) char *value = NULL;
	const char *known, *reason = NULL;
	char why[512];
	int got;

	line = str_trim(line);
	if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == '!')
		return 0;
	if (!str_split(line, '=', &left, &right))
		return err_set(err, ERR_USAGE, "'%s' line %zu is no key=value", path, number);
	known = name = str_dup(str_trim(left));
	value = str_dup(str_trim(right));
	if (!kafka_property_of_java(&known, value, &reason))
		return err_set(err, ERR_USAGE, "'%s' line %zu: %s %s", path, number, name, reason);
	if (!known || (strcmp(known, "sasl.mechanism") == 0 && strcmp(value, "AWS_MSK_IAM") == 0))
		return 0;
	got = strcmp(known, "sasl.jaas.config") == 0 ? set_jaas(conf, value, why, sizeof(why))
						     : set(conf, known, value, why, sizeof(why));
	if (got < 0)
		return err_set(err, ERR_USAGE,
			       "'%s' line %zu: librdkafka does not take the property '%s'", path,
			       number, name);
	return 0;
}

int kafka_properties_read(rd_kafka_conf_t *conf, const char *path, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct str rest, line;
	size_t number = 1;
	int got = small_file_read(path, &text, err);

	if (got < 0)
		return got;
	if (got == 0)
		return err_set(err, ERR_NOT_FOUND, "--kafka-config-file '%s' is not there", path);
	for (rest = buf_str(&text); rest.len > 0; number++) {
		if (!str_split(rest, '\n', &line, &rest))
			rest = STR_NONE;
		if ((got = read_line(conf, line, path, number, err)) < 0)
			return got;
	}
	return 0;
}
