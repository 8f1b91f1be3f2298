/* Are these the same documents, and if not, which differ?
 *
 * Both sides of an index are read once into digests (documents/digest.h). Where buckets differ they
 * are read again, those buckets alone, to name the ids; of changed documents a third pass tells the
 * JSON paths. Nothing is ever called equal that was not read to its end on both sides. */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "backfill/progress.h"
#include "documents/digest.h"
#include "verify/verify_side.h"

#include <stdatomic.h>

enum difference_kind {
	DOCUMENT_MISSING, /* not on the target */
	DOCUMENT_EXTRA,   /* only on the target */
	DOCUMENT_CHANGED,
	DOCUMENT_DOUBLED, /* the id is there several times on one side */
};

struct document_difference {
	struct str id;
	enum difference_kind kind;
	struct str paths; /* of a changed one: "title, author.name (only on the target)"; may be
			     empty where it was not looked at */
};

enum verify_verdict {
	VERDICT_EQUAL,
	VERDICT_DIFFERENT,
	VERDICT_NOT_COMPARED, /* `reason` */
};

struct index_comparison {
	struct str source_index, target_index;
	enum verify_verdict verdict;
	struct str reason;
	uint64_t source_documents, target_documents;
	uint64_t missing, extra, changed, doubled; /* of those buckets that were looked at */
	uint64_t in_motion;   /* differed, and were written to meanwhile: neither equal nor not */
	bool counted_in_part; /* more buckets differ than were looked at: the counts are at least */
	struct document_difference *differences; /* by kind and id, at most options.max_named */
	size_t difference_count;
};

struct verify_progress {
	struct progress counters; /* bytes: of the reading that goes on; documents: of all */
	_Atomic uint64_t indices_done, indices_total;
	_Atomic int pass; /* 1, 2, 3 */
};

struct verify_options {
	int64_t threads;
	int64_t max_named;  /* differences named an index */
	int64_t max_looked; /* documents of differing buckets held at once */
	double sample;      /* 0 … 1 of all ids, the same on both sides; 1: all */
	struct document_hash_options hash;
	/* The digest of an index of the source, taken earlier: 1 *out, 0 there is none. NULL: all
	 * are read. */
	int (*source_digest)(void *user, struct str index, struct digest *out, struct err *err);
	void *source_digest_user;
	/* How long documents that differ are read again, for live traffic is on its way: 0: not. */
	int64_t settle_ms;
	/* Where checkpoints are kept (made when it is not there), and what identifies all that is
	 * compared, so that one of another comparison is not taken up. NULL: none are kept. Those
	 * of a run that came to its end are removed. Not with source_digest. */
	const char *checkpoint_folder, *checkpoint_key;
	int64_t checkpoint_ms; /* between two of them, at least */
	bool restart;          /* none is taken up */
};

struct verify_pair {
	struct str source_index, target_index;
};

struct verify_report {
	struct arena mem;
	struct index_comparison *indices;
	size_t count;
	bool equal; /* all were compared and are */
};

/* `report` is filled as far as it came even when this fails. ERR_CANCELLED when *cancel was set. */
int verify_run(struct verify_side *source, struct verify_side *target,
	       const struct verify_pair *pairs, size_t count, const struct verify_options *options,
	       struct verify_progress *progress, const atomic_bool *cancel,
	       struct verify_report *report, struct err *err);
void verify_report_release(struct verify_report *report);

/* Appends where two JSON values differ, as paths, at most `most`: "a.b[2], c (only here)". */
void json_differences(struct buf *out, const struct json *source, const struct json *target,
		      size_t most);

#endif
