/* inspect lucene --columns. */
#ifndef CLI_INSPECT_COLUMNS_H
#define CLI_INSPECT_COLUMNS_H

#include "base/buf.h"

struct arena;
struct lucene_directory;

/* Prints the doc values of all documents of a Lucene directory, a line of JSON each. */
int inspect_columns(struct lucene_directory *dir, struct arena *mem, struct err *err);

/* As text, or {"hex":"..."} where it is none. */
void inspect_add_bytes(struct buf *line, struct str bytes);

#endif
