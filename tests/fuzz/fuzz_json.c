#include "base/json.h"
#include "base/json_hash.h"
#include "fuzz.h"

static void check_round_trip(const struct json *v, void (*write)(struct buf *, const struct json *))
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(64));
	struct err err = {0};
	struct json *again;

	write(&out, v);
	if (out.failed)
		BUG("the text written is out of all proportion");
	if (json_parse(buf_str(&out), &mem, &again, &err) < 0)
		BUG("the text written is refused");
	if (!json_equal(v, again))
		BUG("the text written means something else");
}

/* What is refused has no hash, and one value has one hash however it is written. */
static void check_hash(struct str text, const struct json *v)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(64));
	struct json_hasher hasher;
	struct hash128 hash, again;

	json_hasher_init(&hasher);
	if ((json_hash(&hasher, text, &hash, NULL) == 0) != (v != NULL))
		BUG("json_hash and json_validate differ");
	if (v) {
		json_write_pretty(&out, v);
		if (json_hash(&hasher, buf_str(&out), &again, NULL) < 0 ||
		    !hash128_equal(hash, again))
			BUG("the same value has another hash");
	}
	json_hasher_release(&hasher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct str text = str_of(data, size);
	struct err err = {0}, validate_err = {0};
	struct json *v, *copy;
	int parsed = json_parse(text, &mem, &v, &err);
	int validated = json_validate(text, &validate_err);

	if (parsed == -ERR_LIMIT)
		return 0;
	if (parsed != validated || strcmp(err.message, validate_err.message) != 0)
		BUG("json_parse and json_validate differ");
	check_hash(text, parsed < 0 ? NULL : v);
	if (parsed < 0)
		return 0;
	check_round_trip(v, json_write);
	check_round_trip(v, json_write_pretty);
	copy = json_copy(&mem, v);
	if (copy && !json_equal(v, copy))
		BUG("a copy differs");
	return 0;
}
