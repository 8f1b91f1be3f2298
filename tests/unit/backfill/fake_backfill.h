/* Made-up shards and a made-up target, for tests of backfill_run between them. These bring their
 * own shard_documents and delta_shard, so that no Lucene is needed. */
#ifndef FAKE_BACKFILL_H
#define FAKE_BACKFILL_H

#include "backfill/backfill.h"
#include "backfill/coordinator_memory.h"
#include "backfill/shard_documents.h"

#include <pthread.h>

#define SHARDS 8
#define DOCUMENTS_MAX 4096

/* The documents of a shard have Lucene ids 0, 2, 4 …: between them lies a deleted one each. */
struct fake_shard {
	size_t documents;
	size_t source_bytes; /* of each; a random size up to this where `random` */
	bool random;
	size_t large_at, large_bytes; /* one that is larger; large_bytes 0: none */
	size_t odd_at;                /* one whose source is `odd` */
	struct str odd;               /* ptr NULL: not stored. Where has_odd */
	const char *problem;          /* of the odd one */
	bool has_odd;
	size_t breaks_after; /* documents; 0: never */
	bool missing;
	bool away; /* cannot be opened just now */
	bool endless;
	bool is_damaged;      /* shard_documents_check says so */
	bool parts_are_wrong; /* their checksums are not what the footer says */
};

extern struct fake_shard shards[SHARDS];
extern int32_t opening_order[SHARDS];
extern atomic_size_t opened, checked;
extern unsigned fake_seed;

struct fake_target {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t sends, cancels, closes, finishes;
	size_t wrong; /* what is not as it should be: a thread must not assert */
	uint8_t arrived[SHARDS][DOCUMENTS_MAX]; /* how often */
	uint8_t sequences[SHARDS][DOCUMENTS_MAX];
	size_t largest_body, most_documents;
	size_t deletes; /* of what arrived */
	size_t creates;
	size_t books, docs;  /* action lines of type book, and of type _doc */
	size_t bulks_beyond; /* bodies above `body_limit` with more than one document */
	size_t body_limit;
	/* The memory of bulks seen: they are used again and not freed, so this is all there are. */
	struct {
		const struct bulk *bulk;
		size_t capacity;
	} bulks[100];
	size_t bulk_count;
	bool came[2]; /* bulks of worker 0, of worker 1: see meet */

	/* What to do. */
	size_t fail_at_send; /* from 1; 0: never */
	bool block_others;   /* all sends but the one that fails wait for cancel */
	size_t cancel_at_send;
	bool slow_at_cancel; /* that bulk takes half a second after it, or until it is cut off */
	atomic_bool *cancel;
	int32_t refuse_shard; /* its third documents are refused */
	bool fail_finish;
	bool meet;        /* no bulk is taken before both workers have come with one */
	atomic_bool dead; /* the process of the run was killed: nothing arrives any more */
};
extern struct fake_target target;

/* The user of open_fake_sink; NULL: worker 0, and no sink fails. */
struct fake_way {
	size_t fails_at; /* sink that is not let in; SIZE_MAX: none */
	size_t worker;
};
int open_fake_sink(void *user, size_t sender, struct bulk_sink **out, struct err *err);

/* A run of one index between the two. */
struct run {
	struct snapshot snapshot;
	struct snapshot_index source;
	struct backfill_index index;
	struct backfill_options options;
	struct failed_documents *failed;
	struct progress progress;
	atomic_bool cancel;
	struct backfill_index_result result;
	struct backfill_report report;
	struct err err;
	int rc;
};

/* A static one, with a coordinator in memory; the target and the shards begin anew. */
struct run *prepare(int32_t shard_count);
/* Another run of the same session, into the same target. */
void prepare_again(struct run *run);
void go(struct run *run);
void assert_succeeds(struct run *run);
/* Closes the coordinator. */
void finish(struct run *run);
size_t all_documents(int32_t shard_count);
void assert_arrived_once(int32_t shard);

#endif
