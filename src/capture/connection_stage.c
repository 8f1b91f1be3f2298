#include "capture/connection_internal.h"

/* Times are those of the record: no clock is read for a request that is neither held nor breaks
 * off. */
static int64_t next_stage(struct connection *c, enum capture_activity next, int64_t now_us,
			  bool failed)
{
	int64_t took_us = MAX(now_us - c->stage_us, 0);

	if (c->stage != CAPTURE_CONNECTION)
		activity_tally_add(&c->loop->tallies[c->stage], took_us, failed);
	c->stage = next;
	c->stage_us = now_us;
	return took_us;
}

static int64_t now_us(void)
{
	return record_time_us(record_time_now());
}

static void answer_came(struct connection *c, int64_t at_us)
{
	if (c->stage == CAPTURE_WAITING && http1_head_done(&c->response))
		next_stage(c, CAPTURE_GATHERING_RESPONSE, at_us, false);
	if (c->stage == CAPTURE_GATHERING_RESPONSE && c->response_done)
		next_stage(c, CAPTURE_CONNECTION, at_us, false);
}

/* Its answer may be there already, and then it waits for none. */
static int64_t wait_for_answer(struct connection *c, int64_t at_us, bool failed)
{
	bool answered = http1_head_done(&c->response);
	int64_t took_us = next_stage(c, answered ? CAPTURE_GATHERING_RESPONSE : CAPTURE_WAITING,
				     at_us, failed);

	answer_came(c, at_us);
	return took_us;
}

/* What was read while the exchange before it went on begins when that is over. */
static int64_t read_us(const struct connection *c)
{
	return MAX(record_time_us(c->read_time), c->stage_us);
}

void connection_stage_begin(struct connection *c)
{
	if (c->stage == CAPTURE_CONNECTION)
		next_stage(c, CAPTURE_GATHERING_REQUEST, read_us(c), false);
}

void connection_stage_whole(struct connection *c, bool held)
{
	/* Its last byte may have come before the gate was open. */
	int64_t at_us = c->was_parked ? now_us() : read_us(c);

	c->was_parked = false;
	if (held)
		next_stage(c, CAPTURE_BLOCKED, at_us, false);
	else
		wait_for_answer(c, at_us, false);
}

uint64_t connection_stage_released(struct connection *c, bool failed)
{
	return (uint64_t)wait_for_answer(c, now_us(), failed);
}

void connection_stage_answer(struct connection *c, struct record_time now)
{
	if (c->stage != CAPTURE_CONNECTION)
		answer_came(c, record_time_us(now));
}

void connection_stage_break(struct connection *c)
{
	c->was_parked = false;
	if (c->stage != CAPTURE_CONNECTION)
		next_stage(c, CAPTURE_CONNECTION, now_us(), true);
}
