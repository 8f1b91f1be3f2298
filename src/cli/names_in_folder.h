/* What lies in a folder of state. */
#ifndef CLI_NAMES_IN_FOLDER_H
#define CLI_NAMES_IN_FOLDER_H

#include "base/arena.h"

/* Sorted, `most` of them at most, without those that begin with '.' or end in .tmp, as what is
 * being written does; none where there is no such folder. ERR_IO. */
int names_in_folder(const char *folder, size_t most, struct arena *mem, struct str **out,
		    size_t *count, struct err *err);
/* However many there are, as long as `mem` has room. */
int all_names_in_folder(const char *folder, struct arena *mem, struct str **out, size_t *count,
			struct err *err);

#endif
