#include "backfill/control.h"

#include "base/small_file.h"
#include "temporary_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct pressure_options flags = {.max_in_flight = 4, .documents_per_second = 7};

static void write_wish(const char *folder, bool paused, int64_t documents, int64_t bytes)
{
	const struct control_wish wish = {paused, documents, bytes};
	struct err err = {0};

	if (control_write(folder, "s-1", &wish, &err) < 0)
		fail_msg("%s", err.message);
}

static void expect(const char *folder, bool paused, int64_t documents, int64_t bytes)
{
	struct control_wish wish;
	struct err err = {0};

	if (control_read(folder, "s-1", &wish, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(wish.paused, paused);
	assert_int_equal(wish.documents_per_second, documents);
	assert_int_equal(wish.bytes_per_second, bytes);
}

static void without_a_file_nothing_is_wished(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();

	(void)state;
	expect(folder, false, CONTROL_UNSAID, CONTROL_UNSAID);
	assert_int_equal(control_forget(folder, "s-1", NULL), 0);
}

static void what_is_written_is_read_until_it_is_forgotten(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();

	(void)state;
	write_wish(folder, true, 500, CONTROL_UNSAID);
	expect(folder, true, 500, CONTROL_UNSAID);
	write_wish(folder, false, 0, INT64_MAX);
	expect(folder, false, 0, INT64_MAX);
	assert_int_equal(control_forget(folder, "s-1", NULL), 0);
	expect(folder, false, CONTROL_UNSAID, CONTROL_UNSAID);
}

static void write_raw(const char *folder, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/work/s-1.control", folder);
	assert_int_equal(small_file_replace(path, str_from(text), NULL), 0);
}

static void a_file_that_is_no_wish_is_named(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct control_wish wish;
	struct err err = {0};

	(void)state;
	write_raw(folder, "[]");
	assert_int_equal(control_read(folder, "s-1", &wish, &err), -ERR_FORMAT);
	assert_non_null(strstr(err.message, "s-1.control"));
	write_raw(folder, "{\"paused\":tr");
	assert_int_equal(control_read(folder, "s-1", &wish, &err), -ERR_FORMAT);
	write_raw(folder, "{\"paused\":1,\"documents_per_second\":-5,\"bytes_per_second\":\"x\"}");
	expect(folder, false, CONTROL_UNSAID, CONTROL_UNSAID);
}

static void a_run_is_paused_and_goes_on(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct control *control = control_new(folder, "s-1", &flags);
	struct pressure *pressure = pressure_new(&flags);

	(void)state;
	control_look(control, pressure);
	assert_false(pressure_look(pressure).paused);
	write_wish(folder, true, CONTROL_UNSAID, CONTROL_UNSAID);
	control_look(control, pressure);
	assert_true(pressure_look(pressure).paused);
	/* Damage changes nothing. */
	write_raw(folder, "{");
	control_look(control, pressure);
	assert_true(pressure_look(pressure).paused);
	write_wish(folder, false, CONTROL_UNSAID, CONTROL_UNSAID);
	control_look(control, pressure);
	assert_false(pressure_look(pressure).paused);
	control_free(control);
	pressure_free(pressure);
}

static void the_first_poll_looks_and_the_next_waits(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct control *control = control_new(folder, "s-1", &flags);
	struct pressure *pressure = pressure_new(&flags);

	(void)state;
	write_wish(folder, true, CONTROL_UNSAID, CONTROL_UNSAID);
	control_poll(control, pressure);
	assert_true(pressure_look(pressure).paused);
	write_wish(folder, false, CONTROL_UNSAID, CONTROL_UNSAID);
	while (pressure_look(pressure).paused)
		control_poll(control, pressure);
	control_free(control);
	pressure_free(pressure);
}

static void expect_rates(struct pressure *pressure, int64_t documents, int64_t bytes)
{
	struct pressure_state now = pressure_look(pressure);

	assert_int_equal(now.documents_per_second, documents);
	assert_int_equal(now.bytes_per_second, bytes);
}

static void rates_are_changed_and_given_back_to_the_flags(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	struct control *control = control_new(folder, "s-1", &flags);
	struct pressure *pressure = pressure_new(&flags);

	(void)state;
	expect_rates(pressure, 7, 0);
	write_wish(folder, false, 0, 1000);
	control_look(control, pressure);
	expect_rates(pressure, 0, 1000);
	write_wish(folder, false, CONTROL_UNSAID, 2000);
	control_look(control, pressure);
	expect_rates(pressure, 7, 2000);
	assert_int_equal(control_forget(folder, "s-1", NULL), 0);
	control_look(control, pressure);
	expect_rates(pressure, 7, 0);
	control_free(control);
	pressure_free(pressure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_nothing_is_wished),
		cmocka_unit_test(what_is_written_is_read_until_it_is_forgotten),
		cmocka_unit_test(a_file_that_is_no_wish_is_named),
		cmocka_unit_test(a_run_is_paused_and_goes_on),
		cmocka_unit_test(rates_are_changed_and_given_back_to_the_flags),
		cmocka_unit_test(the_first_poll_looks_and_the_next_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
