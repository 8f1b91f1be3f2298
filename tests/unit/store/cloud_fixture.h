/* What the tests of the clouds' stores share: a server that holds one object, and takes uploads. */
#ifndef STORE_CLOUD_FIXTURE_H
#define STORE_CLOUD_FIXTURE_H

#include "base/limits.h"
#include "fake_server.h"
#include "store/blob_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define OBJECT_SIZE (MIB(5) + 7) /* more than one range */
#define UPLOAD_SIZE (MIB(17) + 3)

struct cloud_fixture {
	struct fake_server *server;
	struct blob_store_options options;
	struct blob_store *store;
	struct arena mem;
	struct err err;
	char object[OBJECT_SIZE], *upload;
	unsigned generation;
	size_t failures;   /* answers that are to be 503 before the next one is right */
	struct buf stored; /* what was uploaded */
	size_t calls;      /* of uploads */
	char seen[8192];   /* the heads of all requests, as far as they fit */
};

static inline void note_head(struct cloud_fixture *f, const struct fake_request *request)
{
	size_t len = strlen(f->seen);

	snprintf(f->seen + len, sizeof(f->seen) - len, STR_FMT "\n", STR_ARG(request->head));
}

/* Answers with the range that is asked for; `tag` is a whole header line. */
static inline void answer_range(struct cloud_fixture *f, const struct fake_request *request,
				const char *tag, struct fake_reply *reply)
{
	const char *range = memmem(request->head.ptr, request->head.len, "Range: bytes=", 13);
	unsigned long first = range ? strtoul(range + 13, NULL, 10) : 0;
	unsigned long last = range ? strtoul(strchr(range, '-') + 1, NULL, 10) : 0;
	char fields[256];

	assert_non_null(range);
	if (last >= OBJECT_SIZE)
		last = OBJECT_SIZE - 1;
	snprintf(fields, sizeof(fields), "%s\r\nContent-Range: bytes %lu-%lu/%zu\r\n", tag, first,
		 last, (size_t)OBJECT_SIZE);
	fake_reply_write(reply, 206, fields, str_of(f->object + first, last - first + 1));
}

static inline struct cloud_fixture *new_fixture(fake_handler handle)
{
	static const char *const variables[] = {
		"STORAGE_EMULATOR_HOST",   "GOOGLE_APPLICATION_CREDENTIALS",
		"AZURE_STORAGE_KEY",       "AZURE_STORAGE_CONNECTION_STRING",
		"AZURE_STORAGE_SAS_TOKEN", "AZURE_FEDERATED_TOKEN_FILE",
		"IDENTITY_ENDPOINT",       "AZURE_POD_IDENTITY_AUTHORITY_HOST",
	};
	struct cloud_fixture *f = mem_zalloc(sizeof(*f));

	for (size_t i = 0; i < COUNT_OF(variables); i++)
		unsetenv(variables[i]);
	setenv("no_proxy", "*", 1);
	for (size_t i = 0; i < OBJECT_SIZE; i++)
		f->object[i] = (char)(i * 7 % 251);
	f->upload = mem_alloc(UPLOAD_SIZE);
	for (size_t i = 0; i < UPLOAD_SIZE; i++)
		f->upload[i] = (char)(i * 11 % 241);
	f->generation = 1;
	f->mem = ARENA_INIT(MIB(64));
	f->stored = BUF_INIT(MIB(64));
	f->server = fake_server_start(handle, f);
	return f;
}

static inline int free_fixture(void **state)
{
	struct cloud_fixture *f = *state;

	blob_store_close(f->store);
	fake_server_free(f->server);
	buf_release(&f->stored);
	arena_release(&f->mem);
	free(f->upload);
	free(f);
	return 0;
}

static inline void must(struct cloud_fixture *f, int rc)
{
	if (rc < 0)
		fail_msg("%s", f->err.message);
}

static inline void must_say(struct cloud_fixture *f, int rc, int kind, const char *words)
{
	assert_int_equal(rc, -kind);
	if (!strstr(f->err.message, words))
		fail_msg("'%s' does not say '%s'", f->err.message, words);
}

static inline void reads_whole_objects_by_ranges(void **state)
{
	struct cloud_fixture *f = *state;
	struct str bytes;

	must(f, blob_store_read(f->store, STR("b"), &f->mem, MIB(16), &bytes, &f->err));
	assert_int_equal(bytes.len, OBJECT_SIZE);
	assert_memory_equal(bytes.ptr, f->object, OBJECT_SIZE);
	assert_int_equal(fake_server_requests(f->server), 2);
}

static inline void tries_again_where_the_server_is_busy(void **state)
{
	struct cloud_fixture *f = *state;
	struct str bytes;

	f->failures = 2;
	must(f, blob_store_read(f->store, STR("b"), &f->mem, MIB(16), &bytes, &f->err));
	assert_int_equal(fake_server_requests(f->server), 4);
}

static inline void tells_what_was_replaced_while_it_was_read(void **state)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct cloud_fixture *f = *state;
	char bytes[10];

	must(f, blob_store_source(f->store, STR("b"), &source, &f->err));
	assert_int_equal(source->size, OBJECT_SIZE);
	must(f, bytes_source_read(source, 3, bytes, 10, &f->err));
	assert_memory_equal(bytes, f->object + 3, 10);
	f->generation = 2;
	must_say(f, bytes_source_read(source, 3, bytes, 10, &f->err), ERR_UNREADABLE,
		 "was replaced or deleted while it was read");
}

static inline void tells_an_object_of_another_size_and_one_that_is_missing(void **state)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL, *none = NULL;
	struct cloud_fixture *f = *state;
	char bytes[10];

	must(f, blob_store_source_sized(f->store, STR("b"), 99, &source, &f->err));
	assert_int_equal(fake_server_requests(f->server), 0);
	must_say(f, bytes_source_read(source, 0, bytes, 10, &f->err), ERR_FORMAT, "should have 99");
	must_say(f, blob_store_source(f->store, STR("nope"), &none, &f->err), ERR_NOT_FOUND,
		 "has no object 'nope'");
}

static inline void lists_all_pages_of_a_folder_and_no_others(void **state)
{
	struct cloud_fixture *f = *state;
	struct blob_listing listing;

	must(f, blob_store_list(f->store, STR("sub"), &f->mem, &listing, &f->err));
	assert_int_equal(listing.count, 2);
	assert_true(str_is(listing.blobs[0].name, "sub/a&b"));
	assert_int_equal(listing.blobs[0].size, 2);
	assert_true(str_is(listing.blobs[1].name, "sub/z"));
	assert_int_equal(fake_server_requests(f->server), 2);
}

static inline void puts_small_blobs_with_one_request(void **state)
{
	struct cloud_fixture *f = *state;

	must(f, blob_store_put(f->store, STR("new"), STR("hello"), &f->err));
	assert_true(str_is(buf_str(&f->stored), "hello"));
	assert_int_equal(fake_server_requests(f->server), 1);
}

static inline void puts_large_blobs_in_parts(void **state)
{
	struct cloud_fixture *f = *state;

	f->failures = 1;
	must(f, blob_store_put(f->store, STR("new"), str_of(f->upload, UPLOAD_SIZE), &f->err));
	assert_int_equal(f->stored.len, UPLOAD_SIZE);
	assert_memory_equal(f->stored.ptr, f->upload, UPLOAD_SIZE);
}

#endif
