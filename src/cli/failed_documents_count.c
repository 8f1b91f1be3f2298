#include "cli/command.h"
#include "cli/failed_documents_options.h"
#include "cli/failure_pattern.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdlib.h>

#define GROUPS_MAX 10000

struct count_fields {
	struct general_fields general;
	struct failed_fields which;
};

struct group {
	struct str index, type, pattern;
	uint64_t count;
};

struct counting {
	struct arena *mem;
	struct group *groups;
	size_t count, capacity;
	struct digest_table table; /* of a group's texts: `line` is its number */
	uint64_t total;
	size_t damaged;
};

static void counting_release(struct counting *counting)
{
	free(counting->groups);
	digest_table_release(&counting->table);
}

/* The group's number; all that come after GROUPS_MAX share the last one. */
static int group_of(struct counting *counting, const struct failed_record *record,
		    struct str pattern, size_t *at, struct err *err)
{
	char index[ID128_TEXT];
	struct id128 id = id128_of_pair(record->failure_type, pattern);
	struct digest_entry *entry;
	bool added;

	id128_print(id, index);
	id = id128_of_pair(str_from(index), record->target_index);
	*at = counting->count - 1;
	if (counting->count == GROUPS_MAX && !digest_table_find(&counting->table, id))
		return 0;
	entry = digest_table_add(&counting->table, id, &added);
	if (added) {
		if (counting->count == counting->capacity) {
			counting->capacity = MAX(counting->capacity * 2, (size_t)16);
			counting->groups = mem_realloc(
				counting->groups, counting->capacity * sizeof(*counting->groups));
		}
		entry->line = counting->count;
		counting->groups[counting->count++] = (struct group){
			.index = arena_str(counting->mem, record->target_index),
			.type = arena_str(counting->mem, record->failure_type),
			.pattern = arena_str(counting->mem, pattern),
		};
	}
	*at = entry->line;
	return counting->mem->failed ? arena_fail(counting->mem, "the reasons", err) : 0;
}

static int visit(void *user, const struct failed_pending *pending, struct err *err)
{
	cleanup(buf_release) struct buf pattern = BUF_INIT(KIB(4));
	struct counting *counting = user;
	size_t at;
	int rc;

	if (pending->repeated)
		return 0;
	failure_pattern(&pattern, pending->record->reason);
	rc = group_of(counting, pending->record, buf_str(&pattern), &at, err);
	if (rc < 0)
		return rc;
	counting->groups[at].count++;
	counting->total++;
	return 0;
}

static void tell(void *user, bool damaged, const char *what)
{
	failed_documents_tell(&((struct counting *)user)->damaged, damaged, what);
}

/* By index, then the most frequent first. */
static int by_index(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int order = str_cmp(x->index, y->index);

	if (order == 0)
		order = x->count == y->count ? 0 : x->count > y->count ? -1 : 1;
	if (order == 0)
		order = str_cmp(x->type, y->type);
	return order ? order : str_cmp(x->pattern, y->pattern);
}

static int print_table(const struct counting *counting, struct err *err)
{
	static const struct table_column columns[] = {
		{"index", TABLE_LEFT},
		{"documents", TABLE_RIGHT},
		{"type", TABLE_LEFT},
		{"reason", TABLE_LEFT},
	};
	struct table table;

	table_init(&table, counting->mem, columns, COUNT_OF(columns));
	for (size_t i = 0; i < counting->count; i++) {
		const struct group *group = &counting->groups[i];

		table_cell(&table, group->index);
		table_cell_printf(&table, "%" PRIu64, group->count);
		table_cell(&table, group->type);
		table_cell(&table, group->pattern);
	}
	if (table_print(&table, stdout, err) < 0)
		return -(int)err->kind;
	printf("%" PRIu64 " failed documents\n", counting->total);
	return 0;
}

static int print_json(const struct counting *counting, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(64));
	struct arena *mem = counting->mem;
	struct json *root = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);

	json_set(root, STR("documents"), json_new_i64(mem, (int64_t)counting->total));
	for (size_t i = 0; i < counting->count; i++) {
		const struct group *group = &counting->groups[i];
		struct json *one = json_new(mem, JSON_OBJECT);

		json_set(one, STR("index"), json_new_string(mem, group->index));
		json_set(one, STR("type"), json_new_string(mem, group->type));
		json_set(one, STR("reason"), json_new_string(mem, group->pattern));
		json_set(one, STR("documents"), json_new_i64(mem, (int64_t)group->count));
		json_append(list, one);
	}
	json_set(root, STR("reasons"), list);
	if (mem->failed)
		return arena_fail(mem, "the reasons", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the reasons", err) < 0)
		return -(int)err->kind;
	puts(buf_cstr(&text));
	return 0;
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	const struct count_fields *f = fields;
	cleanup(counting_release) struct counting counting = {.mem = cli->mem};
	const struct failed_visitor visitor = {.visit = visit, .tell = tell, .user = &counting};
	struct failed_filter filter;
	int rc;

	if (failed_fields_filter(&f->which, &f->general, cli->mem, &filter, err) < 0 ||
	    failed_documents_visit(&filter, &visitor, err) < 0)
		return -(int)err->kind;
	if (counting.count > 0)
		qsort(counting.groups, counting.count, sizeof(*counting.groups), by_index);
	rc = f->general.json ? print_json(&counting, err) : print_table(&counting, err);
	if (rc < 0)
		return rc;
	return counting.damaged ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

static const struct opt_part parts[] = {
	{failed_options, offsetof(struct count_fields, which)},
	{failed_store_options, offsetof(struct count_fields, which.store)},
	{general_options, offsetof(struct count_fields, general)},
	{0},
};

const struct command command_failed_documents_count = {
	.options =
		{
			.name = "failed-documents count",
			.summary = "Count what the target refused, by index and reason",
			.parts = parts,
			.details = "Reasons that differ in quoted texts and numbers alone are "
				   "counted as one.\n"
				   "\n"
				   "Exit codes: 0; 1 a stream is damaged and was read in part.",
		},
	.fields_size = sizeof(struct count_fields),
	.run = run,
};
