/* The real repositories of tests/fixtures, unpacked. */
#ifndef TEST_FIXTURE_REPOSITORY_H
#define TEST_FIXTURE_REPOSITORY_H

#include "base/json.h"

/* Unpacks tests/fixtures/<name>.tar.gz into a new folder; returns the path of its repo/, owned.
 * Aborts when that fails. */
char *fixture_repository_unpack(const char *name);
/* Removes what was unpacked, and frees the path. */
void fixture_repository_remove(char *path);
/* Parses tests/fixtures/<name>.meta.json. */
struct json *fixture_meta(const char *name, struct arena *mem);

#endif
