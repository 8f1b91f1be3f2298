#include "workflow/routes/created_indices.h"

#include "../backfill/temporary_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool is_there;
static size_t asked;

int cluster_request(struct cluster *cluster, const char *method, const char *path, struct str body,
		    bool repeatable, struct arena *mem, int *status, struct json **answer,
		    struct err *err)
{
	(void)cluster;
	(void)path;
	(void)body;
	(void)repeatable;
	(void)mem;
	(void)err;
	assert_string_equal(method, "HEAD");
	asked++;
	*status = is_there ? 200 : 404;
	*answer = NULL;
	return 0;
}

static char path[200];
static struct err err;

static bool begin(struct created_indices *indices, const char *name)
{
	bool ours = false;

	assert_int_equal(created_indices_begin(indices, NULL, str_from(name), &ours, &err), 0);
	return ours;
}

static struct created_indices *open_again(struct created_indices *old)
{
	struct created_indices *indices;

	created_indices_close(old);
	assert_int_equal(created_indices_open(path, &indices, &err), 0);
	return indices;
}

static void what_was_not_there_is_ours_from_then_on(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct created_indices *indices;

	(void)state;
	snprintf(path, sizeof(path), "%s/s.indices", folder);
	indices = open_again(NULL);
	is_there = false;
	assert_true(begin(indices, "a"));
	assert_true(begin(indices, "b\"\n"));
	is_there = true;
	assert_false(begin(indices, "c"));
	indices = open_again(indices);
	asked = 0;
	assert_true(begin(indices, "a"));
	assert_true(begin(indices, "b\"\n"));
	assert_int_equal(asked, 0);
	assert_false(begin(indices, "c"));
	created_indices_close(indices);
}

static void a_line_that_was_cut_off_was_never_created(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct created_indices *indices;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/s.indices", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("\"a\"\n\"lon", file);
	fclose(file);
	indices = open_again(NULL);
	is_there = false;
	assert_true(begin(indices, "new"));
	indices = open_again(indices);
	is_there = true;
	assert_true(begin(indices, "a"));
	assert_true(begin(indices, "new"));
	assert_false(begin(indices, "lon"));
	created_indices_close(indices);
}

static void what_another_process_of_the_session_made_is_ours(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct created_indices *mine, *other;

	(void)state;
	snprintf(path, sizeof(path), "%s/s.indices", folder);
	mine = open_again(NULL);
	other = open_again(NULL);
	is_there = false;
	assert_true(begin(other, "a"));
	is_there = true;
	assert_true(begin(mine, "a"));
	created_indices_close(mine);
	created_indices_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_there_is_ours_from_then_on),
		cmocka_unit_test(a_line_that_was_cut_off_was_never_created),
		cmocka_unit_test(what_another_process_of_the_session_made_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
