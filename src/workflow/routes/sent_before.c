#include "workflow/routes/sent_before.h"

#include <inttypes.h>

#define ANSWER_MAX MIB(1)

static int read_items(struct sent_before *sent, struct err *err)
{
	struct coordinator *c = sent->coordinator;
	int rc;

	if (sent->known || !c)
		return 0;
	sent->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	rc = c->ops->list(c, &sent->mem, &sent->items, &sent->count, err);
	/* A session that is only now begun has no items, and may have no store. */
	if (rc == -ERR_NOT_FOUND) {
		sent->count = 0;
		rc = 0;
	}
	sent->known = rc == 0;
	return rc;
}

static uint64_t documents_of(const struct sent_before *sent, struct str index)
{
	uint64_t documents = 0;

	for (size_t i = 0; i < sent->count; i++)
		if (str_eq(sent->items[i].item.index, index))
			documents += sent->items[i].progress.documents;
	return documents;
}

static int is_on_target(struct cluster *target, struct str index, bool *there, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer;
	int status, rc;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	rc = buf_check(&path, "the path of a request", err);
	if (rc == 0)
		rc = cluster_request(target, "HEAD", buf_cstr(&path), STR_NONE, true, &mem, &status,
				     &answer, err);
	*there = rc == 0 && status != 404;
	return rc;
}

int sent_before_check(struct sent_before *sent, struct str index, struct err *err)
{
	int rc = read_items(sent, err);
	uint64_t documents = rc < 0 ? 0 : documents_of(sent, index);
	bool there;

	if (documents == 0)
		return rc;
	rc = is_on_target(sent->target, index, &there, err);
	if (rc < 0 || there)
		return rc;
	return err_set(err, ERR_USAGE,
		       "index '" STR_FMT "' was not on the target any more, but %" PRIu64
		       " of its documents were sent by an earlier run of this session; run again "
		       "with --restart to send all of them",
		       STR_ARG(index), documents);
}

void sent_before_release(struct sent_before *sent)
{
	arena_release(&sent->mem);
	sent->known = false;
}
