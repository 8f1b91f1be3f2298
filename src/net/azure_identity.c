#include "net/azure_identity.h"

#include "net/web_call.h"

#define RESOURCE "https://storage.azure.com/"
#define LOGIN_URL "https://login.microsoftonline.com/"
#define INSTANCE_URL "http://169.254.169.254"
#define INSTANCE_PATH "/metadata/identity/oauth2/token"
#define INSTANCE_CONNECT_MS 2000
#define FORM_MAX KIB(256)

static int of_pod(const char *file, const char *tenant, const char *client, struct arena *mem,
		  struct access_token *out, struct err *err)
{
	cleanup(buf_release) struct buf form = BUF_INIT(FORM_MAX);
	const char *authority = web_variable("AZURE_AUTHORITY_HOST");
	struct web_call call = {.method = "POST", .what = "Azure's token server"};
	struct str token, answer;
	int rc = web_token_file(file, mem, &token, err);

	if (rc < 0)
		return err_wrap(err, "Azure workload identity");
	if (!authority)
		authority = LOGIN_URL;
	call.url = arena_printf(mem, "%s%s%s/oauth2/v2.0/token", authority,
				authority[strlen(authority) - 1] == '/' ? "" : "/", tenant)
			   .ptr;
	if (!call.url)
		return arena_fail(mem, "a URL", err);
	web_form_add(&form, "grant_type", STR("client_credentials"));
	web_form_add(&form, "client_id", str_from(client));
	web_form_add(&form, "scope", STR(RESOURCE ".default"));
	web_form_add(&form, "client_assertion_type",
		     STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
	web_form_add(&form, "client_assertion", token);
	call.body = buf_str(&form);
	rc = buf_check(&form, "a request for a token", err);
	if (rc == 0)
		rc = web_call(&call, mem, &answer, err);
	if (rc == 0)
		rc = access_token_parse(answer, call.what, mem, out, err);
	return rc < 0 ? err_wrap(err, "Azure workload identity (client %s)", client) : 0;
}

/* GET `base` with the resource, and with the identity where AZURE_CLIENT_ID chooses one. */
static int ask(const char *base, const char *version, const char *header, const char *what,
	       struct arena *mem, struct access_token *out, struct err *err)
{
	cleanup(buf_release) struct buf query = BUF_INIT(FORM_MAX);
	const char *client = web_variable("AZURE_CLIENT_ID");
	struct web_call call = {.method = "GET",
				.headers = &header,
				.header_count = 1,
				.what = what,
				.connect_timeout_ms = INSTANCE_CONNECT_MS};
	struct str answer;
	int rc;

	web_form_add(&query, "api-version", str_from(version));
	web_form_add(&query, "resource", STR(RESOURCE));
	if (client)
		web_form_add(&query, "client_id", str_from(client));
	call.url =
		arena_printf(mem, "%s%c%s", base, strchr(base, '?') ? '&' : '?', buf_cstr(&query))
			.ptr;
	if (!call.url || !header)
		return arena_fail(mem, "a URL", err);
	rc = web_call(&call, mem, &answer, err);
	return rc < 0 ? rc : access_token_parse(answer, what, mem, out, err);
}

static int of_machine(struct arena *mem, struct access_token *out, struct err *err)
{
	const char *host = web_variable("AZURE_POD_IDENTITY_AUTHORITY_HOST"), *base;
	struct err why = {0};
	int rc;

	base = arena_printf(mem, "%s" INSTANCE_PATH, host ? host : INSTANCE_URL).ptr;
	if (!base)
		return arena_fail(mem, "a URL", err);
	rc = ask(base, "2018-02-01", "Metadata: true", "the metadata service of this machine", mem,
		 out, &why);
	if (rc < 0 && why.http_status == 0 && why.kind != ERR_AUTH)
		return err_set(err, ERR_AUTH,
			       "no Azure credentials found: set AZURE_STORAGE_KEY, "
			       "AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, or "
			       "give --azure-account-key-file; there is no managed identity here "
			       "either");
	if (rc == 0)
		return 0;
	err_set(err, ERR_AUTH,
		"%s; set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or "
		"AZURE_STORAGE_CONNECTION_STRING where this machine has no managed identity",
		why.message);
	if (err)
		err->retry = why.retry;
	return -(int)ERR_AUTH;
}

int azure_identity_fetch(void *user, struct arena *mem, struct access_token *out, struct err *err)
{
	const char *file = web_variable("AZURE_FEDERATED_TOKEN_FILE");
	const char *tenant = web_variable("AZURE_TENANT_ID");
	const char *client = web_variable("AZURE_CLIENT_ID");
	const char *endpoint = web_variable("IDENTITY_ENDPOINT");
	const char *secret = web_variable("IDENTITY_HEADER");
	int rc;

	(void)user;
	if (file && tenant && client)
		return of_pod(file, tenant, client, mem, out, err);
	if (!endpoint || !secret)
		return of_machine(mem, out, err);
	rc = ask(endpoint, "2019-08-01", arena_printf(mem, "X-IDENTITY-HEADER: %s", secret).ptr,
		 "the identity endpoint", mem, out, err);
	return rc < 0 ? err_wrap(err, "Azure managed identity") : 0;
}
