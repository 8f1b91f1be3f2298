#include "backfill/delta_shard.h"

#include "../documents/fixture_shards.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct stage {
	struct fixture_shards fixture;
	struct snapshot *previous, *current;
	struct err err;
};

static void begin(struct stage *s, const char *name, const char *previous, const char *current)
{
	*s = (struct stage){0};
	fixture_shards_open(&s->fixture, name);
	s->previous = fixture_snapshot(&s->fixture, previous);
	s->current = fixture_snapshot(&s->fixture, current);
}

static void end(struct stage *s)
{
	snapshot_close(s->previous);
	snapshot_close(s->current);
	fixture_shards_close(&s->fixture);
}

static const struct snapshot_index *index_of(const struct stage *s, const char *name)
{
	const struct snapshot_index *index = snapshot_find_index(s->current, str_from(name));

	if (!index)
		fail_msg("the fixture has no index '%s'", name);
	return index;
}

static size_t count(struct stage *s, const char *name, int32_t shard, bool deleted)
{
	const struct delta_options options = {.mode = DELTA_UPDATES_AND_DELETES};
	struct document_source *source;
	struct document document;
	size_t found = 0;
	int got;

	if (delta_shard_open(s->previous, s->current, index_of(s, name), shard, &options, &source,
			     &s->err) < 0)
		fail_msg("%s", s->err.message);
	while ((got = document_source_next(source, &document, &s->err)) > 0)
		found += document.deleted == deleted;
	if (got < 0)
		fail_msg("%s", s->err.message);
	assert_int_equal(document_source_position(source), source->total_bytes);
	document_source_close(source);
	return found;
}

static void what_changed_comes_and_an_index_that_is_new_comes_whole(void **state)
{
	cleanup(end) struct stage s;
	size_t deletes = 0, updates = 0;

	(void)state;
	begin(&s, "es-7.10.2", "snap1", "snap2");
	assert_int_equal(delta_shard_check(s.previous, s.current, index_of(&s, "books"), &s.err),
			 0);
	for (int32_t shard = 0; shard < 3; shard++) {
		deletes += count(&s, "books", shard, true);
		updates += count(&s, "books", shard, false);
	}
	assert_true(deletes > 0);
	assert_true(updates > 0);
	assert_null(snapshot_find_index(s.previous, STR("logs-2020.03")));
	assert_int_equal(
		delta_shard_check(s.previous, s.current, index_of(&s, "logs-2020.03"), &s.err), 0);
	assert_int_equal(count(&s, "logs-2020.03", 0, true), 0);
	assert_true(count(&s, "logs-2020.03", 0, false) > 0);
}

static void an_index_with_another_number_of_shards_is_not_followed(void **state)
{
	cleanup(end) struct stage s;

	(void)state;
	begin(&s, "os-2.19.6.hashed-prefix", "snap-1", "snap-2");
	assert_int_equal(
		delta_shard_check(s.previous, s.current, index_of(&s, "logs.2020.01"), &s.err),
		-ERR_UNSUPPORTED);
	assert_non_null(strstr(s.err.message, "has 1 shard in snapshot 'snap-1' and 2 in"));
	assert_non_null(strstr(s.err.message, "without --previous-snapshot-name"));
	assert_int_equal(delta_shard_check(s.previous, s.current, index_of(&s, "books"), &s.err),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changed_comes_and_an_index_that_is_new_comes_whole),
		cmocka_unit_test(an_index_with_another_number_of_shards_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
