/* As much of a cluster as the coordinator asks for: documents with sequence numbers, in memory,
 * behind a fake server. */
#ifndef TESTS_FAKE_STATE_INDEX_H
#define TESTS_FAKE_STATE_INDEX_H

#include "base/json.h"
#include "fake_server.h"

#define FAKE_DOCUMENTS 64

struct fake_document {
	char id[128];
	struct buf source;
	int64_t seq_no;
};

struct fake_state_index {
	struct fake_document documents[FAKE_DOCUMENTS];
	size_t count;
	int64_t writes;    /* the last sequence number */
	bool exists;       /* the index */
	const char *root;  /* the answer to GET /; "": there is none, as on Serverless */
	int64_t ahead_ms;  /* its clock, of ours */
	size_t requests;   /* until now */
	size_t lose;       /* the answer to this request (from 1) is lost; 0: none */
	size_t lose_pages; /* answers to scrolls that are lost first */
	size_t cut;        /* from this request on all are answered by 500; 0: none */
	size_t turn_down;  /* items of bulks that are answered by 429 first */
	struct fake_server *server;
};

void fake_state_index_start(struct fake_state_index *index);
void fake_state_index_stop(struct fake_state_index *index);

#endif
