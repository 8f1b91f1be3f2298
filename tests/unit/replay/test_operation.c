#include "replay/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct expected {
	const char *method, *target;
	enum operation_kind kind;
	const char *index, *id;
	bool create;
};

static void requests_are_what_they_do(void **state)
{
	static const struct expected all[] = {
		{"PUT", "/i/_doc/1", OPERATION_INDEX, "i", "1", false},
		{"POST", "/i/_doc", OPERATION_INDEX, "i", "", false},
		{"POST", "/i/_doc/", OPERATION_INDEX, "i", "", false},
		{"PUT", "/i/_create/1", OPERATION_INDEX, "i", "1", true},
		{"PUT", "/i/_doc/1?op_type=create", OPERATION_INDEX, "i", "1", true},
		{"PUT", "/i/b%C3%BCch/a%2Fb", OPERATION_INDEX, "i", "a/b", false},
		{"PUT", "/i/t/1/_create", OPERATION_INDEX, "i", "1", true},
		{"POST", "/i/t/1/_update", OPERATION_UPDATE, "i", "1", false},
		{"POST", "/i/_update/1?refresh", OPERATION_UPDATE, "i", "1", false},
		{"DELETE", "/i/_doc/1", OPERATION_DELETE, "i", "1", false},
		{"DELETE", "/i", OPERATION_OTHER, "", "", false},
		{"GET", "/i/_doc/1", OPERATION_READ, "", "", false},
		{"HEAD", "/i", OPERATION_READ, "", "", false},
		{"PUT", "/i/_mapping", OPERATION_OTHER, "", "", false},
		{"PUT", "/i/_settings", OPERATION_OTHER, "", "", false},
		{"POST", "/_bulk?refresh", OPERATION_BULK, "", "", false},
		{"PUT", "/i/_bulk", OPERATION_BULK, "i", "", false},
		{"POST", "/i/t/_bulk", OPERATION_BULK, "i", "", false},
		{"POST", "/i/_search", OPERATION_READ, "", "", false},
		{"POST", "/i/t/_search", OPERATION_READ, "", "", false},
		{"POST", "/_mget", OPERATION_READ, "", "", false},
		{"POST", "/i/_update_by_query", OPERATION_BY_QUERY, "", "", false},
		{"POST", "/_reindex", OPERATION_BY_QUERY, "", "", false},
		{"POST", "/_search/scroll", OPERATION_CURSOR, "", "", false},
		{"DELETE", "/_search/scroll/abc", OPERATION_CURSOR, "", "", false},
		{"POST", "*", OPERATION_OTHER, "", "", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
		struct operation op;

		operation_read(str_from(all[i].method), str_from(all[i].target), &mem, &op);
		if (op.kind != all[i].kind || op.create != all[i].create ||
		    !str_is(op.index, all[i].index) || !str_is(op.id, all[i].id))
			fail_msg("%s %s: kind %d, create %d, index '" STR_FMT "', id '" STR_FMT "'",
				 all[i].method, all[i].target, (int)op.kind, op.create,
				 STR_ARG(op.index), STR_ARG(op.id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_what_they_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
