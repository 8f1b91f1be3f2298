/* console clusters cat-indices and clear-indices */
#include "cli/console_common.h"
#include "cli/table.h"

#include "base/log.h"
#include "workflow/routes/internal_indices.h"

#include <ctype.h>
#include <stdio.h>

struct indices_fields {
	struct console_fields console;
	struct console_cluster_fields clusters;
	bool refresh, acknowledged;
};

static const char *const columns[] = {"health", "status",     "index",        "pri",
				      "rep",    "docs.count", "docs.deleted", "store.size"};

static int refusal(const char *what, int status, const struct json *answer, struct arena *mem,
		   struct err *err)
{
	return err_set(err, ERR_HTTP, "%s: " STR_FMT, what,
		       STR_ARG(cluster_error_reason(answer, status, mem)));
}

static int list_indices(struct cluster *cluster, struct arena *mem, struct json **out,
			struct err *err)
{
	const char *path =
		"/_cat/indices?format=json&s=index&h=health,status,index,pri,rep,docs.count,"
		"docs.deleted,store.size";
	int status;

	if (cluster_request(cluster, "GET", path, STR_NONE, true, mem, &status, out, err) < 0)
		return -(int)err->kind;
	if (status == 200 && *out && (*out)->type == JSON_ARRAY)
		return 0;
	return refusal("the list of indices", status, *out, mem, err);
}

static int refresh(struct cluster *cluster, struct arena *mem, struct err *err)
{
	struct json *answer;
	int status;

	if (cluster_request(cluster, "POST", "/_refresh", STR_NONE, true, mem, &status, &answer,
			    err) < 0)
		return -(int)err->kind;
	return status == 200 ? 0 : refusal("_refresh", status, answer, mem, err);
}

static int print_table(const struct json *indices, struct arena *mem, struct err *err)
{
	static const struct table_column titles[] = {
		{"health", TABLE_LEFT},        {"status", TABLE_LEFT},
		{"index", TABLE_LEFT},         {"pri", TABLE_RIGHT},
		{"rep", TABLE_RIGHT},          {"docs.count", TABLE_RIGHT},
		{"docs.deleted", TABLE_RIGHT}, {"store.size", TABLE_RIGHT}};
	struct table table;

	table_init(&table, mem, titles, COUNT_OF(titles));
	json_each (index, indices) {
		table_cell_state(&table, json_text_or(json_get(index, columns[0]), STR("")));
		for (size_t i = 1; i < COUNT_OF(columns); i++)
			table_cell(&table, json_text_or(json_get(index, columns[i]), STR("")));
	}
	return table_print(&table, stdout, err);
}

static void print_title(const struct console *console, const struct services_cluster *cluster)
{
	const char *role = services_role_name(cluster->role);

	for (const char *c = role; *c; c++)
		putchar(toupper((unsigned char)*c));
	printf(" CLUSTER");
	if (console->services.derived)
		printf(" " STR_FMT, STR_ARG(cluster->name));
	putchar('\n');
}

static int cat_one(const struct console *console, const struct services_cluster *services,
		   const struct indices_fields *f, struct json *all, struct err *err)
{
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct json *indices;
	struct str key =
		arena_printf(console->mem, "%s_cluster", services_role_name(services->role));

	/* Several of a role go by their names. */
	if (json_get_str(all, key))
		key = services->name;
	if (console_connect(services, &cluster, err) < 0 ||
	    (f->refresh && refresh(cluster, console->mem, err) < 0) ||
	    list_indices(cluster, console->mem, &indices, err) < 0)
		return -(int)err->kind;
	json_set(all, key, indices);
	if (f->console.general.json)
		return 0;
	print_title(console, services);
	return print_table(indices, console->mem, err);
}

static int run_cat(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	struct indices_fields *f = fields;
	struct console_clusters clusters;
	struct json *all = json_new(cli->mem, JSON_OBJECT);
	bool json = f->console.general.json, failed = false;

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    console_pick_clusters(&console, &f->clusters, &clusters, err) < 0)
		return -(int)err->kind;
	if (!f->refresh && !json)
		puts("Counts are those of the last refresh; --refresh brings them up to date.");
	for (size_t i = 0; i < clusters.count; i++) {
		struct err why = {0};

		if (!json)
			putchar('\n');
		if (cat_one(&console, &clusters.list[i], f, all, &why) == 0)
			continue;
		failed = true;
		log_error("console", STR_FMT ": %s", STR_ARG(clusters.list[i].name), why.message);
	}
	if (cli->mem->failed)
		return arena_fail(cli->mem, "the list of indices", err);
	if (json && console_print_json(all, err) < 0)
		return -(int)err->kind;
	return failed ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

/* --- clear-indices --- */

static bool is_kept(struct str name)
{
	static const char *const systems[] = {"searchguard", "security-auditlog", "top_queries-"};

	if (index_is_internal(name) || str_starts(name, STR(".")))
		return true;
	for (size_t i = 0; i < COUNT_OF(systems); i++)
		if (str_starts(name, str_from(systems[i])))
			return true;
	return false;
}

static int remove_one(struct cluster *cluster, const char *prefix, struct str name,
		      struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(KIB(8));
	struct json *answer;
	int status;

	buf_append_str(&path, str_from(prefix));
	http_append_encoded(&path, name);
	if (buf_check(&path, "the name of an index", err) < 0 ||
	    cluster_request(cluster, "DELETE", buf_cstr(&path), STR_NONE, true, mem, &status,
			    &answer, err) < 0)
		return -(int)err->kind;
	if (status == 200 || status == 404)
		return 0;
	return err_set(err, ERR_HTTP, "'" STR_FMT "' was not deleted: " STR_FMT, STR_ARG(name),
		       STR_ARG(cluster_error_reason(answer, status, mem)));
}

/* Streams first: their backing indices go with them. */
static int remove_streams(struct cluster *cluster, struct arena *mem, size_t *count,
			  struct err *err)
{
	struct json *answer;
	int status;

	if (cluster_request(cluster, "GET", "/_data_stream", STR_NONE, true, mem, &status, &answer,
			    err) < 0)
		return -(int)err->kind;
	json_each (stream, status == 200 ? json_get(answer, "data_streams") : NULL) {
		struct str name = json_string(json_get(stream, "name"));

		if (is_kept(name))
			continue;
		if (remove_one(cluster, "/_data_stream/", name, mem, err) < 0)
			return -(int)err->kind;
		++*count;
	}
	return 0;
}

static int remove_all(struct cluster *cluster, struct arena *mem, size_t *count, struct err *err)
{
	struct json *indices;

	if (remove_streams(cluster, mem, count, err) < 0 ||
	    list_indices(cluster, mem, &indices, err) < 0)
		return -(int)err->kind;
	json_each (index, indices) {
		struct str name = json_string(json_get(index, "index"));

		if (is_kept(name))
			continue;
		if (remove_one(cluster, "/", name, mem, err) < 0)
			return -(int)err->kind;
		++*count;
	}
	return 0;
}

/* Exactly one, and named: it is about to lose everything. */
static int pick_one(const struct console *console, const struct console_cluster_fields *fields,
		    struct console_clusters *out, struct err *err)
{
	if (!fields->cluster && !fields->source && !fields->target && !fields->proxy)
		return err_set(err, ERR_USAGE, "which cluster? Give --cluster source or target");
	if (console_pick_clusters(console, fields, out, err) < 0)
		return -(int)err->kind;
	return out->count == 1 ? 0 : err_set(err, ERR_USAGE, "one cluster at a time");
}

/* What is asked to be confirmed; an endpoint may hold a password. */
static int name_risk(const struct services_cluster *cluster, struct arena *mem, const char **name,
		     const char **what, struct err *err)
{
	struct url url;

	if (url_parse(cluster->http.host, mem, &url, err) < 0)
		return -(int)err->kind;
	*name = arena_str(mem, cluster->name).ptr;
	*what = arena_printf(mem,
			     "all indices of '" STR_FMT "' (" STR_FMT ") will be deleted for good",
			     STR_ARG(cluster->name), STR_ARG(url_without_secrets(&url, mem)))
			.ptr;
	return *name && *what ? 0 : arena_fail(mem, "the name of a cluster", err);
}

static int run_clear(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct indices_fields *f = fields;
	struct console_clusters clusters;
	const char *name = NULL, *what = NULL;
	size_t count = 0;

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    pick_one(&console, &f->clusters, &clusters, err) < 0 ||
	    name_risk(&clusters.list[0], cli->mem, &name, &what, err) < 0)
		return -(int)err->kind;
	if (!f->acknowledged && console_confirm(what, name, "--acknowledge-risk", err) < 0)
		return -(int)err->kind;
	if (console_connect(&clusters.list[0], &cluster, err) < 0 ||
	    remove_all(cluster, cli->mem, &count, err) < 0)
		return err_wrap(err, "%s", name);
	if (!f->console.general.json)
		printf("%zu indices and data streams of '%s' were deleted; system indices and "
		       "working state are kept\n",
		       count, name);
	else
		printf("{\"cluster\":\"%s\",\"deleted\":%zu}\n", name, count);
	return 0;
}

static const struct opt cat_options[] = {
	{.name = "refresh",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct indices_fields, refresh),
	 .help = "Refresh first, so that counts are those of now."},
	{0},
};
static const struct opt clear_options[] = {
	{.name = "acknowledge-risk",
	 .type = OPT_BOOL,
	 OPT_FIELD(struct indices_fields, acknowledged),
	 .help = "Do not ask for the cluster's name to be typed."},
	{0},
};

static const struct opt_part cat_parts[] = {
	{cat_options, 0},
	{console_cluster_options, offsetof(struct indices_fields, clusters)},
	CONSOLE_PARTS,
	{0}};
static const struct opt_part clear_parts[] = {
	{clear_options, 0},
	{console_cluster_options, offsetof(struct indices_fields, clusters)},
	CONSOLE_PARTS,
	{0}};

const struct command command_console_clusters_cat_indices = {
	.options = {.name = "console clusters cat-indices",
		    .summary = "The indices of the clusters, with counts and sizes",
		    .parts = cat_parts},
	.fields_size = sizeof(struct indices_fields),
	.run = run_cat,
};

const struct command command_console_clusters_clear_indices = {
	.options = {.name = "console clusters clear-indices",
		    .summary = "Delete all indices but those of the system",
		    .parts = clear_parts,
		    .details = "Indices and data streams whose names begin with a dot stay, those "
			       "of the security plugin too."},
	.fields_size = sizeof(struct indices_fields),
	.run = run_clear,
};
