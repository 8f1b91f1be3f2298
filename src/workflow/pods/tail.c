#include "workflow/pods/pods_internal.h"

#include "base/limits.h"
#include "net/http_client.h"

#define CHUNK_MAX MIB(4)
#define SECOND_MAX MIB(64) /* of the lines of one second, which the API does not begin within */
#define CHUNKS_MAX 64      /* of one look */
#define TIME_LENGTH 30     /* "2026-11-21T10:24:00.123456789Z" */
#define OUR_TIME 24        /* "2026-11-21T10:24:00.123Z" */

static struct pods_tail *tail_of(struct pods *pods, struct str pod)
{
	struct pods_tail *tail;

	for (size_t i = 0; i < pods->tail_count; i++)
		if (str_eq(pods->tails[i].pod, pod))
			return &pods->tails[i];
	/* The oldest of so many is long gone. */
	if (pods->tail_count == PODS_MAX) {
		memmove(pods->tails, pods->tails + 1, (PODS_MAX - 1) * sizeof(*pods->tails));
		pods->tail_count--;
	}
	tail = &pods->tails[pods->tail_count++];
	*tail = (struct pods_tail){.pod = arena_str(&pods->mem, pod)};
	return tail;
}

bool pods_log_is_whole(struct pods *pods, struct str pod)
{
	return tail_of(pods, pod)->whole;
}

struct str pods_last_words(struct pods *pods, struct str pod)
{
	struct pods_tail *tail = tail_of(pods, pod);

	return str_of(tail->text, tail->words.len);
}

/* Our programs' lines begin with their own time; it is that of the API without its last digits. */
static struct str without_time(struct str line)
{
	bool has = line.len > OUR_TIME && line.ptr[4] == '-' && line.ptr[10] == 'T' &&
		   line.ptr[23] == 'Z' && line.ptr[24] == ' ';

	return has ? str_from_offset(line, OUR_TIME + 1) : line;
}

/* Why a program ended is its last line, but what it put out comes by another way, maybe later. */
static void take_words(struct pods_tail *tail, struct str line)
{
	bool is_end = str_starts(line, STR("shardlift: "));

	if (str_trim(line).len == 0 || (tail->has_ended && !is_end))
		return;
	tail->has_ended = is_end;
	line = str_trim(line);
	line.len = MIN(line.len, sizeof(tail->text));
	memcpy(tail->text, line.ptr, line.len);
	tail->words.len = line.len;
}

struct str pods_last_status(struct pods *pods, struct str pod)
{
	struct pods_tail *tail = tail_of(pods, pod);

	return str_of(tail->status_text, tail->status.len);
}

static void take_status(struct pods_tail *tail, struct str text)
{
	tail->status.len = 0; /* an older one would not be true any more */
	if (text.len > sizeof(tail->status_text))
		return;
	memcpy(tail->status_text, text.ptr, text.len);
	tail->status.len = text.len;
}

static void write_line(struct pods *pods, struct pods_tail *tail, struct str at, struct str line,
		       bool several)
{
	cleanup(buf_release) struct buf out = BUF_INIT(SECOND_MAX + KIB(64));
	const char *dash = memrchr(tail->pod.ptr, '-', tail->pod.len);
	struct str rest;

	if (str_starts(line, STR(PODS_OUTPUT))) {
		buf_printf(&out, STR_FMT "\n", STR_ARG(str_from_offset(line, strlen(PODS_OUTPUT))));
		if (!pods->reporter.ptr)
			pods->reporter = tail->pod;
		if (str_eq(pods->reporter, tail->pod) && tail->restarts == 0)
			pods->options->output(buf_str(&out));
		return;
	}
	if (str_is(line, PODS_OUTPUT_END)) {
		tail->whole = true;
		return;
	}
	if (str_starts(line, STR(PODS_STATUS))) {
		take_status(tail, str_from_offset(line, strlen(PODS_STATUS)));
		return;
	}
	rest = without_time(line);
	/* Its own is the same, and in UTC wherever the node is. */
	if (rest.ptr != line.ptr)
		at = line;
	take_words(tail, rest);
	buf_printf(&out, "%.*sZ ", OUR_TIME - 1, at.ptr);
	if (several)
		buf_printf(&out, "[%s] ", dash ? dash + 1 : tail->pod.ptr);
	buf_printf(&out, STR_FMT "\n", STR_ARG(rest));
	if (!out.failed)
		pods->options->log(buf_str(&out));
}

/* The same second is asked for again: what was read of it is passed over. */
static size_t take_lines(struct pods *pods, struct pods_tail *tail, struct str text, bool several)
{
	size_t taken = 0, same = 0;
	struct str line;

	while (str_split(text, '\n', &line, &text)) {
		struct str at, rest;
		int order;

		if (!str_split(line, ' ', &at, &rest) || at.len < TIME_LENGTH ||
		    at.len >= sizeof(tail->last))
			continue;
		order = str_cmp(at, str_from(tail->last));
		if (order < 0 || (order == 0 && ++same <= tail->repeated))
			continue;
		tail->repeated = order == 0 ? tail->repeated + 1 : 1;
		same = order == 0 ? same : 1;
		memcpy(tail->last, at.ptr, at.len);
		tail->last[at.len] = '\0';
		write_line(pods, tail, at, rest, several);
		taken++;
	}
	return taken;
}

/* The API gives times in the zone of the node: "Z", or "+02:00". */
static struct str since_of(struct pods *pods, const struct pods_tail *tail)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(1));
	const char *zone = tail->last + MIN(strlen(tail->last), (size_t)TIME_LENGTH - 1);

	if (!tail->last[0])
		return pods->since[0] ? arena_printf(&pods->look, "&sinceTime=%s", pods->since)
				      : STR("");
	buf_printf(&text, "&sinceTime=%.19s", tail->last);
	http_append_encoded(&text, str_from(zone));
	return arena_str(&pods->look, buf_str(&text));
}

struct chunk {
	bool previous, several;
	size_t limit; /* bytes that are asked for */
	size_t taken; /* lines that were new */
	bool cut;     /* there is more */
};

static int read_chunk(struct pods *pods, struct pods_tail *tail, struct chunk *chunk,
		      struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(SECOND_MAX + KIB(64));
	struct str since = since_of(pods, tail);
	struct str query =
		arena_printf(&pods->look, "container=%s&timestamps=true&limitBytes=%zu%s" STR_FMT,
			     PODS_CONTAINER, chunk->limit, chunk->previous ? "&previous=true" : "",
			     STR_ARG(since));
	const struct kubernetes_call call = {.verb = "get",
					     .group = "",
					     .resource = "pods",
					     .subresource = "log",
					     .name = arena_str(&pods->look, tail->pod).ptr,
					     .query = query};

	if (pods->look.failed)
		return arena_fail(&pods->look, "a log", err);
	if (kubernetes_text(pods->api, &call, &text, err) < 0)
		return -(int)err->kind;
	chunk->taken = take_lines(pods, tail, buf_str(&text), chunk->several);
	chunk->cut = text.len >= chunk->limit;
	return 0;
}

static int read_all(struct pods *pods, struct pods_tail *tail, bool previous, bool several,
		    struct err *err)
{
	struct chunk chunk = {.previous = previous, .several = several, .limit = CHUNK_MAX};

	for (size_t i = 0; i < CHUNKS_MAX; i++) {
		if (read_chunk(pods, tail, &chunk, err) < 0)
			return -(int)err->kind;
		if (chunk.taken == 0 && !(chunk.cut && chunk.limit < SECOND_MAX))
			break;
		chunk.limit = chunk.taken > 0 ? CHUNK_MAX : chunk.limit * 4;
	}
	return 0;
}

/* One that has not begun, or is gone, has no log. */
static bool has_no_log(const struct err *err)
{
	return err->kind == ERR_NOT_FOUND || err->kind == ERR_USAGE;
}

int pods_tail(struct pods *pods, const struct json *pod, bool several, struct err *err)
{
	struct pods_tail *tail = tail_of(pods, pods_name_of(pod));
	int64_t restarts = pods_restarts(pod);
	struct err why = {0};
	int rc = 0;

	if (!tail->pod.ptr)
		return arena_fail(&pods->mem, "the names of pods", err);
	/* What the instance before said last. */
	if (restarts > tail->restarts)
		rc = read_all(pods, tail, true, several, &why);
	if (rc == 0 || has_no_log(&why)) {
		if (restarts > tail->restarts)
			tail->status.len = 0;
		tail->restarts = restarts;
		rc = read_all(pods, tail, false, several, &why);
	}
	if (rc < 0 && !has_no_log(&why)) {
		*err = why;
		return -(int)err->kind;
	}
	return 0;
}
