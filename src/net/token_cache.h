/* Access tokens (OAuth 2.0) that end: kept, and fetched again ahead of their end. */
#ifndef NET_TOKEN_CACHE_H
#define NET_TOKEN_CACHE_H

#include "base/arena.h"
#include "base/err.h"

struct access_token {
	struct str text;    /* no white space in it */
	int64_t expires_ms; /* wall clock; 0: it is not told */
};

/* Fetches a token; all of *out is in `mem`. Called by one thread at a time. */
typedef int (*token_fetch)(void *user, struct arena *mem, struct access_token *out,
			   struct err *err);

struct token_cache;

/* `user` is borrowed. */
struct token_cache *token_cache_new(token_fetch fetch, void *user);
/* Accepts NULL. */
void token_cache_free(struct token_cache *cache);
/* The token of now, copied into `mem` with a NUL behind it. One that has not ended serves on where
 * no newer one can be had. Thread-safe. */
int token_cache_get(struct token_cache *cache, struct arena *mem, struct str *out, struct err *err);
/* The server says that this token has ended: the next get fetches another, unless one was fetched
 * since. Thread-safe. */
void token_cache_expire(struct token_cache *cache, struct str token);

/* Reads {"access_token": …, "expires_in": seconds} into *out, all of it in `mem`. "expires_on"
 * (seconds since 1970) counts as well. ERR_AUTH names `what`. */
int access_token_parse(struct str answer, const char *what, struct arena *mem,
		       struct access_token *out, struct err *err);
/* Whether the text can stand in a header line. */
bool access_token_is_plain(struct str text);

#endif
