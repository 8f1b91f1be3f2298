#include "cli/progress_bar.h"

#include "cli/number_text.h"

#include <inttypes.h>

#define BAR_MIN 8
#define BAR_MAX 40

/* Below this the clock's grain says more than the counters. */
#define SHORTEST_MS 200

void progress_history_add(struct progress_history *history, struct progress_sample sample)
{
	history->samples[history->next] = sample;
	history->next = (history->next + 1) % PROGRESS_SAMPLES;
	history->count = MIN(history->count + 1, (size_t)PROGRESS_SAMPLES);
}

static const struct progress_sample *newest(const struct progress_history *history)
{
	return &history->samples[(history->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES];
}

static const struct progress_sample *oldest(const struct progress_history *history)
{
	return &history->samples[history->count < PROGRESS_SAMPLES ? 0 : history->next];
}

static double per_second(const struct progress_history *history, uint64_t from, uint64_t to)
{
	int64_t elapsed = newest(history)->time_ms - oldest(history)->time_ms;

	if (history->count < 2 || elapsed < SHORTEST_MS || to < from)
		return 0;
	return (double)(to - from) * 1000 / (double)elapsed;
}

double progress_documents_per_second(const struct progress_history *history)
{
	return per_second(history, oldest(history)->documents, newest(history)->documents);
}

int64_t progress_seconds_left(const struct progress_history *history)
{
	const struct progress_sample *now = newest(history);
	double pace = per_second(history, oldest(history)->bytes_read, now->bytes_read);
	double left;

	if (now->bytes_total == 0)
		return -1;
	if (now->bytes_read >= now->bytes_total)
		return 0;
	left = (double)(now->bytes_total - now->bytes_read);
	return pace > 0 && left / pace < 360000 ? (int64_t)(left / pace + 0.5) : -1;
}

/* Full only when all is read. */
static unsigned percent(const struct progress_sample *now)
{
	if (now->bytes_total == 0)
		return 0;
	if (now->bytes_read >= now->bytes_total)
		return 100;
	return (unsigned)((double)now->bytes_read * 100 / (double)now->bytes_total);
}

static void format_words(struct buf *out, const struct progress_history *history)
{
	const struct progress_sample *now = newest(history);
	char read[NUMBER_TEXT_MAX], total[NUMBER_TEXT_MAX], eta[NUMBER_TEXT_MAX];
	int64_t left = progress_seconds_left(history);

	buf_printf(out,
		   "%3u%%  %s of %s  %" PRIu64 " documents  %.0f/s  ETA %s  %" PRIu64 " failed",
		   percent(now), bytes_text(now->bytes_read, read),
		   bytes_text(now->bytes_total, total), now->documents,
		   progress_documents_per_second(history),
		   left < 0 ? "--:--" : duration_text((uint64_t)left, eta), now->failed);
	if (now->retries > 0)
		buf_printf(out, "  %" PRIu64 " retries", now->retries);
}

void progress_format(struct buf *out, const struct progress_history *history, size_t width)
{
	cleanup(buf_release) struct buf words = BUF_INIT(KIB(1));
	size_t room, filled;

	format_words(&words, history);
	/* Brackets and the space after them. */
	room = width > words.len + 3 ? MIN(width - words.len - 3, (size_t)BAR_MAX) : 0;
	if (room >= BAR_MIN) {
		filled = room * percent(newest(history)) / 100;
		buf_append_byte(out, '[');
		for (size_t i = 0; i < room; i++)
			buf_append_byte(out, i < filled ? '#' : '.');
		buf_append_str(out, STR("] "));
	}
	if (width > 0)
		words.len = MIN(words.len, width);
	buf_append_str(out, buf_str(&words));
}
