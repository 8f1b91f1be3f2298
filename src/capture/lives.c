#include "capture/lives.h"

#include "base/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define TRY_EVERY_MS 1000

static int take_lock(struct lives *lives, const char *path, struct err *err)
{
	char lock[LIMIT_PATH];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	lives->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lives->lock < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot make '%s'", lock);
	if (flock(lives->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_CONFLICT,
			       "another process has '%s': give each proxy a --name of its own",
			       lock);
	return err_set_errno(err, ERR_IO, errno, "cannot lock '%s'", lock);
}

static void remember(struct lives *lives, struct str id)
{
	if (id.len != LIVES_ID)
		return;
	if (lives->former_count == LIVES_MAX)
		memmove(lives->former[0], lives->former[1],
			--lives->former_count * sizeof(lives->former[0]));
	memcpy(lives->former[lives->former_count++], id.ptr, LIVES_ID);
}

static int read_former(struct lives *lives, const char *path, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
	int got = small_file_read(path, &text, err);
	struct str rest, line;

	if (got <= 0)
		return got;
	rest = buf_str(&text);
	while (str_split(rest, '\n', &line, &rest))
		remember(lives, line);
	return 0;
}

static int write_ids(const struct lives *lives, const char *path, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));

	for (size_t i = 0; i < lives->former_count; i++)
		buf_printf(&text, "%s\n", lives->former[i]);
	if (lives->own[0])
		buf_printf(&text, "%s\n", lives->own);
	return small_file_replace(path, buf_str(&text), err);
}

int lives_open(struct lives *lives, const char *path, const char *node_id, struct err *err)
{
	int got;

	*lives = (struct lives){.lock = -1};
	if (!path)
		return 0;
	snprintf(lives->own, sizeof(lives->own), "%s", node_id);
	if ((got = take_lock(lives, path, err)) < 0 || (got = read_former(lives, path, err)) < 0 ||
	    (got = write_ids(lives, path, err)) < 0)
		return got;
	lives->path = mem_strdup(path);
	return 0;
}

void lives_close(struct lives *lives, bool clean)
{
	struct err err = {0};

	lives->own[0] = '\0';
	if (lives->path && clean && lives->former_count == 0)
		small_file_remove(lives->path, &err); /* else it is told once more */
	else if (lives->path && clean)
		write_ids(lives, lives->path, &err);
	if (lives->lock >= 0)
		close(lives->lock);
	free(take(lives->path));
	lives->lock = -1;
}

bool lives_is_due(const struct lives *lives, uint32_t partitions, int64_t now_ms)
{
	return lives->path && lives->former_count > 0 && lives->told < partitions &&
	       !lives->under_way &&
	       (lives->tried_ms == 0 || now_ms - lives->tried_ms >= TRY_EVERY_MS);
}

void lives_begin(struct lives *lives, const struct recorder_options *options, int64_t now_ms)
{
	char text[sizeof(RECORD_NODE_OVER_PREFIX) + LIVES_ID];

	lives->under_way = true;
	lives->tried_ms = now_ms;
	recorder_init(&lives->recorder, options);
	for (size_t i = 0; i < lives->former_count; i++) {
		snprintf(text, sizeof(text), RECORD_NODE_OVER_PREFIX "%s", lives->former[i]);
		recorder_exception(&lives->recorder, record_time_now(), str_from(text));
	}
	recorder_close(&lives->recorder);
}

void lives_settle(struct lives *lives, uint32_t partitions)
{
	struct err err = {0};

	if (!lives->under_way)
		return;
	recorder_retry(&lives->recorder);
	if (!recorder_is_settled(&lives->recorder))
		return;
	lives->under_way = false;
	if (lives->recorder.lost == 0) {
		lives->tried_ms = 0;
		lives->told++;
	}
	recorder_release(&lives->recorder);
	if (lives->told < partitions)
		return;
	lives->former_count = 0;
	write_ids(lives, lives->path, &err); /* else they are told once more */
}
