/* How far pods that go on are: what each says in its log, put together. */
#include "workflow/pods/pods_internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/small_file.h"

#define TEXT_MAX KIB(64)

enum together { SUM, MOST, LEAST };

static const struct {
	const char *name;
	enum together how;
} numbers[] = {
	{"lag", SUM},
	{"unread_records", SUM},
	{"outstanding", SUM},
	{"next_offset", SUM},
	{"log_end", SUM},
	{"end_asked_ms", LEAST},
	{"source_lag_ms", MOST},
	{"schedule_lag_ms", MOST},
	{"requests", SUM},
	{"answered", SUM},
	{"retried", SUM},
	{"updates_waiting", SUM},
	{"skipped", SUM},
	{"set_aside", SUM},
	{"tuples_durable", SUM},
};

struct sums {
	int64_t values[COUNT_OF(numbers)];
	int64_t said; /* pods that said something */
	bool caught_up, all_run;
};

static void add(struct sums *sums, const struct json *status)
{
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		int64_t value = json_i64_or(json_get(status, numbers[i].name), 0);
		int64_t *so_far = &sums->values[i];

		if (numbers[i].how == SUM)
			*so_far += value;
		else if (sums->said == 0)
			*so_far = value;
		else
			*so_far =
				numbers[i].how == MOST ? MAX(*so_far, value) : MIN(*so_far, value);
	}
	sums->said++;
	sums->caught_up &= json_bool_or(json_get(status, "caught_up"), false);
	sums->all_run &= str_is(json_string(json_get(status, "state")), "running");
}

/* Those that end have given their part away, or are about to. */
static struct sums sum_of(struct pods *pods, const struct json *items)
{
	struct sums sums = {.caught_up = true, .all_run = true};

	json_each (pod, items) {
		struct str text = pods_last_status(pods, pods_name_of(pod));
		struct json *status;

		if (text.len > 0 && !json_path(pod, "metadata", "deletionTimestamp", NULL) &&
		    json_parse(arena_str(&pods->look, text), &pods->look, &status, NULL) == 0)
			add(&sums, status);
	}
	return sums;
}

static int64_t number_of(const struct json *deployment, const char *part, const char *name)
{
	return json_i64_or(json_path(deployment, part, name, NULL), 0);
}

/* All that are wanted are there, of this generation alone, and ready. */
static bool is_ready(const struct json *deployment)
{
	int64_t wanted = number_of(deployment, "spec", "replicas");

	return wanted > 0 &&
	       number_of(deployment, "status", "observedGeneration") >=
		       number_of(deployment, "metadata", "generation") &&
	       number_of(deployment, "status", "updatedReplicas") == wanted &&
	       number_of(deployment, "status", "replicas") == wanted &&
	       number_of(deployment, "status", "readyReplicas") == wanted;
}

static void set_number(struct json *to, const char *name, int64_t value, struct arena *mem)
{
	json_set(to, str_from(name), json_new_i64(mem, value));
}

static void put_sums(struct pods *pods, struct json *out, const struct sums *sums, bool ready)
{
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		set_number(out, numbers[i].name, sums->values[i], &pods->look);
	json_set(out, STR("caught_up"), json_new_bool(&pods->look, sums->caught_up && ready));
}

static void write_down(struct pods *pods, const struct json *out)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
	struct err err;

	json_write(&text, out);
	buf_append_byte(&text, '\n');
	if (pods->look.failed || text.failed)
		return;
	if (small_file_replace(pods->task.status, buf_str(&text), &err) < 0)
		pods_say(pods, str_from(err.message));
}

bool pods_tell_status(struct pods *pods, const struct json *deployment, const struct json *items)
{
	struct arena *mem = &pods->look;
	const struct json *service = json_get(pods->task.spec, "service");
	struct json *out = json_new(mem, JSON_OBJECT);
	int64_t wanted = number_of(deployment, "spec", "replicas");
	struct sums sums = sum_of(pods, items);
	/* A proxy says nothing but by its probe. */
	bool ready = is_ready(deployment) &&
		     (json_get(pods->task.spec, "probe") || (sums.said >= wanted && sums.all_run));
	char now[26];

	if (!pods->task.status)
		return ready;
	clock_format_utc(clock_wall_ms(), now);
	json_set(out, STR("state"),
		 json_new_string(mem, ready         ? STR("running")
				      : wanted == 0 ? STR("scaled to 0")
						    : STR("starting")));
	json_set(out, STR("time"), json_new_string(mem, str_from(now)));
	set_number(out, "pods", wanted, mem);
	set_number(out, "ready", number_of(deployment, "status", "readyReplicas"), mem);
	if (service)
		json_set(out, STR("service"), json_copy(mem, service));
	if (sums.said > 0)
		put_sums(pods, out, &sums, ready);
	write_down(pods, out);
	return ready;
}
