/* Regular expressions for whole names of indices.
 *
 * Dialect: POSIX extended regular expressions, where '.' '*' '+' '?' '|' '()' '[]' '{n,m}' mean
 * what they do in Java; \d, \D and (?:…) are understood too. Other Java escapes and flags are
 * refused, for they would silently match something else. */
#ifndef METADATA_NAME_PATTERN_H
#define METADATA_NAME_PATTERN_H

#include "base/buf.h"
#include "base/err.h"

#include <regex.h>

#define NAME_PATTERN_PREFIX "regex:" /* of an entry that is a pattern and no name */

/* To be given to regfree. ERR_USAGE names the pattern. */
int name_pattern_compile(const char *pattern, regex_t *out, struct err *err);
/* Whether it matches the whole name; groups as regexec gives them, `count` at least 1. */
bool name_pattern_matches(const regex_t *pattern, struct str name, regmatch_t *groups,
			  size_t count);

#endif
