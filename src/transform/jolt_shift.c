#include "transform/jolt_internal.h"

#include <ctype.h>
#include <stdio.h>

/* The keys from the root of the input to a place in it: level 0 is the innermost. */
struct walked {
	const struct walked *parent;
	struct str key;
	struct jolt_match match;
};

struct shift {
	struct arena *mem;
	struct json *output; /* NULL: nothing was put there yet */
	struct err *err;
};

/* A number that a path may index an array with. */
#define POSITION_MAX 10000u

/* "&", "&2" or "&(2,1)" at text.ptr[*at]: how many levels up, and which star there (0: the key).
 * Moves *at behind it. */
static bool read_reference(struct str text, size_t *at, unsigned *level, unsigned *star)
{
	unsigned numbers[2] = {0, 0};
	size_t i = *at + 1, count = 0;
	bool parens = i < text.len && text.ptr[i] == '(';

	i += parens;
	while (i < text.len && count < 2) {
		if (!isdigit((unsigned char)text.ptr[i]))
			break;
		for (; i < text.len && isdigit((unsigned char)text.ptr[i]); i++)
			numbers[count] =
				MIN(numbers[count] * 10 + (unsigned)(text.ptr[i] - '0'), 1000u);
		count++;
		if (!parens || i == text.len || text.ptr[i] != ',' || count == 2)
			break;
		i++;
	}
	if (parens && (i == text.len || text.ptr[i] != ')' || !count))
		return false;
	*at = i + parens;
	*level = numbers[0];
	*star = numbers[1];
	return *star <= JOLT_STARS_MAX;
}

static bool resolve(const struct walked *walked, unsigned level, unsigned star, struct str *out)
{
	while (walked && level--)
		walked = walked->parent;
	if (!walked || star > walked->match.count)
		return false;
	*out = star ? walked->match.star[star - 1] : walked->key;
	return true;
}

static int bad_path(struct str path, const char *what, struct err *err)
{
	return err_set(err, ERR_USAGE, "shift: the output path '" STR_FMT "' %s", STR_ARG(path),
		       what);
}

/* One piece of an output path: its text, or, for `array`, a position in one or none to append. */
struct piece {
	struct str text;
	bool array, append;
	uint64_t position;
};

/* Reads up to `end` characters, resolving references; walked NULL: only checks. */
static int read_text(struct str path, size_t *at, const char *end, const struct walked *walked,
		     struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
	unsigned level, star;
	struct str part;

	while (*at < path.len && !strchr(end, path.ptr[*at])) {
		if (path.ptr[*at] == '\\' && *at + 1 < path.len) {
			buf_append_byte(&text, path.ptr[*at + 1]);
			*at += 2;
			continue;
		}
		if (path.ptr[*at] == '@' || path.ptr[*at] == '#' || path.ptr[*at] == '*')
			return bad_path(path,
					"has a '@', '#' or '*'; only names, & and [] can be "
					"there",
					err);
		if (path.ptr[*at] != '&') {
			buf_append_byte(&text, path.ptr[(*at)++]);
			continue;
		}
		if (!read_reference(path, at, &level, &star))
			return bad_path(path, "has a broken '&'; write &, &1 or &(1,2)", err);
		if (!walked)
			continue;
		if (!resolve(walked, level, star, &part))
			return bad_path(path, "refers to a level or a star that there is not", err);
		buf_append_str(&text, part);
	}
	if (buf_check(&text, "a path of shift", err) < 0)
		return -(int)err->kind;
	*out = walked ? arena_str(mem, buf_str(&text)) : STR_NONE;
	return 0;
}

/* The piece at *at: a name up to '.' or '[', or "[…]". Moves *at behind it and its '.'. */
static int read_piece(struct str path, size_t *at, const struct walked *walked, struct arena *mem,
		      struct piece *piece, struct err *err)
{
	size_t start = *at;

	*piece = (struct piece){.array = path.ptr[*at] == '['};
	*at += piece->array;
	if (read_text(path, at, piece->array ? "]" : ".[", walked, mem, &piece->text, err) < 0)
		return -(int)err->kind;
	if (piece->array) {
		if (*at == path.len)
			return bad_path(path, "has a '[' without ']'", err);
		piece->append = *at == start + 1;
		++*at;
		if (walked && !piece->append &&
		    (!str_to_u64(piece->text, &piece->position) || piece->position > POSITION_MAX))
			return bad_path(path, "has no position up to 10000 in '[…]'", err);
	} else if (*at == start) {
		return bad_path(path, "has an empty part", err);
	}
	if (*at == path.len || path.ptr[*at] != '.')
		return 0;
	++*at;
	return *at < path.len ? 0 : bad_path(path, "ends with '.'", err);
}

/* The place of a piece in its container; a null one is made if there is none. */
static struct json *child_of(struct json *container, const struct piece *piece, struct arena *mem)
{
	struct json *child;
	uint64_t at = piece->append ? container->count : piece->position;

	if (!piece->array) {
		child = json_get_str(container, piece->text);
		if (!child)
			json_set(container, piece->text, child = json_new(mem, JSON_NULL));
		return child;
	}
	while (container->count <= at && !mem->failed)
		json_append(container, json_new(mem, JSON_NULL));
	json_each (one, container)
		if (at-- == 0)
			return one;
	return NULL;
}

static int enter(struct shift *shift, struct json *node, const struct piece *piece, struct str path)
{
	enum json_type type = piece->array ? JSON_ARRAY : JSON_OBJECT;

	if (!node)
		return arena_fail(shift->mem, "the output of shift", shift->err);
	if (node->type == JSON_NULL)
		node->type = type;
	if (node->type == type)
		return 0;
	return err_set(shift->err, ERR_FORMAT,
		       "shift: the output path '" STR_FMT "' goes through a value that is no %s",
		       STR_ARG(path), piece->array ? "array" : "object");
}

static void set_content(struct json *node, const struct json *v)
{
	node->type = v->type;
	node->text = v->text;
	node->first = v->first;
	node->last = v->last;
	node->count = v->count;
}

/* Puts a copy of the value there; several at one place become an array. */
static int put(struct shift *shift, struct json *node, const struct json *v, bool fresh)
{
	struct json *copy = json_copy(shift->mem, v), *before;

	if (!node || !copy)
		return arena_fail(shift->mem, "the output of shift", shift->err);
	copy->key = STR_NONE;
	if (fresh) {
		set_content(node, copy);
		return 0;
	}
	if (node->type != JSON_ARRAY) {
		before = json_new(shift->mem, JSON_NULL);
		if (!before)
			return arena_fail(shift->mem, "the output of shift", shift->err);
		set_content(before, node);
		*node = (struct json){.type = JSON_ARRAY, .key = node->key, .next = node->next};
		json_append(node, before);
	}
	json_append(node, copy);
	return 0;
}

static size_t children_before(const struct json *node, const struct piece *piece)
{
	if (piece->array)
		return piece->append || piece->position >= node->count ? 0 : 1;
	return json_get_str(node, piece->text) ? 1 : 0;
}

static int write_to(struct shift *shift, struct str path, const struct walked *walked,
		    const struct json *v)
{
	struct json *node;
	struct piece piece;
	size_t at = 0;
	bool fresh = false;

	if (!shift->output)
		shift->output = json_new(shift->mem, JSON_NULL);
	for (node = shift->output; at < path.len; node = child_of(node, &piece, shift->mem)) {
		if (read_piece(path, &at, walked, shift->mem, &piece, shift->err) < 0 ||
		    enter(shift, node, &piece, path) < 0)
			return -(int)shift->err->kind;
		fresh = !children_before(node, &piece);
	}
	if (!node)
		return arena_fail(shift->mem, "the output of shift", shift->err);
	/* A place that was only made to keep an array's positions is free as well. */
	return put(shift, node, v, fresh || node->type == JSON_NULL);
}

static int check_path(struct str path, struct err *err)
{
	struct piece piece;
	size_t at = 0;

	if (!path.len)
		return bad_path(path, "is empty", err);
	while (at < path.len)
		if (read_piece(path, &at, NULL, NULL, &piece, err) < 0)
			return -(int)err->kind;
	return 0;
}

/* What stands right of a key: a path, a list of paths, null (nothing), or a spec. */
static int check_target(const struct json *target, struct err *err)
{
	if (target->type == JSON_STRING)
		return check_path(target->text, err);
	if (target->type == JSON_OBJECT)
		return jolt_shift_check(target, err);
	if (target->type == JSON_NULL)
		return 0;
	if (target->type != JSON_ARRAY)
		return err_set(err, ERR_USAGE,
			       "shift: '" STR_FMT "' is neither a path, nor a list of them, nor an "
			       "object",
			       STR_ARG(target->key));
	json_each (path, target) {
		if (path->type != JSON_STRING)
			return err_set(err, ERR_USAGE,
				       "shift: '" STR_FMT "' has what is no path in its list",
				       STR_ARG(target->key));
		if (check_path(path->text, err) < 0)
			return -(int)ERR_USAGE;
	}
	return 0;
}

static bool is_special(struct str key, char sign)
{
	return key.len && key.ptr[0] == sign;
}

int jolt_shift_check(const struct json *spec, struct err *err)
{
	json_each (rule, spec) {
		unsigned level, star;
		size_t at = 0;

		if (is_special(rule->key, '@') && rule->key.len > 1)
			return err_set(err, ERR_USAGE,
				       "shift: key '" STR_FMT "' is not there; only @ alone is",
				       STR_ARG(rule->key));
		if ((is_special(rule->key, '$') || is_special(rule->key, '&')) &&
		    (!read_reference(rule->key, &at, &level, &star) || at != rule->key.len))
			return err_set(err, ERR_USAGE,
				       "shift: key '" STR_FMT "' is broken; write $, $1 or $(1,2)",
				       STR_ARG(rule->key));
		if (check_target(rule, err) < 0)
			return -(int)ERR_USAGE;
	}
	return 0;
}

static int shift_value(struct shift *shift, const struct json *spec, const struct json *input,
		       const struct walked *walked);

static int apply_target(struct shift *shift, const struct json *target, const struct json *input,
			const struct walked *walked)
{
	if (target->type == JSON_STRING)
		return write_to(shift, target->text, walked, input);
	if (target->type == JSON_OBJECT)
		return shift_value(shift, target, input, walked);
	if (target->type == JSON_ARRAY)
		json_each (path, target)
			if (write_to(shift, path->text, walked, input) < 0)
				return -(int)shift->err->kind;
	return 0;
}

/* "@", "$", "#text": not for a key of the input, but for the place itself. */
static int apply_special(struct shift *shift, const struct json *rule, const struct json *input,
			 const struct walked *walked)
{
	struct walked here = {.parent = walked, .key = rule->key};
	struct json text = {.type = JSON_STRING};
	unsigned level, star;
	size_t at = 0;

	if (is_special(rule->key, '@'))
		return apply_target(shift, rule, input, &here);
	if (is_special(rule->key, '#')) {
		text.text = str_from_offset(rule->key, 1);
	} else {
		read_reference(rule->key, &at, &level, &star);
		if (!resolve(walked, level, star, &text.text))
			return err_set(shift->err, ERR_USAGE,
				       "shift: key '" STR_FMT "' refers to a level or a star that "
				       "there is not",
				       STR_ARG(rule->key));
	}
	return apply_target(shift, rule, &text, &here);
}

static bool is_place_rule(struct str key)
{
	return is_special(key, '@') || is_special(key, '$') || is_special(key, '#');
}

/* The rank of a rule for a key; "&1" is the key that was walked through. */
static size_t rank_of(const struct json *rule, struct str key, const struct walked *walked,
		      struct jolt_match *match)
{
	unsigned level, star;
	struct str literal;
	size_t at = 0;

	if (is_place_rule(rule->key))
		return 0;
	if (!is_special(rule->key, '&'))
		return jolt_key_rank(rule->key, key, match);
	*match = (struct jolt_match){0};
	if (!read_reference(rule->key, &at, &level, &star) ||
	    !resolve(walked, level, star, &literal))
		return 0;
	return str_eq(literal, key) ? SIZE_MAX : 0;
}

/* The rule nearest to the key gets the value. */
static int shift_key(struct shift *shift, const struct json *spec, struct str key,
		     const struct json *v, const struct walked *walked)
{
	struct walked here = {.parent = walked, .key = key};
	const struct json *best = NULL;
	struct jolt_match match;
	size_t best_rank = 0, rank;

	json_each (rule, spec) {
		rank = rank_of(rule, key, walked, &match);
		if (rank <= best_rank)
			continue;
		best_rank = rank;
		best = rule;
		here.match = match;
	}
	return best ? apply_target(shift, best, v, &here) : 0;
}

static int shift_children(struct shift *shift, const struct json *spec, const struct json *input,
			  const struct walked *walked)
{
	size_t position = 0;
	char digits[24];

	json_each (child, input) {
		struct str key = child->key;

		if (input->type == JSON_ARRAY) {
			snprintf(digits, sizeof(digits), "%zu", position++);
			key = str_from(digits);
		}
		if (shift_key(shift, spec, key, child, walked) < 0)
			return -(int)shift->err->kind;
	}
	return 0;
}

static struct str scalar_text(const struct json *v)
{
	if (v->type == JSON_TRUE)
		return STR("true");
	if (v->type == JSON_FALSE)
		return STR("false");
	return v->text;
}

static int shift_value(struct shift *shift, const struct json *spec, const struct json *input,
		       const struct walked *walked)
{
	static const struct json nothing = {.type = JSON_NULL};

	json_each (rule, spec)
		if (is_place_rule(rule->key) && apply_special(shift, rule, input, walked) < 0)
			return -(int)shift->err->kind;
	if (input->type == JSON_ARRAY || input->type == JSON_OBJECT)
		return shift_children(shift, spec, input, walked);
	/* Keys under a text match what it says. */
	if (input->type != JSON_NULL)
		return shift_key(shift, spec, scalar_text(input), &nothing, walked);
	return 0;
}

int jolt_shift(const struct json *spec, struct json *input, struct arena *mem, struct json **out,
	       struct err *err)
{
	struct walked root = {.key = STR("root")};
	struct shift shift = {.mem = mem, .err = err};

	if (shift_value(&shift, spec, input, &root) < 0) {
		err->kind = err->kind == ERR_USAGE ? ERR_FORMAT : err->kind;
		return -(int)err->kind;
	}
	if (!shift.output)
		return err_set(err, ERR_FORMAT, "shift: no key of the spec matches the message");
	*out = shift.output;
	return 0;
}
