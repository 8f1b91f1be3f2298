#include "net/aws_credentials.h"

#include "base/clock.h"
#include "base/limits.h"
#include "net/aws_credentials_internal.h"

#include <pthread.h>
#include <stdlib.h>

/* New ones are fetched this long before the old ones end; AWS has them ready by then. */
#define AHEAD_MS (5 * 60 * 1000)

struct aws_credentials {
	struct aws_credentials_options options;
	pthread_mutex_t lock; /* of what follows */
	struct arena mem;     /* of `found` */
	struct aws_key_found found;
	bool have, expired;
};

const char *aws_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

struct aws_credentials *aws_credentials_new(const struct aws_credentials_options *options)
{
	struct aws_credentials *credentials = mem_zalloc(sizeof(*credentials));

	credentials->options = *options;
	credentials->mem = ARENA_INIT(MIB(1));
	pthread_mutex_init(&credentials->lock, NULL);
	return credentials;
}

void aws_credentials_free(struct aws_credentials *credentials)
{
	if (!credentials)
		return;
	pthread_mutex_destroy(&credentials->lock);
	arena_release(&credentials->mem);
	free(credentials);
}

static int of_flags(const struct aws_credentials_options *options, struct arena *mem,
		    struct aws_key_found *out, struct err *err)
{
	(void)mem;
	if (!options->access_key_id && !options->secret_access_key)
		return aws_none_here(err, "no --s3-access-key-id is given");
	if (!options->access_key_id || !options->secret_access_key)
		return err_set(err, ERR_USAGE,
			       "--s3-access-key-id and --s3-secret-access-key need each other");
	*out = (struct aws_key_found){
		.key = {options->access_key_id, options->secret_access_key, options->session_token},
		.origin = "flags"};
	return 1;
}

static int of_environment(const struct aws_credentials_options *options, struct arena *mem,
			  struct aws_key_found *out, struct err *err)
{
	const char *access = aws_variable("AWS_ACCESS_KEY_ID");
	const char *secret = aws_variable("AWS_SECRET_ACCESS_KEY");

	(void)mem;
	if (options->profile)
		return aws_none_here(err, "a profile is asked for");
	if (!access && !secret)
		return aws_none_here(err, "AWS_ACCESS_KEY_ID is not set");
	if (!access || !secret)
		return err_set(err, ERR_AUTH,
			       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY need each other; set "
			       "%s too",
			       access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	*out = (struct aws_key_found){.key = {access, secret, aws_variable("AWS_SESSION_TOKEN")},
				      .origin = "the environment"};
	return 1;
}

int aws_none_here(struct err *err, const char *why)
{
	err_set(err, ERR_NOT_FOUND, "%s", why);
	return 0;
}

struct place {
	const char *name;
	aws_credentials_place find;
};

static const struct place places[] = {
	{"flags", of_flags},
	{"the environment", of_environment},
	{"web identity", aws_credentials_of_web_identity},
	{"a profile", aws_credentials_of_profile},
	{"the container's endpoint", aws_credentials_of_container},
	{"the instance's metadata", aws_credentials_of_instance},
};
_Static_assert(COUNT_OF(places) <= AWS_MOST_LINKS, "a chain of more links");

static int add_link(struct aws_identity *chain, const char *place, const char *why,
		    struct arena *mem, struct err *err)
{
	const char *kept = why ? arena_str(mem, str_from(why)).ptr : NULL;

	if (why && !kept)
		return arena_fail(mem, "AWS credentials", err);
	if (chain)
		chain->links[chain->link_count++] = (struct aws_link){place, kept};
	return 0;
}

/* Of the first place that has some. */
static int find_in_chain(const struct aws_credentials_options *options, struct arena *mem,
			 struct aws_key_found *out, struct aws_identity *chain, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct err why = {0};
		int rc = places[i].find(options, mem, out, &why);

		if (add_link(chain, places[i].name, rc > 0 ? NULL : why.message, mem, err) < 0)
			return -ERR_LIMIT;
		if (rc < 0)
			*err = why;
		if (rc != 0)
			return rc;
	}
	return err_set(err, ERR_AUTH,
		       "no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
		       "or name a profile of ~/.aws with --s3-profile; there is no web identity, "
		       "no container endpoint and no instance metadata here either");
}

int aws_credentials_find(const struct aws_credentials_options *options, struct arena *mem,
			 struct aws_key_found *out, struct aws_identity *chain, struct err *err)
{
	struct aws_key_found base = {0};
	struct err why = {0};
	int rc = find_in_chain(options, mem, &base, chain, &why);

	*out = base;
	if (rc > 0 && options->role_arn && *options->role_arn)
		rc = aws_credentials_assume_role(options, &base, mem, out, &why);
	if (rc < 0 && err)
		*err = why;
	return MIN(rc, 0);
}

static bool is_fresh(const struct aws_credentials *credentials, int64_t margin_ms)
{
	int64_t ends = credentials->found.expires_ms;

	return credentials->have && (ends == 0 || clock_wall_ms() < ends - margin_ms);
}

static int copy_key(const struct aws_credentials *credentials, struct arena *mem,
		    struct sigv4_key *out, struct err *err)
{
	const struct sigv4_key *key = &credentials->found.key;

	out->access_key_id = arena_str(mem, str_from(key->access_key_id)).ptr;
	out->secret_access_key = arena_str(mem, str_from(key->secret_access_key)).ptr;
	out->session_token =
		key->session_token ? arena_str(mem, str_from(key->session_token)).ptr : NULL;
	return mem->failed ? arena_fail(mem, "AWS credentials", err) : 0;
}

/* Fetches another key. Where that fails, one that has not ended yet serves on. */
static int renew(struct aws_credentials *credentials, struct err *err)
{
	struct arena mem = ARENA_INIT(MIB(1));
	struct aws_key_found found = {0};
	int rc = aws_credentials_find(&credentials->options, &mem, &found, NULL, err);

	if (rc < 0) {
		arena_release(&mem);
		return !credentials->expired && is_fresh(credentials, 0) ? 0 : rc;
	}
	arena_release(&credentials->mem);
	credentials->mem = mem;
	credentials->found = found;
	credentials->have = true;
	credentials->expired = false;
	return 0;
}

int aws_credentials_get(struct aws_credentials *credentials, struct arena *mem,
			struct sigv4_key *out, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&credentials->lock);
	if (credentials->expired || !is_fresh(credentials, AHEAD_MS))
		rc = renew(credentials, err);
	if (rc == 0)
		rc = copy_key(credentials, mem, out, err);
	pthread_mutex_unlock(&credentials->lock);
	return rc;
}

void aws_credentials_expire(struct aws_credentials *credentials, const struct sigv4_key *key)
{
	pthread_mutex_lock(&credentials->lock);
	if (credentials->have &&
	    strcmp(credentials->found.key.access_key_id, key->access_key_id) == 0)
		credentials->expired = true;
	pthread_mutex_unlock(&credentials->lock);
}

int64_t aws_credentials_end_ms(struct aws_credentials *credentials)
{
	int64_t end;

	pthread_mutex_lock(&credentials->lock);
	end = credentials->have ? credentials->found.expires_ms : 0;
	pthread_mutex_unlock(&credentials->lock);
	return end;
}

const char *aws_credentials_origin(struct aws_credentials *credentials, struct arena *mem)
{
	const char *origin = "nowhere";

	pthread_mutex_lock(&credentials->lock);
	if (credentials->have)
		origin = arena_str(mem, str_from(credentials->found.origin)).ptr;
	pthread_mutex_unlock(&credentials->lock);
	return origin ? origin : "somewhere";
}

const char *aws_region(const char *given, const char *profile, struct arena *mem)
{
	if (given && *given)
		return given;
	if (aws_variable("AWS_REGION"))
		return aws_variable("AWS_REGION");
	if (aws_variable("AWS_DEFAULT_REGION"))
		return aws_variable("AWS_DEFAULT_REGION");
	return aws_profile_value(profile, "region", mem);
}
