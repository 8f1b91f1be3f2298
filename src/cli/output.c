#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void output_init(struct output *output)
{
	*output = (struct output){.buffer = mem_alloc(OUTPUT_BUFFER)};
}

void output_release(struct output *output)
{
	free(output->buffer);
	output->buffer = NULL;
}

static void write_all(struct output *output, struct str bytes)
{
	while (bytes.len > 0 && output->errno_value == 0) {
		ssize_t written = write(STDOUT_FILENO, bytes.ptr, bytes.len);

		if (written >= 0)
			bytes = str_from_offset(bytes, (size_t)written);
		else if (errno != EINTR)
			output->errno_value = errno;
	}
}

static void write_buffer(struct output *output)
{
	write_all(output, str_of(output->buffer, output->used));
	output->used = 0;
}

void output_append(struct output *output, struct str bytes)
{
	if (bytes.len > OUTPUT_BUFFER - output->used)
		write_buffer(output);
	if (bytes.len > OUTPUT_BUFFER / 2) {
		write_buffer(output);
		write_all(output, bytes);
		return;
	}
	if (bytes.len > 0)
		memcpy(output->buffer + output->used, bytes.ptr, bytes.len);
	output->used += bytes.len;
}

int output_flush(struct output *output, struct err *err)
{
	write_buffer(output);
	if (output->errno_value == 0 || output->errno_value == EPIPE)
		return 0;
	return err_set_errno(err, ERR_IO, output->errno_value, "writing to standard output");
}

bool output_is_open(const struct output *output)
{
	return output->errno_value == 0;
}
