/* backfill_run between made-up shards and a made-up target. This program brings its own
 * shard_documents, so that no Lucene is needed. */
#include "backfill/backfill.h"
#include "backfill/shard_documents.h"
#include "temporary_folder.h"

#include <glob.h>
#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SHARDS 8
#define DOCUMENTS_MAX 4096

/* The shards. */

struct fake_shard {
	size_t documents;
	size_t source_bytes; /* of each; a random size up to this where `random` */
	bool random;
	size_t large_at, large_bytes; /* one that is larger; large_bytes 0: none */
	size_t odd_at;                /* one whose source is `odd` */
	struct str odd;               /* ptr NULL: not stored. Where has_odd */
	const char *problem;          /* of the odd one */
	bool has_odd;
	size_t breaks_after; /* documents; 0: never */
	bool missing;
	bool endless;
};

static struct fake_shard shards[SHARDS];
static int32_t opening_order[SHARDS];
static atomic_size_t opened;
static unsigned seed;

struct fake_source {
	struct document_source base;
	const struct fake_shard *shard;
	int32_t number;
	size_t next;
	unsigned random;
	char id[32];
	struct buf source;
};

static void fill_source(struct fake_source *s, size_t size)
{
	buf_reset(&s->source);
	buf_append_str(&s->source, STR("{\"text\":\n\""));
	while (s->source.len < size)
		buf_append_byte(&s->source, (char)('a' + s->source.len % 26));
	buf_append_str(&s->source, STR("\"}"));
}

static int fake_next(struct document_source *base, struct document *out, struct err *err)
{
	struct fake_source *s = (struct fake_source *)base;
	const struct fake_shard *shard = s->shard;
	size_t at = s->next++, size = shard->source_bytes;

	if (shard->breaks_after && at == shard->breaks_after)
		return err_set(err, ERR_FORMAT, "chunk 7 of '_0.fdt' is damaged");
	if (!shard->endless && at == shard->documents)
		return 0;
	if (shard->random)
		size = (size_t)rand_r(&s->random) % (size + 1);
	if (shard->large_bytes && at == shard->large_at)
		size = shard->large_bytes;
	fill_source(s, size);
	snprintf(s->id, sizeof(s->id), "%d/%zu", s->number, at);
	*out = (struct document){.id = str_from(s->id),
				 .source = buf_str(&s->source),
				 .doc = (int64_t)at,
				 .live = true};
	if (at % 3 == 0)
		out->routing = STR("r\"");
	if (at % 2 == 0)
		out->type = STR("book");
	if (shard->has_odd && at == shard->odd_at) {
		out->source = shard->odd;
		out->problem = shard->problem;
	}
	return 1;
}

static uint64_t fake_position(const struct document_source *base)
{
	const struct fake_source *s = (const struct fake_source *)base;

	return MIN(s->next, s->shard->documents) * 10;
}

static void fake_close(struct document_source *base)
{
	buf_release(&((struct fake_source *)base)->source);
	free(base);
}

int shard_documents_size(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, uint64_t *bytes, struct err *err)
{
	(void)snapshot;
	(void)index;
	if (shards[shard].missing)
		return err_set(err, ERR_NOT_FOUND, "no such blob");
	*bytes = shards[shard].documents * 25;
	return 0;
}

int shard_documents_open(const struct snapshot *snapshot, const struct snapshot_index *index,
			 int32_t shard, const struct lucene_documents_options *options,
			 struct document_source **out, struct err *err)
{
	static const struct document_source_ops ops = {fake_next, fake_position, fake_close};
	struct fake_source *s;

	(void)snapshot;
	(void)index;
	(void)options;
	opening_order[atomic_fetch_add(&opened, 1) % SHARDS] = shard;
	if (shards[shard].missing)
		return err_set(err, ERR_NOT_FOUND, "no such blob");
	s = mem_zalloc(sizeof(*s));
	s->base =
		(struct document_source){.ops = &ops, .total_bytes = shards[shard].documents * 10};
	s->shard = &shards[shard];
	s->number = shard;
	s->random = seed + (unsigned)shard;
	s->source = BUF_INIT(MIB(16));
	*out = &s->base;
	return 0;
}

/* The target. */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t sends, cancels, closes, finishes;
	size_t wrong; /* what is not as it should be: a thread must not assert */
	uint8_t arrived[SHARDS][DOCUMENTS_MAX]; /* how often */
	uint8_t sequences[SHARDS][DOCUMENTS_MAX];
	size_t largest_body, most_documents;
	size_t books, docs;  /* action lines of type book, and of type _doc */
	size_t bulks_beyond; /* bodies above `body_limit` with more than one document */
	size_t body_limit;
	/* The memory of bulks seen: they are used again and not freed, so this is all there are. */
	struct {
		const struct bulk *bulk;
		size_t capacity;
	} bulks[100];
	size_t bulk_count;

	/* What to do. */
	size_t fail_at_send; /* from 1; 0: never */
	bool block_others;   /* all sends but the one that fails wait for cancel */
	size_t cancel_at_send;
	atomic_bool *cancel;
	int32_t refuse_shard; /* its third documents are refused */
	bool fail_finish;
} target;

static void see_bulk(const struct bulk *bulk)
{
	size_t i = 0;

	target.largest_body = MAX(target.largest_body, bulk->body.len);
	target.most_documents = MAX(target.most_documents, bulk->count);
	target.bulks_beyond += bulk->count > 1 && bulk->body.len > target.body_limit;
	while (i < target.bulk_count && target.bulks[i].bulk != bulk)
		i++;
	if (i == COUNT_OF(target.bulks))
		return;
	target.bulks[i].bulk = bulk;
	target.bulks[i].capacity = MAX(target.bulks[i].capacity, bulk->body.capacity);
	target.bulk_count = MAX(target.bulk_count, i + 1);
}

/* The id in the action line: "shard/document". */
static void see_item(const struct bulk *bulk, size_t item, const struct bulk_origin *origin)
{
	const struct bulk_item *at = &bulk->items[item];
	char action[200];
	size_t length = MIN(at->source_start - at->action_start, sizeof(action) - 1);
	size_t document;
	int32_t shard;

	memcpy(action, bulk->body.ptr + at->action_start, length);
	action[length] = '\0';
	if (sscanf(action, "{\"index\":{\"_index\":\"out\",\"_id\":\"%d/%zu\"", &shard,
		   &document) != 2 ||
	    shard != origin->shard || document >= DOCUMENTS_MAX) {
		target.wrong++;
		return;
	}
	target.wrong += (document % 3 == 0) != (strstr(action, ",\"routing\":\"r\\\"\"") != NULL);
	target.wrong += memchr(bulk->body.ptr + at->source_start, '\n',
			       at->end - 1 - at->source_start) != NULL;
	target.books += strstr(action, ",\"_type\":\"book\"") != NULL;
	target.docs += strstr(action, ",\"_type\":\"_doc\"") != NULL;
	target.arrived[shard][document]++;
}

static int wait_for_cancel(struct err *err)
{
	while (target.cancels == 0)
		pthread_cond_wait(&target.changed, &target.lock);
	return err_set(err, ERR_CANCELLED, "cut off");
}

static void refuse_thirds(const struct bulk *bulk, struct bulk_result *result)
{
	result->failures = arena_zalloc(&result->mem, bulk->count, sizeof(*result->failures));
	for (size_t i = 2; i < bulk->count; i += 3)
		result->failures[result->failure_count++] =
			(struct bulk_failure){.item = i,
					      .status = 400,
					      .type = STR("mapper_parsing_exception"),
					      .reason = STR("no")};
}

static int send_locked(const struct bulk *bulk, const struct bulk_origin *origin,
		       struct bulk_result *result, struct err *err)
{
	size_t send = ++target.sends;

	target.wrong += !str_is(origin->index, "out");
	if (send == target.cancel_at_send)
		atomic_store(target.cancel, true);
	if (send == target.fail_at_send)
		return err_set(err, ERR_UNREACHABLE, "the target is gone");
	if (target.block_others)
		return wait_for_cancel(err);
	see_bulk(bulk);
	target.sequences[origin->shard][origin->sequence]++;
	for (size_t i = 0; i < bulk->count; i++)
		see_item(bulk, i, origin);
	if (origin->shard == target.refuse_shard)
		refuse_thirds(bulk, result);
	result->succeeded = bulk->count - result->failure_count;
	result->retries = 1;
	return 0;
}

static int fake_send(struct bulk_sink *sink, const struct bulk *bulk,
		     const struct bulk_origin *origin, struct bulk_result *result, struct err *err)
{
	int rc;

	(void)sink;
	pthread_mutex_lock(&target.lock);
	rc = send_locked(bulk, origin, result, err);
	pthread_mutex_unlock(&target.lock);
	return rc;
}

static int fake_finish(struct bulk_sink *sink, struct err *err)
{
	(void)sink;
	pthread_mutex_lock(&target.lock);
	target.finishes++;
	pthread_mutex_unlock(&target.lock);
	return target.fail_finish ? err_set(err, ERR_IO, "cannot be made durable") : 0;
}

static void fake_cancel(struct bulk_sink *sink)
{
	(void)sink;
	pthread_mutex_lock(&target.lock);
	target.cancels++;
	pthread_cond_broadcast(&target.changed);
	pthread_mutex_unlock(&target.lock);
}

static void fake_close_sink(struct bulk_sink *sink)
{
	target.closes++;
	free(sink);
}

static int open_fake_sink(void *user, size_t sender, struct bulk_sink **out, struct err *err)
{
	static const struct bulk_sink_ops ops = {fake_send, fake_finish, fake_cancel,
						 fake_close_sink};
	size_t *sinks = user;

	if (sinks && sender == *sinks)
		return err_set(err, ERR_AUTH, "not let in");
	*out = mem_zalloc(sizeof(**out));
	(*out)->ops = &ops;
	return 0;
}

/* A run of one index between the two. */

struct run {
	struct snapshot snapshot;
	struct snapshot_index source;
	struct backfill_index index;
	struct backfill_options options;
	struct failed_documents *failed;
	struct progress progress;
	atomic_bool cancel;
	struct backfill_index_result result;
	struct err err;
	int rc;
};

static struct run *prepare(int32_t shard_count)
{
	static struct run run;

	memset(&run, 0, sizeof(run));
	memset(&target, 0, sizeof(target));
	memset(shards, 0, sizeof(shards));
	atomic_store(&opened, 0);
	pthread_mutex_init(&target.lock, NULL);
	pthread_cond_init(&target.changed, NULL);
	target.refuse_shard = -1;
	target.cancel = &run.cancel;
	target.body_limit = KIB(64);
	seed = (unsigned)time(NULL);
	run.source = (struct snapshot_index){.name = STR("in")};
	run.index = (struct backfill_index){
		.source = &run.source, .target_name = STR("out"), .shard_count = shard_count};
	run.options = (struct backfill_options){.documents_per_bulk = INT32_MAX,
						.bytes_per_bulk = KIB(64),
						.max_memory = KIB(512),
						.readers = 3,
						.senders = 4,
						.open_sink = open_fake_sink};
	for (int32_t i = 0; i < shard_count; i++)
		shards[i] = (struct fake_shard){.documents = 400 + 100 * (size_t)i,
						.source_bytes = 1000};
	return &run;
}

static void go(struct run *run)
{
	run->rc = backfill_run(&run->snapshot, &run->index, 1, &run->options, run->failed,
			       &run->progress, &run->cancel, &run->result, &run->err);
	pthread_cond_destroy(&target.changed);
	pthread_mutex_destroy(&target.lock);
	assert_int_equal(target.wrong, 0);
}

static void assert_succeeds(struct run *run)
{
	go(run);
	if (run->rc < 0)
		print_message("%s\n", run->err.message);
	assert_int_equal(run->rc, 0);
}

static size_t all_documents(int32_t shard_count)
{
	size_t total = 0;

	for (int32_t i = 0; i < shard_count; i++)
		total += shards[i].documents;
	return total;
}

static void assert_arrived_once(int32_t shard)
{
	for (size_t i = 0; i < DOCUMENTS_MAX; i++)
		assert_int_equal(target.arrived[shard][i], i < shards[shard].documents);
}

static void every_document_arrives_once_and_bulks_count_per_shard(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	print_message("seed %u\n", seed);
	for (size_t i = 0; i < SHARDS; i++)
		shards[i].random = true;
	assert_succeeds(run);
	for (int32_t shard = 0; shard < SHARDS; shard++) {
		size_t bulks = 0;

		assert_arrived_once(shard);
		while (target.sequences[shard][bulks] == 1)
			bulks++;
		assert_true(bulks > 1);
		for (size_t i = bulks; i < DOCUMENTS_MAX; i++)
			assert_int_equal(target.sequences[shard][i], 0);
	}
	assert_int_equal(run->result.documents, all_documents(SHARDS));
	assert_int_equal(run->result.sent, run->result.documents);
	assert_int_equal(run->result.failed, 0);
	assert_int_equal(target.finishes, 4);
	assert_int_equal(target.closes, 4);
}

static void progress_ends_where_it_was_going(void **state)
{
	struct run *run = prepare(SHARDS);
	struct progress *progress = &run->progress;

	(void)state;
	assert_succeeds(run);
	assert_int_equal(progress->bytes_total, all_documents(SHARDS) * 10);
	assert_int_equal(progress->bytes_read, progress->bytes_total);
	assert_int_equal(progress->documents_read, all_documents(SHARDS));
	assert_int_equal(progress->documents_sent, all_documents(SHARDS));
	assert_int_equal(progress->shards_total, SHARDS);
	assert_int_equal(progress->shards_done, SHARDS);
	assert_int_equal(progress->retries, target.sends);
	assert_true(progress->bytes_sent > run->result.source_bytes);
}

static void bulks_end_at_their_bytes_and_documents(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	assert_succeeds(run);
	assert_true(target.largest_body <= KIB(64));
	assert_true(target.largest_body > KIB(62));
	run = prepare(SHARDS);
	run->options.documents_per_bulk = 7;
	assert_succeeds(run);
	assert_int_equal(target.most_documents, 7);
	assert_int_equal(run->result.sent, all_documents(SHARDS));
}

static void all_bulks_together_stay_below_the_ceiling_of_memory(void **state)
{
	struct run *run = prepare(SHARDS);
	size_t held = 0;

	(void)state;
	run->options.max_memory = KIB(200);
	run->options.senders = 8;
	assert_succeeds(run);
	for (size_t i = 0; i < target.bulk_count; i++)
		held += target.bulks[i].capacity;
	assert_true(held <= KIB(200));
	assert_true(held > KIB(40));
	/* Three readers and two more share it. */
	assert_true(target.largest_body <= KIB(40));
	assert_int_equal(run->result.sent, all_documents(SHARDS));
}

static void a_run_gets_through_with_hardly_any_memory(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	run->options.max_memory = 1;
	assert_succeeds(run);
	assert_int_equal(target.most_documents, 1);
	assert_int_equal(run->result.sent, all_documents(SHARDS));
}

static void a_document_larger_than_a_bulk_goes_alone(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	for (size_t i = 0; i < SHARDS; i++) {
		shards[i].large_at = 100 * i;
		shards[i].large_bytes = i == 5 ? MIB(1) : KIB(100);
	}
	assert_succeeds(run);
	assert_true(target.largest_body > MIB(1));
	assert_int_equal(target.bulks_beyond, 0);
	for (int32_t shard = 0; shard < SHARDS; shard++)
		assert_arrived_once(shard);
}

static void the_largest_shard_is_read_first(void **state)
{
	struct run *run = prepare(4);

	(void)state;
	shards[1].documents = 2000;
	run->options.readers = 1;
	assert_succeeds(run);
	assert_int_equal(opening_order[0], 1);
	assert_int_equal(opening_order[1], 3);
	assert_int_equal(opening_order[2], 2);
	assert_int_equal(opening_order[3], 0);
}

static void types_are_sent_where_they_are_wanted(void **state)
{
	struct run *run = prepare(1);

	(void)state;
	assert_succeeds(run);
	assert_int_equal(target.books + target.docs, 0);
	run = prepare(1);
	run->options.keep_type = true;
	assert_succeeds(run);
	assert_int_equal(target.books, shards[0].documents / 2);
	assert_int_equal(target.docs, 0);
	run = prepare(1);
	run->options.emit_type = true;
	assert_succeeds(run);
	assert_int_equal(target.books, shards[0].documents / 2);
	assert_int_equal(target.docs, shards[0].documents / 2);
}

/* What stands in the only file of failed documents; the stream is closed. */
static struct str failures_of(struct run *run, const char *folder, struct arena *mem)
{
	struct str pattern = arena_printf(mem, "%s/*/*/*/*.gz", folder), text = STR_NONE;
	glob_t found;

	assert_int_equal(failed_documents_close(run->failed, &run->err), 0);
	if (glob(pattern.ptr, 0, NULL, &found) == 0) {
		assert_int_equal(found.gl_pathc, 1);
		text = read_text(found.gl_pathv[0], mem);
		globfree(&found);
	}
	return text;
}

static size_t occurrences(struct str text, const char *of)
{
	size_t count = 0;
	const char *at = text.ptr, *end = text.ptr + text.len;

	while (at && (at = memmem(at, (size_t)(end - at), of, strlen(of)))) {
		count++;
		at++;
	}
	return count;
}

static void refused_documents_are_counted_and_recorded(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct run *run = prepare(2);
	struct str records;

	(void)state;
	target.refuse_shard = 1;
	run->options.documents_per_bulk = 4;
	shards[1].source_bytes = 10;
	assert_int_equal(failed_documents_open(folder, "s", &run->failed, &run->err), 0);
	assert_succeeds(run);
	records = failures_of(run, folder, &mem);
	assert_int_equal(run->result.documents, all_documents(2));
	assert_int_equal(run->result.failed, shards[1].documents / 4);
	assert_int_equal(run->result.sent, all_documents(2) - run->result.failed);
	assert_int_equal(run->progress.documents_failed, run->result.failed);
	assert_int_equal(occurrences(records, "\n"), run->result.failed);
	assert_int_equal(occurrences(records, "\"documentId\":\"1/2\""), 1);
	assert_int_equal(occurrences(records, "\"workItemId\":\"in[1]\""), run->result.failed);
	assert_int_equal(occurrences(records, "mapper_parsing_exception"), 2 * run->result.failed);
}

static void a_document_without_a_json_source_is_recorded_and_not_sent(void **state)
{
	cleanup(temporary_folder_remove) char *folder = temporary_folder();
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(8));
	struct run *run = prepare(3);
	struct str records;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		shards[i].has_odd = true;
		shards[i].odd_at = 9;
	}
	shards[0].odd = STR(":)\n\x05");
	shards[0].problem = "SMILE is damaged: the end is missing at byte 4 of 4";
	shards[1].odd = STR_NONE;
	shards[2].odd = STR("[1]");
	assert_int_equal(failed_documents_open(folder, "s", &run->failed, &run->err), 0);
	assert_succeeds(run);
	records = failures_of(run, folder, &mem);
	assert_int_equal(run->result.documents, all_documents(3));
	assert_int_equal(run->result.failed, 3);
	assert_int_equal(run->result.sent, all_documents(3) - 3);
	assert_int_equal(target.arrived[0][9] + target.arrived[1][9] + target.arrived[2][9], 0);
	assert_int_equal(occurrences(records, "\n"), 3);
	assert_int_equal(
		occurrences(records, "\"SMILE is damaged: the end is missing at byte 4 of 4\""), 1);
	assert_int_equal(occurrences(records, "\"documentBase64\":\"OikKBQ==\""), 1);
	assert_int_equal(occurrences(records, "source is not a JSON object"), 1);
	assert_int_equal(occurrences(records, "no _source is stored for this document"), 1);
	assert_int_equal(occurrences(records, "\"document\":[1]"), 1);
	assert_int_equal(occurrences(records, "\"_id\":\"1/9\",\"routing\":\"r\\\"\""), 1);
}

static void a_target_that_is_gone_ends_the_run_at_once(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	target.fail_at_send = 3;
	target.block_others = true;
	go(run);
	assert_int_equal(run->rc, -ERR_UNREACHABLE);
	assert_string_equal(run->err.message, "the target is gone");
	assert_int_equal(target.cancels, 4);
	assert_int_equal(target.closes, 4);
	assert_int_equal(target.finishes, 0);
	assert_true(run->result.sent < all_documents(SHARDS));
}

static void a_target_that_lets_nobody_in_is_no_run(void **state)
{
	struct run *run = prepare(SHARDS);
	size_t sinks = 2;

	(void)state;
	run->options.open_sink_user = &sinks;
	go(run);
	assert_int_equal(run->rc, -ERR_AUTH);
	assert_int_equal(target.closes, 2);
	assert_int_equal(opened, 0);
}

static void what_cannot_be_made_durable_was_not_sent(void **state)
{
	struct run *run = prepare(1);

	(void)state;
	target.fail_finish = true;
	go(run);
	assert_int_equal(run->rc, -ERR_IO);
}

static void a_set_flag_ends_an_endless_run(void **state)
{
	struct run *run = prepare(SHARDS);

	(void)state;
	for (size_t i = 0; i < SHARDS; i++)
		shards[i] = (struct fake_shard){.endless = true, .source_bytes = 30000};
	target.cancel_at_send = 20;
	go(run);
	assert_int_equal(run->rc, -ERR_CANCELLED);
	assert_non_null(strstr(run->err.message, "run the same command again"));
	/* The bulks in flight ended by themselves. */
	assert_int_equal(target.cancels, 0);
	assert_true(target.sends >= 20);
	assert_true(target.sends <= 20 + 4);
}

static void a_shard_that_breaks_is_told_and_the_others_go_on(void **state)
{
	struct run *run = prepare(3);

	(void)state;
	shards[1].breaks_after = 123;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason, "in[1]: chunk 7 of '_0.fdt' is damaged");
	assert_arrived_once(0);
	assert_arrived_once(2);
	assert_int_equal(run->result.documents, shards[0].documents + 123 + shards[2].documents);
	assert_int_equal(run->result.sent, run->result.documents);
	assert_int_equal(run->progress.shards_done, 3);
}

static void a_shard_that_is_not_there_is_told_and_the_others_go_on(void **state)
{
	struct run *run = prepare(3);

	(void)state;
	shards[2].missing = true;
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason, "in[2]: no such blob");
	assert_arrived_once(0);
	assert_arrived_once(1);
	assert_int_equal(run->progress.bytes_total, run->progress.bytes_read);
}

static void a_shard_that_failed_in_the_snapshot_is_not_read(void **state)
{
	struct run *run = prepare(3);
	struct str failures[] = {STR("other[1]: gone"), STR("in[1]: IndexShardSnapshotFailed")};

	(void)state;
	run->snapshot.failures = failures;
	run->snapshot.failure_count = COUNT_OF(failures);
	assert_succeeds(run);
	assert_true(run->result.unreadable);
	assert_string_equal(run->result.reason,
			    "in[1]: failed when the snapshot was taken: IndexShardSnapshotFailed");
	assert_int_equal(target.arrived[1][0], 0);
	assert_arrived_once(0);
	assert_arrived_once(2);
}

static void no_indices_are_no_work(void **state)
{
	struct run *run = prepare(0);

	(void)state;
	assert_succeeds(run);
	assert_int_equal(target.sends, 0);
	assert_int_equal(target.closes, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_document_arrives_once_and_bulks_count_per_shard),
		cmocka_unit_test(progress_ends_where_it_was_going),
		cmocka_unit_test(bulks_end_at_their_bytes_and_documents),
		cmocka_unit_test(all_bulks_together_stay_below_the_ceiling_of_memory),
		cmocka_unit_test(a_run_gets_through_with_hardly_any_memory),
		cmocka_unit_test(a_document_larger_than_a_bulk_goes_alone),
		cmocka_unit_test(the_largest_shard_is_read_first),
		cmocka_unit_test(types_are_sent_where_they_are_wanted),
		cmocka_unit_test(refused_documents_are_counted_and_recorded),
		cmocka_unit_test(a_document_without_a_json_source_is_recorded_and_not_sent),
		cmocka_unit_test(a_target_that_is_gone_ends_the_run_at_once),
		cmocka_unit_test(a_target_that_lets_nobody_in_is_no_run),
		cmocka_unit_test(what_cannot_be_made_durable_was_not_sent),
		cmocka_unit_test(a_set_flag_ends_an_endless_run),
		cmocka_unit_test(a_shard_that_breaks_is_told_and_the_others_go_on),
		cmocka_unit_test(a_shard_that_is_not_there_is_told_and_the_others_go_on),
		cmocka_unit_test(a_shard_that_failed_in_the_snapshot_is_not_read),
		cmocka_unit_test(no_indices_are_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
