#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/traffic_selection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct export_fields {
	struct general_fields general;
	struct traffic_selection_fields selection;
	const char *output, *lines;
};

/* A record as base64, its key, a line's end. */
#define LINE_MAX_BYTES (RECORD_LIMIT_DECODED / 3 * 4 + KIB(4))

static int write_failed(const char *path, struct err *err)
{
	return err_set_errno(err, ERR_IO, errno ? errno : EIO, "cannot write '%s'",
			     path ? path : "standard output");
}

static int write_records(struct traffic_selection *selection, bool keyed, gzFile out,
			 const char *path, struct err *err)
{
	cleanup(buf_release) struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct record_item item;
	struct record_view view;
	struct err reason;
	bool readable;
	int got;

	while ((got = traffic_selection_next(selection, &item, &view, &readable, &reason, err)) >
	       0) {
		struct str key = item.key.len > 0 ? item.key
				 : readable       ? view.connection_id
						  : STR("");

		buf_reset(&line);
		record_line_encode(&line, keyed ? key : STR_NONE, item.bytes);
		if ((got = buf_check(&line, "a record as base64", err)) < 0)
			return got;
		if (gzwrite(out, line.ptr, (unsigned)line.len) != (int)line.len)
			return write_failed(path, err);
	}
	return got;
}

static int run_export(struct cli *cli, void *fields_void, struct err *err)
{
	const struct export_fields *fields = fields_void;
	const char *path = fields->output;
	bool compress = path && str_ends(str_from(path), STR(".gz"));
	cleanup(traffic_selection_close) struct traffic_selection selection = {0};
	gzFile out;
	int got = traffic_selection_open(&selection, traffic_place(cli->parsed), &fields->selection,
					 err);

	if (got < 0)
		return got;
	errno = 0;
	out = path ? gzopen(path, compress ? "wbe" : "wbTe") : gzdopen(dup(STDOUT_FILENO), "wbT");
	if (!out)
		return write_failed(path, err);
	got = write_records(&selection, strcmp(fields->lines, "keyed") == 0, out, path, err);
	if (gzclose_w(out) != Z_OK && got >= 0)
		got = write_failed(path, err);
	return got;
}

static const struct opt export_options[] = {
	{.name = "output",
	 .aliases = "o",
	 .type = OPT_STRING,
	 OPT_FIELD(struct export_fields, output),
	 .metavar = "FILE",
	 .help = "Where to write to, compressed when it ends in .gz; standard output when not "
		 "given."},
	{.name = "lines",
	 .type = OPT_CHOICE,
	 OPT_FIELD(struct export_fields, lines),
	 .choices = "keyed|bare",
	 .fallback = "keyed",
	 .help = "key|base64, as the Java tool's kafkaExport.sh writes and its loader reads, or "
		 "base64 alone, as its replayer reads with -i."},
	{0},
};

static const struct opt_part export_parts[] = {
	{export_options, 0},
	{traffic_selection_options, offsetof(struct export_fields, selection)},
	{store_options, offsetof(struct export_fields, selection.store)},
	{kafka_options, offsetof(struct export_fields, selection.kafka)},
	{general_options, 0},
	{0},
};

const struct command command_traffic_export = {
	.options = {.name = "traffic export",
		    .summary = "Write captured records as lines of base64",
		    .arguments = "[LOG]",
		    .details = "LOG is the folder of a segment log, a folder of .protocap files, "
			       "a file of lines, or an object or all below a prefix, "
			       "s3://bucket/prefix (gs, azure); with --kafka-brokers it is a "
			       "topic, and not given.\n",
		    .parts = export_parts,
		    .max_positionals = 1},
	.fields_size = sizeof(struct export_fields),
	.run = run_export,
};
