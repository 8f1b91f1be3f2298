#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/output.h"
#include "cli/traffic_selection.h"
#include "cli/traffic_show.h"

#include "base/clock.h"
#include "traffic/reassembly.h"

#include <inttypes.h>
#include <string.h>

struct show_fields {
	struct general_fields general;
	struct traffic_selection_fields selection;
	struct traffic_show_fields show;
};

/* Ids, times and previews of one record; reasons. */
#define LINE_MAX_BYTES MIB(16)

struct show {
	const struct traffic_show_fields *fields;
	struct output out;
	struct buf line;
	bool has_first;
	int64_t first_ms; /* what relative times count from */
	uint64_t offset;  /* of the record at hand */
	bool unreadable;  /* some record was */
};

static void add_time(struct show *show, struct record_time time)
{
	char text[25];

	clock_format_utc(record_time_ms(time), text);
	buf_printf(&show->line, "%s", text);
}

/* What a terminal takes for a command, or a reader for the end of a line, is a dot. */
static void add_preview(struct show *show, struct str bytes, int64_t most)
{
	for (size_t i = 0; i < bytes.len && i < (size_t)most; i++) {
		char c = bytes.ptr[i];

		buf_append_byte(&show->line, c >= 0x20 && c < 0x7f ? c : '.');
	}
}

static void add_id(struct show *show, struct str id)
{
	add_preview(show, id, INT64_MAX);
}

static int end_line(struct show *show, struct err *err)
{
	int failed;

	buf_append_byte(&show->line, '\n');
	failed = buf_check(&show->line, "a line of output", err);
	output_append(&show->out, buf_str(&show->line));
	buf_reset(&show->line);
	return failed;
}

static void add_observation(struct show *show, const struct observation *o)
{
	const struct traffic_show_fields *fields = show->fields;
	struct buf *line = &show->line;

	switch (o->kind) {
	case OBSERVATION_READ:
	case OBSERVATION_READ_SEGMENT:
		buf_printf(line, " %s[%zu]: ", o->kind == OBSERVATION_READ ? "R" : "RSEG",
			   o->data.len);
		add_preview(show, o->data, fields->preview_read);
		break;
	case OBSERVATION_WRITE:
	case OBSERVATION_WRITE_SEGMENT:
		buf_printf(line, " %s[%zu]: ", o->kind == OBSERVATION_WRITE ? "W" : "WSEG",
			   o->data.len);
		add_preview(show, o->data, fields->preview_write);
		break;
	case OBSERVATION_END_OF_MESSAGE:
		buf_append_str(line, STR(" EOM"));
		break;
	case OBSERVATION_SEGMENT_END:
		buf_append_str(line, STR(" SEGEND"));
		break;
	case OBSERVATION_REQUEST_DROPPED:
		buf_append_str(line, STR(" DROPPED"));
		break;
	case OBSERVATION_CLOSE:
		buf_append_str(line, STR(" CLOSE"));
		break;
	case OBSERVATION_EXCEPTION:
		buf_printf(line, " EXCEPTION[%zu]: ", o->data.len);
		add_preview(show, o->data, RECORD_EXCEPTION_MAX);
		break;
	case OBSERVATION_UNKNOWN:
	case OBSERVATION_BIND:
	case OBSERVATION_CONNECT:
	case OBSERVATION_REQUEST_RELEASED:
	case OBSERVATION_DISCONNECT:
		buf_printf(line, " %s", observation_kind_name(o->kind));
		break;
	}
}

static void add_where(struct show *show, const struct record_item *item)
{
	buf_printf(&show->line, " p:%u o:%" PRIu64, (unsigned)item->position.partition,
		   item->position.offset);
}

static int show_record(struct show *show, const struct record_item *item, struct record_view view,
		       struct err *err)
{
	int64_t first = record_time_ms(view.time), last = record_time_ms(view.last_time);
	struct observation o;

	add_time(show, view.time);
	buf_append_byte(&show->line, '/');
	add_time(show, view.last_time);
	buf_printf(&show->line, " +%.3fs %" PRId64 "ms", (double)(first - show->first_ms) / 1000,
		   last - first);
	add_where(show, item);
	buf_append_str(&show->line, STR(" ncs:"));
	add_id(show, view.node_id);
	buf_append_byte(&show->line, '.');
	add_id(show, view.connection_id);
	buf_printf(&show->line, ".%d%s:", view.number, view.last ? "(last)" : "");
	while (record_view_next(&view, &o))
		add_observation(show, &o);
	return end_line(show, err);
}

static int show_unreadable(struct show *show, const struct record_item *item, const char *reason,
			   struct err *err)
{
	buf_append_str(&show->line, STR("UNREADABLE"));
	add_where(show, item);
	buf_printf(&show->line, " %s", reason);
	return end_line(show, err);
}

static void begin_transaction_line(struct show *show, const struct captured_transaction *t,
				   const char *what, const struct captured_message *message)
{
	if (message->piece_count > 0)
		add_time(show, message->pieces[0].time);
	else
		buf_append_byte(&show->line, '-');
	buf_printf(&show->line, " o:%" PRIu64 " %s ", show->offset, what);
	add_id(show, t->connection_id);
	buf_printf(&show->line, ".%" PRId64 " %zu bytes", t->index, message->len);
}

static void on_request(void *user, struct captured_transaction *t)
{
	struct show *show = user;

	begin_transaction_line(show, t, "REQ", &t->request);
	buf_append_str(&show->line, STR(": "));
	add_preview(show, str_of(t->request.bytes, t->request.len), show->fields->preview_read);
	end_line(show, NULL);
}

static void on_response(void *user, struct captured_transaction *t)
{
	const struct captured_message *request = &t->request, *response = &t->response;
	struct show *show = user;

	begin_transaction_line(show, t, "RSP", response);
	if (response->piece_count > 0 && request->piece_count > 0)
		buf_printf(&show->line, " after %" PRId64 "ms",
			   record_time_ms(response->pieces[response->piece_count - 1].time) -
				   record_time_ms(request->pieces[request->piece_count - 1].time));
	buf_printf(&show->line, " %s: ", captured_end_name(t->end));
	add_preview(show, str_of(response->bytes, response->len), show->fields->preview_write);
	end_line(show, NULL);
	captured_transaction_release(t);
}

static void on_closed(void *user, uint64_t connection, struct str connection_id)
{
	struct show *show = user;

	(void)connection;
	buf_printf(&show->line, "- o:%" PRIu64 " CLOSED ", show->offset);
	add_id(show, connection_id);
	end_line(show, NULL);
}

static void on_dropped(void *user, struct str connection_id, int64_t index, const char *reason)
{
	struct show *show = user;

	buf_printf(&show->line, "- o:%" PRIu64 " DROPPED ", show->offset);
	add_id(show, connection_id);
	buf_printf(&show->line, ".%" PRId64 ": %s", index, reason);
	end_line(show, NULL);
}

static void on_set_aside(void *user, struct record_position position, const char *reason)
{
	struct show *show = user;

	buf_printf(&show->line, "- o:%" PRIu64 " UNREADABLE: %s", position.offset, reason);
	end_line(show, NULL);
}

static int show_records(struct show *show, struct traffic_selection *selection,
			struct reassembly *r, bool raw, bool http, struct err *err)
{
	struct record_item item;
	struct record_view view;
	struct err reason = {0};
	bool readable;
	int got = 0;

	while (output_is_open(&show->out) &&
	       (got = traffic_selection_next(selection, &item, &view, &readable, &reason, err)) >
		       0) {
		show->offset = item.position.offset;
		show->unreadable |= !readable;
		if (readable && !show->has_first) {
			show->first_ms = record_time_ms(view.time);
			show->has_first = true;
		}
		if (raw && (got = readable ? show_record(show, &item, view, err)
					   : show_unreadable(show, &item, reason.message, err)) < 0)
			return got;
		/* Nothing is kept in flight, so that it never says that it is full. */
		if (http && (got = reassembly_add(r, &item, 0, err)) < 0)
			return got;
	}
	reassembly_end(r, true);
	return MIN(got, 0);
}

int traffic_show(const char *path, const struct traffic_selection_fields *which,
		 const struct traffic_show_fields *fields, struct err *err)
{
	bool both = strcmp(fields->mode, "both") == 0;
	cleanup(traffic_selection_close) struct traffic_selection selection = {0};
	struct show show = {.fields = fields, .line = BUF_INIT(LINE_MAX_BYTES)};
	struct reassembly *r;
	int got = traffic_selection_open(&selection, path, which, err);

	if (got < 0)
		return got;
	output_init(&show.out);
	r = reassembly_new(NULL, &(struct reassembly_handler){.request = on_request,
							      .response = on_response,
							      .closed = on_closed,
							      .dropped = on_dropped,
							      .set_aside = on_set_aside,
							      .user = &show});
	got = show_records(&show, &selection, r, both || strcmp(fields->mode, "raw") == 0,
			   both || strcmp(fields->mode, "http") == 0, err);
	reassembly_free(r);
	/* What was read before an error is worth seeing. */
	if (output_flush(&show.out, got < 0 ? NULL : err) < 0 && got >= 0)
		got = -(int)err->kind;
	output_release(&show.out);
	buf_release(&show.line);
	return got == 0 && show.unreadable ? EXIT_CODE_SOURCE_UNREADABLE : got;
}

static int run_show(struct cli *cli, void *fields_void, struct err *err)
{
	const struct show_fields *fields = fields_void;

	return traffic_show(traffic_place(cli->parsed), &fields->selection, &fields->show, err);
}

static const struct opt show_options[] = {
	{.name = "mode",
	 .type = OPT_CHOICE,
	 OPT_FIELD(struct show_fields, show.mode),
	 .choices = "raw|http|both",
	 .fallback = "raw",
	 .help = "A line for each record with its observations, or one for each request and "
		 "response put together from them."},
	{.name = "preview-bytes-read",
	 .type = OPT_INT,
	 OPT_FIELD(struct show_fields, show.preview_read),
	 .metavar = "N",
	 .fallback = "64",
	 .max = INT32_MAX,
	 .help = "How much of what the client sent is shown. It may hold credentials."},
	{.name = "preview-bytes-write",
	 .type = OPT_INT,
	 OPT_FIELD(struct show_fields, show.preview_write),
	 .metavar = "N",
	 .fallback = "64",
	 .max = INT32_MAX,
	 .help = "How much of what the source answered is shown."},
	{0},
};

static const struct opt_part show_parts[] = {
	{show_options, 0},
	{traffic_selection_options, offsetof(struct show_fields, selection)},
	{store_options, offsetof(struct show_fields, selection.store)},
	{kafka_options, offsetof(struct show_fields, selection.kafka)},
	{general_options, 0},
	{0},
};

const struct command command_traffic_show = {
	.options = {.name = "traffic show",
		    .summary = "Show captured records, or the requests and responses in them",
		    .arguments = "[LOG]",
		    .details = "LOG is the folder of a segment log, a folder of .protocap files, "
			       "a file of lines, or an object or all below a prefix, "
			       "s3://bucket/prefix (gs, azure); - is standard input. With "
			       "--kafka-brokers it is a topic, and not given.\n",
		    .parts = show_parts,
		    .max_positionals = 1},
	.fields_size = sizeof(struct show_fields),
	.run = run_show,
};
