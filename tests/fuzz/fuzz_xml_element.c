/* Elements lie within their text, one behind another, and their text never grows. */
#include "net/xml_element.h"

#include "base/limits.h"
#include "fuzz.h"

static const char *const names[] = {"Code", "Message", "a", "Contents"};

static void check_element(struct str within, struct str element, struct str rest)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct str text = xml_text(element, &mem);

	if (element.ptr < within.ptr || element.ptr + element.len > rest.ptr)
		BUG("an element outside its text");
	if (rest.ptr + rest.len != within.ptr + within.len || rest.len >= within.len)
		BUG("what follows an element is not the rest of the text");
	if (!text.ptr || text.len > element.len)
		BUG("text longer than what it was written as");
	if (text.ptr[text.len] != '\0')
		BUG("text without its end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str xml = str_of(data, MIN(size, MIB(1)));

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str within = xml, rest, element;

		while ((element = xml_element(within, names[i], &rest)).ptr) {
			check_element(within, element, rest);
			within = rest;
		}
	}
	return 0;
}
