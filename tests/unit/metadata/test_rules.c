/* Every row of the table of rules, tried; with --markdown, the table for docs/metadata-rules.md. */
#include "rules_case.h"

#include "base/bytes_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct rules_case *const files[] = {
	cases_of_mappings, cases_of_types, cases_of_settings, cases_of_policies, cases_of_roles};

static void each_rule_does_what_it_says_where_it_holds_and_nothing_elsewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++)
		for (const struct rules_case *c = files[i]; c->rule; c++)
			rules_case_check(c);
}

static bool has_case(const char *rule)
{
	for (size_t i = 0; i < COUNT_OF(files); i++)
		for (const struct rules_case *c = files[i]; c->rule; c++)
			if (strcmp(c->rule, rule) == 0)
				return true;
	return false;
}

static void no_rule_is_without_a_case(void **state)
{
	size_t count;
	const struct rule *const *rules = rules_all(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		if (!has_case(rules[i]->id))
			fail_msg("rule %s is without a case", rules[i]->id);
}

static void ids_of_rules_are_unique(void **state)
{
	size_t count;
	const struct rule *const *rules = rules_all(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(rules[i]->id, rules[j]->id);
}

static const struct rule_options splitting = {.multi_type = MULTI_TYPE_SPLIT, .replicas = -1};
static const struct rule_options refusing = {.multi_type = MULTI_TYPE_NONE, .replicas = -1};
static const struct rule_options uniting = {.multi_type = MULTI_TYPE_UNION, .replicas = -1};

#define TWO_TYPES                                             \
	"{\"_default_\":{\"dynamic\":\"strict\"},"            \
	"\"a\":{\"properties\":{\"x\":{\"type\":\"long\"}}}," \
	"\"b\":{\"properties\":{\"y\":{\"type\":\"long\"}}}}"

static size_t apply_to_types(struct metadata_set *set, enum metadata_kind kind,
			     const char *mappings, const struct rule_options *chosen)
{
	struct rule_options options = *chosen;
	struct json *body, *types = NULL;
	struct err err = {0};

	metadata_set_init(set);
	set->version = (struct cluster_version){CLUSTER_ELASTICSEARCH, 5, 6, 16};
	options.target = (struct cluster_version){CLUSTER_OPENSEARCH, 2, 19, 6};
	body = json_new(&set->mem, JSON_OBJECT);
	json_set(body, STR("settings"), json_new(&set->mem, JSON_OBJECT));
	json_set(body, STR("aliases"), json_new(&set->mem, JSON_OBJECT));
	if (json_parse(str_from(mappings), &set->mem, &types, &err) < 0)
		fail_msg("%s", err.message);
	json_set(body, STR("mappings"), types);
	metadata_set_add(set, kind, STR("books"), body)->typed = true;
	if (rules_apply(set, &options, &err) < 0)
		fail_msg("%s", err.message);
	return set->count;
}

static void assert_mapping(const struct metadata_item *item, const char *expected)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(4));

	json_write(&text, json_get(item->result, "mappings"));
	assert_string_equal(buf_cstr(&text), expected);
}

static void types_are_united(void **state)
{
	struct metadata_set set;

	(void)state;
	assert_int_equal(apply_to_types(&set, METADATA_INDEX, TWO_TYPES, &uniting), 1);
	assert_mapping(set.items[0], "{\"properties\":{\"x\":{\"type\":\"long\"},"
				     "\"y\":{\"type\":\"long\"}}}");
	metadata_set_release(&set);
}

static void types_become_indices_of_their_own(void **state)
{
	struct metadata_set set;

	(void)state;
	assert_int_equal(apply_to_types(&set, METADATA_INDEX, TWO_TYPES, &splitting), 2);
	assert_true(str_is(set.items[0]->target_name, "books_a"));
	assert_true(str_is(set.items[1]->target_name, "books_b"));
	assert_mapping(set.items[0], "{\"properties\":{\"x\":{\"type\":\"long\"}}}");
	assert_mapping(set.items[1], "{\"properties\":{\"y\":{\"type\":\"long\"}}}");
	metadata_set_release(&set);
}

static void several_types_are_refused_where_the_user_wants_none(void **state)
{
	struct metadata_set set;

	(void)state;
	apply_to_types(&set, METADATA_INDEX, TWO_TYPES, &refusing);
	assert_int_equal(set.items[0]->outcome, OUTCOME_BLOCKED);
	metadata_set_release(&set);
}

static void types_that_disagree_block_the_index(void **state)
{
	struct metadata_set set;

	(void)state;
	apply_to_types(&set, METADATA_INDEX,
		       "{\"a\":{\"properties\":{\"x\":{\"type\":\"long\"}}},"
		       "\"b\":{\"properties\":{\"x\":{\"type\":\"date\"}}}}",
		       &uniting);
	assert_int_equal(set.items[0]->outcome, OUTCOME_BLOCKED);
	assert_non_null(memmem(set.items[0]->reason.ptr, set.items[0]->reason.len, "'x'", 3));
	metadata_set_release(&set);
}

static void a_template_keeps_what_its_default_type_says(void **state)
{
	struct metadata_set set;

	(void)state;
	apply_to_types(&set, METADATA_LEGACY_TEMPLATE,
		       "{\"_default_\":{\"properties\":{\"x\":{\"type\":\"long\"}}}}", &uniting);
	assert_mapping(set.items[0], "{\"properties\":{\"x\":{\"type\":\"long\"}}}");
	metadata_set_release(&set);
	apply_to_types(&set, METADATA_LEGACY_TEMPLATE,
		       "{\"_default_\":{\"dynamic\":\"strict\",\"properties\":{\"x\":{\"type\":"
		       "\"long\"}}},\"a\":{\"properties\":{\"y\":{\"type\":\"long\"}}}}",
		       &uniting);
	assert_mapping(set.items[0], "{\"properties\":{\"y\":{\"type\":\"long\"},"
				     "\"x\":{\"type\":\"long\"}},\"dynamic\":\"strict\"}");
	metadata_set_release(&set);
}

static void write_range(struct buf *out, const struct rule_range *range)
{
	static const char *const flavours[] = {"any", "Elasticsearch", "OpenSearch",
					       "OpenSearch, Elasticsearch"};

	buf_printf(out, "%s", flavours[range->flavour]);
	if (range->from)
		buf_printf(out, " from %d.%d", range->from / 1000, range->from % 1000);
	if (range->below)
		buf_printf(out, " below %d.%d", range->below / 1000, range->below % 1000);
}

static void write_rule(struct buf *out, const struct rule *rule)
{
	buf_printf(out, "| `%s` | %s | ", rule->id, rule->summary);
	write_range(out, &rule->source);
	buf_append_str(out, STR(" | "));
	write_range(out, &rule->target);
	buf_printf(out, " | %s |\n", rule->breaking ? rule->breaking : "");
}

static void write_markdown(struct buf *out)
{
	size_t count;
	const struct rule *const *rules = rules_all(&count);

	buf_append_str(out,
		       STR("# The rules of metadata\n\n"
			   "Made from the table in `src/metadata/rules_*.c` by\n"
			   "`test_metadata_rules --markdown`; its test compares the two. Rules "
			   "of one place run in this order.\n\n"
			   "| rule | what it does | source | target | breaking changes |\n"
			   "|---|---|---|---|---|\n"));
	for (size_t i = 0; i < count; i++)
		write_rule(out, rules[i]);
}

static void the_documentation_lists_the_table(void **state)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(4));
	cleanup(buf_release) struct buf expected = BUF_INIT(MIB(1));
	struct str text;
	struct err err = {0};

	(void)state;
	write_markdown(&expected);
	if (file_source_open(DOCS "/metadata-rules.md", &source, &err) < 0 ||
	    bytes_source_read_all(source, &mem, MIB(1), &text, &err) < 0)
		fail_msg("%s", err.message);
	if (!str_eq(text, buf_str(&expected)))
		fail_msg("docs/metadata-rules.md is not what test_metadata_rules --markdown "
			 "prints");
}

static int print_markdown(void)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));

	write_markdown(&text);
	fputs(buf_cstr(&text), stdout);
	return 0;
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_does_what_it_says_where_it_holds_and_nothing_elsewhere),
		cmocka_unit_test(no_rule_is_without_a_case),
		cmocka_unit_test(ids_of_rules_are_unique),
		cmocka_unit_test(types_are_united),
		cmocka_unit_test(types_become_indices_of_their_own),
		cmocka_unit_test(several_types_are_refused_where_the_user_wants_none),
		cmocka_unit_test(types_that_disagree_block_the_index),
		cmocka_unit_test(a_template_keeps_what_its_default_type_says),
		cmocka_unit_test(the_documentation_lists_the_table),
	};

	if (count > 1 && strcmp(arguments[1], "--markdown") == 0)
		return print_markdown();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
