#include "documents/digest.h"

#include "base/base64.h"

#include <endian.h>
#include <stdlib.h>

#define DOCUMENTS_PER_BUCKET 64
#define BUCKETS_MIN 64
#define FINEST_BITS 20
#define BUCKET_BYTES 32 /* as written: number, count, sum low and high */

enum { PART_ID = 1, PART_ROUTING, PART_SOURCE, PART_RAW_SOURCE, PART_NO_SOURCE };

uint32_t digest_buckets_for(uint64_t documents)
{
	uint32_t count = BUCKETS_MIN;

	while (count < DIGEST_BUCKETS_MAX && count < documents / DOCUMENTS_PER_BUCKET)
		count *= 2;
	return count;
}

void digest_init(struct digest *digest, uint32_t bucket_count)
{
	if (bucket_count == 0 || bucket_count > DIGEST_BUCKETS_MAX ||
	    (bucket_count & (bucket_count - 1)))
		BUG("the buckets of a digest are no power of two");
	digest->bucket_count = bucket_count;
	digest->buckets = mem_zalloc(bucket_count * sizeof(*digest->buckets));
}

void digest_release(struct digest *digest)
{
	free(digest->buckets);
	*digest = (struct digest){0};
}

void digest_clear(struct digest *digest)
{
	memset(digest->buckets, 0, digest->bucket_count * sizeof(*digest->buckets));
}

/* Each part of a document has a number, so that an id cannot pass for a routing. */
static struct hash128 part(struct hash128 hash, uint64_t number)
{
	struct {
		struct hash128 hash;
		uint64_t number;
	} tagged = {hash, number};

	return bytes_hash(str_of(&tagged, sizeof(tagged)));
}

static struct hash128 source_hash(struct json_hasher *hasher, const struct document *document)
{
	struct hash128 hash;

	if (!document->source.ptr)
		return part((struct hash128){0}, PART_NO_SOURCE);
	if (!document->problem && json_hash(hasher, document->source, &hash, NULL) == 0)
		return part(hash, PART_SOURCE);
	return part(bytes_hash(document->source), PART_RAW_SOURCE);
}

void document_hash(struct json_hasher *hasher, const struct document *document,
		   const struct document_hash_options *options, struct document_hash *out)
{
	struct hash128 sum = source_hash(hasher, document), id;

	if (options && options->without_id) {
		out->bucket = (uint32_t)(sum.high >> (64 - FINEST_BITS));
	} else {
		id = bytes_hash(document->id);
		out->bucket = (uint32_t)(id.high >> (64 - FINEST_BITS));
		sum = hash128_add(sum, part(id, PART_ID));
		if (document->routing.ptr)
			sum = hash128_add(sum, part(bytes_hash(document->routing), PART_ROUTING));
	}
	/* Mixed once more: sums of documents must not be sums of their parts, or two documents
	 * could swap sources and go unseen. */
	out->hash = bytes_hash(str_of(&sum, sizeof(sum)));
}

uint32_t digest_bucket_of(const struct digest *digest, const struct document_hash *hash)
{
	return hash->bucket >> (FINEST_BITS - __builtin_ctz(digest->bucket_count));
}

void digest_add(struct digest *digest, const struct document_hash *hash)
{
	struct digest_bucket *bucket = &digest->buckets[digest_bucket_of(digest, hash)];

	bucket->count++;
	bucket->sum = hash128_add(bucket->sum, hash->hash);
}

void digest_prefetch(const struct digest *digest, const struct document_hash *hash)
{
	__builtin_prefetch(&digest->buckets[digest_bucket_of(digest, hash)], 1);
}

void digest_merge(struct digest *digest, const struct digest *part)
{
	uint32_t finer = part->bucket_count / digest->bucket_count;

	if (finer == 0)
		BUG("a digest cannot be made finer");
	for (uint32_t i = 0; i < part->bucket_count; i++) {
		struct digest_bucket *to = &digest->buckets[i / finer];

		to->count += part->buckets[i].count;
		to->sum = hash128_add(to->sum, part->buckets[i].sum);
	}
}

uint64_t digest_documents(const struct digest *digest)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < digest->bucket_count; i++)
		count += digest->buckets[i].count;
	return count;
}

bool digest_bucket_equal(const struct digest_bucket *a, const struct digest_bucket *b)
{
	return a->count == b->count && hash128_equal(a->sum, b->sum);
}

static bool is_empty(const struct digest_bucket *bucket)
{
	return bucket->count == 0 && bucket->sum.low == 0 && bucket->sum.high == 0;
}

void digest_write(struct buf *out, const struct digest *digest)
{
	cleanup(buf_release) struct buf bytes =
		BUF_INIT((size_t)digest->bucket_count * BUCKET_BYTES);
	struct json data = {.type = JSON_BINARY};

	for (uint32_t i = 0; i < digest->bucket_count; i++) {
		const struct digest_bucket *b = &digest->buckets[i];
		const uint64_t row[] = {htole64(i), htole64(b->count), htole64(b->sum.low),
					htole64(b->sum.high)};

		if (!is_empty(b))
			buf_append(&bytes, row, sizeof(row));
	}
	data.text = bytes.len ? buf_str(&bytes) : STR("");
	buf_printf(out, "{\"hash\":%d,\"buckets\":%u,\"data\":", JSON_HASH_VERSION,
		   digest->bucket_count);
	json_write(out, &data);
	buf_append_byte(out, '}');
}

static bool read_rows(struct digest *digest, struct str bytes)
{
	uint64_t row[BUCKET_BYTES / 8], next = 0;

	if (bytes.len % BUCKET_BYTES != 0)
		return false;
	for (size_t at = 0; at < bytes.len; at += BUCKET_BYTES) {
		uint64_t number;

		memcpy(row, bytes.ptr + at, BUCKET_BYTES);
		number = le64toh(row[0]);
		if (number < next || number >= digest->bucket_count)
			return false;
		next = number + 1;
		digest->buckets[number] =
			(struct digest_bucket){le64toh(row[1]), {le64toh(row[2]), le64toh(row[3])}};
	}
	return true;
}

int digest_read(const struct json *value, struct digest *out, struct err *err)
{
	int64_t buckets = json_i64_or(json_get(value, "buckets"), 0);
	struct str data = json_string(json_get(value, "data"));
	cleanup(buf_release) struct buf bytes =
		BUF_INIT((size_t)DIGEST_BUCKETS_MAX * BUCKET_BYTES + 4);

	if (buckets <= 0 || buckets > DIGEST_BUCKETS_MAX || (buckets & (buckets - 1)) ||
	    !data.ptr || !base64_decode(&bytes, data))
		return err_set(err, ERR_FORMAT, "not a digest of documents");
	if (json_i64_or(json_get(value, "hash"), 1) != JSON_HASH_VERSION)
		return err_set(err, ERR_UNSUPPORTED,
			       "this digest was taken by another version of this program, which "
			       "hashes otherwise; take it again");
	digest_init(out, (uint32_t)buckets);
	if (read_rows(out, buf_str(&bytes)))
		return 0;
	digest_release(out);
	return err_set(err, ERR_FORMAT, "the buckets of a digest are damaged");
}
