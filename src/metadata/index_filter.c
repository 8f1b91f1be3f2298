#include "metadata/index_filter.h"

#include "metadata/name_pattern.h"

#include <stdlib.h>

struct entry {
	const char *text; /* as given; borrowed */
	bool is_regex;
	regex_t regex;
};

struct index_filter {
	size_t count;
	struct entry entries[];
};

static int compile(struct entry *entry, const char *pattern, struct err *err)
{
	if (!*pattern)
		return err_set(err, ERR_USAGE, "'%s' has no pattern after 'regex:'", entry->text);
	if (name_pattern_compile(pattern, &entry->regex, err) < 0)
		return -(int)err->kind;
	entry->is_regex = true;
	return 0;
}

static int add_entry(struct index_filter *filter, const char *text, struct err *err)
{
	struct entry *entry = &filter->entries[filter->count];

	*entry = (struct entry){.text = text};
	if (!*text)
		return err_set(err, ERR_USAGE, "an empty entry: give index names or regex:PATTERN");
	if (str_starts(str_from(text), STR(NAME_PATTERN_PREFIX)) &&
	    compile(entry, text + sizeof(NAME_PATTERN_PREFIX) - 1, err) < 0)
		return -(int)err->kind;
	filter->count++;
	return 0;
}

int index_filter_new(const struct opt_list *allowlist, struct index_filter **out, struct err *err)
{
	struct index_filter *filter =
		mem_zalloc(sizeof(*filter) + allowlist->count * sizeof(struct entry));

	for (size_t i = 0; i < allowlist->count; i++)
		if (add_entry(filter, allowlist->items[i], err) < 0) {
			index_filter_free(filter);
			return err_wrap(err, "--index-allowlist");
		}
	*out = filter;
	return 0;
}

void index_filter_free(struct index_filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->count; i++)
		if (filter->entries[i].is_regex)
			regfree(&filter->entries[i].regex);
	free(filter);
}

bool index_filter_entry_accepts(const struct index_filter *filter, size_t entry, struct str name)
{
	const struct entry *e = &filter->entries[entry];
	regmatch_t match;

	return e->is_regex ? name_pattern_matches(&e->regex, name, &match, 1)
			   : str_is(name, e->text);
}

bool index_filter_accepts(const struct index_filter *filter, struct str name)
{
	if (filter->count == 0)
		return !index_is_excluded_by_default(name);
	for (size_t i = 0; i < filter->count; i++)
		if (index_filter_entry_accepts(filter, i, name))
			return true;
	return false;
}

bool index_is_excluded_by_default(struct str name)
{
	static const char *const prefixes[] = {
		".",
		"kibana",
		"searchguard",
		"sg7-",
		"apm-",
		"behavioral_analytics-",
		"elastic-connectors-",
		"elastic_agent.",
		"ilm-history-",
		"logs-elastic_agent",
		"logs-endpoint.",
		"logs-index_pattern",
		"logs-system.",
		"metricbeat-",
		"metrics-elastic_agent",
		"metrics-endpoint.",
		"metrics-index_pattern",
		"metrics-metadata-",
		"metrics-system.",
		"profiling-",
		"synthetics-",
	};
	static const char *const names[] = {"triggered_watches", "watches", "watch_history_3"};

	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (str_starts(name, str_from(prefixes[i])))
			return true;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

size_t index_filter_entry_count(const struct index_filter *filter)
{
	return filter->count;
}

const char *index_filter_entry(const struct index_filter *filter, size_t entry)
{
	return filter->entries[entry].text;
}
