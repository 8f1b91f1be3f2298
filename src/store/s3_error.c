#include "store/s3_error.h"

#include "base/buf.h"
#include "base/clock.h"
#include "net/xml_element.h"

struct str s3_refusal_code(const struct s3_refusal *refusal)
{
	return xml_element(refusal->body, "Code", NULL);
}

bool s3_refusal_is_passing(const struct s3_refusal *refusal)
{
	struct str code = s3_refusal_code(refusal);

	return refusal->status >= 500 || refusal->status == 429 || str_is(code, "SlowDown") ||
	       str_is(code, "RequestTimeout") || str_is(code, "InternalError") ||
	       str_is(code, "ServiceUnavailable");
}

bool s3_refusal_is_expired(const struct s3_refusal *refusal)
{
	struct str code = s3_refusal_code(refusal);

	return str_is(code, "ExpiredToken") || str_is(code, "TokenRefreshRequired");
}

/* The region that the server says the bucket is in; empty if it does not. */
static struct str right_region(const struct s3_refusal *refusal)
{
	struct str region = str_from(refusal->bucket_region);

	return region.len > 0 ? region : xml_element(refusal->body, "Region", NULL);
}

static int wrong_region(const struct s3_refusal *refusal, struct err *err)
{
	struct str region = right_region(refusal), endpoint;

	if (region.len > 0)
		return err_set(err, ERR_USAGE,
			       "bucket '%s' of '%s' is in region " STR_FMT
			       ", and %s was asked; give --s3-region " STR_FMT,
			       refusal->bucket, refusal->uri, STR_ARG(region), refusal->region,
			       STR_ARG(region));
	endpoint = xml_element(refusal->body, "Endpoint", NULL);
	return err_set(err, ERR_USAGE,
		       "bucket '%s' of '%s' is not in region %s (status %d%s" STR_FMT
		       "); give its region with --s3-region",
		       refusal->bucket, refusal->uri, refusal->region, refusal->status,
		       endpoint.len > 0 ? ", which sends on to " : "", STR_ARG(endpoint));
}

static int skewed(const struct s3_refusal *refusal, struct err *err)
{
	char ours[25];

	clock_format_utc(clock_wall_ms(), ours);
	return err_set(err, ERR_AUTH,
		       "%s refuses the time of this machine: it is %s here and %s there; set the "
		       "clock",
		       refusal->endpoint, ours,
		       refusal->date && *refusal->date ? refusal->date : "another");
}

/* The permission that a request needs. */
static const char *permission(const struct s3_refusal *refusal)
{
	if (strcmp(refusal->method, "PUT") == 0 || strcmp(refusal->method, "POST") == 0)
		return "s3:PutObject";
	if (strcmp(refusal->method, "DELETE") == 0)
		return "s3:AbortMultipartUpload";
	return refusal->key.len == 0 ? "s3:ListBucket" : "s3:GetObject";
}

static int denied(const struct s3_refusal *refusal, struct err *err)
{
	return err_set(err, ERR_AUTH,
		       "access denied: %s '%s%s" STR_FMT
		       "' with credentials from %s; allow them %s "
		       "on arn:aws:s3:::%s%s (HEAD and GET of objects need s3:GetObject, lists "
		       "s3:ListBucket, writing s3:PutObject)",
		       refusal->method, refusal->uri, refusal->key.len > 0 ? "' object '" : "",
		       STR_ARG(refusal->key), refusal->credentials, permission(refusal),
		       refusal->bucket, refusal->key.len > 0 ? "/*" : "");
}

struct meaning {
	const char *code;
	enum err_kind kind;
	const char *what;
};

/* Messages that are the same wherever they come up: after "'s3://…': ". */
static const struct meaning meanings[] = {
	{"NoSuchBucket", ERR_NOT_FOUND,
	 "there is no such bucket; check --repo-uri, --s3-endpoint and --s3-region"},
	{"InvalidBucketName", ERR_USAGE, "this is no name of a bucket; check --repo-uri"},
	{"SignatureDoesNotMatch", ERR_AUTH,
	 "the secret access key is wrong (the signature does not match); check it"},
	{"InvalidAccessKeyId", ERR_AUTH,
	 "the server does not know the access key; check it and --s3-endpoint"},
	{"ExpiredToken", ERR_AUTH,
	 "the session token has expired and no newer one was found; fetch new credentials"},
	{"TokenRefreshRequired", ERR_AUTH,
	 "the session token has expired and no newer one was found; fetch new credentials"},
	{"InvalidToken", ERR_AUTH,
	 "the session token is wrong; set AWS_SESSION_TOKEN to the one of these keys"},
	{"InvalidObjectState", ERR_UNREADABLE,
	 "the object is archived (Glacier); restore it in S3 first"},
};

static int of_table(const struct s3_refusal *refusal, struct str code, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(meanings); i++)
		if (str_is(code, meanings[i].code))
			return err_set(err, meanings[i].kind, "'%s': %s (credentials from %s)",
				       refusal->uri, meanings[i].what, refusal->credentials);
	return 0;
}

static int other(const struct s3_refusal *refusal, struct str code, struct err *err)
{
	struct str message = xml_element(refusal->body, "Message", NULL);

	return err_set(
		err, ERR_HTTP,
		"%s of '" STR_FMT "' in '%s': %s%s%s answers %d%s" STR_FMT "%s" STR_FMT "; %s",
		refusal->method, STR_ARG(refusal->key), refusal->uri, refusal->endpoint,
		refusal->proxy ? " through the proxy " : "", refusal->proxy ? refusal->proxy : "",
		refusal->status, code.len > 0 ? " " : "", STR_ARG(code),
		message.len > 0 ? ", " : "", (int)MIN(message.len, (size_t)300),
		message.ptr ? message.ptr : "",
		s3_refusal_is_passing(refusal) ? "try again later, or with fewer requests at once"
		: refusal->proxy               ? "check the proxy, or name the host in no_proxy"
					       : "check --s3-endpoint");
}

static bool is_of_another_region(const struct s3_refusal *refusal, struct str code)
{
	static const char *const codes[] = {"AuthorizationHeaderMalformed", "PermanentRedirect",
					    "TemporaryRedirect",
					    "IllegalLocationConstraintException"};

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (str_is(code, codes[i]))
			return true;
	return (refusal->status >= 300 && refusal->status < 400) ||
	       (refusal->status == 400 && code.len == 0 && right_region(refusal).len > 0);
}

static int explain(const struct s3_refusal *refusal, struct err *err)
{
	struct str code = s3_refusal_code(refusal);
	int rc;

	if (str_is(code, "RequestTimeTooSkewed"))
		return skewed(refusal, err);
	if (is_of_another_region(refusal, code))
		return wrong_region(refusal, err);
	rc = of_table(refusal, code, err);
	if (rc < 0)
		return rc;
	/* A proxy's own refusal has no <Code>; that of a HEAD never has one. */
	if (refusal->status == 407 || (refusal->proxy && code.len == 0 && refusal->body.len > 0))
		return other(refusal, code, err);
	if (refusal->status == 401 || refusal->status == 403)
		return denied(refusal, err);
	return other(refusal, code, err);
}

int s3_refusal_explain(const struct s3_refusal *refusal, struct err *err)
{
	int rc = explain(refusal, err);

	if (err)
		err->http_status = refusal->status;
	return rc;
}
