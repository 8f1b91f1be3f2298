/* Signs the requests that it reads, for comparison with another signer: one JSON object a line,
 * with method, host, target, body, unsigned, headers [[name, value]], region, service, wall_ms,
 * access, secret and token. Prints the lines to be sent, as one JSON array a line. */
#include "net/sigv4.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_HEADERS 16

static const char *text_of(const struct json *request, const char *name, struct arena *mem)
{
	struct json *value = json_get(request, name);

	return value && value->type == JSON_STRING ? arena_str(mem, value->text).ptr : NULL;
}

static void print_lines(const struct sigv4_lines *lines)
{
	cleanup(buf_release) struct buf out = BUF_INIT(MIB(1));

	for (size_t i = 0; i < lines->count; i++) {
		buf_append_byte(&out, i > 0 ? ',' : '[');
		json_write_string(&out, str_from(lines->line[i]));
	}
	printf("%s]\n", buf_cstr(&out));
}

static int sign_line(struct str line, struct arena *mem, struct err *err)
{
	struct sigv4_header headers[MOST_HEADERS];
	struct sigv4_request request;
	struct sigv4_lines lines;
	struct sigv4_key key;
	struct json *v;
	int rc = json_parse(line, mem, &v, err);

	if (rc < 0)
		return rc;
	request = (struct sigv4_request){
		.method = text_of(v, "method", mem),
		.host = text_of(v, "host", mem),
		.target = json_string(json_get(v, "target")),
		.body = json_string(json_get(v, "body")),
		.unsigned_payload = json_bool_or(json_get(v, "unsigned"), false),
		.headers = headers,
		.region = text_of(v, "region", mem),
		.service = text_of(v, "service", mem),
		.wall_ms = json_i64_or(json_get(v, "wall_ms"), 0),
	};
	json_each (header, json_get(v, "headers")) {
		if (request.header_count == MOST_HEADERS)
			return err_set(err, ERR_LIMIT, "more than %d headers", MOST_HEADERS);
		headers[request.header_count++] =
			(struct sigv4_header){header->first->text, header->last->text};
	}
	key = (struct sigv4_key){text_of(v, "access", mem), text_of(v, "secret", mem),
				 text_of(v, "token", mem)};
	rc = sigv4_sign(&request, &key, mem, &lines, err);
	if (rc == 0)
		print_lines(&lines);
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
