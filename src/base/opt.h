/* The option table: one row per setting, from which parsing, --help, man pages, shell completion
 * and documentation come.
 *
 * A value comes from: the flag, else the variable SHARDLIFT_<NAME>, else the Java tool's variable
 * (`env`), else the default. An empty variable counts as not set. `---INLINE-JSON
 * '{"snapshotName":…}'` (or that in base64) replaces all flags. Flags are kebab-case; a table row
 * may name aliases (those of one letter take one dash), and the camelCase form of every name is
 * accepted too. `--name value` and `--name=value` are the same; a boolean takes an optional
 * true|false. Of a flag given twice the last counts; lists add up. `--` ends the flags. */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum opt_type {
	OPT_STRING, /* const char * (NULL: not given) */
	OPT_SECRET, /* const char *; never printed. Also --<name>-file and SHARDLIFT_<NAME>_FILE */
	OPT_BOOL,   /* bool */
	OPT_INT,    /* int64_t, within [min, max] */
	OPT_BYTES,  /* int64_t: 10485760, 10MiB, 96M (powers of 1024) */
	OPT_DURATION, /* int64_t ms: 500ms, 10s, 5m, 1h, 2d, or ISO 8601 PT10M */
	OPT_LIST,     /* struct opt_list: repeated, or separated by commas (not inside {} [] ()) */
	OPT_CHOICE,   /* const char *, one of choices */
};

struct opt_list {
	const char **items; /* NUL-terminated, in the arena of the parse */
	size_t count;
};

struct opt {
	const char *name;    /* kebab-case, without dashes */
	const char *aliases; /* space-separated other names, or NULL */
	const char *env;     /* the Java tool's variable, or NULL */
	enum opt_type type;
	size_t offset;        /* of the field in the command's struct */
	const char *metavar;  /* "URI", "N"; NULL: from the type */
	const char *fallback; /* the default, as a user would write it; NULL: none */
	const char *choices;  /* OPT_CHOICE: "none|gzip|zstd" */
	int64_t min, max;     /* OPT_INT, OPT_BYTES, OPT_DURATION; max <= min: no upper bound */
	bool required;
	bool whole;           /* OPT_LIST: a value is one item, commas and all; repeated for more */
	const char *category; /* heading in --help; NULL: "Options" */
	const char *help;     /* one or two sentences; what it is, unit, when to use */
};

/* A row for field `member` of struct `type`. */
#define OPT_FIELD(struct_type, member) .offset = offsetof(struct_type, member)

/* A table may be made of parts that several commands share (target, repository, …). The last
 * part has rows NULL. Offsets of a part count from `base` in the command's struct. */
struct opt_part {
	const struct opt *rows; /* ends with a row whose name is NULL */
	size_t base;
};

struct opt_command {
	const char *name;      /* "snapshot list" */
	const char *summary;   /* one line */
	const char *arguments; /* usage of positionals: "DIR", NULL: none accepted */
	const char *details;   /* paragraphs and examples after the options; may be NULL */
	const struct opt_part *parts;
	size_t min_positionals, max_positionals;
	/* "TRAFFIC_REPLAYER_": with it every flag comes from a variable of the Java tool as well,
	 * by each of its names, before a row's `env`; NULL: only by that. */
	const char *java_variables;
};

struct opt_result {
	const char **positionals;
	size_t positional_count;
	bool help; /* --help or -h was given; nothing else was checked */
};

/* Fills `fields` (zeroed first by the caller) from argv (after the command's name). Strings live in
 * `mem` or argv. ERR_USAGE names the flag, what was given, what is accepted, and the nearest known
 * flag. */
int opt_parse(const struct opt_command *command, int argc, char **argv, void *fields,
	      struct arena *mem, struct opt_result *result, struct err *err);
/* Appends the text of --help, wrapped at `width` columns. */
void opt_help(const struct opt_command *command, struct buf *out, size_t width);
/* The same as a manual page, shardlift-NAME(1), for man(7). */
void opt_man(const struct opt_command *command, const char *version, struct buf *out);
/* The beginning of such a page, of `page`, and text in one. */
void opt_man_head(struct buf *out, const char *page, const char *version, const char *summary);
void opt_man_text(struct buf *out, const char *text);
/* The same as a chapter in Markdown. */
void opt_markdown(const struct opt_command *command, struct buf *out);
/* The names that the shell may complete, a line a flag: "--name<TAB>help<TAB>values<LF>"; values
 * are the choices, separated by spaces, "-" for a boolean, "" for any text. */
void opt_flags(const struct opt_command *command, struct buf *out);
/* The parsers of single values, for other tables. */
int opt_parse_bytes(const char *text, int64_t *out, struct err *err);
int opt_parse_duration(const char *text, int64_t *out_ms, struct err *err);

#endif
