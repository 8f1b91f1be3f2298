/* How Elasticsearch writes a document's id into the stored fields _id and _uid. */
#ifndef DOCUMENTS_DOCUMENT_ID_H
#define DOCUMENTS_DOCUMENT_ID_H

#include "base/err.h"
#include "base/str.h"

/* Bytes an id may have decoded: Elasticsearch allows 512; base64url can ask for 4/3 of the stored.
 */
#define DOCUMENT_ID_MAX 1024

/* Decodes a binary _id (ES 6 on, OS) into `text`; *out points into it. First byte 0xFF: UTF-8
 * follows; 0xFE: digits, two a byte; 0xFD: base64url of the rest; else base64url of all, unpadded.
 * Source: Elasticsearch 7.10 index/mapper/Uid. */
int document_id_decode(struct str stored, char text[static DOCUMENT_ID_MAX], struct str *out,
		       struct err *err);
/* Splits a _uid "type#id" (ES 5 and before) at the first '#'. */
int document_uid_split(struct str uid, struct str *type, struct str *id, struct err *err);
/* The id in a _parent "type#id" (ES 1); all of it where there is no '#'. */
struct str document_parent_id(struct str parent);

#endif
