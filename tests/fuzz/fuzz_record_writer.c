/* What a writer of records was told, in any order and of any size, is read again from its records:
 * each within the limit, numbered from 1, and saying right what came before it. */
#include "base/buf.h"
#include "fuzz.h"
#include "traffic/record.h"

enum { TOLD_MAX = 96 * 1024, READ_MAX = 20000 };

/* Events one behind another: a kind, a length, and bytes. */
static void note(struct buf *events, enum observation_kind kind, struct str data)
{
	uint32_t len = (uint32_t)data.len;

	buf_append_byte(events, (char)kind);
	buf_append(events, &len, sizeof(len));
	buf_append_str(events, data);
}

static void tell(struct record_writer *w, uint8_t choice, struct record_time time, struct str data,
		 struct buf *told)
{
	switch (choice % 6) {
	case 0:
		record_writer_read(w, time, data);
		note(told, OBSERVATION_READ, data);
		break;
	case 1:
		record_writer_write(w, time, data);
		note(told, OBSERVATION_WRITE, data);
		break;
	case 2:
		record_writer_end_of_message(w, time, (int32_t)data.len, RECORD_UNKNOWN);
		note(told, OBSERVATION_END_OF_MESSAGE, (struct str){0});
		break;
	case 3:
		record_writer_request_dropped(w, time);
		note(told, OBSERVATION_REQUEST_DROPPED, (struct str){0});
		break;
	case 4:
		data.len = MIN(data.len, (size_t)RECORD_EXCEPTION_MAX);
		record_writer_exception(w, time, data);
		note(told, OBSERVATION_EXCEPTION, data);
		break;
	default:
		record_writer_flush(w);
	}
}

/* What the records so far came to. */
struct past {
	struct buf events, segments; /* segments: of a read or write that has not ended */
	enum observation_kind segmented;
	int32_t records, requests;
	bool request_open, ended;
};

static void take_observation(struct past *past, const struct observation *o)
{
	enum observation_kind kind = o->kind;

	if (kind == OBSERVATION_READ_SEGMENT || kind == OBSERVATION_WRITE_SEGMENT) {
		past->segmented =
			kind == OBSERVATION_READ_SEGMENT ? OBSERVATION_READ : OBSERVATION_WRITE;
		buf_append_str(&past->segments, o->data);
	} else if (kind == OBSERVATION_SEGMENT_END) {
		note(&past->events, past->segmented, buf_str(&past->segments));
		buf_reset(&past->segments);
	} else {
		note(&past->events, kind, o->data);
	}
	if (kind == OBSERVATION_READ || kind == OBSERVATION_READ_SEGMENT)
		past->request_open = true;
	if (kind == OBSERVATION_END_OF_MESSAGE || kind == OBSERVATION_REQUEST_DROPPED)
		past->request_open = false;
	past->requests += kind == OBSERVATION_END_OF_MESSAGE;
}

static void take_records(struct record_writer *w, size_t limit, struct past *past)
{
	struct record *record;

	while ((record = record_writer_take(w))) {
		cleanup(mem_freep) char *copy = mem_alloc(record->bytes);
		struct record_view view;
		struct observation o;
		struct err err = {0};

		record_copy(record, copy);
		if (past->ended || record->bytes > limit)
			BUG("a record behind the last one, or one that is too long");
		if (record_view_open(&view, str_of(copy, record->bytes), &err) < 0)
			BUG("a record of ours does not decode");
		if (view.number != ++past->records || view.number != record->number ||
		    view.last != record->last)
			BUG("the number of a record");
		if (view.has_prior_requests != (past->requests > 0) ||
		    view.prior_requests != past->requests ||
		    view.unterminated_read != past->request_open)
			BUG("what came before a record");
		while (record_view_next(&view, &o))
			take_observation(past, &o);
		past->ended = view.last;
		record_free(record);
	}
}

/* Bytes: the limit; then a choice, and two of a length and a time, for each thing that is told. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bytes[READ_MAX];
	cleanup(buf_release) struct buf told = BUF_INIT(MIB(1));
	struct past past = {.events = BUF_INIT(MIB(1)), .segments = BUF_INIT(MIB(1))};
	struct record_time time = {.seconds = 1700000000};
	struct record_writer *w;
	size_t limit;

	if (size == 0)
		return 0;
	if (bytes[1] == 0)
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)(i * 31 % 251);
	limit = RECORD_LIMIT_MIN + (size_t)data[0] * 64;
	w = record_writer_new(STR("node"), STR("connection"), limit);
	for (size_t at = 1; at + 3 <= size && told.len < TOLD_MAX; at += 3) {
		size_t len = ((size_t)data[at + 1] << 8 | data[at + 2]) % READ_MAX;
		size_t from = data[at + 2] % (sizeof(bytes) - len);

		time.nanos = data[at + 2] * 3000000;
		tell(w, data[at], time, str_of(bytes + from, len), &told);
		take_records(w, limit, &past);
	}
	record_writer_finish(w);
	take_records(w, limit, &past);
	if (!past.ended || past.segments.len > 0 || told.failed || past.events.failed ||
	    !str_eq(buf_str(&told), buf_str(&past.events)))
		BUG("the records do not hold what was told");
	record_writer_free(w);
	buf_release(&past.events);
	buf_release(&past.segments);
	return 0;
}
