/* Settings of a profile: a line's, without white space around them. The file is one in memory. */
#include "net/aws_credentials_internal.h"

#include "base/limits.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int profile_file(void)
{
	static int fd = -1;
	char path[64];

	if (fd >= 0)
		return fd;
	fd = memfd_create("profile", MFD_CLOEXEC);
	if (fd < 0)
		BUG("no file in memory");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	setenv("AWS_CONFIG_FILE", path, 1);
	unsetenv("AWS_PROFILE");
	return fd;
}

static void check_value(const char *value, const uint8_t *data, size_t size)
{
	size_t len = value ? strlen(value) : 0;

	if (!value)
		return;
	/* An empty one is none, but for a NUL that cuts it. */
	if (strchr(value, '\n') || (len > 0 && (unsigned char)value[0] <= ' '))
		BUG("a value that is not one line, trimmed");
	if (len > 0 && !memmem(data, size, value, len))
		BUG("a value that is not in the file");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"aws_access_key_id", "aws_session_token", "a"};
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(4));
	const struct aws_credentials_options options = {.profile = "a"};
	struct aws_key_found found;
	struct err err = {0};
	int fd = profile_file(), rc;

	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		BUG("the file in memory cannot be written");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		check_value(aws_profile_value(NULL, names[i], &mem), data, size);
		check_value(aws_profile_value("a", names[i], &mem), data, size);
	}
	rc = aws_credentials_of_profile(&options, &mem, &found, &err);
	if (rc < 0 && (!err.kind || !err.message[0]))
		BUG("an error that says nothing");
	if (rc == 1 && (!found.key.access_key_id || !found.key.secret_access_key))
		BUG("half a key");
	return 0;
}
