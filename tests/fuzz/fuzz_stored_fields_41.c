/* u8 version, LE16 documents, then the .fdt behind its header; header and footer are put right. */
#include "fuzz.h"
#include "fuzz_stored_pass.h"
#include "stored_file.h"

#define HEADER "\x3f\xd7\x6c\x17\x18Lucene41StoredFieldsData\0\0\0"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(buf_release) struct buf fdt = BUF_INIT(MIB(1));
	struct memory_directory *dir;
	int version;

	if (size < 3 || size > KIB(256))
		return 0;
	version = data[0] % 3;
	buf_append_str(&fdt, STR(HEADER));
	buf_append_byte(&fdt, (char)version);
	buf_append_str(&fdt, str_of(data + 3, size - 3));
	if (version == 2)
		stored_file_footer(&fdt);
	dir = memory_directory_new(NULL);
	memory_directory_add(dir, "_0.fdt", buf_str(&fdt));
	stored_passes(dir, data[1] | data[2] << 8);
	memory_directory_free(dir);
	return 0;
}
