#include "net/azure_credentials.h"

#include "base/base64.h"
#include "net/azure_identity.h"
#include "net/web_call.h"

#include <openssl/crypto.h>
#include <stdlib.h>

struct azure_credentials {
	struct arena mem;
	struct buf key;             /* decoded; empty: none */
	struct str sas;             /* empty: none */
	const char *sas_end;        /* of its parameter se, decoded; "": not told */
	const char *endpoint;       /* of the connection string */
	struct token_cache *tokens; /* of an identity; NULL: key or SAS */
};

/* Value of "Name=value;Name=value"; empty: it has none of that name. */
static struct str setting(struct str text, const char *name)
{
	struct str one, key, value;

	while (text.len > 0) {
		if (!str_split(text, ';', &one, &text))
			text = STR_NONE;
		if (str_split(one, '=', &key, &value) && str_is(key, name))
			return value;
	}
	return STR_NONE;
}

static int use_key(struct azure_credentials *c, struct str text, const char *from, struct err *err)
{
	if (base64_decode(&c->key, text) && c->key.len > 0)
		return 0;
	return err_set(err, ERR_USAGE, "the account key of %s is no base64; copy it whole", from);
}

/* Of "se=2026-11-22T07%3A19%3A00Z" in the SAS. */
static const char *end_of(struct str sas, struct arena *mem)
{
	cleanup(buf_release) struct buf end = BUF_INIT(KIB(1));
	struct str one, name, value;

	while (sas.len > 0) {
		if (!str_split(sas, '&', &one, &sas))
			sas = STR_NONE;
		if (str_split(one, '=', &name, &value) && str_is(name, "se"))
			azure_append_decoded(&end, value);
	}
	return arena_str(mem, buf_str(&end)).ptr;
}

static int use_sas(struct azure_credentials *c, struct str sas, const char *from, struct err *err)
{
	while (sas.len > 0 && (unsigned char)sas.ptr[sas.len - 1] <= ' ')
		sas.len--;
	if (str_starts(sas, STR("?")))
		sas = str_from_offset(sas, 1);
	for (size_t i = 0; i < sas.len; i++)
		if ((unsigned char)sas.ptr[i] <= ' ' || (unsigned char)sas.ptr[i] >= 0x7f ||
		    sas.ptr[i] == '#')
			return err_set(err, ERR_USAGE,
				       "the SAS of %s is not encoded as for a URL; copy it whole",
				       from);
	if (!memmem(sas.ptr ? sas.ptr : "", sas.len, "sig=", 4))
		return err_set(err, ERR_USAGE,
			       "the SAS of %s has no signature (sig=); copy it whole", from);
	c->sas = arena_str(&c->mem, sas);
	c->sas_end = end_of(c->sas, &c->mem);
	return c->sas_end ? 0 : arena_fail(&c->mem, "a SAS", err);
}

static const char *endpoint_of(struct azure_credentials *c, struct str text, struct str account)
{
	struct str endpoint = setting(text, "BlobEndpoint");
	struct str suffix = setting(text, "EndpointSuffix");
	struct str protocol = setting(text, "DefaultEndpointsProtocol");

	if (endpoint.len > 0)
		return arena_str(&c->mem, endpoint).ptr;
	if (suffix.len == 0)
		return NULL;
	if (protocol.len == 0)
		protocol = STR("https");
	return arena_printf(&c->mem, STR_FMT "://" STR_FMT ".blob." STR_FMT, STR_ARG(protocol),
			    STR_ARG(account), STR_ARG(suffix))
		.ptr;
}

static int use_connection(struct azure_credentials *c, const char *connection, struct str account,
			  struct err *err)
{
	static const char from[] = "AZURE_STORAGE_CONNECTION_STRING";
	struct str text = str_from(connection);
	struct str name = setting(text, "AccountName"), key = setting(text, "AccountKey");
	struct str sas = setting(text, "SharedAccessSignature");

	if (name.len > 0 && !str_eq(name, account))
		return err_set(err, ERR_USAGE,
			       "%s is of account '" STR_FMT "', and the URI names '" STR_FMT
			       "'; set that of this account, or give --azure-account-key-file",
			       from, STR_ARG(name), STR_ARG(account));
	c->endpoint = endpoint_of(c, text, account);
	if (key.len > 0)
		return use_key(c, key, from, err);
	if (sas.len > 0)
		return use_sas(c, sas, from, err);
	return err_set(err, ERR_USAGE, "%s has neither AccountKey nor SharedAccessSignature", from);
}

static int find(struct azure_credentials *c, const struct azure_credentials_options *options,
		struct err *err)
{
	const char *key = web_variable("AZURE_STORAGE_KEY");
	const char *sas = web_variable("AZURE_STORAGE_SAS_TOKEN");
	const char *connection = web_variable("AZURE_STORAGE_CONNECTION_STRING");

	if (options->account_key && options->sas)
		return err_set(err, ERR_USAGE,
			       "--azure-account-key and --azure-sas do not go together");
	if (options->account_key)
		return use_key(c, str_from(options->account_key), "--azure-account-key", err);
	if (options->sas)
		return use_sas(c, str_from(options->sas), "--azure-sas", err);
	if (key)
		return use_key(c, str_from(key), "AZURE_STORAGE_KEY", err);
	if (sas)
		return use_sas(c, str_from(sas), "AZURE_STORAGE_SAS_TOKEN", err);
	if (connection)
		return use_connection(c, connection, options->account, err);
	c->tokens = token_cache_new(azure_identity_fetch, NULL);
	return 0;
}

int azure_credentials_open(const struct azure_credentials_options *options,
			   struct azure_credentials **out, struct err *err)
{
	struct azure_credentials *c = mem_zalloc(sizeof(*c));
	int rc;

	c->mem = ARENA_INIT(MIB(1));
	c->key = BUF_INIT(LIMIT_SECRET);
	c->sas_end = "";
	rc = find(c, options, err);
	if (rc < 0) {
		azure_credentials_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void azure_credentials_free(struct azure_credentials *credentials)
{
	if (!credentials)
		return;
	if (credentials->key.ptr)
		OPENSSL_cleanse(credentials->key.ptr, credentials->key.len);
	buf_release(&credentials->key);
	token_cache_free(credentials->tokens);
	arena_release(&credentials->mem);
	free(credentials);
}

const char *azure_credentials_endpoint(const struct azure_credentials *credentials)
{
	return credentials->endpoint;
}

int azure_credentials_pass(struct azure_credentials *credentials,
			   const struct azure_signed_request *request, struct arena *mem,
			   struct azure_pass *out, struct err *err)
{
	int rc;

	*out = (struct azure_pass){0};
	if (credentials->key.len > 0)
		return azure_sign(request, buf_str(&credentials->key), mem, &out->line, err);
	if (credentials->sas.len > 0) {
		out->query = credentials->sas.ptr;
		return 0;
	}
	rc = token_cache_get(credentials->tokens, mem, &out->token, err);
	if (rc < 0)
		return rc;
	out->line = arena_printf(mem, "Authorization: Bearer %s", out->token.ptr).ptr;
	return out->line ? 0 : arena_fail(mem, "a header", err);
}

void azure_credentials_expire(struct azure_credentials *credentials, struct str token)
{
	if (credentials->tokens)
		token_cache_expire(credentials->tokens, token);
}

bool azure_credentials_have_key(const struct azure_credentials *credentials)
{
	return credentials->key.len > 0;
}

bool azure_credentials_have_sas(const struct azure_credentials *credentials)
{
	return credentials->sas.len > 0;
}

const char *azure_credentials_origin(const struct azure_credentials *credentials)
{
	if (credentials->key.len > 0)
		return "the account key";
	return credentials->sas.len > 0 ? "the SAS" : "the managed identity";
}

const char *azure_credentials_sas_end(const struct azure_credentials *credentials)
{
	return credentials->sas_end;
}
