#include "net/token_cache.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdlib.h>

/* New ones are fetched this long before the old ones end. */
#define AHEAD_MS (4 * 60 * 1000)
#define TOKEN_MEMORY MIB(2)

struct token_cache {
	token_fetch fetch;
	void *user;
	pthread_mutex_t lock; /* of what follows */
	struct arena mem;     /* of `token` */
	struct access_token token;
	bool have, expired;
};

struct token_cache *token_cache_new(token_fetch fetch, void *user)
{
	struct token_cache *cache = mem_zalloc(sizeof(*cache));

	cache->fetch = fetch;
	cache->user = user;
	cache->mem = ARENA_INIT(TOKEN_MEMORY);
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void token_cache_free(struct token_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_destroy(&cache->lock);
	arena_release(&cache->mem);
	free(cache);
}

static bool is_fresh(const struct token_cache *cache, int64_t margin_ms)
{
	int64_t ends = cache->token.expires_ms;

	return cache->have && !cache->expired && (ends == 0 || clock_wall_ms() < ends - margin_ms);
}

static int renew(struct token_cache *cache, struct err *err)
{
	struct arena mem = ARENA_INIT(TOKEN_MEMORY);
	struct access_token token = {0};
	int rc = cache->fetch(cache->user, &mem, &token, err);

	if (rc < 0) {
		arena_release(&mem);
		return is_fresh(cache, 0) ? 0 : rc;
	}
	arena_release(&cache->mem);
	cache->mem = mem;
	cache->token = token;
	cache->have = true;
	cache->expired = false;
	return 0;
}

int token_cache_get(struct token_cache *cache, struct arena *mem, struct str *out, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&cache->lock);
	if (!is_fresh(cache, AHEAD_MS))
		rc = renew(cache, err);
	if (rc == 0) {
		*out = arena_str(mem, cache->token.text);
		if (!out->ptr)
			rc = arena_fail(mem, "an access token", err);
	}
	pthread_mutex_unlock(&cache->lock);
	return rc;
}

void token_cache_expire(struct token_cache *cache, struct str token)
{
	pthread_mutex_lock(&cache->lock);
	if (cache->have && str_eq(cache->token.text, token))
		cache->expired = true;
	pthread_mutex_unlock(&cache->lock);
}

bool access_token_is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || (unsigned char)text.ptr[i] >= 0x7f)
			return false;
	return text.len > 0;
}

int access_token_parse(struct str answer, const char *what, struct arena *mem,
		       struct access_token *out, struct err *err)
{
	const int64_t most_seconds = (int64_t)1 << 40;
	struct json *v;
	int64_t seconds, on;

	if (json_parse(answer, mem, &v, err) < 0) {
		if (err)
			err->kind = ERR_AUTH;
		return err_wrap(err, "%s answers what is no JSON", what);
	}
	out->text = json_string(json_get(v, "access_token"));
	if (!access_token_is_plain(out->text))
		return err_set(err, ERR_AUTH, "%s answers without an access token", what);
	out->text = arena_str(mem, out->text);
	if (!out->text.ptr)
		return arena_fail(mem, "an access token", err);
	seconds = json_i64_or(json_get(v, "expires_in"), 0);
	on = json_i64_or(json_get(v, "expires_on"), 0);
	out->expires_ms = 0;
	if (seconds > 0 && seconds < most_seconds)
		out->expires_ms = clock_wall_ms() + seconds * 1000;
	else if (on > 0 && on < most_seconds)
		out->expires_ms = on * 1000;
	return 0;
}
