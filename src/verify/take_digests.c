/* The first pass over both sides: digests. */
#include "base/clock.h"
#include "base/log.h"
#include "verify/comparing.h"

#include <stdlib.h>

#define BUCKETS_UNCOUNTED (1u << 16) /* where nobody says how many documents there are */
#define DIGESTS_MAX MIB(256)         /* of all threads */

/* Buckets of a large index are not in the cache: each is asked for a few documents before it is
 * added to. */
#define AHEAD 8

/* Of the part that a thread reads. */
struct part_digest {
	struct digest digest;
	struct document_hash waiting[AHEAD];
	uint64_t added; /* waiting ones included */
	uint64_t sourceless;
};

static void *start_part_digest(void *shared)
{
	const struct comparing *c = shared;
	struct part_digest *part = mem_zalloc(sizeof(*part));

	digest_init(&part->digest, c->kept.digests[0].bucket_count);
	return part;
}

static void add_to_digest(void *user, int side, const struct document *document,
			  const struct document_hash *hash)
{
	struct part_digest *part = user;
	struct document_hash *slot = &part->waiting[part->added % AHEAD];

	(void)side;
	part->sourceless += !document->source.ptr;
	if (part->added++ >= AHEAD)
		digest_add(&part->digest, slot);
	*slot = *hash;
	digest_prefetch(&part->digest, hash);
}

static void save_digests(struct comparing *c)
{
	struct err err;

	if (c->options->checkpoint_folder && !c->options->source_digest &&
	    verify_checkpoint_save(c->options, c->pass.indices, &c->kept, &err) < 0)
		log_warn("verify", "no checkpoint is kept: %s", err.message);
	c->saved_ms = clock_monotonic_ms();
}

static void end_part_of_digest(void *user, void *shared, int side, size_t number)
{
	struct part_digest *part = user;
	struct comparing *c = shared;

	for (uint64_t i = 0; i < MIN(part->added, (uint64_t)AHEAD); i++)
		digest_add(&part->digest, &part->waiting[i]);
	digest_merge(&c->kept.digests[side], &part->digest);
	digest_clear(&part->digest);
	c->kept.sourceless += part->sourceless;
	c->kept.done[side][number] = 1;
	part->added = part->sourceless = 0;
	if (clock_monotonic_ms() - c->saved_ms >= c->options->checkpoint_ms)
		save_digests(c);
}

static bool is_digested(void *shared, int side, size_t part)
{
	return ((const struct comparing *)shared)->kept.done[side][part];
}

static void end_digests(void *user, void *shared)
{
	struct part_digest *part = user;

	(void)shared;
	digest_release(&part->digest);
	free(part);
}

/* Each thread has a digest of its own. */
static uint32_t buckets_of(const struct comparing *c)
{
	uint64_t documents = MAX(c->pass.indices[0].documents, c->pass.indices[1].documents);
	uint32_t buckets = documents > 0 ? digest_buckets_for(documents) : BUCKETS_UNCOUNTED;
	size_t digests = (size_t)MAX(c->options->threads, 1) + 2;

	while (buckets > 1 && digests * buckets * sizeof(struct digest_bucket) > DIGESTS_MAX)
		buckets /= 2;
	return buckets;
}

/* The source's digest was taken earlier, or what an earlier run came to is taken up. */
static int begin_digests(struct comparing *c, struct err *err)
{
	const struct verify_options *options = c->options;
	struct verify_checkpoint *kept = &c->kept;
	int rc = 0;

	if (options->source_digest)
		rc = options->source_digest(options->source_digest_user, c->result->source_index,
					    &kept->digests[0], err);
	if (rc < 0)
		return rc;
	if (!kept->digests[0].buckets)
		digest_init(&kept->digests[0], buckets_of(c));
	if (!kept->digests[1].buckets)
		digest_init(&kept->digests[1], kept->digests[0].bucket_count);
	for (int side = 0; side < 2; side++) {
		kept->parts[side] = c->pass.indices[side].parts;
		if (!kept->done[side])
			kept->done[side] = mem_zalloc(kept->parts[side] + 1);
	}
	if (rc == 1)
		memset(kept->done[0], 1, kept->parts[0]);
	return 0;
}

int comparing_take_digests(struct comparing *c, struct err *err)
{
	const struct pass_visitor visitor = {
		.document = add_to_digest,
		.start = start_part_digest,
		.end = end_digests,
		.skip = is_digested,
		.part_done = end_part_of_digest,
		.shared = c,
	};
	int rc = begin_digests(c, err);

	if (rc < 0)
		return rc;
	c->saved_ms = clock_monotonic_ms();
	rc = pass_run(&c->pass, &visitor, err);
	save_digests(c);
	if (rc < 0)
		return rc;
	c->result->source_documents = digest_documents(&c->kept.digests[0]);
	c->result->target_documents = digest_documents(&c->kept.digests[1]);
	return 0;
}
