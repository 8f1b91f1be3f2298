#include "net/gcp_credentials.h"

#include "base/small_file.h"
#include "net/gcp_credentials_internal.h"
#include "net/web_call.h"

#include <openssl/crypto.h>
#include <stdlib.h>

typedef int (*fetch_by_kind)(const struct json *file, struct arena *mem, struct access_token *out,
			     struct err *err);

struct gcp_credentials {
	struct buf text;  /* of the file */
	struct arena mem; /* of `file` and `origin` */
	const char *path; /* NULL: the metadata server */
	const struct json *file;
	fetch_by_kind fetch;
	const char *origin;
	struct token_cache *tokens;
};

/* How each "type" of file comes to a token, and the member that tells whose it is. */
static const struct kind {
	const char *type, *who, *called;
	fetch_by_kind fetch;
} kinds[] = {
	{"service_account", "client_email", "service account", gcp_token_of_service_account},
	{"authorized_user", "client_id", "user of client", gcp_token_of_user},
	{"external_account", "audience", "workload identity", gcp_token_of_federation},
};

const char *gcp_file_text(const struct json *file, const char *name, struct arena *mem,
			  struct err *err)
{
	struct str text = json_string(json_get(file, name));
	const char *copy;

	if (text.len == 0) {
		err_set(err, ERR_AUTH, "the file of credentials has no '%s'", name);
		return NULL;
	}
	copy = arena_str(mem, text).ptr;
	if (!copy)
		arena_fail(mem, name, err);
	return copy;
}

static int fetch_token(void *user, struct arena *mem, struct access_token *out, struct err *err)
{
	struct gcp_credentials *credentials = user;
	int rc = credentials->fetch(credentials->file, mem, out, err);

	if (rc < 0 && credentials->path)
		return err_wrap(err, "Google credentials of '%s' (%s)", credentials->path,
				credentials->origin);
	return rc < 0 ? err_wrap(err, "Google credentials") : 0;
}

static int read_file(struct gcp_credentials *c, struct err *err)
{
	struct str type, who;
	struct json *file;
	int rc = small_file_read(c->path, &c->text, err);

	if (rc == 0)
		return err_set(err, ERR_AUTH,
			       "the file '%s' of Google credentials is not there; check "
			       "--gcs-credentials or GOOGLE_APPLICATION_CREDENTIALS",
			       c->path);
	if (rc > 0)
		rc = json_parse(buf_str(&c->text), &c->mem, &file, err);
	if (rc < 0)
		return err_wrap(err, "Google credentials of '%s'", c->path);
	c->file = file;
	type = json_string(json_get(file, "type"));
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!str_is(type, kinds[i].type))
			continue;
		c->fetch = kinds[i].fetch;
		who = json_string(json_get(file, kinds[i].who));
		c->origin = arena_printf(&c->mem, "%s " STR_FMT, kinds[i].called, STR_ARG(who)).ptr;
		return c->origin ? 0 : arena_fail(&c->mem, "Google credentials", err);
	}
	return err_set(err, ERR_AUTH,
		       "'%s' holds Google credentials of the type '" STR_FMT
		       "'; give the key file of a service account or the configuration of "
		       "workload identity federation",
		       c->path, STR_ARG(type));
}

int gcp_credentials_open(const char *file, struct gcp_credentials **out, struct err *err)
{
	struct gcp_credentials *c = mem_zalloc(sizeof(*c));
	int rc = 0;

	c->text = BUF_INIT(GCP_DOCUMENT_MAX);
	c->mem = ARENA_INIT(MIB(4));
	c->path = file && *file ? file : web_variable("GOOGLE_APPLICATION_CREDENTIALS");
	c->tokens = token_cache_new(fetch_token, c);
	c->fetch = gcp_token_of_machine;
	c->origin = "the machine's service account";
	if (c->path) {
		c->path = arena_str(&c->mem, str_from(c->path)).ptr;
		rc = read_file(c, err);
	}
	if (rc < 0) {
		gcp_credentials_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void gcp_credentials_free(struct gcp_credentials *credentials)
{
	if (!credentials)
		return;
	token_cache_free(credentials->tokens);
	if (credentials->text.ptr)
		OPENSSL_cleanse(credentials->text.ptr, credentials->text.len);
	buf_release(&credentials->text);
	arena_release(&credentials->mem);
	free(credentials);
}

int gcp_credentials_token(struct gcp_credentials *credentials, struct arena *mem, struct str *out,
			  struct err *err)
{
	return token_cache_get(credentials->tokens, mem, out, err);
}

void gcp_credentials_expire(struct gcp_credentials *credentials, struct str token)
{
	token_cache_expire(credentials->tokens, token);
}

const char *gcp_credentials_origin(const struct gcp_credentials *credentials)
{
	return credentials->origin;
}
