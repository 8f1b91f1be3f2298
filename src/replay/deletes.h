/* Ids that came back after their delete at a source that had forgotten the delete by then
 * (index.gc_deletes): their versions begin at 1 again, and the target, which remembers, refuses
 * them as old. Found by _seq_no, which goes on: Elasticsearch from 6 and OpenSearch name it in the
 * answers to writes. Some 65,000 deletes are kept, new ones in the place of old ones. */
#ifndef REPLAY_DELETES_H
#define REPLAY_DELETES_H

#include "base/json.h"

struct deletes;

struct deletes *deletes_new(void);
/* Accepts NULL. */
void deletes_free(struct deletes *deletes);
/* `result`: the captured answer to a delete, or its item of a bulk's. */
void deletes_note(struct deletes *deletes, const struct json *result);
/* `result`: of a write. Whether it made the document anew below the version of its delete. */
bool deletes_were_forgotten(const struct deletes *deletes, const struct json *result);

#endif
