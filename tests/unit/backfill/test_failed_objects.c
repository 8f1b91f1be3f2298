#include "backfill/failed_copies.h"
#include "backfill/failed_documents.h"
#include "backfill/failed_documents_pending.h"
#include "temporary_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A store in a folder whose puts can be refused. */
struct fake_store {
	struct blob_store store;
	struct blob_store *real;
	size_t puts, refused; /* how many of the next puts are refused */
	size_t largest;
};

static struct fake_store *fake_of(struct blob_store *store)
{
	return (struct fake_store *)store;
}

static int fake_put(struct blob_store *store, struct str name, struct str bytes, struct err *err)
{
	struct fake_store *fake = fake_of(store);

	fake->puts++;
	fake->largest = MAX(fake->largest, bytes.len);
	if (fake->refused > 0) {
		fake->refused--;
		return err_set(err, ERR_HTTP, "the store is away");
	}
	return blob_store_put(fake->real, name, bytes, err);
}

static void open_fake(struct fake_store *fake, const char *folder)
{
	static const struct blob_store_ops ops = {.put = fake_put};
	struct err err = {0};

	*fake = (struct fake_store){
		.store = {.ops = &ops, .uri = mem_strdup("fake://bucket/prefix/")}};
	assert_int_equal(blob_store_open(folder, &fake->real, &err), 0);
}

static void release_fake(struct fake_store *fake)
{
	free(fake->store.uri);
	blob_store_close(fake->real);
}

static struct failed_document refused(const char *index, const char *id)
{
	return (struct failed_document){
		.work_item = STR("books[0]"),
		.target_index = str_from(index),
		.id = str_from(id),
		.failure_type = STR("mapper_parsing_exception"),
		.reason = STR("failed to parse"),
		.status = 400,
		.action = STR("{\"index\":{\"_index\":\"books\"}}"),
		.source = STR("{\"year\":\"x\"}"),
	};
}

static void add(struct failed_documents *stream, const char *index, const char *id)
{
	const struct failed_document document = refused(index, id);
	struct err err = {0};

	assert_int_equal(failed_documents_add(stream, &document, &err), 0);
}

static struct failed_documents *open_stream(struct blob_store *store, size_t most)
{
	struct failed_documents *stream = NULL;
	struct err err = {0};

	assert_int_equal(failed_documents_open_store(store, "s1", most, &stream, &err), 0);
	return stream;
}

static int note_id(void *user, const struct failed_pending *pending, struct err *err)
{
	(void)err;
	if (!pending->repeated)
		buf_printf(user, STR_FMT "/" STR_FMT " ", STR_ARG(pending->record->target_index),
			   STR_ARG(pending->record->id));
	return 0;
}

static void assert_pending(const char *folder, const char *session, const char *expected)
{
	cleanup(buf_release) struct buf ids = BUF_INIT(KIB(64));
	const struct failed_visitor visitor = {.visit = note_id, .user = &ids};
	const struct failed_filter filter = {.folder = folder, .session = session};
	struct err err = {0};

	assert_int_equal(failed_documents_visit(&filter, &visitor, &err), 0);
	assert_string_equal(buf_cstr(&ids), expected);
}

static void a_flush_writes_one_object_for_each_index(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(release_fake) struct fake_store fake;
	struct failed_documents *stream;
	struct err err = {0};

	(void)state;
	open_fake(&fake, folder);
	stream = open_stream(&fake.store, MIB(1));
	assert_string_equal(failed_documents_path(stream), "fake://bucket/prefix/session=s1");
	add(stream, "books", "1");
	add(stream, "people", "2");
	add(stream, "books", "3");
	assert_int_equal(fake.puts, 0);
	assert_int_equal(failed_documents_flush(stream, &err), 0);
	assert_int_equal(fake.puts, 2);
	assert_int_equal(failed_documents_flush(stream, &err), 0);
	assert_int_equal(fake.puts, 2);
	assert_pending(folder, "s1", "books/1 books/3 people/2 ");
	assert_int_equal(failed_documents_close(stream, &err), 0);
	assert_int_equal(fake.puts, 2);
}

static void what_is_closed_is_kept(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(release_fake) struct fake_store fake;
	struct failed_documents *stream;
	struct err err = {0};

	(void)state;
	open_fake(&fake, folder);
	stream = open_stream(&fake.store, MIB(1));
	add(stream, "a/../b", "1");
	assert_int_equal(failed_documents_close(stream, &err), 0);
	assert_pending(folder, NULL, "a/../b/1 ");
}

static void a_refused_object_fails_the_flush_and_is_written_by_the_next(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(release_fake) struct fake_store fake;
	struct failed_documents *stream;
	struct err err = {0};

	(void)state;
	open_fake(&fake, folder);
	stream = open_stream(&fake.store, MIB(1));
	add(stream, "books", "1");
	fake.refused = 1;
	assert_int_equal(failed_documents_flush(stream, &err), -ERR_HTTP);
	assert_non_null(strstr(err.message, "the store is away"));
	assert_non_null(strstr(err.message, "fake://bucket/prefix/"));
	add(stream, "books", "2");
	assert_int_equal(failed_documents_flush(stream, &err), 0);
	assert_pending(folder, "s1", "books/1 books/2 ");
	assert_int_equal(failed_documents_close(stream, &err), 0);
}

static void what_waits_in_memory_is_bounded(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(release_fake) struct fake_store fake;
	struct failed_documents *stream;
	struct err err = {0};

	(void)state;
	open_fake(&fake, folder);
	stream = open_stream(&fake.store, 1000);
	for (int i = 0; i < 20; i++)
		add(stream, "books", "1");
	assert_true(fake.puts > 1);
	assert_true(fake.largest < 2000);
	assert_int_equal(failed_documents_close(stream, &err), 0);
}

static void a_store_that_is_only_read_is_refused_before_anything_fails(void **state)
{
	static const struct blob_store_ops ops = {0};
	struct blob_store store = {&ops, (char[]){"s9://x"}};
	struct failed_documents *stream = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(failed_documents_open_store(&store, "s1", 1, &stream, &err),
			 -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "s9://x"));
}

static void streams_in_a_store_are_fetched_once_and_read_as_files(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(temporary_folder_remove) char *copies = temporary_folder();
	cleanup(blob_store_closep) struct blob_store *store = NULL;
	struct failed_documents *stream;
	struct err err = {0};

	(void)state;
	assert_int_equal(blob_store_open(folder, &store, &err), 0);
	stream = open_stream(store, MIB(1));
	add(stream, "books", "1");
	assert_int_equal(failed_documents_flush(stream, &err), 0);
	assert_int_equal(failed_documents_fetch(store, "s1", copies, &err), 0);
	assert_pending(copies, "s1", "books/1 ");
	add(stream, "books", "2");
	assert_int_equal(failed_documents_close(stream, &err), 0);
	assert_int_equal(failed_documents_fetch(store, NULL, copies, &err), 0);
	assert_pending(copies, "s1", "books/1 books/2 ");
	assert_int_equal(failed_documents_fetch(store, "other", copies, &err), 0);
	assert_pending(copies, "other", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flush_writes_one_object_for_each_index),
		cmocka_unit_test(what_is_closed_is_kept),
		cmocka_unit_test(a_refused_object_fails_the_flush_and_is_written_by_the_next),
		cmocka_unit_test(what_waits_in_memory_is_bounded),
		cmocka_unit_test(a_store_that_is_only_read_is_refused_before_anything_fails),
		cmocka_unit_test(streams_in_a_store_are_fetched_once_and_read_as_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
