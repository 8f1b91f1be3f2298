#include "cli/traffic_selection.h"

#include "traffic/kafka_source.h"

#include <stdlib.h>
#include <time.h>

const struct opt traffic_selection_options[] = {
	{.name = "start-offset",
	 .type = OPT_INT,
	 OPT_FIELD(struct traffic_selection_fields, start_offset),
	 .metavar = "N",
	 .fallback = "0",
	 .category = "Which records",
	 .help = "The first record, by its offset in the log, or its place in the file from 0."},
	{.name = "end-offset",
	 .type = OPT_INT,
	 OPT_FIELD(struct traffic_selection_fields, end_offset),
	 .metavar = "N",
	 .fallback = "0",
	 .category = "Which records",
	 .help = "The record to end in front of; 0: none."},
	{.name = "start-time",
	 .type = OPT_STRING,
	 OPT_FIELD(struct traffic_selection_fields, start_time),
	 .metavar = "TIME",
	 .category = "Which records",
	 .help = "Only records whose last observation was not before this: "
		 "2026-11-21T10:00:00Z, or milliseconds since 1970."},
	{.name = "end-time",
	 .type = OPT_STRING,
	 OPT_FIELD(struct traffic_selection_fields, end_time),
	 .metavar = "TIME",
	 .category = "Which records",
	 .help = "Only records whose last observation was before this."},
	{0},
};

static int parse_time(const char *flag, const char *text, int64_t *out_ms, struct err *err)
{
	struct tm tm = {0};
	uint64_t ms;
	const char *rest;
	double fraction = 0;

	if (!text)
		return 0;
	if (str_to_u64(str_from(text), &ms) && ms <= INT64_MAX) {
		*out_ms = (int64_t)ms;
		return 0;
	}
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest && *rest == '.') {
		char *end;

		fraction = strtod(rest, &end);
		rest = end;
	}
	if (!rest || strcmp(rest, "Z") != 0)
		return err_set(err, ERR_USAGE,
			       "--%s takes 2026-11-21T10:00:00Z, or milliseconds since 1970, not "
			       "'%s'",
			       flag, text);
	*out_ms = (int64_t)timegm(&tm) * 1000 + (int64_t)(fraction * 1000);
	return 0;
}

static int open_kafka(struct traffic_selection *out, const struct traffic_selection_fields *fields,
		      const struct log_source_options *from, struct err *err)
{
	struct kafka_source_options options = {.from_time_ms = from->from_time_ms,
					       .from_offset = from->from_offset,
					       .has_from_time = from->has_from_time,
					       .has_from_offset = from->has_from_offset};
	int got = kafka_fields_read(&fields->kafka, NULL, "traffic", &options.kafka, err);

	out->is_kafka = true;
	return got < 0 ? got : kafka_source_open(&options, &out->source, err);
}

int traffic_selection_open(struct traffic_selection *out, const char *path,
			   const struct traffic_selection_fields *fields, struct err *err)
{
	struct log_source_options options = {.store = &fields->store};
	int failed;

	*out = (struct traffic_selection){.start_offset = fields->start_offset,
					  .end_offset = fields->end_offset,
					  .start_time_ms = INT64_MIN,
					  .end_time_ms = INT64_MAX};
	if ((failed = parse_time("start-time", fields->start_time, &out->start_time_ms, err)) < 0 ||
	    (failed = parse_time("end-time", fields->end_time, &out->end_time_ms, err)) < 0)
		return failed;
	options.has_from_offset = out->start_offset > 0;
	options.from_offset = (uint64_t)out->start_offset;
	options.has_from_time = !options.has_from_offset && fields->start_time;
	options.from_time_ms = out->start_time_ms;
	if (!path == !fields->kafka.brokers)
		return err_set(err, ERR_USAGE, "give %s: LOG, or --kafka-brokers",
			       path ? "one place of records" : "a place of records");
	return path ? record_source_open(path, &options, &out->source, err)
		    : open_kafka(out, fields, &options, err);
}

void traffic_selection_close(struct traffic_selection *selection)
{
	record_source_close(selection->source);
	selection->source = NULL;
}

static bool is_selected(const struct traffic_selection *selection, const struct record_item *item,
			const struct record_view *view, bool readable)
{
	int64_t ms = readable ? record_time_ms(view->last_time) : item->time_ms;

	if (item->position.offset < (uint64_t)selection->start_offset ||
	    (selection->end_offset > 0 && item->position.offset >= (uint64_t)selection->end_offset))
		return false;
	if (!readable && item->time_ms < 0)
		return true;
	return ms >= selection->start_time_ms && ms < selection->end_time_ms;
}

int traffic_selection_next(struct traffic_selection *selection, struct record_item *item,
			   struct record_view *view, bool *readable, struct err *reason,
			   struct err *err)
{
	for (;;) {
		int got = record_source_next(selection->source, 1000, item, err);

		if (got < 0)
			return got;
		if (got == RECORD_SOURCE_NOTHING_YET)
			continue;
		if (got != RECORD_SOURCE_ITEM ||
		    (!selection->is_kafka && selection->end_offset > 0 &&
		     item->position.offset >= (uint64_t)selection->end_offset))
			return 0;
		*readable = record_view_open(view, item->bytes, reason) == 0;
		if (is_selected(selection, item, view, *readable))
			return 1;
		record_source_finish(selection->source, item->position);
	}
}
