#include "traffic/kafka.h"

#include "base/base64.h"

#include <string.h>

#define MSK_ACTION "/?Action=kafka-cluster%3AConnect"

/* What is behind the last dot of *name, which is taken off. */
static struct str take_last_label(struct str *name)
{
	size_t at = name->len;
	struct str label;

	while (at > 0 && name->ptr[at - 1] != '.')
		at--;
	label = str_from_offset(*name, at);
	name->len = at > 0 ? at - 1 : 0;
	return label;
}

/* From the end on: a cluster may have any name, "kafka" too. */
struct str kafka_msk_region(const char *brokers)
{
	struct str rest = str_from(brokers), host, region, service;
	const char *at;

	if (!str_split(rest, ',', &host, &rest))
		host = str_from(brokers);
	at = memmem(host.ptr, host.len, ".amazonaws.com", 14);
	if (!at)
		return STR_NONE;
	host.len = (size_t)(at - host.ptr);
	region = take_last_label(&host);
	service = take_last_label(&host);
	return str_is(service, "kafka") || str_is(service, "kafka-serverless") ? region : STR_NONE;
}

/* The alphabet of base64url, without padding. */
static void make_url_safe(struct buf *text, size_t from)
{
	while (text->len > from && text->ptr[text->len - 1] == '=')
		text->len--;
	for (size_t i = from; i < text->len; i++) {
		if (text->ptr[i] == '+')
			text->ptr[i] = '-';
		else if (text->ptr[i] == '/')
			text->ptr[i] = '_';
	}
}

int64_t kafka_msk_token_end_ms(int64_t now_ms, int64_t key_end_ms)
{
	int64_t end_ms = now_ms + KAFKA_MSK_TOKEN_LIFE_MS;

	return key_end_ms > 0 ? MIN(end_ms, key_end_ms) : end_ms;
}

int kafka_msk_token(const char *region, const struct sigv4_key *key, int64_t wall_ms,
		    struct buf *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	cleanup(buf_release) struct buf url = BUF_INIT(KIB(256));
	const char *host = arena_printf(&mem, "kafka.%s.amazonaws.com", region).ptr;
	const struct sigv4_request request = {.method = "GET",
					      .host = host,
					      .target = STR(MSK_ACTION),
					      .region = region,
					      .service = "kafka-cluster",
					      .wall_ms = wall_ms};
	struct str target;
	size_t from = out->len;
	int got = sigv4_presign(&request, key, KAFKA_MSK_TOKEN_LIFE_MS / 1000, &mem, &target, err);

	if (got < 0)
		return got;
	buf_printf(&url, "https://%s" STR_FMT "&User-Agent=shardlift", host, STR_ARG(target));
	base64_encode(out, buf_str(&url));
	if (buf_check(&url, "a token", err) < 0 || buf_check(out, "a token", err) < 0)
		return -ERR_LIMIT;
	make_url_safe(out, from);
	return 0;
}
