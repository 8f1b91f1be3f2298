#include "net/http_client_internal.h"

#include <stdio.h>

/* What a transfer's end means. `advice` names flags as "--host"; messages put the client's prefix
 * in place of the dashes. */
struct failure {
	enum err_kind kind;
	bool retry;
	const char *advice;
};

static bool was_connected(CURL *curl)
{
	curl_off_t microseconds = 0;

	curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
	return microseconds > 0;
}

static struct failure tls_failure(const struct http_client *client)
{
	if (strstr(client->reason, "wrong version number"))
		return (struct failure){ERR_UNREACHABLE, false,
					"; what answers does not speak TLS: try http:// in --host"};
	if (strstr(client->reason, "alert"))
		return (struct failure){ERR_UNREACHABLE, false,
					"; if the server asks for a client certificate, give "
					"--client-cert and --client-cert-key"};
	/* A connection lost during the handshake is reported as a system call that failed. */
	return (struct failure){ERR_UNREACHABLE, strstr(client->reason, "SYSCALL") != NULL, ""};
}

static struct failure untrusted(const struct http_client *client)
{
	if (strstr(client->reason, "subject name"))
		return (struct failure){ERR_UNREACHABLE, false,
					"; write a name that its certificate has in --host, or do "
					"without the check with --insecure"};
	if (strstr(client->reason, "expired") || strstr(client->reason, "not yet valid"))
		return (struct failure){ERR_UNREACHABLE, false,
					"; renew the certificate, or do without the check with "
					"--insecure"};
	return (struct failure){ERR_UNREACHABLE, false,
				"; name the authority that signed its certificate with --cacert, "
				"or do without the check with --insecure"};
}

/* What the proxy said to CONNECT; a status of 5xx may pass. */
static bool proxy_refuses(const struct http_client *client)
{
	return client->proxy && strstr(client->reason, "CONNECT") &&
	       strstr(client->reason, "response 4");
}

static struct failure broken_connection(const struct http_client *client)
{
	if (proxy_refuses(client))
		return (struct failure){ERR_UNREACHABLE, false, ""};
	if (strstr(client->reason, "alert"))
		return tls_failure(client);
	if (client->url.tls || client->answered)
		return (struct failure){ERR_UNREACHABLE, true, ""};
	return (struct failure){ERR_UNREACHABLE, true,
				"; if the server wants TLS, write https:// in --host"};
}

static struct failure timeout(const struct http_client *client)
{
	if (was_connected(client->curl))
		return (struct failure){ERR_TIMEOUT, true,
					"; if the server needs longer, raise --request-timeout"};
	return (struct failure){ERR_UNREACHABLE, true,
				"; check --host and the firewalls on the way"};
}

static struct failure classify(const struct http_client *client, CURLcode code)
{
	switch ((int)code) {
	case CURLE_ABORTED_BY_CALLBACK:
		return (struct failure){ERR_CANCELLED, false, ""};
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		/* A name that was right once is so again when its server is back. */
		return (struct failure){ERR_UNREACHABLE, client->answered, "; check --host"};
	case CURLE_COULDNT_CONNECT:
		return (struct failure){ERR_UNREACHABLE, true, "; is it running? Check --host"};
	case CURLE_OPERATION_TIMEDOUT:
		return timeout(client);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return untrusted(client);
	case CURLE_SSL_CACERT_BADFILE:
		return (struct failure){ERR_USAGE, false, "; check --cacert"};
	case CURLE_SSL_CERTPROBLEM:
		return (struct failure){ERR_USAGE, false,
					"; check --client-cert and --client-cert-key"};
	case CURLE_SSL_CONNECT_ERROR:
		return tls_failure(client);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		return broken_connection(client);
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_BAD_CONTENT_ENCODING:
		return (struct failure){ERR_UNREACHABLE, true, ""};
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return (struct failure){ERR_UNREACHABLE, false,
					"; what answers is no HTTP server: check --host"};
	case CURLE_OUT_OF_MEMORY:
		BUG("out of memory");
	default:
		return (struct failure){ERR_UNREACHABLE, false, ""};
	}
}

static void write_advice(const struct http_client *client, const char *advice, struct buf *out)
{
	for (const char *dashes; (dashes = strstr(advice, "--")); advice = dashes + 2) {
		buf_append(out, advice, (size_t)(dashes - advice));
		if (client->host_flag && strncmp(dashes, "--host", 6) == 0) {
			buf_append_str(out, str_from(client->host_flag));
			dashes += 4;
		} else {
			buf_append_str(out, str_from(client->flag_prefix));
		}
	}
	buf_append_str(out, str_from(advice));
}

int http_failure(const struct http_client *client, const struct http_request *request,
		 CURLcode code, struct err *err)
{
	cleanup(buf_release) struct buf advice = BUF_INIT(KIB(1));
	struct failure failure = classify(client, code);
	const char *reason = client->reason[0] ? client->reason : curl_easy_strerror(code);

	if (failure.kind == ERR_CANCELLED)
		reason = "cancelled";
	write_advice(client, failure.advice, &advice);
	if (client->proxy && failure.kind != ERR_CANCELLED)
		buf_printf(&advice,
			   "; it goes through the proxy %s: check that, or name the host "
			   "in no_proxy",
			   client->proxy);
	err_set(err, failure.kind, "%s %s" STR_FMT ": %s%s", request->method, client->base,
		HTTP_PATH_ARG(request), reason, buf_cstr(&advice));
	if (err)
		err->retry = failure.retry;
	return -(int)failure.kind;
}

int http_redirect_failure(const struct http_client *client, const struct http_request *request,
			  int status, const char *location, struct err *err)
{
	struct arena mem = ARENA_INIT(4 * LIMIT_PATH);
	char place[512] = "another address";
	struct url to;
	size_t cut = strcspn(location, "?#");

	/* Shown without credentials and query, which may hold secrets. */
	if (url_parse(arena_str(&mem, str_of(location, cut)).ptr, &mem, &to, NULL) == 0)
		snprintf(place, sizeof(place), "%s", url_without_secrets(&to, &mem).ptr);
	arena_release(&mem);
	return err_set(err, ERR_UNREACHABLE,
		       "%s %s" STR_FMT ": status %d sends on to %s, which is not followed; if that "
		       "is the cluster, give its address in %shost",
		       request->method, client->base, HTTP_PATH_ARG(request), status, place,
		       client->flag_prefix);
}
