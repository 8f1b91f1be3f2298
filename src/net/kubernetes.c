#include "net/kubernetes.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/small_file.h"
#include "net/http_client.h"

#include <stdlib.h>

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"
#define TOKEN_MAX KIB(128)
#define TOKEN_AGE_MS 60000
#define REQUEST_MS 30000

struct kubernetes {
	struct arena mem;
	struct http_client *http;
	struct http_response response;
	const atomic_bool *stop;
	const char *folder, *namespace;
	struct buf authorization; /* a whole header line */
	int64_t read_ms;          /* monotonic: when the token was */
};

/* --- Where it is --- */

static const char *given(const char *option, const char *variable, const char *fallback)
{
	const char *value = option ? option : getenv(variable);

	return value && *value ? value : fallback;
}

static int find_url(struct kubernetes *k, const char *wanted, const char **out, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	bool bare = host && strchr(host, ':');

	*out = given(wanted, "SHARDLIFT_KUBERNETES_URL", NULL);
	if (*out)
		return 0;
	if (!host)
		return err_set(err, ERR_USAGE,
			       "this is no pod of Kubernetes: KUBERNETES_SERVICE_HOST is not set; "
			       "--platform local runs the steps here");
	*out = arena_printf(&k->mem, "https://%s%s%s:%s", bare ? "[" : "", host, bare ? "]" : "",
			    port ? port : "443")
		       .ptr;
	return *out ? 0 : arena_fail(&k->mem, "the URL of the Kubernetes API", err);
}

static const char *path_in(struct kubernetes *k, const char *name)
{
	return arena_printf(&k->mem, "%s/%s", k->folder, name).ptr;
}

static int find_namespace(struct kubernetes *k, const char *wanted, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
	struct str name = str_from(wanted);

	if (!wanted || !*wanted) {
		if (small_file_read(path_in(k, "namespace"), &text, err) < 0)
			return -(int)err->kind;
		name = str_trim(buf_str(&text));
	}
	k->namespace = arena_str(&k->mem, name.len > 0 ? name : STR("ma")).ptr;
	return k->namespace ? 0 : arena_fail(&k->mem, "the namespace", err);
}

/* Tokens are renewed in place; an hour is the shortest life that one has. */
static int read_token(struct kubernetes *k, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TOKEN_MAX);
	const char *path = path_in(k, "token");
	int64_t now = clock_monotonic_ms();
	int rc;

	if (k->authorization.len > 0 && now - k->read_ms < TOKEN_AGE_MS)
		return 0;
	if (!path)
		return arena_fail(&k->mem, "the path of a token", err);
	rc = small_file_read(path, &text, err);
	if (rc == 0)
		return err_set(err, ERR_USAGE,
			       "there is no token for the Kubernetes API in '%s'; let the pod have "
			       "one (automountServiceAccountToken), or run the steps here with "
			       "--platform local",
			       path);
	if (rc < 0)
		return rc;
	buf_reset(&k->authorization);
	buf_printf(&k->authorization, "Authorization: Bearer " STR_FMT,
		   STR_ARG(str_trim(buf_str(&text))));
	explicit_bzero(text.ptr, text.len);
	k->read_ms = now;
	return buf_check(&k->authorization, "the token of the Kubernetes API", err);
}

int kubernetes_open(const struct kubernetes_options *options, struct kubernetes **out,
		    struct err *err)
{
	struct kubernetes *k = calloc(1, sizeof(*k));
	struct http_options http = {.request_timeout_ms = REQUEST_MS, .flag_prefix = "--api-"};

	if (!k)
		return err_set(err, ERR_NOMEM, "no memory for the Kubernetes API");
	k->mem = ARENA_INIT(MIB(1));
	k->authorization = BUF_INIT(TOKEN_MAX);
	k->response.body = BUF_INIT(LIMIT_HTTP_RESPONSE);
	k->stop = options->stop;
	k->folder = given(options->folder, "SHARDLIFT_KUBERNETES_FOLDER", POD_FOLDER);
	if (find_url(k, options->url, &http.host, err) < 0 ||
	    find_namespace(k, options->namespace, err) < 0 || read_token(k, err) < 0)
		goto fail;
	if (strncmp(http.host, "https:", 6) == 0)
		http.ca_file = path_in(k, "ca.crt");
	if (http_client_new(&http, &k->http, err) < 0)
		goto fail;
	*out = k;
	return 0;
fail:
	kubernetes_close(k);
	return -(int)err->kind;
}

void kubernetes_close(struct kubernetes *k)
{
	if (!k)
		return;
	http_client_free(k->http);
	http_response_release(&k->response);
	if (k->authorization.ptr)
		explicit_bzero(k->authorization.ptr, k->authorization.len);
	buf_release(&k->authorization);
	arena_release(&k->mem);
	free(k);
}

const char *kubernetes_namespace(const struct kubernetes *k)
{
	return k->namespace;
}

/* --- What it says --- */

/* "create jobs.batch 'x' in namespace 'ma'" */
static const char *describe(const struct kubernetes *k, const struct kubernetes_call *call,
			    struct buf *out)
{
	buf_printf(out, "%s %s%s%s%s%s", call->verb, call->resource, call->subresource ? "/" : "",
		   call->subresource ? call->subresource : "", *call->group ? "." : "",
		   call->group);
	if (call->name)
		buf_printf(out, " '%s'", call->name);
	buf_printf(out, " in namespace '%s'", k->namespace);
	return buf_cstr(out);
}

static int forbidden(const struct kubernetes_call *call, const char *what, struct str said,
		     struct err *err)
{
	if (memmem(said.ptr ? said.ptr : "", said.len, "exceeded quota", 14))
		return err_set(err, ERR_LIMIT,
			       "a quota of the namespace is reached (%s): " STR_FMT
			       "; raise the quota, or ask for less",
			       what, STR_ARG(said));
	return err_set(err, ERR_AUTH,
		       "the Kubernetes API forbids to %s; the Role of our service account lacks "
		       "{apiGroups: [\"%s\"], resources: [%s%s%s], verbs: [%s]} (it says: " STR_FMT
		       ")",
		       what, call->group, call->resource, call->subresource ? "/" : "",
		       call->subresource ? call->subresource : "", call->verb, STR_ARG(said));
}

static enum err_kind kind_of(int status)
{
	switch (status) {
	case 401:
		return ERR_AUTH;
	case 404:
		return ERR_NOT_FOUND;
	case 409:
	case 410:
		return ERR_CONFLICT;
	case 400:
	case 422:
		return ERR_USAGE;
	default:
		return ERR_HTTP;
	}
}

static int refused(const struct kubernetes *k, const struct kubernetes_call *call, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(4));
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	const char *what = describe(k, call, &text);
	int status = k->response.status;
	struct str said = buf_str(&k->response.body);
	struct json *answer = NULL;
	int rc;

	if (json_parse(said, &mem, &answer, NULL) == 0)
		said = json_string(json_get(answer, "message"));
	said = str_of(said.ptr, MIN(str_trim(said).len, (size_t)500));
	if (status == 403)
		rc = forbidden(call, what, said, err);
	else
		rc = err_set(err, kind_of(status), "the Kubernetes API refuses to %s: %d " STR_FMT,
			     what, status, STR_ARG(said));
	err->http_status = status;
	err->retry = status == 429 || status >= 500;
	return rc;
}

static int unanswered(const struct kubernetes *k, const struct kubernetes_call *call,
		      struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	char *advice = strstr(err->message, "; ");

	if (err->kind == ERR_CANCELLED)
		return -(int)err->kind;
	err->retry = true;
	/* The advice behind it names flags that there are not. */
	if (advice)
		*advice = '\0';
	return err_wrap(err, "the Kubernetes API does not answer (%s)", describe(k, call, &text));
}

/* --- Calls --- */

static const char *method_of(const char *verb)
{
	return strcmp(verb, "create") == 0   ? "POST"
	       : strcmp(verb, "update") == 0 ? "PUT"
	       : strcmp(verb, "patch") == 0  ? "PATCH"
	       : strcmp(verb, "delete") == 0 ? "DELETE"
					     : "GET";
}

static int send(struct kubernetes *k, const struct kubernetes_call *call, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(KIB(8));
	cleanup(buf_release) struct buf body = BUF_INIT(MIB(4));
	struct http_request request = {.method = method_of(call->verb), .stop = k->stop};
	const char *header;

	if (read_token(k, err) < 0)
		return -(int)err->kind;
	buf_printf(&path, "%s%s/v1/namespaces/%s/%s", *call->group ? "/apis/" : "/api", call->group,
		   k->namespace, call->resource);
	if (call->name) {
		buf_append_byte(&path, '/');
		http_append_encoded(&path, str_from(call->name));
	}
	if (call->subresource)
		buf_printf(&path, "/%s", call->subresource);
	if (call->query.len > 0)
		buf_printf(&path, "?" STR_FMT, STR_ARG(call->query));
	if (call->body)
		json_write(&body, call->body);
	if (buf_check(&path, "the path of a call of the Kubernetes API", err) < 0 ||
	    buf_check(&body, "an object for the Kubernetes API", err) < 0)
		return -(int)err->kind;
	request.path = buf_cstr(&path);
	request.body = buf_str(&body);
	request.content_type = strcmp(call->verb, "patch") == 0 ? "application/merge-patch+json"
								: "application/json";
	header = buf_cstr(&k->authorization);
	request.headers = &header;
	request.header_count = 1;
	if (http_client_send(k->http, &request, &k->response, err) < 0)
		return unanswered(k, call, err);
	return k->response.status >= 200 && k->response.status < 300 ? 0 : refused(k, call, err);
}

int kubernetes_send(struct kubernetes *k, const struct kubernetes_call *call, struct arena *mem,
		    struct json **out, struct err *err)
{
	struct str text;

	if (send(k, call, err) < 0)
		return -(int)err->kind;
	text = arena_str(mem, buf_str(&k->response.body));
	if (!text.ptr)
		return arena_fail(mem, "an answer of the Kubernetes API", err);
	return json_parse(text, mem, out, err) < 0
		       ? err_wrap(err, "an answer of the Kubernetes API to %s %s", call->verb,
				  call->resource)
		       : 0;
}

int kubernetes_text(struct kubernetes *k, const struct kubernetes_call *call, struct buf *out,
		    struct err *err)
{
	if (send(k, call, err) < 0)
		return -(int)err->kind;
	buf_append_str(out, buf_str(&k->response.body));
	return buf_check(out, "a log of the Kubernetes API", err);
}

bool kubernetes_may_pass(const struct err *err)
{
	return err->retry || err->kind == ERR_AUTH || err->kind == ERR_LIMIT ||
	       err->kind == ERR_UNREACHABLE || err->kind == ERR_TIMEOUT;
}
