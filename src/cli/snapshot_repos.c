/* snapshot repos */
#include "cli/snapshot_options.h"
#include "cli/table.h"

static struct str shown_place(const struct json *repository, struct arena *mem)
{
	struct str place = snapshot_repository_place(repository, mem);

	if (str_is(json_string(json_get(repository, "type")), "url"))
		return str_from(public_url(arena_str(mem, place).ptr, mem));
	return place;
}

static bool is_read_only(const struct json *repository)
{
	return str_is(json_string(json_get(repository, "type")), "url") ||
	       json_bool_or(json_path(repository, "settings", "readonly", NULL), false);
}

static int print_table(const struct json *all, struct arena *mem, struct err *err)
{
	static const struct table_column columns[] = {{"repository", TABLE_LEFT},
						      {"type", TABLE_LEFT},
						      {"place", TABLE_LEFT},
						      {"access", TABLE_LEFT}};
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	json_each (repository, all) {
		table_cell(&table, repository->key);
		table_cell(&table, json_string(json_get(repository, "type")));
		table_cell(&table, shown_place(repository, mem));
		table_cell(&table, is_read_only(repository) ? STR("read-only") : STR("read-write"));
	}
	return table_print(&table, stdout, err);
}

static int print_json(const struct json *all, struct arena *mem, struct err *err)
{
	struct json *root = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);

	json_each (repository, all) {
		struct json *one = json_new(mem, JSON_OBJECT);

		json_set(one, STR("name"), json_new_string(mem, repository->key));
		json_set(one, STR("type"),
			 json_new_string(mem, json_string(json_get(repository, "type"))));
		json_set(one, STR("place"), json_new_string(mem, shown_place(repository, mem)));
		json_set(one, STR("read_only"), json_new_bool(mem, is_read_only(repository)));
		json_append(list, one);
	}
	json_set(root, STR("repositories"), list);
	return mem->failed ? arena_fail(mem, "the list", err) : snapshot_print_json(root, err);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	struct snapshot_fields *f = fields;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct json *all = NULL;
	int rc;

	if (snapshot_connect(f, cli->mem, &cluster, err) < 0 ||
	    snapshot_api_repositories(cluster, cli->mem, &all, err) < 0)
		return -(int)err->kind;
	rc = f->general.json ? print_json(all, cli->mem, err) : print_table(all, cli->mem, err);
	return rc < 0 ? rc : EXIT_CODE_OK;
}

static const struct opt_part parts[] = {SNAPSHOT_CLUSTER_PARTS, {0}};

const struct command command_snapshot_repos = {
	.options = {.name = "snapshot repos",
		    .summary = "List the snapshot repositories registered at a cluster",
		    .parts = parts,
		    .details = "Example:\n  shardlift snapshot repos --from https://old:9200"},
	.fields_size = sizeof(struct snapshot_fields),
	.run = run,
};
