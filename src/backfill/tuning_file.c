#include "backfill/tuning_file.h"

#include "base/small_file.h"
#include "base/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX MIB(64)
#define SESSIONS_MAX 100000
#define ENDING STR(".json")

/* Bytes of the lock file: whoever begins or ends holds the first, whoever works the second. */
enum { TURN, WORKING };

static char *path_of(const char *folder, const char *session, const char *ending)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_printf(&path, "%s/%s%s", folder, session, ending);
	return mem_strdup(buf_cstr(&path));
}

static char *folder_of(const char *state_dir)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_printf(&path, "%s/tuning", state_dir);
	return mem_strdup(buf_cstr(&path));
}

/* False when another process is in the way and `wait` is not set. */
static bool lock_byte(const struct tuning_file *file, off_t byte, short type, bool wait)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
	int done;

	do
		done = fcntl(file->lock_fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
	while (done < 0 && errno == EINTR);
	return done == 0;
}

static int lock_failed(const struct tuning_file *file, int failure, struct err *err)
{
	return err_set_errno(err, ERR_IO, failure, "cannot lock '%s/%s.lock'", file->folder,
			     file->session);
}

static int read_file(const char *folder, const char *session, struct arena *mem, struct json **out,
		     struct err *err)
{
	cleanup(mem_freep) char *path = path_of(folder, session, ".json");
	cleanup(buf_release) struct buf bytes = BUF_INIT(FILE_MAX);
	int found = small_file_read(path, &bytes, err);
	struct str text;

	*out = NULL;
	if (found <= 0)
		return found;
	text = arena_str(mem, buf_str(&bytes));
	if (!text.ptr)
		return arena_fail(mem, path, err);
	if (json_parse(text, mem, out, err) < 0)
		return err_wrap(err, "'%s'", path);
	if ((*out)->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "'%s' is no JSON object", path);
	return 0;
}

static int read_root(struct tuning_file *file, struct err *err)
{
	int failed;

	arena_reset(&file->mem);
	failed = read_file(file->folder, file->session, &file->mem, &file->root, err);
	if (failed < 0)
		return failed;
	if (!file->root)
		file->root = json_new(&file->mem, JSON_OBJECT);
	if (!json_get(file->root, "indices"))
		json_set(file->root, STR("indices"), json_new(&file->mem, JSON_OBJECT));
	if (!json_get(file->root, "indices"))
		return arena_fail(&file->mem, "saved settings", err);
	if (json_get(file->root, "indices")->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT,
			       "'%s/%s.json' holds no settings; set those of the target by hand, "
			       "and remove it",
			       file->folder, file->session);
	return 0;
}

int tuning_file_open(struct tuning_file *file, const char *state_dir, const char *session,
		     struct err *err)
{
	cleanup(mem_freep) char *lock_path = NULL;
	int failed;

	*file = (struct tuning_file){.mem = ARENA_INIT(FILE_MAX * 8), .lock_fd = -1};
	file->folder = folder_of(state_dir);
	file->session = mem_strdup(session);
	lock_path = path_of(file->folder, session, ".lock");
	if ((failed = directory_make(file->folder, err)) < 0)
		return failed;
	file->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file->lock_fd < 0 || !lock_byte(file, TURN, F_WRLCK, true))
		return lock_failed(file, errno, err);
	return read_root(file, err);
}

void tuning_file_release(struct tuning_file *file)
{
	if (!file->folder)
		return;
	if (file->lock_fd >= 0)
		close(file->lock_fd);
	arena_release(&file->mem);
	free(file->folder);
	free(file->session);
	*file = (struct tuning_file){.lock_fd = -1};
}

int tuning_file_write(struct tuning_file *file, struct err *err)
{
	cleanup(mem_freep) char *path = path_of(file->folder, file->session, ".json");
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);

	if (json_get(file->root, "indices")->count == 0)
		return small_file_remove(path, err);
	json_write_pretty(&text, file->root);
	buf_append_byte(&text, '\n');
	if (file->mem.failed || buf_check(&text, "saved settings", err) < 0)
		return arena_fail(&file->mem, "saved settings", err);
	return small_file_replace(path, buf_str(&text), err);
}

int tuning_file_share(struct tuning_file *file, struct err *err)
{
	if (!lock_byte(file, WORKING, F_RDLCK, true) || !lock_byte(file, TURN, F_UNLCK, true))
		return lock_failed(file, errno, err);
	return 0;
}

int tuning_file_leave(struct tuning_file *file, struct err *err)
{
	if (!lock_byte(file, TURN, F_WRLCK, true))
		return lock_failed(file, errno, err);
	if (!lock_byte(file, WORKING, F_WRLCK, false))
		return errno == EAGAIN || errno == EACCES ? 0 : lock_failed(file, errno, err);
	return read_root(file, err) < 0 ? -(int)err->kind : 1;
}

static int add_session(struct str name, struct arena *mem, struct str *out, size_t *count,
		       struct err *err)
{
	if (!str_ends(name, ENDING) || *count == SESSIONS_MAX)
		return 0;
	name.len -= ENDING.len;
	out[*count] = arena_str(mem, name);
	return out[(*count)++].ptr ? 0 : arena_fail(mem, "sessions", err);
}

static void closedirp(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

int tuning_file_sessions(const char *state_dir, struct arena *mem, struct str **out, size_t *count,
			 struct err *err)
{
	cleanup(mem_freep) char *path = folder_of(state_dir);
	cleanup(closedirp) DIR *folder = opendir(path);
	size_t entries = 0;
	int failed = 0;

	*out = NULL;
	*count = 0;
	if (!folder)
		return errno == ENOENT
			       ? 0
			       : err_set_errno(err, ERR_IO, errno, "cannot read '%s'", path);
	while (readdir(folder))
		entries++;
	*out = arena_zalloc(mem, entries + 1, sizeof(**out));
	if (!*out)
		return arena_fail(mem, "sessions", err);
	rewinddir(folder);
	for (struct dirent *entry; failed == 0 && entries > 0 && (entry = readdir(folder));
	     entries--)
		failed = add_session(str_from(entry->d_name), mem, *out, count, err);
	qsort(*out, *count, sizeof(**out), str_cmp_qsort);
	return failed;
}

int tuning_file_peek(const char *state_dir, const char *session, struct arena *mem,
		     struct json **out, struct err *err)
{
	cleanup(mem_freep) char *folder = folder_of(state_dir);

	return read_file(folder, session, mem, out, err);
}
