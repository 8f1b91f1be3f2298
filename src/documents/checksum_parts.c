#include "documents/checksum_parts.h"

#include "base/crc32.h"

#include <stdlib.h>

void part_recorder_open(struct part_recorder *recorder, struct str segment,
			struct stored_fields *fields, uint64_t begin)
{
	recorder->fields = fields;
	recorder->segment = segment;
	recorder->file_length = stored_fields_proven_length(fields);
	recorder->begin = begin;
	recorder->before = recorder->after = stored_fields_mark(fields);
}

void part_recorder_add(struct part_recorder *recorder)
{
	recorder->before = recorder->after;
	recorder->after = stored_fields_mark(recorder->fields);
	stored_fields_ended(recorder->fields, &recorder->expected);
}

static void put(struct part_recorder *recorder, size_t i, uint64_t begin, uint64_t end,
		uint32_t crc)
{
	bool at_end = end == recorder->file_length;

	recorder->parts[i] = (struct checksum_part){.segment = recorder->segment,
						    .offset = begin,
						    .length = end - begin,
						    .crc = crc,
						    .file_length = recorder->file_length,
						    .expected = at_end ? recorder->expected : 0,
						    .at_end = at_end};
}

/* The parts that are not closed, behind those that are; returns how many there are in all. */
static size_t list_open(struct part_recorder *recorder, bool apart)
{
	uint64_t middle = apart ? recorder->before.position : recorder->begin;
	uint32_t middle_crc = apart ? recorder->before.crc : 0;
	uint64_t end = recorder->after.position;
	size_t count = recorder->closed;

	if (recorder->file_length == 0)
		return count;
	if (count + 2 > recorder->room) {
		recorder->room = 2 * recorder->room + 8;
		recorder->parts =
			mem_realloc(recorder->parts, recorder->room * sizeof(*recorder->parts));
	}
	if (middle > recorder->begin)
		put(recorder, count++, recorder->begin, middle, middle_crc);
	if (end > middle)
		put(recorder, count++, middle, end,
		    crc32_rest(recorder->after.crc, middle_crc, end - middle));
	return count;
}

void part_recorder_close(struct part_recorder *recorder, bool apart)
{
	recorder->closed = list_open(recorder, apart);
	part_recorder_drop(recorder);
}

void part_recorder_drop(struct part_recorder *recorder)
{
	stored_fields_cut(recorder->fields);
	recorder->begin = recorder->after.position;
	recorder->after.crc = 0;
	recorder->before = recorder->after;
}

size_t part_recorder_list(struct part_recorder *recorder, const struct checksum_part **parts)
{
	size_t count = list_open(recorder, true);

	*parts = recorder->parts;
	return count;
}

void part_recorder_release(struct part_recorder *recorder)
{
	free(recorder->parts);
}

static int by_offset(const void *a, const void *b)
{
	const struct checksum_part *left = a, *right = b;

	if (left->offset != right->offset)
		return left->offset < right->offset ? -1 : 1;
	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return 0;
}

/* A place in the file that a chain of parts leads to, and the CRC of all before it. */
struct reached {
	uint64_t position;
	uint32_t crc;
};

static const struct reached *find(const struct reached *reached, size_t count, uint64_t position)
{
	/* What leads to a place mostly has just been added. */
	for (size_t i = count; i-- > 0;)
		if (reached[i].position == position)
			return &reached[i];
	return NULL;
}

static int damaged(const struct checksum_part *part, const char *how, uint32_t crc, uint32_t other,
		   struct err *err)
{
	return err_set(err, ERR_FORMAT,
		       "the stored fields of segment '" STR_FMT "' are damaged before byte %llu: "
		       "their checksum is %08x, and %s %08x",
		       STR_ARG(part->segment), (unsigned long long)(part->offset + part->length),
		       crc, how, other);
}

static int check_part(const struct checksum_part *part, const struct checksum_part *first,
		      struct err *err)
{
	if (part->length == 0 || part->file_length != first->file_length ||
	    part->offset > part->file_length || part->length > part->file_length - part->offset ||
	    part->at_end != (part->offset + part->length == part->file_length))
		return err_set(err, ERR_FORMAT,
			       "bytes %llu to %llu of %llu, of a file of %llu: no part of the "
			       "stored fields of segment '" STR_FMT "'",
			       (unsigned long long)part->offset,
			       (unsigned long long)(part->offset + part->length),
			       (unsigned long long)part->file_length,
			       (unsigned long long)first->file_length, STR_ARG(first->segment));
	return 0;
}

static int join(const struct checksum_part *parts, size_t count, struct reached *reached,
		bool *complete, struct err *err)
{
	size_t places = 1;

	reached[0] = (struct reached){0};
	for (size_t i = 0; i < count; i++) {
		const struct checksum_part *part = &parts[i];
		uint64_t end = part->offset + part->length;
		const struct reached *before, *other;
		uint32_t crc;

		if (check_part(part, &parts[0], err) < 0)
			return -(int)err->kind;
		before = find(reached, places, part->offset);
		if (!before)
			continue;
		crc = crc32_join(before->crc, part->crc, part->length);
		if (part->at_end && crc != part->expected)
			return damaged(part, "the footer says", crc, part->expected, err);
		other = find(reached, places, end);
		if (other && other->crc != crc)
			return damaged(part, "another reading gave", crc, other->crc, err);
		if (!other)
			reached[places++] = (struct reached){end, crc};
		*complete |= part->at_end;
	}
	return 0;
}

int checksum_parts_join(struct checksum_part *parts, size_t count, bool *complete, struct err *err)
{
	struct reached *reached = mem_alloc((count + 1) * sizeof(*reached));
	int rc;

	*complete = false;
	if (count > 0)
		qsort(parts, count, sizeof(*parts), by_offset);
	rc = join(parts, count, reached, complete, err);
	free(reached);
	return rc;
}
