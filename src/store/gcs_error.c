#include "store/gcs_error.h"

#include "base/json.h"

#define MESSAGE_MAX 300

/* What the server says: the message of its JSON, else the first line of its text. */
static struct str message_of(const struct object_refusal *refusal, struct arena *mem)
{
	struct str text = STR_NONE, rest;
	struct json *v;

	if (json_parse(refusal->body, mem, &v, NULL) == 0)
		text = json_string(json_path(v, "error", "message", NULL));
	else if (refusal->body.len > 0 && refusal->body.ptr[0] != '<')
		text = refusal->body;
	if (!str_split(text, '\n', &text, &rest))
		rest = STR_NONE;
	text.len = MIN(text.len, (size_t)MESSAGE_MAX);
	while (text.len > 0 && (text.ptr[text.len - 1] == '.' || text.ptr[text.len - 1] == ' '))
		text.len--;
	return text;
}

static bool says(const struct object_refusal *refusal, const char *words)
{
	return memmem(refusal->body.ptr ? refusal->body.ptr : "", refusal->body.len, words,
		      strlen(words)) != NULL;
}

bool gcs_refusal_is_object_missing(const struct object_refusal *refusal)
{
	return !says(refusal, "bucket does not exist");
}

bool gcs_refusal_is_passing(const struct object_refusal *refusal)
{
	return object_status_is_passing(refusal->status) ||
	       (refusal->status == 403 &&
		(says(refusal, "rateLimitExceeded") || says(refusal, "userRateLimitExceeded")));
}

bool gcs_refusal_is_expired(const struct object_refusal *refusal)
{
	return refusal->status == 401;
}

/* The permission that a request needs. */
static const char *permission(const struct object_refusal *refusal)
{
	if (refusal->object.len == 0)
		return "storage.objects.list (role Storage Object Viewer)";
	if (strcmp(refusal->method, "GET") == 0)
		return "storage.objects.get (role Storage Object Viewer)";
	return "storage.objects.create and storage.objects.delete (role Storage Object User)";
}

static int denied(const struct object_refusal *refusal, const char *bucket, struct str message,
		  struct err *err)
{
	return err_set(err, ERR_AUTH,
		       "access denied: %s '%s%s" STR_FMT "' by %s%s" STR_FMT
		       "; allow it %s on bucket '%s'",
		       refusal->method, refusal->uri, refusal->object.len > 0 ? "' object '" : "",
		       STR_ARG(refusal->object), refusal->origin, message.len > 0 ? ": " : "",
		       STR_ARG(message), permission(refusal), bucket);
}

static int unauthorized(const struct object_refusal *refusal, bool anonymous, struct str message,
			struct err *err)
{
	int rc = object_skew_error(refusal, err);

	if (rc < 0)
		return rc;
	if (anonymous)
		return err_set(err, ERR_AUTH,
			       "'%s': %s asks for credentials; give --gcs-credentials FILE",
			       refusal->uri, refusal->endpoint);
	return err_set(err, ERR_AUTH,
		       "'%s': the access token of %s is refused, and a new one too%s" STR_FMT
		       "; check the credentials and --gcs-endpoint",
		       refusal->uri, refusal->origin, message.len > 0 ? ": " : "",
		       STR_ARG(message));
}

static int other(const struct object_refusal *refusal, struct str message, struct err *err)
{
	return err_set(err, ERR_HTTP, "%s of '" STR_FMT "' in '%s': %s answers %d%s" STR_FMT "; %s",
		       refusal->method, STR_ARG(refusal->object), refusal->uri, refusal->endpoint,
		       refusal->status, message.len > 0 ? ", " : "", STR_ARG(message),
		       gcs_refusal_is_passing(refusal)
			       ? "try again later, or with fewer requests at once"
			       : "check --gcs-endpoint");
}

int gcs_refusal_explain(const struct object_refusal *refusal, const char *bucket, bool anonymous,
			struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct str message = message_of(refusal, &mem);

	if (gcs_refusal_is_passing(refusal))
		return other(refusal, message, err);
	if (refusal->status == 401)
		return unauthorized(refusal, anonymous, message, err);
	if (refusal->status == 403)
		return denied(refusal, bucket, message, err);
	if (refusal->status == 404)
		return err_set(err, ERR_NOT_FOUND,
			       "'%s': there is no such bucket; check --repo-uri and --gcs-endpoint",
			       refusal->uri);
	if (refusal->status == 400 && says(refusal, "nvalid bucket name"))
		return err_set(err, ERR_USAGE,
			       "'%s': this is no name of a bucket; check --repo-uri", refusal->uri);
	return other(refusal, message, err);
}
