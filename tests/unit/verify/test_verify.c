#include "verify/verify.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DOCUMENTS 3000
#define SHARDS 3

struct memory_document {
	char id[24], routing[8], source[120];
	bool gone;
};

/* A side in memory: document i lies in part i % SHARDS. */
struct memory_side {
	struct verify_side base;
	struct memory_document *documents;
	size_t count;
	bool breaks;       /* its last part ends in an error */
	bool breaks_later; /* from the second reading on */
	size_t opened;
	uint64_t writes; /* the number of its state */
	size_t counted;  /* documents, as a cluster counts them; 0: it does not */
};

struct memory_source {
	struct document_source base;
	const struct memory_side *side;
	size_t at, part;
	bool later;
};

/* Documents read of all sides; the process ends at the one named, 0: at none. */
static _Atomic size_t read_in_all, killed_at;

static int source_next(struct document_source *base, struct document *out, struct err *err)
{
	struct memory_source *source = (struct memory_source *)base;
	const struct memory_side *side = source->side;

	for (; source->at < side->count; source->at += SHARDS) {
		const struct memory_document *document = &side->documents[source->at];

		if (document->gone)
			continue;
		if (++read_in_all == killed_at)
			raise(SIGKILL);
		source->at += SHARDS;
		*out = (struct document){
			.id = str_from(document->id),
			.routing = document->routing[0] ? str_from(document->routing) : STR_NONE,
			.source = document->source[0] ? str_from(document->source) : STR_NONE};
		return 1;
	}
	if ((side->breaks || (side->breaks_later && source->later)) && source->part == SHARDS - 1)
		return err_set(err, ERR_FORMAT, "a block is damaged");
	return 0;
}

static uint64_t source_position(const struct document_source *base)
{
	return ((const struct memory_source *)base)->at;
}

static void source_close(struct document_source *base)
{
	free(base);
}

static int look(struct verify_side *base, struct verify_index *index, struct err *err)
{
	if (!str_is(index->name, "books"))
		return err_set(err, ERR_NOT_FOUND, "no index '" STR_FMT "'", STR_ARG(index->name));
	index->parts = SHARDS;
	index->state.writes = ((struct memory_side *)base)->writes;
	index->documents = ((struct memory_side *)base)->count;
	index->counted = ((struct memory_side *)base)->counted > 0;
	if (index->counted)
		index->documents = ((struct memory_side *)base)->counted;
	return 0;
}

static int open_part(struct verify_side *base, const struct verify_index *index, size_t part,
		     struct document_source **out, struct err *err)
{
	static const struct document_source_ops ops = {source_next, source_position, source_close};
	struct memory_source *source = mem_zalloc(sizeof(*source));

	(void)index;
	(void)err;
	source->base.ops = &ops;
	source->side = (struct memory_side *)base;
	source->at = source->part = part;
	if (part == SHARDS - 1)
		source->later = ((struct memory_side *)base)->opened++ > 0;
	*out = &source->base;
	return 0;
}

static const struct verify_side_ops side_ops = {.look = look, .open = open_part};

/* What live traffic does between two fetches: to document 1 comes what was late, document 2 is
 * written to each time, document 3 rests. */
static struct memory_document late;
static int64_t fetches;

static int fetch(struct verify_side *base, const struct verify_index *index, const struct str *ids,
		 size_t count, void (*visit)(void *user, const struct document *document),
		 void *user, struct err *err)
{
	struct memory_side *side = (struct memory_side *)base;

	(void)index;
	(void)err;
	if (++fetches == 2)
		side->documents[1] = late;
	snprintf(side->documents[2].source, 100, "{\"moving\":%d}", (int)fetches);
	for (size_t i = 0; i < side->count; i++) {
		const struct memory_document *d = &side->documents[i];
		struct document document = {.id = str_from(d->id),
					    .routing =
						    d->routing[0] ? str_from(d->routing) : STR_NONE,
					    .source = str_from(d->source),
					    .version = i == 2 ? fetches : 1};

		for (size_t j = 0; j < count; j++)
			if (str_eq(ids[j], document.id))
				visit(user, &document);
	}
	return 0;
}

static const struct verify_side_ops live_ops = {.look = look, .open = open_part, .fetch = fetch};

static void make_document(struct memory_document *document, size_t i)
{
	snprintf(document->id, sizeof(document->id), "id-%zu", i);
	snprintf(document->routing, sizeof(document->routing), i % 7 ? "" : "r%zu", i % 5);
	snprintf(document->source, sizeof(document->source),
		 "{\"title\":\"t%zu\",\"tags\":[\"a\",\"b\"],\"price\":%zu.50,\"in\":{\"n\":%d}}",
		 i, i, rand() % 1000);
}

static struct memory_side make_side(void)
{
	struct memory_side side = {.base = {&side_ops, "memory"}, .count = DOCUMENTS};

	side.documents = mem_zalloc((DOCUMENTS + 1) * sizeof(*side.documents));
	for (size_t i = 0; i < DOCUMENTS; i++)
		make_document(&side.documents[i], i);
	return side;
}

static struct memory_side copy_side(const struct memory_side *side)
{
	struct memory_side copy = *side;

	copy.documents = mem_zalloc((DOCUMENTS + 1) * sizeof(*copy.documents));
	memcpy(copy.documents, side->documents, side->count * sizeof(*copy.documents));
	return copy;
}

static int compare_named(struct memory_side *a, struct memory_side *b, const char *name,
			 const struct verify_options *options, struct verify_report *report)
{
	const struct verify_pair pair = {STR("books"), str_from(name)};
	struct verify_progress progress = {0};
	atomic_bool cancel = false;
	struct err err;

	return verify_run(&a->base, &b->base, &pair, 1, options, &progress, &cancel, report, &err);
}

static const struct verify_options all = {
	.threads = 2, .max_named = 100, .max_looked = 100000, .sample = 1};

static void the_same_documents_are_equal(void **state)
{
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_report report;

	(void)state;
	/* In another order and otherwise spelled. */
	for (size_t i = 0; i < DOCUMENTS / 2; i++) {
		struct memory_document other = b.documents[i];

		b.documents[i] = b.documents[DOCUMENTS - 1 - i];
		b.documents[DOCUMENTS - 1 - i] = other;
	}
	snprintf(a.documents[7].source, 100, "{\"a\":1.0,\"b\":[]}");
	snprintf(b.documents[DOCUMENTS - 8].source, 100, " { \"b\":[ ], \"a\" : 1 }");
	assert_int_equal(compare_named(&a, &b, "books", &all, &report), 0);
	assert_true(report.equal);
	assert_int_equal(report.indices[0].source_documents, DOCUMENTS);
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

static int digest_of_side(void *user, struct str index, struct digest *out, struct err *err)
{
	const struct memory_side *side = user;
	struct json_hasher hasher;

	(void)err;
	assert_true(str_is(index, "books"));
	digest_init(out, 256);
	json_hasher_init(&hasher);
	for (size_t i = 0; i < side->count; i++) {
		const struct memory_document *d = &side->documents[i];
		const struct document document = {.id = str_from(d->id),
						  .routing = d->routing[0] ? str_from(d->routing)
									   : STR_NONE,
						  .source = str_from(d->source)};
		struct document_hash hash;

		document_hash(&hasher, &document, NULL, &hash);
		digest_add(out, &hash);
	}
	json_hasher_release(&hasher);
	return 1;
}

static void a_digest_taken_earlier_stands_for_the_source(void **state)
{
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_options options = all;
	struct verify_report report;

	(void)state;
	options.source_digest = digest_of_side;
	options.source_digest_user = &a;
	a.base.what = "not to be read";
	a.breaks = true; /* it would be noticed */
	assert_int_equal(compare_named(&a, &b, "books", &options, &report), 0);
	assert_true(report.equal);
	assert_int_equal(report.indices[0].source_documents, DOCUMENTS);
	verify_report_release(&report);

	/* What differs is read, to be named. */
	a.breaks = false;
	b.documents[70].gone = true;
	assert_int_equal(compare_named(&a, &b, "books", &options, &report), 0);
	assert_false(report.equal);
	assert_int_equal(report.indices[0].missing, 1);
	assert_int_equal(report.indices[0].difference_count, 1);
	assert_true(str_is(report.indices[0].differences[0].id, "id-70"));
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

enum change { DIGIT, KEY, ORDER, ID, ROUTING, MISSING, EXTRA, DOUBLED, CHANGES };

/* Changes one document of the target; returns what is to be found. */
static void change(struct memory_side *b, size_t i, enum change what)
{
	struct memory_document *document = &b->documents[i];

	switch (what) {
	case DIGIT:
		snprintf(document->source, 100, "{\"title\":\"t%zu\",\"tags\":[\"a\",\"b\"]}", i);
		break;
	case KEY:
		memcpy(strstr(document->source, "price"), "prise", 5);
		break;
	case ORDER:
		memcpy(strstr(document->source, "[\"a\",\"b\"]"), "[\"b\",\"a\"]", 9);
		break;
	case ID:
		strcat(document->id, "x");
		break;
	case ROUTING:
		snprintf(document->routing, 8, "other");
		break;
	case MISSING:
		document->gone = true;
		break;
	case EXTRA:
		make_document(&b->documents[b->count], b->count);
		b->count++;
		break;
	case DOUBLED:
		b->documents[b->count++] = *document;
		break;
	case CHANGES:
		break;
	}
}

static void any_single_change_is_found_and_named(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (enum change what = 0; what < CHANGES; what++) {
		struct memory_side a = make_side(), b = copy_side(&a);
		size_t i = (size_t)rand() % DOCUMENTS;
		struct index_comparison *found;
		struct verify_report report;
		char id[24];

		snprintf(id, sizeof(id), "id-%zu", what == EXTRA ? (size_t)DOCUMENTS : i);
		change(&b, i, what);
		assert_int_equal(compare_named(&a, &b, "books", &all, &report), 0);
		found = &report.indices[0];
		assert_int_equal(found->verdict, VERDICT_DIFFERENT);
		assert_int_equal(found->missing, what == MISSING || what == ID);
		assert_int_equal(found->extra, what == EXTRA || what == ID);
		assert_int_equal(found->changed, what <= ROUTING && what != ID);
		assert_int_equal(found->doubled, what == DOUBLED);
		assert_int_equal(found->difference_count, 1 + (what == ID));
		assert_true(str_is(found->differences[0].id, id));
		if (what == ORDER)
			assert_true(str_is(found->differences[0].paths, "tags[0], tags[1]"));
		if (what == ROUTING)
			assert_true(str_is(found->differences[0].paths, "(routing)"));
		verify_report_release(&report);
		free(a.documents);
		free(b.documents);
	}
}

static void more_differences_than_fit_are_counted_in_part(void **state)
{
	const struct verify_options few = {
		.threads = 2, .max_named = 5, .max_looked = 300, .sample = 1};
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_report report;

	(void)state;
	b.count = 0;
	assert_int_equal(compare_named(&a, &b, "books", &few, &report), 0);
	assert_false(report.equal);
	assert_true(report.indices[0].counted_in_part);
	assert_true(report.indices[0].missing > 0 && report.indices[0].missing <= 300);
	assert_int_equal(report.indices[0].difference_count, 5);
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

static void a_sample_sees_the_same_ids_on_both_sides(void **state)
{
	const struct verify_options tenth = {
		.threads = 2, .max_named = 5, .max_looked = 100000, .sample = 0.1};
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_report report;

	(void)state;
	assert_int_equal(compare_named(&a, &b, "books", &tenth, &report), 0);
	assert_true(report.equal);
	assert_true(report.indices[0].source_documents > DOCUMENTS / 20);
	assert_true(report.indices[0].source_documents < DOCUMENTS / 5);
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

static void without_ids_contents_alone_count(void **state)
{
	const struct verify_options contents = {.threads = 2,
						.max_named = 5,
						.max_looked = 100000,
						.sample = 1,
						.hash = {.without_id = true}};
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_report report;

	(void)state;
	for (size_t i = 0; i < DOCUMENTS; i++)
		snprintf(b.documents[i].id, 24, "made-%zu", i);
	assert_int_equal(compare_named(&a, &b, "books", &contents, &report), 0);
	assert_true(report.equal);
	verify_report_release(&report);
	change(&b, 17, KEY);
	assert_int_equal(compare_named(&a, &b, "books", &contents, &report), 0);
	assert_false(report.equal);
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

static void nothing_unread_is_called_equal(void **state)
{
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_report report;

	(void)state;
	b.breaks = true;
	assert_int_equal(compare_named(&a, &b, "books", &all, &report), 0);
	assert_false(report.equal);
	assert_int_equal(report.indices[0].verdict, VERDICT_NOT_COMPARED);
	verify_report_release(&report);
	b.breaks = false;
	assert_int_equal(compare_named(&a, &b, "missing", &all, &report), 0);
	assert_int_equal(report.indices[0].verdict, VERDICT_DIFFERENT);
	verify_report_release(&report);
	a.documents[3].source[0] = b.documents[3].source[0] = '\0';
	assert_int_equal(compare_named(&a, &b, "books", &all, &report), 0);
	assert_int_equal(report.indices[0].verdict, VERDICT_NOT_COMPARED);
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

static void what_was_counted_and_not_read_is_not_called_equal(void **state)
{
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_report report;

	(void)state;
	b.counted = DOCUMENTS + 1;
	assert_int_equal(compare_named(&a, &b, "books", &all, &report), 0);
	assert_false(report.equal);
	assert_int_equal(report.indices[0].verdict, VERDICT_NOT_COMPARED);
	assert_non_null(strstr(report.indices[0].reason.ptr, "3001 documents and 3000 were read"));
	verify_report_release(&report);
	b.counted = DOCUMENTS;
	assert_int_equal(compare_named(&a, &b, "books", &all, &report), 0);
	assert_true(report.equal);
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

static void what_differs_stays_different_when_it_cannot_be_named(void **state)
{
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_report report;

	(void)state;
	change(&b, 17, KEY);
	b.breaks_later = true;
	assert_int_equal(compare_named(&a, &b, "books", &all, &report), 0);
	assert_int_equal(report.indices[0].verdict, VERDICT_DIFFERENT);
	assert_non_null(strstr(report.indices[0].reason.ptr, "a block is damaged"));
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

static void what_is_in_motion_is_neither_equal_nor_different(void **state)
{
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_options options = all;
	struct verify_report report;

	(void)state;
	options.settle_ms = 1;
	b.base.ops = &live_ops;
	late = b.documents[1];
	for (size_t i = 1; i < 4; i++)
		snprintf(b.documents[i].source, 100, "{\"old\":1}");
	assert_int_equal(compare_named(&a, &b, "books", &options, &report), 0);
	assert_int_equal(report.indices[0].verdict, VERDICT_DIFFERENT);
	assert_int_equal(report.indices[0].changed, 1);
	assert_int_equal(report.indices[0].in_motion, 1);
	assert_true(str_eq(report.indices[0].differences[0].id, str_from(a.documents[3].id)));
	verify_report_release(&report);
	/* Without the one that rests, nothing is told to differ. */
	b.documents[3] = a.documents[3];
	assert_int_equal(compare_named(&a, &b, "books", &options, &report), 0);
	assert_int_equal(report.indices[0].verdict, VERDICT_EQUAL);
	assert_int_equal(report.indices[0].in_motion, 1);
	verify_report_release(&report);
	free(a.documents);
	free(b.documents);
}

/* As a process that is killed at that document. */
static void run_killed(struct memory_side *a, struct memory_side *b,
		       const struct verify_options *options, size_t at)
{
	struct verify_report report;
	int status;
	pid_t child = fork();

	if (child == 0) {
		killed_at = at;
		read_in_all = 0;
		compare_named(a, b, "books", options, &report);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void assert_same_report(const struct verify_report *x, const struct verify_report *y)
{
	const struct index_comparison *a = &x->indices[0], *b = &y->indices[0];

	assert_int_equal(x->equal, y->equal);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->source_documents, b->source_documents);
	assert_int_equal(a->target_documents, b->target_documents);
	assert_int_equal(a->changed, b->changed);
	assert_int_equal(a->difference_count, b->difference_count);
	for (size_t i = 0; i < a->difference_count; i++) {
		assert_true(str_eq(a->differences[i].id, b->differences[i].id));
		assert_true(str_eq(a->differences[i].paths, b->differences[i].paths));
	}
}

static void a_killed_comparison_goes_on_and_says_the_same(void **state)
{
	static const size_t points[] = {1, 999, 1001, 1500, 2500, 3700, 5200, 8000};
	char folder[] = "/tmp/verify-XXXXXX", path[64];
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_options options = all;
	struct verify_report undisturbed, report;

	(void)state;
	change(&b, 17, KEY);
	change(&b, 2100, DIGIT);
	assert_int_equal(compare_named(&a, &b, "books", &all, &undisturbed), 0);
	assert_int_equal(undisturbed.indices[0].changed, 2);
	assert_non_null(mkdtemp(folder));
	options.threads = 1;
	options.checkpoint_folder = folder;
	options.checkpoint_key = "all";
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		/* Parts have 1000 documents: one that is read to its end is never read again. */
		run_killed(&a, &b, &options, points[i]);
		run_killed(&a, &b, &options, 1500);
		read_in_all = 0;
		assert_int_equal(compare_named(&a, &b, "books", &options, &report), 0);
		assert_true(read_in_all < 3 * 2 * DOCUMENTS);
		assert_same_report(&undisturbed, &report);
		verify_report_release(&report);
	}
	/* One that came to its end left nothing, and one of another comparison is no use. */
	run_killed(&a, &b, &options, 5500);
	options.checkpoint_key = "other";
	read_in_all = 0;
	assert_int_equal(compare_named(&a, &b, "books", &options, &report), 0);
	assert_int_equal(read_in_all, 3 * 2 * DOCUMENTS);
	assert_same_report(&undisturbed, &report);
	verify_report_release(&report);
	snprintf(path, sizeof(path), "%s/books.json", folder);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(folder), 0);
	verify_report_release(&undisturbed);
	free(a.documents);
	free(b.documents);
}

static void what_was_read_before_a_write_is_read_again(void **state)
{
	char folder[] = "/tmp/verify-XXXXXX";
	struct memory_side a = make_side(), b = copy_side(&a);
	struct verify_options options = all;
	struct verify_report report;

	(void)state;
	assert_non_null(mkdtemp(folder));
	options.threads = 1;
	options.checkpoint_folder = folder;
	options.checkpoint_key = "all";
	run_killed(&a, &b, &options, 2 * DOCUMENTS - 1);
	/* In a part that was read to its end. */
	change(&b, 2100, DIGIT);
	b.writes++;
	assert_int_equal(compare_named(&a, &b, "books", &options, &report), 0);
	assert_int_equal(report.indices[0].verdict, VERDICT_DIFFERENT);
	assert_int_equal(report.indices[0].changed, 1);
	assert_false(report.equal);
	verify_report_release(&report);
	assert_int_equal(rmdir(folder), 0);
	free(a.documents);
	free(b.documents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_documents_are_equal),
		cmocka_unit_test(a_digest_taken_earlier_stands_for_the_source),
		cmocka_unit_test(any_single_change_is_found_and_named),
		cmocka_unit_test(more_differences_than_fit_are_counted_in_part),
		cmocka_unit_test(a_sample_sees_the_same_ids_on_both_sides),
		cmocka_unit_test(without_ids_contents_alone_count),
		cmocka_unit_test(nothing_unread_is_called_equal),
		cmocka_unit_test(what_was_counted_and_not_read_is_not_called_equal),
		cmocka_unit_test(what_is_in_motion_is_neither_equal_nor_different),
		cmocka_unit_test(a_killed_comparison_goes_on_and_says_the_same),
		cmocka_unit_test(what_was_read_before_a_write_is_read_again),
		cmocka_unit_test(what_differs_stays_different_when_it_cannot_be_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
