#include "verify/checkpoint.h"

#include "backfill/file_name.h"
#include "base/log.h"
#include "base/small_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX MIB(256)

void verify_checkpoint_release(struct verify_checkpoint *checkpoint)
{
	for (int side = 0; side < 2; side++) {
		digest_release(&checkpoint->digests[side]);
		free(checkpoint->done[side]);
	}
	*checkpoint = (struct verify_checkpoint){0};
}

static int make_path(struct buf *out, const struct verify_options *options, struct str target,
		     struct err *err)
{
	buf_append_str(out, str_from(options->checkpoint_folder));
	buf_append_byte(out, '/');
	file_name_append(out, target);
	buf_append_str(out, STR(".json"));
	return buf_check(out, "the path of a checkpoint", err);
}

static void write_state(struct buf *out, const struct verify_state *state)
{
	buf_printf(out, "[\"%016" PRIx64 "\",\"%016" PRIx64 "\"]", state->identity, state->writes);
}

static int save(const struct verify_options *options, const struct verify_index indices[2],
		const char *member, struct str value, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH), text = BUF_INIT(FILE_MAX);

	if (make_path(&path, options, indices[1].name, err) < 0)
		return -(int)err->kind;
	buf_append_str(&text, STR("{\"key\":"));
	json_write_string(&text, str_from(options->checkpoint_key));
	buf_append_str(&text, STR(",\"source\":"));
	json_write_string(&text, indices[0].name);
	buf_append_str(&text, STR(",\"states\":["));
	write_state(&text, &indices[0].state);
	buf_append_byte(&text, ',');
	write_state(&text, &indices[1].state);
	buf_printf(&text, "],\"%s\":", member);
	buf_append_str(&text, value);
	buf_append_str(&text, STR("}\n"));
	if (buf_check(&text, "a checkpoint", err) < 0)
		return -(int)err->kind;
	return small_file_replace(buf_cstr(&path), buf_str(&text), err);
}

int verify_checkpoint_save(const struct verify_options *options,
			   const struct verify_index indices[2],
			   const struct verify_checkpoint *checkpoint, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);

	buf_printf(&text, "{\"sourceless\":%" PRIu64 ",\"sides\":[", checkpoint->sourceless);
	for (int side = 0; side < 2; side++) {
		buf_append_str(&text, side ? STR(",{\"done\":\"") : STR("{\"done\":\""));
		for (size_t i = 0; i < checkpoint->parts[side]; i++)
			buf_append_byte(&text, checkpoint->done[side][i] ? '1' : '0');
		buf_append_str(&text, STR("\",\"digest\":"));
		digest_write(&text, &checkpoint->digests[side]);
		buf_append_byte(&text, '}');
	}
	buf_append_str(&text, STR("]}"));
	if (buf_check(&text, "a checkpoint", err) < 0)
		return -(int)err->kind;
	return save(options, indices, "digests", buf_str(&text), err);
}

static void append_differences(struct buf *text, const struct index_comparison *result)
{
	for (size_t i = 0; i < result->difference_count; i++) {
		const struct document_difference *d = &result->differences[i];

		buf_printf(text, "%s[%d,", i ? "," : "", (int)d->kind);
		json_write_string(text, d->id);
		buf_append_byte(text, ',');
		json_write_string(text, d->paths);
		buf_append_byte(text, ']');
	}
}

int verify_checkpoint_save_result(const struct verify_options *options,
				  const struct verify_index indices[2],
				  const struct index_comparison *result, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	const uint64_t counts[] = {(uint64_t)result->verdict,
				   result->source_documents,
				   result->target_documents,
				   result->missing,
				   result->extra,
				   result->changed,
				   result->doubled,
				   result->counted_in_part,
				   result->in_motion};

	buf_append_str(&text, STR("{\"reason\":"));
	json_write_string(&text, result->reason);
	buf_append_str(&text, STR(",\"counts\":["));
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		buf_printf(&text, "%s%" PRIu64, i ? "," : "", counts[i]);
	buf_append_str(&text, STR("],\"differences\":["));
	append_differences(&text, result);
	buf_append_str(&text, STR("]}"));
	if (buf_check(&text, "a checkpoint", err) < 0)
		return -(int)err->kind;
	return save(options, indices, "result", buf_str(&text), err);
}

int verify_checkpoint_remove(const struct verify_options *options, const struct verify_pair *pair,
			     struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	if (make_path(&path, options, pair->target_index, err) < 0)
		return -(int)err->kind;
	return small_file_remove(buf_cstr(&path), err);
}

static bool load_side(const struct json *value, int side, size_t parts,
		      struct verify_checkpoint *out)
{
	struct str done = json_string(json_get(value, "done"));

	if (!done.ptr || done.len != parts ||
	    digest_read(json_get(value, "digest"), &out->digests[side], NULL) < 0)
		return false;
	out->parts[side] = parts;
	out->done[side] = mem_zalloc(parts + 1);
	for (size_t i = 0; i < parts; i++)
		out->done[side][i] = done.ptr[i] == '1';
	return true;
}

static bool load_digests(const struct json *value, const struct verify_index indices[2],
			 struct verify_checkpoint *out)
{
	const struct json *sides = json_get(value, "sides");

	*out = (struct verify_checkpoint){
		.sourceless = (uint64_t)json_i64_or(json_get(value, "sourceless"), 0)};
	if (sides && sides->type == JSON_ARRAY && sides->count == 2 &&
	    load_side(sides->first, 0, indices[0].parts, out) &&
	    load_side(sides->last, 1, indices[1].parts, out) &&
	    out->digests[0].bucket_count == out->digests[1].bucket_count)
		return true;
	verify_checkpoint_release(out);
	return false;
}

static bool load_differences(const struct json *list, struct index_comparison *result,
			     struct arena *mem)
{
	result->differences =
		arena_zalloc(mem, (list ? list->count : 0) + 1, sizeof(*result->differences));
	if (!result->differences)
		return false;
	json_each (row, list) {
		struct document_difference *d = &result->differences[result->difference_count];
		int64_t kind = json_i64_or(row->first, -1);

		if (row->count != 3 || kind < DOCUMENT_MISSING || kind > DOCUMENT_DOUBLED)
			return false;
		d->kind = (enum difference_kind)kind;
		d->id = arena_str(mem, json_string(row->first->next));
		d->paths = arena_str(mem, json_string(row->last));
		result->difference_count++;
	}
	return true;
}

static bool load_result(const struct json *value, struct index_comparison *result,
			struct arena *mem)
{
	const struct json *counts = json_get(value, "counts");
	int64_t numbers[9];
	size_t count = 0;

	json_each (number, counts)
		if (count < COUNT_OF(numbers))
			numbers[count++] = json_i64_or(number, -1);
	if (count != COUNT_OF(numbers) || numbers[0] < VERDICT_EQUAL ||
	    numbers[0] > VERDICT_NOT_COMPARED)
		return false;
	result->verdict = (enum verify_verdict)numbers[0];
	result->source_documents = (uint64_t)numbers[1];
	result->target_documents = (uint64_t)numbers[2];
	result->missing = (uint64_t)numbers[3];
	result->extra = (uint64_t)numbers[4];
	result->changed = (uint64_t)numbers[5];
	result->doubled = (uint64_t)numbers[6];
	result->counted_in_part = numbers[7] != 0;
	result->in_motion = (uint64_t)numbers[8];
	result->reason = arena_str(mem, json_string(json_get(value, "reason")));
	return load_differences(json_get(value, "differences"), result, mem) && !mem->failed;
}

/* The source or the target may have been written to, or made anew, since. */
static bool is_of_state(const struct json *value, const struct verify_state *state,
			bool also_writes)
{
	char identity[17], writes[17];

	snprintf(identity, sizeof(identity), "%016" PRIx64, state->identity);
	snprintf(writes, sizeof(writes), "%016" PRIx64, state->writes);
	return value && value->type == JSON_ARRAY && value->count == 2 &&
	       str_is(json_string(value->first), identity) &&
	       (!also_writes || str_is(json_string(value->last), writes));
}

static bool is_of_states(const struct verify_options *options, const struct json *states,
			 const struct verify_index indices[2])
{
	bool also_writes = options->settle_ms == 0;

	return states && states->type == JSON_ARRAY && states->count == 2 &&
	       is_of_state(states->first, &indices[0].state, also_writes) &&
	       is_of_state(states->last, &indices[1].state, also_writes);
}

int verify_checkpoint_load(const struct verify_options *options,
			   const struct verify_index indices[2], struct verify_checkpoint *out,
			   struct index_comparison *result, struct arena *mem, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH), text = BUF_INIT(FILE_MAX);
	cleanup(arena_release) struct arena tree = ARENA_INIT(2 * FILE_MAX);
	struct index_comparison read = *result;
	struct json *root;
	int rc;

	*out = (struct verify_checkpoint){0};
	if (make_path(&path, options, indices[1].name, err) < 0)
		return -(int)err->kind;
	rc = small_file_read(buf_cstr(&path), &text, err);
	if (rc <= 0)
		return rc;
	if (json_parse(buf_str(&text), &tree, &root, NULL) < 0 ||
	    !str_is(json_string(json_get(root, "key")), options->checkpoint_key) ||
	    !str_eq(json_string(json_get(root, "source")), indices[0].name))
		return 0;
	if (!is_of_states(options, json_get(root, "states"), indices)) {
		log_info("verify",
			 "index '" STR_FMT "' was written to, or nobody can tell: it is compared "
			 "from its beginning",
			 STR_ARG(indices[1].name));
		return 0;
	}
	if (json_get(root, "result")) {
		if (!load_result(json_get(root, "result"), &read, mem))
			return 0;
		*result = read;
		return 2;
	}
	return load_digests(json_get(root, "digests"), indices, out);
}
