#include "backfill/pressure.h"

#include "backfill/pressure_internal.h"
#include "backfill/token_bucket.h"
#include "base/clock.h"
#include "base/limits.h"

#include <stdlib.h>
#include <time.h>

#define FIRST_ALLOWED 2 /* doubled by each good round until the first bad one */
#define POLL_MS 50      /* a stop flag wakes nobody */
/* What a request costs beside its bytes, in bytes: small bulks are not slow ones. */
#define REQUEST_WEIGHT KIB(256)
/* Latency holds up to so many times the best; the best gives way to what lasts, lest one good
 * minute rules for days. */
#define TOLERATED 2
#define FORGETS_IN 16 /* rounds */

/* Bulks that left since the number allowed was last looked at. */
struct pressure_round {
	int64_t left;
	int64_t most_in_flight;
	int64_t elapsed_ms;
	double weight; /* bytes and requests */
};

struct pressure {
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	struct pressure_clock clock;
	int64_t max_in_flight;
	bool adaptive;
	int64_t allowed, in_flight;
	struct pressure_round round;
	double best;   /* ms for each byte of weight; 0: not known yet */
	bool starting; /* no bad round yet */
	int64_t halved_at_ms;
	struct token_bucket documents, bytes;
	uint64_t refusals;
	bool paused;
};

static int64_t system_now(void *user)
{
	(void)user;
	return clock_monotonic_ms();
}

static void system_wait(void *user, pthread_cond_t *changed, pthread_mutex_t *lock, int64_t ms)
{
	struct timespec until;

	(void)user;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(changed, lock, &until);
}

static int64_t now(const struct pressure *pressure)
{
	return pressure->clock.now_ms(pressure->clock.user);
}

struct pressure *pressure_new_by(const struct pressure_options *options,
				 const struct pressure_clock *clock)
{
	struct pressure *pressure = mem_zalloc(sizeof(*pressure));
	pthread_condattr_t monotonic;

	pthread_mutex_init(&pressure->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pressure->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pressure->clock = *clock;
	pressure->halved_at_ms = INT64_MIN / 2;
	pressure->max_in_flight = MAX(options->max_in_flight, 1);
	pressure->adaptive = pressure->starting = options->adaptive;
	pressure->allowed = options->adaptive ? MIN(FIRST_ALLOWED, pressure->max_in_flight)
					      : pressure->max_in_flight;
	pressure_set_rates(pressure, options->documents_per_second, options->bytes_per_second);
	return pressure;
}

struct pressure *pressure_new(const struct pressure_options *options)
{
	static const struct pressure_clock system = {.now_ms = system_now, .wait = system_wait};

	return pressure_new_by(options, &system);
}

void pressure_free(struct pressure *pressure)
{
	if (!pressure)
		return;
	pthread_cond_destroy(&pressure->changed);
	pthread_mutex_destroy(&pressure->lock);
	free(pressure);
}

/* Milliseconds to wait at most before looking again; 0: go on. */
static int64_t time_to_wait(struct pressure *pressure)
{
	int64_t now_ms = now(pressure);
	int64_t documents = token_bucket_wait(&pressure->documents, now_ms);
	int64_t bytes = token_bucket_wait(&pressure->bytes, now_ms);

	if (pressure->paused || pressure->in_flight >= pressure->allowed)
		return POLL_MS;
	return MIN(MAX(documents, bytes), POLL_MS);
}

bool pressure_enter(struct pressure *pressure, size_t documents, size_t bytes,
		    const atomic_bool *stop)
{
	bool enters = false;

	pthread_mutex_lock(&pressure->lock);
	while (!(stop && atomic_load(stop))) {
		int64_t wait_ms = time_to_wait(pressure);

		enters = wait_ms == 0;
		if (enters)
			break;
		pressure->clock.wait(pressure->clock.user, &pressure->changed, &pressure->lock,
				     wait_ms);
	}
	if (enters) {
		token_bucket_take(&pressure->documents, documents);
		token_bucket_take(&pressure->bytes, bytes);
		pressure->in_flight++;
		pressure->round.most_in_flight =
			MAX(pressure->round.most_in_flight, pressure->in_flight);
	}
	pthread_mutex_unlock(&pressure->lock);
	return enters;
}

static void begin_round(struct pressure *pressure)
{
	pressure->round = (struct pressure_round){.most_in_flight = pressure->in_flight};
}

/* What was sent before it was halved last has met the same trouble: it counts once. */
static void halve(struct pressure *pressure, int64_t elapsed_ms)
{
	int64_t now_ms = now(pressure);

	pressure->starting = false;
	if (!pressure->adaptive || now_ms - elapsed_ms <= pressure->halved_at_ms)
		return;
	pressure->allowed = MAX(pressure->allowed / 2, 1);
	pressure->halved_at_ms = now_ms;
	begin_round(pressure);
}

/* At the end of a round: whether its bulks took no longer than they should. */
static bool latency_holds(struct pressure *pressure)
{
	double cost = (double)pressure->round.elapsed_ms / pressure->round.weight;

	if (pressure->best <= 0 || cost < pressure->best)
		pressure->best = cost;
	if (cost <= pressure->best * TOLERATED)
		return true;
	pressure->best += (cost - pressure->best) / FORGETS_IN;
	return false;
}

static void grow(struct pressure *pressure)
{
	bool was_full = pressure->round.most_in_flight >= pressure->allowed;

	if (!latency_holds(pressure))
		pressure->starting = false;
	else if (was_full)
		pressure->allowed =
			MIN(pressure->allowed + (pressure->starting ? pressure->allowed : 1),
			    pressure->max_in_flight);
	begin_round(pressure);
}

static void count_good(struct pressure *pressure, const struct pressure_outcome *outcome)
{
	struct pressure_round *round = &pressure->round;

	round->left++;
	round->elapsed_ms += MAX(outcome->elapsed_ms, 0);
	round->weight += (double)outcome->bytes + REQUEST_WEIGHT;
	if (round->left >= pressure->allowed)
		grow(pressure);
}

void pressure_leave(struct pressure *pressure, const struct pressure_outcome *outcome)
{
	pthread_mutex_lock(&pressure->lock);
	if (pressure->in_flight == 0)
		BUG("a bulk leaves that never entered");
	pressure->refusals += outcome->refusals;
	if (outcome->refusals > 0)
		halve(pressure, MAX(outcome->elapsed_ms, 0));
	else if (pressure->adaptive)
		count_good(pressure, outcome);
	pressure->in_flight--;
	pthread_cond_broadcast(&pressure->changed);
	pthread_mutex_unlock(&pressure->lock);
}

void pressure_refused(struct pressure *pressure, int64_t elapsed_ms)
{
	pthread_mutex_lock(&pressure->lock);
	halve(pressure, MAX(elapsed_ms, 0));
	pthread_mutex_unlock(&pressure->lock);
}

void pressure_set_rates(struct pressure *pressure, int64_t documents_per_second,
			int64_t bytes_per_second)
{
	pthread_mutex_lock(&pressure->lock);
	token_bucket_set(&pressure->documents, documents_per_second, now(pressure));
	token_bucket_set(&pressure->bytes, bytes_per_second, now(pressure));
	pthread_cond_broadcast(&pressure->changed);
	pthread_mutex_unlock(&pressure->lock);
}

void pressure_pause(struct pressure *pressure, bool paused)
{
	pthread_mutex_lock(&pressure->lock);
	pressure->paused = paused;
	pthread_cond_broadcast(&pressure->changed);
	pthread_mutex_unlock(&pressure->lock);
}

struct pressure_state pressure_look(struct pressure *pressure)
{
	struct pressure_state state;

	pthread_mutex_lock(&pressure->lock);
	state = (struct pressure_state){.allowed = pressure->allowed,
					.in_flight = pressure->in_flight,
					.documents_per_second = pressure->documents.per_second,
					.bytes_per_second = pressure->bytes.per_second,
					.paused = pressure->paused,
					.refusals = pressure->refusals};
	pthread_mutex_unlock(&pressure->lock);
	return state;
}
