/* An item:
 *
 *   byte mmmiiiii | argument | content
 *
 *   i   0-23 the argument itself, 24 25 26 27 it follows in 1 2 4 8 bytes, 31 indefinite length
 *   m   0    argument                     4   argument items, or until FF
 *       1    -1 - argument                5   argument pairs of items, or until FF
 *       2    argument bytes, or pieces    6   argument is a tag of the item that follows
 *       3    UTF-8, or pieces, until FF   7   F4 false, F5 true, F6 null, F7 undefined,
 *                                             F9 FA FB floats of 16, 32, 64 bits, FF end
 *
 *   tags  2 bytes are an integer, 3 bytes are an integer to be negated (which is Jackson's mistake
 *         on both sides, and so what Elasticsearch has indexed and shows; it should be -1 - bytes),
 *         4 [exponent, mantissa] is mantissa * 10^exponent
 *
 * Source: RFC 8949; jackson-dataformat-cbor 2.8.1 to 2.22.1 CBORParser, CBORGenerator. */
#include "documents/cbor.h"

#include "base/json_number.h"
#include "base/limits.h"
#include "base/rd.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

#define INFO_INDEFINITE 31
#define INDEFINITE UINT64_MAX
#define NO_TAG UINT64_MAX
#define TAG_BIG_POSITIVE 2
#define TAG_BIG_NEGATIVE 3
#define TAG_DECIMAL_FRACTION 4

struct head {
	size_t at; /* its first byte */
	enum major major;
	uint8_t info;
	uint64_t argument; /* 0 with INFO_INDEFINITE */
	uint64_t tag;      /* the innermost, or NO_TAG */
};

struct level {
	struct json *container;
	uint64_t left; /* children that are still to come, or INDEFINITE */
	bool decimal;  /* an array that is a decimal fraction */
};

struct decoder {
	struct rd rd;
	struct arena *mem;
	struct level open[LIMIT_JSON_DEPTH]; /* the arrays and objects around the cursor */
	size_t depth;
};

static int damaged_at(const struct decoder *d, size_t at, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "CBOR is damaged: %s at byte %zu of %zu", what, at,
		       d->rd.len);
}

static int cut(const struct decoder *d, struct err *err)
{
	return damaged_at(d, d->rd.pos, "the end is missing", err);
}

static int full(const struct decoder *d, struct err *err)
{
	return arena_fail(d->mem, "CBOR", err);
}

static uint64_t read_argument(struct rd *rd, uint8_t info)
{
	switch (info) {
	case 24:
		return rd_u8(rd);
	case 25:
		return rd_be16(rd);
	case 26:
		return rd_be32(rd);
	case 27:
		return rd_be64(rd);
	case INFO_INDEFINITE:
		return 0;
	default:
		return info;
	}
}

static bool ends(const struct head *head)
{
	return head->major == SIMPLE && head->info == INFO_INDEFINITE;
}

/* Only strings, arrays and maps are of indefinite length; what ends one of them has no tag. */
static bool can_be(const struct head *head)
{
	if (head->info != INFO_INDEFINITE)
		return head->info < 28;
	return ends(head) ? head->tag == NO_TAG : head->major >= BYTES && head->major <= MAP;
}

static int read_head(struct decoder *d, struct head *head, struct err *err)
{
	uint64_t tag = NO_TAG;

	for (;;) {
		size_t at = d->rd.pos;
		uint8_t byte = rd_u8(&d->rd);

		*head = (struct head){.at = at,
				      .major = (enum major)(byte >> 5),
				      .info = byte & 0x1f,
				      .tag = tag};
		if (!d->rd.failed && !can_be(head))
			return damaged_at(d, at, "a byte that starts no item", err);
		head->argument = read_argument(&d->rd, head->info);
		if (d->rd.failed)
			return cut(d, err);
		if (head->major != TAG)
			return 0;
		tag = head->argument;
	}
}

/* Walks the pieces of a string of indefinite length; copies them to `to` if that is not NULL. */
static int walk_pieces(struct decoder *d, enum major major, char *to, size_t *len, struct err *err)
{
	struct head piece;
	const uint8_t *bytes;
	int rc;

	*len = 0;
	while ((rc = read_head(d, &piece, err)) == 0 && !ends(&piece)) {
		if (piece.major != major || piece.info == INFO_INDEFINITE)
			return damaged_at(d, piece.at, "a piece that does not belong", err);
		bytes = rd_bytes(&d->rd, (size_t)piece.argument);
		if (!bytes)
			return cut(d, err);
		if (to)
			memcpy(to + *len, bytes, (size_t)piece.argument);
		*len += (size_t)piece.argument;
	}
	return rc;
}

static int read_pieces(struct decoder *d, enum major major, struct str *out, struct err *err)
{
	size_t start = d->rd.pos, len;
	int rc = walk_pieces(d, major, NULL, &len, err);
	char *joined;

	if (rc < 0)
		return rc;
	joined = arena_alloc(d->mem, len);
	if (!joined)
		return full(d, err);
	d->rd.pos = start;
	*out = str_of(joined, len);
	return walk_pieces(d, major, joined, &len, err);
}

/* The bytes of a text or byte string. */
static int read_bytes(struct decoder *d, const struct head *head, struct str *out, struct err *err)
{
	const uint8_t *bytes;

	if (head->info == INFO_INDEFINITE)
		return read_pieces(d, head->major, out, err);
	bytes = rd_bytes(&d->rd, (size_t)head->argument);
	if (!bytes)
		return cut(d, err);
	*out = str_of(bytes, (size_t)head->argument);
	return 0;
}

static int read_text(struct decoder *d, const struct head *head, struct str *out, struct err *err)
{
	int rc = read_bytes(d, head, out, err);

	for (size_t at = 0, len; rc == 0 && at < out->len; at += len) {
		len = utf8_length(out->ptr + at, out->len - at);
		if (len == 0)
			rc = damaged_at(d, head->at, "text that is not UTF-8", err);
	}
	return rc;
}

static struct str integer_text(struct arena *mem, const struct head *head)
{
	if (head->major == UNSIGNED)
		return arena_printf(mem, "%" PRIu64, head->argument);
	if (head->argument == UINT64_MAX)
		return arena_str(mem, STR("-18446744073709551616"));
	return arena_printf(mem, "-%" PRIu64, head->argument + 1);
}

/* Tags 2 and 3. */
static int big_integer(struct decoder *d, const struct head *head, struct str magnitude,
		       struct json *value, struct err *err)
{
	uint8_t bytes[JSON_NUMBER_BYTES_MAX] = {0}; /* one zero in front: no sign */
	bool negative = head->tag == TAG_BIG_NEGATIVE;

	if (magnitude.len >= sizeof(bytes))
		return err_set(err, ERR_LIMIT,
			       "CBOR has an integer of %zu bytes at byte %zu, more than %zu",
			       magnitude.len, head->at, sizeof(bytes) - 1);
	if (magnitude.len > 0)
		memcpy(bytes + 1, magnitude.ptr, magnitude.len);
	value->type = JSON_NUMBER;
	value->text = json_number_of_integer(d->mem, str_of(bytes, magnitude.len + 1));
	if (negative && value->text.ptr && !str_is(value->text, "0"))
		value->text = arena_printf(d->mem, "-" STR_FMT, STR_ARG(value->text));
	return value->text.ptr ? 0 : full(d, err);
}

/* Sign, 5 bits of exponent with the bias 15, 10 bits of fraction. */
static float half_float(uint16_t bits)
{
	int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
	float value;

	if (exponent == 31)
		value = fraction ? NAN : INFINITY;
	else if (exponent == 0)
		value = ldexpf((float)fraction, -24);
	else
		value = ldexpf((float)(fraction + 1024), exponent - 25);
	return bits & 0x8000 ? -value : value;
}

static int read_float(struct decoder *d, const struct head *head, struct json *value,
		      struct err *err)
{
	uint32_t bits = (uint32_t)head->argument;
	double wide;
	float single;

	memcpy(&wide, &head->argument, sizeof(wide));
	memcpy(&single, &bits, sizeof(single));
	if (head->info == 25)
		single = half_float((uint16_t)head->argument);
	if (head->info != 27)
		wide = (double)single;
	value->type = isfinite(wide) ? JSON_NUMBER : JSON_STRING;
	value->text = head->info == 27 ? json_number_of_double(d->mem, wide)
				       : json_number_of_float(d->mem, single);
	return value->text.ptr ? 0 : full(d, err);
}

static int read_simple(struct decoder *d, const struct head *head, struct json *value,
		       struct err *err)
{
	switch (head->info) {
	case 20:
		value->type = JSON_FALSE;
		return 0;
	case 21:
		value->type = JSON_TRUE;
		return 0;
	case 22:
	case 23:
		value->type = JSON_NULL;
		return 0;
	case 25:
	case 26:
	case 27:
		return read_float(d, head, value, err);
	default:
		return damaged_at(d, head->at, "a simple value that means nothing in JSON", err);
	}
}

/* A value that is no array and no map. */
static int read_scalar(struct decoder *d, const struct head *head, struct json *value,
		       struct err *err)
{
	int rc;

	switch (head->major) {
	case UNSIGNED:
	case NEGATIVE:
		value->type = JSON_NUMBER;
		value->text = integer_text(d->mem, head);
		return value->text.ptr ? 0 : full(d, err);
	case TEXT:
		value->type = JSON_STRING;
		return read_text(d, head, &value->text, err);
	case BYTES:
		value->type = JSON_BINARY;
		rc = read_bytes(d, head, &value->text, err);
		if (rc == 0 && (head->tag == TAG_BIG_POSITIVE || head->tag == TAG_BIG_NEGATIVE))
			rc = big_integer(d, head, value->text, value, err);
		return rc;
	case SIMPLE:
		return read_simple(d, head, value, err);
	case ARRAY:
	case MAP:
	case TAG:
		break;
	}
	BUG("no scalar");
}

/* An array or map is on the stack from its head on; its children follow. */
static int open_container(struct decoder *d, const struct head *head, struct json *value,
			  struct err *err)
{
	bool counted = head->info != INFO_INDEFINITE;
	uint64_t children = counted ? head->argument : INDEFINITE;

	if (d->depth == LIMIT_JSON_DEPTH)
		return err_set(err, ERR_LIMIT, "CBOR nests deeper than %d levels",
			       LIMIT_JSON_DEPTH);
	/* Each child takes a byte at least, each pair two. */
	if (counted && children > rd_left(&d->rd) / (head->major == MAP ? 2 : 1))
		return damaged_at(d, head->at, "more children than bytes", err);
	value->type = head->major == MAP ? JSON_OBJECT : JSON_ARRAY;
	d->open[d->depth++] = (struct level){
		.container = value,
		.left = children,
		.decimal = head->major == ARRAY && head->tag == TAG_DECIMAL_FRACTION,
	};
	return 0;
}

static bool is_integer(const struct json *v)
{
	return v->type == JSON_NUMBER && !memchr(v->text.ptr, '.', v->text.len) &&
	       !memchr(v->text.ptr, 'E', v->text.len);
}

/* Makes the number of an array [exponent, mantissa]. Jackson wrote and read the exponent with the
 * wrong sign before 2.10, so one above 0 is two numbers at once: mostly meant were places behind
 * the point. */
static int close_decimal(struct decoder *d, struct json *array, struct err *err)
{
	struct json *exponent = array->first, *mantissa = array->last;
	int64_t power;

	if (array->count != 2 || !is_integer(exponent) || !is_integer(mantissa))
		return damaged_at(d, d->rd.pos, "a decimal fraction of other than two integers",
				  err);
	power = json_i64_or(exponent, INT64_MAX);
	if (power > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "CBOR has a decimal fraction with the exponent " STR_FMT
			       " before byte %zu of %zu, which versions of Elasticsearch read "
			       "with different signs",
			       STR_ARG(exponent->text), d->rd.pos, d->rd.len);
	if (power < -INT32_MAX)
		return damaged_at(d, d->rd.pos, "the exponent of a decimal fraction", err);
	array->type = JSON_NUMBER;
	array->text = json_number_of_decimal(d->mem, mantissa->text, (int32_t)-power);
	array->first = array->last = NULL;
	array->count = 0;
	return array->text.ptr ? 0 : full(d, err);
}

/* Takes what is complete off the stack. */
static int close_containers(struct decoder *d, struct err *err)
{
	int rc = 0;

	while (rc == 0 && d->depth > 0 && d->open[d->depth - 1].left == 0) {
		struct level *level = &d->open[--d->depth];

		if (level->decimal)
			rc = close_decimal(d, level->container, err);
	}
	return rc;
}

static int name_of(struct decoder *d, const struct head *head, struct str *name, struct err *err)
{
	if (head->major == TEXT || head->major == BYTES)
		return read_text(d, head, name, err);
	if (head->major != UNSIGNED && head->major != NEGATIVE)
		return damaged_at(d, head->at, "a name that is neither text nor integer", err);
	*name = integer_text(d->mem, head);
	return name->ptr ? 0 : full(d, err);
}

/* The name of the member that comes next, and the head of its value. */
static int read_name(struct decoder *d, struct head *head, struct str *name, struct err *err)
{
	int rc = name_of(d, head, name, err);

	return rc < 0 ? rc : read_head(d, head, err);
}

static int read_value(struct decoder *d, const struct head *head, struct str name,
		      struct json **root, struct err *err)
{
	struct json *value = json_new(d->mem, JSON_NULL);
	struct level *around = d->depth > 0 ? &d->open[d->depth - 1] : NULL;
	int rc;

	if (!value)
		return full(d, err);
	if (head->major == ARRAY || head->major == MAP)
		rc = open_container(d, head, value, err);
	else if (ends(head))
		rc = damaged_at(d, head->at, "an end that ends nothing", err);
	else
		rc = read_scalar(d, head, value, err);
	if (rc < 0)
		return rc;
	value->key = name;
	if (!around) {
		*root = value;
		return 0;
	}
	json_append(around->container, value);
	if (around->left != INDEFINITE)
		around->left--;
	return 0;
}

/* The next member, element, or end of what is open. */
static int read_next(struct decoder *d, struct json **root, struct err *err)
{
	struct level *around = d->depth > 0 ? &d->open[d->depth - 1] : NULL;
	struct str name = STR_NONE;
	struct head head;
	int rc = read_head(d, &head, err);

	if (rc < 0)
		return rc;
	if (around && around->left == INDEFINITE && ends(&head)) {
		around->left = 0;
		return close_containers(d, err);
	}
	if (around && around->container->type == JSON_OBJECT) {
		rc = read_name(d, &head, &name, err);
		if (rc < 0)
			return rc;
	}
	rc = read_value(d, &head, name, root, err);
	return rc < 0 ? rc : close_containers(d, err);
}

int cbor_parse(struct str bytes, struct arena *mem, struct json **out, struct err *err)
{
	cleanup(mem_freep) struct decoder *d = mem_zalloc(sizeof(*d));
	struct json *root = NULL;
	int rc;

	d->rd = rd_over(bytes);
	d->mem = mem;
	do {
		rc = read_next(d, &root, err);
		if (rc < 0)
			return rc;
	} while (d->depth > 0);
	if (rd_left(&d->rd) > 0)
		return damaged_at(d, d->rd.pos, "more than one item", err);
	*out = root;
	return 0;
}
