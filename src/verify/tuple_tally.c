#include "verify/tuple_tally.h"

#include "verify/tuple_endpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_MAX = 240, NAMES_BYTES = 256 };

void tuple_tally_init(struct tuple_tally *tally, const struct tuple_rules *rules, size_t examples)
{
	*tally = (struct tuple_tally){
		.rules = rules, .examples = examples, .mem = ARENA_INIT(LIMIT_METADATA_ARENA)};
	tally->endpoints = mem_zalloc((TUPLE_ENDPOINTS_MAX + 1) * sizeof(*tally->endpoints));
	for (size_t side = 0; side < TUPLE_SIDES; side++) {
		tally->latency[side] = latency_new();
		tally->first_byte[side] = latency_new();
	}
}

static void free_latencies(struct latency *const latency[TUPLE_SIDES])
{
	for (size_t side = 0; side < TUPLE_SIDES; side++)
		free(latency[side]);
}

void tuple_tally_release(struct tuple_tally *tally)
{
	for (size_t i = 0; i < tally->endpoint_count; i++) {
		free_latencies(tally->endpoints[i]->latency);
		free_latencies(tally->endpoints[i]->first_byte);
		free(tally->endpoints[i]);
	}
	for (size_t i = 0; i < TUPLE_DIFFERENCES; i++)
		free(tally->kinds[i].examples);
	free(tally->endpoints);
	free_latencies(tally->latency);
	free_latencies(tally->first_byte);
	arena_release(&tally->mem);
	*tally = (struct tuple_tally){0};
}

struct tuple_pair tuple_pair_of(const struct tuple *tuple)
{
	const struct tuple_message *source = &tuple->source_response;
	const struct tuple_message *target = tuple_target_response(tuple);
	struct tuple_pair pair = {
		.request = &tuple->source_request,
		.source = source->object && source->status > 0 ? source : NULL,
		.target = target,
		.connection_id = tuple->connection_id,
		.error = tuple->error,
		.retried = tuple->requests > 1,
	};

	if (!target && !pair.error.len && tuple->target_response_count > 0)
		pair.error = tuple->target_responses[tuple->target_response_count - 1].exception;
	return pair;
}

static struct tuple_endpoint_tally *endpoint_of(struct tuple_tally *tally,
						const struct tuple_message *request)
{
	cleanup(buf_release) struct buf name = BUF_INIT(KIB(64));
	struct tuple_endpoint_tally *made;

	tuple_endpoint(&name, request->method, request->uri);
	for (size_t i = 0; i < tally->endpoint_count; i++)
		if (str_eq(tally->endpoints[i]->name, buf_str(&name)))
			return tally->endpoints[i];
	if (tally->endpoint_count > TUPLE_ENDPOINTS_MAX)
		return tally->endpoints[TUPLE_ENDPOINTS_MAX];
	made = mem_zalloc(sizeof(*made));
	made->name = tally->endpoint_count == TUPLE_ENDPOINTS_MAX
			     ? STR("(others)")
			     : arena_str(&tally->mem, buf_str(&name));
	tally->endpoints[tally->endpoint_count++] = made;
	return made;
}

static void count_statuses(struct tuple_endpoint_tally *endpoint, int source, int target)
{
	for (size_t i = 0; i < endpoint->status_count; i++) {
		struct tuple_statuses *cell = &endpoint->statuses[i];

		if (cell->status[TUPLE_SOURCE] == source && cell->status[TUPLE_TARGET] == target) {
			cell->count++;
			return;
		}
	}
	if (endpoint->status_count < TUPLE_STATUS_MAX)
		endpoint->statuses[endpoint->status_count++] =
			(struct tuple_statuses){{source, target}, 1};
}

/* Text from strangers, short, and not cut within a character. */
static struct str shown(struct tuple_tally *tally, struct str text)
{
	size_t length = MIN(text.len, (size_t)SHOWN_MAX);

	if (length == text.len)
		return arena_str(&tally->mem, text);
	while (length > 0 && ((uint8_t)text.ptr[length] & 0xc0) == 0x80)
		length--;
	return arena_printf(&tally->mem, STR_FMT "…", (int)length, text.ptr);
}

static void count_class(struct tuple_tally *tally, enum tuple_side side, struct str name)
{
	for (size_t i = 0; i < tally->class_count; i++)
		if (tally->classes[i].side == side && str_eq(tally->classes[i].name, name)) {
			tally->classes[i].count++;
			return;
		}
	if (tally->class_count < TUPLE_CLASSES_MAX)
		tally->classes[tally->class_count++] =
			(struct tuple_class){side, shown(tally, name), 1};
}

static void count_error(struct tuple_tally *tally, enum tuple_side side,
			const struct tuple_message *answer, struct str why)
{
	cleanup(buf_release) struct buf name = BUF_INIT(KIB(4));
	struct str type;

	if (answer && answer->status < 400)
		return;
	if (answer) {
		type = json_string(json_path(answer->json, "error", "type", NULL));
		buf_printf(&name, "%d%s" STR_FMT, answer->status, type.len ? " " : "",
			   MIN((int)type.len, NAMES_BYTES), type.ptr ? type.ptr : "");
	} else {
		/* What follows is a place or a moment: each its own. */
		struct str first, rest;

		str_split(why, ':', &first, &rest);
		buf_printf(&name, "no response%s" STR_FMT, first.len ? ": " : "",
			   MIN((int)first.len, NAMES_BYTES), first.ptr ? first.ptr : "");
	}
	count_class(tally, side, buf_str(&name));
}

struct adding {
	struct tuple_tally *tally;
	const struct tuple_pair *pair;
	bool seen[TUPLE_DIFFERENCES];
};

static void on_difference(void *user, enum tuple_difference kind, struct str path,
			  struct str source, struct str target)
{
	struct adding *adding = user;
	struct tuple_tally *tally = adding->tally;
	struct tuple_kind_tally *tallied = &tally->kinds[kind];
	const struct tuple_pair *pair = adding->pair;
	size_t n = tallied->example_count;

	tallied->differences++;
	tallied->tuples += !adding->seen[kind];
	adding->seen[kind] = true;
	if (n == tally->examples)
		return;
	/* As many as a power of two, so that it grows when it is full. */
	if ((n & (n - 1)) == 0)
		tallied->examples = mem_realloc(tallied->examples,
						MAX(n * 2, (size_t)1) * sizeof(*tallied->examples));
	tallied->examples[tallied->example_count++] = (struct tuple_example){
		.connection_id = shown(tally, pair->connection_id),
		.method = shown(tally, pair->request->method),
		.uri = shown(tally, pair->request->uri),
		.path = shown(tally, path),
		.source = shown(tally, source),
		.target = shown(tally, target),
	};
}

static int compare(struct tuple_tally *tally, struct tuple_endpoint_tally *endpoint,
		   const struct tuple_pair *pair, struct arena *mem, struct err *err)
{
	struct adding adding = {.tally = tally, .pair = pair};
	char status[16];
	int found = 1;

	if (!pair->source) {
		tally->not_compared++;
		return 0;
	}
	if (pair->target) {
		found = tuple_compare(tally->rules, pair->request, pair->source, pair->target, mem,
				      on_difference, &adding, err);
		if (found < 0)
			return found;
	} else {
		snprintf(status, sizeof(status), "%d", pair->source->status);
		on_difference(&adding, TUPLE_NO_RESPONSE, STR_NONE, str_from(status), pair->error);
	}
	tally->compared++;
	endpoint->compared++;
	tally->different += found > 0;
	endpoint->different += found > 0;
	return 0;
}

static void add_latency(struct latency *of_all[TUPLE_SIDES], struct latency *of_one[TUPLE_SIDES],
			int64_t source_us, int64_t target_us)
{
	const int64_t us[TUPLE_SIDES] = {source_us, target_us};

	if (source_us < 0 || target_us < 0)
		return;
	for (size_t side = 0; side < TUPLE_SIDES; side++) {
		if (!of_one[side])
			of_one[side] = latency_new();
		latency_add(of_one[side], us[side]);
		latency_add(of_all[side], us[side]);
	}
}

static void count_latency(struct tuple_tally *tally, struct tuple_endpoint_tally *endpoint,
			  const struct tuple_pair *pair)
{
	const struct tuple_message *source = pair->source, *target = pair->target;

	if (!source || !target)
		return;
	if (source->has_spans && target->has_spans) {
		tally->same_span++;
		add_latency(tally->latency, endpoint->latency, source->last_us, target->last_us);
		add_latency(tally->first_byte, endpoint->first_byte, source->first_us,
			    target->first_us);
	} else {
		add_latency(tally->latency, endpoint->latency, source->response_us,
			    target->response_us);
	}
}

int tuple_tally_add(struct tuple_tally *tally, const struct tuple_pair *pair, struct arena *mem,
		    struct err *err)
{
	struct tuple_endpoint_tally *endpoint = endpoint_of(tally, pair->request);
	int source = pair->source ? pair->source->status : 0;
	int target = pair->target ? pair->target->status : 0;

	tally->tuples++;
	endpoint->tuples++;
	tally->retried += pair->retried;
	tally->errors += target == 0 || (target >= 500 && source < 500);
	count_statuses(endpoint, source, target);
	count_error(tally, TUPLE_SOURCE, pair->source, STR_NONE);
	count_error(tally, TUPLE_TARGET, pair->target, pair->error);
	count_latency(tally, endpoint, pair);
	if (compare(tally, endpoint, pair, mem, err) < 0)
		return -(int)err->kind;
	return tally->mem.failed ? arena_fail(&tally->mem, "the differences of tuples", err) : 0;
}

double tuple_latency_ratio(struct latency *const latency[TUPLE_SIDES], double part)
{
	double source = latency_percentile(latency[TUPLE_SOURCE], part);
	double target = latency_percentile(latency[TUPLE_TARGET], part);

	/* Tuples say whole milliseconds: less than one is one. */
	if (!latency[TUPLE_SOURCE] || latency[TUPLE_SOURCE]->count == 0)
		return 0;
	if (source < 1000 && target < 1000)
		return source > 0 && target > 0 ? target / source : 1;
	return target / MAX(source, 1000.0);
}

static bool within_ratio(const char *what, size_t length, struct latency *const latency[2],
			 double limit, struct buf *why)
{
	double ratio = tuple_latency_ratio(latency, 0.99);

	if (ratio <= limit)
		return true;
	buf_printf(why, "the p99 of %.*s is %.2f times the source's: more than %g\n", (int)length,
		   what, ratio, limit);
	return false;
}

bool tuple_tally_within(const struct tuple_tally *tally, const struct tuple_limits *limits,
			struct buf *why)
{
	bool within = tally->compared > 0;

	if (!within)
		buf_append_str(why, STR("nothing was compared\n"));
	if ((double)tally->different > limits->mismatch * (double)tally->compared) {
		buf_printf(why,
			   "%" PRIu64 " of %" PRIu64 " answers differ (%.3g %%): more than %g %%\n",
			   tally->different, tally->compared,
			   100.0 * (double)tally->different / (double)tally->compared,
			   limits->mismatch * 100);
		within = false;
	}
	if (limits->errors >= 0 && tally->errors > (uint64_t)limits->errors) {
		buf_printf(why, "%" PRIu64 " errors of the target: more than %" PRId64 "\n",
			   tally->errors, limits->errors);
		within = false;
	}
	if (limits->p99_ratio <= 0)
		return within;
	within &= within_ratio("all", 3, tally->latency, limits->p99_ratio, why);
	for (size_t i = 0; i < tally->endpoint_count; i++) {
		const struct tuple_endpoint_tally *endpoint = tally->endpoints[i];

		if (endpoint->latency[0] && endpoint->latency[0]->count >= TUPLE_LATENCY_ENOUGH)
			within &= within_ratio(endpoint->name.ptr, endpoint->name.len,
					       endpoint->latency, limits->p99_ratio, why);
	}
	return within;
}

static int by_name(const void *a, const void *b)
{
	const struct tuple_endpoint_tally *x = *(struct tuple_endpoint_tally *const *)a;
	const struct tuple_endpoint_tally *y = *(struct tuple_endpoint_tally *const *)b;

	return str_cmp(x->name, y->name);
}

static int by_count(const void *a, const void *b)
{
	const struct tuple_class *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->side != y->side ? (int)x->side - (int)y->side : str_cmp(x->name, y->name);
}

void tuple_tally_sort(struct tuple_tally *tally)
{
	qsort(tally->endpoints, tally->endpoint_count, sizeof(struct tuple_endpoint_tally *),
	      by_name);
	qsort(tally->classes, tally->class_count, sizeof(*tally->classes), by_count);
}
