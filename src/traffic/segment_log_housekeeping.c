#include "traffic/segment_log_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LOOK_MS = 1000 };

static bool is_out_of_bounds(const struct segment_log *log, uint64_t bytes)
{
	const struct segment_log_options *options = &log->options;
	const struct segment_info *oldest = &log->segments[0];

	if (options->retention_bytes > 0 && bytes > options->retention_bytes)
		return true;
	return options->retention_ms > 0 && oldest->newest != INT64_MIN &&
	       oldest->newest < clock_wall_ms() - options->retention_ms;
}

static int remove_oldest(struct segment_log *log)
{
	char name[SEGMENT_NAME];

	/* The index first: one without its segment would be left over for good. */
	segment_name(name, log->segments[0].base, ".index");
	if (unlinkat(log->folder, name, 0) < 0 && errno != ENOENT)
		return -errno;
	segment_name(name, log->segments[0].base, ".segment");
	if (unlinkat(log->folder, name, 0) < 0)
		return -errno;
	log->segment_count--;
	memmove(log->segments, log->segments + 1, log->segment_count * sizeof(*log->segments));
	return 0;
}

/* The open segment always stays, and so does what some group has not committed. */
void segment_log_retention(struct segment_log *log)
{
	uint64_t least = UINT64_MAX, greatest, bytes = 0, removed = 0;
	struct err err = {0};
	bool any;
	int failed = 0;

	for (size_t i = 0; i < log->segment_count; i++)
		bytes += log->segments[i].bytes;
	if (log->segment_count < 2 || !is_out_of_bounds(log, bytes))
		return;
	if (groups_committed(log->path, &least, &greatest, &any, &err) < 0) {
		segment_log_warn(log, "nothing is removed from the segment log: %s", err.message);
		return;
	}
	while (failed == 0 && log->segment_count > 1 && log->segments[1].base <= least &&
	       is_out_of_bounds(log, bytes)) {
		bytes -= log->segments[0].bytes;
		failed = remove_oldest(log);
		removed += failed == 0;
	}
	if (failed < 0)
		segment_log_warn(log, "cannot remove the oldest segment of '%s': %s", log->path,
				 strerror(-failed));
	if (removed > 0)
		segment_log_publish(log);
}

static void look_at_space(struct segment_log *log)
{
	struct statvfs space;
	uint64_t free_bytes;

	if (fstatvfs(log->folder, &space) < 0)
		return;
	free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	pthread_mutex_lock(&log->lock);
	log->state.free_bytes = free_bytes;
	pthread_mutex_unlock(&log->lock);
	/* Once, and again only after there was a tenth more than that. */
	if (free_bytes < log->options.warn_free_bytes && !log->warned_of_space) {
		log->warned_of_space = true;
		segment_log_warn(log,
				 "the disk of the segment log '%s' fills: %" PRIu64
				 " bytes are free; shorten --retention or make room",
				 log->path, free_bytes);
	} else if (free_bytes > log->options.warn_free_bytes / 10 * 11)
		log->warned_of_space = false;
}

void segment_log_housekeeping(struct segment_log *log)
{
	int64_t now = clock_monotonic_ms();

	if (log->looked_ms != 0 && now - log->looked_ms < LOOK_MS)
		return;
	log->looked_ms = now;
	look_at_space(log);
	segment_log_retention(log);
}
