#include "backfill/item_state.h"

#include <inttypes.h>

static bool read_range(const struct json *range, struct doc_range *out)
{
	if (range->type != JSON_ARRAY || range->count != 2)
		return false;
	out->first = json_i64_or(range->first, -1);
	out->end = json_i64_or(range->last, -1);
	return out->first >= 0 && out->end > out->first;
}

static bool read_part(const struct json *part, struct checksum_part *out)
{
	int64_t offset = json_i64_or(json_get(part, "offset"), -1);
	int64_t length = json_i64_or(json_get(part, "length"), -1);
	int64_t file_length = json_i64_or(json_get(part, "file_length"), -1);
	int64_t crc = json_i64_or(json_get(part, "crc"), -1);
	int64_t expected = json_i64_or(json_get(part, "expected"), -1);

	*out = (struct checksum_part){.segment = json_string(json_get(part, "segment")),
				      .offset = (uint64_t)offset,
				      .length = (uint64_t)length,
				      .file_length = (uint64_t)file_length,
				      .crc = (uint32_t)crc,
				      .expected = (uint32_t)expected,
				      .at_end = json_bool_or(json_get(part, "at_end"), false)};
	return out->segment.len && offset >= 0 && length >= 0 && file_length >= 0 && crc >= 0 &&
	       crc <= UINT32_MAX && expected >= 0 && expected <= UINT32_MAX;
}

static int damaged(struct err *err)
{
	return err_set(err, ERR_FORMAT,
		       "the state of a work item is damaged; begin anew with "
		       "--restart");
}

int item_state_parse(struct str text, struct arena *mem, struct item_state *out, struct err *err)
{
	struct json *root, *ranges, *parts;

	*out = (struct item_state){0};
	if (!text.ptr)
		return 0;
	if (json_parse(text, mem, &root, err) < 0)
		return damaged(err);
	ranges = json_get(root, "acknowledged");
	parts = json_get(root, "parts");
	out->digest_json = json_get(root, "digest");
	out->acknowledged = arena_zalloc(mem, ranges ? ranges->count : 0, sizeof(struct doc_range));
	out->parts = arena_zalloc(mem, parts ? parts->count : 0, sizeof(struct checksum_part));
	if (!out->acknowledged || !out->parts)
		return arena_fail(mem, "the state of a work item", err);
	json_each (range, ranges)
		if (!read_range(range, &out->acknowledged[out->acknowledged_count++]))
			return damaged(err);
	json_each (part, parts)
		if (!read_part(part, &out->parts[out->part_count++]))
			return damaged(err);
	return 0;
}

static void write_part(struct buf *out, const struct checksum_part *part)
{
	buf_append_str(out, STR("{\"segment\":"));
	json_write_string(out, part->segment);
	buf_printf(out,
		   ",\"offset\":%" PRIu64 ",\"length\":%" PRIu64 ",\"crc\":%" PRIu32
		   ",\"file_length\":%" PRIu64 ",\"expected\":%" PRIu32 ",\"at_end\":%s}",
		   part->offset, part->length, part->crc, part->file_length, part->expected,
		   part->at_end ? "true" : "false");
}

void item_state_write(struct buf *out, const struct item_state *state)
{
	buf_append_str(out, STR("{\"acknowledged\":["));
	for (size_t i = 0; i < state->acknowledged_count; i++)
		buf_printf(out, "%s[%" PRId64 ",%" PRId64 "]", i ? "," : "",
			   state->acknowledged[i].first, state->acknowledged[i].end);
	buf_append_str(out, STR("],\"parts\":["));
	for (size_t i = 0; i < state->part_count; i++) {
		if (i)
			buf_append_byte(out, ',');
		write_part(out, &state->parts[i]);
	}
	buf_append_byte(out, ']');
	if (state->digest) {
		buf_append_str(out, STR(",\"digest\":"));
		digest_write(out, state->digest);
	}
	buf_append_byte(out, '}');
}
