/* All rows in one list. */
#include "metadata/rules_internal.h"

#include <pthread.h>

#define ROWS_MAX 1000

static const struct rule *const files[] = {
	rules_of_templates,   rules_of_types,    rules_of_mapping_roots, rules_of_strings,
	rules_of_field_types, rules_of_vectors,  rules_of_dates,         rules_of_fields,
	rules_of_settings,    rules_of_analysis, rules_of_aliases,       rules_of_policies,
	rules_of_roles,
};

static const struct rule *rows[ROWS_MAX];
static size_t row_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void collect(void)
{
	for (size_t i = 0; i < COUNT_OF(files); i++)
		for (const struct rule *row = files[i]; row->id; row++) {
			if (row_count == ROWS_MAX)
				BUG("more rules than the table holds");
			rows[row_count++] = row;
		}
}

const struct rule *const *rules_all(size_t *count)
{
	pthread_once(&once, collect);
	*count = row_count;
	return rows;
}
