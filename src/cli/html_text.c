#include "cli/html_text.h"

#include "base/utf8.h"

static void append_character(struct buf *out, struct str c)
{
	if (c.ptr[0] == '<')
		buf_append_str(out, STR("&lt;"));
	else if (c.ptr[0] == '>')
		buf_append_str(out, STR("&gt;"));
	else if (c.ptr[0] == '&')
		buf_append_str(out, STR("&amp;"));
	else if (c.ptr[0] == '"')
		buf_append_str(out, STR("&quot;"));
	else if ((unsigned char)c.ptr[0] < 0x20 || c.ptr[0] == 0x7f)
		buf_append_byte(out, ' ');
	else
		buf_append_str(out, c);
}

void html_append_escaped(struct buf *out, struct str text)
{
	while (text.len > 0) {
		size_t length = utf8_length(text.ptr, text.len);

		if (length > 0)
			append_character(out, str_of(text.ptr, length));
		else
			buf_append_str(out, STR("\xef\xbf\xbd"));
		text = str_from_offset(text, MAX(length, (size_t)1));
	}
}
