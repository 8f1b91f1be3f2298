#include "base/json_hash.h"

#include "base/json_internal.h"
#include "base/json_number_text.h"

#include <stdlib.h>
#include <xxhash.h>

/* What a value is goes into its hash: "1" and 1 differ, [] and {} do. */
enum value_kind { KIND_STRING = 1, KIND_NUMBER, KIND_WORD, KIND_ARRAY, KIND_OBJECT };

#define STRING_MAX MIB(1024)

/* An open array or object. */
struct json_hasher_level {
	bool object;
	uint64_t count;
	struct hash128
		sum; /* of an object's members; of an array, what its elements came to so far */
	struct hash128 key; /* of the member whose value comes next */
};

struct walk {
	struct json_scan scan;
	struct json_hasher *hasher;
	size_t depth;
	bool full;
};

static struct hash128 of_xxh(XXH128_hash_t h)
{
	return (struct hash128){h.low64, h.high64};
}

struct hash128 bytes_hash(struct str bytes)
{
	return of_xxh(XXH3_128bits(bytes.len ? bytes.ptr : "", bytes.len));
}

static struct hash128 scalar_hash(struct str bytes, enum value_kind kind)
{
	return of_xxh(XXH3_128bits_withSeed(bytes.len ? bytes.ptr : "", bytes.len, kind));
}

static struct hash128 join(struct hash128 a, struct hash128 b, uint64_t seed)
{
	struct hash128 both[2] = {a, b};

	return of_xxh(XXH3_128bits_withSeed(both, sizeof(both), seed));
}

void json_hasher_init(struct json_hasher *hasher)
{
	*hasher = (struct json_hasher){.text = BUF_INIT(STRING_MAX)};
}

void json_hasher_release(struct json_hasher *hasher)
{
	free(hasher->levels);
	buf_release(&hasher->text);
	json_hasher_init(hasher);
}

static bool refuse_full(struct walk *w)
{
	w->full = true;
	return false;
}

static bool string_hash(struct walk *w, struct str raw, bool has_escapes, struct hash128 *out)
{
	char *to;

	if (has_escapes) {
		buf_reset(&w->hasher->text);
		to = buf_reserve(&w->hasher->text, raw.len);
		if (!to)
			return refuse_full(w);
		raw = str_of(to, json_unescape(raw, to));
	}
	*out = scalar_hash(raw, KIND_STRING);
	return true;
}

static bool number_hash(struct walk *w, struct str text, struct hash128 *out)
{
	struct json_decimal d = json_decimal_of(text);
	struct buf *form = &w->hasher->text;

	if (!d.exact) {
		*out = scalar_hash(text, KIND_NUMBER);
		return true;
	}
	buf_reset(form);
	buf_append_byte(form, d.negative ? '-' : '+');
	buf_append(form, &d.exponent, sizeof(d.exponent));
	buf_append(form, d.digits.ptr, d.point);
	buf_append_str(form, str_from_offset(d.digits, d.point + 1));
	if (form->failed)
		return refuse_full(w);
	*out = scalar_hash(buf_str(form), KIND_NUMBER);
	return true;
}

static bool word_hash(struct walk *w, const char *word, struct hash128 *out)
{
	*out = scalar_hash(str_from(word), KIND_WORD);
	return json_scan_word(&w->scan, word);
}

static bool hash_scalar(struct walk *w, char first, struct hash128 *out)
{
	struct str text;
	bool has_escapes;

	switch (first) {
	case '"':
		return json_scan_string(&w->scan, &text, &has_escapes) &&
		       string_hash(w, text, has_escapes, out);
	case 't':
		return word_hash(w, "true", out);
	case 'f':
		return word_hash(w, "false", out);
	case 'n':
		return word_hash(w, "null", out);
	default:
		if (first == '-' || (first >= '0' && first <= '9'))
			return json_scan_number(&w->scan, &text) && number_hash(w, text, out);
		return json_scan_refuse_byte(&w->scan, "a value must stand here");
	}
}

static bool hash_key(struct walk *w)
{
	struct str raw;
	bool has_escapes;

	return json_scan_key(&w->scan, &raw, &has_escapes) &&
	       string_hash(w, raw, has_escapes, &w->hasher->levels[w->depth - 1].key);
}

static bool open_level(struct walk *w, bool object)
{
	struct json_hasher *hasher = w->hasher;

	if (w->depth == LIMIT_JSON_SCAN_DEPTH)
		return json_scan_refuse(&w->scan, "nested too deep");
	if (w->depth == hasher->level_capacity) {
		hasher->level_capacity = MAX(hasher->level_capacity * 2, (size_t)32);
		hasher->levels = mem_realloc(hasher->levels,
					     hasher->level_capacity * sizeof(*hasher->levels));
	}
	hasher->levels[w->depth++] = (struct json_hasher_level){.object = object};
	return true;
}

/* A value has ended: into what is open around it. */
static void add_value(struct walk *w, struct hash128 value)
{
	struct json_hasher_level *level = &w->hasher->levels[w->depth - 1];

	level->count++;
	if (level->object)
		level->sum = hash128_add(level->sum, join(level->key, value, KIND_OBJECT));
	else
		level->sum = join(level->sum, value, KIND_ARRAY);
}

static struct hash128 close_level(struct walk *w)
{
	const struct json_hasher_level *level = &w->hasher->levels[--w->depth];
	struct hash128 count = {level->count, level->object ? KIND_OBJECT : KIND_ARRAY};

	return join(level->sum, count, 0);
}

/* Closes all that ends here; *value becomes the outermost. `ended`: *value is to be added first.
 * *more: another value follows. */
static bool close_levels(struct walk *w, struct hash128 *value, bool ended, bool *more)
{
	*more = false;
	for (; w->depth; ended = true) {
		bool object = w->hasher->levels[w->depth - 1].object;
		char c = json_scan_peek(&w->scan);

		if (ended)
			add_value(w, *value);
		if (c == ',') {
			w->scan.at++;
			*more = true;
			return !object || hash_key(w);
		}
		if (c != (object ? '}' : ']'))
			return json_scan_refuse_byte(&w->scan,
						     object ? "',' or '}' must stand here"
							    : "',' or ']' must stand here");
		w->scan.at++;
		*value = close_level(w);
	}
	return true;
}

static bool walk(struct walk *w, struct hash128 *out)
{
	bool more = true;

	while (more) {
		char first = json_scan_peek(&w->scan);
		bool object = first == '{', inside = object || first == '[';

		if (inside) {
			if (!open_level(w, object))
				return false;
			w->scan.at++;
			if (json_scan_peek(&w->scan) != (object ? '}' : ']')) {
				if (object && !hash_key(w))
					return false;
				continue;
			}
		} else if (!hash_scalar(w, first, out)) {
			return false;
		}
		if (!close_levels(w, out, !inside, &more))
			return false;
	}
	return json_scan_end(&w->scan);
}

int json_hash(struct json_hasher *hasher, struct str text, struct hash128 *out, struct err *err)
{
	struct walk w = {.scan = json_scan_over(text), .hasher = hasher};
	struct hash128 hash = {0};

	if (!walk(&w, &hash)) {
		if (w.full)
			return buf_check(&hasher->text, "a string of a source", err);
		return json_scan_fail(&w.scan, err);
	}
	*out = hash;
	return 0;
}
