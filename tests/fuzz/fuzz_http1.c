#include "net/http1.h"

#include "base/compiler.h"
#include "fuzz.h"

#include <string.h>

/* The message's end in pieces of `step` bytes. */
static size_t end_of(struct http1 *p, struct str text, size_t step)
{
	size_t taken = 0, have = 0;

	while (have < text.len && p->state != HTTP1_DONE && p->state != HTTP1_FAILED) {
		have = MIN(have + step, text.len);
		taken += http1_feed(p, str_of(text.ptr + taken, have - taken));
		if (taken > have)
			BUG("more was taken than there was");
	}
	return taken;
}

/* Bytes: response or request, size of the pieces, the text. Pieces make no difference. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http1 whole, pieces;
	struct http1_header header;
	struct str text;
	size_t at = 0, end;

	if (size < 2)
		return 0;
	text = str_of(data + 2, size - 2);
	if (data[0] & 1) {
		http1_response_init(&whole, 1024, data[0] & 2);
		http1_response_init(&pieces, 1024, data[0] & 2);
	} else {
		http1_request_init(&whole, 1024);
		http1_request_init(&pieces, 1024);
	}
	end = end_of(&whole, text, text.len + 1);
	if (end_of(&pieces, text, (size_t)data[1] + 1) != end && whole.state != HTTP1_FAILED &&
	    pieces.state != HTTP1_FAILED)
		BUG("the end depends on how the bytes come");
	if ((whole.state == HTTP1_DONE) != (pieces.state == HTTP1_DONE))
		BUG("the state depends on how the bytes come");
	if (whole.state == HTTP1_FAILED && (!whole.reason || whole.error == HTTP1_FINE))
		BUG("refused without a reason");
	if (http1_head_done(&whole))
		while (http1_next_header(str_of(text.ptr, whole.head_bytes), &at, &header))
			if (header.line.ptr < text.ptr ||
			    header.line.ptr + header.line.len > text.ptr + text.len)
				BUG("a header outside of its head");
	return 0;
}
