#include "cli/progress_bar.h"

#include "cli/number_text.h"

#include <inttypes.h>

#define BAR_MIN 8
#define BAR_MAX 40

/* Columns kept for the words, so that the bar does not change its length with their digits. */
#define WORDS_USUAL 64

/* Columns from which a line tells of retries too. */
#define WIDE 110

/* Below this the clock's grain says more than the counters. */
#define SHORTEST_MS 200

static const struct progress_sample *newest(const struct progress_history *history)
{
	return &history->samples[(history->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES];
}

void progress_history_add(struct progress_history *history, struct progress_sample sample)
{
	if (history->count > 0 && newest(history)->jumps != sample.jumps)
		history->count = history->next = 0;
	history->samples[history->next] = sample;
	history->next = (history->next + 1) % PROGRESS_SAMPLES;
	history->count = MIN(history->count + 1, (size_t)PROGRESS_SAMPLES);
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
	double pace = per_second(history, oldest(history)->bytes_done, now->bytes_done);
	double left;

	if (now->bytes_total == 0)
		return -1;
	if (now->bytes_done >= now->bytes_total)
		return 0;
	left = (double)(now->bytes_total - now->bytes_done);
	return pace > 0 && left / pace < 360000 ? (int64_t)(left / pace + 0.5) : -1;
}

uint64_t progress_bytes_done(uint64_t bytes_read, uint64_t documents_read,
			     uint64_t documents_answered)
{
	if (documents_answered >= documents_read)
		return bytes_read;
	return (uint64_t)((double)bytes_read * (double)documents_answered / (double)documents_read);
}

/* Full only when all is read. */
static unsigned percent(const struct progress_sample *now)
{
	if (now->bytes_total == 0)
		return 0;
	if (now->bytes_done >= now->bytes_total)
		return 100;
	return (unsigned)((double)now->bytes_done * 100 / (double)now->bytes_total);
}

/* "1.2/3.4 GiB", "512.0 KiB/3.4 GiB" */
static void format_bytes(struct buf *out, const struct progress_sample *now)
{
	char done[NUMBER_TEXT_MAX], total[NUMBER_TEXT_MAX];
	char *unit;

	bytes_text(now->bytes_done, done);
	bytes_text(now->bytes_total, total);
	unit = strchr(done, ' ');
	if (unit && strcmp(unit, strchr(total, ' ')) == 0)
		*unit = '\0';
	buf_printf(out, "%s/%s", done, total);
}

static void format_words(struct buf *out, const struct progress_history *history, bool with_retries)
{
	const struct progress_sample *now = newest(history);
	char eta[NUMBER_TEXT_MAX];
	int64_t left = progress_seconds_left(history);

	buf_printf(out, "%3u%% ", percent(now));
	format_bytes(out, now);
	buf_printf(out, "  %" PRIu64 " docs  %.0f/s  ETA %s  %" PRIu64 " failed", now->documents,
		   progress_documents_per_second(history),
		   left < 0 ? "--:--" : duration_text((uint64_t)left, eta), now->failed);
	if (with_retries && now->retries > 0)
		buf_printf(out, "  %" PRIu64 " retries", now->retries);
}

void progress_format(struct buf *out, const struct progress_history *history, size_t width)
{
	cleanup(buf_release) struct buf words = BUF_INIT(KIB(1));
	size_t taken, room, filled;

	format_words(&words, history, width == 0 || width >= WIDE);
	taken = MAX(words.len, (size_t)WORDS_USUAL) + strlen("[] ");
	room = width > taken ? MIN(width - taken, (size_t)BAR_MAX) : 0;
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
