/* A pass over a part of the stored fields: where it begins, what it leaves out, and the CRC of what
 * it read. */
#include "lucene/stored_fields_internal.h"

#include "store/read_ahead.h"

bool stored_chunk_wanted(const struct stored_fields *fields, const struct live_docs *live,
			 int32_t first, uint32_t count)
{
	int32_t end = MIN(first + (int32_t)count, fields->end_wanted);

	first = MAX(first, fields->first_wanted);
	return first < end && (!live || live_docs_any(live, first, end - first));
}

void stored_fields_limit(struct stored_fields *fields, int32_t first, int32_t end)
{
	fields->first_wanted = first;
	fields->end_wanted = end;
}

void stored_fields_expect_end(struct stored_fields *fields, uint64_t position)
{
	fields->window.soft_end = position;
	if (fields->ahead)
		read_ahead_until(fields->source, position);
}

int stored_fields_seek(struct stored_fields *fields, const struct stored_chunk_start *start,
		       struct err *err)
{
	if (start->doc < 0 || start->doc >= fields->max_doc ||
	    stored_window_seek(&fields->window, start->position, err) < 0)
		return err_set(err, ERR_FORMAT,
			       "'%s': no chunk can start with document %d at byte %llu, as the "
			       "index says",
			       fields->source->name, start->doc,
			       (unsigned long long)start->position);
	/* Where its end is known too, all of it will be read. */
	if (fields->ahead && fields->window.soft_end != UINT64_MAX)
		read_ahead_begin(fields->source, start->position);
	fields->next_doc = start->doc;
	fields->seeked = true;
	return 0;
}

uint64_t stored_fields_proven_length(const struct stored_fields *fields)
{
	return fields->window.has_footer ? fields->source->size - CODEC_FOOTER_CRC_LENGTH : 0;
}

bool stored_fields_ended(const struct stored_fields *fields, uint32_t *expected)
{
	*expected = fields->window.expected;
	return fields->end_seen && !fields->end_error.kind;
}

struct stored_mark stored_fields_mark(struct stored_fields *fields)
{
	uint32_t expected;

	if (fields->window.has_footer && stored_fields_ended(fields, &expected))
		return (struct stored_mark){stored_fields_proven_length(fields),
					    fields->window.crc};
	return (struct stored_mark){stored_window_position(&fields->window),
				    stored_window_crc(&fields->window)};
}

void stored_fields_cut(struct stored_fields *fields)
{
	stored_window_cut(&fields->window);
}
