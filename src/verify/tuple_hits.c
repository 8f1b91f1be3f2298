/* Hits and buckets: found by what they are, not by where they stand. */
#include "verify/tuple_compare_internal.h"

#include "base/json_number_text.h"

#include <stdlib.h>

struct hits_pair {
	const struct json *source, *target;
	size_t source_position, target_position;
};

static bool is_number(const struct json *value)
{
	return value && value->type == JSON_NUMBER;
}

static double double_of(const struct json *number)
{
	char text[64];
	size_t len = MIN(number->text.len, sizeof(text) - 1);

	memcpy(text, number->text.ptr, len);
	text[len] = '\0';
	return strtod(text, NULL);
}

static bool scores_equal(const struct tuple_comparison *c, const struct json *a,
			 const struct json *b)
{
	if (!is_number(a) || !is_number(b))
		return is_number(a) == is_number(b);
	return json_numbers_equal(a->text, b->text) ||
	       tuple_scores_equal(c->rules, double_of(a), double_of(b));
}

/* A key of a sort is a score where it is the hit's own. */
static bool is_score_of(const struct json *key, const struct json *hit)
{
	const struct json *score = json_get(hit, "_score");

	return is_number(key) && is_number(score) && json_numbers_equal(key->text, score->text);
}

static bool sort_keys_equal(const struct tuple_comparison *c, const struct json *a_hit,
			    const struct json *b_hit)
{
	const struct json *a = json_get(a_hit, "sort"), *b = json_get(b_hit, "sort");

	a = a ? a->first : NULL;
	b = b ? b->first : NULL;
	for (; a && b; a = a->next, b = b->next) {
		if (is_score_of(a, a_hit) && is_score_of(b, b_hit)) {
			if (!scores_equal(c, a, b))
				return false;
		} else if (is_number(a) && is_number(b)) {
			if (!json_numbers_equal(a->text, b->text))
				return false;
		} else if (!json_equal(a, b)) {
			return false;
		}
	}
	return !a && !b;
}

/* Whether either could stand before the other. */
static bool same_rank(const struct tuple_comparison *c, const struct json *a, const struct json *b)
{
	if (json_get(a, "sort") || json_get(b, "sort"))
		return sort_keys_equal(c, a, b);
	return scores_equal(c, json_get(a, "_score"), json_get(b, "_score"));
}

static struct str key_of_hit(struct arena *mem, const struct json *hit)
{
	struct str index = json_string(json_get(hit, "_index"));
	struct str id = json_text_or(json_get(hit, "_id"), STR_NONE);

	return arena_printf(mem, STR_FMT "/" STR_FMT, STR_ARG(index), STR_ARG(id));
}

bool tuple_are_hits(const struct json *source, const struct json *target)
{
	const struct json *a = json_get(source, "hits"), *b = json_get(target, "hits");

	return a && b && a->type == JSON_ARRAY && b->type == JSON_ARRAY;
}

/* A number until version 6, {"value", "relation"} from 7 on. */
static const struct json *total_value(const struct json *total)
{
	return total && total->type == JSON_OBJECT ? json_get(total, "value") : total;
}

static struct str total_relation(const struct json *total)
{
	struct str relation = json_string(json_get(total, "relation"));

	return relation.len ? relation : STR("eq");
}

static void compare_totals(struct tuple_comparison *c, const struct json *source,
			   const struct json *target)
{
	const struct json *a = total_value(source), *b = total_value(target);
	size_t mark;

	if (!a && !b)
		return;
	if (is_number(a) && is_number(b) && json_numbers_equal(a->text, b->text) &&
	    str_eq(total_relation(source), total_relation(target)))
		return;
	mark = tuple_path_push(c, STR("total"));
	tuple_tell(c, TUPLE_TOTAL, source, target);
	tuple_path_pop(c, mark);
}

static void compare_hit(struct tuple_comparison *c, const struct json *source,
			const struct json *target)
{
	static const char *const handled[] = {"_score", "sort", NULL};
	const struct json *a = json_get(source, "_score"), *b = json_get(target, "_score");
	size_t mark;

	if (!scores_equal(c, a, b)) {
		mark = tuple_path_push(c, STR("_score"));
		tuple_tell(c, TUPLE_SCORE, a, b);
		tuple_path_pop(c, mark);
	} else if (!sort_keys_equal(c, source, target)) {
		mark = tuple_path_push(c, STR("sort"));
		tuple_tell(c, TUPLE_FIELD_CHANGED, json_get(source, "sort"),
			   json_get(target, "sort"));
		tuple_path_pop(c, mark);
	}
	if (source->type == JSON_OBJECT && target->type == JSON_OBJECT)
		tuple_compare_members(c, source, target, TUPLE_AREA_ANSWER, handled);
	else
		tuple_compare_values(c, source, target, TUPLE_AREA_ANSWER);
}

static int by_target_position(const void *a, const void *b)
{
	const struct hits_pair *x = a, *y = b;

	return (x->target_position > y->target_position) -
	       (x->target_position < y->target_position);
}

/* Pairs come in the source's order. In the target's order, none may stand behind one that is
 * ranked lower than it on the source. */
static void compare_order(struct tuple_comparison *c, struct hits_pair *pairs, size_t count,
			  bool (*same)(const struct tuple_comparison *, const struct json *,
				       const struct json *),
			  enum tuple_difference kind)
{
	size_t group = 0, highest = 0;

	/* From here on the position on the source is that of its group. */
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && !same(c, pairs[i - 1].source, pairs[i].source))
			group++;
		pairs[i].source_position = group;
	}
	qsort(pairs, count, sizeof(*pairs), by_target_position);
	for (size_t i = 0; i < count; i++) {
		/* Ranks that the target gave anew, by scores that moved, are told as scores. */
		if (pairs[i].source_position < highest &&
		    !same(c, pairs[i - 1].target, pairs[i].target)) {
			tuple_tell(c, kind, pairs[i].source, pairs[i].target);
			return;
		}
		highest = MAX(highest, pairs[i].source_position);
	}
}

/* Pages that end among hits of one rank may end with any of them. */
static bool is_cut(const struct tuple_comparison *c, const struct json *hit,
		   const struct json *source, const struct json *target)
{
	return source->last && target->last && same_rank(c, hit, source->last) &&
	       same_rank(c, hit, target->last);
}

static void tell_lone_hit(struct tuple_comparison *c, enum tuple_difference kind,
			  const struct json *hit, size_t position)
{
	bool missing = kind == TUPLE_HIT_MISSING || kind == TUPLE_BUCKET_MISSING;
	size_t mark = tuple_path_push_position(c, position);

	tuple_tell(c, kind, missing ? hit : NULL, missing ? NULL : hit);
	tuple_path_pop(c, mark);
}

static void tell_lone_hits(struct tuple_comparison *c, const struct hits_pair *missing,
			   size_t missing_count, const struct tuple_keys *keys,
			   const struct json *source, const struct json *target)
{
	size_t cut[2] = {0, 0}, excused;

	for (size_t i = 0; i < missing_count; i++)
		cut[0] += is_cut(c, missing[i].source, source, target);
	for (size_t i = 0; i < keys->count; i++)
		cut[1] += !keys->items[i].taken && is_cut(c, keys->items[i].value, source, target);
	excused = source->count == target->count ? MIN(cut[0], cut[1]) : 0;
	cut[0] = cut[1] = excused;
	for (size_t i = 0; i < missing_count; i++) {
		if (cut[0] > 0 && is_cut(c, missing[i].source, source, target))
			cut[0]--;
		else
			tell_lone_hit(c, TUPLE_HIT_MISSING, missing[i].source,
				      missing[i].source_position);
	}
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->items[i].taken)
			continue;
		if (cut[1] > 0 && is_cut(c, keys->items[i].value, source, target))
			cut[1]--;
		else
			tell_lone_hit(c, TUPLE_HIT_EXTRA, keys->items[i].value,
				      keys->items[i].position);
	}
}

static void compare_lists(struct tuple_comparison *c, const struct json *source,
			  const struct json *target)
{
	struct tuple_keys keys = tuple_keys_of(c, target, key_of_hit);
	struct hits_pair *pairs = arena_zalloc(c->mem, source->count + 1, sizeof(*pairs));
	struct hits_pair *missing = arena_zalloc(c->mem, source->count + 1, sizeof(*missing));
	size_t count = 0, missing_count = 0, position = 0;

	if (!pairs || !missing)
		return;
	json_each (hit, source) {
		struct tuple_keyed *other = tuple_keys_take(&keys, key_of_hit(c->mem, hit));
		struct hits_pair pair = {.source = hit, .source_position = position++};

		if (!other) {
			missing[missing_count++] = pair;
			continue;
		}
		pair.target = other->value;
		pair.target_position = other->position;
		pairs[count++] = pair;
	}
	for (size_t i = 0; i < count; i++) {
		size_t mark = tuple_path_push_position(c, pairs[i].source_position);

		compare_hit(c, pairs[i].source, pairs[i].target);
		tuple_path_pop(c, mark);
	}
	tell_lone_hits(c, missing, missing_count, &keys, source, target);
	compare_order(c, pairs, count, same_rank, TUPLE_HIT_ORDER);
}

void tuple_compare_hits(struct tuple_comparison *c, const struct json *source,
			const struct json *target)
{
	static const char *const handled[] = {"total", "hits", NULL};
	size_t mark;

	compare_totals(c, json_get(source, "total"), json_get(target, "total"));
	mark = tuple_path_push(c, STR("hits"));
	compare_lists(c, json_get(source, "hits"), json_get(target, "hits"));
	tuple_path_pop(c, mark);
	tuple_compare_members(c, source, target, TUPLE_AREA_ANSWER, handled);
}

static struct str key_of_bucket(struct arena *mem, const struct json *bucket)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	const struct json *key = json_get(bucket, "key");

	if (!key)
		return STR_NONE;
	if (key->type == JSON_NUMBER) {
		/* 1 and 1.0 are one key. */
		struct json_decimal value = json_decimal_of(key->text);

		buf_printf(&text, "%s" STR_FMT "^%lld", value.negative ? "-" : "",
			   STR_ARG(value.digits), (long long)value.exponent);
		if (memchr(buf_cstr(&text), '.', text.len)) {
			size_t kept = 0;

			for (size_t i = 0; i < text.len; i++)
				if (text.ptr[i] != '.')
					text.ptr[kept++] = text.ptr[i];
			text.len = kept;
		}
	} else {
		json_write(&text, key);
	}
	return arena_str(mem, buf_str(&text));
}

static bool same_count(const struct tuple_comparison *c, const struct json *a, const struct json *b)
{
	const struct json *x = json_get(a, "doc_count"), *y = json_get(b, "doc_count");

	(void)c;
	return is_number(x) && is_number(y) && json_numbers_equal(x->text, y->text);
}

void tuple_compare_buckets(struct tuple_comparison *c, const struct json *source,
			   const struct json *target)
{
	struct tuple_keys keys = tuple_keys_of(c, target, key_of_bucket);
	struct hits_pair *pairs = arena_zalloc(c->mem, source->count + 1, sizeof(*pairs));
	size_t count = 0, position = 0;

	if (!pairs)
		return;
	json_each (bucket, source) {
		struct tuple_keyed *other = tuple_keys_take(&keys, key_of_bucket(c->mem, bucket));
		size_t mark;

		if (!other) {
			tell_lone_hit(c, TUPLE_BUCKET_MISSING, bucket, position++);
			continue;
		}
		pairs[count++] =
			(struct hits_pair){bucket, other->value, position, other->position};
		mark = tuple_path_push_position(c, position++);
		tuple_compare_values(c, bucket, other->value, TUPLE_AREA_AGGREGATION);
		tuple_path_pop(c, mark);
	}
	for (size_t i = 0; i < keys.count; i++)
		if (!keys.items[i].taken)
			tell_lone_hit(c, TUPLE_BUCKET_EXTRA, keys.items[i].value,
				      keys.items[i].position);
	compare_order(c, pairs, count, same_count, TUPLE_BUCKET_ORDER);
}
