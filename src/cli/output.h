/* Standard output for many small pieces: one large buffer, no locks, one check at the end. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/err.h"
#include "base/str.h"

#define OUTPUT_BUFFER (256 << 10)

struct output {
	char *buffer; /* owned */
	size_t used;
	int errno_value; /* of the first write that failed; later ones do nothing */
};

void output_init(struct output *output);
/* Throws away what was not flushed. */
void output_release(struct output *output);
void output_append(struct output *output, struct str bytes);
/* 0, also when the reader has gone away (EPIPE: it has seen enough); -ERR_IO when it could not be
 * written. */
int output_flush(struct output *output, struct err *err);
/* Whether anybody still takes what is written. */
bool output_is_open(const struct output *output);

#endif
