#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/traffic_selection.h"

#include "base/log.h"
#include "traffic/kafka_log.h"
#include "traffic/segment_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct import_fields {
	struct general_fields general;
	struct traffic_selection_fields selection;
	struct kafka_fields kafka;
};

enum { IN_FLIGHT = 1024, KAFKA_TIMEOUT_MS = 60000 };

/* Completions that wait are taken back from here. */
struct import {
	struct segment_log *log; /* one of the two */
	struct kafka_log *kafka;
	struct completion_queue *queue;
	struct completion slots[IN_FLIGHT];
	struct completion *unused;
	uint64_t records;
	size_t waiting;
};

static int not_stored(const struct completion *done, struct err *err)
{
	if (done->failed_errno != 0)
		return err_set_errno(err, done->failed, done->failed_errno,
				     "a record could not be stored");
	return err_set(err, done->failed,
		       "Kafka did not take a record, the warning tells why; those before it may be "
		       "in the topic already, and importing again repeats them");
}

/* Waits for something to become durable. */
static int take_back(struct import *import, struct err *err)
{
	struct completion *list = completion_queue_wait(import->queue, -1);

	while (list) {
		struct completion *done = list;

		list = done->next;
		if (done->failed)
			return not_stored(done, err);
		done->next = import->unused;
		import->unused = done;
		import->waiting--;
		import->records++;
	}
	return 0;
}

static int append(struct import *import, const struct record_view *view, struct str bytes,
		  struct completion *done, struct err *err)
{
	int64_t ms = record_time_ms(view->last_time);

	return import->kafka ? kafka_log_append_bytes(import->kafka, view->connection_id, ms, bytes,
						      done, err)
			     : segment_log_append_bytes(import->log, view->connection_id, ms, bytes,
							done, err);
}

static int store(struct import *import, const struct record_view *view, struct str bytes,
		 struct err *err)
{
	for (;;) {
		struct completion *done = import->unused;
		struct err full = {0};
		int failed;

		if (done) {
			import->unused = done->next;
			done->queue = import->queue;
			failed = append(import, view, bytes, done, &full);
			if (failed == 0) {
				import->waiting++;
				return 0;
			}
			done->next = import->unused;
			import->unused = done;
			if (!full.retry) {
				*err = full;
				return failed;
			}
		}
		if ((failed = take_back(import, err)) < 0)
			return failed;
	}
}

static int import_records(struct import *import, struct traffic_selection *selection,
			  struct err *err)
{
	struct record_item item;
	struct record_view view;
	struct err reason;
	bool readable;
	int got;

	while ((got = traffic_selection_next(selection, &item, &view, &readable, &reason, err)) >
	       0) {
		if (!readable) {
			*err = reason;
			return err_wrap(err, "record %" PRIu64 " of '%s'", item.position.offset,
					selection->source->name);
		}
		if ((got = store(import, &view, item.bytes, err)) < 0)
			return got;
	}
	while (got == 0 && import->waiting > 0)
		got = take_back(import, err);
	return got;
}

static void log_warning(void *user, const char *message)
{
	(void)user;
	log_warn("traffic", "%s", message);
}

static int open_place(struct import *import, const struct import_fields *fields, const char *folder,
		      struct err *err)
{
	struct kafka_log_options kafka = {.timeout_ms = KAFKA_TIMEOUT_MS, .must_be_there = true};
	int got;

	if (folder)
		return segment_log_open(folder, &(struct segment_log_options){.warn = log_warning},
					&import->log, err);
	got = kafka_fields_read(&fields->kafka, NULL, "traffic", &kafka.kafka, err);
	return got < 0 ? got : kafka_log_open(&kafka, &import->kafka, err);
}

static int run_import(struct cli *cli, void *fields_void, struct err *err)
{
	const struct import_fields *fields = fields_void;
	const char *folder = cli->parsed->positional_count > 1 ? cli->parsed->positionals[1] : NULL;
	cleanup(traffic_selection_close) struct traffic_selection selection = {0};
	struct import *import = arena_zalloc(cli->mem, 1, sizeof(*import));
	int got;

	if (!folder == !fields->kafka.brokers)
		return err_set(err, ERR_USAGE,
			       "give one place for the records: LOG, or "
			       "--kafka-brokers");
	if (!import)
		return arena_fail(cli->mem, "records in flight", err);
	for (size_t i = 0; i < IN_FLIGHT; i++) {
		import->slots[i].next = import->unused;
		import->unused = &import->slots[i];
	}
	got = traffic_selection_open(&selection, cli->parsed->positionals[0], &fields->selection,
				     err);
	if (got == 0)
		got = completion_queue_new(&import->queue, err);
	if (got == 0)
		got = open_place(import, fields, folder, err);
	if (got == 0)
		got = import_records(import, &selection, err);
	segment_log_close(import->log);
	kafka_log_close(import->kafka);
	completion_queue_free(import->queue);
	if (got == 0)
		printf("%" PRIu64 " records are in %s\n", import->records,
		       folder ? folder : fields->kafka.topic);
	return got;
}

static const struct opt_part import_parts[] = {
	{traffic_selection_options, offsetof(struct import_fields, selection)},
	{store_options, offsetof(struct import_fields, selection.store)},
	{kafka_options, offsetof(struct import_fields, kafka)},
	{general_options, 0},
	{0},
};

const struct command command_traffic_import = {
	.options = {.name = "traffic import",
		    .summary = "Put exported records into a segment log",
		    .arguments = "FILE [LOG]",
		    .details =
			    "FILE has lines of base64 or key|base64, plain or gzip; or it is one "
			    ".protocap, a folder of them, another segment log, or an object or all "
			    "below a prefix, s3://bucket/prefix (gs, azure); - is standard input. "
			    "The records go behind those that LOG has; with "
			    "--kafka-brokers LOG is not given, they go to a topic.\n",
		    .parts = import_parts,
		    .min_positionals = 1,
		    .max_positionals = 2},
	.fields_size = sizeof(struct import_fields),
	.run = run_import,
};
