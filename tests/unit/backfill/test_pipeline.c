/* backfill_run between made-up shards and a made-up target: one run. */
#include "fake_backfill.h"
#include "temporary_folder.h"

#include <glob.h>
#include <inttypes.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_document_arrives_once_and_bulks_count_per_shard(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	print_message("seed %u\n", fake_seed);
	for (size_t i = 0; i < SHARDS; i++)
		shards[i].random = true;
	assert_succeeds(run);
	for (int32_t shard = 0; shard < SHARDS; shard++) {
		size_t bulks = 0;

		assert_arrived_once(shard);
		while (target.sequences[shard][bulks] == 1)
			bulks++;
		assert_true(bulks > 1);
		for (size_t i = bulks; i < DOCUMENTS_MAX; i++)
			assert_int_equal(target.sequences[shard][i], 0);
	}
	assert_int_equal(run->result.documents, all_documents(SHARDS));
	assert_int_equal(run->result.sent, run->result.documents);
	assert_int_equal(run->result.failed, 0);
	assert_int_equal(target.finishes, 4);
	assert_int_equal(target.closes, 4);
	finish(run);
}

static void progress_ends_where_it_was_going(void **state)
{
	struct run *run = prepare(SHARDS);
	struct progress *progress = &run->progress;

	(void)state;
	assert_succeeds(run);
	assert_int_equal(progress->bytes_total, all_documents(SHARDS) * 10);
	assert_int_equal(progress->bytes_read, progress->bytes_total);
	assert_int_equal(progress->documents_read, all_documents(SHARDS));
	assert_int_equal(progress->documents_sent, all_documents(SHARDS));
	assert_int_equal(progress->items_total, SHARDS);
	assert_int_equal(progress->items_done, SHARDS);
	assert_int_equal(progress->retries, target.sends);
	assert_true(progress->bytes_sent > run->result.source_bytes);
	finish(run);
}

static void bulks_end_at_their_bytes_and_documents(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	assert_succeeds(run);
	assert_true(target.largest_body <= KIB(64));
	assert_true(target.largest_body > KIB(62));
	finish(run);
	run = prepare(SHARDS);
	run->options.documents_per_bulk = 7;
	assert_succeeds(run);
	assert_int_equal(target.most_documents, 7);
	assert_int_equal(run->result.sent, all_documents(SHARDS));
	finish(run);
}

static void all_bulks_together_stay_below_the_ceiling_of_memory(void **state)
{
	struct run *run = prepare(SHARDS);
	size_t held = 0;

	(void)state;
	run->options.max_memory = KIB(200);
	run->options.senders = 8;
	assert_succeeds(run);
	for (size_t i = 0; i < target.bulk_count; i++)
		held += target.bulks[i].capacity;
	assert_true(held <= KIB(200));
	assert_true(held > KIB(40));
	/* Three readers and two more share it. */
	assert_true(target.largest_body <= KIB(40));
	assert_int_equal(run->result.sent, all_documents(SHARDS));
	finish(run);
}

static void a_run_gets_through_with_hardly_any_memory(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	run->options.max_memory = 1;
	assert_succeeds(run);
	assert_int_equal(target.most_documents, 1);
	assert_int_equal(run->result.sent, all_documents(SHARDS));
	finish(run);
}

static void a_document_larger_than_a_bulk_goes_alone(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	for (size_t i = 0; i < SHARDS; i++) {
		shards[i].large_at = 100 * i;
		shards[i].large_bytes = i == 5 ? MIB(1) : KIB(100);
	}
	assert_succeeds(run);
	assert_true(target.largest_body > MIB(1));
	assert_int_equal(target.bulks_beyond, 0);
	for (int32_t shard = 0; shard < SHARDS; shard++)
		assert_arrived_once(shard);
	finish(run);
}

static void the_largest_shard_is_read_first(void **state)
{
	struct run *run = prepare(4);

	(void)state;
	shards[1].documents = 2000;
	run->options.readers = 1;
	assert_succeeds(run);
	assert_int_equal(opening_order[0], 1);
	assert_int_equal(opening_order[1], 3);
	assert_int_equal(opening_order[2], 2);
	assert_int_equal(opening_order[3], 0);
	finish(run);
}

static void types_are_sent_where_they_are_wanted(void **state)
{
	struct run *run = prepare(1);

	(void)state;
	assert_succeeds(run);
	assert_int_equal(target.books + target.docs, 0);
	finish(run);
	run = prepare(1);
	run->options.keep_type = true;
	assert_succeeds(run);
	assert_int_equal(target.books, shards[0].documents / 2);
	assert_int_equal(target.docs, 0);
	finish(run);
	run = prepare(1);
	run->options.emit_type = true;
	assert_succeeds(run);
	assert_int_equal(target.books, shards[0].documents / 2);
	assert_int_equal(target.docs, shards[0].documents / 2);
	finish(run);
}

/* What stands in the only file of failed documents; the stream is closed. */
static struct str failures_of(struct run *run, const char *folder, struct arena *mem)
{
	struct str pattern = arena_printf(mem, "%s/*/*/*/*.gz", folder), text = STR_NONE;
	glob_t found;

	assert_int_equal(failed_documents_close(run->failed, &run->err), 0);
	if (glob(pattern.ptr, 0, NULL, &found) == 0) {
		assert_int_equal(found.gl_pathc, 1);
		text = read_text(found.gl_pathv[0], mem);
		globfree(&found);
	}
	return text;
}

static size_t occurrences(struct str text, const char *of)
{
	size_t count = 0;
	const char *at = text.ptr, *end = text.ptr + text.len;

	while (at && (at = memmem(at, (size_t)(end - at), of, strlen(of)))) {
		count++;
		at++;
	}
	return count;
}

static void refused_documents_are_counted_and_recorded(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct run *run = prepare(2);
	struct str records;

	(void)state;
	target.refuse_shard = 1;
	run->options.documents_per_bulk = 4;
	shards[1].source_bytes = 10;
	assert_int_equal(failed_documents_open(folder, "s", &run->failed, &run->err), 0);
	assert_succeeds(run);
	records = failures_of(run, folder, &mem);
	assert_int_equal(run->result.documents, all_documents(2));
	assert_int_equal(run->result.failed, shards[1].documents / 4);
	assert_int_equal(run->result.sent, all_documents(2) - run->result.failed);
	assert_int_equal(run->progress.documents_failed, run->result.failed);
	assert_int_equal(occurrences(records, "\n"), run->result.failed);
	assert_int_equal(occurrences(records, "\"documentId\":\"1/2\""), 1);
	assert_int_equal(occurrences(records, "\"workItemId\":\"in[1]\""), run->result.failed);
	assert_int_equal(occurrences(records, "mapper_parsing_exception"), 2 * run->result.failed);
	finish(run);
}

static void a_document_without_a_json_source_is_recorded_and_not_sent(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct run *run = prepare(3);
	struct str records;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		shards[i].has_odd = true;
		shards[i].odd_at = 9;
	}
	shards[0].odd = STR(":)\n\x05");
	shards[0].problem = "SMILE is damaged: the end is missing at byte 4 of 4";
	shards[1].odd = STR_NONE;
	shards[2].odd = STR("[1]");
	assert_int_equal(failed_documents_open(folder, "s", &run->failed, &run->err), 0);
	assert_succeeds(run);
	records = failures_of(run, folder, &mem);
	assert_int_equal(run->result.documents, all_documents(3));
	assert_int_equal(run->result.failed, 3);
	assert_int_equal(run->result.sent, all_documents(3) - 3);
	assert_int_equal(target.arrived[0][9] + target.arrived[1][9] + target.arrived[2][9], 0);
	assert_int_equal(occurrences(records, "\n"), 3);
	assert_int_equal(
		occurrences(records, "\"SMILE is damaged: the end is missing at byte 4 of 4\""), 1);
	assert_int_equal(occurrences(records, "\"documentBase64\":\"OikKBQ==\""), 1);
	assert_int_equal(occurrences(records, "source is not a JSON object"), 1);
	assert_int_equal(occurrences(records, "no _source is stored for this document"), 1);
	assert_int_equal(occurrences(records, "\"document\":[1]"), 1);
	assert_int_equal(occurrences(records, "\"_id\":\"1/9\",\"routing\":\"r\\\"\""), 1);
	finish(run);
}

static void a_target_that_is_gone_ends_the_run_at_once(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	target.fail_at_send = 3;
	target.block_others = true;
	go(run);
	assert_int_equal(run->rc, -ERR_UNREACHABLE);
	assert_string_equal(run->err.message, "the target is gone");
	assert_int_equal(target.cancels, 4);
	assert_int_equal(target.closes, 4);
	assert_int_equal(target.finishes, 0);
	assert_true(run->result.sent < all_documents(SHARDS));
	finish(run);
}

static void a_target_that_lets_nobody_in_is_no_run(void **state)
{
	struct run *run = prepare(SHARDS);
	struct fake_way way = {.fails_at = 2};

	(void)state;
	run->options.open_sink_user = &way;
	go(run);
	assert_int_equal(run->rc, -ERR_AUTH);
	assert_int_equal(target.closes, 2);
	assert_int_equal(opened, 0);
	finish(run);
}

static void what_cannot_be_made_durable_was_not_sent(void **state)
{
	struct run *run = prepare(1);

	(void)state;
	target.fail_finish = true;
	go(run);
	assert_int_equal(run->rc, -ERR_IO);
	finish(run);
}

static void a_set_flag_ends_an_endless_run(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	for (size_t i = 0; i < SHARDS; i++)
		shards[i] = (struct fake_shard){.endless = true, .source_bytes = 30000};
	target.cancel_at_send = 20;
	go(run);
	assert_int_equal(run->rc, -ERR_CANCELLED);
	assert_non_null(strstr(run->err.message, "the same command again"));
	/* The bulks in flight ended by themselves. */
	assert_int_equal(target.cancels, 0);
	assert_true(target.sends >= 20);
	assert_true(target.sends <= 20 + 4);
	finish(run);
}

static void a_shard_that_breaks_is_told_and_the_others_go_on(void **state)
{
	struct run *run = prepare(3);

	(void)state;
	shards[1].breaks_after = 123;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason, "in[1]: chunk 7 of '_0.fdt' is damaged");
	assert_arrived_once(0);
	assert_arrived_once(2);
	assert_int_equal(run->result.documents, shards[0].documents + 123 + shards[2].documents);
	assert_int_equal(run->result.sent, run->result.documents);
	assert_int_equal(run->progress.items_done, 3);
	finish(run);
}

static void a_shard_that_is_not_there_is_told_and_the_others_go_on(void **state)
{
	struct run *run = prepare(3);

	(void)state;
	shards[2].missing = true;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason, "in[2]: no such blob");
	assert_arrived_once(0);
	assert_arrived_once(1);
	assert_int_equal(run->progress.bytes_total, run->progress.bytes_read);
	finish(run);
}

static void a_shard_that_failed_in_the_snapshot_is_not_read(void **state)
{
	struct run *run = prepare(3);
	struct str failures[] = {STR("other[1]: gone"), STR("in[1]: IndexShardSnapshotFailed")};

	(void)state;
	run->snapshot.failures = failures;
	run->snapshot.failure_count = COUNT_OF(failures);
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason,
			    "in[1]: failed when the snapshot was taken: IndexShardSnapshotFailed");
	assert_int_equal(target.arrived[1][0], 0);
	assert_arrived_once(0);
	assert_arrived_once(2);
	finish(run);
}

static int open_jmespath(void *script, struct transform **out, struct err *err)
{
	static const struct transform_context context = {.kind = TRANSFORM_DOCUMENT};
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

	buf_printf(&text, "{\"JsonJMESPathTransformerProvider\":{\"script\":\"%s\"}}",
		   (const char *)script);
	return transform_new(buf_str(&text), &context, out, err);
}

static void a_document_that_becomes_several_may_end_a_bulk_between_them(void **state)
{
	char three[] = "[@, @, @]";
	struct run *run = prepare(1);

	(void)state;
	run->options.open_transform = open_jmespath;
	run->options.open_transform_user = three;
	for (int32_t most = 1; most <= 4; most++) {
		run->options.documents_per_bulk = most;
		run->options.coordinator->ops->close(run->options.coordinator);
		run->options.coordinator = coordinator_memory_new(3);
		memset(target.arrived, 0, sizeof(target.arrived));
		prepare_again(run);
		assert_succeeds(run);
		assert_int_equal(run->result.documents, shards[0].documents);
		assert_int_equal(run->result.sent, 3 * shards[0].documents);
		for (size_t i = 0; i < shards[0].documents; i++)
			assert_int_equal(target.arrived[0][i], 3);
	}
	finish(run);
}

static void documents_that_become_nothing_count_with_their_bytes(void **state)
{
	char nothing[] = "`[]`";
	struct run *run = prepare(1);

	(void)state;
	run->options.open_transform = open_jmespath;
	run->options.open_transform_user = nothing;
	assert_succeeds(run);
	assert_int_equal(run->result.documents, shards[0].documents);
	assert_int_equal(run->result.sent, 0);
	assert_true(run->result.source_bytes >= shards[0].documents * shards[0].source_bytes);
	finish(run);
}

static void of_a_delta_deletes_go_without_a_source(void **state)
{
	struct run *run = prepare(2);
	struct snapshot previous = {0};

	(void)state;
	run->options.previous = &previous;
	run->options.delta_mode = DELTA_UPDATES_AND_DELETES;
	run->options.range_bytes = 100;
	run->options.documents_per_bulk = 7;
	shards[0].has_odd = true;
	shards[0].odd_at = 399; /* its second half has the documents to index */
	assert_succeeds(run);
	assert_int_equal(run->result.documents, all_documents(2));
	assert_int_equal(run->result.sent, all_documents(2) - 1);
	assert_int_equal(run->result.failed, 1);
	assert_int_equal(target.deletes, all_documents(2) / 2);
	assert_arrived_once(1);
	assert_int_equal(run->progress.items_total, 2);
	assert_int_equal(run->progress.bytes_total, run->progress.bytes_read);
	assert_int_equal(checked, 0);
	finish(run);
}

static void a_delta_that_was_taken_up_on_the_way_is_checked(void **state)
{
	struct run *run = prepare(1);
	struct snapshot previous = {0};

	(void)state;
	run->options.previous = &previous;
	run->options.documents_per_bulk = 10;
	target.fail_at_send = 20;
	go(run);
	assert_int_equal(run->rc, -ERR_UNREACHABLE);
	assert_int_equal(checked, 0);
	prepare_again(run);
	assert_succeeds(run);
	assert_int_equal(run->result.sent, all_documents(1));
	assert_int_equal(checked, 1);
	finish(run);

	run = prepare(1);
	run->options.previous = &previous;
	run->options.documents_per_bulk = 10;
	target.fail_at_send = 20;
	go(run);
	prepare_again(run);
	shards[0].is_damaged = true;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	finish(run);
}

static void a_delta_of_an_index_with_other_shards_is_told(void **state)
{
	struct run *run = prepare(1);
	struct snapshot previous = {.total_shards = 1};

	(void)state;
	run->options.previous = &previous;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason, "in[0]: index 'in' has other shards");
	assert_int_equal(target.sends, 0);
	finish(run);
}

static void a_shard_that_failed_in_the_previous_snapshot_has_no_delta(void **state)
{
	struct str failures[] = {STR("in[0]: IndexShardSnapshotFailed")};
	struct run *run = prepare(1);
	struct snapshot previous = {.failures = failures, .failure_count = 1};

	(void)state;
	run->options.previous = &previous;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(
		run->result.reason,
		"in[0]: failed when the previous snapshot was taken: IndexShardSnapshotFailed");
	finish(run);
}

static void a_data_stream_is_only_added_to(void **state)
{
	struct run *run = prepare(2);

	(void)state;
	run->index.create_only = true;
	run->options.source_versions = true;
	assert_succeeds(run);
	assert_int_equal(target.creates, all_documents(2));
	finish(run);
}

static void no_indices_are_no_work(void **state)
{
	struct run *run = prepare(0);

	(void)state;
	assert_succeeds(run);
	assert_int_equal(target.sends, 0);
	assert_int_equal(target.closes, 4);
	finish(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_document_arrives_once_and_bulks_count_per_shard),
		cmocka_unit_test(progress_ends_where_it_was_going),
		cmocka_unit_test(bulks_end_at_their_bytes_and_documents),
		cmocka_unit_test(all_bulks_together_stay_below_the_ceiling_of_memory),
		cmocka_unit_test(a_run_gets_through_with_hardly_any_memory),
		cmocka_unit_test(a_document_larger_than_a_bulk_goes_alone),
		cmocka_unit_test(the_largest_shard_is_read_first),
		cmocka_unit_test(types_are_sent_where_they_are_wanted),
		cmocka_unit_test(refused_documents_are_counted_and_recorded),
		cmocka_unit_test(a_document_without_a_json_source_is_recorded_and_not_sent),
		cmocka_unit_test(a_target_that_is_gone_ends_the_run_at_once),
		cmocka_unit_test(a_target_that_lets_nobody_in_is_no_run),
		cmocka_unit_test(what_cannot_be_made_durable_was_not_sent),
		cmocka_unit_test(a_set_flag_ends_an_endless_run),
		cmocka_unit_test(a_shard_that_breaks_is_told_and_the_others_go_on),
		cmocka_unit_test(a_shard_that_is_not_there_is_told_and_the_others_go_on),
		cmocka_unit_test(a_shard_that_failed_in_the_snapshot_is_not_read),
		cmocka_unit_test(a_document_that_becomes_several_may_end_a_bulk_between_them),
		cmocka_unit_test(documents_that_become_nothing_count_with_their_bytes),
		cmocka_unit_test(of_a_delta_deletes_go_without_a_source),
		cmocka_unit_test(a_delta_that_was_taken_up_on_the_way_is_checked),
		cmocka_unit_test(a_delta_of_an_index_with_other_shards_is_told),
		cmocka_unit_test(a_shard_that_failed_in_the_previous_snapshot_has_no_delta),
		cmocka_unit_test(a_data_stream_is_only_added_to),
		cmocka_unit_test(no_indices_are_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
