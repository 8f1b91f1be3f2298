/* A digest that is read is the same once it is written and read again. */
#include "documents/digest.h"
#include "fuzz.h"

static void check_again(const struct digest *digest)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(128));
	struct digest again;
	struct json *value;

	digest_write(&text, digest);
	if (text.failed || json_parse(buf_str(&text), &mem, &value, NULL) < 0 ||
	    digest_read(value, &again, NULL) < 0)
		BUG("a digest that was written is refused");
	if (again.bucket_count != digest->bucket_count)
		BUG("another number of buckets");
	for (uint32_t i = 0; i < digest->bucket_count; i++)
		if (!digest_bucket_equal(&digest->buckets[i], &again.buckets[i]))
			BUG("another bucket");
	digest_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct digest digest;
	struct err err = {0};
	struct json *value;

	if (json_parse(str_of(data, size), &mem, &value, NULL) < 0)
		return 0;
	if (digest_read(value, &digest, &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	check_again(&digest);
	digest_release(&digest);
	return 0;
}
