/* console clusters generate-data, and the bulks that benchmarks send */
#include "cli/console_load.h"

#include "cli/console_common.h"
#include "cli/interrupt.h"

#include "base/clock.h"
#include "cluster/bulk.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static int add_document(struct bulk *bulk, struct buf *source, const struct console_load *load,
			struct str type, uint64_t number, struct err *err)
{
	char id[24];
	struct bulk_document document = {.index = str_from(load->index),
					 .type = type,
					 .version = -1,
					 .operation = BULK_INDEX};

	snprintf(id, sizeof(id), "%" PRIu64, number);
	document.id = str_from(id);
	buf_reset(source);
	load->write(source, number, load->user);
	if (buf_check(source, "a document", err) < 0)
		return -(int)err->kind;
	document.source = buf_str(source);
	return bulk_add(bulk, &document, err);
}

static int send_bulk(struct cluster *cluster, const struct bulk *bulk, int64_t *elapsed_ms,
		     struct err *err)
{
	cleanup(bulk_result_release) struct bulk_result result;
	int64_t began_ms = clock_monotonic_ms();
	int rc;

	bulk_result_init(&result);
	rc = bulk_send(cluster, bulk, false, &result, err);
	*elapsed_ms += clock_monotonic_ms() - began_ms;
	if (rc == 0 && result.failure_count > 0)
		return err_set(err, ERR_HTTP, "%zu documents were refused: " STR_FMT ": " STR_FMT,
			       result.failure_count, STR_ARG(result.failures[0].type),
			       STR_ARG(result.failures[0].reason));
	return rc;
}

static void show_progress(const struct console_load *load, uint64_t done)
{
	if (load->quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " documents%s", load->index, done,
		load->documents, done == load->documents ? "\n" : "");
}

int console_load(struct cluster *cluster, const struct console_load *load, int64_t *elapsed_ms,
		 struct err *err)
{
	const struct cluster_version *version = cluster_version(cluster);
	bool typed = version->flavour == CLUSTER_ELASTICSEARCH && version->major < 7;
	cleanup(buf_release) struct buf source = BUF_INIT(MIB(128));
	cleanup(bulk_release) struct bulk bulk;
	atomic_bool *stop = interrupt_catch();
	int rc = 0;

	bulk_init(&bulk, MIB(64));
	*elapsed_ms = 0;
	for (uint64_t done = 0; rc == 0 && done < load->documents;) {
		uint64_t end = MIN(done + load->batch, load->documents);

		bulk_reset(&bulk);
		for (; rc == 0 && done < end; done++)
			rc = add_document(&bulk, &source, load, typed ? STR("doc") : STR_NONE, done,
					  err);
		if (rc == 0)
			rc = send_bulk(cluster, &bulk, elapsed_ms, err);
		show_progress(load, done);
		if (rc == 0 && atomic_load(stop))
			rc = err_set(err, ERR_CANCELLED, "interrupted after %" PRIu64 " documents",
				     done);
	}
	return rc;
}

/* --- generate-data --- */

struct generate_fields {
	struct console_fields console;
	const char *cluster, *index;
	int64_t document_bytes, documents, megabytes, batch;
};

/* As many bytes as asked for, in words that search finds. */
static void write_filler(struct buf *out, uint64_t number, const void *user)
{
	const struct generate_fields *f = user;
	static const char word[] = "lorem ipsum dolor sit amet ";
	size_t start = out->len, size = (size_t)f->document_bytes;

	buf_printf(out, "{\"number\":%" PRIu64 ",\"text\":\"", number);
	while (out->len - start + 2 < size && !out->failed)
		buf_append_byte(out, word[(out->len - start) % (sizeof(word) - 1)]);
	buf_append_str(out, STR("\"}"));
}

static int run_generate(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	cleanup(cluster_closep) struct cluster *cluster = NULL;
	struct generate_fields *f = fields;
	struct services_cluster services;
	struct console_load load = {.index = f->index,
				    .documents = (uint64_t)f->documents,
				    .batch = (uint64_t)f->batch,
				    .quiet = f->console.general.json,
				    .write = write_filler,
				    .user = f};
	int64_t elapsed_ms;

	if (!f->documents == !f->megabytes)
		return err_set(err, ERR_USAGE,
			       "how much? Give either --num-docs or --target-size-mb");
	if (f->megabytes)
		load.documents = (uint64_t)MAX(f->megabytes * MIB(1) / f->document_bytes, 1);
	if (console_open(&console, cli, &f->console, err) < 0 ||
	    services_find_cluster(&console.services, f->cluster, cli->mem, &services, err) < 0 ||
	    console_connect(&services, &cluster, err) < 0 ||
	    console_load(cluster, &load, &elapsed_ms, err) < 0)
		return -(int)err->kind;
	if (f->console.general.json)
		printf("{\"documents\":%" PRIu64 ",\"elapsed_ms\":%" PRId64 "}\n", load.documents,
		       elapsed_ms);
	else
		printf("%" PRIu64 " documents were written to '%s' of " STR_FMT "\n",
		       load.documents, f->index, STR_ARG(services.name));
	return 0;
}

#define FIELD(member) OPT_FIELD(struct generate_fields, member)

static const struct opt generate_options[] = {
	{.name = "cluster",
	 .type = OPT_STRING,
	 FIELD(cluster),
	 .metavar = "NAME",
	 .required = true,
	 .help = "source, target, proxy, or the name of a cluster."},
	{.name = "index-name",
	 .type = OPT_STRING,
	 FIELD(index),
	 .metavar = "NAME",
	 .required = true,
	 .help = "The index; made where it is not there."},
	{.name = "doc-size-bytes",
	 .type = OPT_INT,
	 FIELD(document_bytes),
	 .metavar = "N",
	 .fallback = "150",
	 .min = 40,
	 .max = 10485760,
	 .help = "Bytes of a document."},
	{.name = "num-docs",
	 .type = OPT_INT,
	 FIELD(documents),
	 .metavar = "N",
	 .min = 0,
	 .max = INT64_MAX,
	 .help = "How many documents."},
	{.name = "target-size-mb",
	 .type = OPT_INT,
	 FIELD(megabytes),
	 .metavar = "N",
	 .min = 0,
	 .max = 1 << 30,
	 .help = "Or how many MiB of them."},
	{.name = "batch-size",
	 .type = OPT_INT,
	 FIELD(batch),
	 .metavar = "N",
	 .fallback = "100",
	 .min = 1,
	 .max = 100000,
	 .help = "Documents in a bulk request."},
	{0},
};
static const struct opt_part parts[] = {{generate_options, 0}, CONSOLE_PARTS, {0}};

const struct command command_console_clusters_generate_data = {
	.options = {.name = "console clusters generate-data",
		    .summary = "Fill an index with documents, to try a migration with",
		    .parts = parts,
		    .details = "Documents have ids from 0 on: the same command again writes the "
			       "same ones."},
	.fields_size = sizeof(struct generate_fields),
	.run = run_generate,
};
