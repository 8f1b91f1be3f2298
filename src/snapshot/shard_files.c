#include "snapshot/shard_files.h"
#include "snapshot/file_checksum.h"

#include "base/base64.h"
#include "base/limits.h"
#include "lucene/codec_file.h"

#include <stdlib.h>

/* indices/<id>/<shard>/snap-<uuid>.dat, codec "snapshot"; in Elasticsearch 1 snapshot-<snapshot>,
 * JSON:
 *
 *   {name, index_version, start_time, time, number_of_files, total_size,
 *    files [{name "__x"|"v__x", physical_name "_0.cfs", length, checksum, part_size, written_by,
 *            meta_hash, writer_uuid}]}
 *
 * number_of_files and total_size count what this snapshot copied anew, not what the shard has.
 * checksum: see file_checksum.c. part_size is 2^63-1 or absent when files are not cut. meta_hash
 * holds the first bytes of segments_N and .si files, commonly all of them; a blob "v__x" does not
 * exist, its file is all in meta_hash.
 *
 * Source: Elasticsearch 7.10.2 BlobStoreIndexShardSnapshot.FileInfo, StoreFileMetadata. */

static int text_member(const struct json *entry, const char *key, struct str *out, struct err *err)
{
	*out = json_string(json_get(entry, key));
	/* Names of files: one component of a path. */
	if (out->len > 0 && out->len <= LIMIT_PATH && !memchr(out->ptr, '/', out->len) &&
	    !memchr(out->ptr, '\0', out->len) && !str_is(*out, ".") && !str_is(*out, ".."))
		return 0;
	return err_set(err, ERR_FORMAT, "%s '" STR_FMT "' is no name of a file", key,
		       STR_ARG(*out));
}

static int read_sizes(const struct json *entry, struct snapshot_file *file, struct err *err)
{
	int64_t length = json_i64_or(json_get(entry, "length"), -1);
	int64_t part_size = json_i64_or(json_get(entry, "part_size"),
					json_get(entry, "part_size") ? -1 : INT64_MAX);

	if (length < 0)
		return err_set(err, ERR_FORMAT, "its length is missing or negative");
	if (part_size <= 0)
		return err_set(err, ERR_FORMAT, "its part_size is not above 0");
	if (length / part_size >= LIMIT_BLOB_PARTS)
		return err_set(err, ERR_LIMIT, "its %lld bytes are in more than %d parts",
			       (long long)length, LIMIT_BLOB_PARTS);
	file->length = (uint64_t)length;
	file->part_size = (uint64_t)part_size;
	return 0;
}

/* Bytes in SMILE, their base 64 in JSON. */
static int hash_bytes(const struct json *hash, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf bytes = BUF_INIT(LIMIT_LUCENE_META_FILE);

	*out = hash->text;
	if (hash->type == JSON_BINARY)
		return 0;
	if (hash->type != JSON_STRING || !base64_decode(&bytes, hash->text))
		return err_set(err, ERR_FORMAT, "its meta_hash is no base 64");
	if (buf_check(&bytes, "its meta_hash", err) < 0)
		return -(int)err->kind;
	*out = arena_str(mem, buf_str(&bytes));
	return out->ptr ? 0 : arena_fail(mem, "its meta_hash", err);
}

static int check_content(const struct snapshot_file *file, struct err *err)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	int rc = 0;

	if (file->checksum_kind == FILE_CHECKSUM_FOOTER)
		rc = codec_footer_check(file->content, err);
	source = memory_source_new(file->content, file->physical_name);
	return rc < 0 ? rc : file_checksum_check(file, source, err);
}

static int read_content(const struct json *entry, struct arena *mem, struct snapshot_file *file,
			struct err *err)
{
	const struct json *hash = json_get(entry, "meta_hash");
	bool is_virtual = str_starts(file->blob, STR("v__"));
	struct str bytes = STR_NONE;
	int rc = hash ? hash_bytes(hash, mem, &bytes, err) : 0;

	if (rc < 0)
		return rc;
	if (hash && bytes.len == file->length)
		file->content = str_of(bytes.ptr ? bytes.ptr : "", bytes.len);
	if (is_virtual && !file->content.ptr)
		return err_set(err, ERR_FORMAT,
			       "it has no blob, and its content is not in meta_hash either");
	if (file->content.ptr && check_content(file, err) < 0)
		return err_wrap(err, "its meta_hash");
	return 0;
}

static int read_file(const struct json *entry, struct arena *mem, struct snapshot_file *file,
		     struct err *err)
{
	int rc = text_member(entry, "physical_name", &file->physical_name, err);

	if (rc == 0)
		rc = text_member(entry, "name", &file->blob, err);
	if (rc == 0)
		rc = read_sizes(entry, file, err);
	if (rc == 0)
		rc = file_checksum_read(entry, file, err);
	if (rc == 0)
		rc = read_content(entry, mem, file, err);
	return rc < 0 ? err_wrap(err, "file '" STR_FMT "'", STR_ARG(file->physical_name)) : 0;
}

static int compare_files(const void *a, const void *b)
{
	return str_cmp(((const struct snapshot_file *)a)->physical_name,
		       ((const struct snapshot_file *)b)->physical_name);
}

static int sort_and_sum(struct snapshot_shard *shard, struct err *err)
{
	struct snapshot_file *files = shard->files;

	qsort(files, shard->file_count, sizeof(*files), compare_files);
	for (size_t i = 0; i < shard->file_count; i++) {
		if (i > 0 && str_eq(files[i].physical_name, files[i - 1].physical_name))
			return err_set(err, ERR_FORMAT, "lists file '" STR_FMT "' twice",
				       STR_ARG(files[i].physical_name));
		if (__builtin_add_overflow(shard->total_bytes, files[i].length,
					   &shard->total_bytes))
			return err_set(err, ERR_FORMAT, "lists files of more than 2^64 bytes");
	}
	return 0;
}

int shard_files_read(const struct json *root, struct snapshot_shard *shard, struct err *err)
{
	const struct json *list = json_get(root, "files");

	if (!list || list->type != JSON_ARRAY)
		return err_set(err, ERR_FORMAT, "holds no list of files");
	shard->files = arena_zalloc(&shard->mem, list->count, sizeof(struct snapshot_file));
	if (!shard->files)
		return arena_fail(&shard->mem, "the list of files", err);
	json_each (entry, list) {
		int rc = read_file(entry, &shard->mem, &shard->files[shard->file_count++], err);

		if (rc < 0)
			return rc;
	}
	return sort_and_sum(shard, err);
}
