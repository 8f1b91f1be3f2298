/* u8 0: starts are made of lengths, else they are given; LE16 documents; LE16 length or BE64 start
 * of each; then the bytes of the documents. The headers are put right. */
#include "fuzz.h"
#include "fuzz_stored_pass.h"

#define DATA_HEADER "\x3f\xd7\x6c\x17\x18Lucene40StoredFieldsData\0\0\0\0"
#define INDEX_HEADER "\x3f\xd7\x6c\x17\x19Lucene40StoredFieldsIndex\0\0\0\0"

static void put_start(struct buf *index, uint64_t start)
{
	start = __builtin_bswap64(start);
	buf_append_str(index, str_of(&start, sizeof(start)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(buf_release) struct buf fdt = BUF_INIT(MIB(1)), fdx = BUF_INIT(MIB(1));
	struct rd rd = rd_over(str_of(data, size));
	bool given = rd_u8(&rd) != 0;
	uint16_t count = rd_le16(&rd) % 10000;
	struct memory_directory *dir;
	uint64_t start;

	if (rd.failed || size > KIB(256))
		return 0;
	buf_append_str(&fdt, STR(DATA_HEADER));
	buf_append_str(&fdx, STR(INDEX_HEADER));
	start = fdt.len;
	for (uint16_t i = 0; i < count; i++) {
		put_start(&fdx, given ? rd_be64(&rd) : start);
		start += given ? 0 : rd_le16(&rd);
	}
	buf_append_str(&fdt, str_of(data + rd.pos, rd_left(&rd)));
	dir = memory_directory_new(NULL);
	memory_directory_add(dir, "_0.fdt", buf_str(&fdt));
	memory_directory_add(dir, "_0.fdx", buf_str(&fdx));
	stored_passes(dir, count);
	memory_directory_free(dir);
	return 0;
}
