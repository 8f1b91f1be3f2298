#include "backfill/ack_tracker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define DOCS 400

static void bulks_may_be_acknowledged_in_any_order(void **state)
{
	struct ack_tracker t;
	struct doc_range a, b, c, ranges[4];

	(void)state;
	ack_tracker_init(&t, 10, NULL, 0);
	assert_true(ack_tracker_is_settled(&t));
	a = ack_tracker_add(&t, 20, false);
	b = ack_tracker_add(&t, 30, false);
	c = ack_tracker_add(&t, 45, false);
	assert_int_equal(a.first, 10);
	assert_int_equal(c.first, 30);
	ack_tracker_acknowledge(&t, b);
	assert_int_equal(ack_tracker_next_doc(&t), 10);
	assert_int_equal(ack_tracker_ranges(&t, ranges, 4), 1);
	assert_int_equal(ranges[0].first, 20);
	assert_int_equal(ranges[0].end, 30);
	ack_tracker_acknowledge(&t, a);
	assert_int_equal(ack_tracker_next_doc(&t), 30);
	assert_int_equal(ack_tracker_ranges(&t, ranges, 4), 0);
	assert_false(ack_tracker_is_settled(&t));
	ack_tracker_acknowledge(&t, c);
	assert_int_equal(ack_tracker_next_doc(&t), 45);
	assert_true(ack_tracker_is_settled(&t));
	ack_tracker_release(&t);
}

static void what_was_acknowledged_before_stays_so(void **state)
{
	const struct doc_range before[] = {{15, 20}, {30, 40}};
	struct ack_tracker t;
	struct doc_range a, ranges[4];

	(void)state;
	ack_tracker_init(&t, 10, before, 2);
	assert_int_equal(ack_tracker_ranges(&t, ranges, 4), 2);
	a = ack_tracker_add(&t, 25, false);
	assert_int_equal(ack_tracker_ranges(&t, ranges, 4), 2);
	assert_int_equal(ranges[0].first, 15);
	ack_tracker_acknowledge(&t, a);
	assert_int_equal(ack_tracker_next_doc(&t), 25);
	a = ack_tracker_add(&t, 30, false);
	ack_tracker_acknowledge(&t, a);
	assert_int_equal(ack_tracker_next_doc(&t), 30);
	assert_int_equal(ack_tracker_ranges(&t, ranges, 4), 1);
	assert_int_equal(ranges[0].end, 40);
	ack_tracker_release(&t);
}

static void a_document_in_several_bulks_is_done_with_the_last_of_them(void **state)
{
	struct ack_tracker t;
	struct doc_range first, second, third, ranges[4];

	(void)state;
	ack_tracker_init(&t, 7, NULL, 0);
	first = ack_tracker_add(&t, 7, true);
	second = ack_tracker_add(&t, 7, true);
	third = ack_tracker_add(&t, 10, false);
	ack_tracker_acknowledge(&t, third);
	assert_int_equal(ack_tracker_next_doc(&t), 7);
	assert_int_equal(ack_tracker_ranges(&t, ranges, 4), 1);
	assert_int_equal(ranges[0].first, 8);
	assert_int_equal(ranges[0].end, 10);
	ack_tracker_acknowledge(&t, second);
	assert_int_equal(ack_tracker_next_doc(&t), 7);
	ack_tracker_acknowledge(&t, first);
	assert_int_equal(ack_tracker_next_doc(&t), 10);
	assert_true(ack_tracker_is_settled(&t));
	ack_tracker_release(&t);
}

/* Against a model: one flag a document. */
struct model {
	bool done[DOCS];
	int64_t covered;
};

static void assert_agrees(const struct ack_tracker *t, const struct model *m)
{
	struct doc_range ranges[DOCS];
	size_t count = ack_tracker_ranges(t, ranges, DOCS);
	int64_t next = ack_tracker_next_doc(t);
	bool told[DOCS] = {false};

	for (size_t i = 0; i < count; i++) {
		assert_true(ranges[i].first >= next);
		assert_true(i == 0 || ranges[i].first > ranges[i - 1].end);
		for (int64_t doc = ranges[i].first; doc < ranges[i].end; doc++)
			told[doc] = true;
	}
	for (int64_t doc = 0; doc < DOCS; doc++)
		assert_int_equal(doc < next || told[doc], m->done[doc]);
}

/* As after a crash: what is out is forgotten, the rest comes from the checkpoint. */
static void restart(struct ack_tracker *t, struct model *m)
{
	struct doc_range ranges[DOCS];
	size_t count = ack_tracker_ranges(t, ranges, DOCS);
	int64_t next = ack_tracker_next_doc(t);

	ack_tracker_release(t);
	ack_tracker_init(t, next, ranges, count);
	m->covered = next;
}

static void acknowledge_one(struct ack_tracker *t, struct model *m, struct doc_range *out,
			    size_t *count, size_t i)
{
	ack_tracker_acknowledge(t, out[i]);
	for (int64_t doc = out[i].first; doc < out[i].end; doc++)
		m->done[doc] = true;
	out[i] = out[--*count];
}

static void play(unsigned *random)
{
	struct model m = {.covered = 0};
	struct doc_range out[DOCS];
	struct ack_tracker t;
	size_t count = 0;

	ack_tracker_init(&t, 0, NULL, 0);
	while (m.covered < DOCS || count > 0) {
		int what = rand_r(random) % 40;

		if (what == 0) {
			restart(&t, &m);
			count = 0;
		} else if (what < 20 && m.covered < DOCS) {
			m.covered += 1 + rand_r(random) % 20;
			m.covered = MIN(m.covered, (int64_t)DOCS);
			out[count++] = ack_tracker_add(&t, m.covered, false);
		} else if (count > 0) {
			acknowledge_one(&t, &m, out, &count, (size_t)rand_r(random) % count);
		}
		assert_agrees(&t, &m);
	}
	assert_int_equal(ack_tracker_next_doc(&t), DOCS);
	ack_tracker_release(&t);
}

static void it_agrees_with_a_flag_for_every_document(void **state)
{
	unsigned random = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", random);
	for (int i = 0; i < 300; i++)
		play(&random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulks_may_be_acknowledged_in_any_order),
		cmocka_unit_test(what_was_acknowledged_before_stays_so),
		cmocka_unit_test(a_document_in_several_bulks_is_done_with_the_last_of_them),
		cmocka_unit_test(it_agrees_with_a_flag_for_every_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
