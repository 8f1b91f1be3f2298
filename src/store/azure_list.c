#include "store/azure_list.h"

#include "net/xml_element.h"

static int add_blob(struct str blob, struct arena *mem, struct object_page *page, struct err *err)
{
	struct str name = xml_element(blob, "Name", NULL);
	struct blob_info info;

	if (name.len == 0)
		return err_set(err, ERR_FORMAT, "a blob has no name, or one that XML cannot hold");
	if (!str_to_u64(xml_element(blob, "Content-Length", NULL), &info.size))
		return err_set(err, ERR_FORMAT, "blob '" STR_FMT "' has no size", STR_ARG(name));
	info.name = xml_text(name, mem);
	if (!info.name.ptr)
		return arena_fail(mem, "a list of blobs", err);
	buf_append(page->objects, &info, sizeof(info));
	return 0;
}

int azure_list_parse(struct str body, struct arena *mem, struct object_page *page, struct err *err)
{
	static const char root[] = "<EnumerationResults";
	struct str rest = body, blob;
	int rc;

	if (!memmem(body.ptr ? body.ptr : "", body.len, root, strlen(root)))
		return err_set(err, ERR_FORMAT, "the answer is no EnumerationResults");
	while ((blob = xml_element(rest, "Blob", &rest)).ptr)
		if ((rc = add_blob(blob, mem, page, err)) < 0)
			return rc;
	page->next = xml_text(xml_element(rest, "NextMarker", NULL), mem);
	return page->next.ptr ? 0 : arena_fail(mem, "a list of blobs", err);
}
