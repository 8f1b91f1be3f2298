/* Files of documents: lines of all formats, packed or not; the first byte says how they are read.
 */
#include "documents/file_documents.h"
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void read_all(const char *path, int choice)
{
	struct file_documents_options options = {.line_limit = 4096,
						 .format = (enum file_format)(choice & 3)};
	struct input_files files;
	struct document_source *source;
	struct document document;
	struct err err;
	int64_t last = -1;

	if (choice & 4)
		options.id_field = STR("a.b");
	options.remove_id_field = choice & 8;
	if (input_files_open(path, &files, &err) == 0) {
		options.files = &files;
		if (file_documents_open(&options, &source, &err) < 0)
			BUG("documents out of order");
		while (document_source_next(source, &document, &err) > 0) {
			if (document.doc <= last)
				BUG("documents out of order");
			last = document.doc;
		}
		document_source_close(source);
	}
	input_files_release(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int file = memfd_create("lines", MFD_CLOEXEC);
	char path[64];

	if (file < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (size > 0 && write(file, data + 1, size - 1) == (ssize_t)(size - 1))
		read_all(path, data[0]);
	close(file);
	return 0;
}
