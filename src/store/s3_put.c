#include "store/s3_put.h"

#include "net/xml_element.h"

#define ANSWER_MAX KIB(64)
/* Of the list of parts: a number and an ETag each. */
#define LIST_MAX MIB(4)
/* An upload that the server has forgotten is begun anew this often in all. */
#define MOST_UPLOADS 2

struct upload {
	struct s3_service *service;
	const char *uri;
	struct str key;
	struct buf id;    /* of the upload, encoded for a query */
	struct buf parts; /* <Part>… of those that are there */
};

static void release_answer(struct s3_answer *answer)
{
	http_response_release(&answer->response);
}

static void release_upload(struct upload *upload)
{
	buf_release(&upload->id);
	buf_release(&upload->parts);
}

static int not_written(const struct upload *upload, const char *why, struct err *err)
{
	return err_set(err, ERR_HTTP,
		       "object '" STR_FMT "' of '%s' cannot be written: %s; check that "
		       "--s3-endpoint is an S3 server",
		       STR_ARG(upload->key), upload->uri, why);
}

static int send(struct upload *upload, const char *method, const char *query, struct str body,
		struct s3_answer *answer, struct err *err)
{
	const struct s3_request request = {.method = method,
					   .key = upload->key,
					   .query = query,
					   .body = body,
					   .answer_max = ANSWER_MAX};

	return s3_service_send(upload->service, upload->uri, &request, answer, err);
}

static int put_whole(struct upload *upload, struct str bytes, struct err *err)
{
	cleanup(release_answer) struct s3_answer answer = {0};
	int rc = send(upload, "PUT", NULL, bytes, &answer, err);

	if (rc == 0 && answer.response.status >= 300)
		return not_written(upload, "the answer to PUT is no success", err);
	return rc;
}

static int begin(struct upload *upload, struct err *err)
{
	cleanup(release_answer) struct s3_answer answer = {0};
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	int rc = send(upload, "POST", "uploads=", STR_NONE, &answer, err);
	struct str id;

	if (rc < 0)
		return rc;
	id = xml_text(xml_element(buf_str(&answer.response.body), "UploadId", NULL), &mem);
	if (id.len == 0)
		return not_written(upload, "the server begins no upload in parts", err);
	buf_reset(&upload->id);
	buf_reset(&upload->parts);
	http_append_encoded(&upload->id, id);
	return buf_check(&upload->id, "the id of an upload", err);
}

/* ETags are quoted, and may hold what XML does not take as it is. */
static void append_xml(struct buf *out, const char *text)
{
	for (; *text; text++)
		if (*text == '&' || *text == '<' || *text == '>')
			buf_printf(out, "&#%d;", *text);
		else
			buf_append_byte(out, *text);
}

/* 1: the server knows the upload no more. */
static int put_part(struct upload *upload, unsigned number, struct str bytes, struct err *err)
{
	cleanup(release_answer) struct s3_answer answer = {0};
	cleanup(buf_release) struct buf query = BUF_INIT(4 * LIMIT_PATH);
	int rc;

	buf_printf(&query, "partNumber=%u&uploadId=%s", number, buf_cstr(&upload->id));
	if ((rc = buf_check(&query, "a request to S3", err)) < 0 ||
	    (rc = send(upload, "PUT", buf_cstr(&query), bytes, &answer, err)) < 0)
		return rc;
	if (answer.response.status == 404)
		return 1;
	if (answer.response.status >= 300 || !answer.etag[0])
		return not_written(upload, "a part of it was answered without an ETag", err);
	buf_printf(&upload->parts, "<Part><PartNumber>%u</PartNumber><ETag>", number);
	append_xml(&upload->parts, answer.etag);
	buf_append_str(&upload->parts, STR("</ETag></Part>"));
	return buf_check(&upload->parts, "the list of parts", err);
}

/* 1: the server knows the upload no more: it was completed by a try whose answer was lost, or is
 * gone. */
static int complete(struct upload *upload, struct err *err)
{
	cleanup(release_answer) struct s3_answer answer = {0};
	cleanup(buf_release) struct buf body = BUF_INIT(LIST_MAX + KIB(1));
	cleanup(buf_release) struct buf query = BUF_INIT(4 * LIMIT_PATH);
	int rc;

	buf_printf(&query, "uploadId=%s", buf_cstr(&upload->id));
	buf_append_str(&body, STR("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/"
				  "2006-03-01/\">"));
	buf_append_str(&body, buf_str(&upload->parts));
	buf_append_str(&body, STR("</CompleteMultipartUpload>"));
	if ((rc = buf_check(&query, "a request to S3", err)) < 0 ||
	    (rc = buf_check(&body, "the list of parts", err)) < 0 ||
	    (rc = send(upload, "POST", buf_cstr(&query), buf_str(&body), &answer, err)) < 0)
		return rc;
	if (answer.response.status == 404)
		return 1;
	if (!xml_element(buf_str(&answer.response.body), "ETag", NULL).ptr)
		return not_written(upload, "the end of its upload was not confirmed", err);
	return 0;
}

/* The error stays that of what went wrong before; that parts are left is added to it. */
static void give_up(struct upload *upload, struct err *err)
{
	cleanup(release_answer) struct s3_answer answer = {0};
	cleanup(buf_release) struct buf query = BUF_INIT(4 * LIMIT_PATH);
	struct err why = {0};

	buf_printf(&query, "uploadId=%s", buf_cstr(&upload->id));
	if (send(upload, "DELETE", buf_cstr(&query), STR_NONE, &answer, &why) < 0 && err)
		err_wrap(err, "upload %s was left behind (`aws s3api abort-multipart-upload`)",
			 buf_cstr(&upload->id));
}

static int put_in_parts(struct upload *upload, struct str bytes, struct err *err)
{
	size_t part = MAX((size_t)S3_PART_BYTES, bytes.len / S3_MOST_PARTS + 1);
	unsigned number = 0;
	int rc = begin(upload, err);

	if (rc < 0)
		return rc;
	for (size_t at = 0; rc == 0 && at < bytes.len; at += part)
		rc = put_part(upload, ++number, str_of(bytes.ptr + at, MIN(part, bytes.len - at)),
			      err);
	if (rc == 0)
		rc = complete(upload, err);
	if (rc < 0)
		give_up(upload, err);
	return rc;
}

int s3_put(struct s3_service *service, const char *uri, struct str key, struct str bytes,
	   struct err *err)
{
	cleanup(release_upload) struct upload upload = {service, uri, key, BUF_INIT(3 * LIMIT_PATH),
							BUF_INIT(LIST_MAX)};
	int rc = 1;

	if (bytes.len <= S3_PART_BYTES)
		return put_whole(&upload, bytes, err);
	for (int i = 0; rc == 1 && i < MOST_UPLOADS; i++)
		rc = put_in_parts(&upload, bytes, err);
	return rc == 1 ? not_written(&upload, "the server forgets uploads before they end", err)
		       : rc;
}
