/* Streams of failed documents, written line by line as a test wants them. */
#ifndef TESTS_FAILED_STREAMS_H
#define TESTS_FAILED_STREAMS_H

#include "base/limits.h"
#include "base/state_dir.h"
#include "temporary_folder.h"

/* One record; `time` within a minute, such as "01.000". */
#define RECORD(index, id, time, reason)                                                        \
	"{\"sessionId\":\"s\",\"workItemId\":\"" index "[0]\",\"targetIndex\":\"" index        \
	"\",\"documentId\":" id ",\"failureType\":\"mapper_parsing_exception\",\"timestamp\":" \
	"\"2026-11-21T10:24:" time "Z\",\"requestItem\":{\"operation_type\":\"index\","        \
	"\"operation\":{\"_index\":\"" index "\",\"_id\":" id "},\"document\":{\"n\": 1.10}}," \
	"\"responseItem\":{\"index\":{\"status\":400,\"error\":{\"reason\":\"" reason "\"}}}}\n"

/* The file FOLDER/session=SESSION/index=x/worker=w/NAME.ndjson.gz. */
static inline void write_stream(const char *folder, const char *session, const char *name,
				const char *text)
{
	char path[500];
	struct err err;
	gzFile file;

	snprintf(path, sizeof(path), "%s/session=%s/index=x/worker=w", folder, session);
	if (directory_make(path, &err) < 0)
		BUG("a test's folder cannot be made");
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s.ndjson.gz", name);
	file = gzopen(path, "wb");
	if (!file || gzwrite(file, text, (unsigned)strlen(text)) != (int)strlen(text))
		BUG("a test's stream cannot be written");
	gzclose(file);
}

#endif
