#include "backfill/coordinator_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define FIRST_PAUSE_MS 1000
/* Of a fingerprint, in messages. */
#define LONGEST_SHOWN 300

int64_t coordinator_now(const struct coordinator_clock *clock)
{
	return clock->now_ms ? clock->now_ms(clock->user) : clock_wall_ms();
}

static bool is_session_name(const char *name)
{
	for (const char *at = name; *at; at++)
		if (!(*at >= '0' && *at <= '9') && !(*at >= 'a' && *at <= 'z') &&
		    !(*at >= 'A' && *at <= 'Z') && *at != '-')
			return false;
	return strlen(name) <= COORDINATOR_SESSION_MAX;
}

int coordinator_check_options(const struct coordinator_options *options, struct err *err)
{
	if (!is_session_name(options->session))
		return err_set(err, ERR_USAGE,
			       "the session name '%s' cannot be used: give at most %d letters, "
			       "digits and '-'",
			       options->session, COORDINATOR_SESSION_MAX);
	if (options->worker && strlen(options->worker) >= COORDINATOR_WORKER_SIZE)
		return err_set(err, ERR_USAGE, "the worker's name is longer than %d bytes",
			       COORDINATOR_WORKER_SIZE - 1);
	if (options->lease_ms < 1 || options->max_lease_ms < options->lease_ms ||
	    options->max_failures < 1)
		return err_set(err, ERR_USAGE,
			       "a lease of %" PRId64 " ms, at most %" PRId64 " ms, and %" PRId32
			       " failures make no sense together",
			       options->lease_ms, options->max_lease_ms, options->max_failures);
	return 0;
}

void coordinator_worker_name(const struct coordinator_options *options,
			     char out[static COORDINATOR_WORKER_SIZE])
{
	char host[COORDINATOR_WORKER_SIZE - 20];

	if (options->worker) {
		snprintf(out, COORDINATOR_WORKER_SIZE, "%s", options->worker);
		return;
	}
	if (gethostname(host, sizeof(host)) < 0)
		snprintf(host, sizeof(host), "unknown");
	host[sizeof(host) - 1] = '\0';
	snprintf(out, COORDINATOR_WORKER_SIZE, "%s-%ld", host, (long)getpid());
}

void coordinator_draw_token(char out[static COORDINATOR_TOKEN_SIZE])
{
	uint8_t bytes[COORDINATOR_TOKEN_SIZE / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		BUG("no random bytes, which every Linux has");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* first * 2^exponent, not above `most`. */
static int64_t doubled(int64_t first, int64_t exponent, int64_t most)
{
	int64_t value = first;

	for (int64_t i = 0; i < exponent && value < most; i++)
		value = value > most / 2 ? most : value * 2;
	return MIN(value, most);
}

int64_t coordinator_lease_ms(const struct coordinator_options *options, int64_t exponent)
{
	return doubled(options->lease_ms, exponent, options->max_lease_ms);
}

int64_t coordinator_pause_ms(const struct coordinator_options *options, int64_t failures)
{
	return doubled(MIN(FIRST_PAUSE_MS, options->lease_ms), failures - 1, options->lease_ms);
}

void coordinator_check_division(const struct work_claim *claim, const struct work_item *ranges,
				size_t count)
{
	const struct work_item *item = &claim->item;

	if (claim->divided)
		BUG("a range of a divided work item is divided");
	if (count == 0 || ranges[0].first_doc != item->first_doc ||
	    (item->end_doc != WORK_TO_END && ranges[count - 1].end_doc != item->end_doc))
		BUG("a work item is divided into ranges of another");
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(ranges[i].index, item->index) || ranges[i].shard != item->shard ||
		    ranges[i].first_doc >= ranges[i].end_doc)
			BUG("a work item is divided into ranges of another, or empty ones");
		if (i > 0 && ranges[i].first_doc != ranges[i - 1].end_doc)
			BUG("a work item is divided with gaps");
	}
}

int coordinator_check_progress(const struct work_progress *progress, struct err *err)
{
	if (progress->state.len > LIMIT_WORK_STATE)
		return err_set(err, ERR_LIMIT,
			       "the state of a work item has %zu bytes and may have %zu",
			       progress->state.len, LIMIT_WORK_STATE);
	return 0;
}

int coordinator_lease_lost(const struct work_claim *claim, struct err *err)
{
	return err_set(err, ERR_LEASE_LOST,
		       "the lease of index '" STR_FMT "' shard %" PRId32 " from document %" PRId64
		       " was lost: another worker goes on with it",
		       STR_ARG(claim->item.index), claim->item.shard, claim->item.first_doc);
}

int coordinator_other_session(const char *session, const char *where, struct str made_for,
			      struct str asked_for, struct err *err)
{
	return err_set(err, ERR_USAGE,
		       "the session '%s' in %s was begun for '%.*s', not for '%.*s': give another "
		       "--session-name, or the source and plan that it was begun with",
		       session, where, (int)MIN(made_for.len, LONGEST_SHOWN), made_for.ptr,
		       (int)MIN(asked_for.len, LONGEST_SHOWN), asked_for.ptr);
}

void work_claim_init(struct work_claim *claim)
{
	*claim = (struct work_claim){.mem = ARENA_INIT(MIB(8))};
}

void work_claim_release(struct work_claim *claim)
{
	if (!claim)
		return;
	arena_release(&claim->mem);
	*claim = (struct work_claim){0};
}

int work_claim_fill(struct work_claim *claim, const struct work_item *item,
		    const struct work_progress *progress, struct err *err)
{
	claim->item = *item;
	claim->progress = *progress;
	claim->item.index = arena_str(&claim->mem, item->index);
	if (progress->state.ptr)
		claim->progress.state = arena_str(&claim->mem, progress->state);
	if (claim->mem.failed)
		return arena_fail(&claim->mem, "a work item", err);
	return 0;
}

void work_claim_narrow(struct work_claim *claim, const struct work_item *range)
{
	claim->item.end_doc = range->end_doc;
	claim->item.bytes = range->bytes;
	claim->divided = true;
}

void work_claim_checkpointed(struct work_claim *claim, const struct work_progress *progress,
			     int64_t lease_ms, int64_t began_ms, bool progressed)
{
	claim->progress = *progress;
	claim->progress.state = STR_NONE;
	if (progressed)
		claim->failures = 0;
	claim->lease_ms = lease_ms;
	claim->lease_until_ms = began_ms + lease_ms;
}
