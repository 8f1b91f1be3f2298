#include "documents/file_documents.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define MOST 64

struct seen {
	int64_t doc[MOST];
	char text[MOST][200]; /* index, id, routing, source, problem */
	size_t count;
};

static const char bulk[] = "\n{\"index\":{\"_index\":\"a\",\"_id\":\"1\",\"routing\":\"r\"}}\n"
			   "{\"n\":1}\n"
			   "\n"
			   "{\"delete\":{\"_index\":\"a\",\"_id\":\"1\"}}\r\n"
			   "{\"create\":{\"_id\":\"2\"}}\n"
			   "{\"n\":2}\n"
			   "broken\n"
			   "{\"n\":3}\n"
			   "{\"index\":{\"_id\":\"4\"}}\n"
			   "{\"n\":4";

static void write_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static void read_from(const struct input_files *files, int64_t first, struct seen *out)
{
	const struct file_documents_options options = {
		.files = files, .line_limit = 1000, .first_doc = first};
	struct document_source *source;
	struct document d;
	struct err err;
	int rc;

	out->count = 0;
	assert_int_equal(file_documents_open(&options, &source, &err), 0);
	while ((rc = document_source_next(source, &d, &err)) > 0) {
		assert_true(out->count < MOST);
		out->doc[out->count] = d.doc;
		snprintf(out->text[out->count++], sizeof(out->text[0]),
			 STR_FMT "|" STR_FMT "|" STR_FMT "|" STR_FMT "|%s%s%s", STR_ARG(d.index),
			 STR_ARG(d.id), STR_ARG(d.routing), STR_ARG(d.source),
			 d.problem ? strrchr(d.problem, '/') : "", d.created ? "created" : "",
			 d.deleted ? "deleted" : "");
	}
	assert_int_equal(rc, 0);
	document_source_close(source);
}

static void pack(const char *folder)
{
	static unsigned char room[KIB(64)];
	char path[200];
	size_t length;
	gzFile gzip;

	snprintf(path, sizeof(path), "%s/b1.ndjson", folder);
	write_file(path, bulk, sizeof(bulk) - 1);
	snprintf(path, sizeof(path), "%s/b2.ndjson.gz", folder);
	gzip = gzopen(path, "wb");
	assert_non_null(gzip);
	assert_int_equal(gzwrite(gzip, bulk, sizeof(bulk) - 1), sizeof(bulk) - 1);
	gzclose(gzip);
	snprintf(path, sizeof(path), "%s/b10.ndjson.zst", folder);
	length = ZSTD_compress(room, sizeof(room), bulk, sizeof(bulk) - 1, 3);
	write_file(path, room, length);
}

static void reading_goes_on_at_every_place_of_every_file(void **state)
{
	char folder[] = "/tmp/shardlift-files-XXXXXX", command[100];
	struct seen all, rest;
	struct input_files files;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	pack(folder);
	assert_int_equal(input_files_open(folder, &files, &err), 0);
	read_from(&files, 0, &all);
	assert_int_equal(all.count, 15);
	assert_string_equal(all.text[0], "a|1|r|{\"n\":1}|");
	assert_string_equal(all.text[1], "a|1|||deleted");
	assert_string_equal(all.text[2], "b1|2||{\"n\":2}|created");
	assert_non_null(strstr(all.text[3], "|broken|/b1.ndjson': it is no action"));
	assert_non_null(strstr(all.text[4], "b1|4||{\"n\":4|/b1.ndjson': not JSON"));
	assert_string_equal(all.text[7], "b2|2||{\"n\":2}|created");
	assert_string_equal(all.text[12], "b10|2||{\"n\":2}|created");
	for (size_t i = 0; i < all.count; i++) {
		read_from(&files, all.doc[i], &rest);
		assert_int_equal(rest.count, all.count - i);
		assert_string_equal(rest.text[0], all.text[i]);
		read_from(&files, all.doc[i] + 1, &rest);
		assert_int_equal(rest.count, all.count - i - 1);
		for (size_t j = 0; j < rest.count; j++)
			assert_string_equal(rest.text[j], all.text[i + 1 + j]);
	}
	input_files_release(&files);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_goes_on_at_every_place_of_every_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
