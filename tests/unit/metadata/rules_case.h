/* One row of the table of rules, tried: a body before and after, and where the row must not act. */
#ifndef TEST_RULES_CASE_H
#define TEST_RULES_CASE_H

#include "metadata/rules.h"

struct rules_case {
	const char *rule;
	const char *source, *target; /* "es5.6", "os2.19"; "aoss": Serverless */
	/* As an API spells it; what is inside "template" for composable and component templates. */
	const char *before;
	const char *after; /* all that the rules of these versions make of it; NULL: blocked */
	/* Versions for which the row does not hold. For rows of all versions instead a body that
	 * the same versions leave as it is. */
	const char *idle_source, *idle_target, *untouched;
	const struct rule_options
		*options;        /* but for the target; NULL: what the flags default to */
	enum metadata_kind kind; /* 0: an index */
	const char *name;        /* NULL: "books" */
	int32_t routing_shards;
	bool closed, partial_source;
	bool silent; /* acts without a note */
};

extern const struct rules_case cases_of_mappings[], cases_of_types[], cases_of_settings[],
	cases_of_policies[], cases_of_roles[];

/* Fails the test that runs where the row does not do as it says. */
void rules_case_check(const struct rules_case *c);
/* A field f in the bare mapping of an index. */
#define FIELD(definition) "{\"mappings\":{\"properties\":{\"f\":" definition "}}}"
#define SETTINGS(settings) "{\"settings\":{" settings "}}"
#define MAPPING(mapping) "{\"mappings\":{" mapping "}}"

#endif
