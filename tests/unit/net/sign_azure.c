/* Signs the requests that it reads, for comparison with another signer: one JSON object a line,
 * with method, account, key (base64), target, length, content_type, range, if_match and ms_headers
 * ["x-ms-date: …"]. Prints a line "Authorization: …" for each. */
#include "net/azure_shared_key.h"

#include "base/base64.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_HEADERS 16

static const char *text_of(const struct json *request, const char *name, struct arena *mem)
{
	struct json *value = json_get(request, name);

	return value && value->type == JSON_STRING ? arena_str(mem, value->text).ptr : NULL;
}

static int sign_line(struct str line, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf key = BUF_INIT(KIB(1));
	const char *headers[MOST_HEADERS], *authorization;
	struct azure_signed_request request;
	struct json *v;
	int rc = json_parse(line, mem, &v, err);

	if (rc < 0)
		return rc;
	request = (struct azure_signed_request){
		.method = text_of(v, "method", mem),
		.account = text_of(v, "account", mem),
		.target = json_string(json_get(v, "target")),
		.content_length = (size_t)json_i64_or(json_get(v, "length"), 0),
		.content_type = text_of(v, "content_type", mem),
		.range = text_of(v, "range", mem),
		.if_match = text_of(v, "if_match", mem),
		.ms_headers = headers,
	};
	json_each (header, json_get(v, "ms_headers")) {
		if (request.ms_header_count == MOST_HEADERS)
			return err_set(err, ERR_LIMIT, "more than %d headers", MOST_HEADERS);
		headers[request.ms_header_count++] = arena_str(mem, header->text).ptr;
	}
	if (!base64_decode(&key, json_string(json_get(v, "key"))))
		return err_set(err, ERR_FORMAT, "the key is no base64");
	rc = azure_sign(&request, buf_str(&key), mem, &authorization, err);
	if (rc == 0)
		printf("%s\n", authorization);
	return rc;
}

int main(void)
{
	struct arena mem = ARENA_INIT(MIB(4));
	struct err err = {0};
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int rc = 0;

	while (rc == 0 && (len = getline(&line, &room, stdin)) > 0) {
		arena_reset(&mem);
		rc = sign_line(str_of(line, (size_t)len), &mem, &err);
	}
	if (rc < 0)
		fprintf(stderr, "%s\n", err.message);
	free(line);
	arena_release(&mem);
	return rc < 0;
}
