#include "cli/compare_sets.h"

#include "base/json_hash.h"

#include <stdlib.h>

struct entry {
	struct hash128 id;
	char *line; /* owned; {"sourceRequest":{},"targetResponses":[…]}; NULL: the slot is free */
	size_t length;
	bool taken;
};

struct tuple_set {
	struct entry *slots; /* a power of two of them, at most half full */
	size_t capacity, count, left;
	uint64_t bytes;
};

struct tuple_set *tuple_set_new(void)
{
	struct tuple_set *set = mem_zalloc(sizeof(*set));

	set->capacity = 1024;
	set->slots = mem_zalloc(set->capacity * sizeof(*set->slots));
	return set;
}

void tuple_set_free(struct tuple_set *set)
{
	for (size_t i = 0; set && i < set->capacity; i++)
		free(set->slots[i].line);
	if (set)
		free(set->slots);
	free(set);
}

static struct entry *slot_of(struct tuple_set *set, struct hash128 id)
{
	size_t at = (size_t)id.low & (set->capacity - 1);

	while (set->slots[at].line && !hash128_equal(set->slots[at].id, id))
		at = (at + 1) & (set->capacity - 1);
	return &set->slots[at];
}

static void grow(struct tuple_set *set)
{
	struct entry *old = set->slots;
	size_t count = set->capacity;

	set->capacity *= 2;
	set->slots = mem_zalloc(set->capacity * sizeof(*set->slots));
	for (size_t i = 0; i < count; i++)
		if (old[i].line)
			*slot_of(set, old[i].id) = old[i];
	free(old);
}

int tuple_set_add(struct tuple_set *set, const struct tuple *tuple, struct err *err)
{
	const struct tuple_message *answer = tuple_target_response(tuple);
	cleanup(buf_release) struct buf line = BUF_INIT(2 * TUPLE_LINE_MAX);
	struct entry *slot;

	buf_append_str(&line, STR("{\"sourceRequest\":{},\"error\":"));
	json_write_string(&line, tuple->error);
	buf_append_str(&line, STR(",\"targetResponses\":["));
	if (answer)
		json_write(&line, answer->object);
	buf_append_str(&line, STR("]}"));
	if (buf_check(&line, "a tuple", err) < 0)
		return -(int)err->kind;
	if (set->bytes + line.len + sizeof(*slot) > COMPARE_SET_MAX)
		return err_set(err, ERR_LIMIT,
			       "the answers in --against need more than %llu bytes of memory; "
			       "compare fewer files at a time",
			       (unsigned long long)COMPARE_SET_MAX);
	if (set->count * 2 >= set->capacity)
		grow(set);
	slot = slot_of(set, bytes_hash(tuple->connection_id));
	if (slot->line)
		return 0;
	*slot = (struct entry){.id = bytes_hash(tuple->connection_id),
			       .line = str_dup(buf_str(&line)),
			       .length = line.len};
	set->bytes += line.len + sizeof(*slot);
	set->count++;
	set->left++;
	return 0;
}

bool tuple_set_take(struct tuple_set *set, struct str id, struct arena *mem, struct tuple *out)
{
	struct entry *slot = slot_of(set, bytes_hash(id));

	if (!slot->line || slot->taken)
		return false;
	if (tuple_parse(str_of(slot->line, slot->length), mem, out, NULL) < 0)
		return false;
	slot->taken = true;
	set->left--;
	return true;
}

uint64_t tuple_set_left(const struct tuple_set *set)
{
	return set->left;
}
