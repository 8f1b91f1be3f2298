/* Hits of a search answer as documents. Sources stay as they stand in the answer. */
#include "documents/live_internal.h"

#define HIT_ARENA MIB(4) /* ids, routings and the like of one hit */

void live_page_start(struct live_page *page, struct str answer)
{
	arena_release(&page->mem);
	page->mem = ARENA_INIT(HIT_ARENA);
	page->text = answer;
	page->hits = json_slices_of(json_slice_get(json_slice_get(answer, "hits"), "hits"));
	page->count = page->source_bytes = 0;
}

/* A string or number of the hit, decoded; ptr NULL for anything else. */
static struct str text_of(struct live_page *page, struct str value)
{
	struct json *parsed;

	if (!value.ptr || json_parse(value, &page->mem, &parsed, NULL) < 0)
		return STR_NONE;
	return json_text_or(parsed, STR_NONE);
}

static int64_t number_of(struct str value)
{
	struct str digits = value;
	uint64_t number;

	return value.ptr && str_to_u64(digits, &number) && number <= INT64_MAX ? (int64_t)number
									       : -1;
}

/* Elasticsearch 1 tells of routing and parent below "fields". */
static void take_fields(struct live_page *page, struct str fields, struct document *out)
{
	struct str routing = json_slice_get(fields, "_routing");
	struct str parent = json_slice_get(fields, "_parent");

	if (routing.ptr)
		out->routing = text_of(page, routing);
	if (parent.ptr)
		out->parent = text_of(page, parent);
}

static void take_member(struct live_page *page, struct str key, struct str value,
			struct document *out, int64_t *sequence)
{
	struct json_slices sort;
	struct str first;

	if (str_is(key, "_source")) {
		out->source = value;
	} else if (str_is(key, "_id")) {
		out->id = text_of(page, value);
	} else if (str_is(key, "_type")) {
		out->type = text_of(page, value);
	} else if (str_is(key, "_routing")) {
		out->routing = text_of(page, value);
	} else if (str_is(key, "_parent")) {
		out->parent = text_of(page, value);
	} else if (str_is(key, "_version")) {
		out->version = number_of(value);
	} else if (str_is(key, "fields")) {
		take_fields(page, value, out);
	} else if (str_is(key, "sort")) {
		sort = json_slices_of(value);
		if (json_slices_next(&sort, NULL, &first, NULL) > 0)
			*sequence = number_of(first);
	}
}

int live_page_next(struct live_page *page, struct document *out, int64_t *sequence, struct err *err)
{
	struct json_slices members;
	struct str hit, key, value;
	int rc = json_slices_next(&page->hits, NULL, &hit, err);

	if (rc <= 0)
		return rc;
	arena_reset(&page->mem);
	*out = (struct document){.live = true, .version = -1};
	*sequence = -1;
	members = json_slices_of(hit);
	while ((rc = json_slices_next(&members, &key, &value, err)) > 0)
		take_member(page, key, value, out, sequence);
	if (rc < 0)
		return rc;
	if (!out->id.ptr)
		return err_set(err, ERR_FORMAT, "a hit of the search has no _id");
	/* Without a routing of its own, a child lies where its parent's id leads. */
	if (!out->routing.ptr)
		out->routing = out->parent;
	page->count++;
	page->source_bytes += out->source.len;
	return 1;
}
