/* What the files of the option table share. */
#ifndef BASE_OPT_INTERNAL_H
#define BASE_OPT_INTERNAL_H

#include "base/opt.h"

/* Visits every row of every part. */
#define opt_each(part, row, command)                                                     \
	for (const struct opt_part *part = (command)->parts; part && part->rows; part++) \
		for (const struct opt *row = part->rows; row->name; row++)

/* The next of space-separated words: the word, and *words after it. Empty at the end. */
struct str opt_next_word(const char **words);
/* Whether `given` (without dashes) is a name of the row: kebab-case or camelCase, of its name or an
 * alias. *is_file: it is that of the row's <name>-file. */
bool opt_name_matches(const struct opt *row, struct str given, bool *is_file);
/* The known flag nearest to `given`, with its dashes; ptr NULL when none is near. */
struct str opt_nearest(const struct opt_command *command, struct str given, struct arena *mem);
/* What stands for the row's value: "URI", "N", its choices; "" for a boolean. */
const char *opt_metavar(const struct opt *row);
/* Its heading, and whether it is the first below that. */
const char *opt_category(const struct opt *row);
bool opt_opens_category(const struct opt_command *command, const struct opt *which);
/* SHARDLIFT_<UPPER_SNAKE of name><suffix>; "" when it is too long to be one of ours. */
void opt_variable(const struct opt *row, const char *suffix, char out[static 128]);

/* <prefix><UPPER_SNAKE of name>, of a name in kebab-case or camelCase. */
void opt_java_variable(const char *prefix, struct str name, char out[static 128]);

/* Sets the field from its text; lists are appended to. ERR_USAGE says what was given and what is
 * accepted, not by which flag, and never a secret. */
int opt_value_set(const struct opt *row, void *field, const char *text, struct arena *mem,
		  struct err *err);
/* Appends one item, commas and all, to a list. */
int opt_list_append(struct opt_list *list, struct str item, struct arena *mem, struct err *err);

/* One row and the field it fills. */
struct opt_setting {
	const struct opt *row;
	void *field;
	bool given; /* by a flag, and then by a variable */
	bool by_file;
};

struct opt_settings {
	const struct opt_command *command;
	struct arena *mem;
	struct opt_setting *all;
	size_t count;
};

/* The setting of a flag or JSON key; NULL if there is none. */
struct opt_setting *opt_find(const struct opt_settings *settings, struct str name, bool *is_file);
/* Sets what a flag, a variable or a JSON key (`from`, for messages) gives. */
int opt_set(const struct opt_settings *settings, struct opt_setting *setting, const char *text,
	    bool is_file, const char *from, struct err *err);
/* The flags in a JSON object, raw or as base64. */
int opt_set_inline_json(const struct opt_settings *settings, const char *text, struct err *err);
/* For what no flag gave: variables, then defaults. */
int opt_set_remaining(const struct opt_settings *settings, struct err *err);

#endif
