#include "metadata/index_filter.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#define REGEX_PREFIX "regex:"

struct entry {
	const char *text; /* as given; borrowed */
	bool is_regex;
	regex_t regex;
};

struct index_filter {
	size_t count;
	struct entry entries[];
};

/* A pattern in POSIX's words: \d and (?: translated, what has no counterpart refused. */
static int translate_escape(const char *pattern, const char *at, struct buf *out, struct err *err)
{
	char c = at[1];

	if (c == 'd')
		buf_append_str(out, STR("[0-9]"));
	else if (c == 'D')
		buf_append_str(out, STR("[^0-9]"));
	else if (c == 'w' || c == 'W' || (c != '\0' && !isalnum((unsigned char)c)))
		buf_append(out, at, 2);
	else
		return err_set(err, ERR_USAGE,
			       "regular expression '%s': '\\%c' is not understood; use a bracket "
			       "expression such as [0-9a-z]",
			       pattern, c ? c : ' ');
	return 0;
}

/* Copies "[…]" from `at`; returns what follows it, or NULL with *err. */
static const char *translate_bracket(const char *pattern, const char *at, struct buf *out,
				     struct err *err)
{
	const char *end = at + 1;

	end += *end == '^';
	end += *end == ']'; /* first in the list: an ordinary character */
	while (end && *end != ']' && *end != '\0')
		end = end[0] == '[' && end[1] == ':' ? strstr(end, ":]") + 1 : end + 1;
	if (!end || *end == '\0') {
		err_set(err, ERR_USAGE, "regular expression '%s': '[' has no ']'", pattern);
		return NULL;
	}
	end++;
	if (memchr(at, '\\', (size_t)(end - at))) {
		err_set(err, ERR_USAGE,
			"regular expression '%s': no '\\' inside [ ]; write the characters as they "
			"are, '-' last",
			pattern);
		return NULL;
	}
	buf_append(out, at, (size_t)(end - at));
	return end;
}

static int translate(const char *pattern, struct buf *out, struct err *err)
{
	const char *p = pattern;

	while (p && *p) {
		if (*p == '\\') {
			if (translate_escape(pattern, p, out, err) < 0)
				return -ERR_USAGE;
			p += 2;
		} else if (*p == '[') {
			p = translate_bracket(pattern, p, out, err);
		} else if (p[0] == '(' && p[1] == '?') {
			if (p[2] != ':')
				return err_set(err, ERR_USAGE,
					       "regular expression '%s': '(?%c' is not understood",
					       pattern, p[2] ? p[2] : ' ');
			buf_append_byte(out, '(');
			p += 3;
		} else {
			buf_append_byte(out, *p++);
		}
	}
	return p ? buf_check(out, "regular expression", err) : -ERR_USAGE;
}

static int compile(struct entry *entry, const char *pattern, struct err *err)
{
	cleanup(buf_release) struct buf posix = BUF_INIT(KIB(64));
	char reason[128];
	int status;

	if (!*pattern)
		return err_set(err, ERR_USAGE, "'%s' has no pattern after 'regex:'", entry->text);
	if (translate(pattern, &posix, err) < 0)
		return -(int)err->kind;
	status = regcomp(&entry->regex, buf_cstr(&posix), REG_EXTENDED);
	if (status != 0) {
		regerror(status, &entry->regex, reason, sizeof(reason));
		return err_set(err, ERR_USAGE, "regular expression '%s': %s", pattern, reason);
	}
	entry->is_regex = true;
	return 0;
}

static int add_entry(struct index_filter *filter, const char *text, struct err *err)
{
	struct entry *entry = &filter->entries[filter->count];

	*entry = (struct entry){.text = text};
	if (!*text)
		return err_set(err, ERR_USAGE, "an empty entry: give index names or regex:PATTERN");
	if (str_starts(str_from(text), STR(REGEX_PREFIX)) &&
	    compile(entry, text + sizeof(REGEX_PREFIX) - 1, err) < 0)
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
	cleanup(mem_freep) char *text = NULL;
	regmatch_t match;

	if (!e->is_regex)
		return str_is(name, e->text);
	if (name.len == 0 || memchr(name.ptr, '\0', name.len))
		return false;
	text = str_dup(name);
	/* The leftmost longest match is the whole name where the pattern matches it at all. */
	return regexec(&e->regex, text, 1, &match, 0) == 0 && match.rm_so == 0 &&
	       (size_t)match.rm_eo == name.len;
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
