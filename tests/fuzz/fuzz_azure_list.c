/* A list is refused or read; what is read of it has names and an end. */
#include "store/azure_list.h"

#include "base/limits.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	cleanup(buf_release) struct buf objects = BUF_INIT(MIB(16));
	struct object_page page = {.objects = &objects};
	const struct blob_info *info;
	struct err err = {0};

	if (azure_list_parse(str_of(data, MIN(size, MIB(1))), &mem, &page, &err) < 0) {
		if (!err.message[0])
			BUG("refused without a reason");
		return 0;
	}
	info = (const void *)objects.ptr;
	for (size_t i = 0; i < objects.len / sizeof(*info); i++)
		if (info[i].name.len == 0 || info[i].name.ptr[info[i].name.len] != '\0')
			BUG("an object without its name");
	if (page.next.ptr[page.next.len] != '\0')
		BUG("a token without its end");
	return 0;
}
