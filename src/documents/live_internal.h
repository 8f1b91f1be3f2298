/* What the files of the live reader share. */
#ifndef DOCUMENTS_LIVE_INTERNAL_H
#define DOCUMENTS_LIVE_INTERNAL_H

#include "base/json.h"
#include "base/json_slice.h"
#include "documents/live_documents.h"

/* One page of hits, taken apart as they are asked for. */
struct live_page {
	struct str text; /* of the answer; the cluster's, until its next request */
	struct json_slices hits;
	struct arena mem; /* of one hit: what had to be decoded */
	uint64_t count, source_bytes;
};

void live_page_start(struct live_page *page, struct str answer);
/* 1: *out; *sequence is its first sort value, -1 without. */
int live_page_next(struct live_page *page, struct document *out, int64_t *sequence,
		   struct err *err);

enum live_mode { LIVE_SCROLL, LIVE_SEQUENCE };

/* A search that goes on from page to page. */
struct live_cursor {
	struct cluster *cluster;
	struct live_documents_options options; /* strings its own */
	enum live_mode mode;
	int64_t size;          /* documents a page */
	int64_t next_sequence; /* LIVE_SEQUENCE: after this one */
	struct buf id;         /* of the scroll or point in time; empty: none is open */
	bool point_in_time;    /* false: there is none here, or it was refused */
	bool started, ended;
	struct buf path, body; /* scratch */
};

/* The next page's answer, borrowed until the cluster's next request. 0: there is none. */
int live_cursor_fetch(struct live_cursor *cursor, struct str *answer, struct err *err);
/* Gives free what is open on the cluster; failures do not matter. */
void live_cursor_close(struct live_cursor *cursor);
/* Documents and bytes of the index's primaries: what pages are sized by. */
void live_cursor_measure(struct live_cursor *cursor, uint64_t *documents, uint64_t *bytes);

#endif
