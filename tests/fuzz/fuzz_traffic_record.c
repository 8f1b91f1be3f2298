/* Any bytes decode or are refused with a reason; what was opened is read to its end, and what it
 * holds, written again, decodes to the same. */
#include "base/buf.h"
#include "fuzz.h"
#include "traffic/record.h"

static void write_again(struct record_writer *w, const struct observation *o)
{
	if (o->kind == OBSERVATION_READ)
		record_writer_read(w, o->time, o->data);
	else if (o->kind == OBSERVATION_WRITE)
		record_writer_write(w, o->time, o->data);
	else if (o->kind == OBSERVATION_END_OF_MESSAGE)
		record_writer_end_of_message(w, o->time, o->first_line_bytes, o->headers_bytes);
	else if (o->kind == OBSERVATION_REQUEST_DROPPED)
		record_writer_request_dropped(w, o->time);
}

/* Bytes of all data; each record is no longer than the limit. */
static size_t read_again(struct record_writer *w)
{
	struct record *record;
	size_t bytes = 0;

	while ((record = record_writer_take(w))) {
		cleanup(mem_freep) char *copy = mem_alloc(record->bytes);
		struct record_view view;
		struct observation o;
		struct err err;

		record_copy(record, copy);
		if (record->bytes > RECORD_LIMIT_MIN ||
		    record_view_open(&view, str_of(copy, record->bytes), &err) < 0)
			BUG("a record of ours that is too long or does not decode");
		while (record_view_next(&view, &o))
			bytes += o.data.len;
		record_free(record);
	}
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_writer *w;
	struct record_view view;
	struct observation o;
	struct err err = {0};
	size_t observations = 0, bytes = 0;

	if (record_view_open(&view, str_of(data, size), &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	w = record_writer_new(STR("node"), view.connection_id, RECORD_LIMIT_MIN);
	while (record_view_next(&view, &o)) {
		observations++;
		if (o.kind == OBSERVATION_READ || o.kind == OBSERVATION_WRITE)
			bytes += o.data.len;
		write_again(w, &o);
	}
	if (observations != view.observations)
		BUG("fewer observations than were counted");
	record_writer_finish(w);
	if (read_again(w) != bytes)
		BUG("what was written again is not as long");
	record_writer_free(w);
	return 0;
}
