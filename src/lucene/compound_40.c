/* The compound files of Lucene 4. What follows the headers is as in later formats, big-endian:
 *
 *   .cfe: header | vInt n | n x (string name without the segment, i64 offset, i64 length)
 *         | footer (version 1, Lucene 4.8)
 *   .cfs: header | the files | footer (version 1)
 *
 * Source: Lucene 4.10.4 store/CompoundFileDirectory, store/CompoundFileWriter. */
#include "lucene/lucene_internal.h"

#define VERSION_NEWEST 1

bool compound_is_40(const struct codec_header *header)
{
	return str_is(header->codec, "CompoundFileWriterEntries");
}

int compound_header_read_40(struct rd *rd, const uint8_t *id, struct compound_entries *out,
			    struct err *err)
{
	struct codec_header header;

	if (codec_plain_header_expect(rd, id, &header, err) < 0)
		return -(int)err->kind;
	if (header.version < 0 || header.version > VERSION_NEWEST)
		return codec_header_unsupported(&header, err);
	out->data_codec = "CompoundFileWriterData";
	out->version = header.version;
	out->plain = true;
	return 0;
}
