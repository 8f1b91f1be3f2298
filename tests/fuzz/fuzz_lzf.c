/* Chunks of LZF decode within their bounds, one after another as all at once. */
#include "base/lzf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(16)), twice = BUF_INIT(MIB(32));
	struct str bytes = str_of(data, size);
	struct err err = {0};

	if (lzf_decode(&out, bytes, &err) < 0) {
		if (!err.kind || !err.message[0])
			BUG("an error that says nothing");
		return 0;
	}
	if (lzf_decode(&twice, bytes, &err) < 0 || lzf_decode(&twice, bytes, &err) < 0)
		BUG("what decoded once does not decode behind other output");
	if (twice.len != 2 * out.len ||
	    (out.len > 0 && memcmp(twice.ptr + out.len, out.ptr, out.len) != 0))
		BUG("what is behind other output differs");
	return 0;
}
