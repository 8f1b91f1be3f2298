/* JSON with its digits kept: an arena tree in which numbers stay the text they were, a writer, and
 * a validating scan without a tree. Order of members and duplicate keys are kept as read.
 *
 * Source: RFC 8259. Invalid UTF-8 in strings is refused. A lone surrogate (an escape such as
 * \ud800) is kept in a decoded text as its three bytes, and written as the escape again. A tree is
 * thread-safe for reading only. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER, /* text: as written, e.g. 1.10 or 12345678901234567890 */
	JSON_STRING, /* text: decoded, UTF-8 */
	JSON_BINARY, /* text: raw bytes; only from SMILE and CBOR, written as base64 */
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	enum json_type type;
	struct str key;            /* name in the parent object, decoded; empty elsewhere */
	struct str text;           /* JSON_NUMBER, JSON_STRING, JSON_BINARY */
	struct json *first, *last; /* children of arrays and objects, in order */
	struct json *next;         /* sibling */
	size_t count;              /* of children */
};

/* Parses the whole of `text` (white space around allowed) into the arena. The tree may point into
 * `text` (strings without escapes, numbers), which must live as long. ERR_FORMAT says the byte;
 * ERR_LIMIT: the arena is full, or nested deeper than LIMIT_JSON_DEPTH. */
int json_parse(struct str text, struct arena *mem, struct json **out, struct err *err);
/* Accepts what json_parse accepts, and deeper nesting (LIMIT_JSON_SCAN_DEPTH); builds nothing,
 * allocates nothing. ERR_FORMAT says the byte. */
int json_validate(struct str text, struct err *err);

/* The text of an object's member, byte for byte (the last of duplicates; names with escapes are
 * none); ptr NULL if absent or if there is no object. For text that json_validate has accepted. */
struct str json_raw_member(struct str object, const char *key);

/* The member of an object; NULL if absent, or if v is NULL or no object. The last of duplicates. */
struct json *json_get(const struct json *v, const char *key);
struct json *json_get_str(const struct json *v, struct str key);
/* Follows members "a", "b", "c" until NULL: json_path(v, "a", "b", "c", NULL). */
struct json *json_path(const struct json *v, ...) __attribute__((sentinel));
/* The text of a string (or number, for json_text_or); STR_NONE / fallback if v is anything else. */
struct str json_string(const struct json *v);
struct str json_text_or(const struct json *v, struct str fallback);
/* true, "true": true; false, "false": false; else fallback. */
bool json_bool_or(const struct json *v, bool fallback);
/* An integer number or a string of digits (with sign) that fits; else fallback. */
int64_t json_i64_or(const struct json *v, int64_t fallback);

#define json_each(child, parent) \
	for (struct json *child = (parent) ? (parent)->first : NULL; child; child = child->next)

/* Building. All return NULL at the arena's ceiling; strings are borrowed, not copied. What takes a
 * parent and a child does nothing if either is NULL, so that building needs one check: mem->failed
 * at the end. */
struct json *json_new(struct arena *mem, enum json_type type);
struct json *json_new_string(struct arena *mem, struct str text);
struct json *json_new_number(struct arena *mem, struct str text);
struct json *json_new_i64(struct arena *mem, int64_t value);
struct json *json_new_bool(struct arena *mem, bool value);
/* Appends to an array. */
void json_append(struct json *array, struct json *child);
/* Sets a member of an object, in place of all earlier ones of that name. */
void json_set(struct json *object, struct str key, struct json *child);
/* Takes a member out, with its duplicates, and returns the last of them; NULL if absent. */
struct json *json_remove(struct json *object, struct str key);
/* A deep copy in `mem`, text included. NULL at the ceiling. */
struct json *json_copy(struct arena *mem, const struct json *v);

/* Appends the value to `out`: compact, or indented by two spaces. Failure is sticky in `out`. */
void json_write(struct buf *out, const struct json *v);
void json_write_pretty(struct buf *out, const struct json *v);
/* Appends a quoted, escaped string. A byte of no character becomes U+FFFD, so that what strangers
 * wrote leaves the text JSON. */
void json_write_string(struct buf *out, struct str text);

/* Equal as JSON: members in any order (duplicates in theirs), numbers by their text, digit for
 * digit. JSON_BINARY equals JSON_BINARY only. */
bool json_equal(const struct json *a, const struct json *b);

#endif
