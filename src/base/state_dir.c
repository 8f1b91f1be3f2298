#include "base/state_dir.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A variable's value; NULL when it is empty or not set. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int state_dir_path(const char *flag, struct arena *mem, const char **out, struct err *err)
{
	const char *home = variable("HOME"), *xdg = variable("XDG_STATE_HOME"), *given = flag;
	struct str path;

	if (!given || !*given)
		given = variable("SHARDLIFT_HOME");
	/* The XDG specification ignores relative paths. */
	if (xdg && xdg[0] != '/')
		xdg = NULL;
	if (given)
		path = arena_str(mem, str_from(given));
	else if (geteuid() == 0)
		path = arena_str(mem, STR("/var/lib/shardlift"));
	else if (xdg)
		path = arena_printf(mem, "%s/shardlift", xdg);
	else if (home)
		path = arena_printf(mem, "%s/.local/state/shardlift", home);
	else
		return err_set(err, ERR_USAGE,
			       "no place to keep state: HOME is not set; give --state-dir");
	if (!path.ptr)
		return arena_fail(mem, "the path of the state directory", err);
	*out = path.ptr;
	return 0;
}

/* The entry of a new directory in its parent. A parent that may not be read is not synced. */
static int sync_parent(const char *path, struct err *err)
{
	cleanup(mem_freep) char *parent = mem_strdup(path);
	char *slash = strrchr(parent, '/');
	int fd, failure = 0;

	if (slash)
		slash[slash == parent] = '\0';
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fsync(fd) < 0 && errno != EINVAL)
		failure = errno;
	close(fd);
	return failure ? err_set_errno(err, ERR_IO, failure, "cannot write to '%s'", parent) : 0;
}

static int make_one(const char *path, struct err *err)
{
	struct stat status;
	int failure;

	if (mkdir(path, 0700) == 0)
		return sync_parent(path, err);
	failure = errno;
	/* Not only EEXIST: a parent on a read-only mount is there and says EROFS. */
	if (stat(path, &status) < 0)
		return err_set_errno(err, ERR_IO, failure, "cannot make the directory '%s'", path);
	if (!S_ISDIR(status.st_mode))
		return err_set(err, ERR_IO, "'%s' is in the way: it is no directory", path);
	return 0;
}

int directory_make(const char *path, struct err *err)
{
	cleanup(mem_freep) char *partial = mem_strdup(path);
	int code;

	for (char *slash = strchr(partial, '/'); slash; slash = strchr(slash + 1, '/')) {
		if (slash == partial)
			continue;
		*slash = '\0';
		code = make_one(partial, err);
		if (code < 0)
			return code;
		*slash = '/';
	}
	return make_one(partial, err);
}
