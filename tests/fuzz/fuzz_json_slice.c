/* Slices of a JSON text agree with its tree, and stay within what is none. Its hash is that of the
 * same written otherwise, and says no where json_validate does. */
#include "base/json.h"
#include "base/json_hash.h"
#include "base/json_slice.h"
#include "fuzz.h"

static void check_slices(struct str text, const struct json *tree, bool valid)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct json_slices slices = json_slices_of(text);
	const struct json *next = tree ? tree->first : NULL;
	struct str key, value;
	struct err err = {0};
	struct json *again;
	int rc;

	while ((rc = json_slices_next(&slices, &key, &value, &err)) > 0) {
		if (value.ptr < text.ptr || value.ptr + value.len > text.ptr + text.len)
			BUG("a slice outside its text");
		if (!tree)
			continue;
		if (!next || json_parse(value, &mem, &again, &err) < 0 || !json_equal(next, again))
			BUG("a slice is another value than the tree's");
		next = next->next;
	}
	if (rc < 0 && (valid || !err.message[0]))
		BUG("slices of JSON are refused, or without a reason");
	if (next)
		BUG("slices end before the tree does");
}

static void check_hash(struct str text, const struct json *tree, bool valid)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(64));
	struct json_hasher hasher;
	struct hash128 hash, again;
	struct err err = {0};
	int rc;

	json_hasher_init(&hasher);
	rc = json_hash(&hasher, text, &hash, &err);
	if (rc != -ERR_LIMIT && (rc == 0) != valid)
		BUG("json_hash and json_validate differ");
	if (rc == 0 && tree) {
		json_write(&out, tree);
		if (json_hash(&hasher, buf_str(&out), &again, &err) < 0 ||
		    !hash128_equal(hash, again))
			BUG("the same written otherwise has another hash");
	}
	json_hasher_release(&hasher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct str text = str_of(data, MIN(size, MIB(1)));
	struct json *tree = NULL;
	bool valid = json_validate(text, NULL) == 0;

	if (!valid || json_parse(text, &mem, &tree, NULL) < 0)
		tree = NULL;
	check_slices(text, tree, valid);
	check_hash(text, tree, valid);
	json_slice_get(text, "a");
	return 0;
}
