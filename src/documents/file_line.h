/* What a line of a file of documents says: an action of a bulk body, a line of elasticdump, or a
 * document. Untrusted bytes.
 *
 * Sources: the bulk API of Elasticsearch and OpenSearch; elasticdump's lib/transports/__es__. */
#ifndef DOCUMENTS_FILE_LINE_H
#define DOCUMENTS_FILE_LINE_H

#include "base/json.h"
#include "documents/document.h"

enum file_format {
	FILE_FORMAT_AUTO, /* as the first line says */
	FILE_FORMAT_DOCUMENTS,
	FILE_FORMAT_BULK,
	FILE_FORMAT_ELASTICDUMP,
};

/* Whether it is a line with an action: one member, of the operations' names, whose value holds
 * nothing but metadata. */
bool file_line_is_action(const struct json *line);
/* The format that a line is of, FILE_FORMAT_AUTO if of none: with *what it is then, and what to do
 * ("settings of an index, as elasticdump writes them: …"). */
enum file_format file_line_format(const struct json *line, const char **what);
/* Fills all but the source from the metadata of an action, whose strings it borrows. `problem`
 * (NULL: none) says why it cannot be done. `index`: ptr NULL where it is not said. */
void file_line_read_action(const struct json *line, struct document *out);
/* As file_line_read_action, of a line of elasticdump, whose source is left out, too. */
void file_line_read_dumped(const struct json *line, struct document *out);
/* The text at "a.b" of a document, also where it is a member named "a.b"; NULL: none, or it is
 * neither a text nor a number. `remove`: it is taken out. */
const struct json *file_line_field(struct json *document, struct str path, bool remove);

#endif
