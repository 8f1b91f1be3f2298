/* console clusters run-test-benchmarks: the same documents and searches at both clusters */
#include "cli/console_common.h"
#include "cli/console_load.h"
#include "cli/table.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

struct benchmark_fields {
	struct console_fields console;
	struct console_cluster_fields clusters;
	int64_t documents, searches;
	bool keep;
};

/* Small relatives of OpenSearch Benchmark's workloads of these names. */
struct workload {
	const char *index, *mapping, *query;
	void (*write)(struct buf *out, uint64_t number, const void *user);
};

static void write_geonames(struct buf *out, uint64_t n, const void *user)
{
	(void)user;
	buf_printf(out,
		   "{\"name\":\"place %" PRIu64 "\",\"country\":\"%c%c\",\"population\":%" PRIu64
		   ",\"location\":{\"lat\":%d,\"lon\":%d}}",
		   n, (int)('A' + n % 26), (int)('A' + n / 26 % 26), n * 7919 % 1000000,
		   (int)(n % 180) - 90, (int)(n % 360) - 180);
}

static void write_logs(struct buf *out, uint64_t n, const void *user)
{
	(void)user;
	buf_printf(out,
		   "{\"@timestamp\":%" PRIu64 ",\"clientip\":\"10.%d.%d.%d\",\"request\":\"GET "
		   "/pages/%d.html HTTP/1.1\",\"status\":%d,\"size\":%" PRIu64 "}",
		   894000000000 + n * 1000, (int)(n / 65536 % 256), (int)(n / 256 % 256),
		   (int)(n % 256), (int)(n % 97), n % 11 == 0 ? 404 : 200, n * 31 % 20000);
}

static void write_nested(struct buf *out, uint64_t n, const void *user)
{
	(void)user;
	buf_printf(out,
		   "{\"title\":\"question %" PRIu64 "\",\"tag\":[\"t%d\",\"t%d\"],\"answers\":[{"
		   "\"user\":\"u%d\",\"votes\":%d},{\"user\":\"u%d\",\"votes\":%d}]}",
		   n, (int)(n % 13), (int)(n % 29), (int)(n % 101), (int)(n % 7), (int)(n % 103),
		   (int)(n % 5));
}

static void write_taxis(struct buf *out, uint64_t n, const void *user)
{
	(void)user;
	buf_printf(out,
		   "{\"pickup\":%" PRIu64 ",\"dropoff\":%" PRIu64 ",\"distance\":%d.%d,"
		   "\"passengers\":%d,\"total\":%d.%02d}",
		   1420070400000 + n * 60000, 1420070400000 + n * 60000 + 900000, (int)(n % 40),
		   (int)(n % 10), (int)(n % 5) + 1, (int)(n % 90) + 3, (int)(n % 100));
}

static const struct workload workloads[] = {
	{"benchmark-geonames",
	 "{\"name\":{\"type\":\"text\"},\"country\":{\"type\":\"keyword\"},"
	 "\"population\":{\"type\":\"long\"},\"location\":{\"type\":"
	 "\"geo_point\"}}",
	 "{\"query\":{\"match\":{\"name\":\"place\"}},\"aggs\":{\"c\":{\"terms\":{\"field\":"
	 "\"country\"}}}}",
	 write_geonames},
	{"benchmark-http-logs",
	 "{\"@timestamp\":{\"type\":\"date\"},\"clientip\":{\"type\":\"ip\"},"
	 "\"request\":{\"type\":\"text\"},\"status\":{\"type\":\"integer\"},"
	 "\"size\":{\"type\":\"integer\"}}",
	 "{\"query\":{\"bool\":{\"must\":{\"match\":{\"request\":\"pages\"}},\"filter\":{\"term\":"
	 "{\"status\":404}}}},\"sort\":[{\"@timestamp\":\"desc\"}]}",
	 write_logs},
	{"benchmark-nested",
	 "{\"title\":{\"type\":\"text\"},\"tag\":{\"type\":\"keyword\"},"
	 "\"answers\":{\"type\":\"nested\",\"properties\":{\"user\":{\"type\":"
	 "\"keyword\"},\"votes\":{\"type\":\"integer\"}}}}",
	 "{\"query\":{\"nested\":{\"path\":\"answers\",\"query\":{\"range\":{\"answers.votes\":"
	 "{\"gte\":3}}}}}}",
	 write_nested},
	{"benchmark-nyc-taxis",
	 "{\"pickup\":{\"type\":\"date\"},\"dropoff\":{\"type\":\"date\"},"
	 "\"distance\":{\"type\":\"float\"},\"passengers\":{\"type\":"
	 "\"integer\"},\"total\":{\"type\":\"float\"}}",
	 "{\"size\":0,\"query\":{\"range\":{\"distance\":{\"gte\":5}}},\"aggs\":{\"p\":{\"avg\":"
	 "{\"field\":\"total\"}}}}",
	 write_taxis},
};

struct rates {
	double documents, searches; /* a second */
	bool measured;
};

static int expect(struct cluster *cluster, const char *method, const char *path, struct str body,
		  struct arena *mem, struct err *err)
{
	struct json *answer;
	int status;

	if (cluster_request(cluster, method, path, body, true, mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	if (status < 300)
		return 0;
	return err_set(err, ERR_HTTP, "%s %s: " STR_FMT, method, path,
		       STR_ARG(cluster_error_reason(answer, status, mem)));
}

/* Nothing of the user's is touched: an index of that name is refused. */
static int make_index(struct cluster *cluster, const struct workload *workload, struct arena *mem,
		      struct err *err)
{
	const struct cluster_version *version = cluster_version(cluster);
	bool typed = version->flavour == CLUSTER_ELASTICSEARCH && version->major < 7;
	struct str path = arena_printf(mem, "/%s", workload->index);
	struct str body =
		arena_printf(mem,
			     "{\"settings\":{\"number_of_shards\":1,\"number_of_"
			     "replicas\":0},\"mappings\":%s{\"properties\":%s}%s}",
			     typed ? "{\"doc\":" : "", workload->mapping, typed ? "}" : "");
	struct json *answer;
	int status;

	if (!path.ptr || !body.ptr)
		return arena_fail(mem, "a benchmark", err);
	if (cluster_request(cluster, "PUT", path.ptr, body, true, mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	if (status < 300)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "the index '%s' cannot be made: " STR_FMT
		       "; where it is left of an earlier benchmark, delete it first",
		       workload->index, STR_ARG(cluster_error_reason(answer, status, mem)));
}

static int search(struct cluster *cluster, const struct workload *workload, int64_t count,
		  struct arena *mem, int64_t *elapsed_ms, struct err *err)
{
	struct str path = arena_printf(mem, "/%s/_search", workload->index);
	int64_t began_ms = clock_monotonic_ms();

	if (!path.ptr)
		return arena_fail(mem, "a benchmark", err);
	for (int64_t i = 0; i < count; i++) {
		cleanup(arena_release) struct arena scratch = ARENA_INIT(MIB(16));

		if (expect(cluster, "POST", path.ptr, str_from(workload->query), &scratch, err) < 0)
			return -(int)err->kind;
	}
	*elapsed_ms = clock_monotonic_ms() - began_ms;
	return 0;
}

static double per_second(int64_t count, int64_t elapsed_ms)
{
	return (double)count * 1000 / (double)MAX(elapsed_ms, 1);
}

static int measure(struct cluster *cluster, const struct benchmark_fields *f,
		   const struct workload *workload, bool keep, struct arena *mem, struct rates *out,
		   struct err *err)
{
	const struct console_load load = {.index = workload->index,
					  .documents = (uint64_t)f->documents,
					  .batch = 100,
					  .quiet = f->console.general.json,
					  .write = workload->write};
	struct str path = arena_printf(mem, "/%s", workload->index);
	struct str refresh = arena_printf(mem, "/%s/_refresh", workload->index);
	int64_t bulk_ms = 0, search_ms = 0;
	struct err ignored;
	int rc;

	if (!path.ptr || !refresh.ptr)
		return arena_fail(mem, "a benchmark", err);
	if (make_index(cluster, workload, mem, err) < 0)
		return -(int)err->kind;
	rc = console_load(cluster, &load, &bulk_ms, err);
	if (rc == 0)
		rc = expect(cluster, "POST", refresh.ptr, STR_NONE, mem, err);
	if (rc == 0)
		rc = search(cluster, workload, f->searches, mem, &search_ms, err);
	if (!keep && expect(cluster, "DELETE", path.ptr, STR_NONE, mem, rc ? &ignored : err) < 0 &&
	    rc == 0)
		rc = -(int)err->kind;
	*out = (struct rates){per_second(f->documents, bulk_ms), per_second(f->searches, search_ms),
			      rc == 0};
	return rc;
}

static int print(const struct console_clusters *clusters, struct rates rates[][COUNT_OF(workloads)],
		 bool json, struct arena *mem, struct err *err)
{
	static const struct table_column columns[] = {{"workload", TABLE_LEFT},
						      {"cluster", TABLE_LEFT},
						      {"bulk docs/s", TABLE_RIGHT},
						      {"searches/s", TABLE_RIGHT}};
	struct json *list = json_new(mem, JSON_ARRAY);
	struct table table;

	table_init(&table, mem, columns, COUNT_OF(columns));
	for (size_t w = 0; w < COUNT_OF(workloads); w++)
		for (size_t c = 0; c < clusters->count; c++) {
			struct json *row = json_new(mem, JSON_OBJECT);
			struct str name = str_from(workloads[w].index);
			struct str bulk = arena_printf(mem, "%.0f", rates[c][w].documents);
			struct str searches = arena_printf(mem, "%.1f", rates[c][w].searches);

			table_cell(&table, name);
			table_cell(&table, clusters->list[c].name);
			table_cell(&table, bulk);
			table_cell(&table, searches);
			json_set(row, STR("workload"), json_new_string(mem, name));
			json_set(row, STR("cluster"), json_new_string(mem, clusters->list[c].name));
			json_set(row, STR("documents_per_second"), json_new_number(mem, bulk));
			json_set(row, STR("searches_per_second"), json_new_number(mem, searches));
			json_append(list, row);
		}
	if (mem->failed)
		return arena_fail(mem, "the rates", err);
	return json ? console_print_json(list, err) : table_print(&table, stdout, err);
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	struct benchmark_fields *f = fields;
	struct rates rates[CONSOLE_CLUSTERS_MAX][COUNT_OF(workloads)] = {0};
	struct console_clusters clusters;

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    console_pick_clusters(&console, &f->clusters, &clusters, err) < 0)
		return -(int)err->kind;
	for (size_t c = 0; c < clusters.count; c++) {
		cleanup(cluster_closep) struct cluster *cluster = NULL;
		bool keep = f->keep;

		if (console_connect(&clusters.list[c], &cluster, err) < 0)
			return -(int)err->kind;
		for (size_t w = 0; w < COUNT_OF(workloads); w++)
			if (measure(cluster, f, &workloads[w], keep, cli->mem, &rates[c][w], err) <
			    0)
				return err_wrap(err, STR_FMT, STR_ARG(clusters.list[c].name));
	}
	return print(&clusters, rates, f->console.general.json, cli->mem, err);
}

#define FIELD(member) OPT_FIELD(struct benchmark_fields, member)

static const struct opt benchmark_options[] = {
	{.name = "num-docs",
	 .type = OPT_INT,
	 FIELD(documents),
	 .metavar = "N",
	 .fallback = "1000",
	 .min = 1,
	 .max = 100000000,
	 .help = "Documents of each workload."},
	{.name = "num-searches",
	 .type = OPT_INT,
	 FIELD(searches),
	 .metavar = "N",
	 .fallback = "100",
	 .min = 1,
	 .max = 1000000,
	 .help = "Searches of each workload."},
	{.name = "keep",
	 .type = OPT_BOOL,
	 FIELD(keep),
	 .help = "Leave the indices there, as something to migrate."},
	{0},
};
static const struct opt_part parts[] = {
	{benchmark_options, 0},
	{console_cluster_options, offsetof(struct benchmark_fields, clusters)},
	CONSOLE_PARTS,
	{0}};

const struct command command_console_clusters_run_test_benchmarks = {
	.options = {.name = "console clusters run-test-benchmarks",
		    .summary = "Bulk and search rates of four small workloads at the clusters",
		    .parts = parts,
		    .details =
			    "geonames, http-logs, nested and nyc-taxis, in indices of their own "
			    "(benchmark-…), which are deleted again unless --keep is given. One "
			    "client sends one request after another: the rates compare clusters, "
			    "they are not what a cluster can bear."},
	.fields_size = sizeof(struct benchmark_fields),
	.run = run,
};
