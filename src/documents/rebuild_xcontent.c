#include "documents/rebuild_xcontent.h"

#include "base/json_number.h"
#include "base/rd.h"
#include "documents/cbor.h"
#include "documents/rebuild_value.h"
#include "snapshot/smile.h"

#define PARENT_UNIT 65536

static int damaged(const char *what, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "has an _ignored_source with %s, which is not read",
		       what);
}

static struct json *number_or_null(struct str text, struct arena *mem)
{
	return text.ptr ? json_new_number(mem, text) : NULL;
}

static struct json *fixed_value(char code, struct rd *rd, struct arena *mem)
{
	struct str rest = str_of(rd->bytes + rd->pos, rd_left(rd));
	int32_t scale;

	switch (code) {
	case 'S':
		return rebuild_text(rest, mem);
	case 'I':
		return json_new_i64(mem, (int32_t)rd_le32(rd));
	case 'L':
		return json_new_i64(mem, (int64_t)rd_le64(rd));
	case 'D':
		return rebuild_double((int64_t)rd_le64(rd), mem);
	case 'F':
		return rebuild_float((int32_t)rd_le32(rd), mem);
	case 'i':
		return number_or_null(json_number_of_integer(mem, rest), mem);
	case 'd':
		scale = (int32_t)rd_le32(rd);
		rest = json_number_of_integer(mem, str_from_offset(rest, MIN(rest.len, (size_t)4)));
		return rest.ptr ? number_or_null(json_number_of_decimal(mem, rest, scale), mem)
				: NULL;
	case 'f':
	case 't':
		return json_new_bool(mem, code == 't');
	case 'n':
		return json_new(mem, JSON_NULL);
	case 'b':
		return rebuild_base64(rest, mem);
	default:
		return NULL;
	}
}

int rebuild_xcontent(struct str bytes, struct arena *mem, struct json **out, struct err *err)
{
	struct rd rd = rd_over(bytes);
	char code = (char)rd_u8(&rd);
	struct str rest = str_from_offset(bytes, MIN(bytes.len, (size_t)1));
	int rc = 0;

	*out = NULL;
	if (rd.failed)
		return damaged("no type", err);
	if (code == 'v')
		return 0;
	if (code == 'j')
		rc = json_parse(rest, mem, out, err);
	else if (code == 'c')
		rc = cbor_parse(rest, mem, out, err);
	else if (code == 's')
		rc = smile_parse(rest, mem, out, err);
	else
		*out = fixed_value(code, &rd, mem);
	if (rc == -ERR_FORMAT)
		return damaged("a fragment that is damaged", err);
	if (rc < 0)
		return rc;
	if (!*out && mem->failed)
		return arena_fail(mem, "a rebuilt document", err);
	return !*out || rd.failed ? damaged("a value of an unknown kind", err) : 1;
}

/* Bytes of the first `units` UTF-16 units; larger than the text where it has fewer. */
static size_t utf16_prefix(struct str text, size_t units)
{
	size_t at = 0;

	while (units > 0 && at < text.len) {
		uint8_t lead = (uint8_t)text.ptr[at];
		size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
		size_t takes = len == 4 ? 2 : 1;

		if (takes > units)
			return SIZE_MAX;
		units -= takes;
		at += len;
	}
	return units > 0 ? SIZE_MAX : at;
}

int ignored_entry_read(struct str bytes, struct ignored_entry *out, struct err *err)
{
	struct rd rd = rd_over(bytes);
	uint32_t head = rd_le32(&rd);
	struct str rest = str_from_offset(bytes, MIN(bytes.len, (size_t)4)), name;
	size_t len = utf16_prefix(rest, head % PARENT_UNIT), parent;

	if (rd.failed || len > rest.len)
		return damaged("a name that is cut off", err);
	name = str_of(rest.ptr, len);
	if (!rebuild_is_utf8(name))
		return damaged("a name that is no UTF-8", err);
	parent = utf16_prefix(name, head / PARENT_UNIT);
	if (parent > name.len || (parent > 0 && name.ptr[parent - 1] != '.'))
		return damaged("a name that is cut off", err);
	*out = (struct ignored_entry){.parent = str_of(name.ptr, parent ? parent - 1 : 0),
				      .name = str_from_offset(name, parent),
				      .value = str_from_offset(rest, len)};
	return 0;
}
