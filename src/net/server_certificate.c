#include "net/server_certificate.h"

#include "net/http_client_internal.h"

static void keep(struct str line, const char *label, struct arena *mem, struct str *out)
{
	if (!out->ptr && str_starts(line, str_from(label)))
		*out = arena_str(mem, str_from_offset(line, strlen(label)));
}

static int read_info(CURL *curl, struct arena *mem, struct server_certificate *out)
{
	struct curl_certinfo *info = NULL;

	/* The first one is the server's own. */
	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
	    info->num_of_certs == 0)
		return 0;
	for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next) {
		struct str text = str_from(line->data);

		keep(text, "Subject:", mem, &out->subject);
		keep(text, "Issuer:", mem, &out->issuer);
		keep(text, "Expire date:", mem, &out->expires);
		keep(text, "X509v3 Subject Alternative Name:", mem, &out->names);
	}
	if (out->expires.ptr) {
		time_t when = curl_getdate(out->expires.ptr, NULL);

		out->expires_ms = when < 0 ? -1 : (int64_t)when * 1000;
	}
	return 1;
}

/* Whoever answers has proven nothing. */
static void drop_credentials(struct http_client *client)
{
	client->authorization = NULL;
	client->aws_region = NULL;
	curl_easy_setopt(client->curl, CURLOPT_USERNAME, NULL);
	curl_easy_setopt(client->curl, CURLOPT_PASSWORD, NULL);
}

int server_certificate_read(const struct http_options *options, struct arena *mem,
			    struct server_certificate *out, struct err *err)
{
	const struct http_request request = {.method = "HEAD", .path = "/", .as_it_is = true};
	struct http_response response = {0};
	struct http_options open = *options;
	struct http_client *client;
	int rc;

	*out = (struct server_certificate){.expires_ms = -1};
	open.insecure = true;
	rc = http_client_new(&open, &client, err);
	if (rc < 0)
		return rc;
	if (client->url.tls) {
		drop_credentials(client);
		curl_easy_setopt(client->curl, CURLOPT_CERTINFO, 1L);
		rc = http_client_send(client, &request, &response, err);
		if (rc == 0)
			rc = read_info(client->curl, mem, out);
	}
	http_response_release(&response);
	http_client_free(client);
	return rc;
}
