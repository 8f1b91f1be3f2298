/* Copies against the zones of a target that wants them balanced. */
#include "metadata/check_awareness.h"

#include "metadata/settings_tree.h"

#include <inttypes.h>
#include <stdio.h>

#define AWARENESS "cluster.routing.allocation.awareness."

/* What counts: set for now, for good, or by default. */
static const struct json *setting(const struct json *answer, const char *name)
{
	static const char *const parts[] = {"transient", "persistent", "defaults"};

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		const struct json *found = json_get(json_get(answer, parts[i]), name);

		if (found)
			return found;
	}
	return NULL;
}

/* The next name of "a,b" or of ["a","b"]. */
struct names {
	const struct json *element;
	struct str rest;
};

static struct names names_of(const struct json *value)
{
	bool list = value && value->type == JSON_ARRAY;

	return (struct names){list ? value->first : NULL, list ? STR_NONE : json_string(value)};
}

static struct str next_name(struct names *names)
{
	struct str name = names->rest, tail = STR_NONE;

	if (names->element) {
		name = json_string(names->element);
		names->element = names->element->next;
		return name;
	}
	if (!names->rest.len)
		return STR_NONE;
	if (!str_split(names->rest, ',', &name, &tail))
		name = names->rest;
	names->rest = tail;
	return name;
}

int64_t awareness_zones(const struct json *answer)
{
	struct names attributes = names_of(setting(answer, AWARENESS "attributes"));
	int64_t zones = 0;

	if (!json_bool_or(setting(answer, AWARENESS "balance"), false))
		return 0;
	for (struct str attribute; (attribute = next_name(&attributes)).len > 0;) {
		char name[300];
		struct names values;
		int64_t count = 0;

		snprintf(name, sizeof(name), AWARENESS "force." STR_FMT ".values",
			 STR_ARG(attribute));
		values = names_of(setting(answer, name));
		while (next_name(&values).len > 0)
			count++;
		zones = MAX(zones, count);
	}
	return zones;
}

bool awareness_refuses(const struct json *content, int64_t zones)
{
	const struct json *settings = json_get(content, "settings");
	int64_t replicas = json_i64_or(settings_get(settings, "number_of_replicas"), -1);

	return zones > 1 && replicas >= 0 && (replicas + 1) % zones != 0;
}
