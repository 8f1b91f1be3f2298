/* migrate_run over a made-up snapshot, target and backfill, which this program brings itself. */
#include "workflow/routes/migrate.h"

#include "cluster/data_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* One index: what the snapshot holds, what the target does, and what then has to come of it. */
struct fake_index {
	const char *mappings; /* NULL: the metadata is damaged */
	bool closed;
	bool not_created;
	bool unreadable;
	uint64_t documents, sent, failed;
	int64_t on_target; /* -1: the count is refused */
};

static struct fake_index fakes[4];
static struct snapshot_index names[4];
static size_t created, refused, refreshed, counted, sent_indices, other_problems;
static bool kept_types, target_is_gone, nothing_accepted, template_fails;
static struct str data_stream; /* name of the index that is one on the target */
static size_t created_only;
static bool of_delta;

static struct fake_index *fake_of(struct str name)
{
	return &fakes[name.ptr[0] - 'a'];
}

const struct snapshot_index *snapshot_find_index(const struct snapshot *snapshot, struct str name)
{
	return &snapshot->indices[name.ptr[0] - 'a'];
}

int snapshot_index_metadata(const struct snapshot *snapshot, const struct snapshot_index *index,
			    struct arena *mem, struct index_metadata *out, struct err *err)
{
	const struct fake_index *fake = fake_of(index->name);

	(void)snapshot;
	if (!fake->mappings)
		return err_set(err, ERR_FORMAT, "blob 'meta-x.dat' is damaged");
	out->name = index->name;
	out->closed = fake->closed;
	out->shard_count = 2;
	out->settings = json_new(mem, JSON_OBJECT);
	return json_parse(str_from(fake->mappings), mem, &out->mappings, err);
}

bool index_filter_accepts(const struct index_filter *filter, struct str name)
{
	(void)filter;
	return !nothing_accepted && !str_is(name, "d");
}

int migrate_metadata_run(const struct migrate_metadata *migrating, struct metadata_set *set,
			 struct err *err)
{
	metadata_set_init(set);
	refused = migrating->refused_count;
	if (target_is_gone)
		return err_set(err, ERR_UNREACHABLE, "no answer");
	for (size_t i = 0; i < migrating->snapshot->index_count; i++) {
		struct str name = migrating->snapshot->indices[i].name;
		struct metadata_item *item = metadata_set_add(set, METADATA_INDEX, name, NULL);

		assert_non_null(item);
		created++;
		item->outcome = OUTCOME_WRITTEN;
		if (fake_of(name)->not_created) {
			item->outcome = OUTCOME_FAILED;
			item->reason = STR("bad analyzer");
		}
	}
	other_problems = template_fails;
	return 0;
}

struct str migrate_metadata_words(const struct metadata_item *item, struct arena *mem)
{
	(void)mem;
	return item->reason;
}

size_t migrate_metadata_other_problems(const struct metadata_set *set)
{
	(void)set;
	return other_problems;
}

int backfill_run(const struct snapshot *snapshot, const struct backfill_index *indices,
		 size_t count, const struct backfill_options *options,
		 struct failed_documents *failed, struct progress *progress, atomic_bool *cancel,
		 struct backfill_report *report, struct err *err)
{
	struct backfill_index_result *results = report->indices;

	(void)snapshot;
	(void)failed;
	(void)progress;
	(void)cancel;
	(void)err;
	kept_types = options->keep_type;
	for (size_t i = 0; i < count; i++) {
		const struct fake_index *fake = fake_of(indices[i].target_name);

		assert_int_equal(indices[i].shard_count, 2);
		if (indices[i].blocked)
			continue;
		sent_indices++;
		created_only += indices[i].create_only;
		results[i] = (struct backfill_index_result){.documents = fake->documents,
							    .sent = fake->sent,
							    .failed = fake->failed,
							    .unreadable = fake->unreadable};
		strcpy(results[i].reason, fake->unreadable ? "a[1]: damaged" : "");
	}
	return 0;
}

int remote_reindex_check(const struct remote_reindex_options *options, struct str index,
			 bool planned, const atomic_bool *cancelled, struct err *error)
{
	(void)options;
	(void)index;
	(void)planned;
	(void)cancelled;
	(void)error;
	fail_msg("documents are sent from here");
	return 0;
}

int remote_reindex_run(const struct remote_reindex_options *options,
		       const struct backfill_index *indices, const bool *made, size_t count,
		       const uint64_t *index_bytes, struct progress *progress,
		       const atomic_bool *cancelled, struct backfill_report *run_report,
		       struct err *error)
{
	(void)indices;
	(void)made;
	(void)count;
	(void)index_bytes;
	(void)progress;
	(void)run_report;
	return remote_reindex_check(options, STR_NONE, false, cancelled, error);
}

int target_care_begin(struct target_care *care, const struct snapshot *snapshot,
		      const struct backfill_index *indices, const bool *created_here, size_t count,
		      const atomic_bool *cancelled, struct err *error)
{
	(void)snapshot;
	(void)indices;
	(void)created_here;
	(void)count;
	(void)cancelled;
	(void)error;
	assert_null(care);
	return 0;
}

void target_care_end(struct target_care *care, bool all_done, const struct err *ended_by)
{
	(void)all_done;
	(void)ended_by;
	assert_null(care);
}

int cluster_request(struct cluster *cluster, const char *method, const char *path, struct str body,
		    bool repeatable, struct arena *mem, int *status, struct json **answer,
		    struct err *err)
{
	const struct fake_index *fake = fake_of(str_from(path + 1));
	bool is_count = strcmp(path + 2, "/_count") == 0;

	(void)cluster;
	(void)body;
	(void)err;
	assert_true(repeatable);
	assert_string_equal(method, is_count ? "GET" : "POST");
	*(is_count ? &counted : &refreshed) += 1;
	*status = is_count && fake->on_target < 0 ? 404 : 200;
	*answer = json_new(mem, JSON_OBJECT);
	json_set(*answer, STR("count"), json_new_i64(mem, fake->on_target));
	return 0;
}

int cluster_is_data_stream(struct cluster *cluster, struct str name, bool *out, struct err *err)
{
	(void)cluster;
	(void)err;
	*out = str_eq(name, data_stream);
	return 0;
}

struct str cluster_error_reason(const struct json *answer, int status, struct arena *mem)
{
	(void)answer;
	(void)mem;
	assert_int_equal(status, 404);
	return STR("index_not_found_exception: no such index");
}

#define PLAIN "{\"_doc\":{}}"

static const struct migrate_metadata_plan metadata_plan;
static struct migrate_plan plan;
static struct migrate_report report;
static struct err err;
static atomic_bool cancel;

/* Runs with `count` indices a, b, …; the caller releases the report. */
static int run(size_t count, bool with_target)
{
	static struct snapshot snapshot, before;
	struct progress progress = {0};

	for (size_t i = 0; i < count; i++)
		names[i] = (struct snapshot_index){.name = str_of(&"abcd"[i], 1)};
	created = refused = refreshed = counted = sent_indices = other_problems = created_only = 0;
	snapshot = (struct snapshot){.indices = names, .index_count = count};
	snapshot.summary.name = STR("snap1");
	plan = (struct migrate_plan){.snapshot = &snapshot,
				     .filter = (const struct index_filter *)&snapshot,
				     .target = with_target ? (struct cluster *)&snapshot : NULL,
				     .metadata = of_delta ? NULL : &metadata_plan,
				     .backfill.previous = of_delta ? &before : NULL};
	err = (struct err){0};
	return migrate_run(&plan, &progress, &cancel, &report, &err);
}

static int prepare(void **state)
{
	(void)state;
	atomic_store(&cancel, false);
	target_is_gone = nothing_accepted = template_fails = of_delta = false;
	data_stream = STR_NONE;
	for (size_t i = 0; i < COUNT_OF(fakes); i++)
		fakes[i] = (struct fake_index){
			.mappings = PLAIN, .documents = 7, .sent = 7, .on_target = 7};
	return 0;
}

static int release(void **state)
{
	(void)state;
	migrate_report_release(&report);
	return 0;
}

static void assert_note(size_t index, const char *expected)
{
	cleanup(mem_freep) char *note = str_dup(report.indices[index].note);

	if (!strstr(note, expected))
		fail_msg("'%s' is not in '%s'", expected, note);
}

static void counts_that_agree_are_a_success(void **state)
{
	(void)state;
	assert_int_equal(run(3, true), 0);
	assert_int_equal(report.count, 3);
	assert_true(report.agrees);
	assert_int_equal(created, 3);
	assert_int_equal(refreshed, 3);
	assert_int_equal(counted, 3);
	assert_int_equal(report.indices[1].target_documents, 7);
	assert_int_equal(report.indices[1].note.len, 0);
	assert_false(kept_types);
}

static void a_target_that_counts_otherwise_does_not_agree(void **state)
{
	(void)state;
	fakes[0].on_target = 6;
	fakes[1].on_target = 8;
	fakes[2].on_target = -1;
	assert_int_equal(run(3, true), 0);
	assert_false(report.agrees);
	for (size_t i = 0; i < 3; i++)
		assert_false(report.indices[i].agrees);
	assert_note(0, "the target holds 1 less than the snapshot");
	assert_note(1, "the target holds 1 more than the snapshot");
	assert_note(2, "not counted on the target: index_not_found_exception");
	assert_int_equal(report.indices[2].target_documents, -1);
}

static void failed_documents_do_not_agree_even_when_counts_do(void **state)
{
	(void)state;
	fakes[0].sent = 5;
	fakes[0].failed = 2;
	assert_int_equal(run(1, true), 0);
	assert_false(report.agrees);
	assert_note(0, "2 of its documents failed");
}

static void an_index_without_source_is_refused_and_the_rest_goes_on(void **state)
{
	(void)state;
	fakes[0].mappings = "{\"_doc\":{\"_source\":{\"enabled\":false}}}";
	fakes[1].mappings = "{\"_doc\":{\"_source\":{\"mode\":\"synthetic\"}}}";
	assert_int_equal(run(3, true), 0);
	assert_int_equal(refused, 2);
	assert_int_equal(sent_indices, 1);
	assert_true(report.indices[0].refused);
	assert_true(report.indices[1].refused);
	assert_true(report.indices[2].agrees);
	assert_false(report.agrees);
	assert_note(0, "disables _source");
	assert_note(1, "_source is synthetic");
}

static void a_filtered_source_goes_on_and_is_named(void **state)
{
	(void)state;
	fakes[0].mappings = "{\"_doc\":{\"_source\":{\"excludes\":[\"a.*\",\"b\"]}}}";
	assert_int_equal(run(1, true), 0);
	assert_true(report.agrees);
	assert_note(0, "stored in part by its mapping (without a.* b)");
}

static void what_cannot_be_read_or_created_is_not_sent(void **state)
{
	(void)state;
	fakes[0].mappings = NULL;
	fakes[1].not_created = true;
	assert_int_equal(run(3, true), 0);
	assert_int_equal(sent_indices, 1);
	assert_true(report.indices[0].documents.unreadable);
	assert_note(0, "blob 'meta-x.dat' is damaged");
	assert_int_equal(report.indices[1].creation, OUTCOME_FAILED);
	assert_false(report.indices[1].agrees);
	assert_true(report.indices[2].agrees);
	assert_false(report.agrees);
}

static void metadata_that_is_no_index_and_fails_is_no_success(void **state)
{
	(void)state;
	template_fails = true;
	assert_int_equal(run(1, true), 0);
	assert_true(report.indices[0].agrees);
	assert_false(report.agrees);
}

static void a_broken_shard_does_not_agree_whatever_was_sent(void **state)
{
	(void)state;
	fakes[0].unreadable = true;
	assert_int_equal(run(1, true), 0);
	assert_false(report.agrees);
	assert_note(0, "a[1]: damaged");
}

static void a_closed_index_is_noted(void **state)
{
	(void)state;
	fakes[0].closed = true;
	assert_int_equal(run(1, true), 0);
	assert_true(report.agrees);
	assert_note(0, "closed in the source");
}

static void files_agree_when_all_was_written_and_keep_types(void **state)
{
	(void)state;
	fakes[0].mappings = "{\"_default_\":{},\"book\":{},\"author\":{}}";
	fakes[1].sent = 6;
	assert_int_equal(run(2, false), 0);
	assert_int_equal(created + refreshed + counted, 0);
	assert_true(kept_types);
	assert_true(report.indices[0].agrees);
	assert_int_equal(report.indices[0].note.len, 0);
	assert_false(report.indices[1].agrees);
}

static void several_types_are_noted_where_their_ids_meet(void **state)
{
	(void)state;
	fakes[0].mappings = "{\"_default_\":{},\"book\":{},\"author\":{}}";
	fakes[1].mappings = "{\"_default_\":{},\"book\":{}}";
	assert_int_equal(run(2, true), 0);
	assert_note(0, "several mapping types");
	assert_int_equal(report.indices[1].note.len, 0);
}

static void a_target_that_is_gone_ends_it(void **state)
{
	(void)state;
	target_is_gone = true;
	assert_int_equal(run(2, true), -ERR_UNREACHABLE);
	assert_string_equal(err.message, "no answer");
	assert_false(report.agrees);
	assert_int_equal(sent_indices, 0);
}

static void nothing_selected_is_a_slip_of_the_user(void **state)
{
	(void)state;
	nothing_accepted = true;
	assert_int_equal(run(2, true), -ERR_USAGE);
	assert_string_equal(err.message, "none of the 2 indices of snapshot 'snap1' is selected; "
					 "name some with --index-allowlist");
}

static void an_index_that_was_not_selected_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(run(4, true), 0);
	assert_int_equal(report.count, 3);
	assert_int_equal(sent_indices, 3);
}

static void a_delta_is_not_counted_against_the_target(void **state)
{
	(void)state;
	of_delta = true;
	fakes[0].on_target = 1000;
	fakes[1].sent = 5;
	fakes[1].failed = 2;
	assert_int_equal(run(2, true), 0);
	assert_int_equal(report.indices[0].target_documents, 1000);
	assert_true(report.indices[0].agrees);
	assert_int_equal(report.indices[0].note.len, 0);
	assert_false(report.indices[1].agrees);
	assert_note(1, "2 of its documents failed");
}

static void a_delta_cannot_go_into_a_data_stream(void **state)
{
	(void)state;
	of_delta = true;
	data_stream = STR("b");
	assert_int_equal(run(2, true), 0);
	assert_int_equal(sent_indices, 1);
	assert_true(report.indices[0].agrees);
	assert_false(report.agrees);
	assert_note(1, "a data stream on the target, which takes neither");
}

static void an_empty_snapshot_is_moved_in_no_time(void **state)
{
	(void)state;
	assert_int_equal(run(0, true), 0);
	assert_true(report.agrees);
}

static void a_set_flag_ends_it_before_the_next_index(void **state)
{
	(void)state;
	atomic_store(&cancel, true);
	assert_int_equal(run(2, true), -ERR_CANCELLED);
	assert_int_equal(created, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_that_agree_are_a_success),
		TEST(a_target_that_counts_otherwise_does_not_agree),
		TEST(failed_documents_do_not_agree_even_when_counts_do),
		TEST(an_index_without_source_is_refused_and_the_rest_goes_on),
		TEST(a_filtered_source_goes_on_and_is_named),
		TEST(what_cannot_be_read_or_created_is_not_sent),
		TEST(metadata_that_is_no_index_and_fails_is_no_success),
		TEST(a_broken_shard_does_not_agree_whatever_was_sent),
		TEST(a_closed_index_is_noted),
		TEST(files_agree_when_all_was_written_and_keep_types),
		TEST(several_types_are_noted_where_their_ids_meet),
		TEST(a_target_that_is_gone_ends_it),
		TEST(nothing_selected_is_a_slip_of_the_user),
		TEST(an_index_that_was_not_selected_is_left_alone),
		TEST(a_delta_is_not_counted_against_the_target),
		TEST(a_delta_cannot_go_into_a_data_stream),
		TEST(an_empty_snapshot_is_moved_in_no_time),
		TEST(a_set_flag_ends_it_before_the_next_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
