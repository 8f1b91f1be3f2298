/* Any records, in any order, with time passing and transactions let go between them: each request
 * has one response, each record is finished once, and nothing is left in memory. */
#include "fuzz.h"
#include "traffic/reassembly.h"

#include <stdlib.h>

enum { RECORDS_MOST = 200, TRANSACTIONS_MOST = 4096 };

struct told {
	struct captured_transaction *held[TRANSACTIONS_MOST];
	bool answered[TRANSACTIONS_MOST];
	size_t first, count;
	bool finished[RECORDS_MOST];
	size_t added, finished_count, requests, responses;
};

static void on_request(void *user, struct captured_transaction *t)
{
	struct told *told = user;

	/* A read may be empty. */
	if (t->request.len > 0 && t->request.piece_count == 0)
		BUG("bytes that came at no time");
	told->requests++;
	if (told->count == TRANSACTIONS_MOST)
		BUG("more requests than records can hold");
	t->user = &told->held[told->count];
	told->held[told->count++] = t;
}

static void on_response(void *user, struct captured_transaction *t)
{
	struct told *told = user;
	size_t number = (size_t)((struct captured_transaction **)t->user - told->held);

	if (told->answered[number])
		BUG("two responses to a request");
	if (t->end == CAPTURED_OPEN)
		BUG("a response that is open still");
	told->answered[number] = true;
	told->responses++;
}

static void on_finished(void *user, struct record_position position, int64_t added_us)
{
	struct told *told = user;

	(void)added_us;
	if (position.offset >= told->added || told->finished[position.offset])
		BUG("a record that is finished twice, or was never there");
	told->finished[position.offset] = true;
	told->finished_count++;
}

static void on_set_aside(void *user, struct record_position position, const char *reason)
{
	(void)user;
	(void)position;
	if (!reason[0])
		BUG("a record that is set aside for nothing");
}

static void release(struct told *told, bool all)
{
	for (; told->first < told->count && (all || told->answered[told->first]); told->first++)
		if (told->answered[told->first])
			captured_transaction_release(told->held[told->first]);
		else
			BUG("a request without a response at the end");
}

/* The next record of the input: a byte that tells what else happens, two of length, its bytes. */
static bool take_record(struct str *rest, uint8_t *what, struct str *bytes)
{
	size_t length;

	if (rest->len < 3)
		return false;
	*what = (uint8_t)rest->ptr[0];
	length = (size_t)(uint8_t)rest->ptr[1] << 8 | (uint8_t)rest->ptr[2];
	*rest = str_from_offset(*rest, 3);
	length = MIN(length, rest->len);
	*bytes = str_of(rest->ptr, length);
	*rest = str_from_offset(*rest, length);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct reassembly_options options = {.settle_ms = 100,
						   .silent_ms = 1000,
						   .reorder_ms = 500,
						   .connection_bytes = 4096,
						   .total_bytes = 16384,
						   .connections = 4};
	struct told *told = mem_zalloc(sizeof(*told));
	const struct reassembly_handler handler = {.request = on_request,
						   .response = on_response,
						   .finished = on_finished,
						   .set_aside = on_set_aside,
						   .user = told};
	struct reassembly *r = reassembly_new(&options, &handler);
	struct str rest = str_of(data, size), bytes;
	struct reassembly_state state;
	bool cut = false;
	int64_t now = 1;
	uint8_t what;

	while (told->added < RECORDS_MOST && told->count < TRANSACTIONS_MOST / 2 &&
	       take_record(&rest, &what, &bytes)) {
		const struct record_item item = {
			.position = {what >> 7, told->added++},
			.time_ms = -1,
			.key = what & 8 ? STR("c.1") : STR("c"),
			.bytes = bytes,
		};
		struct err err = {0};

		if (reassembly_add(r, &item, now, &err) < 0)
			told->added--; /* what is given out is in the way, and stays there */
		now += (what & 3) * 200;
		reassembly_tick(r, now);
		if (what & 4)
			release(told, false);
		if ((what & 0x70) == 0x70) {
			reassembly_cut_partition(r, what >> 7);
			cut = true;
		}
	}
	reassembly_end(r, true);
	if (told->responses != told->requests)
		BUG("requests without a response");
	release(told, true);
	reassembly_state(r, &state);
	if (state.bytes != 0 || state.outstanding != 0 || state.connections != 0)
		BUG("something is left");
	if (!cut && told->finished_count != told->added)
		BUG("a record that is never finished");
	reassembly_free(r);
	free(told);
	return 0;
}
