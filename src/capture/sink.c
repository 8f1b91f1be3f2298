#include "capture/sink.h"

#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct sink {
	struct segment_log *log; /* one of the three is there */
	struct kafka_log *kafka;
	char *folder;
};

int sink_open_log(const char *folder, const struct segment_log_options *options, struct sink **out,
		  struct err *err)
{
	struct sink *sink = mem_zalloc(sizeof(*sink));
	int got = segment_log_open(folder, options, &sink->log, err);

	if (got < 0) {
		free(sink);
		return got;
	}
	*out = sink;
	return 0;
}

int sink_open_kafka(const struct kafka_log_options *options, struct sink **out, struct err *err)
{
	struct sink *sink = mem_zalloc(sizeof(*sink));
	int got = kafka_log_open(options, &sink->kafka, err);

	if (got < 0) {
		free(sink);
		return got;
	}
	*out = sink;
	return 0;
}

int sink_open_trace_folder(const char *folder, struct sink **out, struct err *err)
{
	struct sink *sink;
	int got = directory_make(folder, err);

	if (got < 0)
		return got;
	sink = mem_zalloc(sizeof(*sink));
	sink->folder = mem_strdup(folder);
	*out = sink;
	return 0;
}

void sink_close(struct sink *sink)
{
	if (!sink)
		return;
	segment_log_close(sink->log);
	kafka_log_close(sink->kafka);
	free(sink->folder);
	free(sink);
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t got = write(fd, bytes, len);

		if (got < 0 && errno != EINTR)
			return -1;
		if (got > 0) {
			bytes += got;
			len -= (size_t)got;
		}
	}
	return 0;
}

static int write_file(const struct sink *sink, struct record *record, struct err *err)
{
	char path[LIMIT_PATH];
	char *bytes;
	int fd, failed;

	snprintf(path, sizeof(path), "%s/" STR_FMT "_%d.protocap", sink->folder,
		 STR_ARG(record->connection_id), record->number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "making '%s'", path);
	bytes = mem_alloc(record->bytes + 1);
	record_copy(record, bytes);
	failed = write_all(fd, bytes, record->bytes) < 0 ? errno : 0;
	if (close(fd) < 0 && !failed)
		failed = errno;
	free(bytes);
	if (failed)
		return err_set_errno(err, ERR_IO, failed, "writing '%s'", path);
	record_free(record);
	return 1;
}

int sink_append(struct sink *sink, struct record *record, struct completion *done, struct err *err)
{
	if (sink->kafka)
		return kafka_log_append(sink->kafka, record, done, err);
	return sink->log ? segment_log_append(sink->log, record, done, err)
			 : write_file(sink, record, err);
}

uint32_t sink_partitions(const struct sink *sink)
{
	return sink->kafka ? kafka_log_partitions(sink->kafka) : 1;
}

uint32_t sink_partition_of(const struct sink *sink, struct str connection_id)
{
	uint32_t count = sink_partitions(sink);

	return count > 1 ? kafka_log_partition_of(connection_id, count) : 0;
}

bool sink_log_state(struct sink *sink, struct segment_log_state *out)
{
	*out = (struct segment_log_state){0};
	if (!sink || !sink->log)
		return false;
	segment_log_state(sink->log, out);
	return true;
}

bool sink_kafka_state(struct sink *sink, struct kafka_log_state *out)
{
	*out = (struct kafka_log_state){0};
	if (!sink || !sink->kafka)
		return false;
	kafka_log_state(sink->kafka, out);
	return true;
}
