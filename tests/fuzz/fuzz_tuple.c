/* A line of any bytes is a tuple or is refused with a reason; an answer equals itself, and two
 * answers differ or not without harm. */
#include "fuzz.h"
#include "verify/tuple_compare.h"

static void on_difference(void *user, enum tuple_difference kind, struct str path,
			  struct str source, struct str target)
{
	size_t *told = user;

	(void)path;
	(void)source;
	(void)target;
	if (!tuple_difference_name(kind))
		BUG("a difference without a name");
	++*told;
}

static int compare(const struct tuple *tuple, const struct tuple_message *a,
		   const struct tuple_message *b, struct arena *mem)
{
	const struct tuple_rules rules = {.score_tolerance = TUPLE_SCORE_TOLERANCE};
	size_t told = 0;
	struct err err;
	int found = tuple_compare(&rules, &tuple->source_request, a, b, mem, on_difference, &told,
				  &err);

	if (found >= 0 && (size_t)found != told)
		BUG("another number of differences than were told");
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct str rest = str_of(data, size), line;
	struct tuple tuple;

	while (rest.len > 0) {
		const struct tuple_message *target;
		struct err err = {0};

		str_split(rest, '\n', &line, &rest);
		arena_reset(&mem);
		if (tuple_parse(line, &mem, &tuple, &err) < 0) {
			if (!err.message[0])
				BUG("an error that says nothing");
			continue;
		}
		if (compare(&tuple, &tuple.source_response, &tuple.source_response, &mem) > 0)
			BUG("an answer that differs from itself");
		target = tuple_target_response(&tuple);
		if (target)
			compare(&tuple, &tuple.source_response, target, &mem);
	}
	return 0;
}
