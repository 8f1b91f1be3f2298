#include "backfill/failed_documents_pending.h"
#include "failed_streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* What a visit brought: "index/id:reason " for each, repeated ones in brackets. */
struct seen {
	struct buf text;
	size_t cut, damaged;
	const char *settle_in; /* folder of a ledger for all that is visited */
	size_t stop_after;     /* 0: never */
};

static int note(void *user, const struct failed_pending *pending, struct err *err)
{
	const struct failed_record *record = pending->record;
	struct retried_ledger *ledger;
	struct seen *seen = user;

	buf_printf(&seen->text,
		   pending->repeated ? "[" STR_FMT "/" STR_FMT ":" STR_FMT "] "
				     : STR_FMT "/" STR_FMT ":" STR_FMT " ",
		   STR_ARG(record->target_index), STR_ARG(record->id), STR_ARG(record->reason));
	if (seen->settle_in) {
		assert_int_equal(retried_ledger_open(seen->settle_in, &ledger, err), 0);
		assert_int_equal(retried_ledger_add(ledger, &pending->ids, RETRIED_SENT, err), 0);
		assert_int_equal(retried_ledger_sync(ledger, err), 0);
		retried_ledger_close(ledger);
	}
	return seen->stop_after && --seen->stop_after == 0;
}

static void tell(void *user, bool damaged, const char *what)
{
	struct seen *seen = user;

	assert_non_null(strstr(what, ".ndjson.gz"));
	*(damaged ? &seen->damaged : &seen->cut) += 1;
}

static void seen_release(struct seen *seen)
{
	buf_release(&seen->text);
}

static const char *visit(const struct failed_filter *filter, struct seen *seen)
{
	const struct failed_visitor visitor = {.visit = note, .tell = tell, .user = seen};
	struct err err = {0};

	buf_release(&seen->text);
	seen->text = BUF_INIT(MIB(1));
	if (failed_documents_visit(filter, &visitor, &err) < 0)
		fail_msg("%s", err.message);
	return buf_cstr(&seen->text);
}

static void of_a_document_the_last_record_stands(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(seen_release) struct seen seen = {0};
	struct failed_filter filter = {.folder = folder};

	(void)state;
	write_stream(folder, "s", "a",
		     RECORD("i", "\"1\"", "01.000", "old") RECORD("i", "\"2\"", "01.000", "x")
			     RECORD("j", "\"1\"", "01.000", "other index"));
	/* The first file of the two by name is the later one. */
	write_stream(folder, "s", "A", RECORD("i", "\"1\"", "02.000", "new"));
	assert_string_equal(visit(&filter, &seen), "i/1:new [i/1:old] i/2:x j/1:other index ");
	filter.index = "j";
	assert_string_equal(visit(&filter, &seen), "j/1:other index ");
	filter = (struct failed_filter){.folder = folder, .type = "another"};
	assert_string_equal(visit(&filter, &seen), "[i/1:old] ");
	filter = (struct failed_filter){.folder = folder, .session = "t"};
	assert_string_equal(visit(&filter, &seen), "");
}

static void documents_without_an_id_are_each_their_own(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(seen_release) struct seen seen = {0};
	struct failed_filter filter = {.folder = folder};

	(void)state;
	write_stream(folder, "s", "a",
		     RECORD("i", "null", "01.000", "a") RECORD("i", "null", "01.001", "b"));
	assert_string_equal(visit(&filter, &seen), "i/:a i/:b ");
}

static void few_keys_at_a_time_bring_the_same(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(seen_release) struct seen seen = {0};
	struct failed_filter filter = {.folder = folder, .keys_per_pass = 1};
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

	(void)state;
	for (int i = 0; i < 20; i++)
		buf_printf(&text, RECORD("i", "\"%d\"", "01.000", "old"), i, i);
	for (int i = 0; i < 20; i += 2)
		buf_printf(&text, RECORD("i", "\"%d\"", "01.000", "new"), i, i);
	write_stream(folder, "s", "a", buf_cstr(&text));
	visit(&filter, &seen);
	for (int i = 0; i < 20; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), i % 2 ? "i/%d:old " : "i/%d:new ", i);
		assert_non_null(strstr(buf_cstr(&seen.text), expected));
		snprintf(expected, sizeof(expected), "[i/%d:old] ", i);
		assert_int_equal(!!strstr(buf_cstr(&seen.text), expected), i % 2 == 0);
	}
	assert_int_equal(seen.damaged, 0);
}

static void what_is_settled_is_not_visited_again_but_what_fails_anew_is(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(seen_release) struct seen seen = {0};
	struct failed_filter filter = {.folder = folder};
	char home[200];

	(void)state;
	write_stream(folder, "s", "a",
		     RECORD("i", "\"1\"", "03.000", "x") RECORD("i", "\"2\"", "03.000", "x"));
	snprintf(home, sizeof(home), "%s/session=s", folder);
	seen.settle_in = home;
	seen.stop_after = 1;
	assert_string_equal(visit(&filter, &seen), "i/1:x ");
	seen.settle_in = NULL;
	assert_string_equal(visit(&filter, &seen), "i/2:x ");
	/* By a clock that was set back meanwhile. */
	write_stream(folder, "s", "b", RECORD("i", "\"1\"", "02.000", "anew"));
	assert_string_equal(visit(&filter, &seen), "i/2:x i/1:anew ");
	/* A ledger whose last line a crash cut off. */
	snprintf(home + strlen(home), sizeof(home) - strlen(home), "/retried.ndjson");
	assert_int_equal(truncate(home, 100), 0);
	assert_string_equal(visit(&filter, &seen), "i/1:x i/2:x [i/1:anew] ");
}

static void lines_that_are_no_records_are_told_once_and_passed_over(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(seen_release) struct seen seen = {0};
	struct failed_filter filter = {.folder = folder, .keys_per_pass = 1};

	(void)state;
	write_stream(folder, "s", "a",
		     "no json\n" RECORD("i", "\"1\"", "01.000", "x") "{\"a\":1}\n");
	assert_string_equal(visit(&filter, &seen), "i/1:x ");
	assert_int_equal(seen.damaged, 2);
	assert_int_equal(seen.cut, 0);
}

static void a_ledger_has_one_writer(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct retried_ledger *first = NULL, *second = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(retried_ledger_open(folder, &first, &err), 0);
	assert_int_equal(retried_ledger_open(folder, &second, &err), -ERR_CONFLICT);
	assert_non_null(strstr(err.message, "another process"));
	retried_ledger_close(first);
	assert_int_equal(retried_ledger_open(folder, &second, &err), 0);
	retried_ledger_close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_document_the_last_record_stands),
		cmocka_unit_test(documents_without_an_id_are_each_their_own),
		cmocka_unit_test(few_keys_at_a_time_bring_the_same),
		cmocka_unit_test(what_is_settled_is_not_visited_again_but_what_fails_anew_is),
		cmocka_unit_test(lines_that_are_no_records_are_told_once_and_passed_over),
		cmocka_unit_test(a_ledger_has_one_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
