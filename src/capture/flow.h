/* The bytes of one direction of a connection between being read and being written.
 *
 *     data      sent        released     parsed        end
 *     |--gone---|--may go---|--not yet---|--not seen---|
 *
 * `recorded` is between 0 and parsed. Belongs to one thread. */
#ifndef CAPTURE_FLOW_H
#define CAPTURE_FLOW_H

#include "base/str.h"

struct flow {
	char *data; /* NULL while empty */
	size_t capacity, sent, released, recorded, parsed, end;
};

/* Where more can be read to, at least one byte unless full; grows up to `limit` bytes. *len is 0
 * when there is no room. */
char *flow_room(struct flow *f, size_t limit, size_t *len);
/* `len` bytes of what may go are gone; memory is given back when nothing is left. */
void flow_sent(struct flow *f, size_t len);
/* All that may go counts as gone. */
void flow_discard(struct flow *f);
void flow_free(struct flow *f);
/* Puts bytes behind what is there, as parsed, recorded and released. */
void flow_append(struct flow *f, struct str bytes);

static inline size_t flow_sendable(const struct flow *f)
{
	return f->released - f->sent;
}

static inline struct str flow_unparsed(const struct flow *f)
{
	return str_of(f->data + f->parsed, f->end - f->parsed);
}

static inline struct str flow_unrecorded(const struct flow *f)
{
	return str_of(f->data + f->recorded, f->parsed - f->recorded);
}

#endif
