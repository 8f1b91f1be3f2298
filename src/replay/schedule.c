#include "replay/schedule.h"

/* Ten thousand years: further away is never, and no overflow. */
#define FAR_MS 3e14

static void pass(struct schedule *s, int64_t captured_ms)
{
	if (captured_ms <= s->latest_ms)
		return;
	if (s->gap_ms > 0 && captured_ms - s->latest_ms > s->gap_ms)
		s->skipped_ms += captured_ms - s->latest_ms - s->gap_ms;
	s->latest_ms = captured_ms;
}

int64_t schedule_due(struct schedule *s, int64_t captured_ms, int64_t now_ms)
{
	double away;

	if (captured_ms <= 0)
		return now_ms;
	if (!s->started) {
		s->started = true;
		s->first_ms = s->latest_ms = captured_ms;
		s->start_ms = now_ms;
	}
	pass(s, captured_ms);
	captured_ms -= s->skipped_ms;
	if (captured_ms <= s->first_ms)
		return s->start_ms;
	away = (double)(captured_ms - s->first_ms) / s->speedup;
	return s->start_ms + (int64_t)MIN(away, FAR_MS);
}

bool schedule_may_read(struct schedule *s, int64_t captured_ms, int64_t now_ms)
{
	double reached;

	if (!s->started)
		return true;
	pass(s, captured_ms);
	captured_ms -= s->skipped_ms;
	reached = (double)s->first_ms + (double)(now_ms - s->start_ms) * s->speedup;
	return (double)captured_ms <= reached + (double)s->window_ms;
}
