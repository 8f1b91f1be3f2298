/* Input: what memory_directory_unpack takes. Of each segment of the commit each field is read as
 * columns, points and terms: all that stands between a directory and the readers that the other
 * targets begin with. */
#include "fuzz.h"
#include "fuzz_lucene.h"
#include "lucene/column.h"
#include "lucene/points.h"
#include "lucene/terms.h"
#include "memory_directory.h"

#define SEGMENTS_MOST 4
#define FIELDS_MOST 64
#define DOCS_MOST 300
#define MEMORY MIB(8)

static void read_column(const struct segment_reader *segment, struct str field)
{
	struct column_values values;
	struct column *column;
	struct err err = {0};

	if (column_open(segment, field, &column, &err) < 0 || !column)
		return;
	for (int32_t doc = 0; doc < DOCS_MOST; doc++) {
		if (column_get(column, doc, &values, &err) < 0)
			break;
		for (size_t i = 0; values.bytes && i < values.count; i++)
			touch(values.bytes[i]);
	}
	column_close(column);
}

static void look(struct inversion *inversion)
{
	struct inverted_values values;

	for (int32_t doc = 0; inversion && doc < DOCS_MOST; doc++) {
		inversion_get(inversion, doc, &values);
		for (size_t i = 0; i < values.count; i++)
			touch(values.list[i].bytes);
	}
	inversion_free(inversion);
}

static void read_field(const struct segment_reader *segment, struct str field)
{
	struct inversion *inversion;
	struct err err = {0};

	read_column(segment, field);
	if (points_invert(segment, field, MEMORY, &inversion, &err) == 0)
		look(inversion);
	for (int positions = 0; positions < 2; positions++)
		if (terms_invert(segment, field, positions, STR(""), MEMORY, &inversion, &err) == 0)
			look(inversion);
}

static void read_commit(struct lucene_directory *dir)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct segment_reader *segment;
	struct segment_infos infos;
	struct err err = {0};

	if (segment_infos_read(dir, &mem, &infos, &err) < 0)
		return;
	for (size_t i = 0; i < MIN(infos.count, (size_t)SEGMENTS_MOST); i++) {
		if (segment_reader_open(dir, &infos.segments[i], &segment, &err) < 0)
			continue;
		for (size_t f = 0; f < MIN(segment->field_infos.count, (size_t)FIELDS_MOST); f++)
			read_field(segment, segment->field_infos.fields[f].name);
		segment_reader_close(segment);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_directory *memory = memory_directory_new(NULL);

	memory_directory_unpack(memory, str_of(data, size));
	read_commit(&memory->directory);
	memory_directory_free(memory);
	return 0;
}
