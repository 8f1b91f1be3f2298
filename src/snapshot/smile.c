#include "snapshot/smile.h"
#include "snapshot/smile_internal.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <inttypes.h>

/* A document:
 *
 *   ':' ')' '\n' | flags | value | [0xFF]
 *
 *   flags: bit 0 names are shared, bit 1 strings are shared, bit 2 raw binary occurs, 4-7 version 0
 *
 *   value      00       -                        name       20       ""
 *              01-1F    shared string 1 to 31               30-33 b  shared name, 10 bits
 *              20       ""                                  34       bytes up to FC
 *              21 22 23 null false true                     40-7F    shared name 0 to 63
 *              24-2A    numbers                             80-BF    1 to 64 bytes, ASCII
 *              40-7F    1 to 64 bytes, ASCII                C0-F7    2 to 57 bytes, UTF-8
 *              80-BF    2 to 65 bytes, UTF-8                FB       end of object
 *              C0-DF    -16 to 15, zigzag
 *              E0 E4    bytes up to FC
 *              E8       binary, 7 bits a byte
 *              EC-EF b  shared string, 10 bits
 *              F8 F9    array, end of array
 *              FA       object
 *              FD       vInt length, binary
 *
 * Names of every length enter the table of shared names, long ones too: the generator numbers them
 * all, whatever the specification leaves unsaid. A full table starts anew.
 *
 * Source: SMILE format specification 1.0.4; jackson-dataformat-smile 2.15.0 SmileGenerator. */

#define TOKEN_END_OF_TEXT 0xfc
#define FLAG_SHARED_NAMES 0x01
#define FLAG_SHARED_STRINGS 0x02
#define SHARED_MAX 1024

struct shared_table {
	struct str entries[SHARED_MAX];
	size_t count;
	bool enabled;
};

struct decoder {
	struct rd rd;
	struct arena *mem;
	struct json *open[LIMIT_JSON_DEPTH]; /* the arrays and objects around the cursor */
	size_t depth;
	struct shared_table names, strings;
};

static int damaged(const struct decoder *d, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "SMILE is damaged: %s at byte %zu of %zu", what, d->rd.pos,
		       d->rd.len);
}

static void share(struct shared_table *table, struct str text)
{
	if (!table->enabled)
		return;
	if (table->count == SHARED_MAX)
		table->count = 0;
	table->entries[table->count++] = text;
}

static int shared(struct decoder *d, const struct shared_table *table, size_t index,
		  struct str *out, struct err *err)
{
	if (index >= table->count)
		return damaged(d, "a reference to a text that was not there before", err);
	*out = table->entries[index];
	return 0;
}

static int check_utf8(struct decoder *d, struct str text, struct err *err)
{
	for (size_t at = 0, len; at < text.len; at += len) {
		len = utf8_length(text.ptr + at, text.len - at);
		if (len == 0)
			return damaged(d, "text that is not UTF-8", err);
	}
	return 0;
}

static int text_of_length(struct decoder *d, size_t len, struct str *out, struct err *err)
{
	const uint8_t *bytes = rd_bytes(&d->rd, len);

	if (!bytes)
		return damaged(d, "text that goes on behind the end", err);
	*out = str_of(bytes, len);
	return check_utf8(d, *out, err);
}

static int text_to_end_mark(struct decoder *d, struct str *out, struct err *err)
{
	const uint8_t *from = d->rd.bytes + d->rd.pos;
	const uint8_t *end = memchr(from, TOKEN_END_OF_TEXT, rd_left(&d->rd));
	int rc;

	if (!end)
		return damaged(d, "text without its end", err);
	rc = text_of_length(d, (size_t)(end - from), out, err);
	rd_skip(&d->rd, 1);
	return rc;
}

static int new_name(struct decoder *d, uint8_t token, struct str *out, struct err *err)
{
	int rc;

	if (token == 0x34)
		rc = text_to_end_mark(d, out, err);
	else if (token < 0xc0)
		rc = text_of_length(d, (size_t)token - 0x80 + 1, out, err);
	else
		rc = text_of_length(d, (size_t)token - 0xc0 + 2, out, err);
	if (rc == 0)
		share(&d->names, *out);
	return rc;
}

static int read_name(struct decoder *d, uint8_t token, struct str *out, struct err *err)
{
	if (token == 0x20) {
		*out = STR("");
		return 0;
	}
	if (token >= 0x30 && token <= 0x33)
		return shared(d, &d->names, (token & 3u) << 8 | rd_u8(&d->rd), out, err);
	if (token >= 0x40 && token <= 0x7f)
		return shared(d, &d->names, token - 0x40u, out, err);
	if (token == 0x34 || (token >= 0x80 && token <= 0xf7))
		return new_name(d, token, out, err);
	d->rd.pos--;
	return damaged(d, "no name of a member", err);
}

/* The text of a string token; 0x80 and above carry two bytes or more. */
static int read_string(struct decoder *d, uint8_t token, struct str *out, struct err *err)
{
	int rc;

	if (token == 0x20) {
		*out = STR("");
		return 0;
	}
	if (token < 0x20)
		return shared(d, &d->strings, token - 1u, out, err);
	if (token >= 0xec)
		return shared(d, &d->strings, (token & 3u) << 8 | rd_u8(&d->rd), out, err);
	if (token >= 0xe0)
		return text_to_end_mark(d, out, err);
	rc = text_of_length(d, token < 0x80 ? token - 0x40u + 1 : token - 0x80u + 2, out, err);
	/* One byte more than can be referred to fits the token; the generator does not count it. */
	if (rc == 0 && out->len <= 64)
		share(&d->strings, *out);
	return rc;
}

static bool is_string(uint8_t token)
{
	return (token >= 0x01 && token <= 0x20) || (token >= 0x40 && token <= 0xbf) ||
	       token == 0xe0 || token == 0xe4 || (token >= 0xec && token <= 0xef);
}

static bool is_number(uint8_t token)
{
	return (token >= 0x24 && token <= 0x2a) || (token >= 0xc0 && token <= 0xdf);
}

static struct str read_number(struct decoder *d, uint8_t token, bool *quoted)
{
	*quoted = false;
	if (token >= 0xc0)
		return arena_printf(d->mem, "%" PRId64, rd_zigzag(token & 0x1fu));
	return smile_number(token, &d->rd, d->mem, quoted);
}

static struct str read_binary(struct decoder *d, uint8_t token)
{
	size_t len;
	const uint8_t *bytes;

	if (token == 0xe8)
		return smile_packed_bytes(&d->rd, d->rd.len, d->mem);
	len = (size_t)smile_vint(&d->rd);
	bytes = rd_bytes(&d->rd, len);
	return str_of(bytes, bytes ? len : 0);
}

/* A value that is no array and no object. */
static int read_scalar(struct decoder *d, uint8_t token, struct json *value, struct err *err)
{
	bool quoted = false;

	if (is_string(token)) {
		value->type = JSON_STRING;
		return read_string(d, token, &value->text, err);
	}
	if (token >= 0x21 && token <= 0x23) {
		value->type = (enum json_type)(JSON_NULL + (token - 0x21));
		return 0;
	}
	if (is_number(token)) {
		value->text = read_number(d, token, &quoted);
		value->type = quoted ? JSON_STRING : JSON_NUMBER;
	} else if (token == 0xe8 || token == 0xfd) {
		value->text = read_binary(d, token);
		value->type = JSON_BINARY;
	} else {
		d->rd.pos--;
		return damaged(d, "an unknown value", err);
	}
	if (!value->text.ptr && d->mem->failed)
		return arena_fail(d->mem, "SMILE", err);
	return d->rd.failed ? damaged(d, "a number or binary that cannot be", err) : 0;
}

/* Reads one value (an array or object only as far as its start) and puts it where it belongs. */
static int read_value(struct decoder *d, uint8_t token, struct str key, struct json **root,
		      struct err *err)
{
	bool opens = token == 0xf8 || token == 0xfa;
	struct json *value = json_new(d->mem, token == 0xf8 ? JSON_ARRAY : JSON_OBJECT);
	int rc = 0;

	if (!value)
		return arena_fail(d->mem, "SMILE", err);
	if (opens && d->depth == LIMIT_JSON_DEPTH)
		return err_set(err, ERR_LIMIT, "SMILE nests deeper than %d levels",
			       LIMIT_JSON_DEPTH);
	if (!opens)
		rc = read_scalar(d, token, value, err);
	value->key = key;
	if (d->depth > 0)
		json_append(d->open[d->depth - 1], value);
	else
		*root = value;
	if (opens)
		d->open[d->depth++] = value;
	return rc;
}

/* The next member, element, or end of what is open. */
static int read_next(struct decoder *d, struct json **root, struct err *err)
{
	struct json *around = d->depth > 0 ? d->open[d->depth - 1] : NULL;
	struct str key = STR_NONE;
	uint8_t token = rd_u8(&d->rd);
	int rc;

	if (d->rd.failed)
		return damaged(d, "the end is missing", err);
	if (around && token == (around->type == JSON_OBJECT ? 0xfb : 0xf9)) {
		d->depth--;
		return 0;
	}
	if (around && around->type == JSON_OBJECT) {
		rc = read_name(d, token, &key, err);
		if (rc < 0)
			return rc;
		token = rd_u8(&d->rd);
		if (d->rd.failed)
			return damaged(d, "the end is missing", err);
	}
	return read_value(d, token, key, root, err);
}

static int read_header(struct decoder *d, struct err *err)
{
	const uint8_t *magic = rd_bytes(&d->rd, 3);
	uint8_t flags = rd_u8(&d->rd);

	if (!magic || memcmp(magic, ":)\n", 3) != 0)
		return err_set(err, ERR_FORMAT, "is not SMILE: does not start with ':)'");
	if (flags >> 4 != 0)
		return err_set(err, ERR_UNSUPPORTED, "is SMILE of the unknown version %d",
			       flags >> 4);
	d->names.enabled = flags & FLAG_SHARED_NAMES;
	d->strings.enabled = flags & FLAG_SHARED_STRINGS;
	return 0;
}

static int decode(struct decoder *d, struct json **out, struct err *err)
{
	struct json *root = NULL;
	int rc = read_header(d, err);

	if (rc < 0)
		return rc;
	do {
		rc = read_next(d, &root, err);
		if (rc < 0)
			return rc;
	} while (d->depth > 0);
	if (rd_left(&d->rd) == 1 && d->rd.bytes[d->rd.pos] == 0xff)
		d->rd.pos++;
	if (rd_left(&d->rd) > 0)
		return damaged(d, "more than one value", err);
	*out = root;
	return 0;
}

int smile_parse(struct str bytes, struct arena *mem, struct json **out, struct err *err)
{
	struct decoder *d = mem_zalloc(sizeof(*d));
	int rc;

	d->rd = rd_over(bytes);
	d->mem = mem;
	rc = decode(d, out, err);
	mem_freep(&d);
	return rc;
}
