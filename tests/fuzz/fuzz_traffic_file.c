/* A line of any bytes is a record, blank, or refused with a reason; a record that was read, written
 * as a line, is read again. Then the same through reassembly: each record is finished once. */
#include "fuzz.h"
#include "traffic/reassembly.h"

static size_t finished;

static void on_response(void *user, struct captured_transaction *transaction)
{
	(void)user;
	captured_transaction_release(transaction);
}

static void on_finished(void *user, struct record_position position, int64_t added_us)
{
	(void)added_us;
	(void)user;
	(void)position;
	finished++;
}

static void check_line_again(struct str key, struct str bytes)
{
	cleanup(buf_release) struct buf line = BUF_INIT(MIB(8)), again = BUF_INIT(MIB(8));
	struct str key_again;
	struct err err;

	record_line_encode(&line, key, bytes);
	if (bytes.len == 0 && !key.ptr)
		return;
	if (record_line_decode(buf_str(&line), &key_again, &again, &err) != 1 ||
	    !str_eq(key, key_again) || !str_eq(bytes, buf_str(&again)))
		BUG("a line of ours that does not read as it was");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct reassembly_options options = {.connection_bytes = 4096, .connections = 4};
	const struct reassembly_handler handler = {.response = on_response,
						   .finished = on_finished};
	struct reassembly *r = reassembly_new(&options, &handler);
	cleanup(buf_release) struct buf decoded = BUF_INIT(MIB(8));
	struct str rest = str_of(data, size), line;
	struct record_item item = {0};
	struct err err = {0};
	size_t added = 0;

	finished = 0;
	while (rest.len > 0) {
		int got;

		str_split(rest, '\n', &line, &rest);
		if (line.ptr + line.len == (const char *)data + size)
			rest.len = 0;
		got = record_line_decode(line, &item.key, &decoded, &err);
		if (got < 0 && !err.message[0])
			BUG("an error that says nothing");
		if (got <= 0)
			continue;
		check_line_again(item.key, buf_str(&decoded));
		item.bytes = buf_str(&decoded);
		item.position.offset = added++;
		if (reassembly_add(r, &item, (int64_t)added, &err) < 0)
			BUG("a record that found no room");
		reassembly_tick(r, (int64_t)added * 1000);
	}
	reassembly_end(r, true);
	if (finished != added)
		BUG("a record that was not finished, or twice");
	reassembly_free(r);
	return 0;
}
