#include "documents/document_id.h"

#define ID_UTF8 0xff
#define ID_NUMERIC 0xfe
#define ID_BASE64_ESCAPE 0xfd
#define NIBBLE_PADDING 0xf

static int too_long(size_t length, struct err *err)
{
	return err_set(err, ERR_FORMAT, "document id of %zu bytes, more than the %d there can be",
		       length, DOCUMENT_ID_MAX);
}

static int decode_utf8(struct str bytes, char *text, size_t *length, struct err *err)
{
	if (bytes.len > DOCUMENT_ID_MAX)
		return too_long(bytes.len, err);
	memcpy(text, bytes.ptr, bytes.len);
	*length = bytes.len;
	return 0;
}

static int decode_digits(struct str bytes, char *text, size_t *length, struct err *err)
{
	size_t used = 0;

	if (bytes.len * 2 > DOCUMENT_ID_MAX)
		return too_long(bytes.len * 2, err);
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t byte = (uint8_t)bytes.ptr[i], high = byte >> 4, low = byte & 0xf;
		bool padded = low == NIBBLE_PADDING && i + 1 == bytes.len;

		if (high > 9 || (low > 9 && !padded))
			return err_set(err, ERR_FORMAT,
				       "document id of digits has the byte %02x at %zu", byte, i);
		text[used++] = (char)('0' + high);
		if (!padded)
			text[used++] = (char)('0' + low);
	}
	*length = used;
	return 0;
}

static int encode_base64url(struct str bytes, char *text, size_t *length, struct err *err)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t needed = bytes.len / 3 * 4 + (bytes.len % 3 ? bytes.len % 3 + 1 : 0), used = 0;
	unsigned bits = 0, pending = 0;

	if (bytes.len > DOCUMENT_ID_MAX || needed > DOCUMENT_ID_MAX)
		return too_long(needed, err);
	for (size_t i = 0; i < bytes.len; i++) {
		pending = (pending << 8 | (uint8_t)bytes.ptr[i]) & 0xffff;
		for (bits += 8; bits >= 6; bits -= 6)
			text[used++] = digits[pending >> (bits - 6) & 0x3f];
	}
	if (bits > 0)
		text[used++] = digits[pending << (6 - bits) & 0x3f];
	*length = used;
	return 0;
}

int document_id_decode(struct str stored, char text[static DOCUMENT_ID_MAX], struct str *out,
		       struct err *err)
{
	struct str rest = str_from_offset(stored, 1);
	size_t length = 0;
	int failed;

	if (stored.len == 0)
		return err_set(err, ERR_FORMAT, "document id of no byte");
	switch ((uint8_t)stored.ptr[0]) {
	case ID_UTF8:
		failed = decode_utf8(rest, text, &length, err);
		break;
	case ID_NUMERIC:
		failed = decode_digits(rest, text, &length, err);
		break;
	case ID_BASE64_ESCAPE:
		failed = encode_base64url(rest, text, &length, err);
		break;
	default:
		failed = encode_base64url(stored, text, &length, err);
	}
	if (failed < 0)
		return failed;
	*out = (struct str){text, length};
	return 0;
}

int document_uid_split(struct str uid, struct str *type, struct str *id, struct err *err)
{
	struct str head, tail;

	if (!str_split(uid, '#', &head, &tail))
		return err_set(err, ERR_FORMAT, "_uid '" STR_FMT "' has no '#' in it",
			       STR_ARG(uid));
	*type = head;
	*id = tail;
	return 0;
}

struct str document_parent_id(struct str parent)
{
	struct str type, id;

	return str_split(parent, '#', &type, &id) ? id : parent;
}
