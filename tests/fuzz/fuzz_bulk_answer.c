#include "base/limits.h"
#include "cluster/bulk_answer.h"
#include "cluster/cluster_error.h"
#include "fuzz.h"

/* The first byte is the number of items that were sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	size_t count = size ? data[0] : 0;
	struct str body = str_from_offset(str_of(data, size), 1), type, reason;
	struct bulk_answer answer;
	struct err err = {0};

	if (count == 0 || bulk_answer_read(body, count, &mem, &answer, &err) < 0)
		return 0;
	if (answer.all_taken)
		return 0;
	for (size_t i = 0; i < count; i++) {
		int status = answer.items[i].status;

		if (!answer.items[i].error && (status < 200 || status > 299))
			BUG("a document counts as taken that was not");
		if (!answer.items[i].error)
			continue;
		cluster_error_parts(answer.items[i].error, status, &mem, &type, &reason);
		if (!reason.len || reason.len > KIB(2))
			BUG("a reason is empty or too long");
	}
	return 0;
}
