#include "net/gcp_credentials_internal.h"
#include "net/web_call.h"

#include <time.h>

#define STS "Google's security token service"
#define IMPERSONATION "Google's IAM credentials service"
#define MOST_HEADERS 8

/* The token in what the source gave: all of it, or the field that the format names. */
static int pick_token(const struct json *source, struct str text, struct arena *mem,
		      struct str *out, struct err *err)
{
	const struct json *format = json_get(source, "format");
	struct str field = json_string(json_get(format, "subject_token_field_name"));
	struct json *v;

	*out = text;
	if (str_is(json_string(json_get(format, "type")), "json")) {
		if (json_parse(text, mem, &v, err) < 0)
			return err_wrap(err, "the subject token");
		*out = json_string(json_get_str(v, field));
	}
	if (out->len > 0)
		return 0;
	return err_set(err, ERR_AUTH,
		       "the place of 'credential_source' holds no subject token; check its format");
}

static int token_of_file(const struct json *source, struct arena *mem, struct str *out,
			 struct err *err)
{
	const char *path = gcp_file_text(source, "file", mem, err);
	struct str text;
	int rc = path ? web_token_file(path, mem, &text, err) : -(int)ERR_AUTH;

	return rc < 0 ? rc : pick_token(source, text, mem, out, err);
}

static int token_of_url(const struct json *source, struct arena *mem, struct str *out,
			struct err *err)
{
	const char *lines[MOST_HEADERS];
	struct web_call call = {
		.method = "GET", .headers = lines, .what = "the server of the subject token"};
	struct str text;
	int rc;

	call.url = gcp_file_text(source, "url", mem, err);
	if (!call.url)
		return -(int)ERR_AUTH;
	json_each (header, json_get(source, "headers")) {
		if (call.header_count == MOST_HEADERS)
			return err_set(err, ERR_LIMIT,
				       "more than %d headers in 'credential_source'", MOST_HEADERS);
		lines[call.header_count] = arena_printf(mem, STR_FMT ": " STR_FMT,
							STR_ARG(header->key), STR_ARG(header->text))
						   .ptr;
		if (!lines[call.header_count++])
			return arena_fail(mem, "a header", err);
	}
	rc = web_call(&call, mem, &text, err);
	return rc < 0 ? rc : pick_token(source, text, mem, out, err);
}

static int subject_token(const struct json *file, struct arena *mem, struct str *out,
			 struct err *err)
{
	const struct json *source = json_get(file, "credential_source");

	if (json_get(source, "file"))
		return token_of_file(source, mem, out, err);
	if (json_get(source, "url") && !json_get(source, "environment_id"))
		return token_of_url(source, mem, out, err);
	return err_set(err, ERR_AUTH,
		       "its 'credential_source' is neither a file nor a URL, which alone are "
		       "understood; create a configuration with one of them");
}

static int exchange(const struct json *file, struct str subject, struct arena *mem,
		    struct access_token *out, struct err *err)
{
	cleanup(buf_release) struct buf form = BUF_INIT(GCP_DOCUMENT_MAX);
	const char *audience = gcp_file_text(file, "audience", mem, err);
	const char *type = audience ? gcp_file_text(file, "subject_token_type", mem, err) : NULL;
	const char *url = type ? gcp_file_text(file, "token_url", mem, err) : NULL;
	struct web_call call = {.method = "POST", .url = url, .what = STS};
	bool impersonates = json_get(file, "service_account_impersonation_url");
	struct str answer;
	int rc;

	if (!url)
		return -(int)ERR_AUTH;
	web_form_add(&form, "grant_type", STR("urn:ietf:params:oauth:grant-type:token-exchange"));
	web_form_add(&form, "requested_token_type",
		     STR("urn:ietf:params:oauth:token-type:access_token"));
	web_form_add(&form, "audience", str_from(audience));
	web_form_add(&form, "scope",
		     impersonates ? STR("https://www.googleapis.com/auth/cloud-platform")
				  : STR(GCP_SCOPE));
	web_form_add(&form, "subject_token_type", str_from(type));
	web_form_add(&form, "subject_token", subject);
	call.body = buf_str(&form);
	rc = buf_check(&form, "a request for a token", err);
	if (rc == 0)
		rc = web_call(&call, mem, &answer, err);
	return rc < 0 ? rc : access_token_parse(answer, STS, mem, out, err);
}

/* "2026-11-22T07:19:00Z"; 0: no such text. */
static int64_t parse_time(const char *text)
{
	struct tm parts = {0};

	return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) ? (int64_t)timegm(&parts) * 1000
								   : 0;
}

/* The federated token is exchanged for one of a service account. */
static int impersonate(const struct json *file, struct arena *mem, struct access_token *token,
		       struct err *err)
{
	const char *line =
		arena_printf(mem, "Authorization: Bearer " STR_FMT, STR_ARG(token->text)).ptr;
	const struct web_call call = {
		.method = "POST",
		.url = gcp_file_text(file, "service_account_impersonation_url", mem, err),
		.headers = &line,
		.header_count = 1,
		.content_type = "application/json",
		.body = STR("{\"scope\":[\"" GCP_SCOPE "\"],\"lifetime\":\"3600s\"}"),
		.what = IMPERSONATION};
	struct str answer;
	struct json *v;
	int rc;

	if (!call.url)
		return -(int)ERR_AUTH;
	if (!line)
		return arena_fail(mem, "a header", err);
	rc = web_call(&call, mem, &answer, err);
	if (rc < 0)
		return rc;
	if (json_parse(answer, mem, &v, err) < 0)
		return err_wrap(err, IMPERSONATION);
	token->text = json_string(json_get(v, "accessToken"));
	token->expires_ms = parse_time(gcp_file_text(v, "expireTime", mem, NULL));
	return access_token_is_plain(token->text)
		       ? 0
		       : err_set(err, ERR_AUTH, IMPERSONATION " answers without an access token");
}

int gcp_token_of_federation(const struct json *file, struct arena *mem, struct access_token *out,
			    struct err *err)
{
	struct str subject;
	int rc = subject_token(file, mem, &subject, err);

	if (rc == 0)
		rc = exchange(file, subject, mem, out, err);
	if (rc == 0 && json_get(file, "service_account_impersonation_url"))
		rc = impersonate(file, mem, out, err);
	return rc;
}
