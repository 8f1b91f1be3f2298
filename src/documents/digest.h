/* Digests of documents: equal when two sides hold the same documents, in whatever order they are
 * read and by however many readers.
 *
 * A document's hash covers id, routing and what its source says (base/json_hash.h). Documents are
 * put into buckets by their id; a bucket is a count and the sum of its documents' hashes, so
 * buckets of parts add up to those of the whole. Buckets of a coarser digest are sums of those of a
 * finer one. Not thread-safe: a digest a thread, added up in the end. */
#ifndef DOCUMENTS_DIGEST_H
#define DOCUMENTS_DIGEST_H

#include "base/json.h"
#include "base/json_hash.h"
#include "documents/document.h"

struct digest_bucket {
	uint64_t count;
	struct hash128 sum;
};

struct digest {
	uint32_t bucket_count; /* a power of two */
	struct digest_bucket *buckets;
};

#define DIGEST_BUCKETS_MAX (1u << 20)
/* For an index of so many documents: about 64 in a bucket, [64, DIGEST_BUCKETS_MAX]. */
uint32_t digest_buckets_for(uint64_t documents);

void digest_init(struct digest *digest, uint32_t bucket_count);
void digest_release(struct digest *digest);
/* Takes all documents out. */
void digest_clear(struct digest *digest);

/* What goes into a document's hash. */
struct document_hash_options {
	bool without_id; /* the target made its own: bucket by content, id and routing left out */
};

/* The hash of a document, and which bucket of 2^20 it is in (coarser digests drop low bits). A
 * source that is no JSON counts by its bytes; none at all is something else than {}. */
struct document_hash {
	struct hash128 hash;
	uint32_t bucket;
};
void document_hash(struct json_hasher *hasher, const struct document *document,
		   const struct document_hash_options *options, struct document_hash *out);

uint32_t digest_bucket_of(const struct digest *digest, const struct document_hash *hash);
void digest_add(struct digest *digest, const struct document_hash *hash);
/* Asks for the bucket's memory ahead of digest_add. */
void digest_prefetch(const struct digest *digest, const struct document_hash *hash);
/* Adds all of `part`, which has as many buckets or more. */
void digest_merge(struct digest *digest, const struct digest *part);
uint64_t digest_documents(const struct digest *digest);
bool digest_bucket_equal(const struct digest_bucket *a, const struct digest_bucket *b);

/* As JSON text {"hash":V,"buckets":N,"data":"base64"}, without empty buckets; and back: ERR_FORMAT
 * for what no digest_write wrote, ERR_UNSUPPORTED for what one of another JSON_HASH_VERSION did. */
void digest_write(struct buf *out, const struct digest *digest);
int digest_read(const struct json *value, struct digest *out, struct err *err);

#endif
