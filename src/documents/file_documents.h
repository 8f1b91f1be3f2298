/* The documents of files, in the order of the files and their lines, as the iterator that snapshots
 * give.
 *
 * document.doc is the place: the number of the file, and the offset of the document's first byte
 * (unpacked) in it, so that reading goes on where it ended. What cannot be a document is given as
 * one with a `problem` that names file and line. */
#ifndef DOCUMENTS_FILE_DOCUMENTS_H
#define DOCUMENTS_FILE_DOCUMENTS_H

#include "documents/document.h"
#include "documents/file_line.h"
#include "documents/input_files.h"

struct file_documents_options {
	const struct input_files *files; /* all strings are borrowed */
	enum file_format format;
	size_t line_limit;        /* bytes of a line */
	struct str index;         /* of all documents, whatever lines say; ptr NULL: as lines say,
				     else as the file is called */
	struct str id_field;      /* "a.b"; ptr NULL: ids are those of lines */
	bool remove_id_field;     /* out of the source */
	struct str routing_field; /* as id_field */
	int64_t first_doc;        /* where to go on; 0: at the beginning */
};

/* Opens nothing before the first document is asked for. Documents that say no id get one that is
 * the same whenever the same file is read, unless it can be read only once. */
int file_documents_open(const struct file_documents_options *options, struct document_source **out,
			struct err *err);
/* What the file holds that the document given last is from. */
enum file_format file_documents_format(const struct document_source *source);

#endif
