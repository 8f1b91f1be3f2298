/* A segment log as a source of records. */
#include "traffic/commit_tracker.h"
#include "traffic/record_source.h"
#include "traffic/segment_log.h"

#include <stdlib.h>

struct log_source {
	struct record_source source;
	struct segment_log_reader *reader;
	char *group; /* owned; NULL: none */
	bool follow;
	uint64_t end; /* without follow */
	struct commit_tracker tracker;
	uint64_t committed;
};

static int log_next(struct record_source *source, int timeout_ms, struct record_item *out,
		    struct err *err)
{
	struct log_source *log = (struct log_source *)source;
	struct segment_log_entry entry;
	int got = segment_log_reader_next(log->reader, log->follow ? timeout_ms : 0, &entry, err);

	if (got < 0)
		return got;
	if (got == 0)
		return log->follow ? RECORD_SOURCE_NOTHING_YET : RECORD_SOURCE_END;
	if (!log->follow && entry.offset >= log->end)
		return RECORD_SOURCE_END;
	*out = (struct record_item){.position = {.offset = entry.offset},
				    .time_ms = entry.time_ms,
				    .key = entry.key,
				    .bytes = entry.bytes};
	commit_tracker_begin(&log->tracker, entry.offset);
	return RECORD_SOURCE_ITEM;
}

static void log_finish(struct record_source *source, struct record_position position)
{
	struct log_source *log = (struct log_source *)source;

	commit_tracker_finish(&log->tracker, position.offset);
}

static int log_commit(struct record_source *source, struct err *err)
{
	struct log_source *log = (struct log_source *)source;
	uint64_t committable = commit_tracker_committable(&log->tracker);
	int failed = 0;

	if (!log->group || committable == log->committed)
		return 0;
	failed = segment_log_group_commit(source->name, log->group, committable, err);
	if (failed == 0)
		log->committed = committable;
	return failed;
}

static void log_close(struct record_source *source)
{
	struct log_source *log = (struct log_source *)source;

	segment_log_reader_close(log->reader);
	commit_tracker_release(&log->tracker);
	free(log->group);
	free(source->name);
	free(log);
}

static const struct record_source_ops log_ops = {
	.next = log_next, .finish = log_finish, .commit = log_commit, .close = log_close};

/* Where the options say; *begin gets the offset that is committed by then. */
static int go_to_beginning(struct log_source *log, const struct log_source_options *options,
			   uint64_t *begin, struct err *err)
{
	uint64_t committed = 0, end;
	int got = segment_log_reader_range(log->reader, begin, &end, err);

	log->end = end;
	if (got == 0 && log->group)
		got = segment_log_group_committed(log->source.name, log->group, &committed, err);
	if (got < 0)
		return got;
	if (got == 1) {
		*begin = committed;
		return segment_log_reader_seek(log->reader, committed, err);
	}
	if (options->has_from_time)
		return segment_log_reader_seek_time(log->reader, options->from_time_ms, err);
	if (options->has_from_offset)
		*begin = options->from_offset;
	return segment_log_reader_seek(log->reader, *begin, err);
}

/* By time, what is first is known once it is read; the group holds all until then. */
static int register_group(struct log_source *log, uint64_t begin, struct err *err)
{
	uint64_t committed;
	int got = segment_log_group_committed(log->source.name, log->group, &committed, err);

	if (got == 0)
		got = segment_log_group_commit(log->source.name, log->group, begin, err);
	return MIN(got, 0);
}

int log_source_open(const char *folder, const struct log_source_options *options,
		    struct record_source **out, struct err *err)
{
	static const struct log_source_options none;
	struct log_source *log = mem_zalloc(sizeof(*log));
	uint64_t begin = 0;
	int failed;

	options = options ? options : &none;
	log->source.ops = &log_ops;
	log->source.name = mem_strdup(folder);
	log->source.in_order = true;
	log->group = options->group ? mem_strdup(options->group) : NULL;
	log->follow = options->follow;
	failed = segment_log_reader_open(folder, &log->reader, err);
	if (failed == 0)
		failed = go_to_beginning(log, options, &begin, err);
	if (failed == 0 && log->group)
		failed = register_group(log, begin, err);
	if (failed < 0) {
		log_close(&log->source);
		return failed;
	}
	log->tracker = COMMIT_TRACKER_INIT(begin);
	log->committed = begin;
	*out = &log->source;
	return 0;
}
