/* inspect lucene --columns. */
#ifndef CLI_INSPECT_COLUMNS_H
#define CLI_INSPECT_COLUMNS_H

#include "base/err.h"

struct arena;
struct lucene_directory;

/* Prints the doc values of all documents of a Lucene directory, a line of JSON each. */
int inspect_columns(struct lucene_directory *dir, struct arena *mem, struct err *err);

#endif
