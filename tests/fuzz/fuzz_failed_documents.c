#include "backfill/failed_documents_read.h"
#include "backfill/failed_record.h"
#include "base/json.h"
#include "base/limits.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void check_record(struct str line)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(64));
	struct failed_record record;
	struct err err = {0};

	if (failed_record_read(line, &mem, &record, &err) < 0)
		return;
	if (!record.target_index.len)
		BUG("a record names no index");
	if (json_validate(record.metadata, &err) < 0)
		BUG("the metadata of an action is no JSON");
	if (record.document.ptr && json_validate(record.document, &err) < 0)
		BUG("a document is no JSON");
}

/* Odd first byte: the rest is a file of a stream; even: it is one line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_from_offset(str_of(data, size), 1), line;
	struct failed_documents_reader *reader;
	struct err err = {0};
	int fd, rc;

	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		check_record(rest);
		return 0;
	}
	fd = memfd_create("stream", MFD_CLOEXEC);
	if (fd < 0 || write(fd, rest.ptr, rest.len) != (ssize_t)rest.len ||
	    lseek(fd, 0, SEEK_SET) != 0)
		BUG("a file in memory cannot be written");
	reader = failed_documents_reader_over(fd, "stream");
	while ((rc = failed_documents_reader_next(reader, &line, &err)) > 0)
		check_record(line);
	if (rc < 0 && !err.message[0])
		BUG("an error without words");
	failed_documents_reader_close(reader);
	return 0;
}
