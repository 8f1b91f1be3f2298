#include "documents/document_versions.h"

#define UNKNOWN (-1)

int document_versions_start(struct document_versions *versions,
			    const struct segment_reader *segment, bool prove, struct err *err)
{
	document_versions_end(versions);
	return numeric_doc_values_open(segment, STR("_version"), prove, &versions->values, err);
}

void document_versions_end(struct document_versions *versions)
{
	numeric_doc_values_close(versions->values);
	versions->values = NULL;
}

int document_versions_get(struct document_versions *versions, int32_t doc, int64_t *version,
			  struct err *err)
{
	bool has;

	*version = UNKNOWN;
	if (!versions->values)
		return 0;
	if (numeric_doc_values_get(versions->values, doc, version, &has, err) < 0)
		return -(int)err->kind;
	if (!has || *version < 0)
		*version = UNKNOWN;
	return 0;
}
