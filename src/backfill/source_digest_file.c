#include "backfill/source_digest_file.h"

#include "backfill/file_name.h"
#include "base/limits.h"
#include "base/small_file.h"

#include <inttypes.h>

#define FILE_MAX MIB(64)

static int make_path(struct buf *out, const char *folder, struct str index, struct err *err)
{
	buf_append_str(out, str_from(folder));
	buf_append_byte(out, '/');
	file_name_append(out, index);
	buf_append_str(out, STR(".json"));
	return buf_check(out, "the path of a digest", err);
}

int source_digest_file_write(const char *folder, struct str snapshot_uuid, struct str index,
			     const struct digest *digest, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH), text = BUF_INIT(FILE_MAX);

	if (make_path(&path, folder, index, err) < 0)
		return -(int)err->kind;
	buf_append_str(&text, STR("{\"snapshot\":"));
	json_write_string(&text, snapshot_uuid);
	buf_append_str(&text, STR(",\"index\":"));
	json_write_string(&text, index);
	buf_printf(&text, ",\"documents\":%" PRIu64 ",\"digest\":", digest_documents(digest));
	digest_write(&text, digest);
	buf_append_str(&text, STR("}\n"));
	if (buf_check(&text, "a digest", err) < 0)
		return -(int)err->kind;
	return small_file_replace(buf_cstr(&path), buf_str(&text), err);
}

static int parse(struct str text, struct str snapshot_uuid, const char *path, struct digest *out,
		 struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(2 * FILE_MAX);
	struct json *root;

	if (json_parse(text, &mem, &root, err) < 0)
		return err_wrap(err, "digest '%s'", path);
	if (!str_eq(json_string(json_get(root, "snapshot")), snapshot_uuid))
		return err_set(err, ERR_USAGE,
			       "digest '%s' is of another snapshot; give the folder of a session "
			       "that moved this one, or leave --digest-from out",
			       path);
	if (digest_read(json_get(root, "digest"), out, err) < 0)
		return err_wrap(err, "digest '%s'", path);
	if (digest_documents(out) == (uint64_t)json_i64_or(json_get(root, "documents"), -1))
		return 1;
	digest_release(out);
	return err_set(err, ERR_FORMAT, "digest '%s' is damaged: its counts differ", path);
}

int source_digest_file_read(const char *folder, struct str snapshot_uuid, struct str index,
			    struct digest *out, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH), text = BUF_INIT(FILE_MAX);
	int rc = make_path(&path, folder, index, err);

	if (rc == 0)
		rc = small_file_read(buf_cstr(&path), &text, err);
	if (rc <= 0)
		return rc;
	return parse(buf_str(&text), snapshot_uuid, buf_cstr(&path), out, err);
}

int source_digest_file_remove(const char *folder, struct str index, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	if (make_path(&path, folder, index, err) < 0)
		return -(int)err->kind;
	return small_file_remove(buf_cstr(&path), err);
}
