#include "cli/html_text.h"

void html_append_escaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '<')
			buf_append_str(out, STR("&lt;"));
		else if (c == '>')
			buf_append_str(out, STR("&gt;"));
		else if (c == '&')
			buf_append_str(out, STR("&amp;"));
		else if (c == '"')
			buf_append_str(out, STR("&quot;"));
		else if ((unsigned char)c < 0x20 || c == 0x7f)
			buf_append_byte(out, ' ');
		else
			buf_append_byte(out, c);
	}
}
