/* The replayer with records that are damaged, and with targets that hang, reset, answer garbage or
 * want other credentials: what becomes of the run, and of the requests behind. */
#include "fake_source.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#define OK_ANSWER STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

struct run {
	struct fake_source source;
	struct fake_server *server;
	struct replay_options options;
	struct replay_counts counts;
	struct err err;
	enum fake_end end;
	int status;
	const char *answer; /* raw; NULL: `status` and {} */
	size_t asked, set_aside;
	char reason[200];
	char folder[64]; /* of tuples; "": none */
	struct tuple_sink *sink;
};

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct run *run = user;

	run->asked++;
	/* What is behind a fault is answered well. */
	if (memmem(request->head.ptr, request->head.len, "/behind", 7)) {
		fake_reply_json(reply, 200, "{}");
		return;
	}
	if (run->answer)
		buf_append_str(&reply->bytes, str_from(run->answer));
	else if (run->status)
		fake_reply_json(reply, run->status, "{}");
	reply->end = run->end;
}

static void on_set_aside(void *user, struct record_position position, const char *reason)
{
	struct run *run = user;

	(void)position;
	run->set_aside++;
	snprintf(run->reason, sizeof(run->reason), "%s", reason);
}

static int set_up(void **state)
{
	struct run *run = mem_zalloc(sizeof(*run));

	run->server = fake_server_start(handle, run);
	run->options = fake_replay_options(&run->source, run->server);
	run->options.rules.attempts = 2;
	run->options.stop_on_auth_failure = true;
	run->options.set_aside = on_set_aside;
	run->options.user = run;
	*state = run;
	return 0;
}

static void remove_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

static void remove_folder(const char *path)
{
	remove_files(path);
	rmdir(path);
}

static int tear_down(void **state)
{
	struct run *run = *state;

	tuple_sink_close(run->sink, 1000);
	fake_source_release(&run->source);
	fake_server_free(run->server);
	if (run->folder[0])
		remove_folder(run->folder);
	free(run);
	return 0;
}

static void add_conversation(struct run *run, const struct str *requests, size_t count)
{
	const struct record_time time = {1700000000, 0};
	struct record_writer *w;
	char id[32];

	snprintf(id, sizeof(id), "c%zu", run->source.count);
	w = record_writer_new(STR("node"), str_from(id), MIB(1));
	for (size_t i = 0; i < count; i++) {
		record_writer_read(w, time, requests[i]);
		record_writer_end_of_message(w, time, RECORD_UNKNOWN, RECORD_UNKNOWN);
		record_writer_write(w, time, OK_ANSWER);
	}
	record_writer_close(w, time);
	fake_source_add(&run->source, w);
}

/* A request, and one behind it on its connection. */
static void add(struct run *run, struct str request)
{
	const struct str both[] = {request, STR("GET /behind HTTP/1.1\r\n\r\n")};

	add_conversation(run, both, 2);
}

static void with_tuples(struct run *run)
{
	const struct tuple_sink_options options = {.folder = run->folder};

	snprintf(run->folder, sizeof(run->folder), "/tmp/shardlift-faults-XXXXXX");
	assert_non_null(mkdtemp(run->folder));
	if (tuple_sink_open(&options, &run->sink, &run->err) < 0)
		fail_msg("%s", run->err.message);
	run->options.sink = run->sink;
}

/* All lines of all files, as text. */
static void tuples_of(struct run *run, struct buf *out)
{
	DIR *dir = opendir(run->folder);
	struct dirent *entry;
	char path[400];

	tuple_sink_close(run->sink, 60000);
	run->sink = NULL;
	while ((entry = readdir(dir))) {
		gzFile file;
		int got;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", run->folder, entry->d_name);
		file = gzopen(path, "rb");
		while ((got = gzread(file, buf_reserve(out, 4096), 4096)) > 0)
			out->len += (size_t)got;
		gzclose(file);
	}
	closedir(dir);
}

static size_t count_of(const struct buf *text, const char *what)
{
	size_t count = 0;

	for (const char *at = buf_str(text).ptr;
	     (at = memmem(at, (size_t)(text->ptr + text->len - at), what, strlen(what))); at++)
		count++;
	return count;
}

static void go(struct run *run)
{
	if (replay_run(&run->options, &run->counts, &run->err) < 0)
		fail_msg("%s", run->err.message);
}

/* The fault is tried twice, is in its tuple, and what is behind it goes on. */
static void assert_tried_and_passed_over(struct run *run, const char *why)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

	with_tuples(run);
	add(run, STR("GET /a HTTP/1.1\r\n\r\n"));
	go(run);
	assert_int_equal(run->asked, 3);
	assert_int_equal(run->source.finished, 1);
	assert_int_equal(run->counts.tuples, 2);
	assert_int_equal(run->counts.given_up, 1);
	assert_int_equal(run->counts.times.target_transactions.failed, 1);
	tuples_of(run, &text);
	assert_int_equal(count_of(&text, why), 2);
	assert_int_equal(count_of(&text, "\"numRequests\":2,\"numErrors\":2}"), 1);
	assert_int_equal(count_of(&text, "\"numRequests\":1,\"numErrors\":0}"), 1);
}

/* Of the first file by name; how many files there are. */
static size_t lines_of_first(const char *folder, size_t *files)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort), got;
	char path[400];
	gzFile file;

	/* Behind "." and "..". */
	assert_true(count > 2);
	*files = (size_t)count - 2;
	snprintf(path, sizeof(path), "%s/%s", folder, entries[2]->d_name);
	file = gzopen(path, "rb");
	while ((got = gzread(file, buf_reserve(&text, 4096), 4096)) > 0)
		text.len += (size_t)got;
	gzclose(file);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return count_of(&text, "\n");
}

static void a_file_of_tuples_ends_behind_all_lines_of_a_tuple(void **state)
{
	struct run *run = *state;
	const struct tuple_sink_options options = {
		.folder = run->folder, .most_tuples = 3, .most_seconds = 3600};
	struct tuple_sink *sink;
	size_t files;

	snprintf(run->folder, sizeof(run->folder), "/tmp/shardlift-faults-XXXXXX");
	assert_non_null(mkdtemp(run->folder));
	assert_int_equal(tuple_sink_open(&options, &sink, &run->err), 0);
	for (uint64_t i = 1; i <= 5; i++)
		assert_int_equal(tuple_sink_append(sink, STR("{}\n{}\n")), i);
	tuple_sink_close(sink, 60000);
	assert_int_equal(lines_of_first(run->folder, &files), 6);
	assert_int_equal(files, 2);
}

static void a_target_that_hangs_is_in_the_tuple(void **state)
{
	struct run *run = *state;

	/* Ample for an answer that comes: the one behind must not be late as well. */
	run->options.target.request_timeout_ms = 5000;
	run->end = FAKE_SILENT;
	assert_tried_and_passed_over(run, "no answer in time");
}

static void a_reset_in_the_answer_is_in_the_tuple(void **state)
{
	struct run *run = *state;

	run->answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart of";
	run->end = FAKE_CLOSE;
	assert_tried_and_passed_over(run, "before its answer was complete");
}

static void garbage_is_in_the_tuple(void **state)
{
	struct run *run = *state;

	run->answer = "220 mail.example ESMTP\r\n\r\n";
	run->end = FAKE_CLOSE;
	assert_tried_and_passed_over(run, "\"Exception\":");
}

static void refuse_all(struct run *run, int status)
{
	const struct str request = STR("GET /a HTTP/1.1\r\n\r\n");

	run->status = status;
	for (int i = 0; i < 40; i++)
		add_conversation(run, &request, 1);
	/* One after another: what else is in flight when it stops is no matter. */
	run->options.most_requests = 1;
}

static void assert_stops_at(struct run *run, int status)
{
	refuse_all(run, status);
	assert_int_equal(replay_run(&run->options, &run->counts, &run->err), -ERR_AUTH);
	assert_non_null(strstr(run->err.message, "--no-stop-on-auth-failure"));
	assert_int_equal(run->asked, 20);
}

static void a_row_of_401_stops_the_run(void **state)
{
	assert_stops_at(*state, 401);
}

static void a_row_of_403_stops_the_run(void **state)
{
	assert_stops_at(*state, 403);
}

static void credentials_that_are_refused_may_be_passed_over(void **state)
{
	struct run *run = *state;

	run->options.stop_on_auth_failure = false;
	refuse_all(run, 403);
	go(run);
	assert_int_equal(run->asked, 40);
	assert_int_equal(run->counts.auth_failures, 40);
	assert_int_equal(run->source.finished, 40);
}

static void a_request_that_is_no_http_is_told_and_passed_over(void **state)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	struct run *run = *state;

	with_tuples(run);
	add(run, STR("\x16\x03\x01 what is this\r\n\r\n"));
	add(run, STR("POST /a HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"));
	add(run, STR("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"));
	add(run, STR("POST /a HTTP/1.1\r\nContent-Length: 500\r\n\r\nshort"));
	go(run);
	assert_int_equal(run->asked, 4);
	assert_int_equal(run->counts.requests_skipped, 4);
	assert_int_equal(run->source.finished, 4);
	tuples_of(run, &text);
	assert_int_equal(count_of(&text, "\"error\":"), 4);
	assert_int_equal(count_of(&text, "\"numRequests\":0,"), 4);
}

/* Gives bytes of a record that are cut, or another message altogether, between good ones. */
static int give_damaged(struct record_source *source, int timeout_ms, struct record_item *out,
			struct err *err)
{
	struct fake_source *s = (struct fake_source *)source;
	int got = fake_give(source, timeout_ms, out, err);

	if (got == RECORD_SOURCE_ITEM && s->given % 3 == 1)
		out->bytes.len -= 7;
	else if (got == RECORD_SOURCE_ITEM && s->given % 3 == 2)
		out->bytes = STR("\x0a\x05"
				 "abc");
	return got;
}

static void damaged_records_are_set_aside_and_hold_nothing_back(void **state)
{
	static const struct record_source_ops damaged = {.next = give_damaged,
							 .finish = fake_finish,
							 .commit = fake_commit,
							 .close = fake_end};
	struct run *run = *state;

	run->status = 200;
	for (int i = 0; i < 9; i++)
		add(run, STR("GET /a HTTP/1.1\r\n\r\n"));
	run->source.source.ops = &damaged;
	go(run);
	assert_int_equal(run->set_aside, 6);
	assert_int_equal(run->counts.records_set_aside, 6);
	assert_true(strlen(run->reason) > 0);
	assert_int_equal(run->asked, 6);
	assert_int_equal(run->source.finished, 9);
}

static void tuples_that_find_no_room_stop_the_run_and_commit_nothing(void **state)
{
	struct rlimit was, little = {.rlim_cur = 1, .rlim_max = 0};
	struct run *run = *state;
	int got;

	run->status = 200;
	with_tuples(run);
	add(run, STR("GET /a HTTP/1.1\r\n\r\n"));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	little.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	got = replay_run(&run->options, &run->counts, &run->err);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(got, -ERR_IO);
	assert_non_null(strstr(run->err.message, "until there is room"));
	assert_non_null(strstr(run->err.message, run->folder));
	assert_int_equal(run->source.finished, 0);
}

/* Until it is durable, or failed. */
static void append_noise(struct tuple_sink *sink, struct err *err)
{
	cleanup(buf_release) struct buf noise = BUF_INIT(MIB(4));
	uint64_t durable, number, state = 88172645463325252u;

	for (size_t i = 0; i < MIB(1); i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		buf_append_byte(&noise, (uint8_t)('!' + state % 90));
	}
	buf_append_byte(&noise, '\n');
	number = tuple_sink_append(sink, buf_str(&noise));
	while (tuple_sink_durable(sink, &durable, err) == 0 && durable < number)
		usleep(1000);
}

static void files_of_tuples_are_bounded_over_restarts(void **state)
{
	struct run *run = *state;
	struct tuple_sink_options options = {.folder = run->folder, .folder_bytes = KIB(512)};
	struct tuple_sink *sink;

	snprintf(run->folder, sizeof(run->folder), "/tmp/shardlift-faults-XXXXXX");
	assert_non_null(mkdtemp(run->folder));
	/* 0.8 MiB compressed: what fills the folder is written, and nothing more. */
	assert_int_equal(tuple_sink_open(&options, &sink, &run->err), 0);
	append_noise(sink, &run->err);
	tuple_sink_close(sink, 60000);
	assert_int_equal(run->err.kind, 0);
	assert_int_equal(tuple_sink_open(&options, &sink, &run->err), -ERR_IO);
	assert_non_null(strstr(run->err.message, "nothing more is committed until it is raised"));
	options.folder_bytes = 0;
	assert_int_equal(tuple_sink_open(&options, &sink, &run->err), 0);
	tuple_sink_close(sink, 60000);
}

static void files_of_tuples_that_are_moved_away_make_room(void **state)
{
	struct run *run = *state;
	struct tuple_sink_options options = {
		.folder = run->folder, .folder_bytes = KIB(512), .most_tuples = 1};
	struct tuple_sink *sink;

	snprintf(run->folder, sizeof(run->folder), "/tmp/shardlift-faults-XXXXXX");
	assert_non_null(mkdtemp(run->folder));
	assert_int_equal(tuple_sink_open(&options, &sink, &run->err), 0);
	append_noise(sink, &run->err);
	remove_files(run->folder);
	append_noise(sink, &run->err);
	assert_int_equal(run->err.kind, 0);
	append_noise(sink, &run->err);
	assert_int_equal(run->err.kind, ERR_IO);
	tuple_sink_close(sink, 60000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_of_tuples_ends_behind_all_lines_of_a_tuple),
		TEST(a_target_that_hangs_is_in_the_tuple),
		TEST(a_reset_in_the_answer_is_in_the_tuple),
		TEST(garbage_is_in_the_tuple),
		TEST(a_row_of_401_stops_the_run),
		TEST(a_row_of_403_stops_the_run),
		TEST(credentials_that_are_refused_may_be_passed_over),
		TEST(a_request_that_is_no_http_is_told_and_passed_over),
		TEST(damaged_records_are_set_aside_and_hold_nothing_back),
		TEST(tuples_that_find_no_room_stop_the_run_and_commit_nothing),
		TEST(files_of_tuples_are_bounded_over_restarts),
		TEST(files_of_tuples_that_are_moved_away_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
