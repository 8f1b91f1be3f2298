#include "workflow/routes/index_move.h"

#include "../backfill/temporary_folder.h"
#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define BOOKS STR("books")
#define ROOT "{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.6\"}}"

#define TASKS                                                                            \
	"{\"nodes\":{\"n\":{\"tasks\":{\"n:7\":{\"description\":\"reindex from [host=a]" \
	"[books] to [books]\"}}}}}"

/* A cluster that may have the index. */
struct side {
	bool has_it;
	bool reindexes; /* a task fills it */
	size_t changes; /* PUT, POST, DELETE */
};

static void play(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct side *side = user;
	struct str method, path, rest;

	str_split(request->head, ' ', &method, &rest);
	str_split(rest, ' ', &path, &rest);
	side->changes += !str_is(method, "GET") && !str_is(method, "HEAD");
	if (side->reindexes && str_starts(path, STR("/_tasks?")))
		fake_reply_json(reply, 200, TASKS);
	else if (str_starts(path, STR("/_tasks/n:7/_cancel")) ||
		 str_starts(path, STR("/_tasks/n%3A7/_cancel"))) {
		side->reindexes = false;
		fake_reply_json(reply, 200, "{}");
	} else if (str_is(path, "/"))
		fake_reply_json(reply, 200, ROOT);
	else
		fake_reply_json(reply, side->has_it ? 200 : 404, "{}");
	if (str_is(method, "DELETE"))
		side->has_it = side->reindexes; /* it is made anew */
}

struct fixture {
	struct side sides[2];
	struct fake_server *servers[2];
	struct cluster *clusters[2];
	char *folder, path[200], names[200];
	struct move_record record;
	struct index_move move;
	struct created_indices *ours;
	struct err err;
};

/* Moved to the target, and not cut over. */
static int set_up(void **state)
{
	const struct cluster_retry retry = {
		.initial_delay_ms = 1, .max_delay_ms = 1, .max_total_ms = 60000};
	struct fixture *f = mem_zalloc(sizeof(*f));
	bool ours;

	f->folder = temporary_folder();
	snprintf(f->path, sizeof(f->path), "%s/moves/m.json", f->folder);
	snprintf(f->names, sizeof(f->names), "%s/m.indices", f->folder);
	for (size_t i = 0; i < 2; i++) {
		f->servers[i] = fake_server_start(play, &f->sides[i]);
		assert_int_equal(cluster_connect(&(struct http_options){.host = fake_server_url(
										f->servers[i])},
						 &retry, &f->clusters[i], &f->err),
				 0);
	}
	assert_int_equal(move_record_open(f->path, STR("a to b"), true, &f->record, &f->err), 0);
	f->move = (struct index_move){f->clusters[0], f->clusters[1], &f->record};
	assert_int_equal(move_record_add(&f->record, BOOKS, BOOKS, 1, &f->err), 0);
	assert_int_equal(created_indices_open(f->names, &f->ours, &f->err), 0);
	assert_int_equal(created_indices_begin(f->ours, f->clusters[1], BOOKS, &ours, &f->err), 0);
	assert_true(ours);
	assert_int_equal(move_record_step(&f->record, BOOKS, MOVE_SWAPPED, &f->err), 0);
	f->sides[0] = f->sides[1] = (struct side){.has_it = true};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	created_indices_close(f->ours);
	move_record_release(&f->record);
	for (size_t i = 0; i < 2; i++) {
		cluster_close(f->clusters[i]);
		fake_server_stop(f->servers[i]);
		fake_server_free(f->servers[i]);
	}
	temporary_folder_remove(&f->folder);
	free(f);
	return 0;
}

static int back_out(struct fixture *f, bool *kept)
{
	return index_move_back_out(&f->move, BOOKS, f->ours, kept, &f->err);
}

static void an_index_that_no_client_knows_is_deleted_on_the_target(void **state)
{
	struct fixture *f = *state;
	bool kept;

	assert_int_equal(back_out(f, &kept), 0);
	assert_false(kept);
	assert_false(f->sides[1].has_it);
	assert_int_equal(move_record_step_of(&f->record, BOOKS), MOVE_NONE);
}

static void a_task_that_fills_the_index_is_stopped_first(void **state)
{
	struct fixture *f = *state;
	bool kept;

	f->sides[1].reindexes = true;
	assert_int_equal(back_out(f, &kept), 0);
	assert_false(f->sides[1].reindexes);
	assert_false(f->sides[1].has_it);
}

/* The command ran, and the program was killed before it could write down that it had. */
static void an_index_that_clients_may_have_been_told_of_stays(void **state)
{
	struct fixture *f = *state;
	bool kept;

	assert_int_equal(move_record_tell(&f->record, BOOKS, &f->err), 0);
	move_record_release(&f->record);
	assert_int_equal(move_record_open(f->path, STR("a to b"), true, &f->record, &f->err), 0);
	assert_int_equal(back_out(f, &kept), 0);
	assert_true(kept);
	assert_true(f->sides[1].has_it);
	assert_int_equal(move_record_step_of(&f->record, BOOKS), MOVE_NONE);
}

static void the_last_copy_of_an_index_is_not_taken_back(void **state)
{
	struct fixture *f = *state;
	bool kept;

	f->sides[0].has_it = false;
	assert_int_equal(back_out(f, &kept), -ERR_BLOCKED);
	assert_int_equal(f->sides[0].changes + f->sides[1].changes, 0);
	assert_true(f->sides[1].has_it);
	assert_false(move_record_is_backing_out(&f->record, BOOKS));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_index_that_no_client_knows_is_deleted_on_the_target),
		T(a_task_that_fills_the_index_is_stopped_first),
		T(an_index_that_clients_may_have_been_told_of_stays),
		T(the_last_copy_of_an_index_is_not_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
