#include "traffic/kafka_questions.h"

#include "base/clock.h"

#include <stdlib.h>

enum { ASK_EVERY_MS = 1000, ASK_MS = 1000 };

struct other {
	int64_t committed; /* RD_KAFKA_OFFSET_INVALID: nothing */
	int64_t moved_ms;  /* when it was first seen; 0: never */
};

struct question {
	rd_kafka_topic_partition_list_t *ours; /* owned; NULL: nothing is asked */
	bool ends;
	int64_t time_ms; /* 0: not that */
	unsigned generation;
};

struct kafka_questions {
	rd_kafka_t *rk;
	const char *topic;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	bool stops;
	struct question next;
	unsigned generation;
	rd_kafka_topic_partition_list_t *ends; /* NULL: not known */
	int64_t ends_asked_ms;
	int64_t passed_ms;
	/* Of the thread. */
	struct other *others; /* by number */
	size_t other_count;
	unsigned others_generation;
};

static void free_list(rd_kafka_topic_partition_list_t **list)
{
	if (*list)
		rd_kafka_topic_partition_list_destroy(*list);
	*list = NULL;
}

static bool is_stopping(struct kafka_questions *q)
{
	bool stops;

	pthread_mutex_lock(&q->lock);
	stops = q->stops;
	pthread_mutex_unlock(&q->lock);
	return stops;
}

/* --- Where ours end --- */

/* False: not all are known. */
static bool find_ends(struct kafka_questions *q, rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++) {
		int64_t low, high;

		if (is_stopping(q) ||
		    rd_kafka_query_watermark_offsets(q->rk, q->topic, list->elems[i].partition,
						     &low, &high, ASK_MS))
			return false;
		list->elems[i].offset = high;
	}
	return true;
}

/* --- How far the others are --- */

/* NULL: not known. */
static rd_kafka_topic_partition_list_t *list_others(struct kafka_questions *q,
						    rd_kafka_topic_partition_list_t *ours)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(q->rk, q->topic, NULL);
	rd_kafka_topic_partition_list_t *list = NULL;
	const struct rd_kafka_metadata *found;

	if (!rd_kafka_metadata(q->rk, 0, topic, &found, ASK_MS)) {
		if (found->topic_cnt == 1 && found->topics[0].partition_cnt > 0)
			list = rd_kafka_topic_partition_list_new(found->topics[0].partition_cnt);
		for (int i = 0; list && i < found->topics[0].partition_cnt; i++) {
			int32_t id = found->topics[0].partitions[i].id;

			if (!rd_kafka_topic_partition_list_find(ours, q->topic, id))
				rd_kafka_topic_partition_list_add(list, q->topic, id);
		}
		rd_kafka_metadata_destroy(found);
	}
	rd_kafka_topic_destroy(topic);
	return list;
}

static void note_committed(struct kafka_questions *q,
			   const rd_kafka_topic_partition_list_t *committed, int64_t now)
{
	for (int i = 0; i < committed->cnt; i++) {
		const rd_kafka_topic_partition_t *one = &committed->elems[i];
		size_t needed = (size_t)one->partition + 1;
		struct other *other;

		if (needed > q->other_count) {
			q->others = mem_realloc(q->others, needed * sizeof(*q->others));
			memset(q->others + q->other_count, 0,
			       (needed - q->other_count) * sizeof(*q->others));
			q->other_count = needed;
		}
		other = &q->others[one->partition];
		if (other->moved_ms == 0 || other->committed != one->offset)
			*other = (struct other){.committed = one->offset, .moved_ms = now};
	}
}

/* Where what was stored since then begins, or the partition's end; -1: not known. */
static int64_t offset_of_time(struct kafka_questions *q, const rd_kafka_topic_partition_t *at)
{
	int64_t low, high;

	if (at->err)
		return -1;
	if (at->offset >= 0)
		return at->offset;
	if (is_stopping(q) ||
	    rd_kafka_query_watermark_offsets(q->rk, q->topic, at->partition, &low, &high, ASK_MS))
		return -1;
	return low == high ? 0 : high;
}

/* `times`: of each, the offset that the time is at. */
static bool all_are_done(struct kafka_questions *q, const rd_kafka_topic_partition_list_t *times,
			 int64_t now)
{
	for (int i = 0; i < times->cnt; i++) {
		const struct other *other = &q->others[times->elems[i].partition];
		int64_t wanted = offset_of_time(q, &times->elems[i]);

		if (wanted < 0 || (MAX(other->committed, (int64_t)0) < wanted &&
				   now - other->moved_ms < KAFKA_OTHERS_STUCK_MS))
			return false;
	}
	return true;
}

static bool have_passed(struct kafka_questions *q, const struct question *asked)
{
	rd_kafka_topic_partition_list_t *list = list_others(q, asked->ours);
	int64_t now = clock_monotonic_ms();
	bool passed = list && list->cnt == 0;

	if (q->others_generation != asked->generation)
		q->other_count = 0;
	q->others_generation = asked->generation;
	if (list && list->cnt > 0 && !is_stopping(q) && !rd_kafka_committed(q->rk, list, ASK_MS)) {
		note_committed(q, list, now);
		for (int i = 0; i < list->cnt; i++)
			list->elems[i].offset = asked->time_ms;
		passed = !is_stopping(q) && !rd_kafka_offsets_for_times(q->rk, list, ASK_MS) &&
			 all_are_done(q, list, now);
	}
	free_list(&list);
	return passed;
}

/* --- The thread --- */

static void answer(struct kafka_questions *q, struct question *asked)
{
	int64_t now = clock_monotonic_ms();
	bool has_ends = asked->ends && find_ends(q, asked->ours);
	bool passed = asked->time_ms != 0 && have_passed(q, asked);

	pthread_mutex_lock(&q->lock);
	if (asked->generation == q->generation && has_ends) {
		free_list(&q->ends);
		q->ends = take(asked->ours);
		q->ends_asked_ms = now;
	}
	if (asked->generation == q->generation && passed)
		q->passed_ms = MAX(q->passed_ms, asked->time_ms);
	pthread_mutex_unlock(&q->lock);
	free_list(&asked->ours);
}

static void *run(void *user)
{
	struct kafka_questions *q = user;

	pthread_mutex_lock(&q->lock);
	while (!q->stops) {
		int64_t until = clock_monotonic_ms() + ASK_EVERY_MS;
		const struct timespec at = {until / 1000, until % 1000 * 1000000};
		struct question asked = q->next;

		if (!asked.ours) {
			pthread_cond_wait(&q->changed, &q->lock);
			continue;
		}
		q->next = (struct question){0};
		pthread_mutex_unlock(&q->lock);
		answer(q, &asked);
		pthread_mutex_lock(&q->lock);
		while (!q->stops && clock_monotonic_ms() < until)
			pthread_cond_timedwait(&q->changed, &q->lock, &at);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static void release(struct kafka_questions *q)
{
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
	free_list(&q->next.ours);
	free_list(&q->ends);
	free(q->others);
	free(q);
}

int kafka_questions_start(rd_kafka_t *rk, const char *topic, struct kafka_questions **out,
			  struct err *err)
{
	struct kafka_questions *q = mem_zalloc(sizeof(*q));
	pthread_condattr_t clock;
	int failed;

	q->rk = rk;
	q->topic = topic;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&q->changed, &clock);
	pthread_condattr_destroy(&clock);
	failed = pthread_create(&q->thread, NULL, run, q);
	if (failed) {
		release(q);
		return err_set_errno(err, ERR_IO, failed, "starting a thread for '%s'", topic);
	}
	*out = q;
	return 0;
}

void kafka_questions_stop(struct kafka_questions *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->stops = true;
	pthread_cond_signal(&q->changed);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	release(q);
}

void kafka_questions_forget(struct kafka_questions *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->generation++;
	q->passed_ms = 0;
	free_list(&q->ends);
	free_list(&q->next.ours);
	q->next = (struct question){0};
	pthread_mutex_unlock(&q->lock);
}

/* Under the lock. */
static void ask(struct kafka_questions *q, const rd_kafka_topic_partition_list_t *ours)
{
	q->next.generation = q->generation;
	if (!q->next.ours)
		q->next.ours = rd_kafka_topic_partition_list_copy(ours);
	pthread_cond_signal(&q->changed);
}

int64_t kafka_questions_ends(struct kafka_questions *q, rd_kafka_topic_partition_list_t *ours)
{
	int64_t asked_ms = 0;

	pthread_mutex_lock(&q->lock);
	q->next.ends = true;
	ask(q, ours);
	for (int i = 0; q->ends && i < ours->cnt; i++) {
		const rd_kafka_topic_partition_t *end = rd_kafka_topic_partition_list_find(
			q->ends, q->topic, ours->elems[i].partition);

		if (end)
			ours->elems[i].offset = end->offset;
	}
	if (q->ends)
		asked_ms = q->ends_asked_ms;
	pthread_mutex_unlock(&q->lock);
	return asked_ms;
}

bool kafka_questions_others_have_passed(struct kafka_questions *q,
					const rd_kafka_topic_partition_list_t *ours,
					int64_t time_ms)
{
	bool passed;

	pthread_mutex_lock(&q->lock);
	passed = time_ms <= q->passed_ms;
	/* The earliest first: what comes before it is done soonest. */
	if (!passed && (q->next.time_ms == 0 || time_ms < q->next.time_ms)) {
		q->next.time_ms = time_ms;
		ask(q, ours);
	}
	pthread_mutex_unlock(&q->lock);
	return passed;
}
