#include "backfill/coordinator_cluster_internal.h"

#include <stdlib.h>

struct held_item *held_add(struct cluster_coordinator *cc, struct str id,
			   const char token[static COORDINATOR_TOKEN_SIZE],
			   const struct state_revision *revision, const struct json *source)
{
	struct held_item *held = mem_zalloc(sizeof(*held));

	memcpy(held->token, token, COORDINATOR_TOKEN_SIZE);
	held->id = str_dup(id);
	held->revision = *revision;
	held->source = BUF_INIT(LIMIT_STATE_DOCUMENT);
	json_write(&held->source, source);
	held->next = cc->held;
	cc->held = held;
	return held;
}

struct held_item *held_find(struct cluster_coordinator *cc, const struct work_claim *claim)
{
	for (struct held_item *held = cc->held; held; held = held->next)
		if (str_ends(claim->id, str_from(held->token)))
			return held;
	return NULL;
}

void held_remove(struct cluster_coordinator *cc, struct held_item *held)
{
	struct held_item **at = &cc->held;

	while (*at != held)
		at = &(*at)->next;
	*at = held->next;
	buf_release(&held->source);
	free(held->id);
	free(held);
}

int held_read(const struct held_item *held, struct arena *mem, struct json **source,
	      struct err *err)
{
	return json_parse(buf_str(&held->source), mem, source, err);
}

int held_write(struct cluster_coordinator *cc, struct held_item *held, struct json *source,
	       struct arena *mem, bool *lost, struct err *err)
{
	struct buf next;
	bool written;
	int failed;

	*lost = false;
	failed = state_put(cc, str_from(held->id), source, &held->revision, mem, &written, err);
	if (failed < 0)
		return failed;
	*lost = !written;
	if (!written)
		return 0;
	/* `source` points into what is replaced. */
	next = BUF_INIT(LIMIT_STATE_DOCUMENT);
	json_write(&next, source);
	buf_release(&held->source);
	held->source = next;
	return buf_check(&held->source, "the document of a work item", err);
}
