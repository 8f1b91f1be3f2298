/* inspect lucene --indexed. */
#ifndef CLI_INSPECT_INDEXED_H
#define CLI_INSPECT_INDEXED_H

#include "base/err.h"

struct arena;
struct lucene_directory;

/* Prints what is indexed of a field, points or terms, a line of JSON for each document that has
 * any. */
int inspect_indexed(struct lucene_directory *dir, const char *field, struct arena *mem,
		    struct err *err);

#endif
