/* Preloaded into a program, makes its clock and its disk misbehave when a test says so: LD_PRELOAD.
 *
 * DISTURB_SWITCHES   a file of three little-endian int64, looked at with every call:
 *                    seconds that the wall clock is ahead
 *                    milliseconds that each fsync and fdatasync takes longer
 *                    not 0: fsync and fdatasync fail with EIO */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct switches {
	int64_t clock_ahead_s, sync_later_ms, sync_fails;
};

static const struct switches none;
static const struct switches *switches = &none;

__attribute__((constructor)) static void map_switches(void)
{
	const char *path = getenv("DISTURB_SWITCHES");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *mapped;

	if (fd < 0)
		return;
	mapped = mmap(NULL, sizeof(*switches), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		abort();
	switches = mapped;
}

static int64_t now(const int64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static int sync_file(const char *name, int fd)
{
	union {
		void *symbol;
		int (*call)(int);
	} next = {.symbol = dlsym(RTLD_NEXT, name)};
	int64_t later_ms = now(&switches->sync_later_ms);
	struct timespec pause = {later_ms / 1000, later_ms % 1000 * 1000000};

	if (later_ms > 0)
		nanosleep(&pause, NULL);
	if (now(&switches->sync_fails)) {
		errno = EIO;
		return -1;
	}
	return next.call(fd);
}

int fsync(int fd);
int fsync(int fd)
{
	return sync_file("fsync", fd);
}

int fdatasync(int fd);
int fdatasync(int fd)
{
	return sync_file("fdatasync", fd);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	union {
		void *symbol;
		int (*call)(clockid_t, struct timespec *);
	} next = {.symbol = dlsym(RTLD_NEXT, "clock_gettime")};
	int failed = next.call(clock, time);

	if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		time->tv_sec += now(&switches->clock_ahead_s);
	return failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	struct timespec at;
	int failed = clock_gettime(CLOCK_REALTIME, &at);

	(void)zone;
	time->tv_sec = at.tv_sec;
	time->tv_usec = at.tv_nsec / 1000;
	return failed;
}

time_t time(time_t *where)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	if (where)
		*where = at.tv_sec;
	return at.tv_sec;
}
