#include "capture/resolver.h"

#include <stdlib.h>
#include <time.h>

struct resolver {
	struct gate *gate;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hurry, stop; /* under the lock */
};

static struct timespec after(time_t seconds)
{
	struct timespec when;

	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += seconds;
	return when;
}

/* False: stop. Hurry is only heeded behind the pause. */
static bool wait_for_turn(struct resolver *r)
{
	struct timespec pause = after(RESOLVE_PAUSE_S), turn = after(RESOLVE_EVERY_S);
	bool stop;

	pthread_mutex_lock(&r->lock);
	while (!r->stop && pthread_cond_timedwait(&r->changed, &r->lock, &pause) == 0)
		;
	while (!r->stop && !r->hurry && pthread_cond_timedwait(&r->changed, &r->lock, &turn) == 0)
		;
	r->hurry = false;
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return !stop;
}

static void *run(void *user)
{
	struct resolver *r = user;

	while (wait_for_turn(r)) {
		bool capture;
		struct destination *destination = gate_destination(r->gate, &capture);
		struct err ignored = {0};

		destination_resolve(destination, &ignored);
		destination_unref(destination);
	}
	return NULL;
}

int resolver_start(struct gate *gate, struct resolver **out, struct err *err)
{
	struct resolver *r = mem_zalloc(sizeof(*r));
	pthread_condattr_t attributes;

	r->gate = gate;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&r->thread, NULL, run, r) != 0) {
		pthread_cond_destroy(&r->changed);
		pthread_mutex_destroy(&r->lock);
		free(r);
		return err_set(err, ERR_NOMEM, "starting the thread that looks up names");
	}
	*out = r;
	return 0;
}

void resolver_hurry(struct resolver *r)
{
	pthread_mutex_lock(&r->lock);
	r->hurry = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void resolver_stop(struct resolver *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
