/* The rows of the table, file by file, and what their actions share. */
#ifndef METADATA_RULES_INTERNAL_H
#define METADATA_RULES_INTERNAL_H

#include "metadata/rules.h"
#include "metadata/settings_tree.h"

/* Each ends with a row whose id is NULL. Rows of one place run in the order of this list. */
extern const struct rule rules_of_templates[], rules_of_types[], rules_of_mapping_roots[],
	rules_of_strings[], rules_of_fields[], rules_of_field_types[], rules_of_vectors[],
	rules_of_dates[], rules_of_settings[], rules_of_analysis[], rules_of_aliases[],
	rules_of_policies[], rules_of_roles[];

/* Ranges that many rows use. */
#define ANY_VERSION {ANY_FLAVOUR, 0, 0}
#define ES_FROM(number) {ONLY_ES, number, 0}
#define ES_BELOW(number) {ONLY_ES, 0, number}
#define ES_BETWEEN(from_number, below_number) {ONLY_ES, from_number, below_number}
#define OS_FROM(number) {ONLY_OS, number, 0}
#define OS_BELOW(number) {ONLY_OS, 0, number}
#define OS_OR_ES_FROM(number) {OS_OR_ES, number, 0}
#define OS_OR_ES_BELOW(number) {OS_OR_ES, 0, number}
#define ANY_OPENSEARCH {ONLY_OS, 0, 0}
#define ANY_ELASTICSEARCH {ONLY_ES, 0, 0}

/* "type" of a field's definition; "object" where it has properties and says none. */
struct str field_type(const struct json *definition);
/* Whether "type" says so. */
bool field_has_type(const struct json *definition, const char *type);
/* Sets "type". */
void field_set_type(struct rule_scope *scope, struct json *definition, const char *type);
/* Notes for the scope's item at the scope's path. */
void rule_note(struct rule_scope *scope, const char *rule, enum note_level level, const char *fmt,
	       ...) PRINTF_LIKE(4, 5);
/* Marks the item as one that cannot be brought to the target. */
void rule_block(struct rule_scope *scope, const char *rule, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Several types into one mapping, or several items: what options->multi_type says. */
int rules_unite_types(struct metadata_set *set, struct metadata_item *item, struct json *body,
		      const struct rule_options *options, struct err *err);

#endif
