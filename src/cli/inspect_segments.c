#include "cli/inspect_segments.h"

static void close_segmentp(struct segment_reader **segment)
{
	segment_reader_close(*segment);
}

int inspect_each_segment(struct lucene_directory *dir, struct arena *mem, inspect_segment *print,
			 const char *field, struct err *err)
{
	cleanup(output_release) struct output out;
	struct segment_infos infos;
	int64_t base = 0;

	output_init(&out);
	if (segment_infos_read(dir, mem, &infos, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < infos.count; i++) {
		cleanup(close_segmentp) struct segment_reader *segment = NULL;

		if (segment_reader_open(dir, &infos.segments[i], &segment, err) < 0 ||
		    print(segment, field, base, &out, err) < 0)
			return -(int)err->kind;
		base += segment->info.max_doc;
	}
	return output_flush(&out, err);
}
