#include "base/json_hash.h"

#include "base/json_internal.h"
#include "base/utf8.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define TEXT_MAX MIB(1024)
#define USUAL_NUMBER 20 /* bytes of one and what follows; not more than canonical numbers have */

/* An open array or object. */
struct json_hasher_level {
	bool object;
	uint64_t count;     /* of an object's members */
	struct hash128 sum; /* of theirs */
	size_t run;         /* where the run around an object began in hasher->text */
};

/* The run that is being read is text[run…], then what stands in the source from `from` on. */
struct walk {
	struct json_scan scan;
	struct json_hasher *hasher;
	struct buf *text;
	const char *from;
	size_t run;
	size_t depth;
};

static struct hash128 of_xxh(XXH128_hash_t h)
{
	return (struct hash128){h.low64, h.high64};
}

struct hash128 bytes_hash(struct str bytes)
{
	return of_xxh(XXH3_128bits(bytes.len ? bytes.ptr : "", bytes.len));
}

void json_hasher_init(struct json_hasher *hasher)
{
	*hasher = (struct json_hasher){.text = BUF_INIT(TEXT_MAX)};
}

void json_hasher_release(struct json_hasher *hasher)
{
	free(hasher->levels);
	buf_release(&hasher->text);
	json_hasher_init(hasher);
}

/* What was read of the run is as it should be, and what comes next is not. */
static void keep(struct walk *w)
{
	if (w->scan.at > w->from)
		buf_append(w->text, w->from, (size_t)(w->scan.at - w->from));
}

static __attribute__((noinline)) char skip_space(struct walk *w)
{
	struct json_scan *s = &w->scan;

	keep(w);
	json_scan_peek(s);
	w->from = s->at;
	return s->at < s->end ? *s->at : '\0';
}

/* The byte after white space, which is in no run. */
static inline char look(struct walk *w)
{
	if (LIKELY(w->scan.at < w->scan.end && (uint8_t)*w->scan.at > ' '))
		return *w->scan.at;
	return skip_space(w);
}

static struct hash128 end_run(struct walk *w)
{
	struct hash128 hash;

	if (LIKELY(w->text->len == w->run)) {
		hash = bytes_hash(str_of(w->from, (size_t)(w->scan.at - w->from)));
	} else {
		keep(w);
		hash = bytes_hash(str_from_offset(buf_str(w->text), w->run));
		w->text->len = w->run;
	}
	w->from = w->scan.at;
	return hash;
}

/* What json_canonical_string would leave as it is. */
static bool stays_escaped(const char *escape)
{
	switch (escape[1]) {
	case '"':
	case '\\':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return true;
	default:
		return false;
	}
}

/* The rest of a string from its first escape on, spelled otherwise maybe. */
static bool take_escaped(struct walk *w, const char *opened)
{
	struct json_scan *s = &w->scan;
	bool has_escapes;
	struct str raw;

	s->at = opened;
	if (!json_scan_string(s, &raw, &has_escapes))
		return false;
	if (opened + 1 > w->from)
		buf_append(w->text, w->from, (size_t)(opened + 1 - w->from));
	json_canonical_string(w->text, raw);
	w->from = s->at - 1;
	return true;
}

/* The opening quote is at s->at. */
static bool take_string(struct walk *w)
{
	struct json_scan *s = &w->scan;
	const char *opened = s->at++;

	for (;;) {
		s->at = json_plain_end(s->at, s->end);
		if (LIKELY(s->at < s->end && *s->at == '"')) {
			s->at++;
			return true;
		}
		if (s->end - s->at >= 2 && *s->at == '\\' && stays_escaped(s->at)) {
			s->at += 2;
			continue;
		}
		if (s->at == s->end || (uint8_t)*s->at < 0x80)
			return take_escaped(w, opened);
		do {
			size_t length = utf8_length(s->at, (size_t)(s->end - s->at));

			if (!length)
				return json_scan_refuse(s, "invalid UTF-8");
			s->at += length;
		} while (s->at < s->end && (uint8_t)*s->at >= 0x80);
	}
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Past a point and digits that do not end in zeros, if there is one; NULL: look closer. */
static const char *skip_fraction(const char *p, const char *end)
{
	const char *after;

	if (p == end || *p != '.')
		return p;
	after = skip_digits(p + 1, end);
	return after == p + 1 || after[-1] == '0' ? NULL : after;
}

/* Most numbers: 12, 0.5; false with s->at where it was: look closer. */
static bool take_usual_number(struct json_scan *s)
{
	const char *p = s->at, *end = s->end - s->at > USUAL_NUMBER ? s->at + USUAL_NUMBER : s->end;

	if (*p >= '1')
		p = skip_digits(p, end);
	else if (end - p > 1 && p[0] == '0' && p[1] == '.')
		p++;
	else
		return false;
	p = skip_fraction(p, end);
	if (!p || p == end || (*p != ',' && *p != '}' && *p != ']'))
		return false;
	s->at = p;
	return true;
}

static bool take_number(struct walk *w)
{
	const char *start = w->scan.at;
	struct str text;

	if (LIKELY(take_usual_number(&w->scan)))
		return true;
	if (!json_scan_number(&w->scan, &text))
		return false;
	if (LIKELY(json_number_is_canonical(text)))
		return true;
	if (start > w->from)
		buf_append(w->text, w->from, (size_t)(start - w->from));
	json_canonical_number(w->text, text);
	w->from = w->scan.at;
	return true;
}

static bool take_scalar(struct walk *w, char first)
{
	switch (first) {
	case '"':
		return take_string(w);
	case 't':
		return json_scan_word(&w->scan, "true");
	case 'f':
		return json_scan_word(&w->scan, "false");
	case 'n':
		return json_scan_word(&w->scan, "null");
	default:
		if (first == '-' || (first >= '0' && first <= '9'))
			return take_number(w);
		return json_scan_refuse_byte(&w->scan, "a value must stand here");
	}
}

/* A member's name and colon; a run begins within its quotes. */
static bool take_key(struct walk *w)
{
	struct json_scan *s = &w->scan;

	if (look(w) != '"')
		return json_scan_refuse_byte(s, "a name in quotes must stand here");
	w->run = w->text->len;
	w->from = s->at;
	if (!take_string(w))
		return false;
	if (look(w) != ':')
		return json_scan_refuse_byte(s, "a colon must follow the name");
	s->at++;
	return true;
}

/* s->at is at its bracket. An array is text of the run, an object is not. */
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
	hasher->levels[w->depth++] = (struct json_hasher_level){.object = object, .run = w->run};
	if (object)
		keep(w);
	w->scan.at++;
	if (object) {
		w->from = w->scan.at;
		w->run = w->text->len;
	}
	return true;
}

/* An object stands in the run around it as its sum, always of the same length. */
static void close_object(struct walk *w, const struct json_hasher_level *level)
{
	uint64_t form[] = {htole64(level->sum.low), htole64(level->sum.high),
			   htole64(level->count)};

	buf_append_byte(w->text, '{');
	buf_append(w->text, form, sizeof(form));
	w->run = level->run;
	w->from = w->scan.at;
}

/* A member has ended, or an element. */
static void end_value(struct walk *w)
{
	struct json_hasher_level *level = &w->hasher->levels[w->depth - 1];

	if (!level->object)
		return;
	level->count++;
	level->sum = hash128_add(level->sum, end_run(w));
}

/* Closes all that ends here. `ended`: a value has. *more: another one follows. */
static bool close_levels(struct walk *w, bool ended, bool *more)
{
	*more = false;
	for (; w->depth; ended = true) {
		struct json_hasher_level *level = &w->hasher->levels[w->depth - 1];
		char c = look(w);

		if (ended)
			end_value(w);
		if (c == ',') {
			w->scan.at++;
			*more = true;
			if (!level->object)
				return true;
			w->from = w->scan.at;
			return take_key(w);
		}
		if (c != (level->object ? '}' : ']'))
			return json_scan_refuse_byte(&w->scan,
						     level->object ? "',' or '}' must stand here"
								   : "',' or ']' must stand here");
		w->scan.at++;
		w->depth--;
		if (level->object)
			close_object(w, level);
	}
	return true;
}

static bool walk(struct walk *w)
{
	bool more = true;

	while (more) {
		char first = look(w);
		bool object = first == '{', inside = object || first == '[';

		if (inside) {
			if (!open_level(w, object))
				return false;
			if (look(w) != (object ? '}' : ']')) {
				if (object && !take_key(w))
					return false;
				continue;
			}
		} else if (!take_scalar(w, first)) {
			return false;
		}
		if (!close_levels(w, !inside, &more))
			return false;
	}
	look(w);
	return json_scan_end(&w->scan);
}

int json_hash(struct json_hasher *hasher, struct str text, struct hash128 *out, struct err *err)
{
	struct walk w = {.scan = json_scan_over(text), .hasher = hasher, .text = &hasher->text};

	buf_reset(&hasher->text);
	w.from = w.scan.at;
	if (!walk(&w))
		return json_scan_fail(&w.scan, err);
	*out = end_run(&w);
	return buf_check(&hasher->text, "a string of a source", err);
}
