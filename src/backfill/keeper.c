/* The keeper: a thread that renews leases. A bulk may be sent again and again for longer than a
 * lease lasts, and a coordinator may take its time to answer: so none of the others can do it. */
#include "backfill/pipeline_internal.h"
#include "base/clock.h"

#include <stdlib.h>

#define LOOK_MS 250

/* Those open now, with a hold of each. */
static struct item **open_items(struct pipeline *p, size_t *count)
{
	struct item **items;

	*count = 0;
	for (const struct item *item = p->items; item; item = item->next)
		++*count;
	items = mem_alloc((*count + 1) * sizeof(struct item *));
	*count = 0;
	for (struct item *item = p->items; item; item = item->next) {
		item_hold(item);
		items[(*count)++] = item;
	}
	return items;
}

static void renew_all(struct pipeline *p)
{
	struct item **items;
	struct err err;
	size_t count;

	pthread_mutex_lock(&p->lock);
	items = open_items(p, &count);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < count; i++) {
		if (item_renew(items[i], &err) < 0)
			pipeline_stop(p, &err);
		item_drop(items[i]);
	}
	free(items);
}

static bool has_senders(struct pipeline *p)
{
	bool has;

	pthread_mutex_lock(&p->lock);
	has = p->senders_left > 0;
	if (has)
		pipeline_wait(p, LOOK_MS);
	has = p->senders_left > 0;
	pthread_mutex_unlock(&p->lock);
	return has;
}

void *keeper_main(void *pipeline)
{
	struct pipeline *p = pipeline;

	while (has_senders(p))
		renew_all(p);
	return NULL;
}
