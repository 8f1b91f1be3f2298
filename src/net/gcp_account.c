#include "base/clock.h"
#include "net/gcp_credentials_internal.h"
#include "net/jwt.h"
#include "net/web_call.h"

#define TOKEN_SERVER "Google's token server"
#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define METADATA_HOST "169.254.169.254"
#define METADATA_PATH "/computeMetadata/v1/instance/service-accounts/default/token"
#define METADATA_CONNECT_MS 2000
#define LIFE_SECONDS 3600

static int ask_token_server(const char *url, const struct buf *form, struct arena *mem,
			    struct access_token *out, struct err *err)
{
	const struct web_call call = {
		.method = "POST", .url = url, .body = buf_str(form), .what = TOKEN_SERVER};
	struct str answer;
	int rc = buf_check(form, "a request for a token", err);

	if (rc == 0)
		rc = web_call(&call, mem, &answer, err);
	return rc < 0 ? rc : access_token_parse(answer, TOKEN_SERVER, mem, out, err);
}

/* What the service account asserts, signed with its key. */
static int make_assertion(const struct json *file, const char *audience, struct arena *mem,
			  struct str *out, struct err *err)
{
	struct json *header = json_new(mem, JSON_OBJECT), *claims = json_new(mem, JSON_OBJECT);
	struct str key_id = json_string(json_get(file, "private_key_id"));
	const char *email = gcp_file_text(file, "client_email", mem, err), *key = NULL;
	cleanup(buf_release) struct buf head = BUF_INIT(KIB(16)), body = BUF_INIT(KIB(16));
	int64_t now = clock_wall_ms() / 1000;

	if (!email || !(key = gcp_file_text(file, "private_key", mem, err)))
		return -(int)ERR_AUTH;
	json_set(header, STR("alg"), json_new_string(mem, STR("RS256")));
	json_set(header, STR("typ"), json_new_string(mem, STR("JWT")));
	if (key_id.len > 0)
		json_set(header, STR("kid"), json_new_string(mem, key_id));
	json_set(claims, STR("iss"), json_new_string(mem, str_from(email)));
	json_set(claims, STR("scope"), json_new_string(mem, STR(GCP_SCOPE)));
	json_set(claims, STR("aud"), json_new_string(mem, str_from(audience)));
	json_set(claims, STR("iat"), json_new_i64(mem, now));
	json_set(claims, STR("exp"), json_new_i64(mem, now + LIFE_SECONDS));
	if (mem->failed)
		return arena_fail(mem, "a token", err);
	json_write(&head, header);
	json_write(&body, claims);
	return jwt_sign_rs256(buf_str(&head), buf_str(&body), str_from(key), mem, out, err);
}

int gcp_token_of_service_account(const struct json *file, struct arena *mem,
				 struct access_token *out, struct err *err)
{
	cleanup(buf_release) struct buf form = BUF_INIT(GCP_DOCUMENT_MAX);
	const char *url = gcp_file_text(file, "token_uri", mem, NULL);
	struct str assertion;
	int rc;

	if (!url)
		url = TOKEN_URL;
	rc = make_assertion(file, url, mem, &assertion, err);
	if (rc < 0)
		return rc;
	web_form_add(&form, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
	web_form_add(&form, "assertion", assertion);
	return ask_token_server(url, &form, mem, out, err);
}

int gcp_token_of_user(const struct json *file, struct arena *mem, struct access_token *out,
		      struct err *err)
{
	static const char *const names[] = {"client_id", "client_secret", "refresh_token"};
	cleanup(buf_release) struct buf form = BUF_INIT(GCP_DOCUMENT_MAX);
	const char *url = gcp_file_text(file, "token_uri", mem, NULL), *value;

	web_form_add(&form, "grant_type", STR("refresh_token"));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!(value = gcp_file_text(file, names[i], mem, err)))
			return -(int)ERR_AUTH;
		web_form_add(&form, names[i], str_from(value));
	}
	return ask_token_server(url ? url : TOKEN_URL, &form, mem, out, err);
}

int gcp_token_of_machine(const struct json *none, struct arena *mem, struct access_token *out,
			 struct err *err)
{
	static const char *const headers[] = {"Metadata-Flavor: Google"};
	const char *host = web_variable("GCE_METADATA_HOST");
	struct web_call call = {.method = "GET",
				.headers = headers,
				.header_count = COUNT_OF(headers),
				.what = "the metadata server of this machine",
				.connect_timeout_ms = METADATA_CONNECT_MS};
	struct err why = {0};
	struct str answer;
	int rc;

	(void)none;
	call.url = arena_printf(mem, "http://%s" METADATA_PATH, host ? host : METADATA_HOST).ptr;
	if (!call.url)
		return arena_fail(mem, "a URL", err);
	rc = web_call(&call, mem, &answer, &why);
	if (rc == 0)
		return access_token_parse(answer, call.what, mem, out, err);
	if (why.http_status == 0)
		return err_set(err, ERR_AUTH,
			       "none found: set GOOGLE_APPLICATION_CREDENTIALS or give "
			       "--gcs-credentials FILE; there is no metadata server here either");
	err_set(err, ERR_AUTH,
		"%s; set GOOGLE_APPLICATION_CREDENTIALS or give --gcs-credentials FILE where this "
		"machine has no service account",
		why.message);
	if (err)
		err->retry = why.retry;
	return rc;
}
