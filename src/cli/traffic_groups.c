/* Who reads a segment log, and how far each is. */
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/console_common.h"
#include "cli/names_in_folder.h"
#include "cli/table.h"
#include "cli/traffic_selection.h"

#include "traffic/segment_log.h"

#include <inttypes.h>
#include <stdio.h>

struct groups_fields {
	struct general_fields general;
	const char *remove;
};

struct groups {
	struct arena *mem;
	const char *log;
	bool json;
	uint64_t first, end; /* of the records that are there */
};

static void readerp(struct segment_log_reader **reader)
{
	segment_log_reader_close(*reader);
}

static int look(struct groups *groups, struct err *err)
{
	cleanup(readerp) struct segment_log_reader *reader = NULL;
	int failed = segment_log_reader_open(groups->log, &reader, err);

	return failed < 0 ? failed
			  : segment_log_reader_range(reader, &groups->first, &groups->end, err);
}

/* 1; 0: there is no such group. *damaged: it is there, and where it is cannot be read. */
static int find(const struct groups *groups, const char *name, uint64_t *committed, bool *damaged,
		struct err *err)
{
	struct err why = {0};
	int got = segment_log_group_committed(groups->log, name, committed, &why);

	*damaged = got == -ERR_FORMAT;
	if (*damaged)
		return 1;
	if (got < 0)
		*err = why;
	return got;
}

static int add_row(const struct groups *groups, struct str name, struct table *table,
		   struct json *rows, struct err *err)
{
	struct json *row = json_new(groups->mem, JSON_OBJECT);
	uint64_t committed = 0, behind;
	bool damaged;
	int got = find(groups, name.ptr, &committed, &damaged, err);

	if (got == -ERR_USAGE) /* it is no name that a group can have */
		return 0;
	if (got <= 0)
		return got;
	behind = groups->end - MIN(groups->end, MAX(committed, groups->first));
	table_cell(table, name);
	json_set(row, STR("group"), json_new_string(groups->mem, name));
	if (damaged) {
		table_cell(table, STR("damaged"));
		table_cell(table, STR("-"));
	} else {
		table_cell_printf(table, "%" PRIu64, committed);
		table_cell_printf(table, "%" PRIu64, behind);
		json_set(row, STR("committed"), json_new_i64(groups->mem, (int64_t)committed));
		json_set(row, STR("behind"), json_new_i64(groups->mem, (int64_t)behind));
	}
	json_append(rows, row);
	return 0;
}

static int list(const struct groups *groups, struct err *err)
{
	static const struct table_column columns[] = {
		{"group", TABLE_LEFT}, {"committed", TABLE_RIGHT}, {"behind", TABLE_RIGHT}};
	struct json *root = json_new(groups->mem, JSON_OBJECT);
	struct json *rows = json_new(groups->mem, JSON_ARRAY);
	struct str folder = arena_printf(groups->mem, "%s/groups", groups->log), *names;
	struct table table;
	size_t count;

	if (!folder.ptr)
		return arena_fail(groups->mem, "the groups", err);
	if (all_names_in_folder(folder.ptr, groups->mem, &names, &count, err) < 0)
		return -(int)err->kind;
	table_init(&table, groups->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++)
		if (add_row(groups, names[i], &table, rows, err) < 0)
			return -(int)err->kind;
	json_set(root, STR("first"), json_new_i64(groups->mem, (int64_t)groups->first));
	json_set(root, STR("end"), json_new_i64(groups->mem, (int64_t)groups->end));
	json_set(root, STR("groups"), rows);
	if (groups->mem->failed)
		return arena_fail(groups->mem, "the groups", err);
	if (groups->json)
		return console_print_json(root, err);
	printf("records from offset %" PRIu64 " to %" PRIu64 "\n", groups->first, groups->end);
	return table_print(&table, stdout, err);
}

static int tell_removed(const struct groups *groups, const char *name, struct err *err)
{
	struct json *root = json_new(groups->mem, JSON_OBJECT);

	json_set(root, STR("group"), json_new_string(groups->mem, str_from(name)));
	json_set(root, STR("outcome"), json_new_string(groups->mem, STR("removed")));
	return groups->mem->failed ? arena_fail(groups->mem, "the group", err)
				   : console_print_json(root, err);
}

static int remove_group(const struct groups *groups, const char *name, struct err *err)
{
	uint64_t committed = 0;
	bool damaged;
	int got = find(groups, name, &committed, &damaged, err);

	if (got < 0)
		return got;
	if (got == 0)
		return err_set(
			err, ERR_NOT_FOUND,
			"no group '%s' reads '%s'; `shardlift traffic groups %s` lists those "
			"that do",
			name, groups->log, groups->log);
	if (segment_log_group_remove(groups->log, name, err) < 0)
		return -(int)err->kind;
	if (groups->json)
		return tell_removed(groups, name, err);
	if (damaged)
		printf("group '%s' is removed; where it was could not be read\n", name);
	else
		printf("group '%s' is removed; it was at offset %" PRIu64 " of %" PRIu64 "\n", name,
		       committed, groups->end);
	return 0;
}

static int run_groups(struct cli *cli, void *fields_void, struct err *err)
{
	const struct groups_fields *fields = fields_void;
	struct groups groups = {
		.mem = cli->mem, .log = traffic_place(cli->parsed), .json = fields->general.json};

	if (look(&groups, err) < 0)
		return -(int)err->kind;
	return fields->remove ? remove_group(&groups, fields->remove, err) : list(&groups, err);
}

static const struct opt groups_options[] = {
	{.name = "remove",
	 .type = OPT_STRING,
	 OPT_FIELD(struct groups_fields, remove),
	 .metavar = "GROUP",
	 .help = "Forget this one: the log no longer keeps for it what it has not read. End its "
		 "replayer before; one of that name begins with the oldest record again."},
	{0},
};

static const struct opt_part groups_parts[] = {
	{groups_options, 0},
	{general_options, 0},
	{0},
};

const struct command command_traffic_groups = {
	.options = {.name = "traffic groups",
		    .summary = "Show who reads a segment log and how far, or remove one",
		    .arguments = "LOG",
		    .details = "LOG is the folder of a segment log. It keeps, whatever its "
			       "retention, what one of its groups has not committed: a group that "
			       "nobody reads with any more lets it grow for ever.\n",
		    .parts = groups_parts,
		    .min_positionals = 1,
		    .max_positionals = 1},
	.fields_size = sizeof(struct groups_fields),
	.run = run_groups,
};
