#include "snapshot/text_blob.h"
#include "snapshot/metadata_format.h"

#include "base/limits.h"
#include "base/lzf.h"

/* What Elasticsearch 1 writes for metadata:
 *
 *   '{' …              JSON
 *   'Z' 'V' type …     JSON in chunks of LZF: what is at the root (up to 1.6 the list of snapshots
 *                      too) and in the folders of indices, when the repository has the setting
 *                      `compress`
 *
 * Neither has a checksum. What is read is held against something else wherever a flipped bit could
 * lead to other documents: see snapshot_names.c and index_metadata.c.
 *
 * Source: Elasticsearch 1.0.3 and 1.7.6 BlobStoreRepository, BlobStoreIndexShardRepository,
 * LZFCompressor. */

int text_blob_expand(struct str blob, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SNAPSHOT_BLOB);
	int rc;

	*out = blob;
	if (!lzf_is_chunked(blob))
		return 0;
	rc = lzf_decode(&text, blob, err);
	if (rc < 0)
		return rc;
	*out = arena_str(mem, buf_str(&text));
	return out->ptr ? 0 : arena_fail(mem, "decompressed metadata", err);
}

int text_blob_decode(struct str blob, struct arena *mem, struct json **out, struct err *err)
{
	struct str text;
	int rc = text_blob_expand(blob, mem, &text, err);

	return rc < 0 ? rc : json_parse(text, mem, out, err);
}

static int read_blob(struct blob_store *store, struct str name, const char *codec,
		     struct arena *mem, struct json **out, struct err *err)
{
	struct str blob;
	int rc = blob_store_read(store, name, mem, LIMIT_SNAPSHOT_BLOB, &blob, err);

	(void)codec; /* is not written down */
	if (rc < 0)
		return rc;
	if (text_blob_decode(blob, mem, out, err) < 0)
		return err_wrap(err, "blob '" STR_FMT "'", STR_ARG(name));
	return 0;
}

const struct metadata_format metadata_format_text = {
	.snapshot_prefix = "snapshot-",
	.global_prefix = "metadata-",
	.index_prefix = "snapshot-",
	.suffix = "",
	.has_checksum = false,
	.read = read_blob,
};
