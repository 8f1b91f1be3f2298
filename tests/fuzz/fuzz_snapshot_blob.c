/* The payload of a .dat blob: compressed or plain, past the checksum that would stop a fuzzer. */
#include "snapshot/snapshot_blob.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(512));
	struct str bytes = str_of(data, size);
	struct err err = {0};
	struct json *v;

	if (snapshot_blob_decode_payload(bytes, &mem, &v, &err) < 0 && !err.message[0])
		BUG("an error that says nothing");
	/* And the envelope itself: only a right checksum passes, which is not found by chance. */
	err = (struct err){0};
	if (snapshot_blob_decode(bytes, "snapshot", &mem, &v, &err) < 0 && !err.message[0])
		BUG("an error that says nothing");
	return 0;
}
