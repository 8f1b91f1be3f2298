/* A document on its way from wherever it lies to wherever it goes, and the one iterator for all. */
#ifndef DOCUMENTS_DOCUMENT_H
#define DOCUMENTS_DOCUMENT_H

#include "base/err.h"
#include "base/str.h"

struct document {
	struct str id;
	struct str routing;  /* ptr NULL: none; a document with a parent always has one */
	struct str parent;   /* id of its parent as ES 1 stores it (_parent); ptr NULL: none */
	struct str type;     /* ptr NULL: the source knows no types (_doc) */
	struct str source;   /* JSON as the client sent it, byte for byte; or made JSON of what it
			      * sent instead; ptr NULL: not stored */
	const char *problem; /* NULL, or why the source is no JSON: it is as stored then */
	int64_t doc;         /* Lucene document id in the shard */
	int64_t version;     /* _version; -1: not asked for, or not stored */
	bool live;           /* false only where deleted ones were asked for */
	bool deleted;        /* of a delta or a file: to be deleted on the target; has no source */
	struct str index; /* of a file: where it says it belongs; ptr NULL: to the work's index */
	bool recovered;   /* its source is the _recovery_source: see lucene_documents_options */
	bool created;     /* of a file: only if it is not there yet */
};

struct document_source;

struct document_source_ops {
	int (*next)(struct document_source *source, struct document *out, struct err *err);
	uint64_t (*position)(const struct document_source *source);
	void (*close)(struct document_source *source);
};

/* Implementations embed this as their first member. */
struct document_source {
	const struct document_source_ops *ops;
	uint64_t total_bytes; /* to be read in all; what position runs up to */
};

/* 1: *out, borrowed until the next call; 0: the end, and all checksums agreed; negative: broken. */
static inline int document_source_next(struct document_source *source, struct document *out,
				       struct err *err)
{
	return source->ops->next(source, out, err);
}

/* Bytes of stored fields read so far, for progress. */
static inline uint64_t document_source_position(const struct document_source *source)
{
	return source->ops->position(source);
}

/* Accepts NULL. */
static inline void document_source_close(struct document_source *source)
{
	if (source)
		source->ops->close(source);
}

#endif
