#include "backfill/file_name.h"

static bool is_plain(unsigned char c)
{
	return c > 0x20 && c != 0x7f && !strchr("/\\%:*?\"<>|", c);
}

void file_name_append(struct buf *out, struct str name)
{
	if (name.len == 0)
		buf_append_byte(out, '%');
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (is_plain(c) && (i > 0 || c != '.'))
			buf_append_byte(out, (char)c);
		else
			buf_append(out,
				   (char[]){'%', "0123456789ABCDEF"[c >> 4],
					    "0123456789ABCDEF"[c & 15]},
				   3);
	}
}
