/* console clusters curl */
#include "cli/console_common.h"

#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

struct curl_fields {
	struct console_fields console;
	const char *method, *data, *json;
	struct opt_list headers;
	int64_t timeout_s;
};

#define FIELD(member) OPT_FIELD(struct curl_fields, member)

static const struct opt curl_options[] = {
	{.name = "request",
	 .aliases = "X",
	 .type = OPT_STRING,
	 FIELD(method),
	 .metavar = "METHOD",
	 .help = "Else GET, or POST where there is a body."},
	{.name = "header",
	 .aliases = "H",
	 .type = OPT_LIST,
	 .whole = true,
	 FIELD(headers),
	 .metavar = "'NAME: VALUE'",
	 .help = "A header of the request; may be repeated."},
	{.name = "data",
	 .aliases = "d",
	 .type = OPT_STRING,
	 FIELD(data),
	 .metavar = "BODY",
	 .help = "The body; @FILE: what the file holds, @-: standard input."},
	{.name = "json",
	 .type = OPT_STRING,
	 FIELD(json),
	 .metavar = "BODY",
	 .help = "As --data, of type application/json."},
	{.name = "timeout",
	 .type = OPT_INT,
	 FIELD(timeout_s),
	 .metavar = "SECONDS",
	 .fallback = "15",
	 .min = 1,
	 .max = 86400,
	 .help = "How long to wait for the answer."},
	{0},
};

static void close_fd(int *fd)
{
	if (*fd > STDIN_FILENO)
		close(*fd);
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
	cleanup(close_fd) int fd =
		strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;

	if (fd < 0)
		return err_set_errno(err, ERR_USAGE, errno, "cannot read the body '%s'", path);
	while (got > 0) {
		void *room = buf_reserve(out, KIB(64));

		if (!room)
			return buf_check(out, "the body", err);
		got = read(fd, room, KIB(64));
		out->len += got > 0 ? (size_t)got : 0;
	}
	return got < 0 ? err_set_errno(err, ERR_IO, errno, "cannot read the body '%s'", path) : 0;
}

static int read_body(const struct curl_fields *f, struct buf *out, struct err *err)
{
	const char *data = f->json ? f->json : f->data;

	if (f->json && f->data)
		return err_set(err, ERR_USAGE, "--json and --data do not go together");
	if (!data)
		return 0;
	if (data[0] == '@')
		return read_file(data + 1, out, err);
	buf_append_str(out, str_from(data));
	return buf_check(out, "the body", err);
}

/* Content-Type is the client's own to send. */
static int take_headers(const struct curl_fields *f, struct arena *mem,
			struct http_request *request, struct err *err)
{
	const char **lines = arena_zalloc(mem, f->headers.count + 1, sizeof(char *));

	if (!lines)
		return arena_fail(mem, "the headers", err);
	for (size_t i = 0; i < f->headers.count; i++) {
		const char *line = f->headers.items[i], *colon = strchr(line, ':');

		if (!colon || colon == line || strpbrk(line, "\r\n"))
			return err_set(err, ERR_USAGE, "--header '%s' is not 'NAME: VALUE'", line);
		if (strncasecmp(line, "content-type:", 13) == 0)
			request->content_type = str_trim(str_from(colon + 1)).ptr;
		else
			lines[request->header_count++] = line;
	}
	request->headers = lines;
	return 0;
}

static int send_request(const struct services_cluster *cluster, const struct http_request *request,
			struct http_response *response, struct err *err)
{
	struct http_client *client;
	int rc;

	if (http_client_new(&cluster->http, &client, err) < 0)
		return -(int)err->kind;
	rc = http_client_send(client, request, response, err);
	http_client_free(client);
	return rc;
}

static int make_request(const struct curl_fields *f, const char *path, struct arena *mem,
			struct buf *body, struct http_request *out, struct err *err)
{
	if (read_body(f, body, err) < 0 || take_headers(f, mem, out, err) < 0)
		return -(int)err->kind;
	out->body = buf_str(body);
	out->method = f->method ? f->method : body->len > 0 ? "POST" : "GET";
	out->path = *path == '/' ? path : arena_printf(mem, "/%s", path).ptr;
	if (!out->path)
		return arena_fail(mem, "the path", err);
	if (!strpbrk(path, " \r\n\t"))
		return 0;
	return err_set(err, ERR_USAGE,
		       "the path '%s' has spaces; they are %%20 in a path and + in a query", path);
}

static void print_body(struct str body)
{
	fwrite(body.ptr ? body.ptr : "", 1, body.len, stdout);
	if (body.len > 0 && body.ptr[body.len - 1] != '\n')
		putchar('\n');
}

static int run(struct cli *cli, void *fields, struct err *err)
{
	cleanup(console_close) struct console console;
	cleanup(http_response_release) struct http_response response = {0};
	cleanup(buf_release) struct buf body = BUF_INIT(LIMIT_HTTP_RESPONSE);
	struct curl_fields *f = fields;
	struct services_cluster cluster;
	struct http_request request = {.once = true, .timeout_ms = f->timeout_s * 1000};

	if (console_open(&console, cli, &f->console, err) < 0 ||
	    services_find_cluster(&console.services, cli->parsed->positionals[0], cli->mem,
				  &cluster, err) < 0 ||
	    make_request(f, cli->parsed->positionals[1], cli->mem, &body, &request, err) < 0 ||
	    send_request(&cluster, &request, &response, err) < 0)
		return -(int)err->kind;
	print_body(buf_str(&response.body));
	if (response.status >= 200 && response.status < 300)
		return 0;
	return err_set(err, ERR_HTTP, STR_FMT " answers %s %s with status %d",
		       STR_ARG(cluster.name), request.method, request.path, response.status);
}

static const struct opt_part parts[] = {
	{curl_options, 0}, {console_options, 0}, {GENERAL_OPTIONS_WITHOUT_JSON, 0}, {0}};

const struct command command_console_clusters_curl = {
	.options =
		{.name = "console clusters curl",
		 .summary = "Send a request to a cluster, with its authentication",
		 .arguments = "CLUSTER PATH",
		 .parts = parts,
		 .details =
			 "Exits 1 for a status that is no 2xx; its body is printed all the same. "
			 "Paths with '&' or '?' are quoted for the shell.\n"
			 "\n"
			 "Example:\n"
			 "  console clusters curl target '/_search?size=5&pretty'",
		 .min_positionals = 2,
		 .max_positionals = 2},
	.fields_size = sizeof(struct curl_fields),
	.run = run,
};
