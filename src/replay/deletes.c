#include "replay/deletes.h"

#include "base/json_hash.h"

#include <stdlib.h>

enum { PLACES = 65536 };

struct deletes {
	struct {
		struct hash128 document;
		int64_t version, seq_no;
	} places[PLACES]; /* version 0: free */
};

struct deletes *deletes_new(void)
{
	return mem_zalloc(sizeof(struct deletes));
}

void deletes_free(struct deletes *deletes)
{
	free(deletes);
}

static struct hash128 document_of(const struct json *result)
{
	struct hash128 index = bytes_hash(json_text_or(json_get(result, "_index"), STR("")));
	struct hash128 id = bytes_hash(json_text_or(json_get(result, "_id"), STR("")));

	return (struct hash128){index.low * 31 + id.low, index.high * 31 + id.high};
}

void deletes_note(struct deletes *deletes, const struct json *result)
{
	struct hash128 document = document_of(result);
	int64_t version = json_i64_or(json_get(result, "_version"), 0);
	int64_t seq_no = json_i64_or(json_get(result, "_seq_no"), -1);
	size_t place = document.low % PLACES;

	if (version <= 0 || seq_no < 0)
		return;
	deletes->places[place].document = document;
	deletes->places[place].version = version;
	deletes->places[place].seq_no = seq_no;
}

bool deletes_were_forgotten(const struct deletes *deletes, const struct json *result)
{
	struct hash128 document = document_of(result);
	size_t place = document.low % PLACES;

	return str_is(json_string(json_get(result, "result")), "created") &&
	       hash128_equal(deletes->places[place].document, document) &&
	       json_i64_or(json_get(result, "_seq_no"), -1) > deletes->places[place].seq_no &&
	       json_i64_or(json_get(result, "_version"), 0) < deletes->places[place].version;
}
