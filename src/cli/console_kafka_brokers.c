/* Topics and groups of a Kafka. */
#include "cli/console_kafka.h"

#include "base/clock.h"
#include "base/log.h"
#include "traffic/kafka_admin.h"
#include "workflow/secrets.h"

#include <stdlib.h>

struct brokers {
	struct kafka_access access;
	struct kafka_options options;
	struct kafka_admin *admin;
};

static int topics(struct kafka_access *access, struct arena *mem, struct kafka_topic **out,
		  size_t *count, struct err *err)
{
	struct brokers *brokers = (struct brokers *)access;
	struct kafka_admin_partition *list;
	size_t partitions;

	*count = 0;
	if (kafka_admin_partitions(brokers->admin, NULL, mem, &list, &partitions, err) < 0)
		return -(int)err->kind;
	*out = arena_zalloc(mem, partitions + 1, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "the topics", err);
	for (size_t i = 0; i < partitions; i++) {
		struct kafka_topic *topic = *count > 0 ? &(*out)[*count - 1] : NULL;

		if (!topic || !str_eq(topic->name, list[i].topic)) {
			topic = &(*out)[(*count)++];
			*topic = (struct kafka_topic){.name = list[i].topic,
						      .bytes = KAFKA_BYTES_UNKNOWN};
		}
		topic->partitions++;
		topic->first += list[i].first;
		topic->end += list[i].end;
	}
	return 0;
}

static int partitions(struct kafka_access *access, const char *topic, struct arena *mem,
		      struct kafka_part **out, size_t *count, struct err *err)
{
	struct brokers *brokers = (struct brokers *)access;
	struct kafka_admin_partition *list;

	*count = 0;
	if (kafka_admin_partitions(brokers->admin, topic, mem, &list, count, err) < 0)
		return -(int)err->kind;
	*out = arena_zalloc(mem, *count + 1, sizeof(**out));
	for (size_t i = 0; *out && i < *count; i++)
		(*out)[i] = (struct kafka_part){list[i].number, list[i].first, list[i].end};
	return *out ? 0 : arena_fail(mem, "the partitions", err);
}

static int create(struct kafka_access *access, const char *topic, struct err *err)
{
	return kafka_admin_create(((struct brokers *)access)->admin, topic, err);
}

static int remove_topic(struct kafka_access *access, const char *topic, struct err *err)
{
	return kafka_admin_remove(((struct brokers *)access)->admin, topic, err);
}

static int groups(struct kafka_access *access, struct arena *mem, struct str **out, size_t *count,
		  struct err *err)
{
	return kafka_admin_groups(((struct brokers *)access)->admin, mem, out, count, err);
}

static int lags(struct kafka_access *access, const char *group, struct arena *mem,
		struct kafka_lag **out, size_t *count, struct err *err)
{
	struct brokers *brokers = (struct brokers *)access;
	struct kafka_admin_lag *list;
	int64_t now;

	*count = 0;
	if (kafka_admin_lags(brokers->admin, group, mem, &list, count, err) < 0)
		return -(int)err->kind;
	*out = arena_zalloc(mem, *count + 1, sizeof(**out));
	now = clock_wall_ms();
	for (size_t i = 0; *out && i < *count; i++)
		(*out)[i] = (struct kafka_lag){
			.topic = list[i].topic,
			.partition = list[i].partition,
			.committed = list[i].committed,
			.end = list[i].end,
			.lag_ms =
				list[i].time_ms < 0 ? -1 : MAX(now - list[i].time_ms, (int64_t)0)};
	return *out ? 0 : arena_fail(mem, "the group", err);
}

/* It reads with no group: nothing is committed. */
static int show(struct kafka_access *access, const char *topic, struct console_command *command,
		struct err *err)
{
	const struct kafka_options *o = &((struct brokers *)access)->options;

	(void)err;
	console_add_option(command, "--kafka-brokers", o->brokers);
	console_add_option(command, "--kafka-topic", topic);
	console_add_option(command, "--kafka-config-file", o->property_file);
	console_add_option(command, "--kafka-ca-cert", o->ca);
	console_add_option(command, "--kafka-sasl-mechanism", o->mechanism);
	console_add_option(command, "--kafka-username", o->username);
	console_add_secret(command, "kafka", "password", o->password);
	if (o->tls)
		console_add(command, "--kafka-tls");
	if (o->msk_iam)
		console_add(command, "--enable-msk-auth");
	return 0;
}

static void close_brokers(struct kafka_access *access)
{
	struct brokers *brokers = (struct brokers *)access;

	kafka_admin_close(brokers->admin);
	brokers->admin = NULL; /* the rest is the console's arena's */
}

/* --- How they are reached --- */

static const char *text_of(const struct config_value *map, const char *key, struct arena *mem)
{
	struct str text = config_text_or(config_get(map, key), STR_NONE);

	return text.len > 0 ? arena_str(mem, text).ptr : NULL;
}

/* USERNAME:PASSWORD, or a password alone. */
static int read_secret(const struct console *console, const char *name, struct kafka_options *out,
		       struct err *err)
{
	struct str secret, user, password;
	int rc = workflow_secret_read(console->state_dir, str_from(name), console->mem, &secret,
				      err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_USAGE,
			       "the secret '%s' of kafka is not there; `workflow configure "
			       "credentials create %s` makes it",
			       name, name);
	if (!str_split(secret, ':', &user, &password)) {
		user = str_from(name);
		password = secret;
	}
	if (!out->username)
		out->username = arena_str(console->mem, user).ptr;
	out->password = arena_str(console->mem, password).ptr;
	return 0;
}

static int read_scram(const struct console *console, const struct config_value *scram,
		      struct kafka_options *out, struct err *err)
{
	const char *secret = text_of(scram, "k8s_secret_name", console->mem);
	const char *variable = text_of(scram, "password_env", console->mem);

	if (!variable)
		variable = "KAFKA_SCRAM_PASSWORD";
	out->tls = true;
	out->mechanism = "SCRAM-SHA-512";
	out->ca = text_of(scram, "ca_cert_path", console->mem);
	out->username = text_of(scram, "username", console->mem);
	out->password = text_of(scram, "password", console->mem);
	if (out->password)
		return 0;
	if (secret)
		return read_secret(console, secret, out, err);
	out->password = getenv(variable);
	return out->password ? 0
			     : err_set(err, ERR_USAGE,
				       "kafka's scram has no password, and the variable %s is not "
				       "set either",
				       variable);
}

static void warn(void *user, const char *message)
{
	(void)user;
	log_warn("kafka", "%s", message);
}

int kafka_brokers_open(const struct console *console, const struct config_value *section,
		       struct kafka_access **out, struct err *err)
{
	static const struct kafka_access_ops ops = {topics, partitions, create, remove_topic,
						    groups, lags,       show,   close_brokers};
	const struct config_value *scram = config_get(section, "scram");
	struct brokers *brokers = arena_zalloc(console->mem, 1, sizeof(*brokers));

	if (!brokers)
		return arena_fail(console->mem, "the brokers", err);
	*brokers = (struct brokers){
		.access = {&ops},
		.options = {.brokers = text_of(section, "broker_endpoints", console->mem),
			    .property_file = text_of(section, "config_file", console->mem),
			    .msk_iam = config_get(section, "msk") != NULL,
			    .warn = warn}};
	if (scram && read_scram(console, scram, &brokers->options, err) < 0)
		return -(int)err->kind;
	if (console->mem->failed)
		return arena_fail(console->mem, "the brokers", err);
	if (kafka_admin_open(&brokers->options, &brokers->admin, err) < 0)
		return -(int)err->kind;
	*out = &brokers->access;
	return 0;
}
