/* An export of saved objects, and what Dashboards would get of it. */
#include "metadata/saved_objects.h"

#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *items[] = {"a=b", "regex:l(.*)=o$1"};
	const struct opt_list none = {0}, list = {items, 2};
	struct saved_objects_options options = {.types = &none, .from_kibana = true};
	struct index_renames *renames = NULL;
	struct saved_objects set;
	struct buf out = BUF_INIT(MIB(64));
	struct err err;

	if (index_renames_new(&list, &renames, &err) < 0)
		abort();
	options.renames = renames;
	saved_objects_init(&set);
	if (saved_objects_parse(&set, STR_NONE, str_of((const char *)data, size), &err) == 0 &&
	    saved_objects_clean(&set, &options, &err) == 0)
		saved_objects_print(&set, &out);
	buf_release(&out);
	saved_objects_release(&set);
	index_renames_free(renames);
	return 0;
}
