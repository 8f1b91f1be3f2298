#include "capture/gate.h"

#include "base/clock.h"

void gate_init(struct gate *gate, struct destination *destination, int64_t limit_ms,
	       uint64_t limit_bytes)
{
	*gate = (struct gate){.limit_ms = limit_ms,
			      .limit_bytes = limit_bytes,
			      .original = destination,
			      .current = destination_ref(destination),
			      .original_capturing = true,
			      .capturing = true};
	pthread_mutex_init(&gate->lock, NULL);
}

void gate_release(struct gate *gate)
{
	destination_unref(gate->original);
	destination_unref(gate->current);
	pthread_mutex_destroy(&gate->lock);
}

bool gate_close(struct gate *gate)
{
	bool closed;

	pthread_mutex_lock(&gate->lock);
	closed = !atomic_load(&gate->closed);
	if (closed) {
		destination_unref(gate->original);
		gate->original = destination_ref(gate->current);
		gate->original_capturing = gate->capturing;
		gate->deadline_ms = clock_monotonic_ms() + gate->limit_ms;
		atomic_store(&gate->closed, true);
	}
	pthread_mutex_unlock(&gate->lock);
	return closed;
}

static void set_current(struct gate *gate, struct destination *destination, bool capture)
{
	destination_unref(gate->current);
	gate->current = destination;
	gate->capturing = capture;
}

static bool expired(const struct gate *gate)
{
	return !atomic_load(&gate->closed) &&
	       (gate->opened == GATE_TIMED_OUT || gate->opened == GATE_FULL);
}

bool gate_switch(struct gate *gate, struct destination *destination, bool capture)
{
	bool refused;

	pthread_mutex_lock(&gate->lock);
	refused = expired(gate);
	if (refused)
		destination_unref(destination);
	else
		set_current(gate, destination, capture);
	pthread_mutex_unlock(&gate->lock);
	return !refused;
}

static bool open_locked(struct gate *gate, enum gate_opened why)
{
	if (!atomic_load(&gate->closed))
		return false;
	if (why != GATE_RELEASED)
		set_current(gate, destination_ref(gate->original), gate->original_capturing);
	gate->opened = why;
	atomic_store(&gate->closed, false);
	return true;
}

bool gate_open(struct gate *gate, enum gate_opened why)
{
	bool opened;

	pthread_mutex_lock(&gate->lock);
	opened = open_locked(gate, why);
	pthread_mutex_unlock(&gate->lock);
	return opened;
}

bool gate_check(struct gate *gate, enum gate_opened *why)
{
	bool opened = false;

	if (!atomic_load(&gate->closed))
		return false;
	pthread_mutex_lock(&gate->lock);
	*why = atomic_load(&gate->bytes) > gate->limit_bytes ? GATE_FULL : GATE_TIMED_OUT;
	if (*why == GATE_FULL || clock_monotonic_ms() >= gate->deadline_ms)
		opened = open_locked(gate, *why);
	pthread_mutex_unlock(&gate->lock);
	return opened;
}

struct destination *gate_destination(struct gate *gate, bool *capture)
{
	struct destination *destination;

	pthread_mutex_lock(&gate->lock);
	destination = destination_ref(gate->current);
	*capture = gate->capturing;
	pthread_mutex_unlock(&gate->lock);
	return destination;
}

/* Either the one who closes it sees this request inside, or the request sees it closed. */
bool gate_enter(struct gate *gate)
{
	atomic_fetch_add(&gate->in_flight, 1);
	if (!atomic_load(&gate->closed))
		return true;
	atomic_fetch_sub(&gate->in_flight, 1);
	return false;
}

void gate_leave(struct gate *gate)
{
	atomic_fetch_sub(&gate->in_flight, 1);
}
