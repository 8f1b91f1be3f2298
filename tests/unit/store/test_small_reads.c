#include "store/small_reads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SIZE KIB(100)

struct fixture {
	struct small_reads *kept;
	size_t reads, bytes;
};

struct remote {
	struct bytes_source source;
	struct fixture *fixture;
};

static char byte_at(uint64_t offset)
{
	return (char)(offset ^ offset >> 8);
}

static int remote_read_at(struct bytes_source *source, uint64_t offset, void *dst, size_t len,
			  struct err *err)
{
	struct fixture *f = ((struct remote *)source)->fixture;

	(void)err;
	for (size_t i = 0; i < len; i++)
		((char *)dst)[i] = byte_at(offset + i);
	f->reads++;
	f->bytes += len;
	return 0;
}

static void remote_close(struct bytes_source *source)
{
	free(source->name);
	free(source);
}

static bool is_remote(const struct bytes_source *source)
{
	(void)source;
	return true;
}

static const struct bytes_source_ops remote_ops = {
	.read_at = remote_read_at, .close = remote_close, .is_remote = is_remote};

static struct bytes_source *open_source(struct fixture *f, uint64_t key)
{
	struct remote *remote = mem_zalloc(sizeof(*remote));

	remote->source = (struct bytes_source){&remote_ops, SIZE, mem_strdup("remote")};
	remote->fixture = f;
	return small_reads_source(f->kept, key, &remote->source);
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->kept = small_reads_new(KIB(40));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	small_reads_free(f->kept);
	free(f);
	return 0;
}

static void assert_reads(struct bytes_source *source, uint64_t offset, size_t len)
{
	cleanup(mem_freep) char *bytes = mem_alloc(len + 1);

	assert_int_equal(bytes_source_read(source, offset, bytes, len, NULL), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], byte_at(offset + i));
}

static void a_small_read_brings_what_follows(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source = open_source(f, 0);

	assert_reads(source, 10, 5);
	assert_reads(source, 15, SMALL_READ - 5);
	assert_reads(source, 12, 0);
	assert_int_equal(f->reads, 1);
	assert_int_equal(f->bytes, SMALL_READ);
	bytes_source_close(source);
}

static void what_was_kept_serves_who_opens_the_file_again(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source = open_source(f, 7);

	assert_reads(source, SIZE - 16, 16);
	bytes_source_close(source);
	source = open_source(f, 7);
	assert_reads(source, SIZE - 8, 8);
	assert_int_equal(f->reads, 1);
	bytes_source_close(source);
	source = open_source(f, 8);
	assert_reads(source, SIZE - 8, 8);
	assert_int_equal(f->reads, 2);
	bytes_source_close(source);
}

static void a_large_read_is_passed_on_and_not_kept(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source = open_source(f, 0);

	assert_true(bytes_source_is_remote(source));
	assert_reads(source, 0, SMALL_READ + 1);
	assert_int_equal(f->bytes, SMALL_READ + 1);
	assert_int_equal(small_reads_bytes(f->kept), 0);
	bytes_source_close(source);
}

static void what_was_fetched_serves_reads_of_any_size(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source = open_source(f, 0);

	assert_int_equal(small_reads_fetch(source, 100, KIB(30), NULL), 0);
	assert_int_equal(small_reads_fetch(source, 200, KIB(20), NULL), 0);
	assert_reads(source, 100, KIB(30));
	assert_int_equal(f->reads, 1);
	bytes_source_close(source);
}

static void beyond_its_ceiling_reads_are_passed_on_as_they_come(void **state)
{
	struct fixture *f = *state;
	struct bytes_source *source = open_source(f, 0);

	assert_int_equal(small_reads_fetch(source, 0, KIB(40), NULL), 0);
	assert_reads(source, KIB(50), 10);
	assert_reads(source, KIB(50), 10);
	assert_int_equal(f->bytes, KIB(40) + 20);
	assert_int_equal(small_reads_bytes(f->kept), KIB(40));
	bytes_source_close(source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_read_brings_what_follows),
		TEST(what_was_kept_serves_who_opens_the_file_again),
		TEST(a_large_read_is_passed_on_and_not_kept),
		TEST(what_was_fetched_serves_reads_of_any_size),
		TEST(beyond_its_ceiling_reads_are_passed_on_as_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
