#include "verify/findings.h"

#include <stdlib.h>

void verify_findings_init(struct verify_findings *findings, size_t most)
{
	*findings = (struct verify_findings){.mem = ARENA_INIT(LIMIT_METADATA_ARENA), .most = most};
}

void verify_findings_release(struct verify_findings *findings)
{
	arena_release(&findings->mem);
	free(findings->items);
	*findings = (struct verify_findings){0};
}

void verify_findings_add(struct verify_findings *findings, const struct verify_finding *finding)
{
	struct arena *mem = &findings->mem;

	if (findings->count == findings->most)
		return;
	if (findings->count == findings->capacity) {
		findings->capacity = MAX(findings->capacity * 2, (size_t)16);
		findings->items =
			mem_realloc(findings->items, findings->capacity * sizeof(*findings->items));
	}
	findings->items[findings->count++] = (struct verify_finding){
		.index = arena_str(mem, finding->index),
		.where = arena_str(mem, finding->where),
		.expected = arena_str(mem, finding->expected),
		.found = arena_str(mem, finding->found),
		.not_compared = finding->not_compared,
	};
}
