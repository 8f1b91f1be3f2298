#include "traffic/tuple_sink.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 10000
/* What is gathered before it is compressed and synced: each costs, a sync most. */
#define GATHER_BYTES KIB(512)
#define GATHER_MS 100
#define NUMBER_MAX 100000 /* files of one minute */

/* A tuple may be several lines, of a transformer. */
struct batch {
	struct buf text;
	struct buf ends; /* size_t: where each tuple ends in it; only with most_tuples */
};

struct tuple_sink {
	struct tuple_sink_options options;
	char *folder, *prefix, *replayer;
	struct libdeflate_compressor *compressor;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	struct batch waiting;
	uint64_t taken, durable;
	bool flush, ending, ended;
	struct err failed;
	/* The thread's. */
	int fd;
	struct buf object; /* members of the object at hand, or the one to be written */
	uint64_t part_bytes, part_tuples, part_last;
	uint64_t folder_bytes; /* that files take */
	int64_t part_since_ms;
	uint64_t sequence;
};

static bool compress(struct tuple_sink *s, struct str text, struct err *err)
{
	size_t most = libdeflate_gzip_compress_bound(s->compressor, text.len);
	void *to = buf_reserve(&s->object, most);

	if (!to) {
		err_set(err, ERR_LIMIT,
			"tuples that wait for their upload need more than %zu "
			"bytes; lower --tuple-max-file-size-mb",
			s->object.limit);
		return false;
	}
	s->object.len += libdeflate_gzip_compress(s->compressor, text.ptr, text.len, to, most);
	return true;
}

static int open_file(struct tuple_sink *s, struct err *err)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char minute[32], path[4096];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(minute, sizeof(minute), "%Y-%m-%d-%H-%M", &tm);
	for (unsigned n = 1; n < NUMBER_MAX; n++) {
		snprintf(path, sizeof(path), "%s/tuples-%s-%03u.log.gz", s->folder, minute, n);
		s->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
		if (s->fd >= 0) {
			int at = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			int failed = at < 0 ? -1 : fsync(at);

			if (at >= 0)
				close(at);
			return failed ? err_set_errno(err, ERR_IO, errno, "syncing '%s'", s->folder)
				      : 0;
		}
		if (errno != EEXIST)
			break;
	}
	return err_set_errno(err, ERR_IO, errno, "making a file of tuples, '%s'", path);
}

static int no_room(const struct tuple_sink *s, struct err *err)
{
	return err_set(err, ERR_IO,
		       "the tuples in '%s' fill --tuple-max-total-size-mb (tupleMaxTotalSizeMb), "
		       "%" PRIu64 " MiB; nothing more is committed until it is raised, a tuple "
		       "bucket is given (tupleS3Bucket), or they are moved away",
		       s->folder, s->options.folder_bytes / MIB(1));
}

static int look_at_folder(struct tuple_sink *s, struct err *err)
{
	DIR *folder = opendir(s->folder);
	struct dirent *entry;

	if (!folder)
		return err_set_errno(err, ERR_IO, errno, "reading '%s'", s->folder);
	s->folder_bytes = 0;
	while ((entry = readdir(folder))) {
		struct stat file;

		if (fstatat(dirfd(folder), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(file.st_mode))
			s->folder_bytes += (uint64_t)file.st_size;
	}
	closedir(folder);
	return 0;
}

/* Files may have been moved away since the last look. What fills the folder is still written: one
 * that opens it then is refused before it sends anything. */
static int check_room(struct tuple_sink *s, struct err *err)
{
	uint64_t most = s->options.folder_bytes;

	if (most == 0 || s->folder_bytes < most)
		return 0;
	if (look_at_folder(s, err) < 0)
		return -(int)err->kind;
	return s->folder_bytes < most ? 0 : no_room(s, err);
}

static int write_file(struct tuple_sink *s, struct err *err)
{
	struct str rest = buf_str(&s->object);

	if (check_room(s, err) < 0)
		return -(int)err->kind;
	s->folder_bytes += rest.len;
	if (s->fd < 0 && open_file(s, err) < 0)
		return -(int)err->kind;
	while (rest.len > 0) {
		ssize_t n = write(s->fd, rest.ptr, rest.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set_errno(err, ERR_IO, n < 0 ? errno : EIO,
					     "writing tuples to '%s'; nothing more is committed "
					     "until there is room",
					     s->folder);
		rest = str_from_offset(rest, (size_t)n);
	}
	if (fdatasync(s->fd) < 0)
		return err_set_errno(err, ERR_IO, errno, "syncing tuples in '%s'", s->folder);
	buf_reset(&s->object);
	return 0;
}

static void publish(struct tuple_sink *s)
{
	pthread_mutex_lock(&s->lock);
	s->durable = s->part_last;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* With the lock. */
static void wait_ms(struct tuple_sink *s, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&s->changed, &s->lock, &until);
}

static bool given_up(struct tuple_sink *s)
{
	int64_t now = clock_monotonic_ms(), until = now + RETRY_MS;
	bool ended;

	pthread_mutex_lock(&s->lock);
	/* Each new tuple wakes it. */
	for (; !s->ended && now < until; now = clock_monotonic_ms())
		wait_ms(s, until - now);
	ended = s->ended;
	pthread_mutex_unlock(&s->lock);
	return ended;
}

static void upload(struct tuple_sink *s)
{
	time_t now = (time_t)(s->part_since_ms / 1000);
	char hour[32], second[32], name[1024];
	struct err err = {0};
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(hour, sizeof(hour), "%Y/%m/%d/%H", &tm);
	strftime(second, sizeof(second), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(name, sizeof(name), "%s%s/%s/tuples-0-%s-%" PRIu64 ".log.gz", s->prefix,
		 s->replayer, hour, second, s->sequence);
	while (blob_store_put(s->options.store, str_from(name), buf_str(&s->object), &err) < 0) {
		log_warn("tuples",
			 "%s; nothing more is committed until the tuples are there, tried "
			 "again in 10 s",
			 err.message);
		if (given_up(s))
			return;
	}
	s->sequence++;
	buf_reset(&s->object);
	publish(s);
}

static bool part_is_over(const struct tuple_sink *s, bool flush)
{
	return s->part_tuples > 0 &&
	       (flush || s->part_bytes >= s->options.most_bytes ||
		(s->options.most_tuples && s->part_tuples >= s->options.most_tuples) ||
		clock_wall_ms() - s->part_since_ms >= s->options.most_seconds * 1000);
}

static void end_part(struct tuple_sink *s)
{
	if (s->options.store)
		upload(s);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->part_bytes = s->part_tuples = 0;
}

static int take_batch(struct tuple_sink *s, struct str text, uint64_t last, struct err *err)
{
	if (s->part_tuples == 0)
		s->part_since_ms = clock_wall_ms();
	s->part_bytes += text.len;
	s->part_tuples += last - s->part_last;
	if (!compress(s, text, err))
		return -(int)err->kind;
	if (!s->options.store && write_file(s, err) < 0)
		return -(int)err->kind;
	s->part_last = last;
	if (!s->options.store)
		publish(s);
	return 0;
}

/* Where the part ends that is cut off, which is not the whole queue where a number of tuples ends
 * it. `first`: the number of the batch's first tuple. */
static size_t cut_batch(const struct tuple_sink *s, const struct batch *batch, uint64_t first,
			uint64_t *last)
{
	const size_t *ends = (const void *)batch->ends.ptr;
	uint64_t most =
		s->options.most_tuples ? s->options.most_tuples - s->part_tuples : UINT64_MAX;

	if (*last - s->part_last <= most)
		return batch->text.len;
	*last = s->part_last + most;
	return ends[*last - first];
}

static void take_all(struct tuple_sink *s, const struct batch *batch, uint64_t last, bool flush)
{
	uint64_t first = s->part_last + 1;
	struct err err = {0};
	size_t at = 0;

	while (at < batch->text.len) {
		uint64_t upto = last;
		size_t end = cut_batch(s, batch, first, &upto);

		if (take_batch(s, str_of(batch->text.ptr + at, end - at), upto, &err) < 0) {
			pthread_mutex_lock(&s->lock);
			s->failed = err;
			pthread_mutex_unlock(&s->lock);
			return;
		}
		at = end;
		if (part_is_over(s, false))
			end_part(s);
	}
	if (part_is_over(s, flush && s->options.store))
		end_part(s);
}

/* With the lock: until there is a batch worth its sync, or somebody waits for what there is. */
static void gather(struct tuple_sink *s)
{
	int64_t until;

	if (s->waiting.text.len == 0 && !s->ending && !s->flush)
		wait_ms(s, 1000);
	if (s->waiting.text.len == 0)
		return;
	until = clock_monotonic_ms() + GATHER_MS;
	while (s->waiting.text.len < GATHER_BYTES && !s->ending && !s->flush) {
		int64_t left = until - clock_monotonic_ms();

		if (left <= 0)
			return;
		wait_ms(s, left);
	}
}

static void *run(void *user)
{
	struct tuple_sink *s = user;
	struct batch batch = {BUF_INIT(s->waiting.text.limit), BUF_INIT(s->waiting.text.limit)};
	bool ending = false;

	while (!ending) {
		uint64_t last;
		bool flush;

		pthread_mutex_lock(&s->lock);
		gather(s);
		{
			struct batch swap = s->waiting;

			s->waiting = batch;
			batch = swap;
		}
		last = s->taken;
		flush = s->flush || s->ending;
		s->flush = false;
		ending = s->ended || (s->ending && batch.text.len == 0);
		if (s->failed.kind)
			buf_reset(&batch.text);
		pthread_mutex_unlock(&s->lock);
		take_all(s, &batch, last, flush);
		buf_reset(&batch.text);
		buf_reset(&batch.ends);
	}
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	buf_release(&batch.text);
	buf_release(&batch.ends);
	return NULL;
}

static void release(struct tuple_sink *s)
{
	if (s->fd >= 0)
		close(s->fd);
	libdeflate_free_compressor(s->compressor);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	buf_release(&s->waiting.text);
	buf_release(&s->waiting.ends);
	buf_release(&s->object);
	free(s->folder);
	free(s->prefix);
	free(s->replayer);
	free(s);
}

int tuple_sink_open(const struct tuple_sink_options *options, struct tuple_sink **out,
		    struct err *err)
{
	struct tuple_sink *s;
	pthread_condattr_t attr;
	int refused;

	if (options->folder && directory_make(options->folder, err) < 0)
		return -(int)err->kind;
	s = mem_zalloc(sizeof(*s));
	s->options = *options;
	s->options.most_seconds = options->most_seconds ? options->most_seconds : 60;
	s->options.most_bytes = options->most_bytes ? options->most_bytes : MIB(256);
	s->options.queue_bytes = options->queue_bytes ? options->queue_bytes : MIB(64);
	s->folder = options->folder ? mem_strdup(options->folder) : NULL;
	s->prefix = mem_strdup(options->prefix ? options->prefix : "tuples/");
	s->replayer = mem_strdup(options->replayer ? options->replayer : "replayer");
	s->fd = -1;
	s->waiting = (struct batch){BUF_INIT(SIZE_MAX / 4), BUF_INIT(SIZE_MAX / 4)};
	s->object = BUF_INIT(MIB(1024));
	s->compressor = libdeflate_alloc_compressor(1);
	if (!s->compressor)
		BUG("libdeflate gives no compressor");
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (s->folder && options->folder_bytes &&
	    (look_at_folder(s, err) < 0 || check_room(s, err) < 0)) {
		release(s);
		return -(int)err->kind;
	}
	refused = pthread_create(&s->thread, NULL, run, s);
	if (refused) {
		release(s);
		return err_set_errno(err, ERR_IO, refused,
				     "the system refuses a thread for tuples; raise its limits of "
				     "threads and memory");
	}
	*out = s;
	return 0;
}

uint64_t tuple_sink_append(struct tuple_sink *s, struct str line)
{
	uint64_t number;
	size_t before;

	pthread_mutex_lock(&s->lock);
	before = s->waiting.text.len;
	buf_append_str(&s->waiting.text, line);
	if (s->options.most_tuples)
		buf_append(&s->waiting.ends, &s->waiting.text.len, sizeof(size_t));
	number = ++s->taken;
	/* The thread waits for the first, and for enough. */
	if (before == 0 || (before < GATHER_BYTES && s->waiting.text.len >= GATHER_BYTES))
		pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return number;
}

bool tuple_sink_is_full(struct tuple_sink *s)
{
	bool full;

	pthread_mutex_lock(&s->lock);
	full = s->waiting.text.len >= s->options.queue_bytes;
	pthread_mutex_unlock(&s->lock);
	return full;
}

int tuple_sink_durable(struct tuple_sink *s, uint64_t *durable, struct err *err)
{
	int failed = 0;

	pthread_mutex_lock(&s->lock);
	*durable = s->durable;
	if (s->failed.kind) {
		*err = s->failed;
		failed = -(int)s->failed.kind;
	}
	pthread_mutex_unlock(&s->lock);
	return failed;
}

void tuple_sink_flush(struct tuple_sink *s)
{
	pthread_mutex_lock(&s->lock);
	s->flush = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void tuple_sink_close(struct tuple_sink *s, int64_t wait)
{
	int64_t until = clock_monotonic_ms() + wait;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->changed);
	while (!s->ended && clock_monotonic_ms() < until)
		wait_ms(s, MAX(until - clock_monotonic_ms(), (int64_t)1));
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	release(s);
}
