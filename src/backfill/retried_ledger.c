#include "backfill/retried_ledger.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "retried.ndjson"
#define WRITE_AT KIB(64)
#define LINE_MAX_BYTES KIB(4)

struct retried_ledger {
	int fd;
	char *path;
	struct buf waiting; /* lines not written yet */
};

static int path_in(const char *folder, struct buf *path, struct err *err)
{
	buf_printf(path, "%s/" NAME, folder);
	return buf_check(path, "the path of " NAME, err);
}

/* A folder knows of a new file only when it was synced itself. */
static int sync_folder(const char *folder, struct err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = fd < 0 || fsync(fd) < 0
		     ? err_set_errno(err, ERR_IO, errno, "cannot write '%s'", folder)
		     : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* A line that a crash left without its end must not run into the next one. */
static int end_last_line(struct retried_ledger *ledger, struct err *err)
{
	struct stat status;
	char last = '\n';

	if (fstat(ledger->fd, &status) < 0 ||
	    (status.st_size > 0 && pread(ledger->fd, &last, 1, status.st_size - 1) < 0))
		return err_set_errno(err, ERR_IO, errno, "cannot read '%s'", ledger->path);
	if (last != '\n')
		buf_append_byte(&ledger->waiting, '\n');
	return 0;
}

static int lock(struct retried_ledger *ledger, struct err *err)
{
	if (flock(ledger->fd, LOCK_EX | LOCK_NB) == 0)
		return end_last_line(ledger, err);
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_CONFLICT,
			       "another process is sending the failed documents of '%s' again; "
			       "wait until it has ended",
			       ledger->path);
	return err_set_errno(err, ERR_IO, errno, "cannot lock '%s'", ledger->path);
}

int retried_ledger_open(const char *folder, struct retried_ledger **out, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct retried_ledger *ledger;
	int fd, rc = path_in(folder, &path, err);

	if (rc < 0)
		return rc;
	fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", buf_cstr(&path));
	ledger = mem_zalloc(sizeof(*ledger));
	ledger->fd = fd;
	ledger->path = mem_strdup(buf_cstr(&path));
	ledger->waiting = BUF_INIT(WRITE_AT + LINE_MAX_BYTES);
	rc = lock(ledger, err);
	if (rc == 0)
		rc = sync_folder(folder, err);
	if (rc < 0) {
		retried_ledger_close(ledger);
		return rc;
	}
	*out = ledger;
	return 0;
}

static int write_waiting(struct retried_ledger *ledger, struct err *err)
{
	struct str left = buf_str(&ledger->waiting);

	while (left.len > 0) {
		ssize_t written = write(ledger->fd, left.ptr, left.len);

		if (written < 0 && errno != EINTR)
			return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", ledger->path);
		left = str_from_offset(left, written < 0 ? 0 : (size_t)written);
	}
	buf_reset(&ledger->waiting);
	return 0;
}

int retried_ledger_add(struct retried_ledger *ledger, const struct retried_entry *entry,
		       enum retried_outcome outcome, struct err *err)
{
	static const char *const names[] = {[RETRIED_SENT] = "sent",
					    [RETRIED_FAILED_AGAIN] = "failed again",
					    [RETRIED_REPEATED] = "repeated"};
	char document[ID128_TEXT], record[ID128_TEXT], now[25];

	id128_print(entry->document, document);
	id128_print(entry->record, record);
	clock_format_utc(clock_wall_ms(), now);
	buf_printf(&ledger->waiting,
		   "{\"document\":\"%s\",\"record\":\"%s\",\"outcome\":\"%s\",\"time\":\"%s\"}\n",
		   document, record, names[outcome], now);
	return ledger->waiting.len < WRITE_AT ? 0 : write_waiting(ledger, err);
}

int retried_ledger_sync(struct retried_ledger *ledger, struct err *err)
{
	int rc = write_waiting(ledger, err);

	if (rc == 0 && fdatasync(ledger->fd) < 0)
		rc = err_set_errno(err, ERR_IO, errno, "cannot write '%s'", ledger->path);
	return rc;
}

void retried_ledger_close(struct retried_ledger *ledger)
{
	if (!ledger)
		return;
	close(ledger->fd);
	buf_release(&ledger->waiting);
	free(ledger->path);
	free(ledger);
}

static bool read_entry(struct str line, struct arena *mem, struct retried_entry *out)
{
	struct json *entry;

	arena_reset(mem);
	return json_parse(line, mem, &entry, NULL) == 0 &&
	       id128_parse(json_string(json_get(entry, "document")), &out->document) &&
	       id128_parse(json_string(json_get(entry, "record")), &out->record);
}

int retried_ledger_read(const char *folder,
			void (*visit)(void *user, const struct retried_entry *entry), void *user,
			struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	char line[LINE_MAX_BYTES];
	FILE *file;
	int rc = path_in(folder, &path, err);

	if (rc < 0)
		return rc;
	file = fopen(buf_cstr(&path), "re");
	if (!file)
		return errno == ENOENT ? 0
				       : err_set_errno(err, ERR_IO, errno, "cannot read '%s'",
						       buf_cstr(&path));
	while (fgets(line, sizeof(line), file)) {
		struct retried_entry entry;

		if (strchr(line, '\n') && read_entry(str_from(line), &mem, &entry))
			visit(user, &entry);
	}
	if (ferror(file))
		rc = err_set(err, ERR_IO, "cannot read '%s'", buf_cstr(&path));
	fclose(file);
	return rc;
}
