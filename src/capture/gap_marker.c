#include "capture/gap_marker.h"

#include <inttypes.h>
#include <stdio.h>

#define TRY_EVERY_MS 1000

void gap_marker_note(struct gap_marker *m, struct record_time now, const char *reason)
{
	if (m->noted == m->marking) {
		m->first = now;
		snprintf(m->reason, sizeof(m->reason), "%s", reason);
	}
	m->last = now;
	m->noted++;
}

bool gap_marker_is_due(const struct gap_marker *m, int64_t now_ms)
{
	return m->noted > 0 && !m->under_way &&
	       (m->tried_ms == 0 || now_ms - m->tried_ms >= TRY_EVERY_MS);
}

void gap_marker_begin(struct gap_marker *m, const struct recorder_options *options, int64_t now_ms)
{
	char text[RECORD_EXCEPTION_MAX];

	snprintf(text, sizeof(text),
		 RECORD_GAP_PREFIX
		 "%" PRIu64 " went to the source without a record, the last at %" PRId64 " ms: %s",
		 m->noted, record_time_ms(m->last), m->reason);
	m->marking = m->noted;
	m->under_way = true;
	m->tried_ms = now_ms;
	recorder_init(&m->recorder, options);
	recorder_exception(&m->recorder, m->first, str_from(text));
	recorder_close(&m->recorder);
}

void gap_marker_settle(struct gap_marker *m)
{
	if (!m->under_way)
		return;
	recorder_retry(&m->recorder);
	if (!recorder_is_settled(&m->recorder))
		return;
	if (m->recorder.lost == 0) {
		m->noted -= m->marking;
		m->tried_ms = 0;
	}
	m->marking = 0;
	m->under_way = false;
	recorder_release(&m->recorder);
}
