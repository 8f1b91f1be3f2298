/* What the targets over Lucene's small files share: their input is a file without its footer, so
 * that no checksum stands in the way. */
#ifndef FUZZ_FUZZ_LUCENE_H
#define FUZZ_FUZZ_LUCENE_H

#include "base/limits.h"
#include "lucene/lucene_internal.h"

/* The suffix that the file itself claims, which is then the right one. */
static inline struct str claimed_suffix(struct str body)
{
	struct rd rd = rd_over(body);
	struct codec_header header;
	struct err err = {0};

	return codec_index_header_read(&rd, &header, &err) < 0 ? STR("") : header.suffix;
}

/* Reads every byte of a slice, so that a sanitizer sees one that leads astray. */
static inline void touch(struct str s)
{
	static volatile char last;

	for (size_t i = 0; i < s.len; i++)
		last = s.ptr[i];
	(void)last;
}

#endif
