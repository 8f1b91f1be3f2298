/* metadata_read_snapshot over the repositories that real nodes wrote. */
#include "metadata/metadata_read.h"

#include "../snapshot/fixture_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct fixture {
	char *path;
	struct blob_store *store;
	struct repository *repository;
	struct snapshot *snapshot;
	struct metadata_set set;
};

static void release(struct fixture *f)
{
	metadata_set_release(&f->set);
	snapshot_close(f->snapshot);
	repository_close(f->repository);
	blob_store_close(f->store);
	fixture_repository_remove(f->path);
}

static void read_with(struct fixture *f, const char *name, const char *snapshot,
		      const struct metadata_read_options *options)
{
	struct err err = {0};

	*f = (struct fixture){.path = fixture_repository_unpack(name)};
	if (blob_store_open(f->path, &f->store, &err) < 0 ||
	    repository_open(f->store, &f->repository, &err) < 0 ||
	    snapshot_open(f->repository, str_from(snapshot), &f->snapshot, &err) < 0 ||
	    metadata_read_snapshot(f->snapshot, options, &f->set, &err) < 0)
		fail_msg("%s", err.message);
}

static const struct metadata_read_options everything = {0};

static const struct metadata_item *item_of(const struct fixture *f, enum metadata_kind kind,
					   const char *name)
{
	const struct metadata_item *item = metadata_set_find(&f->set, kind, str_from(name));

	if (!item)
		fail_msg("there is no %s %s", metadata_kind_name(kind), name);
	return item;
}

/* Names of a kind in the order of the set, with commas. */
static void assert_names(const struct fixture *f, enum metadata_kind kind, const char *expected)
{
	cleanup(buf_release) struct buf names = BUF_INIT(KIB(4));

	for (size_t i = 0; i < f->set.count; i++)
		if (f->set.items[i]->kind == kind)
			buf_printf(&names, "%s" STR_FMT, names.len ? "," : "",
				   STR_ARG(f->set.items[i]->name));
	assert_string_equal(buf_cstr(&names), expected);
}

/* What the fixtures of each product hold: tests/fixtures/README.md. */
#define ES_NAMES(more)                                                                          \
	[METADATA_INDEX] = "books,empty,family,logs-2020.01,logs-2020.02,metrics,partial" more, \
	[METADATA_ALIAS] = "all-logs,in-print,library", [METADATA_CLUSTER_SETTINGS] = "persistent"
#define OLD_KINDS [METADATA_LEGACY_TEMPLATE] = "logs"
#define NEW_KINDS \
	OLD_KINDS, [METADATA_COMPONENT_TEMPLATE] = "base", [METADATA_INDEX_TEMPLATE] = "audit"
#define OS_KINDS                                                                          \
	[METADATA_INDEX] =                                                                \
		".ds-events-000001,books,empty,legacy-1,logs-2026.01,nosource,qa,types",  \
	[METADATA_ALIAS] = "all-logs,even,legacy,library",                                \
	[METADATA_COMPONENT_TEMPLATE] = "logs-mappings,logs-settings",                    \
	[METADATA_INDEX_TEMPLATE] = "events,logs", [METADATA_LEGACY_TEMPLATE] = "legacy", \
	[METADATA_PIPELINE] = "stamp", [METADATA_SCRIPT] = "one",                         \
	[METADATA_DATA_STREAM] = "events"

static const struct expected {
	const char *fixture, *snapshot, *description;
	bool typed;
	const char *names[METADATA_KINDS];
	int32_t routing_shards; /* of `empty` */
} versions[] = {
	{"es-1.7.6", "snap1", "Snapshot (ELASTICSEARCH 1.7.6)", true, {ES_NAMES(""), OLD_KINDS}, 0},
	{"es-2.4.6", "snap1", "Snapshot (ELASTICSEARCH 2.4.6)", true, {ES_NAMES(""), OLD_KINDS}, 0},
	{"es-5.6.16",
	 "snap1",
	 "Snapshot (ELASTICSEARCH 5.6.16)",
	 true,
	 {ES_NAMES(""), OLD_KINDS, [METADATA_SCRIPT] = "add-one"},
	 2},
	{"es-6.8.23",
	 "snap1",
	 "Snapshot (ELASTICSEARCH 6.8.23)",
	 true,
	 {ES_NAMES(""), OLD_KINDS, [METADATA_SCRIPT] = "add-one"},
	 2},
	{"es-7.10.2",
	 "snap1",
	 "Snapshot (ELASTICSEARCH 7.10.2)",
	 false,
	 {ES_NAMES(""), NEW_KINDS, [METADATA_PIPELINE] = "stamp", [METADATA_SCRIPT] = "add-one"},
	 1024},
	{"es-8.19.21",
	 "snap1",
	 "Snapshot (ELASTICSEARCH 8.11.0)",
	 false,
	 {ES_NAMES(",synthetic"), NEW_KINDS},
	 1024},
	{"os-1.3.14", "snap-1", "Snapshot (OPENSEARCH 1.3.14)", false, {OS_KINDS}, 1024},
	{"os-2.19.6", "snap-1", "Snapshot (OPENSEARCH 2.19.6)", false, {OS_KINDS}, 1024},
	{"os-3.8.0", "snap-1", "Snapshot (OPENSEARCH 3.8.0)", false, {OS_KINDS}, 1024},
};

static void every_version_gives_its_kinds_and_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		const struct expected *e = &versions[i];
		struct fixture f;

		read_with(&f, e->fixture, e->snapshot, &everything);
		assert_true(str_is(f.set.description, e->description));
		assert_false(f.set.live);
		for (int kind = 0; kind < METADATA_KINDS; kind++)
			assert_names(&f, (enum metadata_kind)kind,
				     e->names[kind] ? e->names[kind] : "");
		assert_int_equal(item_of(&f, METADATA_INDEX, "books")->typed, e->typed);
		assert_int_equal(item_of(&f, METADATA_INDEX, "empty")->routing_shards,
				 e->routing_shards);
		release(&f);
	}
}

static void mappings_lie_below_types_before_elasticsearch_7(void **state)
{
	struct fixture f;

	(void)state;
	read_with(&f, "es-5.6.16", "snap1", &everything);
	assert_non_null(json_path(item_of(&f, METADATA_INDEX, "books")->source, "mappings", "book",
				  "properties", "title", NULL));
	release(&f);
	read_with(&f, "es-7.10.2", "snap1", &everything);
	assert_non_null(json_path(item_of(&f, METADATA_INDEX, "books")->source, "mappings",
				  "properties", "title", NULL));
	release(&f);
}

static void settings_are_a_tree(void **state)
{
	struct fixture f;

	(void)state;
	read_with(&f, "es-1.7.6", "snap1", &everything);
	assert_true(str_is(json_string(json_path(item_of(&f, METADATA_INDEX, "books")->source,
						 "settings", "number_of_shards", NULL)),
			   "3"));
	assert_non_null(json_path(item_of(&f, METADATA_INDEX, "books")->source, "settings",
				  "analysis", "analyzer", NULL));
	release(&f);
}

static void sources_that_are_not_whole_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		bool elasticsearch = versions[i].fixture[0] == 'e';
		struct fixture f;

		read_with(&f, versions[i].fixture, versions[i].snapshot, &everything);
		assert_false(item_of(&f, METADATA_INDEX, "books")->partial_source);
		assert_true(item_of(&f, METADATA_INDEX, elasticsearch ? "metrics" : "nosource")
				    ->partial_source);
		if (elasticsearch)
			assert_true(item_of(&f, METADATA_INDEX, "partial")->partial_source);
		if (strstr(versions[i].fixture, "8.19"))
			assert_true(item_of(&f, METADATA_INDEX, "synthetic")->partial_source);
		release(&f);
	}
}

static void an_alias_of_several_indices_is_one_item(void **state)
{
	struct fixture f;
	const struct json *source;

	(void)state;
	read_with(&f, "es-7.10.2", "snap1", &everything);
	source = item_of(&f, METADATA_ALIAS, "all-logs")->source;
	assert_int_equal(source->count, 2);
	assert_non_null(json_get(source, "logs-2020.01"));
	assert_non_null(json_get(source, "logs-2020.02"));
	assert_non_null(json_path(item_of(&f, METADATA_ALIAS, "in-print")->source, "books",
				  "filter", NULL));
	release(&f);
}

static void a_stored_script_is_taken_once(void **state)
{
	struct fixture f;
	const struct json *script;

	(void)state;
	read_with(&f, "es-5.6.16", "snap1", &everything);
	script = json_get(item_of(&f, METADATA_SCRIPT, "add-one")->source, "script");
	assert_true(str_is(json_string(json_get(script, "lang")), "painless"));
	assert_non_null(json_get(script, "source"));
	assert_null(json_get(script, "code"));
	release(&f);
}

static void only_the_kinds_that_are_wanted_are_read(void **state)
{
	struct fixture f;
	struct metadata_read_options pipelines = {0};

	(void)state;
	pipelines.kinds[METADATA_PIPELINE] = true;
	read_with(&f, "es-7.10.2", "snap1", &pipelines);
	assert_int_equal(f.set.count, 1);
	item_of(&f, METADATA_PIPELINE, "stamp");
	release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_gives_its_kinds_and_names),
		cmocka_unit_test(mappings_lie_below_types_before_elasticsearch_7),
		cmocka_unit_test(settings_are_a_tree),
		cmocka_unit_test(sources_that_are_not_whole_are_known),
		cmocka_unit_test(an_alias_of_several_indices_is_one_item),
		cmocka_unit_test(a_stored_script_is_taken_once),
		cmocka_unit_test(only_the_kinds_that_are_wanted_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
