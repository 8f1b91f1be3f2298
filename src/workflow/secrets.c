#include "workflow/secrets.h"

#include "base/limits.h"
#include "base/small_file.h"
#include "base/state_dir.h"
#include "workflow/platform.h"
#include "workflow/secrets_kubernetes.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRETS_MAX 1000
#define NAME_LENGTH_MAX 253

static int check_name(struct str name, struct err *err)
{
	bool fine = name.len > 0 && name.len <= NAME_LENGTH_MAX && isalnum((uint8_t)name.ptr[0]);

	for (size_t i = 0; fine && i < name.len; i++)
		fine = isalnum((uint8_t)name.ptr[i]) || strchr("-._", name.ptr[i]);
	return fine ? 0
		    : err_set(err, ERR_USAGE,
			      "'" STR_FMT "' is no name of a secret; use small letters, digits "
			      "and '-'",
			      STR_ARG(name));
}

static int read_from(const char *folder, struct str name, struct arena *mem, struct str *out,
		     struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SECRET);
	struct str path = arena_printf(mem, "%s/" STR_FMT, folder, STR_ARG(name));
	int rc;

	if (!path.ptr)
		return arena_fail(mem, "a secret", err);
	rc = small_file_read(path.ptr, &text, err);
	if (rc <= 0)
		return rc;
	*out = arena_str(mem, str_trim(buf_str(&text)));
	explicit_bzero(text.ptr, text.len);
	return out->ptr ? 1 : arena_fail(mem, "a secret", err);
}

static int read_variable(struct str name, struct arena *mem, struct str *out, struct err *err)
{
	struct str variable = arena_printf(mem, "SHARDLIFT_SECRET_" STR_FMT, STR_ARG(name));
	const char *value;

	if (!variable.ptr)
		return arena_fail(mem, "a secret", err);
	for (char *p = (char *)(uintptr_t)variable.ptr; *p; p++)
		*p = (char)(isalnum((uint8_t)*p) ? toupper((uint8_t)*p) : '_');
	value = getenv(variable.ptr);
	*out = str_from(value);
	return value && *value;
}

int workflow_secret_read(const char *state_dir, struct str name, struct arena *mem, struct str *out,
			 struct err *err)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	struct str folder = arena_printf(mem, "%s/secrets", state_dir);
	int rc;

	if (check_name(name, err) < 0)
		return -(int)err->kind;
	if (workflow_platform() == PLATFORM_KUBERNETES)
		return kubernetes_secret_read(name, mem, out, err);
	if (!folder.ptr)
		return arena_fail(mem, "a secret", err);
	rc = read_from(folder.ptr, name, mem, out, err);
	if (rc == 0 && credentials)
		rc = read_from(credentials, name, mem, out, err);
	return rc == 0 ? read_variable(name, mem, out, err) : rc;
}

/* Beside its place and renamed: never half written, and never readable by others. */
static int write_file(const char *path, const char *beside, struct str value, struct err *err)
{
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0)
		return err_set_errno(err, ERR_IO, errno, "cannot write '%s'", beside);
	if (write(fd, value.ptr, value.len) != (ssize_t)value.len || fsync(fd) < 0)
		rc = err_set_errno(err, ERR_IO, errno, "cannot write '%s'", beside);
	close(fd);
	if (rc == 0 && rename(beside, path) < 0)
		rc = err_set_errno(err, ERR_IO, errno, "cannot write '%s'", path);
	if (rc < 0)
		unlink(beside);
	return rc;
}

int workflow_secret_write(const char *state_dir, struct str name, struct str value, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct str folder = arena_printf(&mem, "%s/secrets", state_dir);
	struct str path = arena_printf(&mem, "%s/secrets/" STR_FMT, state_dir, STR_ARG(name));
	struct str beside =
		arena_printf(&mem, "%s/secrets/.new-" STR_FMT, state_dir, STR_ARG(name));

	if (check_name(name, err) < 0)
		return -(int)err->kind;
	if (workflow_platform() == PLATFORM_KUBERNETES)
		return kubernetes_secret_write(name, value, err);
	if (mem.failed)
		return arena_fail(&mem, "a secret", err);
	if (directory_make(folder.ptr, err) < 0)
		return -(int)err->kind;
	return write_file(path.ptr, beside.ptr, value, err);
}

int workflow_secret_delete(const char *state_dir, struct str name, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct str path = arena_printf(&mem, "%s/secrets/" STR_FMT, state_dir, STR_ARG(name));

	if (check_name(name, err) < 0)
		return -(int)err->kind;
	if (workflow_platform() == PLATFORM_KUBERNETES)
		return kubernetes_secret_delete(name, err);
	if (!path.ptr)
		return arena_fail(&mem, "a secret", err);
	if (unlink(path.ptr) == 0)
		return 1;
	return errno == ENOENT ? 0
			       : err_set_errno(err, ERR_IO, errno, "cannot remove '%s'", path.ptr);
}

int workflow_secret_list(const char *state_dir, struct arena *mem, struct str **out, size_t *count,
			 struct err *err)
{
	struct str folder = arena_printf(mem, "%s/secrets", state_dir);
	struct dirent *entry;
	DIR *directory;

	if (workflow_platform() == PLATFORM_KUBERNETES)
		return kubernetes_secret_list(mem, out, count, err);
	*count = 0;
	*out = arena_zalloc(mem, SECRETS_MAX, sizeof(struct str));
	if (mem->failed)
		return arena_fail(mem, "the list of secrets", err);
	directory = opendir(folder.ptr);
	if (!directory)
		return errno == ENOENT
			       ? 0
			       : err_set_errno(err, ERR_IO, errno, "cannot read '%s'", folder.ptr);
	while ((entry = readdir(directory)) && *count < SECRETS_MAX)
		if (entry->d_name[0] != '.')
			(*out)[(*count)++] = arena_str(mem, str_from(entry->d_name));
	closedir(directory);
	qsort(*out, *count, sizeof(struct str), str_cmp_qsort);
	return mem->failed ? arena_fail(mem, "the list of secrets", err) : 0;
}

static void add_name(struct str *list, size_t *count, struct str name)
{
	for (size_t i = 0; i < *count; i++)
		if (str_eq(list[i], name))
			return;
	if (name.len > 0 && *count < SECRETS_MAX)
		list[(*count)++] = name;
}

int workflow_secret_names(const struct config_value *root, struct arena *mem, struct str **out,
			  size_t *count, struct err *err)
{
	static const char *const places[] = {"sourceClusters", "targetClusters"};
	static const char *const forms[] = {"basic", "apiKey"};

	*count = 0;
	*out = arena_zalloc(mem, SECRETS_MAX, sizeof(struct str));
	if (!*out)
		return arena_fail(mem, "the list of secrets", err);
	for (size_t i = 0; i < COUNT_OF(places); i++)
		config_each (cluster, config_get(root, places[i]))
			for (size_t j = 0; j < COUNT_OF(forms); j++)
				add_name(*out, count,
					 config_text_or(
						 config_get(config_get(config_get(cluster,
										  "authConfig"),
								       forms[j]),
							    "secretName"),
						 STR_NONE));
	return 0;
}
