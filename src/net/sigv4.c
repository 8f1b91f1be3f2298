#include "net/sigv4.h"

#include "base/buf.h"
#include "net/sigv4_canonical.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <time.h>

#define HASH_SIZE 32
#define HASH_TEXT (2 * HASH_SIZE + 1)
#define UNSIGNED "UNSIGNED-PAYLOAD"

static void write_hex(const unsigned char *bytes, char text[static HASH_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_SIZE; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[HASH_TEXT - 1] = '\0';
}

static void sha256_hex(struct str bytes, char text[static HASH_TEXT])
{
	unsigned char hash[HASH_SIZE];

	if (EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, hash, NULL, EVP_sha256(), NULL) != 1)
		BUG("no SHA-256");
	write_hex(hash, text);
}

static void hmac(const void *key, size_t key_len, struct str text,
		 unsigned char out[static HASH_SIZE])
{
	unsigned int len;

	if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.ptr, text.len, out,
		  &len))
		BUG("no HMAC");
}

/* The secret narrowed down to a day, a region and a service. */
static void derive_key(const struct sigv4_key *key, const struct sigv4_request *request,
		       struct str day, unsigned char out[static HASH_SIZE])
{
	cleanup(buf_release) struct buf secret = BUF_INIT(LIMIT_SECRET + 8);
	unsigned char hash[HASH_SIZE];

	buf_printf(&secret, "AWS4%s", key->secret_access_key);
	hmac(buf_cstr(&secret), secret.len, day, hash);
	hmac(hash, HASH_SIZE, str_from(request->region), out);
	hmac(out, HASH_SIZE, str_from(request->service), hash);
	hmac(hash, HASH_SIZE, STR("aws4_request"), out);
	OPENSSL_cleanse(secret.ptr, secret.len);
}

/* "20261122T071900Z" */
static void write_date(int64_t wall_ms, char text[static 17])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	if (strftime(text, 17, "%Y%m%dT%H%M%SZ", &parts) != 16)
		BUG("a date beyond the year 9999");
}

/* What is being signed. */
struct signing {
	const struct sigv4_request *request;
	const struct sigv4_key *key;
	char date[17];
	char payload[HASH_TEXT]; /* hash of the body, or UNSIGNED */
	bool names_payload;      /* a header of its own tells it */
	struct sigv4_header headers[SIGV4_MOST_HEADERS];
	size_t header_count;
	struct buf names; /* of the signed headers */
};

static void add_header(struct signing *s, struct str name, const char *value)
{
	s->headers[s->header_count++] = (struct sigv4_header){name, str_from(value)};
}

static int collect_headers(struct signing *s, struct err *err)
{
	const struct sigv4_request *request = s->request;

	if (request->header_count > SIGV4_MOST_HEADERS - SIGV4_LINES)
		return err_set(err, ERR_LIMIT, "a request to be signed has more than %d headers",
			       SIGV4_MOST_HEADERS - SIGV4_LINES);
	add_header(s, STR("Host"), request->host);
	add_header(s, STR("X-Amz-Date"), s->date);
	if (s->names_payload)
		add_header(s, STR("X-Amz-Content-SHA256"), s->payload);
	if (s->key->session_token)
		add_header(s, STR("X-Amz-Security-Token"), s->key->session_token);
	for (size_t i = 0; i < request->header_count; i++)
		s->headers[s->header_count++] = request->headers[i];
	return 0;
}

static int canonical_request(struct signing *s, struct buf *out, struct err *err)
{
	const struct sigv4_request *request = s->request;
	struct str path, query;

	if (!str_split(request->target, '?', &path, &query))
		query = STR_NONE;
	buf_printf(out, "%s\n", request->method);
	sigv4_canonical_path(out, path, str_is(str_from(request->service), "s3"));
	buf_append_byte(out, '\n');
	if (sigv4_canonical_query(out, query, err) < 0)
		return -ERR_LIMIT;
	buf_append_byte(out, '\n');
	sigv4_canonical_headers(out, &s->names, s->headers, s->header_count);
	buf_printf(out, "\n" STR_FMT "\n%s", (int)s->names.len, s->names.ptr, s->payload);
	return buf_check(out, "a request to be signed", err);
}

static void sign(const struct signing *s, struct str canonical, const char *scope,
		 char signature[static HASH_TEXT])
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));
	unsigned char key[HASH_SIZE], hash[HASH_SIZE];
	char digest[HASH_TEXT];

	sha256_hex(canonical, digest);
	buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", s->date, scope, digest);
	derive_key(s->key, s->request, str_of(s->date, 8), key);
	hmac(key, HASH_SIZE, buf_str(&text), hash);
	write_hex(hash, signature);
	OPENSSL_cleanse(key, sizeof(key));
}

static void add_line(struct sigv4_lines *out, struct str line)
{
	out->line[out->count++] = line.ptr;
}

static int write_lines(const struct signing *s, const char *scope, const char *signature,
		       struct arena *mem, struct sigv4_lines *out, struct err *err)
{
	*out = (struct sigv4_lines){0};
	add_line(out, arena_printf(mem, "Host: %s", s->request->host));
	add_line(out, arena_printf(mem, "X-Amz-Date: %s", s->date));
	if (s->names_payload)
		add_line(out, arena_printf(mem, "X-Amz-Content-SHA256: %s", s->payload));
	if (s->key->session_token)
		add_line(out, arena_printf(mem, "X-Amz-Security-Token: %s", s->key->session_token));
	add_line(out, arena_printf(mem,
				   "Authorization: AWS4-HMAC-SHA256 Credential=%s/%s, "
				   "SignedHeaders=" STR_FMT ", Signature=%s",
				   s->key->access_key_id, scope, (int)s->names.len, s->names.ptr,
				   signature));
	return mem->failed ? arena_fail(mem, "a signature", err) : 0;
}

int sigv4_sign(const struct sigv4_request *request, const struct sigv4_key *key, struct arena *mem,
	       struct sigv4_lines *out, struct err *err)
{
	cleanup(buf_release) struct buf canonical = BUF_INIT(MIB(1));
	struct str service = str_from(request->service);
	struct signing s = {.request = request, .key = key, .names = BUF_INIT(KIB(8))};
	char signature[HASH_TEXT], scope[256];
	int rc;

	/* OpenSearch Serverless refuses requests without the hash as S3 does. */
	s.names_payload = str_is(service, "s3") || str_is(service, "aoss");
	write_date(request->wall_ms, s.date);
	if (request->unsigned_payload)
		memcpy(s.payload, UNSIGNED, sizeof(UNSIGNED));
	else
		sha256_hex(request->body, s.payload);
	snprintf(scope, sizeof(scope), "%.8s/%s/%s/aws4_request", s.date, request->region,
		 request->service);
	rc = collect_headers(&s, err);
	if (rc == 0)
		rc = canonical_request(&s, &canonical, err);
	if (rc == 0) {
		sign(&s, buf_str(&canonical), scope, signature);
		rc = write_lines(&s, scope, signature, mem, out, err);
	}
	buf_release(&s.names);
	return rc;
}

/* --- In the query --- */

static void append_encoded(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
		    (*text >= '0' && *text <= '9') || strchr("-_.~", *text))
			buf_append_byte(out, *text);
		else
			buf_printf(out, "%%%02X", (unsigned char)*text);
	}
}

static void append_query(const struct signing *s, const char *scope, int64_t life_s,
			 struct buf *out)
{
	buf_append_str(out, s->request->target);
	buf_append_byte(out,
			memchr(s->request->target.ptr, '?', s->request->target.len) ? '&' : '?');
	buf_append_str(out, STR("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="));
	append_encoded(out, s->key->access_key_id);
	append_encoded(out, "/");
	append_encoded(out, scope);
	buf_printf(out, "&X-Amz-Date=%s&X-Amz-Expires=%lld", s->date, (long long)life_s);
	if (s->key->session_token) {
		buf_append_str(out, STR("&X-Amz-Security-Token="));
		append_encoded(out, s->key->session_token);
	}
	buf_append_str(out, STR("&X-Amz-SignedHeaders=host"));
}

int sigv4_presign(const struct sigv4_request *request, const struct sigv4_key *key, int64_t life_s,
		  struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf canonical = BUF_INIT(MIB(1));
	cleanup(buf_release) struct buf target = BUF_INIT(KIB(256));
	struct sigv4_request with_query = *request;
	struct signing s = {.request = &with_query, .key = key, .names = BUF_INIT(KIB(1))};
	char signature[HASH_TEXT], scope[256];
	int got;

	write_date(request->wall_ms, s.date);
	sha256_hex(STR(""), s.payload);
	snprintf(scope, sizeof(scope), "%.8s/%s/%s/aws4_request", s.date, request->region,
		 request->service);
	append_query(&s, scope, life_s, &target);
	if (buf_check(&target, "a signed address", err) < 0)
		return -ERR_LIMIT;
	with_query.target = buf_str(&target);
	add_header(&s, STR("Host"), request->host);
	got = canonical_request(&s, &canonical, err);
	buf_release(&s.names);
	if (got < 0)
		return got;
	sign(&s, buf_str(&canonical), scope, signature);
	buf_printf(&target, "&X-Amz-Signature=%s", signature);
	*out = arena_str(mem, buf_str(&target));
	return mem->failed ? arena_fail(mem, "a signed address", err) : 0;
}
