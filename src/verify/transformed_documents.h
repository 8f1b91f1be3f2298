/* Documents of a source after the transformers, as the iterator that sources give. */
#ifndef VERIFY_TRANSFORMED_DOCUMENTS_H
#define VERIFY_TRANSFORMED_DOCUMENTS_H

#include "verify/transformed_side.h"

/* `documents` becomes its own, also when this fails. `index`: the name that documents come in
 * with; `only_type`: the type of those without one; `only`: of what comes out only documents for
 * this index are given, ptr NULL: all. The strings are borrowed. */
int transformed_documents_open(struct document_source *documents,
			       const struct verify_transform_options *options, struct str index,
			       struct str only_type, struct str only, struct document_source **out,
			       struct err *err);
/* The target index of the document given last. */
struct str transformed_documents_index(const struct document_source *source);
const struct verify_transformed_counts *transformed_documents_counts(
	const struct document_source *source);

#endif
