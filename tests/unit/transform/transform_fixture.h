/* One message through one configuration. JSON is written with ' for ". */
#ifndef TRANSFORM_FIXTURE_H
#define TRANSFORM_FIXTURE_H

#include "transform/transform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* `expected` NULL: the message is dropped. A result that equals the message must not be told as
 * changed, another must. */
void assert_becomes(enum transform_kind kind, const char *configuration, const char *message,
		    const char *expected);
/* As above, whatever is told of changes. */
void assert_result(enum transform_kind kind, const char *configuration, const char *message,
		   const char *expected);
/* The message gets this error (without what the pipeline puts before it). */
void assert_message_error(enum transform_kind kind, const char *configuration, const char *message,
			  const char *error);
/* No step is made; `error` is the end of the message. */
void assert_configuration_error(enum transform_kind kind, const char *configuration,
				const char *error);

/* Owned; for tests of their own. */
struct transform *make_transform(enum transform_kind kind, const char *configuration);
struct json *parse_quoted(struct arena *mem, const char *text);

#endif
