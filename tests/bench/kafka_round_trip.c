/* kafka_round_trip BROKERS TOPIC COUNT BYTES: sends that many records, each when Kafka has taken
 * the one before (acks=all, no linger), and prints the median and the 99th percentile in ms. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int delivered;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "kafka_round_trip: %s: %s\n", what, why);
	exit(1);
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void)rk;
	(void)opaque;
	if (message->err)
		die("a record was not taken", rd_kafka_err2str(message->err));
	delivered++;
}

static rd_kafka_t *open_producer(const char *brokers)
{
	const char *const settings[] = {"bootstrap.servers",  brokers, "acks",      "all",
					"enable.idempotence", "true",  "linger.ms", "0"};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];
	rd_kafka_t *rk;

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i += 2)
		if (rd_kafka_conf_set(conf, settings[i], settings[i + 1], why, sizeof(why)))
			die(settings[i], why);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!rk)
		die("no producer", why);
	return rk;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double send_one(rd_kafka_t *rk, const char *topic, char *bytes, size_t len)
{
	double begun = now_ms();
	int before = delivered;

	if (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE(bytes, len),
			      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END))
		die("producing", "the record was not queued");
	while (delivered == before)
		rd_kafka_poll(rk, 1000);
	return now_ms() - begun;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
	size_t count = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	size_t len = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	double *took;
	char *bytes;
	rd_kafka_t *rk;

	if (count == 0 || len == 0)
		die("usage", "BROKERS TOPIC COUNT BYTES");
	took = calloc(count, sizeof(*took));
	bytes = calloc(len, 1);
	if (!took || !bytes)
		die("no memory", argv[3]);
	rk = open_producer(argv[1]);
	send_one(rk, argv[2], bytes, len);
	for (size_t i = 0; i < count; i++)
		took[i] = send_one(rk, argv[2], bytes, len);
	qsort(took, count, sizeof(*took), compare);
	printf("%.3f %.3f\n", took[count / 2], took[count * 99 / 100]);
	rd_kafka_destroy(rk);
	free(took);
	free(bytes);
	return 0;
}
