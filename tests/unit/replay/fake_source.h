/* Captured conversations in memory, as a source of records. */
#ifndef TEST_REPLAY_FAKE_SOURCE_H
#define TEST_REPLAY_FAKE_SOURCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_server.h"
#include "replay/replay.h"

enum { FAKE_RECORDS = 1000 };

struct fake_source {
	struct record_source source;
	struct record *records[FAKE_RECORDS];
	struct buf bytes;
	size_t count, given, finished;
};

static inline int fake_give(struct record_source *source, int timeout_ms, struct record_item *out,
			    struct err *err)
{
	struct fake_source *s = (struct fake_source *)source;
	const struct record *record;

	(void)timeout_ms;
	(void)err;
	if (s->given == s->count)
		return RECORD_SOURCE_END;
	record = s->records[s->given];
	buf_reset(&s->bytes);
	record_copy(record, buf_reserve(&s->bytes, record->bytes));
	s->bytes.len = record->bytes;
	*out = (struct record_item){.position.offset = s->given++,
				    .time_ms = -1,
				    .key = record->connection_id,
				    .bytes = buf_str(&s->bytes)};
	return RECORD_SOURCE_ITEM;
}

static inline void fake_finish(struct record_source *source, struct record_position position)
{
	(void)position;
	((struct fake_source *)source)->finished++;
}

static inline int fake_commit(struct record_source *source, struct err *err)
{
	(void)source;
	(void)err;
	return 0;
}

static inline void fake_end(struct record_source *source)
{
	(void)source;
}

static const struct record_source_ops fake_ops = {
	.next = fake_give, .finish = fake_finish, .commit = fake_commit, .close = fake_end};

static inline void fake_source_add(struct fake_source *s, struct record_writer *w)
{
	record_writer_finish(w);
	s->records[s->count] = record_writer_take(w);
	assert_non_null(s->records[s->count]);
	assert_null(record_writer_take(w));
	s->count++;
	record_writer_free(w);
}

static inline void fake_source_release(struct fake_source *s)
{
	for (size_t i = 0; i < s->count; i++)
		record_free(s->records[i]);
	buf_release(&s->bytes);
}

static inline struct replay_options fake_replay_options(struct fake_source *source,
							struct fake_server *server)
{
	source->source.ops = &fake_ops;
	source->bytes = BUF_INIT(MIB(1));
	return (struct replay_options){.source = &source->source,
				       .target.host = fake_server_url(server),
				       .speedup = 1000,
				       .lookahead_ms = 300000,
				       .lookahead_bytes = MIB(64),
				       .most_requests = 50,
				       .settle_ms = 1000,
				       .silent_ms = 70000,
				       .grace_ms = 60000,
				       .retry_ms = 600000,
				       .update_wait_ms = 60000};
}

#endif
