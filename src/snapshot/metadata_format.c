#include "snapshot/metadata_format.h"

struct str metadata_format_blob(const struct metadata_format *format, struct str folder,
				const char *prefix, struct str name, struct arena *mem)
{
	return arena_printf(mem, STR_FMT "%s%s" STR_FMT "%s", STR_ARG(folder),
			    folder.len > 0 ? "/" : "", prefix, STR_ARG(name), format->suffix);
}
