/* kafka_round_trip BROKERS TOPIC COUNT BYTES [PER_SECOND]: sends that many records, each when Kafka
 * has taken the one before, or so many a second, whether Kafka takes them or not (acks=all, no
 * linger), and prints the median and the 99th percentile in ms; at a rate, from when a record was
 * due. */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

struct sending {
	rd_kafka_t *rk;
	const char *topic;
	char *bytes;
	size_t len, count;
	double every_ms; /* 0: each when the one before was taken */
};

static double *since, *took; /* of each record, ms */
static size_t delivered;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "kafka_round_trip: %s: %s\n", what, why);
	exit(1);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	size_t number = (size_t)(uintptr_t)message->_private;

	(void)rk;
	(void)opaque;
	if (message->err)
		die("a record was not taken", rd_kafka_err2str(message->err));
	took[number] = now_ms() - since[number];
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

static void produce(const struct sending *s, size_t number)
{
	if (rd_kafka_producev(s->rk, RD_KAFKA_V_TOPIC(s->topic), RD_KAFKA_V_VALUE(s->bytes, s->len),
			      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			      RD_KAFKA_V_OPAQUE((void *)(uintptr_t)number), RD_KAFKA_V_END))
		die("producing", "the record was not queued");
}

static void wait_for(rd_kafka_t *rk, size_t count)
{
	while (delivered < count)
		rd_kafka_poll(rk, 1000);
}

static void send_in_turn(const struct sending *s, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		since[i] = now_ms();
		produce(s, i);
		wait_for(s->rk, i + 1);
	}
	delivered = 0;
}

static void *send_paced(void *user)
{
	const struct sending *s = user;
	double begun = now_ms() + 1;

	prctl(PR_SET_TIMERSLACK, 1UL);
	for (size_t i = 0; i < s->count; i++) {
		double due = begun + s->every_ms * (double)i;
		struct timespec until = {.tv_sec = (time_t)(due / 1e3)};

		until.tv_nsec = (long)((due - (double)until.tv_sec * 1e3) * 1e6);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		since[i] = due;
		produce(s, i);
	}
	return NULL;
}

static void send_all(struct sending *s)
{
	pthread_t thread;

	send_in_turn(s, 1); /* connects */
	if (s->every_ms <= 0) {
		send_in_turn(s, s->count);
		return;
	}
	if (pthread_create(&thread, NULL, send_paced, s) != 0)
		die("no thread", "for a rate");
	wait_for(s->rk, s->count);
	pthread_join(thread, NULL);
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
	struct sending s = {0};

	if (argc == 5 || argc == 6) {
		s.topic = argv[2];
		s.count = strtoul(argv[3], NULL, 10);
		s.len = strtoul(argv[4], NULL, 10);
		s.every_ms = argc == 6 ? 1e3 / strtod(argv[5], NULL) : 0;
	}
	if (s.count == 0 || s.len == 0)
		die("usage", "BROKERS TOPIC COUNT BYTES [PER_SECOND]");
	took = calloc(s.count, sizeof(*took));
	since = calloc(s.count, sizeof(*since));
	s.bytes = calloc(s.len, 1);
	if (!took || !since || !s.bytes)
		die("no memory", argv[3]);
	s.rk = open_producer(argv[1]);
	send_all(&s);
	qsort(took, s.count, sizeof(*took), compare);
	printf("%.3f %.3f\n", took[s.count / 2], took[s.count * 99 / 100]);
	rd_kafka_destroy(s.rk);
	free(since);
	free(took);
	free(s.bytes);
	return 0;
}
