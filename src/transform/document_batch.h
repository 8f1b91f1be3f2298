/* Documents through a transform: each becomes a message of the Java tool's shape
 * (docs/transform-messages.md), and what comes out becomes documents again, none, one or several of
 * each. */
#ifndef TRANSFORM_DOCUMENT_BATCH_H
#define TRANSFORM_DOCUMENT_BATCH_H

#include "cluster/bulk.h"
#include "transform/transform.h"

/* What becomes of documents that a transform cannot do. */
enum transform_error_policy {
	TRANSFORM_ERROR_RECORD, /* failed documents with this failure type */
	TRANSFORM_ERROR_SKIP,   /* counted and logged */
	TRANSFORM_ERROR_FAIL,   /* the run ends */
};
#define TRANSFORM_FAILURE_TYPE "transform_exception"

struct document_batch_output {
	size_t input; /* which document it was made of */
	struct bulk_document document;
};

struct document_batch_failure {
	size_t input;
	const struct err *error; /* names document, step and provider */
};

/* In the order of the inputs. All borrows the arena and the inputs. */
struct document_batch {
	struct document_batch_output *outputs;
	size_t count;
	struct document_batch_failure *failures;
	size_t failure_count;
	size_t dropped; /* inputs that became nothing, without an error */
};

/* The documents of one bulk. Sources are JSON, or missing (ptr NULL) for deletes. Nothing of the
 * transform's is kept in *out. Negative only when no more documents can be transformed; what is
 * wrong with one document is in out->failures: its source is no JSON, a step failed, what came out
 * is no document. One thread at a time. */
int document_batch_transform(struct transform *transform, const struct bulk_document *inputs,
			     size_t count, struct arena *mem, struct document_batch *out,
			     struct err *err);

#endif
