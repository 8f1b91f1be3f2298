#include "cluster/bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void assert_body(const struct bulk *bulk, const char *expected)
{
	assert_int_equal(bulk->body.len, strlen(expected));
	assert_memory_equal(bulk->body.ptr, expected, bulk->body.len);
}

static void an_action_line_names_index_id_routing_and_type(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	struct bulk_document document = {.index = STR("books"),
					 .id = STR("1"),
					 .routing = STR("r"),
					 .type = STR("book"),
					 .source = STR("{\"a\":1}")};
	struct err err = {0};

	(void)state;
	bulk_init(&bulk, KIB(4));
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_body(&bulk, "{\"index\":{\"_index\":\"books\",\"_id\":\"1\",\"routing\":\"r\","
			   "\"_type\":\"book\"}}\n{\"a\":1}\n");
}

static void what_is_not_there_is_not_sent_and_what_is_empty_is(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	struct bulk_document document = {.index = STR("i"), .source = STR("{}")};
	struct err err = {0};

	(void)state;
	bulk_init(&bulk, KIB(4));
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	document.routing = STR("");
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_body(&bulk, "{\"index\":{\"_index\":\"i\"}}\n{}\n"
			   "{\"index\":{\"_index\":\"i\",\"routing\":\"\"}}\n{}\n");
}

static void ids_are_escaped_as_json_and_utf8_passes(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	struct bulk_document document = {.index = STR("i"),
					 .id = STR("a\"b\\c\n\r\t\x01\x1f/\x7f\xc3\xa4"),
					 .source = STR("{}")};
	struct err err = {0};

	(void)state;
	bulk_init(&bulk, KIB(4));
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_body(&bulk,
		    "{\"index\":{\"_index\":\"i\",\"_id\":\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f/"
		    "\x7f\xc3\xa4\"}}\n{}\n");
}

static void items_say_where_their_lines_are(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	struct bulk_document document = {.index = STR("i"), .source = STR("{\n}")};
	struct err err = {0};

	(void)state;
	bulk_init(&bulk, MIB(1));
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_int_equal(bulk.count, 1000);
	for (size_t n = 0; n < bulk.count; n++) {
		const struct bulk_item *item = &bulk.items[n];

		assert_int_equal(item->action_start, n ? item[-1].end : 0);
		assert_memory_equal(bulk.body.ptr + item->action_start, "{\"index\"", 8);
		assert_memory_equal(bulk.body.ptr + item->source_start, "{ }\n", 4);
		assert_int_equal(item->end, item->source_start + 4);
	}
	assert_int_equal(bulk.body.len, bulk.items[999].end);
}

static void a_version_is_sent_only_where_asked_for_and_known(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	struct bulk_document document = {.index = STR("i"), .id = STR("1"), .source = STR("{}")};
	struct err err = {0};

	(void)state;
	bulk_init(&bulk, KIB(4));
	document.version = INT64_MAX;
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	document.external = true;
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	document.version = 0;
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	document.version = -1;
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_body(&bulk, "{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{}\n"
			   "{\"index\":{\"_index\":\"i\",\"_id\":\"1\",\"version\":"
			   "9223372036854775807,\"version_type\":\"external_gte\"}}\n{}\n"
			   "{\"index\":{\"_index\":\"i\",\"_id\":\"1\",\"version\":0,"
			   "\"version_type\":\"external_gte\"}}\n{}\n"
			   "{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{}\n");
	assert_false(bulk.items[0].external);
	assert_true(bulk.items[1].external);
	assert_true(bulk.items[2].external);
	assert_false(bulk.items[3].external);
}

static void a_create_has_no_version_and_a_delete_no_source(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	struct bulk_document document = {.index = STR("i"),
					 .id = STR("1"),
					 .routing = STR("r"),
					 .source = STR("{}"),
					 .version = 7,
					 .external = true,
					 .operation = BULK_CREATE};
	struct err err = {0};

	(void)state;
	bulk_init(&bulk, KIB(4));
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	document.operation = BULK_DELETE;
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	document.operation = BULK_INDEX;
	document.external = false;
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_body(&bulk,
		    "{\"create\":{\"_index\":\"i\",\"_id\":\"1\",\"routing\":\"r\"}}\n{}\n"
		    "{\"delete\":{\"_index\":\"i\",\"_id\":\"1\",\"routing\":\"r\",\"version\":7,"
		    "\"version_type\":\"external_gte\"}}\n"
		    "{\"index\":{\"_index\":\"i\",\"_id\":\"1\",\"routing\":\"r\"}}\n{}\n");
	assert_int_equal(bulk.items[1].source_start, bulk.items[1].end);
	assert_int_equal(bulk.items[1].end, bulk.items[2].action_start);
	assert_int_equal(bulk.items[1].operation, BULK_DELETE);
	assert_true(str_is(bulk_item_source(&bulk, 0), "{}"));
	assert_null(bulk_item_source(&bulk, 1).ptr);
	assert_true(str_starts(bulk_item_action(&bulk, 1), STR("{\"delete\"")));
	assert_true(str_ends(bulk_item_action(&bulk, 1), STR("}}")));
}

static void a_document_that_does_not_fit_leaves_the_bulk_as_it_was(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	struct bulk_document document = {.index = STR("i"), .id = STR("1"), .source = STR("{}")};
	size_t size = bulk_size_of(&document);
	struct err err = {0};

	(void)state;
	bulk_init(&bulk, size - 1);
	assert_int_equal(bulk_add(&bulk, &document, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.message, "a document of 2 bytes"));
	assert_int_equal(bulk.count, 0);
	bulk_release(&bulk);
	bulk_init(&bulk, size);
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_int_equal(bulk_add(&bulk, &document, &err), -ERR_LIMIT);
	assert_int_equal(bulk.count, 1);
	bulk_reset(&bulk);
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_true(bulk.body.capacity <= size);
}

static void the_worst_id_takes_no_more_than_was_said(void **state)
{
	cleanup(bulk_release) struct bulk bulk;
	char id[512];
	struct bulk_document document = {.index = STR("i"),
					 .id = str_of(id, sizeof(id)),
					 .routing = str_of(id, sizeof(id)),
					 .type = str_of(id, sizeof(id)),
					 .source = STR("{}"),
					 .version = INT64_MAX,
					 .external = true};
	struct err err = {0};

	(void)state;
	memset(id, 1, sizeof(id));
	bulk_init(&bulk, KIB(64));
	assert_int_equal(bulk_add(&bulk, &document, &err), 0);
	assert_true(bulk.body.len <= bulk_size_of(&document));
	assert_true(bulk.body.len > bulk_size_of(&document) - 20);
}

static char naively_scrubbed(char c)
{
	return c == '\n' || c == '\r' ? ' ' : c;
}

/* Half of the blocks are full of what is or might be taken for a line break, half have hardly one,
 * as sources do. */
static char scrubbing_byte(unsigned *seed, bool full)
{
	if (rand_r(seed) % (full ? 3 : 100) == 0)
		return "\n\r\x0b\x0c\x8a\x8d\t\x0e"[rand_r(seed) % 8];
	return (char)(full ? rand_r(seed) % 256 : ' ' + rand_r(seed) % (256 - ' '));
}

/* Every length and alignment around the width of a vector, on blocks of exactly that size, so that
 * a sanitizer sees a read or write beside them. */
static void line_breaks_become_spaces_at_every_alignment(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	for (size_t align = 0; align < 17; align++)
		for (size_t len = 0; len < 200; len++) {
			cleanup(bulk_release) struct bulk bulk;
			cleanup(mem_freep) char *block = mem_alloc(align + len);
			struct bulk_document document = {.index = STR("i"),
							 .source = str_of(block + align, len)};
			struct err err = {0};
			const char *got;

			for (size_t i = 0; i < len; i++)
				block[align + i] = scrubbing_byte(&seed, (len + align) % 2);
			bulk_init(&bulk, KIB(1));
			assert_int_equal(bulk_add(&bulk, &document, &err), 0);
			got = bulk.body.ptr + bulk.items[0].source_start;
			for (size_t i = 0; i < len; i++)
				assert_int_equal(got[i], naively_scrubbed(block[align + i]));
			assert_int_equal(got[len], '\n');
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_action_line_names_index_id_routing_and_type),
		cmocka_unit_test(what_is_not_there_is_not_sent_and_what_is_empty_is),
		cmocka_unit_test(ids_are_escaped_as_json_and_utf8_passes),
		cmocka_unit_test(items_say_where_their_lines_are),
		cmocka_unit_test(a_version_is_sent_only_where_asked_for_and_known),
		cmocka_unit_test(a_create_has_no_version_and_a_delete_no_source),
		cmocka_unit_test(a_document_that_does_not_fit_leaves_the_bulk_as_it_was),
		cmocka_unit_test(the_worst_id_takes_no_more_than_was_said),
		cmocka_unit_test(line_breaks_become_spaces_at_every_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
