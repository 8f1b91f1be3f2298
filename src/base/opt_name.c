#include "base/opt_internal.h"

#include <ctype.h>
#include <stdio.h>

#define LONGEST_NAME 64

struct str opt_next_word(const char **words)
{
	const char *word = *words;
	size_t length;

	if (!word)
		return STR_NONE;
	word += strspn(word, " ");
	length = strcspn(word, " ");
	*words = word + length;
	return str_of(word, length);
}

/* What is left of `given` after `name`, which it starts with in kebab-case or camelCase. */
static bool strip_name(struct str given, struct str name, bool camel, struct str *rest)
{
	size_t at = 0;

	for (size_t i = 0; i < name.len; i++, at++) {
		char expected = name.ptr[i];

		if (camel && expected == '-' && i + 1 < name.len)
			expected = (char)toupper((unsigned char)name.ptr[++i]);
		if (at >= given.len || given.ptr[at] != expected)
			return false;
	}
	*rest = str_from_offset(given, at);
	return true;
}

static bool matches(const struct opt *row, struct str name, struct str given, bool *is_file)
{
	struct str rest;

	for (int camel = 0; camel < 2; camel++) {
		if (!strip_name(given, name, camel, &rest))
			continue;
		*is_file = row->type == OPT_SECRET && str_is(rest, camel ? "File" : "-file");
		if (!rest.len || *is_file)
			return true;
	}
	return false;
}

bool opt_name_matches(const struct opt *row, struct str given, bool *is_file)
{
	const char *aliases = row->aliases;
	struct str alias;

	if (matches(row, str_from(row->name), given, is_file))
		return true;
	while ((alias = opt_next_word(&aliases)).len)
		if (matches(row, alias, given, is_file))
			return true;
	return false;
}

/* camelCase in kebab-case; what is in kebab-case stays. */
static struct str to_kebab(struct str given, char out[static LONGEST_NAME * 2])
{
	size_t length = 0;

	for (size_t i = 0; i < given.len && length + 2 < LONGEST_NAME; i++) {
		unsigned char c = (unsigned char)given.ptr[i];

		if (isupper(c) && i > 0)
			out[length++] = '-';
		out[length++] = (char)tolower(c);
	}
	return str_of(out, length);
}

struct candidate {
	size_t distance;
	struct str name;
	const char *suffix;
};

static void consider(struct candidate *best, struct str given, struct str name, bool secret)
{
	size_t apart;

	apart = str_distance(given, name);
	if (apart < best->distance)
		*best = (struct candidate){apart, name, ""};
	if (secret && str_ends(given, STR("-file"))) {
		given.len -= strlen("-file");
		apart = str_distance(given, name);
		if (apart < best->distance)
			*best = (struct candidate){apart, name, "-file"};
	}
}

struct str opt_nearest(const struct opt_command *command, struct str given, struct arena *mem)
{
	char kebab[LONGEST_NAME * 2];
	struct candidate best = {.distance = SIZE_MAX};
	const char *aliases;
	struct str alias;

	given = to_kebab(given, kebab);
	opt_each (part, row, command) {
		consider(&best, given, str_from(row->name), row->type == OPT_SECRET);
		aliases = row->aliases;
		while ((alias = opt_next_word(&aliases)).len > 1)
			consider(&best, given, alias, row->type == OPT_SECRET);
	}
	consider(&best, given, STR("help"), false);
	/* A third of the name wrong is a mistake in typing; more is another word. */
	if (best.distance > MAX(given.len / 3, (size_t)1))
		return STR_NONE;
	return arena_printf(mem, "--" STR_FMT "%s", STR_ARG(best.name), best.suffix);
}

void opt_variable(const struct opt *row, const char *suffix, char out[static 128])
{
	int length = snprintf(out, 128, "SHARDLIFT_%s%s", row->name, suffix);

	if (length < 0 || length >= 128)
		BUG("an option's name is too long for a variable");
	for (char *c = out; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

void opt_java_variable(const char *prefix, struct str name, char out[static 128])
{
	char kebab[LONGEST_NAME * 2];
	int length;

	name = to_kebab(name, kebab);
	length = snprintf(out, 128, "%s" STR_FMT, prefix, STR_ARG(name));
	if (length < 0 || length >= 128)
		BUG("an option's name is too long for a variable");
	for (char *c = out; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}
