#include "base/crc32.h"
#include "base/json.h"
#include "base/state_dir.h"
#include "cli/index_move_internal.h"
#include "cli/index_pattern.h"
#include "cli/snapshot_options.h"
#include "cli/table.h"
#include "metadata/index_renames.h"
#include "workflow/routes/internal_indices.h"
#include "workflow/routes/live_indices.h"

#include <stdio.h>

#define MOVE(member) OPT_FIELD(struct move_wishes, member), .category = "Move"

static const struct opt move_options[] = {
	{.name = "from",
	 .type = OPT_STRING,
	 OPT_FIELD(struct move_wishes, from),
	 .category = "Source cluster",
	 .metavar = "URL",
	 .help = "Short for --source-host."},
	{.name = "include-system",
	 .type = OPT_LIST,
	 MOVE(include_system),
	 .metavar = "NAME",
	 .help = "Indices of products, such as .kibana_1, that may be moved."},
	{.name = "mode",
	 .type = OPT_CHOICE,
	 MOVE(mode),
	 .choices = "pull|remote-reindex",
	 .fallback = "pull",
	 .help = "How documents are copied: through here, or read by the target itself."},
	{.name = "block-writes",
	 .type = OPT_BOOL,
	 MOVE(block_writes),
	 .help = "Block writes to the index on the source first (index.blocks.write). They stay "
		 "blocked when it is moved; --back-out lifts what was put here."},
	{.name = "verify",
	 .type = OPT_LIST,
	 MOVE(verify),
	 .metavar = "count|hash",
	 .help = "What must agree before clients are changed: counts (that is the default), or "
		 "every document by its hash."},
	{.name = "swap-alias",
	 .type = OPT_STRING,
	 MOVE(alias),
	 .metavar = "ALIAS",
	 .help = "This alias of the target goes to the moved indices, from whatever has it."},
	{.name = "on-cutover",
	 .type = OPT_STRING,
	 MOVE(on_cutover),
	 .metavar = "CMD",
	 .help = "A command of the shell that changes the clients, in place of a question. It is "
		 "told SHARDLIFT_INDEX, SHARDLIFT_TARGET_INDEX, SHARDLIFT_ALIAS, SHARDLIFT_FROM "
		 "and SHARDLIFT_TO; if it fails, the index waits there. It may be run again for "
		 "an index when the run was killed."},
	{.name = "delete-source",
	 .type = OPT_BOOL,
	 MOVE(delete_source),
	 .help = "Delete the index on the source at the end, when its name was typed. Needs "
		 "--block-writes. After that nothing can be taken back."},
	{.name = "back-out",
	 .type = OPT_BOOL,
	 MOVE(back_out),
	 .help = "Take back what moves of these indices did: alias, the target's index if no "
		 "client "
		 "was told of it, write block."},
	{.name = "plan",
	 .type = OPT_BOOL,
	 MOVE(plan),
	 .help = "Tell what would be done, and do nothing: neither cluster is sent anything but "
		 "questions."},
	{0},
};

static int resolve_verify(struct moving *m, struct err *err)
{
	const struct opt_list *ways = &m->fields->move.verify;

	m->counts = ways->count == 0;
	for (size_t i = 0; i < ways->count; i++) {
		bool hash = strcmp(ways->items[i], "hash") == 0;

		if (!hash && strcmp(ways->items[i], "count") != 0)
			return err_set(err, ERR_USAGE, "--verify '%s': there are count and hash",
				       ways->items[i]);
		m->hashes |= hash;
		m->counts |= !hash;
	}
	return 0;
}

static int check_usage(const struct move_fields *f, struct err *err)
{
	if (f->move.delete_source && !f->move.block_writes)
		return err_set(err, ERR_USAGE,
			       "--delete-source needs --block-writes: what is written to the "
			       "source meanwhile would be lost");
	if (f->transfer.session_name || f->work.one_item || f->work.restart || f->transfer.digest)
		return err_set(
			err, ERR_USAGE,
			"--session-name, --one-item, --restart and --digest are of `shardlift "
			"copy`; a move has its own record (--back-out begins anew)");
	if (strcmp(f->create.creation.multi_type, "SPLIT") == 0)
		return err_set(err, ERR_USAGE,
			       "--multi-type-behavior SPLIT: an index is moved into one index; use "
			       "`shardlift metadata migrate` and `shardlift backfill`");
	return 0;
}

static int resolve(struct moving *m, struct err *err)
{
	struct move_fields *f = m->fields;
	/* The groups' transfers resolve their own. */
	struct target_fields target = f->target;
	enum source_origin origin;
	enum target_kind kind;
	const char *path;

	f->repository.from = f->move.from;
	if (check_usage(f, err) < 0 || resolve_verify(m, err) < 0 ||
	    source_fields_resolve(&f->source, &f->repository, &origin, m->mem, err) < 0 ||
	    target_fields_resolve(&target, &kind, &path, err) < 0)
		return -(int)err->kind;
	if (origin != SOURCE_CLUSTER || kind != TARGET_CLUSTER)
		return err_set(err, ERR_USAGE,
			       "indices are moved between two clusters: --from URL --to URL");
	m->from = public_url(f->source.host, m->mem);
	m->to = public_url(target.host, m->mem);
	f->repository.repo_uri = m->from;
	f->create.indices_only = true;
	if (source_connect(&f->source, &m->source, err) < 0)
		return -(int)err->kind;
	return target_connect(&target, &m->target, err);
}

static int open_record(struct moving *m, struct err *err)
{
	struct str of = arena_printf(m->mem, "%s to %s", m->from, m->to), path;

	if (!of.ptr)
		return arena_fail(m->mem, "--from", err);
	m->session =
		arena_printf(m->mem, "move-%08x", (unsigned)crc32_update(0, of.ptr, of.len)).ptr;
	if (state_dir_path(m->fields->general.state_dir, m->mem, &m->state_dir, err) < 0)
		return -(int)err->kind;
	path = arena_printf(m->mem, "%s/moves/%s.json", m->state_dir, m->session);
	if (!path.ptr || !m->session)
		return arena_fail(m->mem, "--state-dir", err);
	m->move = (struct index_move){m->source, m->target, &m->record};
	return move_record_open(path.ptr, of, !m->fields->move.plan, &m->record, err);
}

/* The patterns given, beside the names of --include-system. */
static int make_filter(struct moving *m, struct index_filter **out, struct err *err)
{
	const struct opt_result *parsed = m->cli->parsed;
	const struct opt_list *allowlist = &m->fields->transfer.index_allowlist;
	const struct opt_list *system = &m->fields->move.include_system;
	size_t given = parsed->positional_count, count = given + allowlist->count + system->count;
	struct opt_list *list = arena_zalloc(m->mem, 1, sizeof(*list));
	const char **items = arena_zalloc(m->mem, count + 1, sizeof(*items));

	if (!list || !items)
		return arena_fail(m->mem, "the patterns", err);
	for (size_t i = 0; i < count; i++) {
		if (i < given)
			items[i] = index_pattern_entry(parsed->positionals[i], m->mem);
		else
			items[i] = i < given + allowlist->count
					   ? allowlist->items[i - given]
					   : system->items[i - given - allowlist->count];
		if (!items[i])
			return err_set(err, ERR_USAGE, "a pattern is too long");
	}
	if (count == 0)
		return err_set(err, ERR_USAGE,
			       "which indices? Give names or patterns: "
			       "`shardlift index move 'logs-*' --from … --to …`");
	*list = (struct opt_list){items, count};
	return index_filter_new(list, out, err);
}

/* Those of the source, and those that are recorded: they may have gone from there. */
static int list_names(struct moving *m, const struct index_filter *filter, struct err *err)
{
	cleanup(snapshot_closep) struct snapshot *live = NULL;
	struct live_source source;
	size_t most = m->record.indices->count;

	if (live_indices_read(m->source, filter, STR_NONE, false, &live, &source, err) < 0)
		return -(int)err->kind;
	m->indices = arena_zalloc(m->mem, most + live->index_count + 1, sizeof(*m->indices));
	if (!m->indices)
		return arena_fail(m->mem, "the indices", err);
	json_each (entry, m->record.indices)
		if (index_filter_accepts(filter, entry->key))
			m->indices[m->count++].name = arena_str(m->mem, entry->key);
	for (size_t i = 0; i < live->index_count && !m->fields->move.back_out; i++)
		if (index_filter_accepts(filter, live->indices[i].name) &&
		    move_record_step_of(&m->record, live->indices[i].name) == MOVE_NONE)
			m->indices[m->count++].name = arena_str(m->mem, live->indices[i].name);
	return m->mem->failed ? arena_fail(m->mem, "the indices", err) : 0;
}

/* A back-out that goes on finds no more than what is left. */
static int check_entries(const struct moving *m, const struct index_filter *filter, struct err *err)
{
	if (m->fields->move.back_out && m->count > 0)
		return 0;
	for (size_t entry = 0; entry < index_filter_entry_count(filter); entry++) {
		bool found = false;

		for (size_t i = 0; i < m->count; i++)
			found |= index_filter_entry_accepts(filter, entry, m->indices[i].name);
		if (!found)
			return err_set(err, ERR_USAGE,
				       m->fields->move.back_out
					       ? "no move of an index that matches '%s' is recorded"
					       : "the source has no index that matches '%s'",
				       index_filter_entry(filter, entry));
	}
	return 0;
}

static bool is_system_named(const struct moving *m, struct str name)
{
	const struct opt_list *system = &m->fields->move.include_system;

	for (size_t i = 0; i < system->count; i++)
		if (str_is(name, system->items[i]))
			return true;
	return false;
}

static int name_target(struct moving *m, struct moving_index *index, struct str target,
		       struct err *err)
{
	struct str was = move_record_target(&m->record, index->name);

	index->documents = -1;
	index->group = move_record_group(&m->record, index->name);
	index->target = was.ptr ? arena_str(m->mem, was) : target;
	if (!was.ptr)
		return internal_index_check(index->name, target, is_system_named(m, index->name),
					    cluster_version(m->target), err);
	if (str_eq(was, target) || m->fields->move.back_out)
		return 0;
	return err_set(err, ERR_USAGE,
		       "the move of '" STR_FMT "' was begun to '" STR_FMT "', not '" STR_FMT
		       "'; --back-out takes it back",
		       STR_ARG(index->name), STR_ARG(was), STR_ARG(target));
}

static int name_targets(struct moving *m, struct err *err)
{
	struct index_renames *renames;
	struct str *names = arena_zalloc(m->mem, m->count + 1, sizeof(*names)), *targets = names;
	int rc = index_renames_new(&m->fields->transfer.renames, &renames, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; names && i < m->count; i++)
		names[i] = m->indices[i].name;
	if (!names)
		rc = arena_fail(m->mem, "--rename", err);
	else if (!m->fields->move.back_out)
		rc = index_renames_apply(renames, names, m->count, m->mem, &targets, err);
	for (size_t i = 0; rc == 0 && i < m->count; i++)
		rc = name_target(m, &m->indices[i], targets[i], err);
	index_renames_free(renames);
	return rc;
}

static int choose(struct moving *m, struct err *err)
{
	struct index_filter *filter;
	int rc = make_filter(m, &filter, err);

	if (rc < 0)
		return rc;
	rc = list_names(m, filter, err);
	if (rc == 0)
		rc = check_entries(m, filter, err);
	index_filter_free(filter);
	if (rc == 0)
		rc = name_targets(m, err);
	for (size_t i = 0; rc == 0 && i < m->count; i++)
		if (m->indices[i].group == 0)
			rc = index_move_check_free(m->target, m->indices[i].target, err);
	return rc;
}

static void print_copy_steps(const struct moving *m, enum move_step step)
{
	if (step < MOVE_COPIED)
		printf("%screate, copy, ", m->fields->move.block_writes ? "block writes, " : "");
	if (step < MOVE_VERIFIED)
		printf("verify %s%s%s, ", m->counts ? "count" : "",
		       m->counts && m->hashes ? " and " : "", m->hashes ? "hash" : "");
}

/* What is to come, of one index. */
static void print_steps(const struct moving *m, const struct moving_index *index)
{
	const struct move_wishes *wishes = &m->fields->move;
	enum move_step step = move_record_step_of(&m->record, index->name);

	printf("index '" STR_FMT "' to '" STR_FMT "': ", STR_ARG(index->name),
	       STR_ARG(index->target));
	if (step != MOVE_NONE)
		printf("%s; ", move_step_name(step));
	print_copy_steps(m, step);
	if (step < MOVE_SWAPPED && wishes->alias)
		printf("alias '%s', ", wishes->alias);
	if (step < MOVE_CUT_OVER)
		printf("clients from %s to %s (%s)", m->from, m->to,
		       wishes->on_cutover ? "by a command" : "asks");
	if (step < MOVE_DELETED && wishes->delete_source)
		printf(", delete on the source (asks)");
	printf("\n");
}

static int plan(struct moving *m, struct err *err)
{
	const struct moving_index **fresh = arena_zalloc(m->mem, m->count + 1, sizeof(*fresh));
	size_t count = 0;
	int rc = 0;

	if (!fresh)
		return arena_fail(m->mem, "the plan", err);
	for (size_t i = 0; i < m->count; i++)
		if (m->indices[i].group == 0)
			fresh[count++] = &m->indices[i];
	if (count > 0 && !m->fields->move.back_out)
		rc = moving_copy(m, fresh, count, 0, true, err);
	for (size_t i = 0; rc >= 0 && i < m->count && !m->fields->general.json; i++) {
		if (m->fields->move.back_out)
			printf("index '" STR_FMT "': would be taken back\n",
			       STR_ARG(m->indices[i].name));
		else
			print_steps(m, &m->indices[i]);
	}
	return rc;
}

static int print_json(const struct moving *m, struct err *err)
{
	struct json *root = json_new(m->mem, JSON_OBJECT), *list = json_new(m->mem, JSON_ARRAY);

	json_set(root, STR("from"), json_new_string(m->mem, str_from(m->from)));
	json_set(root, STR("to"), json_new_string(m->mem, str_from(m->to)));
	json_set(root, STR("planned"), json_new_bool(m->mem, m->fields->move.plan));
	json_set(root, STR("indices"), list);
	for (size_t i = 0; i < m->count; i++) {
		const struct moving_index *index = &m->indices[i];
		enum move_step step = move_record_step_of(&m->record, index->name);
		struct json *row = json_new(m->mem, JSON_OBJECT);

		json_set(row, STR("index"), json_new_string(m->mem, index->name));
		json_set(row, STR("target"), json_new_string(m->mem, index->target));
		json_set(row, STR("step"), json_new_string(m->mem, str_from(move_step_name(step))));
		if (index->documents >= 0)
			json_set(row, STR("documents"), json_new_i64(m->mem, index->documents));
		if (index->note.ptr)
			json_set(row, STR("note"), json_new_string(m->mem, index->note));
		json_append(list, row);
	}
	return m->mem->failed ? arena_fail(m->mem, "the report", err)
			      : snapshot_print_json(root, err);
}

static int print(const struct moving *m, struct err *err)
{
	static const struct table_column columns[] = {{"index", TABLE_LEFT},
						      {"target", TABLE_LEFT},
						      {"step", TABLE_LEFT},
						      {"note", TABLE_LEFT}};
	struct table table;

	if (m->fields->general.json)
		return print_json(m, err);
	if (m->fields->move.plan)
		return 0;
	table_init(&table, m->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < m->count; i++) {
		const struct moving_index *index = &m->indices[i];
		enum move_step step = move_record_step_of(&m->record, index->name);

		table_cell(&table, index->name);
		table_cell(&table, index->target);
		table_cell(&table,
			   step == MOVE_NONE ? STR("taken back") : str_from(move_step_name(step)));
		table_cell(&table, index->note);
	}
	return table_print(&table, stdout, err);
}

static void release(struct moving *m)
{
	move_record_release(&m->record);
	cluster_close(m->source);
	cluster_close(m->target);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	cleanup(release) struct moving m = {
		.fields = fields, .cli = cli, .mem = cli->mem, .record = {.lock = -1}};
	struct err unprinted;
	int code;

	if (resolve(&m, err) < 0 || open_record(&m, err) < 0 || choose(&m, err) < 0)
		return -(int)err->kind;
	if (m.fields->move.plan)
		code = plan(&m, err);
	else
		code = m.fields->move.back_out ? moving_back_out(&m, err) : moving_run(&m, err);
	/* How far they came is told even when something ended it. */
	if (code < 0 && m.fields->move.plan)
		return code;
	if (print(&m, code < 0 ? &unprinted : err) < 0 && code >= 0)
		return -(int)err->kind;
	return code;
}

static const struct opt_part parts[] = {
	{move_options, offsetof(struct move_fields, move)},
	{remote_options, offsetof(struct move_fields, remote)},
	{source_options, offsetof(struct move_fields, source)},
	{target_options, offsetof(struct move_fields, target)},
	{creation_options, offsetof(struct move_fields, create.creation)},
	{transfer_options, offsetof(struct move_fields, transfer)},
	{failed_store_options, offsetof(struct move_fields, transfer.failed.store)},
	{failed_keep_options, offsetof(struct move_fields, transfer.failed)},
	{allowed_options, offsetof(struct move_fields, allowed)},
	{metrics_options, offsetof(struct move_fields, metrics)},
	{transform_run_options, offsetof(struct move_fields, transform.run)},
	{care_options, offsetof(struct move_fields, care)},
	{work_options, offsetof(struct move_fields, work)},
	{coordinator_options, offsetof(struct move_fields, work.coordinator)},
	{general_options, offsetof(struct move_fields, general)},
	{0},
};

const struct command command_index_move = {
	.options =
		{
			.name = "index move",
			.summary = "Move indices from one live cluster to another, step by step",
			.arguments = "PATTERN…",
			.max_positionals = 1000,
			.parts = parts,
			.details =
				"For --parallel indices at a time: block writes on the source, "
				"create, copy, wait, verify, swap the alias on the target, have "
				"the clients changed, and if asked for delete the index on the "
				"source. Each step is recorded; the same command again goes on "
				"where one was stopped, and --back-out takes everything back until "
				"the deletion (docs/index-move.md).\n"
				"\n"
				"Example:\n"
				"  shardlift index move 'logs-*' --from https://old:9200 --to "
				"https://new:9200 --block-writes --verify hash --swap-alias logs",
		},
	.fields_size = sizeof(struct move_fields),
	.run = run,
};
