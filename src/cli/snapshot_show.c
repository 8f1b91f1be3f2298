#include "cli/command.h"
#include "cli/number_text.h"
#include "cli/snapshot_source.h"
#include "cli/table.h"

#include "base/log.h"
#include "documents/lucene_documents.h"
#include "metadata/source_kind.h"

#include <inttypes.h>

struct show_fields {
	struct general_fields general;
	struct repository_fields repository;
};

/* What one index adds up to over its shards. */
struct index_facts {
	struct str name;
	int32_t shards;
	uint64_t documents, deleted, bytes;
	const char *source;  /* how it keeps sources */
	struct str formats;  /* of stored fields, comma-separated */
	struct str versions; /* of Lucene, comma-separated */
	bool readable;
	char reason[sizeof(((struct err *)0)->message)];
};

static void close_shardp(struct snapshot_shard **shard)
{
	snapshot_shard_close(*shard);
}

/* Adds a word to a list unless it is there. */
static struct str add_word(struct str list, struct str word, struct arena *mem)
{
	struct str rest = list, head;
	bool more = list.len > 0;

	while (more) {
		more = str_split(rest, ',', &head, &rest);
		if (str_eq(head, word))
			return list;
	}
	return list.len > 0 ? arena_printf(mem, STR_FMT "," STR_FMT, STR_ARG(list), STR_ARG(word))
			    : arena_str(mem, word);
}

static int add_shard(const struct snapshot *snapshot, const struct snapshot_index *index,
		     int32_t number, struct index_facts *facts, struct arena *mem, struct err *err)
{
	cleanup(close_shardp) struct snapshot_shard *shard = NULL;
	cleanup(arena_release) struct arena scratch = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct segment_summary *segments;
	size_t count;

	if (snapshot_shard_open(snapshot, index, number, &shard, err) < 0)
		return -(int)err->kind;
	facts->bytes += shard->total_bytes;
	if (lucene_segments_summarise(shard->directory, &scratch, &segments, &count, err) < 0)
		return err_wrap(err, "index '" STR_FMT "' shard %d", STR_ARG(index->name), number);
	for (size_t i = 0; i < count; i++) {
		facts->documents += (uint64_t)segments[i].live_docs;
		facts->deleted += (uint64_t)(segments[i].max_doc - segments[i].live_docs);
		facts->formats = add_word(facts->formats, segments[i].stored_format, mem);
		facts->versions = add_word(facts->versions, segments[i].version, mem);
	}
	return 0;
}

static int read_index(const struct snapshot *snapshot, const struct snapshot_index *index,
		      struct index_facts *facts, struct arena *mem, struct err *err)
{
	cleanup(arena_release) struct arena scratch = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct index_metadata metadata;

	if (snapshot_index_metadata(snapshot, index, &scratch, &metadata, err) < 0)
		return -(int)err->kind;
	facts->shards = metadata.shard_count;
	facts->source = source_kind_name(index_source_kind(&metadata));
	for (int32_t i = 0; i < metadata.shard_count; i++)
		if (add_shard(snapshot, index, i, facts, mem, err) < 0)
			return -(int)err->kind;
	facts->readable = true;
	return 0;
}

static void add_row(struct table *table, const struct index_facts *facts)
{
	char bytes[NUMBER_TEXT_MAX];

	table_cell(table, facts->name);
	table_cell_printf(table, "%d", facts->shards);
	table_cell_printf(table, "%" PRIu64, facts->documents);
	table_cell_printf(table, "%" PRIu64, facts->deleted);
	table_cell(table, str_from(bytes_text(facts->bytes, bytes)));
	table_cell(table, str_from(facts->source));
	table_cell(table, facts->versions);
	table_cell(table, facts->formats);
	table_cell(table, str_from(facts->readable ? "" : facts->reason));
}

static int print_table(const struct snapshot *snapshot, const struct index_facts *facts,
		       struct arena *mem, struct err *err)
{
	static const struct table_column columns[] = {
		{"index", TABLE_LEFT},       {"shards", TABLE_RIGHT},
		{"documents*", TABLE_RIGHT}, {"deleted", TABLE_RIGHT},
		{"size", TABLE_RIGHT},       {"_source", TABLE_LEFT},
		{"lucene", TABLE_LEFT},      {"stored fields", TABLE_LEFT},
		{"note", TABLE_LEFT},
	};
	struct str name = text_printable(snapshot->summary.name, mem);
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < snapshot->index_count; i++)
		add_row(&table, &facts[i]);
	printf("Snapshot " STR_FMT ": " STR_FMT " of version " STR_FMT ", %d of %d shards\n\n",
	       STR_ARG(name), STR_ARG(snapshot->summary.state), STR_ARG(snapshot->summary.version),
	       snapshot->successful_shards, snapshot->total_shards);
	if (table_print(&table, stdout, err) < 0)
		return -(int)err->kind;
	printf("\n* live Lucene documents: each nested object counts as one more\n");
	return 0;
}

static struct json *index_json(const struct index_facts *facts, struct arena *mem)
{
	struct json *one = json_new(mem, JSON_OBJECT);

	json_set(one, STR("index"), json_new_string(mem, facts->name));
	json_set(one, STR("shards"), json_new_i64(mem, facts->shards));
	json_set(one, STR("lucene_documents"), json_new_i64(mem, (int64_t)facts->documents));
	json_set(one, STR("deleted_documents"), json_new_i64(mem, (int64_t)facts->deleted));
	json_set(one, STR("bytes"), json_new_i64(mem, (int64_t)facts->bytes));
	json_set(one, STR("source"), json_new_string(mem, str_from(facts->source)));
	json_set(one, STR("lucene_versions"), json_new_string(mem, facts->versions));
	json_set(one, STR("stored_fields"), json_new_string(mem, facts->formats));
	json_set(one, STR("readable"), json_new_bool(mem, facts->readable));
	if (!facts->readable)
		json_set(one, STR("reason"), json_new_string(mem, str_from(facts->reason)));
	return one;
}

static int print_json(const struct snapshot *snapshot, const struct index_facts *facts,
		      struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *root = json_new(mem, JSON_OBJECT);
	struct json *list = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < snapshot->index_count; i++)
		json_append(list, index_json(&facts[i], mem));
	json_set(root, STR("snapshot"), json_new_string(mem, snapshot->summary.name));
	json_set(root, STR("uuid"), json_new_string(mem, snapshot->summary.uuid));
	json_set(root, STR("state"), json_new_string(mem, snapshot->summary.state));
	json_set(root, STR("version"), json_new_string(mem, snapshot->summary.version));
	json_set(root, STR("start_ms"), json_new_i64(mem, snapshot->start_ms));
	json_set(root, STR("end_ms"), json_new_i64(mem, snapshot->end_ms));
	json_set(root, STR("total_shards"), json_new_i64(mem, snapshot->total_shards));
	json_set(root, STR("successful_shards"), json_new_i64(mem, snapshot->successful_shards));
	json_set(root, STR("indices"), list);
	if (mem->failed)
		return arena_fail(mem, "the list of indices", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the list of indices", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

/* One index that cannot be read is told in its row; the others are read all the same. */
static bool read_indices(const struct snapshot *snapshot, struct index_facts *facts,
			 struct arena *mem)
{
	bool all_readable = true;

	for (size_t i = 0; i < snapshot->index_count; i++) {
		struct err err = {0};

		facts[i] = (struct index_facts){.name = snapshot->indices[i].name, .source = ""};
		if (read_index(snapshot, &snapshot->indices[i], &facts[i], mem, &err) < 0) {
			memcpy(facts[i].reason, err.message, sizeof(facts[i].reason));
			all_readable = false;
		}
	}
	return all_readable;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct show_fields *f = fields;
	cleanup(snapshot_source_release) struct snapshot_source source = {0};
	struct index_facts *facts;
	bool all_readable;
	int printed;

	if (repository_fields_resolve(&f->repository, true, cli->mem, err) < 0 ||
	    snapshot_source_open(&source, &f->repository, err) < 0)
		return -(int)err->kind;
	facts = arena_zalloc(cli->mem, source.snapshot->index_count, sizeof(*facts));
	if (!facts)
		return arena_fail(cli->mem, "the list of indices", err);
	all_readable = read_indices(source.snapshot, facts, cli->mem);
	printed = f->general.json ? print_json(source.snapshot, facts, cli->mem, err)
				  : print_table(source.snapshot, facts, cli->mem, err);
	return printed < 0 ? printed : all_readable ? 0 : EXIT_CODE_SOURCE_UNREADABLE;
}

static const struct opt_part parts[] = {
	{repository_options, offsetof(struct show_fields, repository)},
	{store_options, offsetof(struct show_fields, repository.store)},
	{general_options, offsetof(struct show_fields, general)},
	{0},
};

const struct command command_snapshot_show = {
	.options =
		{
			.name = "snapshot show",
			.summary = "Show the indices of a snapshot: shards, documents, bytes, "
				   "formats",
			.parts = parts,
			.details =
				"Documents are live Lucene documents, so that each nested object "
				"counts as one more. The size is that of all files of the shards, "
				"shared with other snapshots or not. The column _source tells "
				"whether an index can be moved: stored, filtered (in part), "
				"disabled or synthetic.\n"
				"\n"
				"Example:\n"
				"  shardlift snapshot show --from /backups#nightly",
		},
	.fields_size = sizeof(struct show_fields),
	.run = run,
};
