/* JsonJSTransformerProvider: messages go to a process of this thread's own, in batches; what is
 * wrong with one of them is its error, and a process that had to be stopped is started again for
 * those that were not answered. */
#include "transform/script_config.h"
#include "transform/script_digits.h"
#include "transform/script_message.h"
#include "transform/script_process.h"
#include "transform/script_source.h"
#include "transform/transform_internal.h"

#include "base/log.h"
#include "base/utf8.h"

#include <stdlib.h>

/* Loading a script may take longer than a message. */
#define START_TIMEOUT_MS 60000
/* Ends in a row that no message was the reason of. */
#define UNEXPLAINED_MAX 3

struct script_step {
	struct transform_step step;
	struct script_limits limits;
	struct script_process process;
	struct script_digits digits; /* of messages that are trees */
	struct script_source source; /* of those whose source is text */
	struct buf start;            /* the text of SCRIPT_START */
	struct buf text;             /* of one message */
};

static void script_close(struct transform_step *step)
{
	struct script_step *script = (struct script_step *)step;

	script_process_release(&script->process);
	script_digits_release(&script->digits);
	script_source_release(&script->source);
	buf_release(&script->start);
	buf_release(&script->text);
	free(script);
}

static void script_closep(struct script_step **script)
{
	if (*script)
		script_close(&(*script)->step);
}

static void log_said(struct str name, struct str line)
{
	log_info("script", STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(line));
}

/* Waits until the script is loaded. */
static int start_process(struct script_step *script, struct err *err)
{
	const struct script_limits limits = {MAX(script->limits.timeout_ms, START_TIMEOUT_MS),
					     script->limits.memory};
	struct err reason = {0};
	struct script_frame frame;
	enum script_event event;
	struct str text;

	if (script_process_start(&script->process, err) < 0)
		return -(int)err->kind;
	script_process_put(&script->process, SCRIPT_START, 0, buf_str(&script->start));
	do {
		event = script_process_next(&script->process, &limits, false, &frame, &text,
					    &reason);
		if (event == SCRIPT_EVENT_FRAME && frame.kind == SCRIPT_LOG)
			log_said(STR("main"), text);
	} while (event == SCRIPT_EVENT_FRAME && frame.kind == SCRIPT_LOG);
	if (event == SCRIPT_EVENT_FRAME && frame.kind == SCRIPT_READY)
		return 0;
	if (event == SCRIPT_EVENT_FRAME)
		err_set(err, ERR_USAGE, "the script cannot be started: " STR_FMT, STR_ARG(text));
	else
		err_set(err, reason.kind, "the script cannot be started: %s", reason.message);
	script_process_stop(&script->process);
	return -(int)err->kind;
}

/* A message on its way to the script and back. */
struct trip {
	struct str sent;                      /* as text; ptr NULL: not yet */
	struct script_source_numbers numbers; /* of a source that is sent as text */
	bool answered, tried_alone;
};

/* One run of messages through the process. */
struct exchange {
	struct script_step *script;
	struct transform_message *messages;
	struct trip *trips;
	size_t count;
	size_t next; /* to be sent */
	size_t open; /* not answered */
	struct arena *mem;
};

static void answer(struct exchange *exchange, size_t i)
{
	exchange->trips[i].answered = true;
	exchange->open--;
}

static void fail(struct exchange *exchange, size_t i, enum err_kind kind, struct str why)
{
	err_set(&exchange->messages[i].error, kind, STR_FMT, STR_ARG(why));
	answer(exchange, i);
}

/* Makes a tree of a source that is text; what is wrong with it is the message's error. */
static int parse_source(struct exchange *exchange, size_t i)
{
	struct transform_message *message = &exchange->messages[i];
	struct json *source = script_message_source(message->value), *tree;

	if (!source)
		return 0;
	if (json_parse(source->text, exchange->mem, &tree, &message->error) < 0)
		return err_wrap(&message->error, "its source");
	if (tree->type != JSON_OBJECT)
		return err_set(&message->error, ERR_FORMAT, "its source is no JSON object");
	json_set(message->value, STR("document"), tree);
	return 0;
}

/* Negative: the message has failed. */
static int write_message(struct exchange *exchange, size_t i)
{
	struct script_step *script = exchange->script;
	struct json *message = exchange->messages[i].value;
	const struct json *source = script_message_source(message);

	buf_reset(&script->text);
	script->text.failed = false;
	if (source && script_source_note(&script->source, source->text, exchange->mem,
					 &exchange->trips[i].numbers)) {
		script_message_write(message, &script->text);
		return 0;
	}
	if (parse_source(exchange, i) < 0)
		return -1;
	script_digits_note(&script->digits, message);
	script_digits_write(&script->digits, message, &script->text);
	return 0;
}

static int put_message(struct exchange *exchange, size_t i, struct err *err)
{
	struct script_step *script = exchange->script;
	struct trip *trip = &exchange->trips[i];

	if (!trip->sent.ptr) {
		if (write_message(exchange, i) < 0) {
			answer(exchange, i);
			return 0;
		}
		if (script->text.failed) {
			fail(exchange, i, ERR_LIMIT, STR("the message is too large for a script"));
			return 0;
		}
		trip->sent = arena_str(exchange->mem, buf_str(&script->text));
		if (!trip->sent.ptr)
			return arena_fail(exchange->mem, "the messages of a script", err);
	}
	script_process_put(&script->process, SCRIPT_MESSAGE, (uint32_t)i, trip->sent);
	return 0;
}

static int put_next(struct exchange *exchange, struct err *err)
{
	size_t i = exchange->next++;

	return exchange->trips[i].answered ? 0 : put_message(exchange, i, err);
}

static int restore_digits(struct exchange *exchange, size_t i, struct json *value, struct err *err)
{
	struct script_digits *digits = &exchange->script->digits;

	script_digits_note(digits, exchange->messages[i].value);
	if (value->type == JSON_OBJECT)
		return script_digits_restore(digits, value, err);
	json_each (one, value)
		if (script_digits_restore(digits, one, err) < 0)
			return -(int)err->kind;
	return 0;
}

static int take_tree(struct exchange *exchange, size_t i, struct str text)
{
	struct transform_message *message = &exchange->messages[i];
	struct json *value;

	if (json_parse(text, exchange->mem, &value, &message->error) < 0)
		return err_wrap(&message->error, "what the script returned");
	if (restore_digits(exchange, i, value, &message->error) < 0)
		return -(int)message->error.kind;
	if (json_equal(value, message->value))
		return 0;
	message->value = value;
	message->changed = true;
	return 0;
}

/* Gives the numbers of a source their digits back; false: the text does not tell enough. */
static bool restore_source(struct exchange *exchange, size_t i, const struct json *value)
{
	struct script_source_numbers *numbers = &exchange->trips[i].numbers;
	struct json *returned = script_message_source(value);
	struct buf *text = &exchange->script->text;

	if (numbers->count == 0)
		return true;
	if (!returned)
		return false;
	buf_reset(text);
	text->failed = false;
	if (!script_source_restore(numbers, returned->text, text))
		return false;
	returned->text = arena_str(exchange->mem, buf_str(text));
	return returned->text.ptr;
}

/* False: trees are needed for it. */
static bool take_text(struct exchange *exchange, size_t i, struct str text)
{
	struct transform_message *message = &exchange->messages[i];
	struct json *value;
	struct err ignored;

	if (script_message_read(text, exchange->mem, &value, &ignored) < 0 ||
	    !restore_source(exchange, i, value))
		return false;
	message->value = value;
	message->changed = true;
	return true;
}

static void take_result(struct exchange *exchange, size_t i, struct str text)
{
	struct transform_message *message = &exchange->messages[i];

	answer(exchange, i);
	if (str_eq(text, exchange->trips[i].sent))
		return;
	text = arena_str(exchange->mem, text);
	if (!text.ptr) {
		arena_fail(exchange->mem, "what a script returned", &message->error);
		return;
	}
	if (script_message_source(message->value) && take_text(exchange, i, text))
		return;
	if (parse_source(exchange, i) == 0)
		take_tree(exchange, i, text);
}

static int take_frame(struct exchange *exchange, const struct script_frame *frame, struct str text,
		      struct err *err)
{
	size_t i = frame->message;

	if (i >= exchange->count || exchange->trips[i].answered)
		return err_set(err, ERR_FORMAT, "the process of the script answers out of turn");
	if (frame->kind == SCRIPT_LOG)
		log_said(exchange->messages[i].name, text);
	else if (frame->kind == SCRIPT_RESULT)
		take_result(exchange, i, text);
	else
		fail(exchange, i, ERR_FORMAT, text);
	return 0;
}

/* Sends and takes until all are answered (1) or the process has ended (0). */
static int run_process(struct exchange *exchange, struct err *reason, struct err *err)
{
	struct script_step *script = exchange->script;
	struct script_frame frame;
	struct str text;

	while (exchange->open > 0) {
		bool more = exchange->next < exchange->count;

		switch (script_process_next(&script->process, &script->limits, more, &frame, &text,
					    reason)) {
		case SCRIPT_EVENT_FRAME:
			if (take_frame(exchange, &frame, text, err) < 0)
				return -(int)err->kind;
			break;
		case SCRIPT_EVENT_WANTS:
			if (put_next(exchange, err) < 0)
				return -(int)err->kind;
			break;
		case SCRIPT_EVENT_ENDED:
			return 0;
		}
	}
	return 1;
}

/* The message that the process was at takes the blame. Memory may have been taken by those before
 * it, so such a one gets a second try, in a process of its own. False: it cannot be told which. */
static bool blame(struct exchange *exchange, const struct err *reason)
{
	struct script_process *process = &exchange->script->process;
	int64_t at = script_process_busy_with(process);
	size_t i = (size_t)at;

	if (at < 0 || i >= exchange->count || exchange->trips[i].answered)
		return false;
	if (reason->kind != ERR_TIMEOUT && process->messages > 0 &&
	    !exchange->trips[i].tried_alone) {
		exchange->trips[i].tried_alone = true;
		return true;
	}
	fail(exchange, i, reason->kind, str_from(reason->message));
	return true;
}

static int run_all(struct exchange *exchange, struct err *err)
{
	unsigned unexplained = 0;

	while (exchange->open > 0) {
		struct script_process *process = &exchange->script->process;
		struct err reason = {0};
		size_t open_before = exchange->open;
		int ran;

		if (process->pid == 0 && start_process(exchange->script, err) < 0)
			return -(int)err->kind;
		exchange->next = 0;
		ran = run_process(exchange, &reason, err);
		if (ran != 0)
			return ran < 0 ? ran : 0;
		unexplained = blame(exchange, &reason) || exchange->open < open_before
				      ? 0
				      : unexplained + 1;
		script_process_stop(process);
		if (unexplained >= UNEXPLAINED_MAX)
			return err_set(err, reason.kind, "%s", reason.message);
	}
	return 0;
}

static int script_apply(struct transform_step *step, struct transform_message *messages,
			size_t count, struct arena *mem, struct err *err)
{
	struct exchange exchange = {
		.script = (struct script_step *)step,
		.messages = messages,
		.trips = arena_zalloc(mem, count, sizeof(struct trip)),
		.count = count,
		.open = count,
		.mem = mem,
	};

	if (!exchange.trips)
		return arena_fail(mem, "the messages of a script", err);
	if (run_all(&exchange, err) < 0) {
		script_process_stop(&exchange.script->process);
		return -(int)err->kind;
	}
	return 0;
}

static bool is_utf8(struct str text)
{
	size_t length;

	for (size_t at = 0; at < text.len; at += length) {
		length = utf8_length(text.ptr + at, text.len - at);
		if (length == 0)
			return false;
	}
	return true;
}

static int prepare(struct script_step *script, const struct script_config *config, bool takes_list,
		   struct err *err)
{
	struct buf *start = &script->start;

	buf_append_str(start, config->name);
	buf_append_byte(start, '\0');
	buf_append_str(start, config->script);
	buf_append_byte(start, '\0');
	buf_append_str(start, STR("{\"bindings\":"));
	json_write(start, config->bindings);
	buf_printf(start, ",\"list\":%s}", takes_list ? "true" : "false");
	if (buf_check(start, "a script and its bindings", err) < 0)
		return -(int)err->kind;
	if (!is_utf8(buf_str(start)))
		return err_set(err, ERR_USAGE, "the script or its bindings are not UTF-8");
	return 0;
}

static int script_make(const struct json *configuration, const struct transform_context *context,
		       struct transform_step **out, struct err *err)
{
	static const struct transform_step_ops ops = {script_apply, script_close};
	cleanup(arena_release) struct arena mem = ARENA_INIT(2 * LIMIT_TRANSFORM_CONFIGURATION);
	cleanup(script_closep) struct script_step *script = mem_zalloc(sizeof(*script));
	struct script_config config;

	script->step.ops = &ops;
	script->limits = (struct script_limits){context->script_timeout_ms, context->script_memory};
	script->start = BUF_INIT(2 * LIMIT_TRANSFORM_CONFIGURATION);
	script->text = BUF_INIT(SCRIPT_FRAME_MAX);
	if (script_config_read(configuration, context->base_directory, &mem, &config, err) < 0 ||
	    prepare(script, &config, context->kind == TRANSFORM_DOCUMENT, err) < 0 ||
	    start_process(script, err) < 0)
		return -(int)err->kind;
	script->step.takes_source_text = context->kind == TRANSFORM_DOCUMENT;
	*out = &take(script)->step;
	return 0;
}

const struct transform_provider transform_provider_script = {"JsonJSTransformerProvider",
							     script_make};
