/* The points of one field of a segment, turned round: what each document has.
 *
 * Lucene60PointsFormat (6.0 to 8.5), Lucene86 and Lucene90PointsFormat; docs/formats/indexed.md
 * draws them. Values are as the field has them, all dimensions in a row: big-endian, the sign bit
 * flipped. */
#ifndef LUCENE_POINTS_H
#define LUCENE_POINTS_H

#include "lucene/inversion.h"
#include "lucene/segment_reader.h"

/* *out (the caller's) is NULL where the segment has no points of that field. `most`: bytes that
 * the inversion may take. ERR_UNSUPPORTED names a format that is not read; ERR_FORMAT file and
 * reason; ERR_LIMIT the field. */
int points_invert(const struct segment_reader *segment, struct str field, size_t most,
		  struct inversion **out, struct err *err);

#endif
