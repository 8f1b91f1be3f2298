#include "store/s3_list.h"

#include "net/xml_element.h"

#include <stdlib.h>

#define LIST_ANSWER_MAX MIB(16)

static void release_answer(struct s3_answer *answer)
{
	http_response_release(&answer->response);
}

/* Appends one <Contents> if it is wanted. */
static int list_object(const struct s3_folder *place, struct str xml, struct arena *mem,
		       struct buf *entries, struct err *err)
{
	struct str key = xml_text(xml_element(xml, "Key", NULL), mem);
	struct blob_info info;
	size_t root = strlen(place->prefix),
	       skip = root + place->folder.len + (place->folder.len > 0);

	if (!key.ptr)
		return arena_fail(mem, place->uri, err);
	/* Folders may be objects themselves, of a console that made them. */
	if (key.len <= skip || str_ends(key, STR("/")) ||
	    (!place->below && memchr(key.ptr + skip, '/', key.len - skip)))
		return 0;
	if (!str_to_u64(xml_element(xml, "Size", NULL), &info.size))
		return err_set(err, ERR_HTTP,
			       "the listing of '%s' has no size for '" STR_FMT
			       "'; check that --s3-endpoint is an S3 server",
			       place->uri, STR_ARG(key));
	info.name = str_from_offset(key, root);
	buf_append(entries, &info, sizeof(info));
	return buf_check(entries, place->uri, err);
}

/* 1: another page follows `page`, and *token, which asked for this one, now asks for it; 0: none.
 */
static int next_page(const struct s3_folder *place, struct str page, struct arena *mem,
		     struct str *token, struct err *err)
{
	struct str next = xml_element(page, "NextContinuationToken", NULL), before = *token;

	if (!str_is(xml_element(page, "IsTruncated", NULL), "true"))
		return 0;
	*token = xml_text(next, mem);
	if (token->len > 0 && !str_eq(*token, before))
		return 1;
	return err_set(err, ERR_HTTP,
		       "the listing of '%s' is cut and does not say where it goes on; check that "
		       "--s3-endpoint is an S3 server",
		       place->uri);
}

/* One page. 1: there is another, from *token on; 0: it was the last. */
static int list_page(const struct s3_folder *place, struct arena *mem, struct str *token,
		     struct buf *entries, struct err *err)
{
	cleanup(buf_release) struct buf query = BUF_INIT(3 * LIMIT_PATH);
	cleanup(release_answer) struct s3_answer answer = {0};
	struct s3_request request = {.method = "GET", .answer_max = LIST_ANSWER_MAX};
	struct str page, rest, object;
	int rc;

	if (token->len > 0) {
		buf_append_str(&query, STR("continuation-token="));
		http_append_encoded(&query, *token);
		buf_append_byte(&query, '&');
	}
	if (!place->below)
		buf_append_str(&query, STR("delimiter=%2F&"));
	buf_append_str(&query, STR("list-type=2&prefix="));
	http_append_encoded(&query, str_from(place->prefix));
	http_append_encoded(&query, place->folder);
	if (place->folder.len > 0)
		buf_append_str(&query, STR("%2F"));
	if ((rc = buf_check(&query, "a request to S3", err)) < 0)
		return rc;
	request.query = buf_cstr(&query);
	if ((rc = s3_service_send(place->service, place->uri, &request, &answer, err)) < 0)
		return rc;
	page = xml_element(buf_str(&answer.response.body), "ListBucketResult", NULL);
	if (!page.ptr)
		return err_set(err, ERR_HTTP,
			       "the listing of '%s' is no ListBucketResult; check that "
			       "--s3-endpoint is an S3 server",
			       place->uri);
	rest = page;
	while ((object = xml_element(rest, "Contents", &rest)).ptr)
		if ((rc = list_object(place, object, mem, entries, err)) < 0)
			return rc;
	return next_page(place, page, mem, token, err);
}

int s3_list(const struct s3_folder *place, struct arena *mem, struct blob_listing *out,
	    struct err *err)
{
	cleanup(buf_release) struct buf entries = BUF_INIT(LIMIT_LISTING);
	struct str token = STR_NONE;
	int rc;

	*out = (struct blob_listing){0};
	while ((rc = list_page(place, mem, &token, &entries, err)) > 0)
		;
	if (rc < 0)
		return rc;
	out->blobs = arena_alloc(mem, entries.len);
	if (!out->blobs)
		return arena_fail(mem, place->uri, err);
	out->count = entries.len / sizeof(struct blob_info);
	if (out->count > 0) {
		memcpy(out->blobs, entries.ptr, entries.len);
		qsort(out->blobs, out->count, sizeof(struct blob_info), blob_compare_names);
	}
	return 0;
}
