#include "transform/script_digits.h"

#include "transform/script_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGEST STR("1.7976931348623157e308")
#define LARGEST_NEGATIVE STR("-1.7976931348623157e308")

void script_digits_release(struct script_digits *digits)
{
	free(digits->numbers);
	*digits = (struct script_digits){0};
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return x;
}

static uint64_t hash_key(struct str key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
	return mix(hash);
}

/* Where a walk is. */
struct place {
	uint64_t hash, key_hash;
	bool indexed;
};

static struct place place_of(const struct place *parent, bool in_array, const struct json *child,
			     uint64_t index)
{
	struct place place = {.indexed = parent->indexed || in_array};

	/* What is in an array goes by the name of the array. */
	place.key_hash = in_array ? parent->key_hash : hash_key(child->key);
	place.hash = mix(parent->hash * 31 + (in_array ? index : place.key_hash));
	return place;
}

static void note_number(struct script_digits *digits, struct json *number,
			const struct place *place)
{
	struct script_number *noted;

	if (!digits->all && script_number_is_kept(number->text))
		return;
	if (digits->count == digits->capacity) {
		digits->capacity = MAX(digits->capacity * 2, (size_t)32);
		digits->numbers =
			mem_realloc(digits->numbers, digits->capacity * sizeof(*digits->numbers));
	}
	noted = &digits->numbers[digits->count++];
	*noted = (struct script_number){.number = number,
					.place = place->hash,
					.key_hash = place->key_hash,
					.value = script_number_value(number->text),
					.text = number->text,
					.indexed = place->indexed};
	noted->inexact = script_number_is_inexact(number->text, noted->value);
}

static void note_below(struct script_digits *digits, struct json *parent, const struct place *place)
{
	bool in_array = parent->type == JSON_ARRAY;
	uint64_t index = 0;

	json_each (child, parent) {
		struct place below;

		index++;
		if (child->type != JSON_NUMBER && !child->first)
			continue;
		below = place_of(place, in_array, child, index);
		if (child->type == JSON_NUMBER)
			note_number(digits, child, &below);
		else
			note_below(digits, child, &below);
	}
}

static int by_value(const void *left, const void *right)
{
	const struct script_number *a = left, *b = right;

	return (a->value > b->value) - (a->value < b->value);
}

static bool has_inexact(const struct script_digits *digits)
{
	for (size_t i = 0; i < digits->count; i++)
		if (digits->numbers[i].inexact)
			return true;
	return false;
}

void script_digits_note(struct script_digits *digits, struct json *message)
{
	const struct place root = {0};

	digits->count = 0;
	digits->all = false;
	note_below(digits, message, &root);
	/* Another number may be the same double, and must not be taken for one that moved. */
	if (has_inexact(digits)) {
		digits->count = 0;
		digits->all = true;
		note_below(digits, message, &root);
	}
	if (digits->count > 1)
		qsort(digits->numbers, digits->count, sizeof(*digits->numbers), by_value);
}

/* The noted numbers of one value. */
struct range {
	struct script_number *from, *to;
};

static struct range range_of(const struct script_digits *digits, double value)
{
	size_t low = 0, high = digits->count;
	struct range range;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (digits->numbers[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	range.from = range.to = digits->numbers + low;
	while (range.to < digits->numbers + digits->count && range.to->value == value)
		range.to++;
	return range;
}

/* A number that came back where none of its value was. */
struct stray {
	struct json *number;
	double value;
	uint64_t key_hash;
};

struct search {
	struct script_digits *digits;
	struct stray *strays;
	size_t count, capacity;
};

static void search_release(struct search *search)
{
	free(search->strays);
}

static void add_stray(struct search *search, struct json *number, double value,
		      const struct place *place)
{
	if (search->count == search->capacity) {
		search->capacity = MAX(search->capacity * 2, (size_t)32);
		search->strays =
			mem_realloc(search->strays, search->capacity * sizeof(*search->strays));
	}
	search->strays[search->count++] = (struct stray){number, value, place->key_hash};
}

static void find_number(struct search *search, struct json *number, const struct place *place)
{
	double value = script_number_value(number->text);
	struct range range = range_of(search->digits, value);

	for (struct script_number *one = range.from; one < range.to; one++) {
		if (one->place != place->hash)
			continue;
		number->text = one->text;
		one->found = true;
		return;
	}
	if (range.from < range.to)
		add_stray(search, number, value, place);
}

static void find_below(struct search *search, struct json *parent, const struct place *place)
{
	bool in_array = parent->type == JSON_ARRAY;
	uint64_t index = 0;

	json_each (child, parent) {
		struct place below;

		index++;
		if (child->type != JSON_NUMBER && !child->first)
			continue;
		below = place_of(place, in_array, child, index);
		if (child->type == JSON_NUMBER)
			find_number(search, child, &below);
		else
			find_below(search, child, &below);
	}
}

/* Two texts of one double, and they are not the same number. */
static bool is_ambiguous(struct range range)
{
	bool inexact = false, differ = false;

	for (struct script_number *one = range.from; one < range.to; one++) {
		inexact |= one->inexact;
		differ |= !str_eq(one->text, range.from->text);
	}
	return inexact && differ;
}

static int cannot_tell(struct range range, struct err *err)
{
	struct script_number *other = range.from;

	while (other + 1 < range.to && str_eq(other->text, range.from->text))
		other++;
	return err_set(err, ERR_FORMAT,
		       "the script moves numbers that JavaScript takes for the same, %.*s and "
		       "%.*s; leave them where they are, or make them strings at the source",
		       (int)MIN(range.from->text.len, (size_t)60), range.from->text.ptr,
		       (int)MIN(other->text.len, (size_t)60), other->text.ptr);
}

/* The one text of those that are missing at their place (and, if asked for, have the key). */
static struct script_number *missing_one(struct range range, const uint64_t *key_hash)
{
	struct script_number *missing = NULL;

	for (struct script_number *one = range.from; one < range.to; one++) {
		if (one->found || (key_hash && one->key_hash != *key_hash))
			continue;
		if (missing && !str_eq(missing->text, one->text))
			return NULL;
		missing = missing ? missing : one;
	}
	return missing;
}

static int place_stray(const struct script_digits *digits, const struct stray *stray,
		       struct err *err)
{
	struct range range = range_of(digits, stray->value);
	struct script_number *one;

	if (is_ambiguous(range))
		return cannot_tell(range, err);
	one = missing_one(range, &stray->key_hash);
	if (!one)
		one = missing_one(range, NULL);
	if (one) {
		stray->number->text = one->text;
		one->found = true;
	} else if (range.from->inexact) {
		stray->number->text = range.from->text;
	}
	return 0;
}

/* In an array, numbers may have moved up into the place of another that is the same double. */
static int check_shifts(const struct script_digits *digits, struct err *err)
{
	for (size_t i = 0; i < digits->count; i++) {
		const struct script_number *number = &digits->numbers[i];
		struct range range;

		if (number->found || !number->indexed)
			continue;
		range = range_of(digits, number->value);
		if (!is_ambiguous(range))
			continue;
		for (struct script_number *one = range.from; one < range.to; one++)
			if (one->found && one->indexed)
				return cannot_tell(range, err);
	}
	return 0;
}

int script_digits_restore(struct script_digits *digits, struct json *returned, struct err *err)
{
	cleanup(search_release) struct search search = {.digits = digits};
	const struct place root = {0};

	if (digits->count == 0)
		return 0;
	for (size_t i = 0; i < digits->count; i++)
		digits->numbers[i].found = false;
	find_below(&search, returned, &root);
	for (size_t i = 0; i < search.count; i++)
		if (place_stray(digits, &search.strays[i], err) < 0)
			return -(int)err->kind;
	return check_shifts(digits, err);
}

static bool is_beyond(const struct script_number *number)
{
	return number->inexact && fabs(number->value) == DBL_MAX;
}

void script_digits_write(const struct script_digits *digits, const struct json *message,
			 struct buf *out)
{
	for (size_t i = 0; i < digits->count; i++)
		if (is_beyond(&digits->numbers[i]))
			digits->numbers[i].number->text =
				digits->numbers[i].value < 0 ? LARGEST_NEGATIVE : LARGEST;
	json_write(out, message);
	for (size_t i = 0; i < digits->count; i++)
		digits->numbers[i].number->text = digits->numbers[i].text;
}
