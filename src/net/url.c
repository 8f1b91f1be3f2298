#include "net/url.h"

#include "base/limits.h"

#include <strings.h>

#define DEFAULT_PORT_HTTP 9200
#define DEFAULT_PORT_HTTPS 443

/* The parts of an authority as written. */
struct authority {
	struct str userinfo, host, port;
	bool has_userinfo, has_port;
};

/* What a message may show: the text without anything before its last '@', which also hides a
 * password that holds an unencoded '/' or '?'. */
static int wrong(const char *text, const char *reason, struct err *err)
{
	const char *at = strrchr(text, '@');

	return err_set(err, ERR_USAGE, "URL '%s%s': %s", at ? "…@" : "", at ? at + 1 : text,
		       reason);
}

static bool cut_prefix(struct str *rest, struct str prefix)
{
	if (rest->len < prefix.len || strncasecmp(rest->ptr, prefix.ptr, prefix.len) != 0)
		return false;
	*rest = str_from_offset(*rest, prefix.len);
	return true;
}

/* "ftp://…" and the like, but not "user:a://b@host". */
static bool has_other_scheme(struct str text)
{
	for (size_t i = 0; i + 2 < text.len; i++)
		if (memchr("@/?#[", text.ptr[i], 5))
			return false;
		else if (memcmp(text.ptr + i, "://", 3) == 0)
			return !memchr(text.ptr, '@', text.len);
	return false;
}

static const char *cut_scheme(struct str *rest, struct url *out)
{
	out->tls = cut_prefix(rest, STR("https://"));
	if (out->tls || cut_prefix(rest, STR("http://")))
		return NULL;
	return has_other_scheme(*rest) ? "begins with neither http:// nor https://" : NULL;
}

static const char *split_authority(struct str text, struct authority *out)
{
	const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
	struct str rest = text, after;

	if (at) {
		out->has_userinfo = true;
		out->userinfo = str_of(text.ptr, (size_t)(at - text.ptr));
		rest = str_from_offset(text, out->userinfo.len + 1);
	}
	if (!rest.len || rest.ptr[0] != '[') {
		out->has_port = str_split(rest, ':', &out->host, &out->port);
		if (out->port.len && memchr(out->port.ptr, ':', out->port.len))
			return "an IPv6 address is written in brackets, as in http://[::1]:9200";
		return NULL;
	}
	if (!str_split(str_from_offset(rest, 1), ']', &out->host, &after))
		return "the bracket of the IPv6 address is not closed";
	if (!out->host.len || !memchr(out->host.ptr, ':', out->host.len))
		return "the brackets hold no IPv6 address";
	if (after.len && after.ptr[0] != ':')
		return "something other than a port follows the IPv6 address";
	out->has_port = after.len > 0;
	out->port = str_from_offset(after, 1);
	return NULL;
}

/* The characters of names, of IPv4 and IPv6 addresses, and of names in other scripts. */
static bool is_host(struct str host, bool ipv6)
{
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.ptr[i];
		bool alphanumeric = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');

		if (!alphanumeric && c < 0x80 && !memchr(ipv6 ? ":.%" : "-._", c, 3))
			return false;
	}
	return host.len > 0;
}

static const char *parse_port(const struct authority *from, struct url *out)
{
	uint64_t port;

	out->port = out->tls ? DEFAULT_PORT_HTTPS : DEFAULT_PORT_HTTP;
	if (!from->has_port)
		return NULL;
	if (!str_to_u64(from->port, &port) || port == 0 || port > UINT16_MAX)
		return "the port is not a number from 1 to 65535 (in a user or password, "
		       "write / as %2F, ? as %3F, # as %23)";
	out->port = (uint16_t)port;
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* Percent-decodes into `to`, which has room for text.len + 1 bytes. False for a broken escape, and
 * for a NUL, which would end the text early on its way to the server. */
static bool decode(struct str text, char *to, struct str *out)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return false;
		to[len++] = c;
	}
	to[len] = '\0';
	*out = str_of(to, len);
	return true;
}

static const char *decode_userinfo(const struct authority *from, char *room, struct url *out)
{
	struct str user, password;
	bool has_password;

	if (!from->has_userinfo)
		return NULL;
	has_password = str_split(from->userinfo, ':', &user, &password);
	if (!decode(user, room, &out->user) ||
	    (has_password && !decode(password, room + user.len + 1, &out->password)))
		return "a % in the user or password is not followed by two hexadecimal digits "
		       "(write % as %25)";
	return out->user.len ? NULL : "the user before the @ is empty";
}

static const char *parse(struct str rest, char *room, struct url *out)
{
	struct authority authority = {0};
	const char *reason = cut_scheme(&rest, out);
	size_t slash = 0;

	while (slash < rest.len && !memchr("/?#", rest.ptr[slash], 3))
		slash++;
	out->path = str_from_offset(rest, slash);
	rest.len = slash;
	if (!reason)
		reason = split_authority(rest, &authority);
	if (!reason)
		reason = parse_port(&authority, out);
	if (!reason)
		reason = decode_userinfo(&authority, room, out);
	if (reason)
		return reason;
	out->host = authority.host;
	if (!is_host(out->host, out->host.ptr > rest.ptr && out->host.ptr[-1] == '['))
		return out->host.len ? "the host has a character that no host name has"
				     : "names no host";
	if (out->path.len && (memchr(out->path.ptr, '?', out->path.len) ||
			      memchr(out->path.ptr, '#', out->path.len)))
		return "has a query or fragment; give the address of the cluster alone";
	while (out->path.len && out->path.ptr[out->path.len - 1] == '/')
		out->path.len--;
	return NULL;
}

int url_parse(const char *text, struct arena *mem, struct url *out, struct err *err)
{
	struct str whole = str_from(text), copy;
	const char *reason;
	char *room;

	*out = (struct url){0};
	if (whole.len > LIMIT_PATH)
		return err_set(err, ERR_USAGE, "URL is longer than %zu bytes", LIMIT_PATH);
	for (size_t i = 0; i < whole.len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return wrong(text, "has a space or control character (write it as %20 …)",
				     err);
	copy = arena_str(mem, whole);
	room = arena_alloc(mem, whole.len + 2);
	if (!copy.ptr || !room)
		return arena_fail(mem, "URL", err);
	reason = parse(copy, room, out);
	return reason ? wrong(text, reason, err) : 0;
}

struct str url_without_secrets(const struct url *url, struct arena *mem)
{
	bool ipv6 = memchr(url->host.ptr, ':', url->host.len) != NULL;

	return arena_printf(mem, "%s://%s" STR_FMT "%s:%u" STR_FMT, url->tls ? "https" : "http",
			    ipv6 ? "[" : "", STR_ARG(url->host), ipv6 ? "]" : "", url->port,
			    STR_ARG(url->path));
}
