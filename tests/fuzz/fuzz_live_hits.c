/* Hits of a search answer: every one has an id, and its source lies in the answer. */
#include "documents/live_internal.h"
#include "fuzz.h"

static void check_document(const struct document *document, struct str answer)
{
	if (!document->id.ptr)
		BUG("a document without an id");
	if (document->parent.ptr && !document->routing.ptr)
		BUG("a child without a routing");
	if (document->version < -1)
		BUG("a version that is none");
	if (document->source.ptr &&
	    (document->source.ptr < answer.ptr ||
	     document->source.ptr + document->source.len > answer.ptr + answer.len))
		BUG("a source outside the answer");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str answer = str_of(data, MIN(size, MIB(1)));
	struct live_page page = {0};
	struct document document;
	struct err err = {0};
	uint64_t count = 0;
	int64_t sequence;
	int rc;

	live_page_start(&page, answer);
	while ((rc = live_page_next(&page, &document, &sequence, &err)) > 0) {
		check_document(&document, answer);
		count++;
	}
	if (rc < 0 && (!err.kind || !err.message[0]))
		BUG("an error that says nothing");
	if (page.count != count || page.source_bytes > answer.len)
		BUG("hits are miscounted");
	arena_release(&page.mem);
	return 0;
}
