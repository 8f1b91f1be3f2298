/* shard_proof over made-up pieces; this program brings its own shard_documents_check. */
#include "backfill/item_state.h"
#include "backfill/shard_documents.h"
#include "backfill/shard_proof.h"
#include "base/crc32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char file[] = "the stored fields of a segment";
static size_t checks;
static bool is_damaged;

int shard_documents_check(const struct snapshot *snapshot, const struct snapshot_index *index,
			  int32_t shard, const atomic_bool *cancel, struct err *err)
{
	(void)snapshot;
	(void)index;
	(void)shard;
	(void)cancel;
	checks++;
	return is_damaged ? err_set(err, ERR_FORMAT, "damaged") : 0;
}

static struct checksum_part part(size_t from, size_t to)
{
	return (struct checksum_part){
		.segment = STR("_0"),
		.offset = from,
		.length = to - from,
		.crc = crc32_update(0, file + from, to - from),
		.file_length = sizeof(file),
		.expected = to == sizeof(file) ? crc32_update(0, file, sizeof(file)) : 0,
		.at_end = to == sizeof(file)};
}

/* Two items, of one part each. */
static int prove(struct checksum_part a, struct checksum_part b, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct checksum_part parts[] = {a, b};
	struct work_status rows[2] = {{.state = WORK_COMPLETED}, {.state = WORK_COMPLETED}};
	atomic_bool cancel = false;

	for (size_t i = 0; i < 2; i++) {
		cleanup(buf_release) struct buf text = BUF_INIT(ITEM_STATE_MAX);
		struct item_state state = {.parts = &parts[i], .part_count = 1};

		item_state_write(&text, &state);
		rows[i].progress.state = arena_str(&mem, buf_str(&text));
	}
	checks = 0;
	return shard_proof(NULL, NULL, 0, rows, 2, &cancel, err);
}

static void pieces_that_make_the_file_prove_it(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(prove(part(0, 12), part(12, sizeof(file)), &err), 0);
	assert_int_equal(prove(part(12, sizeof(file)), part(0, 12), &err), 0);
	assert_int_equal(checks, 0);
}

static void a_piece_with_other_bytes_is_a_damaged_shard(void **state)
{
	struct checksum_part other = part(0, 12);
	struct err err = {0};

	(void)state;
	other.crc ^= 1;
	assert_int_equal(prove(other, part(12, sizeof(file)), &err), -ERR_FORMAT);
}

static void where_a_piece_is_missing_the_files_are_read_again(void **state)
{
	struct err err = {0};

	(void)state;
	is_damaged = false;
	assert_int_equal(prove(part(0, 11), part(12, sizeof(file)), &err), 0);
	assert_int_equal(checks, 1);
	is_damaged = true;
	assert_int_equal(prove(part(0, 11), part(12, sizeof(file)), &err), -ERR_FORMAT);
	assert_int_equal(checks, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_that_make_the_file_prove_it),
		cmocka_unit_test(a_piece_with_other_bytes_is_a_damaged_shard),
		cmocka_unit_test(where_a_piece_is_missing_the_files_are_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
