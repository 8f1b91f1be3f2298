#include "transform_fixture.h"

#define ROUTES(routes) "{'TypeMappingSanitizationTransformerProvider':" routes "}"
#define LONG "{'type':'long'}"

static const char plain[] = "TypeMappingSanitizationTransformerProvider";
static const char split[] = ROUTES("{'staticMappings':{'activity':{'user':'users','post':'posts'},"
				   "'merged':{'a':'all','b':'all'},'gone':{}}}");

#define INDEX(name, mappings) \
	"{'type':'index','name':'" name "','body':{'settings':{'s':1},'mappings':" mappings "}}"

static void the_types_of_an_index_are_united_by_default(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_METADATA, plain,
		       INDEX("i", "{'a':{'properties':{'n':" LONG "}},'b':{'properties':{'n':" LONG
				  ",'m':" LONG "}}}"),
		       INDEX("i", "{'properties':{'n':" LONG ",'m':" LONG "}}"));
	/* As snapshots keep them. */
	assert_becomes(TRANSFORM_METADATA, plain,
		       INDEX("i", "[{'a':{'properties':{'n':" LONG
				  "}}},{'b':{'properties':{'m':" LONG "}}}]"),
		       INDEX("i", "{'properties':{'n':" LONG ",'m':" LONG "}}"));
}

static void an_index_is_split_by_type(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_METADATA, split,
		       INDEX("activity", "{'user':{'properties':{'n':" LONG
					 "}},'post':{'dynamic':'strict','properties':{'m':" LONG
					 "}},'like':{'properties':{}}}"),
		       "[" INDEX("users", "{'properties':{'n':" LONG "}}") "," INDEX(
			       "posts", "{'dynamic':'strict','properties':{'m':" LONG "}}") "]");
	assert_becomes(
		TRANSFORM_METADATA, split,
		INDEX("merged", "{'a':{'properties':{'n':" LONG
				"}},'b':{'properties':{'o':{'properties':{'p':" LONG "}}}}}"),
		INDEX("all", "{'properties':{'n':" LONG ",'o':{'properties':{'p':" LONG "}}}}"));
	assert_becomes(TRANSFORM_METADATA, split, INDEX("gone", "{'t':{'properties':{}}}"), NULL);
	assert_becomes(TRANSFORM_METADATA, split, INDEX("activity", "{'like':{'properties':{}}}"),
		       NULL);
}

static void a_mapping_without_types_is_taken_for_what_it_is(void **state)
{
	static const char *const mappings[] = {
		"{'properties':{'n':" LONG "}}",
		"{'_source':{'enabled':false}}",
		"{'dynamic':'strict'}",
		"{'dynamic_templates':[{'t':{'mapping':" LONG "}}]}",
		"{}",
		"{'properties':{'properties':{'properties':{'n':" LONG "}}}}",
		"{'runtime':{},'_meta':{'a':1}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(mappings); i++) {
		char item[300], renamed[300];

		snprintf(item, sizeof(item), INDEX("i", "%s"), mappings[i]);
		snprintf(renamed, sizeof(renamed), INDEX("j", "%s"), mappings[i]);
		assert_becomes(TRANSFORM_METADATA, ROUTES("{'staticMappings':{'i':{'_doc':'j'}}}"),
			       item, renamed);
		assert_becomes(TRANSFORM_METADATA, plain, item, item);
		/* The types that are listed do not have _doc. */
		assert_becomes(TRANSFORM_METADATA, ROUTES("{'staticMappings':{'i':{'t':'j'}}}"),
			       item, NULL);
	}
	assert_becomes(TRANSFORM_METADATA, plain, INDEX("i", "[{'properties':{'n':" LONG "}}]"),
		       INDEX("i", "{'properties':{'n':" LONG "}}"));
	assert_becomes(TRANSFORM_METADATA, plain, "{'type':'index','name':'i','body':{}}",
		       "{'type':'index','name':'i','body':{}}");
}

static void default_is_no_type_but_what_types_begin_with(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_METADATA, plain,
		       INDEX("i", "{'_default_':{'dynamic':'strict','_source':{'enabled':true}},"
				  "'a':{'dynamic':'false','properties':{'n':" LONG "}}}"),
		       INDEX("i", "{'dynamic':'false','_source':{'enabled':true},"
				  "'properties':{'n':" LONG "}}"));
	assert_becomes(
		TRANSFORM_METADATA, plain,
		INDEX("i", "{'a':{'properties':{'n':" LONG "}},'_default_':{'dynamic':'strict'}}"),
		INDEX("i", "{'dynamic':'strict','properties':{'n':" LONG "}}"));
	assert_becomes(TRANSFORM_METADATA, plain, INDEX("i", "{'_default_':{'dynamic':'strict'}}"),
		       INDEX("i", "{'dynamic':'strict'}"));
}

static void objects_of_types_are_merged_and_conflicts_named(void **state)
{
	static const struct {
		const char *a, *b, *error;
	} cases[] = {
		{"{'properties':{'n':" LONG "}}", "{'properties':{'n':{'type':'date'}}}",
		 "field 'n' is defined differently in types that go into 'i'; send them to indices "
		 "of their own"},
		{"{'properties':{'o':{'properties':{'n':" LONG "}}}}",
		 "{'properties':{'o':{'properties':{'n':{'type':'date'}}}}}",
		 "field 'o.n' is defined differently in types that go into 'i'; send them to "
		 "indices of their own"},
		{"{'properties':{'o':{'type':'nested','properties':{}}}}",
		 "{'properties':{'o':{'properties':{'n':" LONG "}}}}",
		 "field 'o' is defined differently in types that go into 'i'; send them to indices "
		 "of their own"},
		{"{'properties':{'o':{'dynamic':'true','properties':{}}}}",
		 "{'properties':{'o':{'dynamic':'false','properties':{}}}}",
		 "'dynamic' of field 'o' differs among the types that go into 'i'; send them to "
		 "indices of their own"},
		{"{'_source':{'enabled':false}}", "{'_source':{'enabled':true}}",
		 "'_source' of the mapping differs among the types that go into 'i'; send them to "
		 "indices of their own"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char item[400];

		snprintf(item, sizeof(item), INDEX("i", "{'a':%s,'b':%s}"), cases[i].a, cases[i].b);
		assert_message_error(TRANSFORM_METADATA, plain, item, cases[i].error);
	}
	assert_becomes(TRANSFORM_METADATA, plain,
		       INDEX("i", "{'a':{'properties':{'o':{'properties':{'n':" LONG "}}}},"
				  "'b':{'properties':{'o':{'type':'object','properties':{'m':" LONG
				  "}}}}}"),
		       INDEX("i", "{'properties':{'o':{'type':'object','properties':{'n':" LONG
				  ",'m':" LONG "}}}}"));
	/* What no version without types knows is no conflict; what is for one type is not for all.
	 */
	assert_becomes(TRANSFORM_METADATA, plain,
		       INDEX("i", "{'a':{'_all':{'enabled':false},'_routing':{'required':true},"
				  "'_meta':{'x':1},'dynamic_templates':[{'s':{}}]},"
				  "'b':{'_all':{'enabled':true},'_meta':{'y':2},"
				  "'dynamic_templates':[{'s':{}},{'t':{}}]}}"),
		       INDEX("i", "{'_all':{'enabled':false},'_meta':{'x':1,'y':2},"
				  "'dynamic_templates':[{'s':{}},{'t':{}}]}"));
}

static void templates_are_split_with_their_patterns(void **state)
{
	static const char by_type[] =
		ROUTES("{'regexMappings':[{'sourceIndexPattern':'(.*)','sourceTypePattern':'_doc',"
		       "'targetIndexPattern':'$1'},{'sourceIndexPattern':'(.*)',"
		       "'sourceTypePattern':'(.*)','targetIndexPattern':'$1_$2'}]}");

	(void)state;
	assert_becomes(
		TRANSFORM_METADATA, by_type,
		"{'type':'template','name':'t','body':{'index_patterns':['logs-*','x'],"
		"'mappings':{'a':{'properties':{'n':" LONG "}},'b':{'properties':{}}}}}",
		"[{'type':'template','name':'t_a','body':{'index_patterns':['logs-*_a','x_a'],"
		"'mappings':{'properties':{'n':" LONG "}}}},"
		"{'type':'template','name':'t_b','body':{'index_patterns':['logs-*_b','x_b'],"
		"'mappings':{'properties':{}}}}]");
	assert_becomes(TRANSFORM_METADATA, plain,
		       "{'type':'template','name':'T','body':{'template':'logs-*','mappings':"
		       "{'a':{'properties':{}},'b':{'properties':{'n':" LONG "}}}}}",
		       "{'type':'template','name':'T','body':{'template':'logs-*','mappings':"
		       "{'properties':{'n':" LONG "}}}}");
	assert_becomes(TRANSFORM_METADATA, ROUTES("{'staticMappings':{'c':{'_doc':'d'}}}"),
		       "{'type':'index_template','name':'t','body':{'index_patterns':['a*'],"
		       "'composed_of':['c','e'],'template':{'mappings':{'properties':{}}}}}",
		       "{'type':'index_template','name':'t','body':{'index_patterns':['a*'],"
		       "'composed_of':['d','e'],'template':{'mappings':{'properties':{}}}}}");
	assert_becomes(TRANSFORM_METADATA, ROUTES("{'staticMappings':{'c':{'_doc':'d'}}}"),
		       "{'type':'component_template','name':'c','body':{'template':{}}}",
		       "{'type':'component_template','name':'d','body':{'template':{}}}");
}

static void an_item_without_name_or_kind_is_an_error(void **state)
{
	(void)state;
	assert_message_error(TRANSFORM_METADATA, plain, "{'name':'i','body':{}}",
			     "the metadata item has no type or no name, by which it is routed");
	assert_message_error(TRANSFORM_METADATA, plain, "{'type':'index','body':{}}",
			     "the metadata item has no type or no name, by which it is routed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_types_of_an_index_are_united_by_default),
		cmocka_unit_test(an_index_is_split_by_type),
		cmocka_unit_test(a_mapping_without_types_is_taken_for_what_it_is),
		cmocka_unit_test(default_is_no_type_but_what_types_begin_with),
		cmocka_unit_test(objects_of_types_are_merged_and_conflicts_named),
		cmocka_unit_test(templates_are_split_with_their_patterns),
		cmocka_unit_test(an_item_without_name_or_kind_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
