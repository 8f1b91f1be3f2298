#include "documents/digest.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define DOCUMENTS 500

static struct document document_of(const char *id, const char *routing, const char *source)
{
	return (struct document){
		.id = str_from(id), .routing = str_from(routing), .source = str_from(source)};
}

static struct document_hash hash_of(struct document document)
{
	struct json_hasher hasher;
	struct document_hash hash;

	json_hasher_init(&hasher);
	document_hash(&hasher, &document, NULL, &hash);
	json_hasher_release(&hasher);
	return hash;
}

static bool same(struct document a, struct document b)
{
	struct document_hash x = hash_of(a), y = hash_of(b);

	return hash128_equal(x.hash, y.hash);
}

static void id_routing_and_source_each_make_a_difference(void **state)
{
	struct document a = document_of("1", "r", "{\"a\":1}");

	(void)state;
	assert_true(same(a, document_of("1", "r", " { \"a\" : 1.0 }")));
	assert_false(same(a, document_of("2", "r", "{\"a\":1}")));
	assert_false(same(a, document_of("1", NULL, "{\"a\":1}")));
	assert_false(same(a, document_of("r", "1", "{\"a\":1}")));
	assert_false(same(a, document_of("1", "r", "{\"a\":2}")));
	assert_false(same(document_of("1", NULL, "{}"), document_of("1", NULL, NULL)));
	assert_false(same(document_of("1", NULL, "broken"), document_of("1", NULL, "broken ")));
}

static void fill(struct digest *digest, int from, int to, int step)
{
	char id[20], source[40];

	for (int i = from; i < to; i += step) {
		struct document_hash hash;

		snprintf(id, sizeof(id), "id-%d", i);
		snprintf(source, sizeof(source), "{\"n\":%d}", i);
		hash = hash_of(document_of(id, NULL, source));
		digest_add(digest, &hash);
	}
}

static size_t differing(const struct digest *a, const struct digest *b)
{
	size_t count = 0;

	for (uint32_t i = 0; i < a->bucket_count; i++)
		count += !digest_bucket_equal(&a->buckets[i], &b->buckets[i]);
	return count;
}

static void parts_in_any_order_add_up_to_the_whole(void **state)
{
	struct digest whole, even, odd;

	(void)state;
	digest_init(&whole, 64);
	digest_init(&even, 64);
	digest_init(&odd, 256);
	fill(&whole, 0, DOCUMENTS, 1);
	fill(&odd, 1, DOCUMENTS, 2);
	fill(&even, 0, DOCUMENTS, 2);
	digest_merge(&even, &odd);
	assert_int_equal(differing(&whole, &even), 0);
	assert_int_equal(digest_documents(&even), DOCUMENTS);
	digest_release(&whole);
	digest_release(&even);
	digest_release(&odd);
}

static void two_documents_that_swapped_sources_are_seen(void **state)
{
	struct digest a, b;
	struct document_hash hash;

	(void)state;
	digest_init(&a, 1);
	digest_init(&b, 1);
	hash = hash_of(document_of("1", NULL, "{\"a\":1}"));
	digest_add(&a, &hash);
	hash = hash_of(document_of("2", NULL, "{\"a\":2}"));
	digest_add(&a, &hash);
	hash = hash_of(document_of("1", NULL, "{\"a\":2}"));
	digest_add(&b, &hash);
	hash = hash_of(document_of("2", NULL, "{\"a\":1}"));
	digest_add(&b, &hash);
	assert_int_equal(differing(&a, &b), 1);
	digest_release(&a);
	digest_release(&b);
}

static void what_is_written_is_read_again(void **state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct digest digest, again;
	struct json *value;
	struct err err;

	(void)state;
	digest_init(&digest, 1024);
	fill(&digest, 0, 100, 1);
	digest_write(&text, &digest);
	assert_int_equal(json_parse(buf_str(&text), &mem, &value, &err), 0);
	assert_int_equal(digest_read(value, &again, &err), 0);
	assert_int_equal(again.bucket_count, 1024);
	assert_int_equal(differing(&digest, &again), 0);
	digest_release(&again);
	json_set(value, STR("buckets"), json_new_i64(&mem, 1000));
	assert_int_equal(digest_read(value, &again, &err), -ERR_FORMAT);
	json_set(value, STR("buckets"), json_new_i64(&mem, 2));
	assert_int_equal(digest_read(value, &again, &err), -ERR_FORMAT);
	digest_release(&digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(id_routing_and_source_each_make_a_difference),
		cmocka_unit_test(parts_in_any_order_add_up_to_the_whole),
		cmocka_unit_test(two_documents_that_swapped_sources_are_seen),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
